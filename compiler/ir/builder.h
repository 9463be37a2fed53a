// Builds IR, simplifying as it goes: what a front end or a pass asks for is folded, brought to a
// normal form and looked up among the values the block already has before an instruction is made.
//
// Normal forms (passes and back ends may match on these alone):
//  * a constant operand of a commutative operation or comparison is on the right
//  * `x - c` is `x + -c`; `x * 2^k`, `x / 2^k` and `x % 2^k` (unsigned) are shifts and masks
//  * chains of one associative operation with constants are one operation: (x + 1) + 2 is x + 3
//  * shift and rotate amounts that are constants lie in 1 … width-1
//  * `x != 0` of a value that is 0 or 1 is that value; `x == 0` of a comparison is the inverted
//    comparison
//  * `x <u 1` is `x == 0`, `x >u 0` is `x != 0`
//  * a pair of shifts that extends the low 8 or 16 bits is `extend_s8`/`extend_s16` or an `and`; a
//    pair of opposite shifts that together rotate is `rotl`
//  * `br_if` has no constant condition, and its edges differ
//
// Value numbering is local to a block and forgets: a small direct-mapped table, cleared by
// `SetBlock`. A pass that walks the dominator tree can lend a ValueTable that does not (SetTable).
#ifndef PRECAST_COMPILER_IR_BUILDER_H_
#define PRECAST_COMPILER_IR_BUILDER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/value_table.h"

namespace precast::ir {

class Builder {
 public:
  // `function` must outlive the builder.
  explicit Builder(Function& function) : f_(function) {}

  // From here on what dominates the current block is made use of. `table` must outlive the builder;
  // the caller tells it where the walk is.
  void SetTable(ValueTable* table) { values_ = table; }

  // From here on what an analysis has found is made use of: by value, the bits that may be other
  // than 0, for the values there were then. `bits` must outlive the builder.
  void SetPossibleBits(const std::vector<uint64_t>* bits) { bits_ = bits; }

  // From here on constants are brought to the outside of sums: (x + 1) + y becomes (x + y) + 1,
  // which a machine adds up at once.
  void SetReassociate(bool on) { reassociate_ = on; }

  Function& function() { return f_; }
  // What follows is appended to `b`, which must not have a terminator yet.
  void SetBlock(Block b);
  Block block() const { return block_; }

  // -- values

  Value Iconst(Type type, int64_t value);
  // `bits` of an f32 or f64, zero-extended.
  Value Fconst(Type type, uint64_t bits);
  Value Vconst(const V128& bytes);
  // `op` is one of kAdd … kRotr; `a` and `b` have one integer type.
  Value Binary(Opcode op, Value a, Value b) { return Binary(op, 0, a, b); }
  // `op` is one of kSdivTotal … kUremTotal. `guarded`: whoever builds this has trapped on a divisor
  // of 0 and, for kSdivTotal, on MIN / -1.
  Value Divide(Opcode op, Value a, Value b, bool guarded) { return Binary(op, guarded, a, b); }
  // `op` is one of kClz … kBswap and kExtendU32 … kExtendS16.
  Value Unary(Opcode op, Value a);
  Value Icmp(IntCond cond, Value a, Value b);
  // Any type.
  Value Select(Value cond, Value if_true, Value if_false);

  // `op` is one of kFadd … kFcopysign; `a` and `b` have one floating-point type.
  Value FloatBinary(Opcode op, Value a, Value b);
  // `op` is one of kFneg … kFnearest.
  Value FloatUnary(Opcode op, Value a);
  Value Fcmp(FloatCond cond, Value a, Value b);
  // `op` is one of kFtoS … kBitcast, `type` the result's. `in_range` (kFtoS, kFtoU): whoever builds
  // this has trapped on operands that do not fit.
  Value Convert(Opcode op, Type type, Value a, bool in_range = false);

  // `args` are as simd.def says.
  Value Simd(SimdOp op, absl::Span<const Value> args, uint8_t lane = 0);
  // Byte i of the result is byte pattern[i] (0 … 31) of `a` and then `b`.
  Value Shuffle(Value a, Value b, const V128& pattern);

  // Address of the context + `displacement`, an i64.
  Value ContextAddress(int64_t displacement);

  Value Add(Value a, Value b) { return Binary(Opcode::kAdd, a, b); }
  Value Sub(Value a, Value b) { return Binary(Opcode::kSub, a, b); }
  Value Mul(Value a, Value b) { return Binary(Opcode::kMul, a, b); }
  Value And(Value a, Value b) { return Binary(Opcode::kAnd, a, b); }
  Value Or(Value a, Value b) { return Binary(Opcode::kOr, a, b); }
  Value Xor(Value a, Value b) { return Binary(Opcode::kXor, a, b); }
  Value Shl(Value a, Value b) { return Binary(Opcode::kShl, a, b); }
  Value ShrU(Value a, Value b) { return Binary(Opcode::kShrU, a, b); }
  Value ShrS(Value a, Value b) { return Binary(Opcode::kShrS, a, b); }

  // -- memory, guest state, metering: as in opcodes.def, never folded

