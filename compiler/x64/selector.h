// The state that instruction selection keeps while it goes through one function, shared by the
// files that select:
//
//   select.cc             puts the pieces together
//   select_layout.cc      counts uses; lays out blocks and split edges
//   select_inst.cc        a block's instructions: dispatch; guest state, metering, traps, branches
//   select_memory.cc      loads, stores and atomics
//   select_call.cc        where arguments and results travel
//   select_return.cc      where calls return to
//   select_condition.cc   what tests a condition, and what is made of it
//   select_arithmetic.cc  integer arithmetic, with what a constant operand makes cheaper
//   select_division.cc    division, with and without a known divisor
//   select_float.cc       floating point and conversions
//   select_simd.cc        operations on v128
//   select_shuffle.cc     shuffles
//
// Blocks are visited after the blocks they dominate and instructions last to first, so that all
// uses of a value are known when its definition is reached: what nobody asked for is not emitted,
// and what was folded into its user disappears. Within one IR instruction, code is built forwards.
#ifndef PRECAST_COMPILER_X64_SELECTOR_H_
#define PRECAST_COMPILER_X64_SELECTOR_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/log/check.h"
#include "absl/types/span.h"
#include "compiler/ir/ir.h"
#include "compiler/regalloc/regalloc.h"
#include "compiler/x64/control_flow.h"
#include "compiler/x64/mir.h"
#include "loader/format/cpu_features.h"
#include "runtime/abi/vm_context.h"
#include "runtime/abi/wasm_context.h"

namespace precast::x64::selection {

using ir::Block;
using ir::Inst;
using ir::InstData;
using ir::IntCond;
using ir::Opcode;
using ir::Type;
using ir::Value;
using regalloc::Operand;
using regalloc::VReg;

inline constexpr uint32_t kNone = 0xffffffffu;
inline constexpr VReg kNoVReg = kNone;

inline bool FitsInt32(int64_t v) { return v == static_cast<int32_t>(v); }

// Whether values of the type are held in integer registers.
inline bool HeldInInt(Type type) { return type == Type::kI32 || type == Type::kI64; }
inline Width WidthOf(Type type) {
  return type == Type::kI64 || type == Type::kF64 ? Width::k64 : Width::k32;
}

// Where a load, store or atomic operation goes.
struct Address {
  Place place = Place::kGuest;
  uint8_t scale = 1;  // kGuest
  int32_t disp = 0;
  bool can_fault = true;
  VReg a = kNoVReg, b = kNoVReg;  // as many as NumOperands(place)
};

// A test found for a condition value: what sets the flags and the condition to test.
struct Test {
  FlagsFrom flags = FlagsFrom::kTestSelf;
  Width width = Width::k32;
  Cond cond = Cond::kNe;
  Value a = {}, b = {};
  int32_t imm = 0;
  bool parity = false;              // see MInst
  int64_t bits = 0;                 // kFloatConst: the constant
  bool once = false;                // whether the test is made in one place only
  std::optional<Inst> folded = {};  // the load that gives b, at `place`
  Address place = {};

  void Invert() { cond = x64::Invert(cond); }
};

// Hands out the places in which parameters or results travel, in order.
class Travel {
 public:
  static Travel Parameters(ir::CallConv conv) { return Travel(false, conv == ir::CallConv::kWasm); }
  static Travel Results(ir::CallConv conv) { return Travel(true, conv == ir::CallConv::kWasm); }
  regalloc::PReg Next(Type type) {
    if (!HeldInInt(type)) {
      CHECK_LT(vectors_, kNumVectors) << "too many vector parameters or results";
      return {regalloc::RegClass::kVector, vectors_++};
    }
    const uint8_t k = ints_++;
    const int limit = wasm_ ? abi::kNumWasmIntPassed : abi::kNumPassed + (results_ ? 1 : 0);
    CHECK_LT(k, limit) << "too many parameters or results";
    // RISC-V: guest registers after the next pc. WebAssembly: rax instead of the first register.
    if (results_ && k == 0) return {regalloc::RegClass::kInt, abi::kNextPcReg};
    if (wasm_) return {regalloc::RegClass::kInt, abi::kWasmPassedIn[k]};
    return {regalloc::RegClass::kInt, abi::kPassedIn[results_ ? k - 1 : k]};
  }

