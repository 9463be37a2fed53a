#include "compiler/baseline/riscv_compiler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/log/check.h"
#include "compiler/baseline/assembler.h"
#include "compiler/baseline/riscv_templates.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/registers.h"
#include "runtime/abi/vm_context.h"

namespace precast::baseline {
namespace {

using codegen::CodeRelocation;
using codegen::Site;
using riscv::BasicBlock;
using riscv::BlockEnd;
using riscv::Instruction;
using riscv::Op;
using x64::Alu;
using x64::Cond;
using x64::Mem;
using x64::Reg;
using x64::Width;

using Label = Assembler::Label;

constexpr Label kNoLabel = 0xffffffff;

// Keeps the stack pointer a multiple of 16 at calls. A region without calls has no frame.
constexpr uint32_t kFrameSize = 8;

bool IsCall(BlockEnd kind) {
  return kind == BlockEnd::kCall || kind == BlockEnd::kIndirectCall || kind == BlockEnd::kHostCall;
}

}  // namespace

// The code of a region: its blocks by ascending address, then what is rarely executed.
class RegionCompiler {
 public:
  RegionCompiler(const riscv::ControlFlow& flow, const riscv::Code& code,
                 const RegionOptions& region_options, const codegen::CompileOptions& options)
      : code_(code),
        openvm_(region_options.openvm),
        options_(options),
        e_(a_.code()),
        t_(a_),
        is_entry_(code.size()) {
    for (uint32_t pc : flow.entries) is_entry_[code.IndexOf(pc)] = true;
  }

  std::optional<codegen::CompiledFunction> Compile(const riscv::Region& region) {
    Begin(region);
    // Labels of blocks are the first ones.
    for (size_t b = 0; b < region.blocks.size(); ++b) a_.NewLabel();
    return_ = a_.NewLabel();
    EmitFirstEntry();
    for (uint32_t b = 0; b < region.blocks.size(); ++b) {
      if (!EmitBlock(b)) return std::nullopt;
    }
    EmitCold();
    return Finish();
  }

  void Recycle(codegen::CompiledFunction& function) {
    frame_rules_ = std::move(function.frame_rules);
    lines_ = std::move(function.lines);
    sites_ = std::move(function.sites);
  }

 private:
  // A way out of the region that a jump leads to.
  struct Exit {
    Label label;
    uint32_t pc;  // of the jump's target
  };
  // A trap that a conditional jump leads to, whose field is at `field`.
  struct Trap {
    uint32_t field;
    uint32_t pc;  // of the instruction
    uint32_t refund;
    abi::TrapCode code;
  };
  // What is known of the low bits of a guest register: it is `value` modulo 2^bits.
  struct LowBits {
    uint8_t bits = 0;  // at most 2
    uint8_t value = 0;
    static LowBits Of(uint8_t bits, uint32_t value) {
      return {bits, static_cast<uint8_t>(value & ((1u << bits) - 1))};
    }
    LowBits operator+(LowBits b) const { return Of(std::min(bits, b.bits), value + b.value); }
  };
  struct TableEntry {
    uint32_t offset;  // in constants_
    Label target;
    uint32_t base;  // of its table
  };

  static Label LabelOf(uint32_t block) { return block; }

  void Begin(const riscv::Region& region) {
    region_ = &region;
    has_frame_ = false;
    size_t instructions = 0;
    for (const BasicBlock& block : region.blocks) {
      has_frame_ |= IsCall(block.kind) || (openvm_ && block.has_custom);  // custom ones are calls
      instructions += block.num_instructions();
    }
    a_.Clear();
    // The usual size, so that nothing moves while it is written.
    e_.Reserve(10 * instructions + 32 * region.blocks.size() + 256);
    miss_ = kNoLabel;
    entries_.clear();
    exits_.clear();
    traps_.clear();
    sites_.clear();
    relocations_.clear();
    frame_rules_.clear();
    lines_.clear();
    table_entries_.clear();
    constants_.clear();
  }