  Value Load(MemKind kind, Type type, Value address, int64_t offset, Site site);
  void Store(MemKind kind, Value address, Value value, int64_t offset, Site site);
  // At host address base + offset + imm; `base` and `offset` are i64.
  Value LoadAt(MemKind kind, Type type, Value base, Value offset, int64_t imm, Site site);
  void StoreAt(MemKind kind, Value base, Value offset, Value value, int64_t imm, Site site);
  // Return the old value, of the operands' type, zero-extended.
  Value AtomicRmw(AtomicOp op, MemKind kind, Value base, Value offset, Value operand, Site site);
  Value AtomicCmpxchg(MemKind kind, Value base, Value offset, Value expected, Value replacement,
                      Site site);
  void Fence();
  void Acquire();
  Value LoadContext(MemKind kind, Type type, int64_t displacement);
  void StoreContext(MemKind kind, Value value, int64_t displacement);
  // `pointer` is an i64.
  Value LoadHost(MemKind kind, Type type, Value pointer, int64_t displacement);
  void StoreHost(MemKind kind, Value pointer, Value value, int64_t displacement);
  Value LoadState(StateSlot slot);
  void StoreState(StateSlot slot, Value value);
  void DeferState(StateSlot slot, Value value);
  Value LoadFuel();
  void Charge(int64_t amount);
  void ChargeValue(Value amount);
  void Meter(int64_t amount, Site site);
  void MeterCheck(int64_t amount, Site site);
  void CountRows(uint8_t row_register, uint64_t counts);
  // Nothing if `cond` is the constant 0.
  void TrapIf(Value cond, TrapCode code, Site site);

  // -- calls; they return the results

  std::vector<Value> Call(FuncRef callee, absl::Span<const Value> args,
                          absl::Span<const Type> results, Site site);
  std::vector<Value> CallDispatch(Value guest_pc, absl::Span<const Value> args,
                                  absl::Span<const Type> results, Site site);
  std::vector<Value> CallRuntime(uint8_t callback, absl::Span<const Value> args,
                                 absl::Span<const Type> results, Site site);

  // `code` and `record` are i64, `type` is an i32 (runtime/abi/wasm_context.h).
  std::vector<Value> CallPointer(Value code, Value record, Value type, absl::Span<const Value> args,
                                 absl::Span<const Type> results, Site site);

  // -- terminators

  void Br(Edge edge);
  // `cold`: the true edge is unlikely.
  void BrIf(Value cond, Edge if_true, Edge if_false, bool cold = false);
  // The last edge is the default. Edges carry no arguments.
  void BrTable(Value index, std::vector<Edge> edges);
  void Ret(absl::Span<const Value> values);
  void TailCall(FuncRef callee, absl::Span<const Value> args, Site site = {});
  void TailDispatch(Value guest_pc, absl::Span<const Value> args, Site site = {});
  void TailPointer(Value code, Value record, Value type, absl::Span<const Value> args,
                   Site site = {});
  void Trap(TrapCode code, Site site);

  // -- for passes

  // Puts pure instruction `i`, which is in no block now and whose operands may have been replaced,
  // at the end of the current block: as it is, or simplified to other instructions, or as a value
  // that exists already. Returns what stands for its result from now on.
  Value Readd(Inst i);

  // A constant of a scalar type, held as in `InstData::imm`.
  Value Constant(Type type, int64_t imm);

  std::optional<int64_t> ConstantOf(Value v) const { return ir::ConstantOf(f_, v); }

 private:
  const InstData* Def(Value v) const;
  bool IsOp(Value v, Opcode op) const;
  // If `v` is `op` with a constant right operand: the left operand and the constant.
  struct WithConstant {
    Value left;
    int64_t constant;
  };
  std::optional<WithConstant> MatchConstant(Value v, Opcode op) const;
  // Bits of `v` that may be other than 0.
  uint64_t PossibleBits(Value v) const;
  // The same, from its definition alone.
  uint64_t BitsOfDefinition(Value v) const;
  // Whether `v` cannot be negative.
  bool IsNonNegative(Value v) const;
  bool IsBoolean(Value v) const { return PossibleBits(v) <= 1; }
  Value Binary(Opcode op, uint8_t aux, Value a, Value b);
  std::optional<Value> SimplifyConstant(Opcode op, Type type, Value a, int64_t c);
  std::optional<Value> KnownQuotient(Opcode op, Value a, Value b);
  std::optional<Value> SimplifySame(Opcode op, uint8_t aux, Type type, Value a);
  std::optional<Value> Reassociate(Opcode op, Type type, Value a, Value b);
  std::optional<Value> SimplifyRotate(Type type, Value a, Value b);
  std::optional<Value> SimplifyIcmpConstant(IntCond cond, Type type, Value a, int64_t c);
  // Reuses or appends the instruction.
  Value Emit(Opcode op, Type type, uint8_t aux, int64_t imm, absl::Span<const Value> args,
             Type result);
  bool Same(const InstData& inst, Opcode op, Type type, uint8_t aux, int64_t imm,
            absl::Span<const Value> args) const;
  Value AppendLoad(const InstData& data, absl::Span<const Value> args);
  std::vector<Value> AppendCall(InstData data, absl::Span<const Value> args,
                                absl::Span<const Type> results);

  // Value table: `value` counts only if `epoch` is the current one.
  static constexpr size_t kTableSize = 256;
  struct Slot {
    uint32_t epoch = 0;
    Value value;
  };

  Function& f_;
  ValueTable* values_ = nullptr;
  const std::vector<uint64_t>* bits_ = nullptr;
  bool reassociate_ = false;
  Block block_;
  Inst readd_;  // the instruction `Readd` is at, while it has not been used
  uint32_t epoch_ = 0;
  uint32_t icmp_depth_ = 0;  // of `Icmp`, which looks through what it compares
  std::array<Slot, kTableSize> table_;
};

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_BUILDER_H_