 private:
  Travel(bool results, bool wasm) : results_(results), wasm_(wasm) {}

  // runtime/abi/wasm_context.h: kNumWasmVectorPassed.
  static constexpr uint8_t kNumVectors = 8;
  const bool results_, wasm_;
  uint8_t ints_ = 0, vectors_ = 0;
};

class Selector {
 public:
  Selector(const ir::Function& f, const ControlFlow& cf, uint64_t cpu_features)
      : f_(f),
        cf_(cf),
        cpu_features_(cpu_features),
        uses_(f.num_values(), 0),
        address_uses_(f.num_values(), 0),
        vreg_of_(f.num_values(), kNoVReg),
        read_wide_(f.num_values(), false),
        inst_block_(f.num_insts(), kNone),
        site_at_(f.num_insts(), kNone),
        effects_before_(f.num_insts(), 0),
        folded_(f.num_insts(), false),
        deferrals_of_(f.num_blocks()),
        role_(f.num_blocks(), Role::kNone),
        receives_(f.num_blocks(), false) {
    insts_.reserve(f.num_insts() / 2);
    m_.problem.operands.reserve(f.num_insts() * 3);
  }

  MFunction Run();

 private:
  // A piece of code in layout order: an IR block or a split edge.
  struct Piece {
    Block ir;                     // invalid for a split edge
    Block from;                   // split edge: source
    uint32_t edge = 0;            // split edge: number among the source's unique edges
    uint32_t begin = 0, end = 0;  // range in insts_, last instruction first
    bool align = false;  // split edge: it comes right before the head of a loop to be aligned
    bool aside = false;  // split edge: something else falls through to its target
  };
  // A successor of the terminator of a block, after merging the equal edges of a br_table.
  struct Successor {
    uint32_t ir_edge;                         // number among f_.edges(terminator)
    uint32_t piece = kNone;                   // of the split edge; kNone: straight to the target
    uint32_t args_begin = 0, args_count = 0;  // in successor_args_: the arguments at the jump
  };
  // A deferral in force while a block is walked.
  struct OpenDeferral {
    Value value;
    bool high = false;   // its upper half
    uint32_t since = 0;  // number of sites before it
  };
  // Deferred state that some site sees: from the first to the last such site, IR instructions.
  struct Deferral {
    uint8_t slot;
    Value value;
    bool high;  // the upper half of `value`, an i64
    uint32_t first, last;
  };

  // How a block leads on from a call to where that returns to, see select_return.cc.
  enum class Role : uint8_t {
    kNone,
    kCalls,      // ends with a call
    kEnters,     // an entry that leads to where a call returns to
    kElsewhere,  // what is executed if it has returned to somewhere else
  };

