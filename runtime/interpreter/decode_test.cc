#include "runtime/interpreter/decode.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/testing/rv32.h"

namespace precast::runtime {
namespace {

using Op = Operation;

DecodedInstruction Make(Op operation, uint8_t rd, uint8_t rs1, uint8_t rs2, uint32_t immediate) {
  DecodedInstruction i;
  i.operation = operation;
  i.rd = rd;
  i.rs1 = rs1;
  i.rs2 = rs2;
  i.immediate = immediate;
  return i;
}

// Words, and the text beside them as GNU binutils disassemble them.
TEST(DecodeTest, KnownWords) {
  struct Case {
    uint32_t word;
    Op operation;
    uint8_t rd, rs1, rs2;
    uint32_t immediate;
  };
  constexpr uint8_t kNone = 0xFF;  // a field that the format does not have
  const Case cases[] = {
      {0xfffff2b7, Op::kLui, 5, kNone, kNone, 0xFFFFF000},            // lui t0, 0xfffff
      {0x12345f97, Op::kAuipc, 31, kNone, kNone, 0x12345000},         // auipc t6, 0x12345
      {0x800000ef, Op::kJal, 1, kNone, kNone, 0xFFF00000},            // jal ra, .-1048576
      {0x7ffff06f, Op::kJal, kSinkRegister, kNone, kNone, 0xFFFFE},   // j .+1048574
      {0x80050067, Op::kJalr, kSinkRegister, 10, kNone, 0xFFFFF800},  // jr -2048(a0)
      {0x80b50063, Op::kBeq, kNone, 10, 11, 0xFFFFF000},              // beq a0, a1, .-4096
      {0x7eb51fe3, Op::kBne, kNone, 10, 11, 0xFFE},                   // bne a0, a1, .+4094
      {0x7ff50513, Op::kAddi, 10, 10, kNone, 2047},                   // addi a0, a0, 2047
      {0x80053513, Op::kSltiu, 10, 10, kNone, 0xFFFFF800},            // sltiu a0, a0, -2048
      {0x01f51513, Op::kSlli, 10, 10, kNone, 31},                     // slli a0, a0, 31
      {0x41f55513, Op::kSrai, 10, 10, kNone, 31},                     // srai a0, a0, 31
      {0x80152023, Op::kSw, kNone, 10, 1, 0xFFFFF800},                // sw ra, -2048(a0)
      {0x7e150fa3, Op::kSb, kNone, 10, 1, 2047},                      // sb ra, 2047(a0)
      {0xfff55503, Op::kLhu, 10, 10, kNone, 0xFFFFFFFF},              // lhu a0, -1(a0)
      {0x40b50533, Op::kSub, 10, 10, 11, 0},                          // sub a0, a0, a1
      {0x02b52533, Op::kMulhsu, 10, 10, 11, 0},                       // mulhsu a0, a0, a1
      {0x02b57033, Op::kRemu, kSinkRegister, 10, 11, 0},              // remu zero, a0, a1
      {0x0ff0000f, Op::kFence, kNone, kNone, kNone, 0},               // fence
      {0x0000100f, Op::kFence, kNone, kNone, kNone, 0},               // fence.i
      {0x00000073, Op::kEcall, kNone, kNone, kNone, 0},               // ecall
      {0x00100073, Op::kEbreak, kNone, kNone, kNone, 0},              // ebreak
  };
  for (const Case& c : cases) {
    DecodedInstruction i = Decode(c.word);
    EXPECT_EQ(i.operation, c.operation) << std::hex << c.word;
    if (c.rd != kNone) {
      EXPECT_EQ(i.rd, c.rd) << std::hex << c.word;
    }
    if (c.rs1 != kNone) {
      EXPECT_EQ(i.rs1, c.rs1) << std::hex << c.word;
    }
    if (c.rs2 != kNone) {
      EXPECT_EQ(i.rs2, c.rs2) << std::hex << c.word;
    }
    EXPECT_EQ(i.immediate, c.immediate) << std::hex << c.word;
  }
}

TEST(DecodeTest, IllegalWords) {
  const uint32_t words[] = {
      0x00000000,
      0xFFFFFFFF,
      0x00000001,                  // c.nop
      0x00008082,                  // c.ret
      0xc00022f3,                  // rdcycle t0
      0xc0102573,                  // rdtime a0
      0x30200073,                  // mret
      0x10500073,                  // wfi
      0x00000173,                  // ecall with rd
      0x00200073,                  // uret
      0x02051513,                  // slli with shamt bit 5
      0x42055513,                  // srai with shamt bit 5
      0x20055513,                  // srli with a bad funct7
      0x40b51533,                  // sll with funct7 of sub
      0x04b50533,                  // add with a bad funct7
      0x00051067,                  // jalr with funct3 1
      0x00b52063,                  // branch with funct3 2
      0x00053003,                  // ld
      0x00056003,                  // lwu
      0x00b53023,                  // sd
      0x0000200f,                  // fence with funct3 2
      0x00b5053b,                  // addw
      0x1005252f,                  // lr.w
      0x00052507,                  // flw
      0x00b50053,                  // fadd.s
      0x00000037 | 1 << 2 | 0x40,  // an unused opcode
  };
  for (uint32_t word : words) EXPECT_EQ(Decode(word).operation, Op::kIllegal) << std::hex << word;
}

// Every field of every format, against the encoder, which goes the other way.
TEST(DecodeTest, ImmediatesOfEveryBit) {
  for (int bit = 0; bit < 12; ++bit) {
    int32_t imm = bit == 11 ? -2048 : 1 << bit;
    auto u = static_cast<uint32_t>(imm);
    EXPECT_EQ(Decode(rv32::lw(3, imm, 4)).immediate, u);
    EXPECT_EQ(Decode(rv32::sw(3, imm, 4)).immediate, u);
    EXPECT_EQ(Decode(rv32::beq(3, 4, imm * 2)).immediate, u * 2);
  }
  for (int bit = 1; bit < 21; ++bit) {
    int32_t imm = bit == 20 ? -(1 << 20) : 1 << bit;
    EXPECT_EQ(Decode(rv32::jal(3, imm)).immediate, static_cast<uint32_t>(imm));
  }
  for (uint32_t rd = 0; rd < 32; ++rd) {
    for (uint32_t rs1 = 0; rs1 < 32; ++rs1) {
      for (uint32_t rs2 = 0; rs2 < 32; ++rs2) {
        DecodedInstruction i = Decode(rv32::add(rd, rs1, rs2));
        EXPECT_EQ(i, Make(Op::kAdd, rd == 0 ? kSinkRegister : static_cast<uint8_t>(rd),
                          static_cast<uint8_t>(rs1), static_cast<uint8_t>(rs2), 0));
      }
    }
  }
}

}  // namespace
}  // namespace precast::runtime
