// A Cursor writes what an Encoder does, whose instructions are decoded by Zydis in encoder_test.
#include "compiler/baseline/riscv_operands.h"

#include <cstdint>
#include <functional>
#include <vector>

#include "compiler/x64/encoder.h"
#include "compiler/x64/registers.h"
#include "gtest/gtest.h"

namespace precast::baseline {
namespace {

using x64::Encoder;
using x64::Mem;
using x64::Reg;
using x64::Width;

using Bytes = std::vector<uint8_t>;

Bytes With(const std::function<void(Cursor&)>& write) {
  Encoder e;
  {
    Cursor c(e);
    write(c);
  }
  return e.Take();
}

Bytes With(const std::function<void(Encoder&)>& write) {
  Encoder e;
  write(e);
  return e.Take();
}

constexpr int32_t kImmediates[] = {1, 4, -1, 127, 128, -128, -129, 2047, -2048, 0x7fffffff};

bool IsHome(uint32_t reg) {
  for (uint8_t r : abi::kPassedIn) {
    if (r == reg) return true;
  }
  return false;
}

TEST(RiscVOperands, EveryGuestRegisterIsWhereTheConventionSays) {
  int in_registers = 0;
  for (uint32_t r = 0; r < 32; ++r) {
    const GuestRegister& g = kGuestRegisters[r];
    in_registers += g.in_slot() ? 0 : 1;
    EXPECT_EQ(g.store, g.in_slot() && r != 0 ? 3 : 0);
    const Mem slot = x64::InContext(4 * r);
    for (uint8_t n = 0; n < 16; ++n) {
      const Reg reg = static_cast<Reg>(n);
      EXPECT_EQ(With([&](Cursor& c) { c.Op(0x89, n, g.operand); }), With([&](Encoder& e) {
                  g.in_slot() ? e.Store(Width::k32, slot, reg)
                              : e.Mov(Width::k32, static_cast<Reg>(g.reg), reg);
                }));
      if (!g.in_slot()) continue;
      EXPECT_EQ(With([&](Cursor& c) { c.Op(0x8b, n, g.operand); }),
                With([&](Encoder& e) { e.Load(Width::k32, reg, slot); }));
      EXPECT_EQ(With([&](Cursor& c) { c.Op0f(0xaf, n, g.operand); }),
                With([&](Encoder& e) { e.Imul(Width::k32, reg, slot); }));
    }
    EXPECT_EQ(With([&](Cursor& c) { EXPECT_EQ(c.UseRax(g), g.in_slot() ? kRax : g.reg); }),
              With([&](Encoder& e) {
                if (g.in_slot()) e.Load(Width::k32, Reg::rax, slot);
              }));
    EXPECT_EQ(With([&](Cursor& c) { EXPECT_EQ(c.UseR11(g), g.in_slot() ? kR11 : g.reg); }),
              With([&](Encoder& e) {
                if (g.in_slot()) e.Load(Width::k32, Reg::r11, slot);
              }));
    EXPECT_EQ(With([&](Cursor& c) { c.Written(g); }), With([&](Encoder& e) {
                if (g.in_slot() && r != 0) e.Store(Width::k32, slot, Reg::rax);
              }));
    for (int32_t imm : kImmediates) {
      EXPECT_EQ(With([&](Cursor& c) { c.OpImm(x64::Alu::kAdd, g.operand, imm); }),
                With([&](Encoder& e) {
                  g.in_slot() ? e.AluMI(x64::Alu::kAdd, Width::k32, slot, imm)
                              : e.AluRI(x64::Alu::kAdd, Width::k32, static_cast<Reg>(g.reg), imm);
                }));
    }
  }
  EXPECT_EQ(in_registers, abi::kNumPassed);
}

TEST(RiscVOperands, InstructionsOnMachineRegisters) {
  for (uint32_t n = 0; n < 16; ++n) {
    const Reg reg = static_cast<Reg>(n);
    EXPECT_EQ(With([&](Cursor& c) { c.MovImm(n, 0x12345678); }),
              With([&](Encoder& e) { e.MovImm(reg, 0x12345678); }));
    for (uint8_t amount : {1, 2, 31}) {
      EXPECT_EQ(With([&](Cursor& c) { c.ShiftImm(x64::Shift::kSar, kMachineOperands[n], amount); }),
                With([&](Encoder& e) { e.ShiftImm(x64::Shift::kSar, Width::k32, reg, amount); }));
    }
    for (uint32_t base = 0; base < 16; ++base) {
      if (base != kRax && !IsHome(base)) continue;
      for (int32_t disp : kImmediates) {
        EXPECT_EQ(With([&](Cursor& c) { c.Lea(n, base, disp); }), With([&](Encoder& e) {
                    e.Lea(Width::k32, reg, Mem::At(static_cast<Reg>(base), disp));
                  }));
      }
    }
  }
  EXPECT_EQ(With([&](Cursor& c) { c.Setcc(x64::Cond::kB); }),
            With([&](Encoder& e) { e.Setcc(x64::Cond::kB, Reg::rax); }));
  EXPECT_EQ(With([&](Cursor& c) { c.Jcc(x64::Cond::kNe); }),
            With([&](Encoder& e) { e.JccRel32(x64::Cond::kNe); }));
}

TEST(RiscVOperands, Accesses) {
  for (uint32_t n = 0; n < 16; ++n) {
    const Reg reg = static_cast<Reg>(n);
    for (uint32_t index = 0; index < 16; ++index) {
      if (index == 4) continue;  // rsp is no index
      for (int32_t disp : {0, 1, -128, 127, 128, -2048, 2047}) {
        const Mem m = Mem::At(x64::kMemory, static_cast<Reg>(index), 1, disp);
        EXPECT_EQ(With([&](Cursor& c) { c.Access(0x8b, n, index, disp, false); }),
                  With([&](Encoder& e) { e.Load(Width::k32, reg, m); }));
        EXPECT_EQ(With([&](Cursor& c) { c.Access(0x0fb6, n, index, disp, false); }),
                  With([&](Encoder& e) { e.Movzx(Width::k8, reg, m); }));
        EXPECT_EQ(With([&](Cursor& c) { c.Access(0x88, n, index, disp, true); }),
                  With([&](Encoder& e) { e.Store(Width::k8, m, reg); }));
      }
    }
  }
}

}  // namespace
}  // namespace precast::baseline
