// Integer arithmetic, comparisons, and `select`.
#include <cstdint>

#include "compiler/baseline/wasm_function.h"

namespace precast::baseline {

using Kind = Operand::Kind;

// d := d op b, or the flags of it.
void WasmFunction::EmitAlu(Alu op, Type type, Reg d, const Operand& b) {
  const Width w = WidthOf(type);
  if (b.FitsImmediate()) return e_.AluRI(op, w, d, b.Immediate());
  if (b.IsConst()) {
    e_.MovImm(kScratch, b.value);
    return e_.AluRR(op, w, d, kScratch);
  }
  if (b.kind == Kind::kSlot) return e_.AluRM(op, w, d, stack_.Slot(b.index));
  e_.AluRR(op, w, d, stack_.UseInt(b));
}

void WasmFunction::Binary(Alu op, Type type) {
  Operand b = stack_.Pop();
  Operand a = stack_.Pop();
  if (op == Alu::kSub && b.FitsImmediate() && b.Immediate() > 0) {
    op = Alu::kAdd;
    const int64_t negated = -int64_t{b.Immediate()};
    b.value = type == Type::kI32 ? static_cast<uint32_t>(negated) : static_cast<uint64_t>(negated);
  }
  // The second one is better the one that is a constant, the first the one whose register may be
  // written.
  if (op != Alu::kSub &&
      (a.IsConst() || (!b.IsConst() && stack_.IsOwned(b) && !stack_.IsOwned(a)))) {
    std::swap(a, b);
  }
  AnyReg r;
  if (op == Alu::kAdd && !stack_.IsOwned(a) && stack_.InRegister(a, r)) {
    // The sum in another register, in one step.
    AnyReg other;
    const bool immediate = b.FitsImmediate(),
               in_register = !immediate && stack_.InRegister(b, other);
    if (immediate || in_register) {
      r = stack_.Use(a);
      if (in_register) other = stack_.Use(b);
      const AnyReg d = stack_.Alloc(type);
      e_.Lea(
          WidthOf(type), IntReg(d),
          immediate ? Mem::At(IntReg(r), b.Immediate()) : Mem::At(IntReg(r), IntReg(other), 1, 0));
      return stack_.PushReg(type, d);
    }
  }
  const AnyReg d = stack_.Own(a);
  EmitAlu(op, type, IntReg(d), b);
  stack_.PushReg(type, d);
}

void WasmFunction::Multiply(Type type) {
  Operand b = stack_.Pop();
  Operand a = stack_.Pop();
  if (a.IsConst() || (!b.IsConst() && stack_.IsOwned(b) && !stack_.IsOwned(a))) std::swap(a, b);
  const Width w = WidthOf(type);
  if (b.FitsImmediate()) {
    const Reg x = stack_.UseInt(a);
    const AnyReg d = stack_.IsOwned(a) ? a.reg : stack_.Alloc(type);
    e_.ImulImm(w, IntReg(d), x, b.Immediate());
    return stack_.PushReg(type, d);
  }
  const AnyReg d = stack_.Own(a);
  if (b.kind == Kind::kSlot) {
    e_.Imul(w, IntReg(d), stack_.Slot(b.index));
  } else if (b.IsConst()) {
    e_.MovImm(kScratch, b.value);
    e_.Imul(w, IntReg(d), kScratch);
  } else {
    e_.Imul(w, IntReg(d), stack_.UseInt(b));
  }
  stack_.PushReg(type, d);
}

void WasmFunction::Shift(x64::Shift op, Type type) {
  const Operand amount = stack_.Pop();
  const Operand a = stack_.Pop();
  const Width w = WidthOf(type);
  if (amount.IsConst()) {
    const AnyReg d = stack_.Own(a);
    const uint8_t count = amount.value & (w == Width::k64 ? 63 : 31);
    if (count != 0) e_.ShiftImm(op, w, IntReg(d), count);
    return stack_.PushReg(type, d);
  }
  AnyReg in;
  const bool is_there = stack_.InRegister(amount, in) && IntReg(in) == Reg::rcx;
  if (is_there) {
    stack_.Use(amount);
  } else {
    stack_.Acquire(Reg::rcx);
  }
  AnyReg d;
  if (stack_.IsOwned(a) && IntReg(a.reg) == Reg::rcx) {
    d = stack_.Alloc(type);
    e_.Mov(w, IntReg(d), Reg::rcx);
  } else {
    d = stack_.Own(a);
  }
  if (!is_there) stack_.LoadInto(Any(Reg::rcx), amount);
  e_.ShiftCl(op, w, IntReg(d));
  stack_.PushReg(type, d);
}

// rdx:rax is divided; the quotient is in rax, the remainder in rdx.
void WasmFunction::Divide(bool is_signed, bool remainder, Type type) {
  const Operand b = stack_.Pop();
  const Operand a = stack_.Pop();
  const Width w = WidthOf(type);
  AnyReg in;
  Reg divisor = kScratch;
  const bool in_place =
      stack_.InRegister(b, in) && IntReg(in) != Reg::rax && IntReg(in) != Reg::rdx;
  if (in_place) {
    divisor = stack_.UseInt(b);
  } else {
    stack_.LoadInto(Any(kScratch), b);
  }
  // What is popped stays where it is until it is loaded.
  AnyReg dividend;
  const bool in_register = stack_.InRegister(a, dividend);
  stack_.Acquire(Reg::rax);
  if (in_register && dividend != Any(Reg::rax)) e_.Mov(w, Reg::rax, IntReg(dividend));
  stack_.Acquire(Reg::rdx);
  if (!in_register) stack_.LoadInto(Any(Reg::rax), a);

  const bool known = b.IsConst();
  const int64_t value =
      w == Width::k32 ? static_cast<int32_t>(b.value) : static_cast<int64_t>(b.value);
  if (!known || value == 0) {
    e_.TestRR(w, divisor, divisor);
    TrapIf(Cond::kE, Trap::kIntegerDivideByZero);
  }
  Label done{};
  const bool may_be_minus_1 = is_signed && (!known || value == -1);
  if (may_be_minus_1) {
    e_.AluRI(Alu::kCmp, w, divisor, -1);
    const uint32_t skip = a_.Skip(Cond::kNe);
    done = a_.NewLabel();
    if (remainder) {
      e_.AluRR(Alu::kXor, Width::k32, Reg::rdx, Reg::rdx);
    } else {
      e_.UnaryR(x64::Unary::kNeg, w, Reg::rax);
      TrapIf(Cond::kO, Trap::kIntegerOverflow);
    }
    a_.Jump(done);
    a_.Land(skip);
  }
  if (is_signed) {
    e_.SignExtendRax(w);
    e_.UnaryR(x64::Unary::kIdiv, w, divisor);
  } else {
    e_.AluRR(Alu::kXor, Width::k32, Reg::rdx, Reg::rdx);
    e_.UnaryR(x64::Unary::kDiv, w, divisor);
  }
  if (may_be_minus_1) a_.Bind(done);
  stack_.PushReg(type, Any(remainder ? Reg::rdx : Reg::rax));
}

void WasmFunction::BitScan(Type type, bool trailing) {
  const Operand a = stack_.Pop();
  const Width w = WidthOf(type);
  const uint32_t bits = w == Width::k64 ? 64 : 32;
  const Reg x = stack_.UseInt(a);
  const AnyReg d = stack_.Alloc(type);
  // Of a zero the machine's instruction keeps what is in the result: what gives the width.
  e_.MovImm(IntReg(d), trailing ? bits : 2 * bits - 1);
  if (trailing) {
    e_.Bsf(w, IntReg(d), x);
  } else {
    e_.Bsr(w, IntReg(d), x);
    e_.AluRI(Alu::kXor, Width::k32, IntReg(d), static_cast<int32_t>(bits - 1));
  }
  stack_.PushReg(type, d);
}

void WasmFunction::Popcnt(Type type) {
  const Operand a = stack_.Pop();
  const Reg x = stack_.UseInt(a);
  const AnyReg d = stack_.Alloc(type);
  // Some processors wait for the old value of the result.
  e_.AluRR(Alu::kXor, Width::k32, IntReg(d), IntReg(d));
  e_.Popcnt(WidthOf(type), IntReg(d), x);
  stack_.PushReg(type, d);
}

// Of the low bits of an operand of any integer type.
void WasmFunction::SignExtend(Width from, Type type) {
  const Operand a = stack_.Pop();
  if (a.kind == Kind::kSlot) {
    const AnyReg d = stack_.Alloc(type);
    e_.Movsx(from, WidthOf(type), IntReg(d), stack_.Slot(a.index));
    return stack_.PushReg(type, d);
  }
  const Reg x = stack_.UseInt(a);
  const AnyReg d = stack_.IsOwned(a) ? a.reg : stack_.Alloc(type);
  e_.Movsx(from, WidthOf(type), IntReg(d), x);
  stack_.PushReg(type, d);
}

// -- comparisons

void WasmFunction::SetFlags(const Operand& v) {
  const Width w = WidthOf(v.type);
  if (v.kind == Kind::kSlot) return e_.AluMI(Alu::kCmp, w, stack_.Slot(v.index), 0);
  const Reg r = stack_.UseInt(v);
  e_.TestRR(w, r, r);
}

void WasmFunction::Compare(Cond cc, Type type) {
  Operand b = stack_.Pop();
  Operand a = stack_.Pop();
  if (a.IsConst() && !b.IsConst()) {
    std::swap(a, b);
    switch (cc) {  // as it is for exchanged operands
      case Cond::kL:
        cc = Cond::kG;
        break;
      case Cond::kG:
        cc = Cond::kL;
        break;
      case Cond::kLe:
        cc = Cond::kGe;
        break;
      case Cond::kGe:
        cc = Cond::kLe;
        break;
      case Cond::kB:
        cc = Cond::kA;
        break;
      case Cond::kA:
        cc = Cond::kB;
        break;
      case Cond::kBe:
        cc = Cond::kAe;
        break;
      case Cond::kAe:
        cc = Cond::kBe;
        break;
      default:
        break;
    }
  }
  const Width w = WidthOf(type);
  AnyReg r;
  if (b.IsConst() && b.value == 0) {
    SetFlags(a);
  } else if (a.kind == Kind::kSlot && b.FitsImmediate()) {
    e_.AluMI(Alu::kCmp, w, stack_.Slot(a.index), b.Immediate());
  } else if (a.kind == Kind::kSlot && stack_.InRegister(b, r)) {
    e_.AluMR(Alu::kCmp, w, stack_.Slot(a.index), IntReg(r));
  } else {
    EmitAlu(Alu::kCmp, type, stack_.UseInt(a), b);
  }
  FinishCondition({cc});
}

void WasmFunction::Eqz(Type) {
  SetFlags(stack_.Pop());
  FinishCondition({Cond::kE});
}

// Leaves the condition in the flags if the next instruction takes it from there.
void WasmFunction::FinishCondition(Condition condition) {
  constexpr uint8_t kEqzCode = 0x45, kIfCode = 0x04, kBrIfCode = 0x0d, kSelectCode = 0x1b;
  // Something follows, if only the function's end.
  uint8_t next;
  while ((next = module_.bytes[reader_.offset()]) == kEqzCode) {
    wasm::Instruction& eqz = instruction_;
    CHECK(reader_.Read(eqz));
    ++instructions_;
    ++retired_;
    condition = condition.Inverted();
  }
  if (next == kIfCode || next == kBrIfCode || next == kSelectCode) {
    flags_ = condition;
    return;
  }
  const AnyReg d = stack_.Alloc(Type::kI32);
  e_.Setcc(condition.cc, IntReg(d));
  if (condition.parity != Condition::Parity::kNone) {
    const bool and_ordered = condition.parity == Condition::Parity::kAndOrdered;
    e_.Setcc(and_ordered ? Cond::kNp : Cond::kP, kScratch);
    e_.AluRR(and_ordered ? Alu::kAnd : Alu::kOr, Width::k32, IntReg(d), kScratch);
  }
  e_.Movzx(Width::k8, IntReg(d), IntReg(d));
  stack_.PushReg(Type::kI32, d);
}

void WasmFunction::Select() {
  const Condition condition = TakeCondition();
  const Operand b = stack_.Pop();
  const Operand a = stack_.Pop();
  const AnyReg d = stack_.Own(a);
  if (InVectorReg(a.type)) {
    const Label done = a_.NewLabel();
    JumpIf(condition, done);
    stack_.LoadInto(d, b);
    a_.Bind(done);
    return stack_.PushReg(a.type, d);
  }
  // If the condition is false, the other: if either of the flags says so.
  const Condition no = condition.Inverted();
  const Width w = WidthOf(a.type);
  const Reg to = IntReg(d);
  if (no.parity == Condition::Parity::kAndOrdered) {
    const Label done = a_.NewLabel();
    JumpIf(condition, done);
    stack_.LoadInto(d, b);
    a_.Bind(done);
  } else if (b.kind == Kind::kSlot) {
    e_.Cmov(no.cc, w, to, stack_.Slot(b.index));
    if (no.parity == Condition::Parity::kOrUnordered) {
      e_.Cmov(Cond::kP, w, to, stack_.Slot(b.index));
    }
  } else {
    const Reg other = stack_.UseInt(b);
    e_.Cmov(no.cc, w, to, other);
    if (no.parity == Condition::Parity::kOrUnordered) e_.Cmov(Cond::kP, w, to, other);
  }
  stack_.PushReg(a.type, d);
}

bool WasmFunction::CompileInteger(const wasm::Instruction& in) {
  switch (in.op) {
    case Op::kI32Const:
      stack_.PushConst(Type::kI32, static_cast<uint32_t>(in.value));
      return true;
    case Op::kI64Const:
      stack_.PushConst(Type::kI64, static_cast<uint64_t>(in.value));
      return true;
    case Op::kF32Const:
      stack_.PushConst(Type::kF32, static_cast<uint32_t>(in.value));
      return true;
    case Op::kF64Const:
      stack_.PushConst(Type::kF64, static_cast<uint64_t>(in.value));
      return true;
#define PRECAST_INTEGER(Name, call)    \
  case Op::kI32##Name: {               \
    constexpr Type kType = Type::kI32; \
    call;                              \
    return true;                       \
  }                                    \
  case Op::kI64##Name: {               \
    constexpr Type kType = Type::kI64; \
    call;                              \
    return true;                       \
  }
      PRECAST_INTEGER(Eqz, Eqz(kType))
      PRECAST_INTEGER(Eq, Compare(Cond::kE, kType))
      PRECAST_INTEGER(Ne, Compare(Cond::kNe, kType))
      PRECAST_INTEGER(LtS, Compare(Cond::kL, kType))
      PRECAST_INTEGER(LtU, Compare(Cond::kB, kType))
      PRECAST_INTEGER(GtS, Compare(Cond::kG, kType))
      PRECAST_INTEGER(GtU, Compare(Cond::kA, kType))
      PRECAST_INTEGER(LeS, Compare(Cond::kLe, kType))
      PRECAST_INTEGER(LeU, Compare(Cond::kBe, kType))
      PRECAST_INTEGER(GeS, Compare(Cond::kGe, kType))
      PRECAST_INTEGER(GeU, Compare(Cond::kAe, kType))
      PRECAST_INTEGER(Clz, BitScan(kType, false))
      PRECAST_INTEGER(Ctz, BitScan(kType, true))
      PRECAST_INTEGER(Popcnt, Popcnt(kType))
      PRECAST_INTEGER(Add, Binary(Alu::kAdd, kType))
      PRECAST_INTEGER(Sub, Binary(Alu::kSub, kType))
      PRECAST_INTEGER(Mul, Multiply(kType))
      PRECAST_INTEGER(DivS, Divide(true, false, kType))
      PRECAST_INTEGER(DivU, Divide(false, false, kType))
      PRECAST_INTEGER(RemS, Divide(true, true, kType))
      PRECAST_INTEGER(RemU, Divide(false, true, kType))
      PRECAST_INTEGER(And, Binary(Alu::kAnd, kType))
      PRECAST_INTEGER(Or, Binary(Alu::kOr, kType))
      PRECAST_INTEGER(Xor, Binary(Alu::kXor, kType))
      PRECAST_INTEGER(Shl, Shift(x64::Shift::kShl, kType))
      PRECAST_INTEGER(ShrS, Shift(x64::Shift::kSar, kType))
      PRECAST_INTEGER(ShrU, Shift(x64::Shift::kShr, kType))
      PRECAST_INTEGER(Rotl, Shift(x64::Shift::kRol, kType))
      PRECAST_INTEGER(Rotr, Shift(x64::Shift::kRor, kType))
      PRECAST_INTEGER(Extend8S, SignExtend(Width::k8, kType))
      PRECAST_INTEGER(Extend16S, SignExtend(Width::k16, kType))
#undef PRECAST_INTEGER
    case Op::kI64ExtendI32S:
    case Op::kI64Extend32S:
      SignExtend(Width::k32, Type::kI64);
      return true;
    case Op::kI64ExtendI32U: {
      const Operand a = stack_.Pop();
      if (a.IsConst()) {
        stack_.PushConst(Type::kI64, a.value);
      } else {
        stack_.PushReg(Type::kI64, stack_.Use(a));  // the upper half is 0
      }
      return true;
    }
    case Op::kI32WrapI64: {
      const Operand a = stack_.Pop();
      if (a.IsConst()) {
        stack_.PushConst(Type::kI32, static_cast<uint32_t>(a.value));
      } else if (a.kind == Kind::kSlot) {
        stack_.PushSlot(Type::kI32);  // the lower half
      } else {
        const Reg x = stack_.UseInt(a);
        const AnyReg d = stack_.IsOwned(a) ? a.reg : stack_.Alloc(Type::kI32);
        e_.Mov(Width::k32, IntReg(d), x);
        stack_.PushReg(Type::kI32, d);
      }
      return true;
    }
    default:
      return false;
  }
}

}  // namespace precast::baseline
