// The one-pass compiler of a WebAssembly function, internal to wasm_compiler.h. One class, whose
// parts lie in several files:
//   wasm_function.cc  the walk over the body, fuel, sites, what is rarely executed
//   wasm_control.cc   blocks and branches
//   wasm_call.cc      calls, returns and what travels in them
//   wasm_integer.cc   integer arithmetic, comparisons, select
//   wasm_float.cc     floating-point arithmetic and conversions
//   wasm_memory.cc    loads, stores, globals, tables
//   wasm_atomic.cc    atomic loads, stores and what reads and writes
//   wasm_vector.cc    vectors
#ifndef PRECAST_COMPILER_BASELINE_WASM_FUNCTION_H_
#define PRECAST_COMPILER_BASELINE_WASM_FUNCTION_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/baseline/assembler.h"
#include "compiler/baseline/wasm_operands.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/ir/ir.h"
#include "compiler/wasm/instruction.h"
#include "compiler/wasm/lifter.h"
#include "compiler/wasm/module.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/registers.h"
#include "runtime/abi/vm_context.h"
#include "runtime/abi/wasm_context.h"

namespace precast::baseline {

class WasmFunction {
 public:
  WasmFunction(const wasm::LiftContext& context, const wasm::LiftOptions& options)
      : context_(context),
        module_(context.module),
        options_(options),
        reader_(context.module.bytes, {}, wasm::Features{}),
        e_(a_.code()),
        stack_(a_),
        any_vectors_(std::any_of(module_.types.begin(), module_.types.end(), NamesVector)) {}

  std::optional<codegen::CompiledFunction> Compile(uint32_t function);
  void Recycle(codegen::CompiledFunction& function) {
    lines_ = std::move(function.lines);
    made_sites_ = std::move(function.sites);
  }
  size_t instructions() const { return instructions_; }

 private:
  using Op = wasm::Op;
  using Trap = abi::TrapCode;
  using Label = Assembler::Label;
  using Site = codegen::Site;
  using Target = codegen::CodeRelocation::Target;
  using Alu = x64::Alu;
  using Cond = x64::Cond;
  using Mem = x64::Mem;
  using Reg = x64::Reg;
  using Sse = x64::Sse;
  using Width = x64::Width;
  using Xmm = x64::Xmm;

  struct Frame {
    enum class Kind : uint8_t { kFunction, kBlock, kLoop, kIf, kElse };
    Kind kind;
    // As in the lifter: nothing reaches its start; in the sense of validation, which decides about
    // segments: the rest of the current arm, and the code around the frame, are unreachable, and a
    // reachable branch names its label.
    bool dead = false;
    bool unreachable = false, unreachable_outside = false;
    bool targeted = false;
    bool joined = false;  // there is a jump to its forward label
    size_t height = 0;    // of the stack, below the parameters
    absl::Span<const wasm::ValType> params, results;
    Label label = 0;      // bound at the start of a loop, else at the end
    Label otherwise = 0;  // kIf: the other arm
    // The code with which br_table number `way_of` comes here.
    uint32_t way_of = 0;
    Label way = 0;

    absl::Span<const wasm::ValType> LabelTypes() const {
      return kind == Kind::kLoop ? params : results;
    }
  };

  // A condition in the machine's flags. After a comparison of floating-point values, it may need
  // the parity flag too.
  struct Condition {
    enum class Parity : uint8_t { kNone, kAndOrdered, kOrUnordered };
    Cond cc;
    Parity parity = Parity::kNone;
    Condition Inverted() const {
      return {x64::Invert(cc), parity == Parity::kNone         ? Parity::kNone
                               : parity == Parity::kAndOrdered ? Parity::kOrUnordered
                                                               : Parity::kAndOrdered};
    }
  };

  // As in codegen::Site, in less room.
  struct PendingSite {
    uint32_t code_offset, guest_pc, refund;
    Site::Kind kind;
    uint8_t trap_code;
  };
  struct PendingTrap {
    Label label;
    uint32_t guest_pc, refund;
    Trap code;
  };
  struct TableEntry {  // of a jump table
    uint32_t offset;   // in constants_
    Label target;
    uint32_t base;  // of its table
  };
  // Where rsp is from `at` on: at the return address, or below the frame.
  struct FrameChange {
    enum class Place : uint8_t { kOutside, kInside };
    uint32_t at;
    Place place;
  };
  using Place = FrameChange::Place;

