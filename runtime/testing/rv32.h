// Instruction words for tests, in the notation of the RISC-V specification's instruction formats.
#ifndef PRECAST_RUNTIME_TESTING_RV32_H_
#define PRECAST_RUNTIME_TESTING_RV32_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/program.h"

namespace precast::runtime::rv32 {

// Registers by their ABI names.
enum Reg : uint32_t {
  zero,
  ra,
  sp,
  gp,
  tp,
  t0,
  t1,
  t2,
  s0,
  s1,
  a0,
  a1,
  a2,
  a3,
  a4,
  a5,
  a6,
  a7,
  s2,
  s3,
  s4,
  s5,
  s6,
  s7,
  s8,
  s9,
  s10,
  s11,
  t3,
  t4,
  t5,
  t6,
};

constexpr uint32_t RType(uint32_t funct7, uint32_t rs2, uint32_t rs1, uint32_t funct3, uint32_t rd,
                         uint32_t opcode) {
  return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}
constexpr uint32_t IType(int32_t imm, uint32_t rs1, uint32_t funct3, uint32_t rd, uint32_t opcode) {
  return static_cast<uint32_t>(imm) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}
constexpr uint32_t SType(int32_t imm, uint32_t rs2, uint32_t rs1, uint32_t funct3) {
  auto u = static_cast<uint32_t>(imm);
  return (u >> 5 & 0x7F) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (u & 31) << 7 | 0x23;
}
constexpr uint32_t BType(int32_t imm, uint32_t rs2, uint32_t rs1, uint32_t funct3) {
  auto u = static_cast<uint32_t>(imm);
  return (u >> 12 & 1) << 31 | (u >> 5 & 0x3F) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 |
         (u >> 1 & 15) << 8 | (u >> 11 & 1) << 7 | 0x63;
}
constexpr uint32_t JType(int32_t imm, uint32_t rd) {
  auto u = static_cast<uint32_t>(imm);
  return (u >> 20 & 1) << 31 | (u >> 1 & 0x3FF) << 21 | (u >> 11 & 1) << 20 |
         (u >> 12 & 0xFF) << 12 | rd << 7 | 0x6F;
}

constexpr uint32_t lui(uint32_t rd, uint32_t imm20) { return imm20 << 12 | rd << 7 | 0x37; }
constexpr uint32_t auipc(uint32_t rd, uint32_t imm20) { return imm20 << 12 | rd << 7 | 0x17; }
constexpr uint32_t jal(uint32_t rd, int32_t offset) { return JType(offset, rd); }
constexpr uint32_t jalr(uint32_t rd, uint32_t rs1, int32_t offset) {
  return IType(offset, rs1, 0, rd, 0x67);
}
constexpr uint32_t addi(uint32_t rd, uint32_t rs1, int32_t imm) {
  return IType(imm, rs1, 0, rd, 0x13);
}
constexpr uint32_t add(uint32_t rd, uint32_t rs1, uint32_t rs2) {
  return RType(0, rs2, rs1, 0, rd, 0x33);
}
constexpr uint32_t lw(uint32_t rd, int32_t offset, uint32_t rs1) {
  return IType(offset, rs1, 2, rd, 0x03);
}
constexpr uint32_t sw(uint32_t rs2, int32_t offset, uint32_t rs1) {
  return SType(offset, rs2, rs1, 2);
}
constexpr uint32_t beq(uint32_t rs1, uint32_t rs2, int32_t offset) {
  return BType(offset, rs2, rs1, 0);
}
constexpr uint32_t bne(uint32_t rs1, uint32_t rs2, int32_t offset) {
  return BType(offset, rs2, rs1, 1);
}
inline constexpr uint32_t ecall = 0x00000073;
inline constexpr uint32_t ebreak = 0x00100073;

// A program of one segment of code at `address`, one code range, and entry at its start.
inline ProgramImage ProgramOfWords(uint32_t address, const std::vector<uint32_t>& words) {
  auto bytes = std::make_shared<std::vector<uint8_t>>();
  for (uint32_t word : words) {
    for (int shift = 0; shift < 32; shift += 8)
      bytes->push_back(static_cast<uint8_t>(word >> shift));
  }
  ProgramImage program;
  ProgramSegment segment;
  segment.address = address / kPageSize * kPageSize;
  uint32_t lead = address - segment.address;
  bytes->insert(bytes->begin(), lead, 0);
  segment.size = (bytes->size() + kPageSize - 1) / kPageSize * kPageSize;
  segment.data = *bytes;
  segment.readable = true;
  segment.executable = true;
  program.segments.push_back(segment);
  program.code_ranges.push_back(
      {.begin = address, .end = address + 4 * static_cast<uint32_t>(words.size())});
  program.entry_pc = address;
  program.initial_brk = segment.address + static_cast<uint32_t>(segment.size);
  program.owner = bytes;
  return program;
}

}  // namespace precast::runtime::rv32

#endif  // PRECAST_RUNTIME_TESTING_RV32_H_