  const InstData* DefOf(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? nullptr : &f_.inst(Inst(data.def));
  }
  // The i64 value of which `v` is the low or the high half, or `v` itself.
  std::pair<Value, bool> WholeOf(Value v) const {
    const InstData* wrap = DefOf(v);
    if (wrap == nullptr || wrap->op != Opcode::kWrap) return {v, false};
    const Value whole = f_.args(Inst(f_.value(v).def))[0];
    const InstData* shift = DefOf(whole);
    if (shift != nullptr && shift->op == Opcode::kShrU &&
        ConstantOf(f_.args(Inst(f_.value(whole).def))[1]) == 32) {
      return {f_.args(Inst(f_.value(whole).def))[0], true};
    }
    return {whole, false};
  }
  // The value whose register `v` shares: a zero-extension is free, see mir.h, and so is it to take
  // the low half where the high half is 0.
  Value Resolve(Value v) const {
    for (const InstData* d = DefOf(v); d != nullptr; d = DefOf(v)) {
      const bool shares =
          d->op == Opcode::kExtendU32 ||
          (d->op == Opcode::kWrap && IsShiftedDown(f_.args(Inst(f_.value(v).def))[0]));
      if (!shares) break;
      v = f_.args(Inst(f_.value(v).def))[0];
    }
    return v;
  }
  // Whether `v` is an i64 of which nothing but what was its high half remains.
  bool IsShiftedDown(Value v) const {
    const InstData* d = DefOf(v);
    if (d == nullptr || d->op != Opcode::kShrU || d->type != Type::kI64) return false;
    const InstData* amount = DefOf(f_.args(Inst(f_.value(v).def))[1]);
    return amount != nullptr && amount->op == Opcode::kIconst && amount->imm >= 32 &&
           amount->imm < 64;
  }
  // The constant `v` is, as its type: an i32 sign-extended.
  std::optional<int64_t> ConstantOf(Value v) const {
    const Value r = Resolve(v);
    const InstData* d = DefOf(r);
    if (d == nullptr || d->op != Opcode::kIconst) return std::nullopt;
    if (d->type == Type::kI64) return d->imm;
    const int32_t value = static_cast<int32_t>(static_cast<uint32_t>(d->imm));
    if (r != v) return static_cast<int64_t>(static_cast<uint32_t>(value));
    return value;
  }
  std::optional<int32_t> Constant32Of(Value v) const {
    const std::optional<int64_t> c = ConstantOf(v);
    if (!c.has_value() || !FitsInt32(*c)) return std::nullopt;
    return static_cast<int32_t>(*c);
  }
  // The instruction that defines `v` if it is `op` and only the instruction being selected uses it.
  std::optional<Inst> SingleUse(Value v, Opcode op) const {
    const InstData* d = DefOf(v);
    if (d == nullptr || d->op != op || uses_[v.index] != 1) return std::nullopt;
    const Inst inst(f_.value(v).def);
    if (inst_block_[inst.index] != block_.index) return std::nullopt;
    return inst;
  }

  bool HasCpu(format::CpuFeature feature) const { return format::Has(cpu_features_, feature); }

  // -- before selection

  void CountUses(Block b);

  // Orders blocks and split edges. Edges are split so that every edge with moves has a place for
  // them: the source has one successor or the target one predecessor and no arguments. A split edge
  // without moves costs nothing: the emitter sees through it.
  void LayOut();
  bool FlowsTo(Block from, Block to) const;
  // For the register allocator pieces_ are in an order in which an edge back comes behind its
  // source. In the code it may come before its target, and one where something else falls through
  // to the target is behind all that is hot, at `hot_end`.
  void OrderCode(uint32_t hot_end);

  // -- building

  VReg NewVReg(Width w) { return NewVReg(w, w == Width::k64); }
  VReg NewVReg(Width w, bool read_wide) {
    m_.problem.vreg_class.push_back(regalloc::RegClass::kInt);
    m_.problem.vreg_wide.push_back(read_wide);
    is_wide_.push_back(w == Width::k64);
    return static_cast<VReg>(m_.problem.vreg_class.size() - 1);
  }
  VReg NewVReg() { return NewVReg(Width::k32); }
  VReg NewVectorVReg() {
    m_.problem.vreg_class.push_back(regalloc::RegClass::kVector);
    m_.problem.vreg_wide.push_back(false);
    is_wide_.push_back(false);
    return static_cast<VReg>(m_.problem.vreg_class.size() - 1);
  }
  VReg NewVReg(Type type) { return HeldInInt(type) ? NewVReg(WidthOf(type)) : NewVectorVReg(); }