  // -- wasm_function.cc
  // Without the cold parts. False if it cannot; then wants_vectors_ says whether wide slots would
  // do.
  bool CompileBody(uint32_t function, bool wide);
  bool Begin(uint32_t function, bool wide);
  void EmitPrologue();
  void ClearFrame(uint32_t begin, uint32_t end);
  bool CompileInstruction(const wasm::Instruction& in);
  bool CompileVariable(const wasm::Instruction& in);
  void BeginInstruction();
  // Code is out of all proportion, as where branches pass very many values.
  bool TooLong() const { return a_.Here() > max_code_; }
  void EndSegment();
  void EmitCold();
  codegen::CompiledFunction Finish();

  // Sites. A refund is, until its segment ends, the number of instructions of the segment before
  // it.
  uint32_t Retired() const { return options_.metered ? retired_ : 0; }
  void AddSite(Site::Kind kind, uint32_t guest_pc, uint32_t refund, uint8_t trap_code = 0);
  void TrapInside(Cond cc, uint32_t back, Site::Kind kind);
  // For the machine instruction that follows.
  void AddMemorySite();
  void AddTrapSite(uint32_t guest_pc, uint32_t refund, Trap code);
  // For the call just emitted of what the runtime does within this instruction; of a function.
  void AddHelperSite() { AddSite(Site::Kind::kCall, at_, Retired()); }
  void AddCallSite() { AddSite(Site::Kind::kCall, at_, options_.metered ? retired_ + 1 : 0); }
  void TrapIf(Cond cc, Trap code);
  void TrapIf(Condition condition, Trap code);
  // The field just written; `trailing` bytes of its instruction are behind it.
  void Relocate(Target target, uint32_t index, int32_t trailing = 0);
  void SetLine();
  void Epilogue();
  void SetPlace(Place place) { frame_changes_.push_back({a_.Here(), place}); }
  void AfterEpilogue() { SetPlace(Place::kInside); }

  // -- wasm_control.cc
  bool CompileControl(const wasm::Instruction& in, bool& done);
  bool NewFrame(Frame::Kind kind, const wasm::BlockType& type);
  void BeginLoop();
  void FindLoopLocals();
  void BeginIf();
  void Else();
  void End();
  // Remembers for a forward label, where there is a jump now or the label comes next, which locals
  // are in registers.
  void Join(Frame& frame);
  CachedLocals& LocalsAt(const Frame& frame) {
    return locals_at_[static_cast<size_t>(&frame - frames_.data())];
  }
  Frame& LabelAt(uint32_t depth) { return frames_[frames_.size() - 1 - depth]; }
  void MarkTargets(const wasm::Instruction& in);
  void SetUnreachable();
  void PassResults(const Frame& frame);
  void Branch(uint32_t depth);
  void BranchIf(uint32_t depth);
  void BranchTable(const wasm::Instruction& in);
  // The condition on top of the stack, or in flags already.
  Condition TakeCondition();
  void JumpIf(Condition condition, Label label);

  // -- wasm_call.cc
  bool CompileCall(const wasm::Instruction& in);
  bool HasVector(const wasm::FuncType& type) const { return any_vectors_ && NamesVector(type); }
  static bool NamesVector(const wasm::FuncType& type);
  void LoadArg(size_t n, Type type, uint32_t slot);
  void LoadParams();
  // Values into the registers and places where they travel; the state of the stack is not changed.
  void PassValues(absl::Span<const Operand> values, bool results, const Operand* index = nullptr);
  void PushResults(absl::Span<const wasm::ValType> types);
  void BeginIndirect(const wasm::Instruction& in);
  void Return();
  bool CompileBulk(const wasm::Instruction& in);
  void CallHelper(abi::WasmHelper helper, absl::Span<const uint32_t> first, size_t num_operands);
  void AfterCall(size_t num_operands);
  // The result of a helper: an i64, or the lower half of one.
  void PushIndex(bool is_64);

  // -- wasm_integer.cc
  bool CompileInteger(const wasm::Instruction& in);
  void EmitAlu(Alu op, Type type, Reg d, const Operand& b);
  void Binary(Alu op, Type type);
  void Multiply(Type type);
  void Shift(x64::Shift op, Type type);
  void Divide(bool is_signed, bool remainder, Type type);
  void Compare(Cond cc, Type type);
  void Eqz(Type type);
  void BitScan(Type type, bool trailing);
  void Popcnt(Type type);
  void SignExtend(Width from, Type type);
  void SetFlags(const Operand& v);  // as v compares with 0
  void FinishCondition(Condition condition);
  void Select();

