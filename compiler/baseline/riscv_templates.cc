#include "compiler/baseline/riscv_templates.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "runtime/abi/vm_context.h"

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

bool InRegister(uint8_t r) { return !kGuestRegisters[r].in_slot(); }
Reg Home(uint8_t r) { return static_cast<Reg>(kGuestRegisters[r].reg); }

// One `opcode` for each passed register and its slot: the same bytes wherever that is.
struct PassedMoves {
  std::array<uint8_t, 4 * abi::kNumPassed> bytes{};
  uint32_t size = 0;

  explicit constexpr PassedMoves(uint8_t opcode) {
    for (int i = 0; i < abi::kNumPassed; ++i) {
      const uint8_t reg = abi::kPassedIn[i];
      if (reg >= 8) bytes[size++] = 0x44;
      bytes[size++] = opcode;
      bytes[size++] = static_cast<uint8_t>(0x45 | (reg & 7) << 3);
      bytes[size++] = static_cast<uint8_t>(4 * abi::kPassed[i] - abi::kContextBias);
    }
  }
  void Emit(x64::Encoder& e) const {
    static_assert(sizeof bytes <= x64::Encoder::kRoom);
    uint8_t* const at = e.Room();
    std::memcpy(at, bytes.data(), sizeof bytes);
    e.Advance(at + size);
  }
};
constexpr PassedMoves kSaves(0x89), kLoads(0x8b);

}  // namespace

// -- guest registers

void Templates::Read(Reg dst, uint8_t r) {
  Cursor(e_).Op(0x8b, Number(dst), kGuestRegisters[r].operand);
}

// The machine register that holds r; loads it into `scratch` if it is not in one.
Reg Templates::Use(uint8_t r, Reg scratch) {
  if (InRegister(r)) return Home(r);
  Read(scratch, r);
  return scratch;
}

void Templates::Set(uint8_t rd, uint32_t value) {
  if (rd == 0) return;
  Cursor c(e_);
  SetIn(c, rd, value);
}

void Templates::Write(uint8_t rd, Reg value) {
  if (rd != 0) Cursor(e_).Op(0x89, Number(value), kGuestRegisters[rd].operand);
}

void Templates::SavePassed() { kSaves.Emit(e_); }
void Templates::RestorePassed() { kLoads.Emit(e_); }

// -- arithmetic

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

void Templates::SetIfImm(Cond cond, const Instruction& in) {
  Cursor c(e_);
  c.Op(0x31, kRax, kMachineOperands[kRax]);  // xor
  c.OpImm(x64::Alu::kCmp, kGuestRegisters[in.rs1].operand, in.imm);
  c.Setcc(cond);
  c.Op(0x89, kRax, kGuestRegisters[in.rd].operand);
}

void Templates::Multiply(const Instruction& in) {
  Cursor c(e_);
  const GuestRegister& d = kGuestRegisters[in.rd];
  const uint32_t result = in.rd == in.rs1 ? d.reg : kRax;
  if (result == kRax) c.Op(0x8b, kRax, kGuestRegisters[in.rs1].operand);
  c.Op0f(0xaf, result, kGuestRegisters[in.rs2].operand);  // imul
  if (result == kRax) c.Op(0x89, kRax, d.operand);
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

// x / 0 = all ones, x % 0 = x, MIN / -1 = MIN, MIN % -1 = 0, where the machine's division would
// trap. rdx holds a guest register, which waits in r12.
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
      AddImm(in);
      return true;
    case Op::kSlti:
      SetIfImm(Cond::kL, in);
      return true;
    case Op::kSltiu:
      SetIfImm(Cond::kB, in);
      return true;
    case Op::kXori:
      AluImm<x64::Alu::kXor>(in);
      return true;
    case Op::kOri:
      AluImm<x64::Alu::kOr>(in);
      return true;
    case Op::kAndi:
      AluImm<x64::Alu::kAnd>(in);
      return true;
    case Op::kSlli:
      ShiftImm<x64::Shift::kShl>(in);
      return true;
    case Op::kSrli:
      ShiftImm<x64::Shift::kShr>(in);
      return true;
    case Op::kSrai:
      ShiftImm<x64::Shift::kSar>(in);
      return true;
    case Op::kAdd:
      Alu<x64::Alu::kAdd>(in);
      return true;
    case Op::kSub:
      Alu<x64::Alu::kSub>(in);
      return true;
    case Op::kSll:
      Shift(x64::Shift::kShl, in);
      return true;
    case Op::kSlt:
      SetIf<Cond::kL>(in);
      return true;
    case Op::kSltu:
      SetIf<Cond::kB>(in);
      return true;
    case Op::kXor:
      Alu<x64::Alu::kXor>(in);
      return true;
    case Op::kSrl:
      Shift(x64::Shift::kShr, in);
      return true;
    case Op::kSra:
      Shift(x64::Shift::kSar, in);
      return true;
    case Op::kOr:
      Alu<x64::Alu::kOr>(in);
      return true;
    case Op::kAnd:
      Alu<x64::Alu::kAnd>(in);
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