  // The register of a value, not looking for constants.
  VReg VRegOf(Value v) {
    v = Resolve(v);
    VReg& reg = vreg_of_[v.index];
    if (reg != kNoVReg) return reg;
    return reg = read_wide_[v.index] ? NewVReg(WidthOf(f_.type(v)), true) : NewVReg(f_.type(v));
  }
  bool Needed(Value v) const { return vreg_of_[v.index] != kNoVReg; }

  // Whether `v` is used after the instruction being selected. To be asked before its own operands
  // are.
  bool UsedLater(Value v) const { return !ConstantOf(v).has_value() && Needed(Resolve(v)); }
  // For a commutative two-address operation: puts the operand that ends here first, where its
  // register is overwritten.
  void PreferDyingFirst(Value& a, Value& b) const {
    if (UsedLater(a) && !UsedLater(b)) std::swap(a, b);
  }

  // For an operation of width `w` that reads no more than w bits of `v`: what is wrapped serves as
  // well.
  Value Low(Value v, Width w) const {
    const InstData* d = DefOf(v);
    if (w != Width::k32 || d == nullptr || d->op != Opcode::kWrap) return v;
    const Value whole = f_.args(Inst(f_.value(v).def))[0];
    return ConstantOf(whole).has_value() ? v : whole;
  }

  // The register that holds `v` at this point; a constant is materialized here.
  VReg Reg(Value v) {
    if (const InstData* d = DefOf(v); d != nullptr && d->op == Opcode::kFconst) {
      const VReg r = NewVectorVReg();
      EmitFloatConstant(Inst(f_.value(v).def), r);
      return r;
    }
    const std::optional<int64_t> c = ConstantOf(v);
    if (!c.has_value()) return VRegOf(v);
    const bool wide = f_.type(v) == Type::kI64;
    return MaterializeConstant(wide ? static_cast<uint64_t>(*c) : static_cast<uint32_t>(*c),
                               wide ? Width::k64 : Width::k32);
  }
  // For instructions of width `w`.
  VReg MaterializeConstant(uint64_t value, Width w) {
    const VReg r = NewVReg(w);
    Emit(MOp::kMovImm, {Def(r)}).imm = static_cast<int64_t>(value);
    return r;
  }

  static Operand Use(VReg r) {
    return {r, Operand::Constraint::kReg, Operand::Kind::kUse, Operand::Pos::kEarly};
  }
  static Operand UseAny(VReg r) {
    return {r, Operand::Constraint::kAny, Operand::Kind::kUse, Operand::Pos::kEarly};
  }
  // A vector that an instruction may read from its slot: with a VEX prefix, or if slots are
  // aligned.
  Operand UseVector(VReg r) const {
    return m_.aligns_stack || HasCpu(format::CpuFeature::kAvx) ? UseAny(r) : Use(r);
  }
  static Operand UseFixed(VReg r, regalloc::PReg reg) {
    return {r, Operand::Constraint::kFixed, Operand::Kind::kUse, Operand::Pos::kEarly, 0, reg};
  }
  static Operand DefFixed(VReg r, regalloc::PReg reg) {
    return {r, Operand::Constraint::kFixed, Operand::Kind::kDef, Operand::Pos::kLate, 0, reg};
  }
  static Operand UseLate(VReg r) {
    return {r, Operand::Constraint::kReg, Operand::Kind::kUse, Operand::Pos::kLate};
  }
  static Operand UseFixed(VReg r, x64::Reg reg) { return UseFixed(r, IntPReg(reg)); }
  static Operand Def(VReg r) {
    return {r, Operand::Constraint::kReg, Operand::Kind::kDef, Operand::Pos::kLate};
  }
  static Operand DefEarly(VReg r) {
    return {r, Operand::Constraint::kReg, Operand::Kind::kDef, Operand::Pos::kEarly};
  }
  static Operand DefReuse(VReg r, uint8_t operand) {
    return {r, Operand::Constraint::kReuse, Operand::Kind::kDef, Operand::Pos::kLate, operand};
  }
  static Operand DefFixed(VReg r, x64::Reg reg) { return DefFixed(r, IntPReg(reg)); }
  // The result of a vector or floating-point instruction, which has an operand for it with AVX
  // only.
  Operand DefMayReuse(VReg r, uint8_t operand) const {
    return HasCpu(format::CpuFeature::kAvx) ? Def(r) : DefReuse(r, operand);
  }