  // -- records

  void SetCfa(uint32_t cfa) {
    if (!frame_rules_.empty() && frame_rules_.back().cfa_offset == cfa) return;
    const uint32_t here = a_.Here();
    if (!frame_rules_.empty() && frame_rules_.back().code_offset == here) {
      frame_rules_.back().cfa_offset = cfa;
    } else {
      frame_rules_.push_back({here, cfa});
    }
  }
  uint32_t Frame() const { return has_frame_ ? kFrameSize : 0; }
  ABSL_ATTRIBUTE_ALWAYS_INLINE void SetLine(uint32_t pc) { lines_.push_back({a_.Here(), pc}); }
  void AddSite(Site::Kind kind, uint32_t pc, uint32_t refund, uint8_t trap_code = 0) {
    AddSiteAt(a_.Here(), kind, pc, refund, trap_code);
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE void AddSiteAt(uint32_t code_offset, Site::Kind kind, uint32_t pc,
                                              uint32_t refund, uint8_t trap_code = 0) {
    sites_.push_back({.code_offset = code_offset,
                      .kind = kind,
                      .trap_code = trap_code,
                      .guest_pc = pc,
                      .refund = refund});
  }
  // Jumps, if the condition holds, to the byte that lies `back` bytes before the end of the code
  // and is no instruction.
  void TrapInside(Cond cc, uint32_t back, Site::Kind kind, uint32_t pc, uint32_t refund) {
    AddSite(kind, pc, refund);
    sites_.back().code_offset -= back;
    e_.JccRel8(cc, static_cast<uint8_t>(0u - (back + 2)));
  }
  // For the field of the instruction just emitted.
  void Relocate(CodeRelocation::Target target, uint32_t index) {
    relocations_.push_back({static_cast<uint32_t>(e_.rip_field()), target, index, -4});
  }
  void RelocateCallback(CodeRelocation::Target target, abi::Callback callback) {
    Relocate(target, static_cast<uint32_t>(callback));
  }

  // -- entries

  // The primary entry runs into its block if that is the first one.
  void EmitFirstEntry() {
    entries_.resize(region_->entries.size());
    if (!has_frame_) return SetCfa(8);
    if (!entries_.empty() && region_->entry_blocks[0] == 0) EmitPrologue(0);
    SetCfa(8 + kFrameSize);
  }

  void EmitPrologue(size_t entry) {
    SetCfa(8);
    SetLine(region_->entries[entry]);
    entries_[entry] = a_.Here();
    e_.AluRM(Alu::kCmp, Width::k64, Reg::rsp,
             x64::InContext(offsetof(abi::VmContext, native_stack_limit)));
    // The last byte of the comparison is no instruction (vm_context.h).
    TrapInside(Cond::kB, 1, Site::Kind::kStack, region_->entries[entry], 0);
    e_.AluRI(Alu::kSub, Width::k64, Reg::rsp, kFrameSize);
    SetCfa(8 + kFrameSize);
  }

  // -- blocks

  bool EmitBlock(uint32_t b) {
    const BasicBlock& block = region_->blocks[b];
    const uint32_t count = block.num_instructions();
    a_.Bind(LabelOf(b));
    SetLine(block.begin);
    Charge(block.begin, count);

    known_ = 1;
    known_value_[0] = 0;
    low_bits_.fill({});
    low_bits_[0] = {2, 0};
    const bool has_end = block.kind != BlockEnd::kFallThrough;
    pc_ = block.begin;
    const Instruction* in = &code_.At(code_.IndexOf(block.begin));
    const Instruction* const end = in + (has_end ? count - 1 : count);
    for (uint32_t left = count; in != end; ++in, --left, pc_ += 4) {
      if (left != count) SetLine(pc_);
      if (!EmitInstruction(*in, left)) return false;
    }
    if (!has_end) {
      GoTo(b, block.end, block.next_block);
      return true;
    }
    if (count != 1) SetLine(pc_);
    return EmitEnd(b, block, *in);
  }

  // Takes `count` from the fuel of a block, or leaves it where there is less.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Charge(uint32_t pc, uint32_t count) {
    static_assert(abi::kFuelReg == 10);
    // sub r10, imm; jl into the sub, behind whose byte ea is the number.
    Cursor c(e_);
    AddSiteAt(c.Here() + 2, Site::Kind::kSuspend, pc, count);
    if (count <= 127) return c.Bytes(0xfc7c00ea8349 | uint64_t{count} << 24, 6);
    c.Bytes(0xea8149 | uint64_t{count} << 24, 7);
    c.Bytes(0xf97c, 2);
  }

