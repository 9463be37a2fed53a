// The state that emission keeps while it goes through one function, shared by the files that emit:
//
//   emit.cc            order: blocks and the moves between them, jumps, cold stubs
//   emit_dispatch.cc   copies of the blocks that dispatch an interpreter loop
//   emit_inst.cc       the machine code of each MIR instruction
//   emit_condition.cc  tests and what is made of their flags
//   emit_memory.cc     loads, stores, atomics
//   emit_float.cc      floating point and conversions
//   emit_simd.cc       the machine code of the operations on v128; and simd_emitter.h
//   emit_tables.cc     the side tables: sites, state maps, lines, frame rules, relocations
//
// One pass over the blocks in layout order, then the cold stubs, then sizes of jumps are settled
// and positions become offsets.
#ifndef PRECAST_COMPILER_X64_EMITTER_H_
#define PRECAST_COMPILER_X64_EMITTER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/codegen/target.h"
#include "compiler/regalloc/regalloc.h"
#include "compiler/x64/code_buffer.h"
#include "compiler/x64/mir.h"
#include "loader/format/cpu_features.h"

namespace precast::x64::emission {

using codegen::CodeRelocation;
using codegen::Site;
using codegen::StateLocation;
using regalloc::Location;
using regalloc::RegClass;

inline constexpr uint32_t kNone = 0xffffffffu;

class Emitter {
 public:
  Emitter(const MFunction& m, const regalloc::Solution& s, const codegen::CompileOptions& options)
      : m_(m),
        p_(m.problem),
        s_(s),
        options_(options),
        counts_rows_(std::any_of(m.insts.begin(), m.insts.end(),
                                 [](const MInst& inst) { return inst.op == MOp::kCountRows; })),
        e_(buffer_.code()) {
    LayOutFrame();
    if (format::Has(options.cpu_features, format::CpuFeature::kAvx)) e_.UseAvx();
  }

  codegen::CompiledFunction Run();

 private:
  class AllocatedOperands;  // emit_vector.cc

  // A place in the code where execution can stop; `state` is a range in state_pool_.
  struct PendingSite {
    CodePosition at;
    Site::Kind kind;
    uint8_t trap_code;
    bool block_start;
    ir::Site ir;
    uint32_t state_begin, state_count;
    uint32_t more_begin = 0, more_count = 0;  // in more_charges_
  };
  struct PendingRelocation {
    CodePosition at;
    CodeRelocation::Target target;
    uint32_t index;
    int32_t addend;
  };
  struct Stub {
    enum class Kind : uint8_t {
      kSuspend,
      kTrap,
      // The rare case of an instruction, which goes on at `back`.
      kDivide,
      kFloatMinMax,
      kFloatToInt,
      kIntToFloat,
      kMarkPage,
      // What follows meter `index`, if there is not enough fuel for all that it asked for: see
      // Prepays.
      kUnpaid,
    };
    Kind kind;
    Label label;
    Label back;
    const MInst* inst;
    uint32_t index = 0;  // of the instruction, if it has operands
    uint32_t state_begin = 0, state_count = 0;
    uint32_t at = 0;      // where the code had got to when the stub was asked for, without jumps
    uint32_t block = 0;   // kUnpaid: that of the meter
    int64_t prepaid = 0;  // kUnpaid: what was asked for besides that meter
    bool done = false;
  };

  bool HasCpu(format::CpuFeature feature) const {
    return format::Has(options_.cpu_features, feature);
  }

  // -- operands

  const Location& Loc(uint32_t i, uint32_t k) const {
    return s_.operands[p_.insts[i].operands_begin + k];
  }
  Reg R(uint32_t i, uint32_t k) const {
    const Location& l = Loc(i, k);
    DCHECK(l.kind == Location::Kind::kReg && l.reg.cls == RegClass::kInt);
    return static_cast<Reg>(l.reg.hw);
  }
  Xmm X(uint32_t i, uint32_t k) const {
    const Location& l = Loc(i, k);
    DCHECK(l.kind == Location::Kind::kReg && l.reg.cls == RegClass::kVector);
    return static_cast<Xmm>(l.reg.hw);
  }
  bool IsReg(uint32_t i, uint32_t k) const { return Loc(i, k).kind == Location::Kind::kReg; }
  Mem Slot(const Location& l, RegClass cls = RegClass::kInt) const {
    DCHECK(l.kind == Location::Kind::kSlot);
    return Mem::At(Reg::rsp, SlotDisp(l.slot, cls));
  }
  Width SlotWidth(const Location& l) const {
    return s_.int_slot_wide[l.slot] ? Width::k64 : Width::k32;
  }
  int32_t SlotDisp(uint32_t slot, RegClass cls) const {
    return static_cast<int32_t>(cls == RegClass::kVector ? vector_slots_ + 16 * slot
                                                         : int_slot_[slot]);
  }
  // Where slots are: those that the code names most often have the shortest displacements.
  void LayOutFrame();
  Mem M(uint32_t i, uint32_t k) const { return Slot(Loc(i, k)); }
  // A vector operand's spill slot: 16-aligned.
  Mem VectorM(uint32_t i, uint32_t k) const { return Slot(Loc(i, k), RegClass::kVector); }