  MInst& Emit(MOp op, absl::Span<const Operand> operands, regalloc::PRegSet clobbers = 0) {
    regalloc::Inst ra;
    ra.operands_begin = static_cast<uint32_t>(m_.problem.operands.size());
    ra.operands_count = static_cast<uint16_t>(operands.size());
    ra.is_move = op == MOp::kMove;
    ra.clobbers = clobbers;
    m_.problem.operands.insert(m_.problem.operands.end(), operands.begin(), operands.end());
    MInst mir;
    mir.op = op;
    current_.push_back({mir, ra});
    return current_.back().mir;
  }
  MInst& Emit(MOp op, std::initializer_list<Operand> operands, regalloc::PRegSet clobbers = 0) {
    return Emit(op, absl::MakeConstSpan(operands.begin(), operands.size()), clobbers);
  }

  // Appends what was built forwards for one IR instruction to the reversed stream.
  void Flush() {
    for (size_t i = current_.size(); i-- > 0;) insts_.push_back(current_[i]);
    current_.clear();
  }

  // -- one block

  void SelectBlock(Block b);

  // Registers of the arguments of an edge, for the jump that is the only one on its way.
  void SelectArguments(Inst terminator, Successor& s);

  // -- conditions

  std::optional<Inst> FusableCompare(Value v) const;
  Test MatchCondition(Value v) const;

  // `v` != 0.
  Test MatchNonZero(Value v, Width w) const;
  Test MatchCompare(Inst inst) const;
  bool IsFuelHere(Value v) const;
  Test MatchFloatCompare(Inst inst) const;

  // The operands a test reads; the caller appends its own.
  void AddTestOperands(Test& t, std::vector<Operand>& operands);
  void SetTest(const Test& t, MInst& m) {
    if (t.folded.has_value()) SetFolded(t.place, *t.folded, m);
    m.flags = t.flags;
    m.flags_width = t.width;
    m.cond = t.cond;
    m.parity = t.parity;
    m.flags_imm = t.imm;
    if (t.flags == FlagsFrom::kFloatConst) m.imm = t.bits;
  }

  // -- instructions

  void SelectInst(Inst i, const InstData& d);

  // Reused so that building an operand list allocates nothing. Not to be held across another call.
  std::vector<Operand>& ScratchOperands() {
    scratch_.clear();
    return scratch_;
  }

  static int32_t StateDisp(uint8_t slot) {
    static_assert(offsetof(abi::VmContext, pc) == 4 * abi::kSlotPc);
    return 4 * static_cast<int32_t>(slot);
  }

  void EmitMove(VReg from, VReg to) {
    if (is_wide_[from] && !is_wide_[to]) {  // see Low
      return EmitExtend(MOp::kZeroExtend, Width::k32, Width::k32, from, to);
    }
    Emit(MOp::kMove, {Use(from), Def(to)});
  }

