// The lifter of one function, internal to compiler/wasm. One class, whose parts lie in several
// files:
//   lift_function.cc  the walk over the body, segments of fuel, locals, globals, tables
//   lift_control.cc   blocks, branches, and the SSA form of locals across them
//   lift_call.cc      calls and what travels in them
//   lift_numeric.cc   scalar arithmetic
//   lift_memory.cc    loads, stores, atomics, bulk operations
//   lift_simd.cc      vectors
#ifndef PRECAST_COMPILER_WASM_LIFT_FUNCTION_H_
#define PRECAST_COMPILER_WASM_LIFT_FUNCTION_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/ir.h"
#include "compiler/wasm/instruction.h"
#include "compiler/wasm/lift_scan.h"
#include "compiler/wasm/lifter.h"
#include "compiler/wasm/module.h"
#include "runtime/abi/vm_context.h"
#include "runtime/abi/wasm_context.h"

namespace precast::wasm {

ir::Type TypeOf(ValType type);
// How a value of this type lies in memory the context leads to.
ir::MemKind KindOf(ir::Type type);

// Which of a signature's parameters or results travel in machine registers.
std::vector<bool> InRegisters(absl::Span<const ValType> types);
// The signature of the machine registers.
ir::Signature SignatureOf(const FuncType& type);

class FunctionLifter {
 public:
  FunctionLifter(const LiftContext& context, uint32_t function, const LiftOptions& options);

  absl::StatusOr<ir::Function> Run();

 private:
  using Block = ir::Block;
  using Value = ir::Value;
  using MemKind = ir::MemKind;
  using Trap = abi::TrapCode;

  // A branch whose target is not made yet, with what it brings there.
  struct PendingEdge {
    ir::Inst inst;
    uint32_t edge;
    std::vector<Value> results = {};
    // The locals that were assigned since the frame began and are wanted at the label, with their
    // values.
    std::vector<std::pair<uint32_t, Value>> locals = {};
  };

  struct Frame {
    enum class Kind : uint8_t { kFunction, kBlock, kLoop, kIf, kElse };
    Kind kind;
    uint32_t num_params = 0, num_results = 0;
    // Nothing reaches its start, so no IR is made for it. It is tracked because it may still be
    // reachable in the sense of validation, which decides about segments.
    bool dead = false;
    // In the sense of validation: the rest of the current arm; the code around the frame.
    bool unreachable = false, unreachable_outside = false;
    // A reachable branch names its label.
    bool targeted = false;
    size_t block = 0;      // its number for `scan_`; not of the function
    size_t height = 0;     // of the stack, below the parameters
    size_t log_begin = 0;  // in `log_`
    std::vector<PendingEdge> edges;
    // kIf: the branch whose second edge goes to the other arm, and what that finds on the stack.
    ir::Inst branch;
    std::vector<Value> params;
    // kLoop: number and first block.
    size_t loop = 0;
    Block head;
  };

  // -- lift_function.cc
  absl::Status Begin();
  absl::Status Lift(const Instruction& in);
  bool LiftVariable(const Instruction& in);
  bool LiftTable(const Instruction& in);
  Value ZeroOf(ir::Type type);

  void Push(Value v) { stack_.push_back(v); }
  Value Pop();
  // The topmost `n` values, in order.
  std::vector<Value> PopMany(size_t n);
  Value I32(int64_t v) { return b_.Iconst(ir::Type::kI32, v); }
  Value I64(int64_t v) { return b_.Iconst(ir::Type::kI64, v); }
  // An index or size as an i64, whatever its index type.
  Value AsI64(Value v);
  // An i64 that is an index or size as `is_64` wants it.
  Value AsIndex(Value v, bool is_64);
  void TrapIf(Value condition, Trap code);

  // Fuel. A segment's cost is known at its end; until then a site's refund is the number of
  // instructions of the segment before it.
  ir::Site Here() const { return {.guest_pc = at_, .refund = options_.metered ? retired_ : 0}; }
  // For calls, which end their segment and count at once.
  ir::Site CallSite() const {
    return {.guest_pc = at_, .refund = options_.metered ? retired_ + 1 : 0};
  }
  void BeginInstruction();
  void EndSegment();

  Value LoadGlobalCell(uint32_t global);
  Value TableRecord(uint32_t table);