  // `left`: instructions of the block that have not retired, this one included.
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool EmitInstruction(const Instruction& in, uint32_t left) {
    // One jump finds what there is to do, for nearly all: a second one could not be foreseen
    // either.
    switch (in.op) {
      case Op::kLw:
        return EmitAccess<Op::kLw>(in, left);
      case Op::kLh:
        return EmitAccess<Op::kLh>(in, left);
      case Op::kLhu:
        return EmitAccess<Op::kLhu>(in, left);
      case Op::kLb:
        return EmitAccess<Op::kLb>(in, left);
      case Op::kLbu:
        return EmitAccess<Op::kLbu>(in, left);
      case Op::kSw:
        return EmitAccess<Op::kSw>(in, left);
      case Op::kSh:
        return EmitAccess<Op::kSh>(in, left);
      case Op::kSb:
        return EmitAccess<Op::kSb>(in, left);
      case Op::kLui:
        return EmitConstant(in.rd, static_cast<uint32_t>(in.imm));
      case Op::kAuipc:
        return EmitConstant(in.rd, pc_ + static_cast<uint32_t>(in.imm));
      case Op::kAddi:
        LearnSum(in);
        if (in.rd != 0) t_.AddImm(in);
        return true;
      case Op::kAdd:
        LearnLowBits(in.rd, low_bits_[in.rs1] + low_bits_[in.rs2]);
        if (in.rd != 0) t_.Alu<x64::Alu::kAdd>(in);
        return true;
      case Op::kSub:
        Forget(in.rd);
        if (in.rd != 0) t_.Alu<x64::Alu::kSub>(in);
        return true;
      case Op::kOr:
        Forget(in.rd);
        if (in.rd != 0) t_.Alu<x64::Alu::kOr>(in);
        return true;
      case Op::kXor:
        Forget(in.rd);
        if (in.rd != 0) t_.Alu<x64::Alu::kXor>(in);
        return true;
      case Op::kAnd:
        Forget(in.rd);
        if (in.rd != 0) t_.Alu<x64::Alu::kAnd>(in);
        return true;
      case Op::kSltu:
        Forget(in.rd);
        if (in.rd != 0) t_.SetIf<Cond::kB>(in);
        return true;
      case Op::kSlli:
        LearnLowBits(in.rd, {static_cast<uint8_t>(std::min(in.imm, 2)), 0});
        if (in.rd != 0) t_.ShiftImm<x64::Shift::kShl>(in);
        return true;
      case Op::kSrli:
        Forget(in.rd);
        if (in.rd != 0) t_.ShiftImm<x64::Shift::kShr>(in);
        return true;
      case Op::kAndi:
        LearnLowBits(
            in.rd,
            {static_cast<uint8_t>(std::min(std::countr_zero(static_cast<uint32_t>(in.imm) | 4), 2)),
             0});
        if (in.rd != 0) t_.AluImm<x64::Alu::kAnd>(in);
        return true;
      case Op::kCustom:
      case Op::kCustomRegister:
      case Op::kCustomBranch:
      case Op::kCustomEnd:
        return EmitCustom(in, left);
      default:
        Forget(in.rd);
        return t_.Emit(in, pc_);
    }
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE bool EmitConstant(uint8_t rd, uint32_t value) {
    Learn(rd, value);
    t_.Set(rd, value);
    return true;
  }

  // A load or store of which OpenVM wants the low bits in kMask of the address to be 0.
  template <Op op>
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool EmitAccess(const Instruction& in, uint32_t left) {
    constexpr uint32_t kMask = op == Op::kLw || op == Op::kSw                     ? 3
                               : op == Op::kLh || op == Op::kLhu || op == Op::kSh ? 1
                                                                                  : 0;
    constexpr bool kIsStore = riscv::IsStore(op);
    Cursor c(e_);
    const Templates::Access access = t_.PrepareAccess(c, in, kIsStore);
    if (kMask != 0 && openvm_ && !IsAligned(in, kMask)) {
      t_.TestAddress(c, access, kMask);
      c.Jcc(Cond::kNe);
      traps_.push_back({c.Here() - 4, pc_, left, abi::TrapCode::kMisalignedAccess});
    }
    AddSiteAt(c.Here(), Site::Kind::kMemory, pc_, left);
    if (kIsStore) {
      t_.EmitStore<op>(c, in, access);
    } else {
      t_.EmitLoad<op>(c, in, access);
      Forget(in.rd);
    }
    return true;
  }

  // Whether it is known that the address is a multiple of the access's size. If it is not, it is
  // from here on, since it is going to be tested.
  bool IsAligned(const Instruction& in, uint32_t mask) {
    const uint8_t bits = mask == 3 ? 2 : 1;
    const uint8_t wanted = static_cast<uint8_t>(-static_cast<uint32_t>(in.imm) & mask);
    const LowBits known = low_bits_[in.rs1];
    if (known.bits >= bits && (known.value & mask) == wanted) return true;
    if (in.rs1 != 0) low_bits_[in.rs1] = {bits, wanted};
    return false;
  }

  // -- what is known: constants, for jumps to addresses made by two instructions, and low bits of
  // addresses

  void Forget(uint8_t rd) { LearnLowBits(rd, {}); }

  // No constant, but these low bits.
  void LearnLowBits(uint8_t rd, LowBits bits) {
    if (rd == 0) return;
    known_ &= ~(uint32_t{1} << rd);
    low_bits_[rd] = bits;
  }

  void Learn(uint8_t rd, uint32_t value) {
    if (rd == 0) return;
    known_ |= uint32_t{1} << rd;
    known_value_[rd] = value;
    low_bits_[rd] = LowBits::Of(2, value);
  }

  void LearnSum(const Instruction& in) {
    const uint32_t imm = static_cast<uint32_t>(in.imm);
    if ((known_ >> in.rs1 & 1) != 0) return Learn(in.rd, known_value_[in.rs1] + imm);
    const LowBits a = low_bits_[in.rs1];
    LearnLowBits(in.rd, LowBits::Of(a.bits, a.value + imm));
  }

  // Calls the runtime. Registers are where they are at any other site before and after that. If the
  // instruction traps, it has done nothing, and the interpreter finds out how by executing it
  // again. Its value is then in r12.
  bool EmitCustom(const Instruction& in, uint32_t left) {
    if (!openvm_ || in.op == Op::kCustomEnd) return false;
    t_.SavePassed();
    e_.MovImm(static_cast<Reg>(abi::kPassedIn[0]), pc_);
    const uint8_t operands[] = {in.rd, in.rs1, in.rs2};
    for (size_t k = 0; k < 3; ++k)
      e_.Load(Width::k32, static_cast<Reg>(abi::kPassedIn[k + 1]), Templates::Slot(operands[k]));
    e_.CallRel32();
    RelocateCallback(CodeRelocation::Target::kPltRuntime, abi::Callback::kCustom);
    AddSite(Site::Kind::kCall, pc_, left);
    e_.Mov(Width::k32, Reg::r12, static_cast<Reg>(abi::kPassedIn[0]));
    t_.RestorePassed();
    e_.TestRR(Width::k32, Reg::rax, Reg::rax);
    TrapIf(Cond::kNe, left, abi::TrapCode::kNone);
    if (in.op == Op::kCustomRegister) {
      t_.Write(in.rd, Reg::r12);
      Forget(in.rd);
    }
    return true;
  }

  // -- ends of blocks

  bool EmitEnd(uint32_t b, const BasicBlock& block, const Instruction& in) {
    switch (block.kind) {
      case BlockEnd::kBranch:
        return EmitBranch(b, block, in);
      case BlockEnd::kJump:
        if (in.op == Op::kJalr) return EmitRegisterJump(b, block, in);
        if (in.op != Op::kJal) return false;
        GoTo(b, block.target, block.target_block);
        return true;
      case BlockEnd::kCall:
        if (in.op != Op::kJal) return false;
        t_.Set(in.rd, block.end);
        CallPc(b, block, block.target);
        return true;
      case BlockEnd::kHostCall:
        if (in.op != Op::kEcall) return false;
        CallHost();
        AfterCall(b, block);
        return true;
      case BlockEnd::kTrap:
        if (in.op == Op::kCustomEnd) return EmitCustomEnd();
        return EmitTrap(in);
      case BlockEnd::kIndirectCall:
      case BlockEnd::kReturn:
      case BlockEnd::kSwitch:
      case BlockEnd::kIndirectJump:
        return in.op == Op::kJalr && EmitRegisterJump(b, block, in);
      default:
        return false;
    }
  }

  void CallHost() {
    e_.StoreImm(Width::k32, x64::InContext(offsetof(abi::VmContext, pc)),
                static_cast<int32_t>(pc_));
    e_.CallRel32();
    RelocateCallback(CodeRelocation::Target::kPltRuntime, abi::Callback::kHostCall);
  }

  // Ends the guest; does not come back.
  bool EmitCustomEnd() {
    if (!openvm_) return false;
    CallHost();
    AddSite(Site::Kind::kCall, pc_, 0);
    a_.Jump(return_);
    return true;
  }

  bool EmitTrap(const Instruction& in) {
    abi::TrapCode trap;
    if (in.op == Op::kEbreak) {
      trap = abi::TrapCode::kBreakpoint;
    } else if (in.op == Op::kJal) {
      trap = abi::TrapCode::kMisalignedPc;
    } else if (in.op == Op::kIllegal) {
      trap = abi::TrapCode::kIllegalInstruction;
    } else {
      return false;
    }
    AddSite(Site::Kind::kTrap, pc_, 1, static_cast<uint8_t>(trap));
    e_.Ud2();
    return true;
  }

  bool EmitBranch(uint32_t b, const BasicBlock& block, const Instruction& in) {
    static constexpr Cond kConds[] = {Cond::kE,  Cond::kNe, Cond::kL,
                                      Cond::kGe, Cond::kB,  Cond::kAe};
    Cond cond = Cond::kNe;
    if (in.op == Op::kCustomBranch) {
      if (!EmitCustom(in, 1)) return false;
      e_.TestRR(Width::k32, Reg::r12, Reg::r12);
    } else {
      cond = kConds[static_cast<int>(in.op) - static_cast<int>(Op::kBeq)];
      t_.Compare(in.rs1, in.rs2);
    }
    if (in.imm % 4 != 0) {
      TrapIf(cond, 1, abi::TrapCode::kMisalignedPc);
    } else {
      a_.Jump(cond, JumpTarget(block.target, block.target_block));
    }
    GoTo(b, block.end, block.next_block);
    return true;
  }

  // A block of the region, or code that leaves it.
  Label JumpTarget(uint32_t pc, uint32_t block) {
    return block != BasicBlock::kNone ? LabelOf(block) : NewExit(pc);
  }

  Label NewExit(uint32_t pc) {
    exits_.push_back({a_.NewLabel(), pc});
    return exits_.back().label;
  }
  void TrapIf(Cond cond, uint32_t refund, abi::TrapCode code) {
    e_.JccRel32(cond);
    traps_.push_back({static_cast<uint32_t>(e_.rip_field()), pc_, refund, code});
  }

  // From the end of block b to `pc`, where block `to` of the region begins, if one does.
  void GoTo(uint32_t b, uint32_t pc, uint32_t to) {
    if (to == b + 1) return;
    if (to != BasicBlock::kNone) {
      a_.Jump(LabelOf(to));
    } else {
      Leave(pc);
    }
  }

  void Epilogue() {
    if (!has_frame_) return;
    e_.AluRI(Alu::kAdd, Width::k64, Reg::rsp, kFrameSize);
    SetCfa(8);
  }

  bool IsEntry(uint32_t pc) const {
    const uint32_t index = code_.IndexOf(pc);
    return index != riscv::Code::kNone && is_entry_[index];
  }

  // Tail-calls whatever is at `pc`.
  void Leave(uint32_t pc) {
    if (IsEntry(pc)) {
      Epilogue();
      e_.JmpRel32();
      Relocate(CodeRelocation::Target::kFunction, pc);
    } else {
      SetRax(pc);
      TailDispatch();
      return;
    }
    SetCfa(8 + Frame());
  }

  void SetRax(uint32_t value) { e_.MovImm(Reg::rax, value); }

  // To the pc in eax.
  void TailDispatch() {
    EmitDispatch();
    Epilogue();
    e_.JmpReg(Reg::r12);
    SetCfa(8 + Frame());
  }

  // r12 := the native entry of the guest pc in eax, or away to the runtime.
  void EmitDispatch() {
    if (miss_ == kNoLabel) miss_ = a_.NewLabel();
    e_.Lea(Width::k32, Reg::r12,
           Mem::At(Reg::rax, static_cast<int32_t>(0u - options_.dispatch_base)));
    e_.ShiftImm(x64::Shift::kRor, Width::k32, Reg::r12, 2);  // a misaligned pc becomes huge
    e_.AluRI(Alu::kCmp, Width::k32, Reg::r12, static_cast<int32_t>(options_.dispatch_count));
    a_.Jump(Cond::kAe, miss_);
    e_.Lea(Width::k64, Reg::r11, Mem::Rip());
    Relocate(CodeRelocation::Target::kDispatchTable, 0);
    e_.Movsx(Width::k32, Width::k64, Reg::r12, Mem::At(Reg::r11, Reg::r12, 4, 0));
    e_.TestRR(Width::k32, Reg::r12, Reg::r12);
    a_.Jump(Cond::kE, miss_);
    e_.AluRR(Alu::kAdd, Width::k64, Reg::r12, Reg::r11);
  }

  void CallPc(uint32_t b, const BasicBlock& block, uint32_t target) {
    if (IsEntry(target)) {
      e_.CallRel32();
      Relocate(CodeRelocation::Target::kFunction, target);
    } else {
      SetRax(target);
      EmitDispatch();
      e_.CallReg(Reg::r12);
    }
    AfterCall(b, block);
  }

  // The callee says at which pc to continue. Anything but the return site is for a caller further
  // out, or for the dispatcher.
  void AfterCall(uint32_t b, const BasicBlock& block) {
    AddSite(Site::Kind::kCall, pc_, 0);
    if (block.next_block == BasicBlock::kNone) {
      a_.Jump(return_);
      return;
    }
    e_.AluRI(Alu::kCmp, Width::k32, Reg::rax, static_cast<int32_t>(block.end));
    a_.Jump(Cond::kNe, return_);
    GoTo(b, block.end, block.next_block);
  }

  bool EmitRegisterJump(uint32_t b, const BasicBlock& block, const Instruction& in) {
    if ((known_ >> in.rs1 & 1) != 0) {
      const uint32_t target = (known_value_[in.rs1] + static_cast<uint32_t>(in.imm)) & ~1u;
      if (target % 4 == 0 && in.rd != 0) {
        t_.Set(in.rd, block.end);
        CallPc(b, block, target);
        return true;
      }
      if (target % 4 == 0 && block.kind == BlockEnd::kJump && target == block.target) {
        GoTo(b, target, block.target_block);
        return true;
      }
    }
    t_.Read(Reg::rax, in.rs1);
    if (in.imm != 0) e_.AluRI(Alu::kAdd, Width::k32, Reg::rax, in.imm);
    e_.AluRI(Alu::kAnd, Width::k32, Reg::rax, -2);
    e_.TestRI(Width::k8, Reg::rax, 2);
    TrapIf(Cond::kNe, 1, abi::TrapCode::kMisalignedPc);
    if (in.rd != 0) {
      t_.Set(in.rd, block.end);
      EmitDispatch();
      e_.CallReg(Reg::r12);
      AfterCall(b, block);
    } else if (block.kind == BlockEnd::kReturn) {
      if (has_frame_) {
        a_.Jump(return_);
      } else {
        e_.Ret();
      }
    } else if (block.kind == BlockEnd::kSwitch) {
      EmitSwitch(block);
    } else {
      TailDispatch();
    }
    return true;
  }

  // A jump table by target address, of the span between the lowest and the highest target. A target
  // that is not in it goes through the dispatcher.
  void EmitSwitch(const BasicBlock& block) {
    const absl::Span<const uint32_t> targets = region_->TargetsOf(block);
    const uint32_t low = targets.front(), high = targets.back();
    const uint32_t cases = (high - low) / 4 + 1;
    const Label otherwise = a_.NewLabel();
    e_.Lea(Width::k32, Reg::r12, Mem::At(Reg::rax, static_cast<int32_t>(0u - low)));
    e_.ShiftImm(x64::Shift::kShr, Width::k32, Reg::r12, 2);
    e_.AluRI(Alu::kCmp, Width::k32, Reg::r12, static_cast<int32_t>(cases));
    a_.Jump(Cond::kAe, otherwise);
    e_.Lea(Width::k64, Reg::r11, Mem::Rip());
    const uint32_t base = static_cast<uint32_t>(constants_.size());
    Relocate(CodeRelocation::Target::kConstants, base);
    e_.Movsx(Width::k32, Width::k64, Reg::r12, Mem::At(Reg::r11, Reg::r12, 4, 0));
    e_.AluRR(Alu::kAdd, Width::k64, Reg::r12, Reg::r11);
    e_.JmpReg(Reg::r12);
    a_.Bind(otherwise);
    TailDispatch();
    size_t next = 0;
    for (uint32_t c = 0; c < cases; ++c) {
      Label target = otherwise;
      if (targets[next] == low + 4 * c) {
        target = JumpTarget(targets[next],
                            region_->FindBlock(targets[next]).value_or(BasicBlock::kNone));
        ++next;
      }
      table_entries_.push_back({base + 4 * c, target, base});
    }
    constants_.resize(base + 4 * cases);
  }

  // -- rarely executed

  // No site but a return address lies where a call before it returns to: traps come first.
  void EmitCold() {
    for (const Trap& trap : traps_) {
      SetLine(trap.pc);
      e_.Patch32(trap.field, a_.Here() - (trap.field + 4));
      AddSite(Site::Kind::kTrap, trap.pc, trap.refund, static_cast<uint8_t>(trap.code));
      e_.Ud2();
    }
    for (size_t i = 0; i < exits_.size(); ++i) {
      SetLine(exits_[i].pc);
      a_.Bind(exits_[i].label);
      Leave(exits_[i].pc);
    }
    if (miss_ != kNoLabel) {
      a_.Bind(miss_);
      e_.JmpMem(Mem::Rip());
      RelocateCallback(CodeRelocation::Target::kGotRuntime, abi::Callback::kDispatchMiss);
    }
    if (has_frame_) {
      a_.Bind(return_);
      Epilogue();
      e_.Ret();
      for (size_t i = region_->entry_blocks[0] == 0 ? 1 : 0; i < entries_.size(); ++i) {
        EmitPrologue(i);
        a_.Jump(LabelOf(region_->entry_blocks[i]));
      }
    }
    // A return address is inside its function.
    if (!sites_.empty() && sites_.back().code_offset == a_.Here()) e_.Ud2();
  }

  codegen::CompiledFunction Finish() {
    codegen::CompiledFunction out;
    out.name = region_->name;
    out.code.assign(e_.data(), e_.data() + e_.size());
    out.constants.assign(constants_.begin(), constants_.end());
    out.relocations.assign(relocations_.begin(), relocations_.end());
    out.constant_relocations.reserve(table_entries_.size());
    for (const TableEntry& t : table_entries_)
      out.constant_relocations.push_back({t.offset, a_.Position(t.target), t.base});
    out.entries.reserve(entries_.size());
    for (size_t i = 0; i < entries_.size(); ++i) {
      const uint32_t at = has_frame_ ? entries_[i] : a_.Position(LabelOf(region_->entry_blocks[i]));
      out.entries.push_back({region_->entries[i], at});
    }
    out.frame_rules = std::move(frame_rules_);
    out.lines = std::move(lines_);
    out.sites = std::move(sites_);
    // The first site states where registers are; nothing changes after it.
    if (!out.sites.empty()) {
      Site& first = out.sites.front();
      first.reset = true;
      first.state_end = abi::kNumPassed;
      for (int i = 0; i < abi::kNumPassed; ++i) {
        out.states.push_back(
            {abi::kPassed[i], codegen::StateLocation::Kind::kRegister, abi::kPassedIn[i]});
      }
      std::sort(out.states.begin(), out.states.end(),
                [](const auto& a, const auto& b) { return a.slot < b.slot; });
    }
    return out;
  }

  const riscv::Code& code_;
  const bool openvm_;
  const codegen::CompileOptions& options_;
  Assembler a_;
  x64::Encoder& e_;
  Templates t_;
  std::vector<bool> is_entry_;  // by instruction: those of all regions

  // Of the region at hand.
  const riscv::Region* region_ = nullptr;
  bool has_frame_ = false;
  Label return_ = kNoLabel;  // leaves the region for the guest pc in eax; only with a frame
  Label miss_ = kNoLabel;    // bound if used
  std::vector<uint32_t>
      entries_;  // where their code is, by number in the region; only with a frame
  std::vector<Exit> exits_;
  std::vector<Trap> traps_;

  // The point of emission.
  uint32_t pc_ = 0;
  uint32_t known_ = 1;  // guest registers with a known constant, as a set
  std::array<uint32_t, 32> known_value_{};
  std::array<LowBits, 32> low_bits_{};

  std::vector<Site> sites_;
  std::vector<CodeRelocation> relocations_;
  std::vector<codegen::FrameRule> frame_rules_;
  std::vector<codegen::LineEntry> lines_;
  std::vector<TableEntry> table_entries_;
  std::vector<uint8_t> constants_;
};

RiscVCompiler::RiscVCompiler(const riscv::ControlFlow& flow, const riscv::Code& code,
                             const RegionOptions& region_options,
                             const codegen::CompileOptions& options)
    : compiler_(std::make_unique<RegionCompiler>(flow, code, region_options, options)) {}

RiscVCompiler::~RiscVCompiler() = default;

std::optional<codegen::CompiledFunction> RiscVCompiler::Compile(const riscv::Region& region) {
  return compiler_->Compile(region);
}

void RiscVCompiler::Recycle(codegen::CompiledFunction& function) { compiler_->Recycle(function); }

}  // namespace precast::baseline