  // -- records

  void SetCfa(uint32_t cfa);
  void SetLine(uint32_t guest_pc);
  // For the [rip + disp32] or rel32 field just emitted; `trailing`: bytes of the instruction after
  // it, that is, an immediate.
  void Relocate(CodeRelocation::Target target, uint32_t index, int32_t trailing = 0) {
    relocations_.push_back({buffer_.Field(), target, index, -4 - trailing});
  }
  // Puts `bytes` among the function's constants, once, at a multiple of `alignment` (a power of two
  // up to 16); returns its index for relocations to kConstants.
  uint32_t AddConstant(absl::Span<const uint8_t> bytes, uint32_t alignment);
  // For the Mem::Rip() operand of the instruction just emitted.
  void RelocateConstant(absl::Span<const uint8_t> bytes, uint32_t alignment, int32_t trailing = 0) {
    Relocate(CodeRelocation::Target::kConstants, AddConstant(bytes, alignment), trailing);
  }
  // A site here. A memory or trap site must not lie at the return address of a call before it.
  void SeparateFromCall() {
    if (!sites_.empty() && buffer_.MayBeHere(sites_.back().at)) e_.Nop(1);
  }
  void AddSite(Site::Kind kind, const MInst& m, uint8_t trap_code = 0, uint32_t state_begin = 0,
               uint32_t state_count = 0);
  // Of the last site: what has not been charged for before it.
  void AddUnpaid(const ir::Unpaid& unpaid);
  // Jumps, if the condition holds, to the byte that lies `back` bytes before the end of the code
  // and is no instruction: to a trap that takes no room. Puts the site there.
  void TrapInside(Cond cc, uint32_t back, Site::Kind kind, const MInst& m, uint32_t state_begin = 0,
                  uint32_t state_count = 0);

  // Begins a block: the state maps of instructions from `i` on come next.
  void StartState(uint32_t i);
  // The state map at instruction `i`, into state_pool_. Called with ascending i in a block.
  std::pair<uint32_t, uint32_t> CaptureState(uint32_t i);
  void SetState(const StateLocation& where, uint32_t until);

  // -- control flow

  // Blocks that only jump are seen through: thread_[b] is where a jump to b ends.
  void ThreadJumps();

  // Edges out of different blocks often need the same moves to the same target: one copy serves
  // all of them.
  void ShareEdgeCode();

  Label LabelOf(uint32_t block) const { return labels_[thread_[block]]; }

  uint32_t NextEmitted(uint32_t b) const;

  // Goes on at `target` unless its code comes next: jumps there, or copies what it would do.
  void JumpUnlessNext(uint32_t target);
  // Whether that makes a copy.
  bool Copies(uint32_t target) const;
  // Whether charging, as instruction `i` of block `b` does, can be left to the meter that a copy
  // begins with.
  bool MeterPays(uint32_t b, uint32_t i) const;
  // What the meters behind meter `i` of block `b` ask for, with those that the copy begins with
  // that the block ends in, if meter `i` can ask for that too. If there is too little fuel for all
  // of it, the rest of the block is executed elsewhere, where each meter asks for itself.
  int64_t Prepays(uint32_t b, uint32_t i) const;
  void EmitUnpaidStub(const Stub& stub);

  void EmitBlock(uint32_t b);
  // The moves and instructions of block `b`, those before `from` left out; its code is followed by
  // that of block `next`.
  void EmitBody(uint32_t b, uint32_t next, uint32_t from = 0);

  // An interpreter written in the guest's language jumps from every handler back to one place that
  // looks up the next handler. A copy of that place at the end of each handler saves the jump, and
  // gives the processor an indirect branch per handler to predict, which is much easier. This finds
  // such places: short chains of blocks in loops that end with a jump table.
  void FindDispatch();
  // Emits copies of the chain of blocks that starts with `b`.
  void EmitDispatchCopy(uint32_t b);
  void EmitMove(const regalloc::Move& move);

  // Gives back the frame; r11 is free if `scratch`.
  void Epilogue(bool scratch);

  // The instruction just emitted set the flags as `test r, r` would; the overflow and carry flags
  // only if `all`.
  void FlagsShow(Reg r, Width w, bool all) { flags_ = {buffer_.Here(), r, w, all}; }
  bool FlagsAlreadyShow(Reg r, Width w, Cond cond) const {
    const bool zero_or_sign =
        cond == Cond::kE || cond == Cond::kNe || cond == Cond::kS || cond == Cond::kNs;
    return flags_.at == buffer_.Here() && flags_.reg == r && flags_.width == w &&
           (flags_.all || zero_or_sign) && flags_.at != block_begin_;
  }