  // -- lift_control.cc
  absl::Status LiftControl(const Instruction& in, bool& done);
  Frame NewFrame(Frame::Kind kind, const BlockType& type);
  void SetLocal(uint32_t local, Value v);
  void BeginLoop(Frame frame);
  void Else();
  absl::Status End();
  absl::Status Join(Frame& frame);
  void Rollback(const Frame& frame);
  void StartBlock(Block block);
  Frame& Label(uint32_t depth) { return frames_[frames_.size() - 1 - depth]; }
  uint32_t LabelArity(const Frame& frame) const {
    return frame.kind == Frame::Kind::kLoop ? frame.num_params : frame.num_results;
  }
  // The edge to a label from here, as edge number `edge` of the instruction that will be appended
  // next.
  ir::Edge EdgeTo(Frame& frame, uint32_t edge);
  // Appends a branch as it is, also on constants: edges are found again by their position.
  ir::Inst AppendBranch(ir::Opcode op, absl::Span<const Value> args, std::vector<ir::Edge> edges);
  void Br(uint32_t depth);
  void BrIf(uint32_t depth);
  absl::Status BrTable(const Instruction& in);
  void Return();
  void MarkTargets(const Instruction& in);
  // No code follows in this arm.
  void SetUnreachable();
  absl::Status CheckJoinValues();

  // -- lift_call.cc
  bool LiftCall(const Instruction& in);
  void LoadParams();
  // Stores what does not travel in registers, returns what does.
  std::vector<Value> PassValues(absl::Span<const ValType> types, absl::Span<const Value> values);
  void PushResults(const FuncType& type, absl::Span<const Value> in_registers);
  struct Pointer {
    Value code, record, type;
  };
  Pointer ImportPointer(uint32_t function);
  Pointer IndirectPointer(const Instruction& in);
  // The helper's result, if it has one.
  Value CallHelper(abi::WasmHelper helper, absl::Span<const Value> args);

  // -- lift_numeric.cc
  bool LiftNumeric(const Instruction& in);
  bool LiftInteger(const Instruction& in);
  bool LiftFloat(const Instruction& in);
  bool LiftConversion(const Instruction& in);
  bool LiftWide(const Instruction& in);
  void Binary(ir::Opcode op);
  void Unary(ir::Opcode op);
  void Compare(ir::IntCond cond);
  void Divide(ir::Opcode op);
  void Eqz();
  void FloatBinary(ir::Opcode op);
  void FloatUnary(ir::Opcode op);
  void CompareFloats(ir::FloatCond cond);
  void Convert(ir::Opcode op, ir::Type type);
  // As Convert to integer `type`, but traps on what does not fit.
  void Truncate(ir::Opcode op, ir::Type type);
  Value CanonicalNan(Value v);

  // -- lift_memory.cc
  bool LiftMemory(const Instruction& in);
  bool LiftBulk(const Instruction& in);
  bool LiftAtomic(const Instruction& in);
  // Where an access of `bytes` bytes at a popped address goes; checks the bounds where nothing else
  // does.
  struct Place {
    bool direct = false;  // memory 0 through its register: `offset` is the i32 address
    Value base = {}, offset = {};
    int64_t imm = 0;
  };
  Place PlaceOf(const Instruction& in, Value address, uint32_t bytes);
  Value Load(const Place& place, MemKind kind, ir::Type type);
  void Store(const Place& place, MemKind kind, Value v);
  void LoadAndPush(const Instruction& in, MemKind kind, ir::Type type);
  void PopAndStore(const Instruction& in, MemKind kind);
  Value MemoryBytes(uint32_t memory);
  // The place as a base and a whole offset, on an address that is a multiple of `bytes`.
  Place AtomicPlaceOf(const Instruction& in, Value address, uint32_t bytes);
  // The address with its offset as an i64; traps if it exceeds 64 bits.
  Value EffectiveAddress(const Instruction& in, Value address);
  void TrapIfUnaligned(const Instruction& in, Value address, uint32_t bytes);

  // -- lift_simd.cc
  bool LiftSimd(const Instruction& in);
  bool LiftVectorMemory(const Instruction& in);
  Value CanonicalNans(ir::SimdOp op, Value v);

  const LiftContext& context_;
  const Module& module_;
  const Function& definition_;
  const FuncType& type_;
  const LiftOptions options_;
  InstructionReader reader_;
  ir::Function f_;
  ir::Builder b_;
  BodyScan scan_;
  size_t next_block_ = 0, next_loop_ = 0;

  std::vector<Value> locals_;
  std::vector<Value> stack_;
  std::vector<Frame> frames_;
  bool dead_ = false;  // nothing reaches this point: no IR is made
  uint32_t at_ = 0;    // offset of the current instruction

  // What assignments have replaced, for going back to the state at the start of a frame. A local is
  // logged once per frame.
  struct LogEntry {
    uint32_t local;
    Value before;
  };
  std::vector<LogEntry> log_;
  std::vector<uint32_t> logged_at_;  // by local: position of its last entry
  std::vector<uint32_t> seen_;       // by local: == visit_ if seen in this visit
  std::vector<uint32_t> position_;   // by local: scratch of a visit
  uint32_t visit_ = 0;
  size_t join_values_ = 0;  // spent of kMaxJoinValues

  // The current segment.
  uint32_t retired_ = 0;  // instructions so far
  ir::Inst meter_;
  size_t segment_begin_ = 0;  // number of instructions of IR before it
};

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_LIFT_FUNCTION_H_
