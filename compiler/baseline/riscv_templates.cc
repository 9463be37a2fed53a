#include "compiler/baseline/riscv_templates.h"

#include <cstdint>

namespace precast::baseline {

using riscv::Instruction;
using riscv::Op;
using x64::Cond;
using x64::Mem;
using x64::Reg;
using x64::Unary;
using x64::Width;

namespace {

constexpr Width k32 = Width::k32;
constexpr Width k64 = Width::k64;

constexpr bool Commutes(x64::Alu op) { return op != x64::Alu::kSub; }

}  // namespace

// -- guest registers

void Templates::Read(Reg dst, uint8_t r) {
  if (InRegister(r)) {
    e_.Mov(k32, dst, Home(r));
  } else if (r == 0) {
    e_.AluRR(x64::Alu::kXor, k32, dst, dst);
  } else {
    e_.Load(k32, dst, Slot(r));
  }
}

Reg Templates::Use(uint8_t r, Reg scratch) {
  if (InRegister(r)) return Home(r);
  Read(scratch, r);
  return scratch;
}

void Templates::Set(uint8_t rd, uint32_t value) {
  if (rd == 0) return;
  if (!InRegister(rd)) {
    e_.StoreImm(k32, Slot(rd), static_cast<int32_t>(value));
  } else if (value == 0) {
    e_.AluRR(x64::Alu::kXor, k32, Home(rd), Home(rd));
  } else {
    e_.MovImm(Home(rd), value);
  }
}

void Templates::Write(uint8_t rd, Reg value) {
  if (rd == 0) return;
  if (!InRegister(rd)) {
    e_.Store(k32, Slot(rd), value);
  } else if (Home(rd) != value) {
    e_.Mov(k32, Home(rd), value);
  }
}

void Templates::Move(uint8_t rd, uint8_t rs) {
  if (rd == rs || rd == 0) return;
  if (rs == 0) return Set(rd, 0);
  if (InRegister(rd)) return Read(Home(rd), rs);
  Write(rd, Use(rs, Reg::rax));
}

void Templates::SavePassed() {
  for (uint8_t r : abi::kPassed) e_.Store(k32, Slot(r), Home(r));
}

void Templates::RestorePassed() {
  for (uint8_t r : abi::kPassed) e_.Load(k32, Home(r), Slot(r));
}

void Templates::Compare(uint8_t a, uint8_t b) {
  if (InRegister(a)) {
    if (b == 0) {
      e_.TestRR(k32, Home(a), Home(a));
    } else {
      AluWith(x64::Alu::kCmp, Home(a), b);
    }
  } else if (a != 0 && b == 0) {
    e_.AluMI(x64::Alu::kCmp, k32, Slot(a), 0);
  } else if (a != 0 && InRegister(b)) {
    e_.AluMR(x64::Alu::kCmp, k32, Slot(a), Home(b));
  } else {
    Read(Reg::rax, a);
    AluWith(x64::Alu::kCmp, Reg::rax, b);
  }
}

// dst := dst op r.
void Templates::AluWith(x64::Alu op, Reg dst, uint8_t r) {
  if (InRegister(r)) {
    e_.AluRR(op, k32, dst, Home(r));
  } else if (r == 0) {
    e_.AluRI(op, k32, dst, 0);
  } else {
    e_.AluRM(op, k32, dst, Slot(r));
  }
}

// -- arithmetic

void Templates::Alu(x64::Alu op, const Instruction& in) {
  const uint8_t d = in.rd, a = in.rs1, b = in.rs2;
  if (op != x64::Alu::kAnd) {
    if (b == 0) return Move(d, a);
    if (a == 0 && Commutes(op)) return Move(d, b);
  }
  if (d == a || (d == b && Commutes(op))) {
    const uint8_t other = d == a ? b : a;
    if (InRegister(d)) {
      AluWith(op, Home(d), other);
    } else {
      e_.AluMR(op, k32, Slot(d), Use(other, Reg::rax));
    }
    return;
  }
  const Reg result = InRegister(d) && d != b ? Home(d) : Reg::rax;
  Read(result, a);
  AluWith(op, result, b);
  Write(d, result);
}

void Templates::AluImm(x64::Alu op, const Instruction& in) {
  const uint8_t d = in.rd, a = in.rs1;
  if (op != x64::Alu::kAnd) {
    if (a == 0) return Set(d, static_cast<uint32_t>(in.imm));
    if (in.imm == 0) return Move(d, a);
  }
  if (d == a) {
    if (InRegister(d)) {
      e_.AluRI(op, k32, Home(d), in.imm);
    } else {
      e_.AluMI(op, k32, Slot(d), in.imm);
    }
    return;
  }
  if (op == x64::Alu::kAdd && InRegister(a)) {
    const Reg result = InRegister(d) ? Home(d) : Reg::rax;
    e_.Lea(k32, result, Mem::At(Home(a), in.imm));
    return Write(d, result);
  }
  const Reg result = InRegister(d) ? Home(d) : Reg::rax;
  Read(result, a);
  e_.AluRI(op, k32, result, in.imm);
  Write(d, result);
}

void Templates::ShiftImm(x64::Shift op, const Instruction& in) {
  if (in.imm == 0) return Move(in.rd, in.rs1);
  const Reg result = InRegister(in.rd) ? Home(in.rd) : Reg::rax;
  if (in.rd != in.rs1 || result == Reg::rax) Read(result, in.rs1);
  e_.ShiftImm(op, k32, result, static_cast<uint8_t>(in.imm));
  Write(in.rd, result);
}

// The amount must be in cl, which holds a guest register.
void Templates::Shift(x64::Shift op, const Instruction& in) {
  Read(Reg::rax, in.rs1);
  const bool is_there = InRegister(in.rs2) && Home(in.rs2) == Reg::rcx;
  if (!is_there) {
    e_.Mov(k32, Reg::r11, Reg::rcx);
    Read(Reg::rcx, in.rs2);
  }
  e_.ShiftCl(op, k32, Reg::rax);
  if (!is_there) e_.Mov(k32, Reg::rcx, Reg::r11);
  Write(in.rd, Reg::rax);
}

void Templates::SetIf(Cond cond, const Instruction& in) {
  e_.AluRR(x64::Alu::kXor, k32, Reg::rax, Reg::rax);
  AluWith(x64::Alu::kCmp, Use(in.rs1, Reg::r11), in.rs2);
  e_.Setcc(cond, Reg::rax);
  Write(in.rd, Reg::rax);
}

void Templates::SetIfImm(Cond cond, const Instruction& in) {
  e_.AluRR(x64::Alu::kXor, k32, Reg::rax, Reg::rax);
  e_.AluRI(x64::Alu::kCmp, k32, Use(in.rs1, Reg::r11), in.imm);
  e_.Setcc(cond, Reg::rax);
  Write(in.rd, Reg::rax);
}

void Templates::Multiply(const Instruction& in) {
  const Reg result = InRegister(in.rd) && in.rd == in.rs1 ? Home(in.rd) : Reg::rax;
  if (result == Reg::rax) Read(result, in.rs1);
  e_.Imul(k32, result, Use(in.rs2, Reg::r11));
  Write(in.rd, result);
}

void Templates::MultiplyHigh(bool signed_a, bool signed_b, const Instruction& in) {
  const auto extend = [this](bool is_signed, Reg dst, uint8_t r) {
    if (is_signed) {
      e_.Movsx(k32, k64, dst, Use(r, dst));
    } else {
      Read(dst, r);
    }
  };
  extend(signed_a, Reg::rax, in.rs1);
  extend(signed_b, Reg::r11, in.rs2);
  e_.Imul(k64, Reg::rax, Reg::r11);
  e_.ShiftImm(x64::Shift::kShr, k64, Reg::rax, 32);
  Write(in.rd, Reg::rax);
}

// x / 0 = all ones, x % 0 = x, MIN / -1 = MIN, MIN % -1 = 0, where the machine's division would trap.
// rdx holds a guest register, which waits in r12.
void Templates::Divide(bool is_signed, bool remainder, const Instruction& in) {
  Read(Reg::rax, in.rs1);
  Read(Reg::r11, in.rs2);
  e_.Mov(k32, Reg::r12, Reg::rdx);
  uint32_t to_regular, minus_one_done = 0;
  if (is_signed) {
    e_.Lea(k32, Reg::rdx, Mem::At(Reg::r11, 1));  // the divisor is -1 or 0 if this is 0 or 1
    e_.AluRI(x64::Alu::kCmp, k32, Reg::rdx, 1);
    to_regular = a_.Skip(Cond::kA);
    const uint32_t to_zero = a_.Skip(Cond::kE);
    if (remainder) {
      e_.AluRR(x64::Alu::kXor, k32, Reg::rdx, Reg::rdx);
    } else {
      e_.UnaryR(Unary::kNeg, k32, Reg::rax);
    }
    minus_one_done = a_.Skip();
    a_.Land(to_zero);
  } else {
    e_.TestRR(k32, Reg::r11, Reg::r11);
    to_regular = a_.Skip(Cond::kNe);
  }
  if (remainder) {
    e_.Mov(k32, Reg::rdx, Reg::rax);
  } else {
    e_.MovImm(Reg::rax, 0xffffffffu);
  }
  const uint32_t zero_done = a_.Skip();
  a_.Land(to_regular);
  if (is_signed) {
    e_.SignExtendRax(k32);
  } else {
    e_.AluRR(x64::Alu::kXor, k32, Reg::rdx, Reg::rdx);
  }
  e_.UnaryR(is_signed ? Unary::kIdiv : Unary::kDiv, k32, Reg::r11);
  if (is_signed) a_.Land(minus_one_done);
  a_.Land(zero_done);
  if (remainder) e_.Mov(k32, Reg::rax, Reg::rdx);
  e_.Mov(k32, Reg::rdx, Reg::r12);
  Write(in.rd, Reg::rax);
}

// -- memory

void Templates::PrepareAccess(const Instruction& in) {
  if (in.rs1 == 0) {
    e_.MovImm(Reg::rax, static_cast<uint32_t>(in.imm));
    access_index_ = Reg::rax;
    access_disp_ = 0;
  } else {
    access_index_ = Use(in.rs1, Reg::rax);
    access_disp_ = in.imm;
  }
  if (!riscv::IsStore(in.op)) {
    access_value_ = InRegister(in.rd) ? Home(in.rd) : Reg::rax;
  } else if (in.rs2 != 0) {
    access_value_ = Use(in.rs2, Reg::r11);
  }
}

void Templates::TestAddress(uint32_t mask) {
  Reg address = access_index_;
  if ((static_cast<uint32_t>(access_disp_) & mask) != 0) {
    e_.Lea(k32, Reg::r12, Mem::At(address, access_disp_));
    address = Reg::r12;
  }
  e_.TestRI(Width::k8, address, static_cast<int32_t>(mask));
}

void Templates::EmitAccess(const Instruction& in) {
  switch (in.op) {
    case Op::kLb:
      e_.Movsx(Width::k8, k32, access_value_, Access());
      break;
    case Op::kLh:
      e_.Movsx(Width::k16, k32, access_value_, Access());
      break;
    case Op::kLbu:
      e_.Movzx(Width::k8, access_value_, Access());
      break;
    case Op::kLhu:
      e_.Movzx(Width::k16, access_value_, Access());
      break;
    case Op::kLw:
      e_.Load(k32, access_value_, Access());
      break;
    case Op::kSw:
      return in.rs2 == 0 ? e_.StoreImm(k32, Access(), 0) : e_.Store(k32, Access(), access_value_);
    case Op::kSh:
      return in.rs2 == 0 ? e_.StoreImm(Width::k16, Access(), 0)
                         : e_.Store(Width::k16, Access(), access_value_);
    default:
      return in.rs2 == 0 ? e_.StoreImm(Width::k8, Access(), 0)
                         : e_.Store(Width::k8, Access(), access_value_);
  }
  Write(in.rd, access_value_);
}

// -- all of them

bool Templates::Emit(const Instruction& in, uint32_t pc) {
  // What is left without a result: loads, which are not for here, and what does nothing anyway.
  if (in.rd == 0 && in.op <= Op::kRemu) return true;
  switch (in.op) {
    case Op::kLui:
      Set(in.rd, static_cast<uint32_t>(in.imm));
      return true;
    case Op::kAuipc:
      Set(in.rd, pc + static_cast<uint32_t>(in.imm));
      return true;
    case Op::kAddi:
      AluImm(x64::Alu::kAdd, in);
      return true;
    case Op::kSlti:
      SetIfImm(Cond::kL, in);
      return true;
    case Op::kSltiu:
      SetIfImm(Cond::kB, in);
      return true;
    case Op::kXori:
      AluImm(x64::Alu::kXor, in);
      return true;
    case Op::kOri:
      AluImm(x64::Alu::kOr, in);
      return true;
    case Op::kAndi:
      AluImm(x64::Alu::kAnd, in);
      return true;
    case Op::kSlli:
      ShiftImm(x64::Shift::kShl, in);
      return true;
    case Op::kSrli:
      ShiftImm(x64::Shift::kShr, in);
      return true;
    case Op::kSrai:
      ShiftImm(x64::Shift::kSar, in);
      return true;
    case Op::kAdd:
      Alu(x64::Alu::kAdd, in);
      return true;
    case Op::kSub:
      Alu(x64::Alu::kSub, in);
      return true;
    case Op::kSll:
      Shift(x64::Shift::kShl, in);
      return true;
    case Op::kSlt:
      SetIf(Cond::kL, in);
      return true;
    case Op::kSltu:
      SetIf(Cond::kB, in);
      return true;
    case Op::kXor:
      Alu(x64::Alu::kXor, in);
      return true;
    case Op::kSrl:
      Shift(x64::Shift::kShr, in);
      return true;
    case Op::kSra:
      Shift(x64::Shift::kSar, in);
      return true;
    case Op::kOr:
      Alu(x64::Alu::kOr, in);
      return true;
    case Op::kAnd:
      Alu(x64::Alu::kAnd, in);
      return true;
    case Op::kMul:
      Multiply(in);
      return true;
    case Op::kMulh:
      MultiplyHigh(true, true, in);
      return true;
    case Op::kMulhsu:
      MultiplyHigh(true, false, in);
      return true;
    case Op::kMulhu:
      MultiplyHigh(false, false, in);
      return true;
    case Op::kDiv:
      Divide(true, false, in);
      return true;
    case Op::kDivu:
      Divide(false, false, in);
      return true;
    case Op::kRem:
      Divide(true, true, in);
      return true;
    case Op::kRemu:
      Divide(false, true, in);
      return true;
    case Op::kFence:
    case Op::kFenceI:
      return true;  // one hart, and code that never changes
    default:
      return false;
  }
}

}  // namespace precast::baseline
