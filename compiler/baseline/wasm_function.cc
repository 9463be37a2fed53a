// The walk over one function body: what every instruction goes through, fuel, and the side tables.
#include "compiler/baseline/wasm_function.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "absl/log/check.h"

namespace precast::baseline {

namespace {

// In bytes. Frames beyond are compared with the stack's limit as a whole (x64::Emitter::EmitEntry),
// which is not done here; and who has them is better served by a compiler that knows which values
// are needed at the same time.
constexpr size_t kMaxFrame = 32000;

}  // namespace

std::optional<codegen::CompiledFunction> WasmFunction::Compile(uint32_t function) {
  // That there are vectors shows at the first of them.
  wants_vectors_ = false;
  const bool done = CompileBody(function, false) || (wants_vectors_ && CompileBody(function, true));
  if (!done) return std::nullopt;
  EmitCold();
  return Finish();
}

bool WasmFunction::CompileBody(uint32_t function, bool wide) {
  if (!Begin(function, wide)) return false;
  EmitPrologue();
  while (!frames_.empty()) {
    at_ = reader_.offset();
    if (!reader_.Read(instruction_)) return false;
    ++instructions_;
    if (!CompileInstruction(instruction_) || TooLong()) return false;
  }
  EndSegment();
  return stack_.slots_bytes() <= kMaxFrame;
}

bool WasmFunction::Begin(uint32_t function, bool wide) {
  const wasm::Function& definition = module_.functions[function];
  type_ = &module_.TypeOf(function);
  begin_ = definition.body.begin;
  reader_ = wasm::InstructionReader(module_.bytes, definition.body, wasm::Features{});
  if (!reader_.ReadLocals(runs_).ok()) return false;
  bool vectors = HasVector(*type_);
  size_t num_locals = type_->params.size();
  for (const wasm::LocalRun& run : runs_) {
    vectors |= run.type == wasm::kV128;
    num_locals += run.count;
  }
  if (num_locals > kMaxFrame / 8) return false;

  a_.Clear();
  // The usual size, so that nothing moves while it is written.
  e_.Reserve(6 * size_t{definition.body.end - begin_} + 256);
  stack_.Begin(type_->params, num_locals, wide);
  loops_ = 0;
  seen_in_loop_.assign(num_locals, 0);
  if (vectors && !CanHaveVectors()) return false;
  size_t next = type_->params.size();
  for (const wasm::LocalRun& run : runs_) {
    stack_.SetLocalTypes(next, next + run.count, TypeOf(run.type));
    next += run.count;
  }
  frames_.clear();
  Frame frame;
  frame.kind = Frame::Kind::kFunction;
  frame.results = type_->results;
  frames_.push_back(frame);
  if (locals_at_.empty()) {
    locals_at_.resize(1);
    locals_otherwise_.resize(1);
  }
  dead_ = charged_ = false;
  instructions_ = 0;
  br_tables_ = 0;
  max_code_ = (1 << 20) + 64 * size_t{definition.body.end - begin_};
  flags_.reset();
  retired_ = 0;
  first_site_ = first_trap_ = 0;
  epilogue_fields_.clear();
  traps_.clear();
  table_entries_.clear();
  frame_changes_.clear();
  constants_.clear();
  vector_constants_.clear();
  relocations_.clear();
  sites_.clear();
  lines_.clear();
  return true;
}

void WasmFunction::EmitPrologue() {
  at_ = begin_;
  SetLine();
  SetPlace(Place::kOutside);
  e_.AluRM(Alu::kCmp, Width::k64, Reg::rsp,
           ContextAt(offsetof(abi::VmContext, native_stack_limit)));
  TrapInside(Cond::kB, 1, Site::Kind::kStack);  // the displacement is no instruction (vm_context.h)
  e_.AluImm32(Alu::kSub, Reg::rsp, 0);
  frame_field_ = a_.Here() - 4;
  SetPlace(Place::kInside);
  first_site_ = sites_.size();
  LoadParams();
  ClearFrame(stack_.SlotOffset(static_cast<uint32_t>(type_->params.size())),
             static_cast<uint32_t>(stack_.slots_bytes()));
}

// From offset `begin` to `end`: the slots of locals that have no value yet.
void WasmFunction::ClearFrame(uint32_t begin, uint32_t end) {
  constexpr uint32_t kUnrolled = 128;
  if (begin == end) return;
  const auto at = [](uint32_t offset) { return Mem::At(Reg::rsp, static_cast<int32_t>(offset)); };
  e_.SseBitsRR(x64::SseBits::kXor, kScratchXmm, kScratchXmm);
  if (end - begin <= kUnrolled) {
    for (; begin + 16 <= end; begin += 16) e_.MovupsStore(at(begin), kScratchXmm);
    if (begin != end) e_.MovsStore(Width::k64, at(begin), kScratchXmm);
    return;
  }
  // 16 bytes each, by an offset from the end that rises to 0.
  const uint32_t size = (end - begin) & ~15u, middle = begin + size;
  e_.MovImm(kScratch, static_cast<uint64_t>(-static_cast<int64_t>(size)));
  const Label again = a_.NewLabel();
  a_.Bind(again);
  e_.MovupsStore(Mem::At(Reg::rsp, kScratch, 1, static_cast<int32_t>(middle)), kScratchXmm);
  e_.AluRI(Alu::kAdd, Width::k64, kScratch, 16);
  a_.Jump(Cond::kNe, again);
  if (middle != end) e_.MovsStore(Width::k64, at(middle), kScratchXmm);
}

// -- fuel and sites

void WasmFunction::BeginInstruction() {
  SetLine();
  if (charged_ || !options_.metered) return;
  charged_ = true;
  e_.AluImm32(Alu::kSub, x64::kFuel, 0);
  charge_field_ = a_.Here() - 4;
  TrapInside(Cond::kL, 5, Site::Kind::kSuspend);  // the byte ea, behind which the number is
}

void WasmFunction::EndSegment() {
  if (charged_) {
    e_.Patch32(charge_field_, retired_);
    for (size_t k = first_site_; k < sites_.size(); ++k) {
      sites_[k].refund = retired_ - sites_[k].refund;
    }
    for (size_t k = first_trap_; k < traps_.size(); ++k) {
      traps_[k].refund = retired_ - traps_[k].refund;
    }
  }
  charged_ = false;
  retired_ = 0;
  first_site_ = sites_.size();
  first_trap_ = traps_.size();
}

void WasmFunction::AddSite(Site::Kind kind, uint32_t guest_pc, uint32_t refund, uint8_t trap_code) {
  sites_.push_back({a_.Here(), guest_pc, refund, kind, trap_code});
}

// Jumps, if the condition holds, to the byte that lies `back` bytes before the end of the code and
// is no instruction.
void WasmFunction::TrapInside(Cond cc, uint32_t back, Site::Kind kind) {
  AddSite(kind, at_, 0);
  sites_.back().code_offset -= back;
  e_.JccRel8(cc, static_cast<uint8_t>(0u - (back + 2)));
}

void WasmFunction::AddMemorySite() {
  // Not where a call before returns to.
  if (!sites_.empty() && sites_.back().code_offset == a_.Here()) e_.Nop(1);
  AddSite(Site::Kind::kMemory, at_, Retired());
}

void WasmFunction::AddTrapSite(uint32_t guest_pc, uint32_t refund, Trap code) {
  if (!sites_.empty() && sites_.back().code_offset == a_.Here()) e_.Nop(1);
  AddSite(Site::Kind::kTrap, guest_pc, refund, static_cast<uint8_t>(code));
}

void WasmFunction::TrapIf(Cond cc, Trap code) {
  const Label label = a_.NewLabel();
  a_.Jump(cc, label);
  traps_.push_back({label, at_, Retired(), code});
}

void WasmFunction::Relocate(Target target, uint32_t index, int32_t trailing) {
  relocations_.push_back({static_cast<uint32_t>(e_.rip_field()), target, index, -4 - trailing});
}

void WasmFunction::SetLine() {
  const uint32_t here = a_.Here();
  if (!lines_.empty() && lines_.back().code_offset == here) {
    lines_.back().guest_pc = at_;
  } else {
    lines_.push_back({here, at_});
  }
}

// Up to the instruction that leaves, which AfterEpilogue follows.
void WasmFunction::Epilogue() {
  e_.AluImm32(Alu::kAdd, Reg::rsp, 0);
  epilogue_fields_.push_back(a_.Here() - 4);
  SetPlace(Place::kOutside);
}

void WasmFunction::EmitCold() {
  for (const PendingTrap& trap : traps_) {
    at_ = trap.guest_pc;
    SetLine();
    a_.Bind(trap.label);
    AddTrapSite(trap.guest_pc, trap.refund, trap.code);
    e_.Ud2();
  }
  if (sites_.back().code_offset == a_.Here()) e_.Ud2();  // a return address is inside its function
}

codegen::CompiledFunction WasmFunction::Finish() {
  // With the return address, a multiple of 16: the stack pointer is aligned at calls.
  const uint32_t frame = static_cast<uint32_t>(stack_.slots_bytes() | 8);
  e_.Patch32(frame_field_, frame);
  for (uint32_t field : epilogue_fields_) e_.Patch32(field, frame);
  codegen::CompiledFunction out;
  out.code.assign(e_.data(), e_.data() + e_.size());
  out.constants.assign(constants_.begin(), constants_.end());
  out.relocations.assign(relocations_.begin(), relocations_.end());
  out.constant_relocations.reserve(table_entries_.size());
  for (const TableEntry& t : table_entries_) {
    out.constant_relocations.push_back({t.offset, a_.Position(t.target), t.base});
  }
  out.entries.push_back({begin_, 0});
  for (const FrameChange& change : frame_changes_) {
    if (change.at == out.code.size()) break;  // behind the last epilogue is nothing
    const uint32_t cfa = change.place == Place::kOutside ? 8 : 8 + frame;
    if (!out.frame_rules.empty() && out.frame_rules.back().code_offset == change.at) {
      out.frame_rules.back().cfa_offset = cfa;
    } else if (out.frame_rules.empty() || out.frame_rules.back().cfa_offset != cfa) {
      out.frame_rules.push_back({change.at, cfa});
    }
  }
  out.lines = std::move(lines_);
  out.sites = std::move(made_sites_);
  out.sites.clear();
  out.sites.reserve(sites_.size());
  for (const PendingSite& site : sites_) {
    out.sites.push_back({.code_offset = site.code_offset,
                         .kind = site.kind,
                         .trap_code = site.trap_code,
                         .guest_pc = site.guest_pc,
                         .refund = site.refund});
  }
  // There is no state to map: the first site says so.
  out.sites.front().reset = true;
  return out;
}

// -- instructions

// Who compiles an instruction, so that one jump decides it.
enum class Group : uint8_t {
  kLazy,  // makes no code if its segment is charged for already; else as kVariable or kInteger
  kControl,
  kVariable,
  kMemory,
  kInteger,
  kFloat,
  kVector,
  kAtomic,
};

constexpr Group GroupOf(wasm::Op op, std::string_view params, std::string_view results) {
  using Op = wasm::Op;
  if (op == Op::kLocalGet || op == Op::kI32Const || op == Op::kI64Const) return Group::kLazy;
  if (op <= Op::kReturnCallIndirect) return Group::kControl;
  if (op >= Op::kI32Load && op <= Op::kMemorySize) return Group::kMemory;
  if (op == Op::kF32Const || op == Op::kF64Const) return Group::kInteger;
  if (op >= Op::kI32Const && op <= Op::kI64Extend32S) {
    constexpr std::string_view kFloats = "fd";
    const bool floats = params.find_first_of(kFloats) != std::string_view::npos ||
                        results.find_first_of(kFloats) != std::string_view::npos;
    return floats ? Group::kFloat : Group::kInteger;
  }
  if (op >= Op::kMemoryAtomicNotify) return Group::kAtomic;
  if (op >= Op::kV128Load) return Group::kVector;
  return Group::kVariable;
}

constexpr std::array<Group, wasm::kNumOps> kGroups = {
#define PRECAST_WASM_OP(Name, text, prefix, code, immediate, params, results, ...) \
  GroupOf(wasm::Op::k##Name, params, results),
#include "compiler/wasm/opcodes.def"
#undef PRECAST_WASM_OP
};

bool WasmFunction::CompileInstruction(const wasm::Instruction& in) {
  const Group group = kGroups[static_cast<size_t>(in.op)];
  if (group == Group::kLazy && !dead_ && (charged_ || !options_.metered)) {
    if (in.op == Op::kLocalGet) {
      stack_.PushLocal(in.index);
    } else if (in.op == Op::kI32Const) {
      stack_.PushConst(Type::kI32, static_cast<uint32_t>(in.value));
    } else {
      stack_.PushConst(Type::kI64, static_cast<uint64_t>(in.value));
    }
    ++retired_;
    return true;
  }
  if (group == Group::kControl) {
    bool done = false;
    if (!CompileControl(in, done)) return false;
    if (done || in.op == Op::kNop) return true;
  }
  if (dead_) return true;
  BeginInstruction();
  bool compiled = false;
  switch (group) {
    case Group::kControl:
      compiled = CompileCall(in);
      break;
    case Group::kLazy:
      compiled = CompileVariable(in) || CompileInteger(in);
      break;
    case Group::kVariable:
      compiled =
          CompileVariable(in) || CompileTable(in) || CompileBulk(in) || CompileConversion(in);
      break;
    case Group::kMemory:
      compiled = CompileMemory(in);
      break;
    case Group::kInteger:
      compiled = CompileInteger(in) || CompileConversion(in);
      break;
    case Group::kFloat:
      compiled = CompileFloat(in) || CompileConversion(in);
      break;
    case Group::kVector:
      compiled = CompileVector(in);
      break;
    case Group::kAtomic:
      compiled = CompileAtomic(in);
      break;
  }
  if (!compiled) return false;
  ++retired_;
  stack_.EndInstruction();
  if (group != Group::kControl) return true;
  if (in.op == Op::kCall || in.op == Op::kCallIndirect) {
    EndSegment();
  } else {
    SetUnreachable();
  }
  return true;
}

bool WasmFunction::CompileVariable(const wasm::Instruction& in) {
  switch (in.op) {
    case Op::kDrop:
      stack_.Pop();
      return true;
    case Op::kSelect:
    case Op::kSelectT:
      Select();
      return true;
    case Op::kLocalGet:
      stack_.PushLocal(in.index);
      return true;
    case Op::kLocalSet:
      stack_.SetLocal(in.index, stack_.Pop());
      return true;
    case Op::kLocalTee: {
      const Operand v = stack_.Pop();
      stack_.SetLocal(in.index, v);
      if (v.IsConst()) {
        stack_.PushConst(v.type, v.value);
      } else {
        stack_.PushLocal(in.index);
      }
      return true;
    }
    case Op::kGlobalGet:
    case Op::kGlobalSet:
      if (module_.globals[in.index].type.type == wasm::kV128 && !CanHaveVectors()) return false;
      CompileGlobal(in);
      return true;
    case Op::kRefNull:
      stack_.PushConst(Type::kI64, 0);
      return true;
    case Op::kRefIsNull:
      Eqz(Type::kI64);
      return true;
    case Op::kRefFunc: {
      const uint32_t record = context_.record_of[in.index];
      CHECK_NE(record, wasm::LiftContext::kNoRecord) << "ref.func of an undeclared function";
      const AnyReg d = stack_.Alloc(Type::kI64);
      e_.Lea(Width::k64, IntReg(d), ContextAt(context_.layout.Record(record)));
      stack_.PushReg(Type::kI64, d);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace precast::baseline