  // Whether m's test compares registers, or a register with a constant.
  bool ComparesRegisters(uint32_t i, const MInst& m) const {
    return !m.folded && IsReg(i, 0) &&
           (m.flags == FlagsFrom::kCompareImm || (m.flags == FlagsFrom::kCompare && IsReg(i, 1)));
  }
  // Instruction i has just selected by comparing registers, which it has left alone: the flags are
  // of that.
  void FlagsCompare(uint32_t i) { compared_ = {buffer_.Here(), i}; }
  bool FlagsAlreadyCompare(uint32_t i, const MInst& m) const;

  // Sets the flags for m.cond. Operands start at 0; returns how many there were.
  uint32_t EmitTest(uint32_t i, const MInst& m);

  // Jumps if m's condition holds, by the flags just set.
  void JumpIf(const MInst& m, Label target);
  // A rare case of instruction `i`: jump to the label, and come back to `back` when it is bound.
  Stub& AddRareCase(Stub::Kind kind, uint32_t i, const MInst& m);

  // The memory operand of m.place, whose operands begin at `first`.
  Mem PlaceMem(uint32_t i, const MInst& m, uint32_t first = 0) const;
  // Of a folded load, whose operands begin at `first`; puts its site here.
  Mem FoldedMem(uint32_t i, const MInst& m, uint32_t first = 1) {
    AddMemorySite(i, m);
    return PlaceMem(i, m, first);
  }
  uint32_t LastOperand(uint32_t i) const { return p_.insts[i].operands_count - 1u; }
  // Its site, here, if it has one.
  void AddMemorySite(uint32_t i, const MInst& m);
  void EmitSetReg(Reg r, uint64_t value);
  void EmitInst(uint32_t b, uint32_t i, const MInst& m);
  void EmitMeter(uint32_t b, uint32_t i, const MInst& m);
  // Where in the subtraction of `asked`, just emitted, the byte is that names the fuel register,
  // counted from behind: no instruction begins with it.
  uint32_t FuelByte(int32_t asked) const;
  // Whether instruction i + 1 of block `b` is a meter that the check of that at `i` can ask for
  // too, besides `amount`.
  bool MeterFollows(uint32_t b, uint32_t i, int64_t amount) const;
  void EmitEntry(const MInst& m);
  void EmitZeroExtend(uint32_t i, const MInst& m);

  // Total division: the machine's would trap on a divisor of 0 and on MIN / -1.
  void EmitDivide(uint32_t i, const MInst& m);
  void EmitSelect(uint32_t i, const MInst& m);
  void EmitChargeIf(uint32_t i, const MInst& m);
  void EmitSetCond(uint32_t i, const MInst& m);
  void EmitBitScan(uint32_t i, const MInst& m);
  void EmitLoad(uint32_t i, const MInst& m);
  void EmitStore(uint32_t i, const MInst& m);
  void EmitAtomic(uint32_t i, const MInst& m);
  void EmitMarkPage(uint32_t i, const MInst& m);

  // -- floating point

  void EmitFloat(uint32_t i, const MInst& m);
  void EmitFloatConstant(Xmm d, Width w, uint64_t bits);
  void EmitFloatMinMax(uint32_t i, const MInst& m);
  void EmitFloatToInt(uint32_t i, const MInst& m);
  void EmitIntToFloat(uint32_t i, const MInst& m);
  void EmitBitcast(uint32_t i, const MInst& m);
  // For the Mem::Rip() operand just emitted: a constant of width `w`, or one of 16 bytes that
  // repeats it.
  void RelocateFloat(Width w, uint64_t bits);
  void RelocateRepeated(Width w, uint64_t bits);
  void ClearXmm(Xmm x) { e_.SseBitsRR(SseBits::kXor, x, x); }

  // r12 := the native entry of the guest pc in eax, or away to the runtime.
  void EmitLookup();
  // One that several places outside of loops go through, at the function's end; and those that call
  // what they find, or jump there.
  struct SharedLookup {
    uint32_t count = 0;  // of places
    bool used = false;
    Label label;
  };
  void CountLookups();
  bool SharesLookup(uint32_t b, const SharedLookup& lookup) const;
  Label LabelOf(SharedLookup& lookup);
  void EmitSharedLookup(const SharedLookup& lookup, uint32_t cfa);
  void EmitBranchTable(uint32_t i, const MInst& m, const regalloc::Block& block);

  // kSimd, kShuffle, kVconst.
  void EmitSimd(uint32_t i, const MInst& m);

  // -- cold code