  // d = a + c
  void EmitAddImm(VReg a, int32_t c, Width w, VReg d);
  void EmitAlu(Alu op, VReg a, VReg b, Width w, VReg d);
  // d = a op b with b in memory, if that can be; then a is not used later.
  bool FoldInto(MOp op, Value a, Value b, Width w, VReg d, Alu alu = Alu::kAdd);
  void EmitAluImm(Alu op, VReg a, int32_t c, Width w, VReg d);
  void EmitShiftImm(Shift op, VReg a, uint8_t amount, Width w, VReg d);
  void EmitUnary(Unary op, VReg a, Width w, VReg d);
  void EmitLea(VReg base, VReg index, uint8_t scale, Width w, VReg d, int32_t disp = 0);
  void SelectAdd(Value a, Value b, Width w, VReg d);
  // a + c in one instruction where `a` is a sum or a small shift that nothing else uses; else
  // false.
  bool SelectAddOfSum(Value a, int32_t c, Width w, VReg d);
  // The amount of a shift by a constant that an address can do: 1…3.
  std::optional<uint8_t> ScaleOf(Inst shl) const;
  void SelectSub(Value a, Value b, Width w, VReg d);
  // a plus (kAdd) or minus (kSub) the comparison b, by the carry flag; false if that is not what b
  // leaves there.
  bool SelectAddCondition(Alu op, Value a, Value b, Width w, VReg d);
  // Of instructions that charge, the ones between which nothing is but what only computes charge at
  // once.
  bool ChargesValueBefore() const;
  void SelectCharge(int64_t amount);
  void SelectChargeValue(Value v);
  // Charges `v` if that is a condition, or a multiple of one, and of `more` what costs nothing.
  bool SelectChargeIf(Value v, int64_t& more);
  bool SelectGiveBack(Value v, int64_t scale, int64_t& more);
  // Whether `v` is 0 or 1.
  bool IsBit(Value v) const;
  void SelectMul(Value a, Value b, Width w, VReg d);
  void EmitMulImm(VReg a, int32_t c, Width w, VReg d);

  // d = (a * c) >> shift, shift >= 32, the product in 64 bits.
  void EmitMulHiImm(VReg a, bool is_signed, int64_t c, uint8_t shift, VReg d);
  void SelectMulHi(const InstData& d, Value a, Value b, Width w, VReg result);
  void SelectDivide(const InstData& d, Value a, Value b, Width w, VReg result);
  // a - b, if b is y times the quotient of a and y: that is the remainder, which the division makes
  // too.
  bool TakeRemainder(Value a, Value b, Width w, VReg d);

  // result = a / c or a % c.
  void DivideUnsignedBy(VReg a, uint64_t c, Width w, bool remainder, VReg result);
  void DivideSignedBy(VReg a, int64_t c, Width w, bool remainder, VReg result);
  // result = a - q * c
  void EmitRemainder(VReg a, VReg q, int64_t c, Width w, VReg result);
  // d = a & mask
  void EmitMask(VReg a, uint64_t mask, Width w, VReg d);
  // d = (a * c) >> (width + shift), the product whole; c is as wide as a, signed or not.
  void EmitMulHighBy(VReg a, bool is_signed, int64_t c, uint8_t shift, Width w, VReg d);
  void SelectBitwise(Opcode op, Value a, Value b, Width w, VReg d);
  // a & b, or for xor a ^ b, where that is an instruction of BMI1; else false.
  bool SelectBitTrick(Opcode op, Value a, Value b, Width w, VReg d);
  void SelectShift(Opcode op, Value a, Value b, Width w, VReg d);
  void SelectSetCond(Inst i, const InstData& d, VReg result);
  void EmitExtend(MOp op, Width from, Width to, VReg a, VReg d);
  void SelectExtend(MOp op, Width from, Width to, Value a, Value result);

  void SelectSelect(Inst i, const InstData& d);

  // -- memory

