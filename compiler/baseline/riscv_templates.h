// The machine code of single RISC-V instructions, for riscv_compiler.cc: what moves values between
// guest registers, and nothing of control flow.
//
// Scratch registers are rax, r11 and r12, the three that hold no guest register. An instruction
// that can fault changes no guest register before it.
#ifndef PRECAST_COMPILER_BASELINE_RISCV_TEMPLATES_H_
#define PRECAST_COMPILER_BASELINE_RISCV_TEMPLATES_H_

#include <cstdint>

#include "absl/base/attributes.h"
#include "compiler/baseline/assembler.h"
#include "compiler/baseline/riscv_operands.h"
#include "compiler/riscv/decoder.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/registers.h"

namespace precast::baseline {

class Templates {
 public:
  explicit Templates(Assembler& a) : a_(a), e_(a.code()) {}

  static x64::Mem Slot(uint8_t r) { return x64::InContext(4 * uint64_t{r}); }

  // dst := r.
  void Read(x64::Reg dst, uint8_t r);
  // Guest register := value, := machine register. Writes of x0 do nothing. Set clobbers flags.
  void Set(uint8_t rd, uint32_t value);
  void Write(uint8_t rd, x64::Reg value);
  // Around a call that keeps no register: passed registers to their slots, and back. Clobber no
  // flags.
  void SavePassed();
  void RestorePassed();
  // Flags := a - b.
  void Compare(uint8_t a, uint8_t b);

  // An instruction that is neither load or store nor ends a block; false if there is no template.
  bool Emit(const riscv::Instruction& in, uint32_t pc);
  // Those that most code consists of, also for Emit. rd is not x0.
  void AddImm(const riscv::Instruction& in);
  template <x64::Alu op>
  void Alu(const riscv::Instruction& in);
  template <x64::Alu op>
  void AluImm(const riscv::Instruction& in);
  template <x64::Shift op>
  void ShiftImm(const riscv::Instruction& in);
  template <x64::Cond cond>
  void SetIf(const riscv::Instruction& in);

  // Loads and stores, in two steps, so that the caller can do something in between: the instruction
  // made by the second may fault.
  struct Access {
    uint32_t index;  // of the address
    int32_t disp;
    uint32_t value;  // of a store
  };
  static Access PrepareAccess(Cursor& c, const riscv::Instruction& in, bool is_store);
  // In between: flags := those low bits of the address that are in `mask`, which is at most 3.
  static void TestAddress(Cursor& c, const Access& access, uint32_t mask);
  template <riscv::Op op>
  static void EmitLoad(Cursor& c, const riscv::Instruction& in, const Access& access);
  template <riscv::Op op>
  static void EmitStore(Cursor& c, const riscv::Instruction& in, const Access& access);

 private:
  static void SetIn(Cursor& c, uint8_t rd, uint32_t value);
  static void Move(Cursor& c, uint8_t rd, uint8_t rs);
  x64::Reg Use(uint8_t r, x64::Reg scratch);
  void SetIfImm(x64::Cond cond, const riscv::Instruction& in);
  void Shift(x64::Shift op, const riscv::Instruction& in);
  void Multiply(const riscv::Instruction& in);
  void MultiplyHigh(bool signed_a, bool signed_b, const riscv::Instruction& in);
  void Divide(bool is_signed, bool remainder, const riscv::Instruction& in);

