// Atomic accesses, but for those that take a loop, or the runtime (waiting, waking), which go
// through the IR.
#include <cstdint>

#include "compiler/baseline/wasm_function.h"

namespace precast::baseline {

// Traps if the address is not aligned. False if there is no template.
bool WasmFunction::CheckAligned(const wasm::Instruction& in, const Operand& address) {
  const int32_t mask = (1 << wasm::Info(in.op).natural_align) - 1;
  if (mask == 0) return true;
  const int32_t offset = static_cast<int32_t>(in.address_offset) & mask;
  if (address.IsConst()) return ((address.Immediate() + offset) & mask) == 0;
  Reg r = stack_.UseInt(address);
  if (offset != 0) {
    e_.Lea(Width::k32, kScratch, Mem::At(r, offset));
    r = kScratch;
  }
  e_.TestRI(Width::k32, r, mask);
  TrapIf(Cond::kNe, Trap::kUnalignedAtomic);
  return true;
}

// The old value as it is pushed: zero-extended.
void WasmFunction::PushOld(Type type, Width width, AnyReg r) {
  if (width == Width::k8 || width == Width::k16) {
    e_.Movzx(width, IntReg(r), IntReg(r));
  } else if (width == Width::k32 && type == Type::kI64) {
    e_.Mov(Width::k32, IntReg(r), IntReg(r));
  }
  stack_.PushReg(type, r);
}

// The value's register is swapped with memory, or added to it.
bool WasmFunction::AtomicUpdate(const wasm::Instruction& in, Update update, Width width) {
  const Operand v = stack_.Pop();
  const Operand address = stack_.Pop();
  if (!CheckAligned(in, address)) return false;
  AnyReg r = stack_.Own(v), base;
  if (stack_.InRegister(address, base) && base == r) {
    r = stack_.Alloc(v.type);
    e_.Mov(Width::k64, IntReg(r), IntReg(base));
  }
  if (update == Update::kSubtract) e_.UnaryR(x64::Unary::kNeg, WidthOf(v.type), IntReg(r));
  Mem m;
  if (!PlaceOf(in, address, m)) return false;
  AddMemorySite();
  if (update == Update::kExchange) {
    e_.XchgMem(width, m, IntReg(r));
  } else {
    e_.LockXadd(width, m, IntReg(r));
  }
  if (!wasm::Info(in.op).results.empty()) PushOld(v.type, width, r);
  return true;
}

// Of the whole width of the type, so that every expected value may be found.
bool WasmFunction::CompareExchange(const wasm::Instruction& in, Type type) {
  Operand v = stack_.Pop();
  const Operand expected = stack_.Pop();
  Operand address = stack_.Pop();
  if (!CheckAligned(in, address)) return false;
  stack_.Acquire(Reg::rax);
  // Of those that were popped, what is there still.
  const auto move_away = [&](Operand& operand) {
    AnyReg r;
    if (!stack_.InRegister(operand, r) || IntReg(r) != Reg::rax) return;
    const AnyReg to = stack_.Alloc(operand.type);
    e_.Mov(WidthOf(operand.type), IntReg(to), Reg::rax);
    operand.kind = Operand::Kind::kReg;
    operand.reg = to;
  };
  move_away(v);
  move_away(address);
  const Reg replacement = stack_.UseInt(v);
  stack_.LoadInto(Any(Reg::rax), expected);
  Mem m;
  if (!PlaceOf(in, address, m)) return false;
  AddMemorySite();
  e_.LockCmpxchg(WidthOf(type), m, replacement);
  stack_.PushReg(type, Any(Reg::rax));
  return true;
}

bool WasmFunction::CompileAtomic(const wasm::Instruction& in) {
  static constexpr Width kWidths[] = {Width::k8, Width::k16, Width::k32, Width::k64};
  const wasm::OpInfo& info = wasm::Info(in.op);
  const Width width = kWidths[info.natural_align];
  if (in.op >= Op::kI32AtomicLoad && in.op <= Op::kI64AtomicLoad32U) {
    const Operand address = stack_.Top(1)[0];
    if (!CheckAligned(in, address)) return false;
    const Type type = info.results[0] == 'i' ? Type::kI32 : Type::kI64;
    return Load(in, type, width, width == WidthOf(type) ? Extend::kNone : Extend::kZero);
  }
  if (in.op >= Op::kI32AtomicStore && in.op <= Op::kI64AtomicStore32) {
    return AtomicUpdate(in, Update::kExchange, width);
  }
  if (in.op >= Op::kI32AtomicRmwAdd && in.op < Op::kI32AtomicRmwSub) {
    return AtomicUpdate(in, Update::kAdd, width);
  }
  if (in.op >= Op::kI32AtomicRmwSub && in.op < Op::kI32AtomicRmwAnd) {
    return AtomicUpdate(in, Update::kSubtract, width);
  }
  if (in.op >= Op::kI32AtomicRmwXchg && in.op < Op::kI32AtomicRmwCmpxchg) {
    return AtomicUpdate(in, Update::kExchange, width);
  }
  switch (in.op) {
    case Op::kI32AtomicRmwCmpxchg:
      return CompareExchange(in, Type::kI32);
    case Op::kI64AtomicRmwCmpxchg:
      return CompareExchange(in, Type::kI64);
    case Op::kAtomicFence:
      e_.Mfence();
      return true;
    default:
      return false;
  }
}

}  // namespace precast::baseline