  // Of any load, store or atomic operation.
  Address SelectAddress(Inst i, const InstData& d);
  Address SelectSum(Value base, Value offset, int64_t disp);
  // Guest memory at `address` + disp: constants added to an address, and a shift, become parts of
  // the operand where nothing else asks for the sum and the 32 bits of it do not overflow.
  Address SelectGuest(Value address, int32_t disp);
  // Bits that `v` may have, by what defines it a few steps back.
  uint64_t BitsOf(Value v, int steps) const;
  static void AddPlaceOperands(const Address& at, std::vector<Operand>& operands,
                               Operand (*use)(VReg) = &Use);
  static void SetPlace(const Address& at, const InstData& d, MInst& m);
  // The load that defines `v`, if the instruction being selected may do it: nothing happens between
  // the two that must not come before it, and it gives all of a value of `width`.
  std::optional<Inst> FoldableLoad(Value v, Width width) const;
  // The same for a value that is compared with `imm`, by an instruction of the access's own width,
  // which is put into `width`; `cond` may have to be another.
  std::optional<Inst> FoldableCompare(Value v, int32_t imm, Width& width, Cond& cond) const;
  // Common to both: whatever the width.
  std::optional<Inst> FoldableLoad(Value v) const;
  // For FoldableLoad's answer: appends its operands, and marks the instruction that has them.
  Address Fold(Inst load, std::vector<Operand>& operands);
  void SetFolded(const Address& at, Inst load, MInst& m);
  void SelectLoad(Inst i, const InstData& d);
  // If `v` is loaded for nothing else and the machine can swap while it loads: has the load give
  // `result`, which is `v` with its bytes in reverse order.
  bool SwapInLoad(Value v, Value result);
  // The load of a whole integer that gives `v` to nothing but the instruction being selected.
  std::optional<Inst> SingleLoad(Value v) const;
  void SelectStore(Inst i, const InstData& d);
  void SelectAtomicRmw(Inst i, const InstData& d);
  void SelectAtomicCompare(Inst i, const InstData& d);

  // -- calls and returns

  void AddUses(absl::Span<const Value> args, Travel travel, std::vector<Operand>& operands);
  // What says where to go: the operands of `args` before the parameters. Returns how many.
  size_t AddTarget(const InstData& d, absl::Span<const Value> args, std::vector<Operand>& operands);
  void SelectCall(Inst i, const InstData& d);
  void SelectLeave(const InstData& d, absl::Span<const Value> args);

  // Sets role_.
  void FindReceivers();
  // The call that `b` ends with if that returns to a block that could receive, or an invalid one.
  Inst ReturningCall(Block b) const;
  // Whether `b` is an entry that does nothing but go on.
  bool OnlyEnters(Block b) const;
  // The way out of a block that calls, or of one that only enters.
  struct Way {
    Block from;
    Inst call = {};  // not valid: `from` enters
  };
  // In which of the registers that parameters travel in argument `k` arrives: its number, or kNone.
  uint32_t ArrivesIn(const Way& way, size_t k) const;
  bool ArriveAlike(const Way& way, const Way& other) const;
  Block ReceiverOf(Block from) const { return f_.edges(f_.terminator(from)).back().target; }
  void SelectReceived();
  void SelectReceive(Block b);

  // -- floating point

  // The bits of the constant `v` is.
  std::optional<int64_t> FloatConstantOf(Value v) const {
    const InstData* d = DefOf(v);
    if (d == nullptr || d->op != Opcode::kFconst) return std::nullopt;
    return d->imm;
  }
  // Whether `v` is a floating-point constant but no NaN.
  bool IsNumber(Value v) const;
  void EmitFloatConstant(Inst i, VReg d);
  void SelectFloat(Inst i, const InstData& d);
  void EmitSse(Sse op, Value a, Value b, Width w, VReg d);
  void SelectConversion(Inst i, const InstData& d);

  // A loop's exit often compares the counter before its step for equality: compares the stepped one
  // with a stepped constant, so that the two need not live side by side.
  void CompareStepped(Test& t, absl::Span<const ir::Edge> edges) const;
  void SelectBranch(Inst i);

  // -- vectors: kSimd, kShuffle, kVconst