  // -- wasm_float.cc
  bool CompileFloat(const wasm::Instruction& in);
  bool CompileConversion(const wasm::Instruction& in);
  void FloatBinary(Sse op, Type type);
  void FloatMinMax(Sse op, Type type);
  void Copysign(Type type);
  void FloatMask(x64::SseBits op, Type type);
  void Round(x64::Rounding rounding, Type type);
  void Sqrt(Type type);
  void CompareFloats(Condition condition, bool exchange, Type type);
  void CanonicalNan(Xmm x, Type type);
  void LoadScratchFloat(Type type, uint64_t bits);
  void Truncate(Type from, Type to, bool is_unsigned);
  void TruncateSaturated(Type from, Type to, bool is_unsigned);
  void ConvertToFloat(Type from, Type to, bool is_unsigned);
  void ConvertFloat(Type from, Type to);
  void Reinterpret(Type to);

  // -- wasm_memory.cc
  bool CompileMemory(const wasm::Instruction& in);
  bool CompileTable(const wasm::Instruction& in);
  void CompileGlobal(const wasm::Instruction& in);
  enum class Extend : uint8_t { kNone, kZero, kSign };
  bool Load(const wasm::Instruction& in, Type type, Width width, Extend extend);
  bool Store(const wasm::Instruction& in, Width width);
  // Where an access goes; false if there is no template.
  bool PlaceOf(const wasm::Instruction& in, const Operand& address, Mem& m);
  Mem ContextAt(uint64_t displacement) const { return x64::InContext(displacement); }

  // -- wasm_atomic.cc
  bool CompileAtomic(const wasm::Instruction& in);
  bool CheckAligned(const wasm::Instruction& in, const Operand& address);
  enum class Update : uint8_t { kExchange, kAdd, kSubtract };
  bool AtomicUpdate(const wasm::Instruction& in, Update update, Width width);
  bool CompareExchange(const wasm::Instruction& in, Type type);
  void PushOld(Type type, Width width, AnyReg r);

  // -- wasm_vector.cc
  class VectorOperands;
  // Whether this is the attempt with wide slots; if not, there will be one.
  bool CanHaveVectors() {
    wants_vectors_ = true;
    return stack_.wide();
  }
  bool CompileVector(const wasm::Instruction& in);
  bool CompileVectorMemory(const wasm::Instruction& in);
  uint32_t PlaceConstant(const ir::V128& constant);
  void VectorConstant(const ir::V128& constant);
  void Shuffle(const ir::V128& lanes);
  void VectorOperation(ir::SimdOp op, absl::Span<const Operand> inputs, uint8_t lane);

  const wasm::LiftContext& context_;
  const wasm::Module& module_;
  const wasm::LiftOptions options_;
  wasm::InstructionReader reader_;
  Assembler a_;
  x64::Encoder& e_;
  Operands stack_;

  const bool any_vectors_;  // in any type of the module

  // The function.
  const wasm::FuncType* type_ = nullptr;
  uint32_t begin_ = 0;  // offset of its body
  std::vector<wasm::LocalRun> runs_;
  std::vector<Frame> frames_;
  // By frame: which locals are in registers at its label, and at the start of the other arm of an
  // `if`.
  std::vector<CachedLocals> locals_at_, locals_otherwise_;
  wasm::Instruction scanned_;
  std::vector<uint32_t> loop_locals_;
  uint32_t loops_ = 0;
  std::vector<uint32_t> seen_in_loop_;  // by local: the last loop that is known to want it or not
  wasm::Instruction instruction_;
  bool dead_ = false;  // nothing reaches this point: no code is made
  uint32_t at_ = 0;    // offset of the current instruction
  size_t instructions_ = 0;
  bool wants_vectors_ = false;
  std::optional<Condition> flags_;  // what the next instruction takes as its condition

  // The current segment.
  uint32_t retired_ = 0;  // instructions so far
  bool charged_ = false;
  size_t charge_field_ = 0;  // of the machine instruction that charges for it
  size_t first_site_ = 0, first_trap_ = 0;

  uint32_t br_tables_ = 0;
  size_t max_code_ = 0;
  uint32_t frame_field_ = 0;  // of the prologue's instruction
  std::vector<uint32_t> epilogue_fields_;
  std::vector<PendingTrap> traps_;
  std::vector<TableEntry> table_entries_;
  std::vector<FrameChange> frame_changes_;
  std::vector<uint8_t> constants_;
  std::vector<uint32_t> vector_constants_;  // offsets in constants_
  std::vector<codegen::CodeRelocation> relocations_;
  std::vector<PendingSite> sites_;
  std::vector<codegen::Site> made_sites_;  // room for those of the next function
  std::vector<codegen::LineEntry> lines_;
  std::vector<Operand> args_;  // of a helper
};

}  // namespace precast::baseline

#endif  // PRECAST_COMPILER_BASELINE_WASM_FUNCTION_H_
