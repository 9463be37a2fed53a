// Makes small RISC-V programs for tests: instruction words from the opcode table, and an ELF file
// around them.
#ifndef PRECAST_COMPILER_RISCV_TESTING_ASSEMBLER_H_
#define PRECAST_COMPILER_RISCV_TESTING_ASSEMBLER_H_

#include <cstdint>
#include <vector>

#include "compiler/riscv/decoder.h"

namespace precast::riscv::testing {

// The word that decodes to `in`. Immediates are truncated to their field.
uint32_t Encode(const Instruction& in);

// Where the parts of a test program are in guest memory.
inline constexpr uint32_t kCodeBase = 0x10000;
inline constexpr uint32_t kDataBase = 0x40000;

// A static ELF32 executable: `code` at kCodeBase (readable, executable), `data` at kDataBase
// (readable, writable), entry at kCodeBase, without section headers.
std::vector<uint8_t> MakeElf(const std::vector<uint32_t>& code, const std::vector<uint32_t>& data);

}  // namespace precast::riscv::testing

#endif  // PRECAST_COMPILER_RISCV_TESTING_ASSEMBLER_H_