  Assembler& a_;
  x64::Encoder& e_;
};

#define PRECAST_HOT ABSL_ATTRIBUTE_ALWAYS_INLINE inline

PRECAST_HOT void Templates::SetIn(Cursor& c, uint8_t rd, uint32_t value) {
  const GuestRegister& d = kGuestRegisters[rd];
  if (d.in_slot()) {
    c.Op(0xc7, 0, d.operand);  // mov [slot], imm
    c.Bytes(value, 4);
  } else if (value == 0) {
    c.Op(0x31, d.reg, d.operand);  // xor
  } else {
    c.MovImm(d.reg, value);
  }
}

// rd is not x0.
PRECAST_HOT void Templates::Move(Cursor& c, uint8_t rd, uint8_t rs) {
  const GuestRegister& d = kGuestRegisters[rd];
  const GuestRegister& s = kGuestRegisters[rs];
  if (rs == 0) return SetIn(c, rd, 0);
  if (rd == rs) return;
  if (d.in_slot()) {
    const uint32_t value = c.UseRax(s);
    c.Op(0x89, value, d.operand);
  } else {
    c.Op(0x8b, d.reg, s.operand);
  }
}

PRECAST_HOT void Templates::Compare(uint8_t a, uint8_t b) {
  Cursor c(e_);
  const GuestRegister& x = kGuestRegisters[a];
  const GuestRegister& y = kGuestRegisters[b];
  if (b == 0) {
    if (x.in_slot()) return c.OpImm(x64::Alu::kCmp, x.operand, 0);
    return c.Op(0x85, x.reg, x.operand);  // test
  }
  if (x.in_slot() && !y.in_slot()) return c.Op(0x39, y.reg, x.operand);
  const uint32_t first = c.UseRax(x);
  c.Op(0x3b, first, y.operand);
}

PRECAST_HOT void Templates::AddImm(const riscv::Instruction& in) {
  Cursor c(e_);
  if (in.rs1 == 0) return SetIn(c, in.rd, static_cast<uint32_t>(in.imm));
  if (in.imm == 0) return Move(c, in.rd, in.rs1);
  const GuestRegister& d = kGuestRegisters[in.rd];
  if (in.rd == in.rs1) return c.OpImm(x64::Alu::kAdd, d.operand, in.imm);
  const uint32_t base = c.UseRax(kGuestRegisters[in.rs1]);
  c.Lea(d.reg, base, in.imm);
  c.Written(d);
}

template <x64::Alu op>
PRECAST_HOT void Templates::Alu(const riscv::Instruction& in) {
  constexpr uint32_t kOpcode = static_cast<uint32_t>(op) << 3;  // 1 more: op r/m, r; 3: op r, r/m
  constexpr bool kCommutes = op != x64::Alu::kSub;
  Cursor c(e_);
  if (op != x64::Alu::kAnd) {
    if (in.rs2 == 0) return Move(c, in.rd, in.rs1);
    if (in.rs1 == 0 && kCommutes) return Move(c, in.rd, in.rs2);
  }
  const GuestRegister& d = kGuestRegisters[in.rd];
  const GuestRegister& a = kGuestRegisters[in.rs1];
  const GuestRegister& b = kGuestRegisters[in.rs2];
  if (op == x64::Alu::kSub && in.rs1 == 0) {
    if (in.rd != in.rs2 || d.in_slot()) c.Op(0x8b, d.reg, b.operand);
    c.Op(0xf7, static_cast<uint32_t>(x64::Unary::kNeg), kMachineOperands[d.reg]);
    return c.Written(d);
  }
  if (in.rd == in.rs1 || (in.rd == in.rs2 && kCommutes)) {
    const GuestRegister& other = in.rd == in.rs1 ? b : a;
    if (d.in_slot()) {
      const uint32_t value = c.UseRax(other);
      c.Op(kOpcode | 1, value, d.operand);
    } else {
      c.Op(kOpcode | 3, d.reg, other.operand);
    }
    return;
  }
  const uint32_t result = in.rd == in.rs2 ? kRax : d.reg;
  c.Op(0x8b, result, a.operand);
  c.Op(kOpcode | 3, result, b.operand);
  if (result == kRax) c.Op(0x89, kRax, d.operand);
}

template <x64::Alu op>
PRECAST_HOT void Templates::AluImm(const riscv::Instruction& in) {
  Cursor c(e_);
  if (op != x64::Alu::kAnd) {
    if (in.rs1 == 0) return SetIn(c, in.rd, static_cast<uint32_t>(in.imm));
    if (in.imm == 0) return Move(c, in.rd, in.rs1);
  }
  const GuestRegister& d = kGuestRegisters[in.rd];
  if (in.rd == in.rs1) return c.OpImm(op, d.operand, in.imm);
  c.Op(0x8b, d.reg, kGuestRegisters[in.rs1].operand);
  c.OpImm(op, kMachineOperands[d.reg], in.imm);
  c.Written(d);
}

template <x64::Shift op>
PRECAST_HOT void Templates::ShiftImm(const riscv::Instruction& in) {
  Cursor c(e_);
  if (in.imm == 0) return Move(c, in.rd, in.rs1);
  const GuestRegister& d = kGuestRegisters[in.rd];
  if (in.rd != in.rs1 || d.in_slot()) c.Op(0x8b, d.reg, kGuestRegisters[in.rs1].operand);
  c.ShiftImm(op, kMachineOperands[d.reg], static_cast<uint32_t>(in.imm));
  c.Written(d);
}

template <x64::Cond cond>
PRECAST_HOT void Templates::SetIf(const riscv::Instruction& in) {
  Cursor c(e_);
  c.Op(0x31, kRax, kMachineOperands[kRax]);  // xor
  const uint32_t first = c.UseR11(kGuestRegisters[in.rs1]);
  c.Op(0x3b, first, kGuestRegisters[in.rs2].operand);
  c.Setcc(cond);
  c.Op(0x89, kRax, kGuestRegisters[in.rd].operand);
}

PRECAST_HOT Templates::Access Templates::PrepareAccess(Cursor& c, const riscv::Instruction& in,
                                                       bool is_store) {
  Access access;
  if (in.rs1 == 0) {
    c.MovImm(kRax, static_cast<uint32_t>(in.imm));
    access.index = kRax;
    access.disp = 0;
  } else {
    access.index = c.UseRax(kGuestRegisters[in.rs1]);
    access.disp = in.imm;
  }
  access.value = 0;
  if (is_store && in.rs2 != 0) access.value = c.UseR11(kGuestRegisters[in.rs2]);
  return access;
}

PRECAST_HOT void Templates::TestAddress(Cursor& c, const Access& access, uint32_t mask) {
  uint32_t address = access.index;
  if ((static_cast<uint32_t>(access.disp) & mask) != 0) {
    c.Lea(static_cast<uint32_t>(x64::Reg::r12), address, access.disp);
    address = static_cast<uint32_t>(x64::Reg::r12);
  }
  if (address == kRax) return c.Bytes(0xa8 | mask << 8, 2);  // test al, mask
  // test r8, mask: with a REX prefix, empty or not, for all that a guest register is in but cl and
  // dl.
  const uint32_t skip = address < 4 ? 1 : 0;
  const uint32_t bytes = (0x40 | address >> 3) | 0xf600 | (0xc0 | (address & 7)) << 16 | mask << 24;
  c.Bytes(bytes >> (8 * skip), 4 - skip);
}

template <riscv::Op op>
PRECAST_HOT void Templates::EmitLoad(Cursor& c, const riscv::Instruction& in,
                                     const Access& access) {
  using riscv::Op;
  constexpr uint32_t kOpcode = op == Op::kLb    ? 0x0fbe
                               : op == Op::kLh  ? 0x0fbf
                               : op == Op::kLbu ? 0x0fb6
                               : op == Op::kLhu ? 0x0fb7
                                                : 0x8b;
  const GuestRegister& d = kGuestRegisters[in.rd];
  c.Access(kOpcode, d.reg, access.index, access.disp, /*byte_reg=*/false);
  c.Written(d);
}

template <riscv::Op op>
PRECAST_HOT void Templates::EmitStore(Cursor& c, const riscv::Instruction& in,
                                      const Access& access) {
  using riscv::Op;
  constexpr bool kByte = op == Op::kSb;
  if (op == Op::kSh) c.Bytes(0x66, 1);
  if (in.rs2 == 0) {
    c.Access(kByte ? 0xc6 : 0xc7, 0, access.index, access.disp, /*byte_reg=*/false);
    c.Bytes(0, kByte ? 1 : op == Op::kSh ? 2 : 4);
  } else {
    c.Access(kByte ? 0x88 : 0x89, access.value, access.index, access.disp, kByte);
  }
}

#undef PRECAST_HOT

}  // namespace precast::baseline

#endif  // PRECAST_COMPILER_BASELINE_RISCV_TEMPLATES_H_