  void EmitStub(const Stub& stub);
  // Gives back the frame and returns. Calls that have returned to somewhere else go there, too.
  void EmitReturn();
  // Where these jump to: to a return behind them if a short jump reaches it, else to the next one.
  Label Elsewhere();
  // A return for those that wait for one, if there are any. Between blocks: if it saves more than
  // it takes.
  void EmitElsewhere();
  void EmitElsewhereIfShort();
  // Between blocks where nothing falls through: the stubs that are but a trap, as long as short
  // jumps reach them.
  void EmitTrapStubs();
  void EmitDivideStub(const Stub& stub);
  void EmitFloatMinMaxStub(const Stub& stub);
  void EmitFloatToIntStub(const Stub& stub);
  void EmitIntToFloatStub(const Stub& stub);
  void EmitMarkPageStub(const Stub& stub);
  // t := the page of what kMarkPage marks; sets the flags to "equal" if it has not been touched.
  void TestPage(uint32_t i, const MInst& m);

  // -- the result

  codegen::CompiledFunction Finish();

  // Every site's whole state map is known; writes it as the shorter of the map and the changes
  // since the site before.
  void FinishSites(codegen::CompiledFunction& out);

  const MFunction& m_;
  const regalloc::Problem& p_;
  const regalloc::Solution& s_;
  const codegen::CompileOptions& options_;
  const bool counts_rows_;
  CodeBuffer buffer_;
  Encoder& e_;
  uint32_t frame_ = 0;              // bytes
  std::vector<uint32_t> int_slot_;  // displacement from rsp, by slot
  uint32_t vector_slots_ = 0;       // displacement of the first: a multiple of 16

  std::vector<uint32_t> thread_;    // by block
  std::vector<uint32_t> position_;  // by block: where it is in m_.order
  std::vector<Label> labels_;       // by block
  uint32_t skip_until_ = 0;         // instructions before it are part of one already emitted
  uint32_t next_ = kNone;           // the block whose code follows that of the block being emitted
  // By block: its range in Solution::moves.
  std::vector<uint32_t> first_move_, num_moves_;
  // By block, if there is any dispatch: the instructions and moves from here to the jump table, 0
  // if there is none near; and the next block on the way, kNone at the end.
  struct Dispatch {
    uint32_t size = 0, next = kNone;
  };
  std::vector<Dispatch> dispatch_;
  // Charged by the block at hand, but not subtracted: the copy that follows does that.
  int64_t owed_ = 0;
  // Subtracted already of what the next meters ask for.
  int64_t prepaid_ = 0;
  bool may_copy_ = true;
  uint32_t copied_ = 0;                      // instructions in copies so far
  std::map<uint32_t, uint32_t> jump_table_;  // by instruction: where it is in constants_
  std::vector<Stub> stubs_;
  size_t first_stub_ = 0;      // all before it are done or out of reach of short jumps
  bool falls_through_ = true;  // whether the code emitted last goes on with what is emitted next
  bool has_miss_ = false;
  Label miss_;
  SharedLookup calls_, jumps_;
  // Calls that may have returned to somewhere else jump here, from these places; and the last
  // return, if there is one.
  Label elsewhere_, return_;
  std::vector<uint32_t> from_;  // code before them, without jumps, as in Stub::at
  uint32_t return_at_ = kNone;

  size_t next_tracked_ = 0, next_constant_ = 0;
  StateLocation state_[256];
  uint32_t state_until_[256];
  uint64_t live_slots_[4] = {};
  // What CaptureState gave last, and up to which instruction that holds, if nothing is set before.
  std::pair<uint32_t, uint32_t> captured_;
  std::optional<uint32_t> captured_until_;
  struct {
    CodePosition at;
    Reg reg = Reg::rax;
    Width width = Width::k8;
    bool all = false;
  } flags_;  // see FlagsShow
  struct {
    CodePosition at;
    uint32_t inst = 0;
  } compared_;  // see FlagsCompare
  CodePosition block_begin_;
  bool block_start_ = true;

  std::vector<StateLocation> state_pool_;
  std::vector<PendingSite> sites_;
  std::vector<codegen::Charge> more_charges_;
  std::vector<PendingRelocation> relocations_;
  std::vector<std::pair<CodePosition, uint32_t>> frame_rules_;
  std::vector<std::pair<CodePosition, uint32_t>> lines_;
  std::vector<std::pair<uint32_t, CodePosition>> entry_positions_;
  struct TableEntry {
    uint32_t offset;  // in constants_
    Label target;
    uint32_t base;  // of its table
  };
  std::vector<TableEntry> table_entries_;
  std::vector<uint8_t> constants_;
  std::map<std::pair<uint32_t, std::vector<uint8_t>>, uint32_t> constant_index_;  // by alignment
  uint32_t last_line_ = 0;
};

}  // namespace precast::x64::emission

#endif  // PRECAST_COMPILER_X64_EMITTER_H_