  void SelectSimd(Inst i, const InstData& d);
  void SelectSimdOp(Inst i, const InstData& d);
  void SelectShuffle(Inst i, const InstData& d);
  // d = the bytes of `a` (0…15) and `b` (16…31) that `pattern` says; 0x80: a zero. All from `a`:
  void ShuffleOne(VReg a, const ir::V128& pattern, VReg d);
  void ShuffleTwo(Value a, Value b, const ir::V128& pattern, VReg d);
  // Whether `v`, an integer that only the instruction being selected uses, is loaded whole and so
  // may as well be loaded into a vector register.
  bool LoadedForOneUse(Value v) const;
  // Whether `v` is a vector that an instruction with a VEX prefix may read from memory.
  bool FoldableVector(Value v) const;
  // The load that gives the last input of operation `op`, if its instruction may do it.
  std::optional<Inst> FoldableInput(ir::SimdOp op, Value last) const;
  // The constant vector `v` is, or null.
  const ir::V128* VectorConstant(Value v) const;
  // What an operation on constants gives, where WebAssembly code often asks: splats.
  std::optional<ir::V128> FoldSplat(const InstData& d, Value a) const;
  int64_t AddV128(const ir::V128& bytes);

  // -- after selection

  // Turns the reversed pieces into the final order.
  void Assemble();
  void AddEdge(Inst terminator, const Successor& s);

  // Deferred state, now that the final positions of the sites are known.
  void PlaceState();

  struct Built {
    MInst mir;
    regalloc::Inst ra;
  };
  struct SuccessorRange {
    uint32_t begin = 0, end = 0;
    uint32_t table = 0;
  };

  const ir::Function& f_;
  const ControlFlow& cf_;
  const uint64_t cpu_features_;
  MFunction m_;
  std::vector<uint32_t> uses_;          // by value
  std::vector<uint32_t> address_uses_;  // by value: those as the address of a load or store
  std::vector<VReg> vreg_of_;           // by value
  // Loads whose bytes are wanted in reverse order: the value that is.
  absl::flat_hash_map<uint32_t, Value> swapped_loads_;
  std::vector<bool> read_wide_;       // by value: 32 bits that instructions for 64 read
  std::vector<bool> is_wide_;         // by virtual register: integers of 64 bits
  std::vector<uint32_t> inst_block_;  // by instruction
  std::vector<uint32_t> site_at_;     // by instruction: where in insts_ its site is
  // By instruction: instructions with side effects before it in its block.
  std::vector<uint32_t> effects_before_;
  absl::flat_hash_map<uint32_t, VReg>
      remainder_of_;                // by instruction: divisions whose remainder is wanted
  std::vector<bool> folded_;        // by instruction: a load that its user does
  std::vector<OpenDeferral> open_;  // by slot; reused by CountUses
  std::vector<uint8_t> open_slots_;
  std::vector<uint32_t> sites_;
  std::vector<Deferral> deferrals_;
  std::vector<std::pair<uint32_t, uint32_t>> deferrals_of_;  // by block
  std::vector<Role> role_;                                   // by block
  std::vector<bool> receives_;  // by block: whether calls return there, see select_return.cc
  std::vector<Block> enters_;   // by block that receives: one that enters
  std::vector<Piece> pieces_;
  std::vector<uint32_t> piece_of_;  // by block
  std::vector<Successor> successors_;
  std::vector<SuccessorRange> successors_of_;  // by block
  std::vector<VReg> successor_args_;
  std::vector<uint32_t> tables_;
  std::vector<Built> insts_;    // blocks from last to first instruction
  std::vector<Built> current_;  // of the IR instruction being selected, forwards
  std::vector<Operand> scratch_;
  Block block_;    // being selected
  Inst inst_;      // being selected
  size_t at_ = 0;  // ... where it is in its block
  int64_t charge_late_ =
      0;  // what an instruction before it charges besides, see ChargesValueBefore
  std::optional<Inst> folded_load_;  // by inst_; site_at_ is an index in current_
};

}  // namespace precast::x64::selection

#endif  // PRECAST_COMPILER_X64_SELECTOR_H_
