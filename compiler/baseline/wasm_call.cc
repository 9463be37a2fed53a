// Calls and returns: direct, imported, indirect, of runtime helpers; and where values travel
// (runtime/abi/wasm_context.h).
#include <algorithm>
#include <array>
#include <bit>

#include "absl/log/check.h"
#include "compiler/baseline/wasm_function.h"

namespace precast::baseline {

namespace {

// Displacement of WasmContext::args[n].
constexpr uint64_t ArgAt(size_t n) {
  return offsetof(abi::WasmContext, args) + n * sizeof(abi::WasmValue);
}

// Assigns places to values one after another, as ABI and lifter do.
class Travel {
 public:
  static constexpr AnyReg kContext = 0xff;

  explicit Travel(bool results) : results_(results) {}
  // The register of the next value, or kContext.
  AnyReg Next(Type type) {
    if (InVectorReg(type)) {
      if (vectors_ == abi::kNumWasmVectorPassed) return kContext;
      return static_cast<AnyReg>(16 + vectors_++);
    }
    if (integers_ == abi::kNumWasmIntPassed) return kContext;
    const int k = integers_++;
    return k == 0 && results_ ? Any(Reg::rax) : abi::kWasmPassedIn[k];
  }

 private:
  using Reg = x64::Reg;
  const bool results_;
  int integers_ = 0, vectors_ = 0;
};

constexpr uint32_t kMaxInRegisters = abi::kNumWasmIntPassed + abi::kNumWasmVectorPassed;

}  // namespace

bool WasmFunction::NamesVector(const wasm::FuncType& type) {
  const auto is_vector = [](wasm::ValType t) { return t == wasm::kV128; };
  return std::any_of(type.params.begin(), type.params.end(), is_vector) ||
         std::any_of(type.results.begin(), type.results.end(), is_vector);
}

// Parameter or result `n`, which travelled in the context, into a slot.
void WasmFunction::LoadArg(size_t n, Type type, uint32_t slot) {
  const Type whole = type == Type::kV128 ? type : Type::kI64;
  const AnyReg scratch = type == Type::kV128 ? Any(kScratchXmm) : Any(kScratch);
  stack_.LoadMem(whole, scratch, ContextAt(ArgAt(n)));
  stack_.StoreMem(whole, stack_.Slot(slot), scratch);
}

void WasmFunction::LoadParams() {
  Travel travel(/*results=*/false);
  for (uint32_t k = 0; k < type_->params.size(); ++k) {
    const Type type = TypeOf(type_->params[k]);
    const AnyReg r = travel.Next(type);
    if (r != Travel::kContext) {
      stack_.StoreMem(type, stack_.Slot(k), r);
      stack_.Cache(k, r);
    } else {
      LoadArg(k, type, k);
    }
  }
}

void WasmFunction::PassValues(absl::Span<const Operand> values, bool results,
                              const Operand* index) {
  struct Move {
    AnyReg to, from;
    Type type;
  };
  std::array<Move, kMaxInRegisters> moves;
  std::array<std::pair<AnyReg, const Operand*>, kMaxInRegisters> loads;
  uint32_t num_moves = 0, num_loads = 0;
  Travel travel(results);
  for (size_t k = 0; k < values.size(); ++k) {
    const Operand& v = values[k];
    const AnyReg to = travel.Next(v.type);
    AnyReg from;
    if (to == Travel::kContext) {
      // An i32 fills 8 bytes.
      if (v.type == Type::kI32) {
        stack_.LoadInto(Any(kScratch), v);
        e_.Store(Width::k64, ContextAt(ArgAt(k)), kScratch);
      } else {
        stack_.StoreTo(ContextAt(ArgAt(k)), v);
      }
    } else if (stack_.InRegister(v, from)) {
      if (from != to) moves[num_moves++] = {to, from, v.type};
    } else {
      loads[num_loads++] = {to, &v};
    }
  }
  if (index != nullptr) stack_.LoadInto(Any(kScratch), *index);

  // A register is written when no move left reads it. If all are read, they go round in circles, of
  // which one is broken up at a time.
  while (num_moves != 0) {
    uint32_t read = 0;
    for (uint32_t k = 0; k < num_moves; ++k) read |= 1u << moves[k].from;
    uint32_t left = 0;
    for (uint32_t k = 0; k < num_moves; ++k) {
      const Move m = moves[k];
      if ((read >> m.to & 1) != 0) {
        moves[left++] = m;
      } else if (InVectorReg(m.type)) {
        e_.MovapsRR(VectorReg(m.to), VectorReg(m.from));
      } else {
        e_.Mov(WidthOf(m.type), IntReg(m.to), IntReg(m.from));
      }
    }
    if (left == num_moves) {
      const Move first = moves[0];
      AnyReg saved;
      if (InVectorReg(first.type)) {
        saved = Any(kScratchXmm);
        e_.MovapsRR(kScratchXmm, VectorReg(first.to));
        e_.MovapsRR(VectorReg(first.to), VectorReg(first.from));
      } else {
        saved = first.from;
        e_.Xchg(Width::k64, IntReg(first.to), IntReg(first.from));
      }
      left = 0;
      for (uint32_t k = 1; k < num_moves; ++k) {
        Move m = moves[k];
        if (m.from == first.to) {
          m.from = saved;
        } else if (m.from == first.from && !InVectorReg(first.type)) {
          m.from = first.to;
        }
        if (m.from != m.to) moves[left++] = m;
      }
    }
    num_moves = left;
  }
  // rax takes no parameter, and the index stays where it is.
  const Reg scratch = index != nullptr ? Reg::rax : kScratch;
  for (uint32_t k = 0; k < num_loads; ++k) {
    stack_.LoadInto(loads[k].first, *loads[k].second, scratch);
  }
}

void WasmFunction::AfterCall(size_t num_operands) {
  stack_.Truncate(stack_.size() - num_operands);
  stack_.EndInstruction();
  stack_.ForgetLocals();
}

void WasmFunction::PushResults(absl::Span<const wasm::ValType> types) {
  Travel travel(/*results=*/true);
  for (size_t k = 0; k < types.size(); ++k) {
    const Type type = TypeOf(types[k]);
    const AnyReg r = travel.Next(type);
    if (r != Travel::kContext) {
      stack_.PushReg(type, r);
    } else {
      LoadArg(k, type, stack_.SlotOf(stack_.size()));
      stack_.PushSlot(type);
    }
  }
}

void WasmFunction::Return() {
  PassValues(stack_.Top(type_->results.size()), /*results=*/true);
  Epilogue();
  e_.Ret();
  AfterEpilogue();
}

// The code to call in r11, the record in rax; r12 has the index. Only these registers change.
void WasmFunction::BeginIndirect(const wasm::Instruction& in) {
  constexpr Reg kCode = static_cast<Reg>(abi::kTargetReg);
  constexpr Reg kRecord = static_cast<Reg>(abi::kRecordReg);
  constexpr Reg kType = static_cast<Reg>(abi::kTypeReg);
  static_assert(kType == kScratch);
  e_.Load(Width::k64, kRecord, ContextAt(context_.layout.Table(in.index2)));
  e_.AluRM(Alu::kCmp, Width::k64, kScratch, Mem::At(kRecord, abi::kTableSize));
  TrapIf(Cond::kAe, Trap::kUndefinedElement);
  e_.Load(Width::k64, kRecord, Mem::At(kRecord, abi::kTableElements));
  e_.Load(Width::k64, kRecord, Mem::At(kRecord, kScratch, 8, 0));
  e_.TestRR(Width::k64, kRecord, kRecord);
  TrapIf(Cond::kE, Trap::kUninitializedElement);
  const uint32_t type = module_.canonical_types[in.index];
  e_.Load(Width::k64, kCode, ContextAt(offsetof(abi::VmContext, instance_key)));
  e_.AluRI(Alu::kAdd, Width::k64, kCode, static_cast<int32_t>(type));
  e_.MovImm(kType, type);
  e_.AluRM(Alu::kCmp, Width::k64, kCode, Mem::At(kRecord, abi::kRecordKey));
  e_.Load(Width::k64, kCode, Mem::At(kRecord, abi::kRecordCode));
  e_.Cmov(Cond::kNe, Width::k64, kCode, ContextAt(offsetof(abi::VmContext, indirect_slow)));
}

bool WasmFunction::CompileCall(const wasm::Instruction& in) {
  constexpr Reg kCode = static_cast<Reg>(abi::kTargetReg);
  constexpr Reg kRecord = static_cast<Reg>(abi::kRecordReg);
  const bool direct = in.op == Op::kCall || in.op == Op::kReturnCall;
  if (!direct && in.op != Op::kCallIndirect && in.op != Op::kReturnCallIndirect) return false;
  const bool is_tail = in.op == Op::kReturnCall || in.op == Op::kReturnCallIndirect;
  const wasm::FuncType& type = direct ? module_.TypeOf(in.index) : module_.types[in.index];
  if (HasVector(type) && !CanHaveVectors()) return false;
  const size_t n = type.params.size();

  if (direct) {
    if (!is_tail) stack_.SpillForCall(n);
    PassValues(stack_.Top(n), /*results=*/false);
  } else {
    const Operand index = stack_.Pop();
    if (!is_tail) stack_.SpillForCall(n);
    PassValues(stack_.Top(n), /*results=*/false, &index);
    BeginIndirect(in);
  }
  const bool imported = direct && module_.IsImported(in.index);
  if (imported) {
    const uint64_t record = context_.layout.Record(context_.record_of[in.index]);
    e_.Load(Width::k64, kCode, ContextAt(record + abi::kRecordFarCode));
    e_.Lea(Width::k64, kRecord, ContextAt(record));
  }
  const bool near = direct && !imported;
  if (is_tail) {
    Epilogue();
    near ? e_.JmpRel32() : e_.JmpReg(kCode);
  } else {
    near ? e_.CallRel32() : e_.CallReg(kCode);
  }
  if (near) Relocate(Target::kFunction, module_.functions[in.index].body.begin);
  if (is_tail) {
    AfterEpilogue();
    return true;
  }
  AddCallSite();
  AfterCall(n);
  PushResults(type.results);
  return true;
}

// -- what the runtime does

void WasmFunction::CallHelper(abi::WasmHelper helper, absl::Span<const uint32_t> first,
                              size_t num_operands) {
  stack_.SpillForCall(num_operands);
  args_.clear();
  for (uint32_t value : first) args_.push_back({Operand::Kind::kConst, Type::kI32, 0, 0, value});
  const absl::Span<const Operand> operands = stack_.Top(num_operands);
  args_.insert(args_.end(), operands.begin(), operands.end());
  PassValues(args_, /*results=*/false);
  const uint64_t record = offsetof(abi::WasmContext, helpers) +
                          static_cast<uint64_t>(helper) * sizeof(abi::FunctionRecord);
  constexpr Reg kCode = static_cast<Reg>(abi::kTargetReg);
  e_.Load(Width::k64, kCode, ContextAt(record + abi::kRecordFarCode));
  e_.Lea(Width::k64, static_cast<Reg>(abi::kRecordReg), ContextAt(record));
  e_.CallReg(kCode);
  AddHelperSite();
  AfterCall(num_operands);
}

void WasmFunction::PushIndex(bool is_64) {
  if (!is_64) e_.Mov(Width::k32, Reg::rax, Reg::rax);
  stack_.PushReg(is_64 ? Type::kI64 : Type::kI32, Any(Reg::rax));
}

bool WasmFunction::CompileBulk(const wasm::Instruction& in) {
  using Helper = abi::WasmHelper;
  switch (in.op) {
    case Op::kMemoryGrow:
      CallHelper(Helper::kMemoryGrow, {in.index}, 1);
      PushIndex(module_.memories[in.index].is_64);
      return true;
    case Op::kMemoryFill:
      CallHelper(Helper::kMemoryFill, {in.index}, 3);
      return true;
    case Op::kMemoryCopy:
      CallHelper(Helper::kMemoryCopy, {in.index, in.index2}, 3);
      return true;
    case Op::kMemoryInit:
      CallHelper(Helper::kMemoryInit, {in.index, in.index2}, 3);
      return true;
    case Op::kTableCopy:
      CallHelper(Helper::kTableCopy, {in.index, in.index2}, 3);
      return true;
    case Op::kTableInit:
      CallHelper(Helper::kTableInit, {in.index, in.index2}, 3);
      return true;
    case Op::kDataDrop:
      CallHelper(Helper::kDataDrop, {in.index}, 0);
      return true;
    case Op::kElemDrop:
      CallHelper(Helper::kElemDrop, {in.index}, 0);
      return true;
    case Op::kTableGrow:
      CallHelper(Helper::kTableGrow, {in.index}, 2);
      PushIndex(module_.tables[in.index].type.is_64);
      return true;
    case Op::kTableFill:
      CallHelper(Helper::kTableFill, {in.index}, 3);
      return true;
    default:
      return false;
  }
}

}  // namespace precast::baseline
