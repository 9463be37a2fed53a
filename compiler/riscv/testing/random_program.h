// Random RISC-V programs for differential tests: all of RV32IM, loops, calls, returns that do not
// match, indirect jumps through tables, memory accesses in and out of bounds, illegal words. They
// mostly do not terminate: run them with an instruction limit.
#ifndef PRECAST_COMPILER_RISCV_TESTING_RANDOM_PROGRAM_H_
#define PRECAST_COMPILER_RISCV_TESTING_RANDOM_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace precast::riscv::testing {

// An ELF file; the same for the same seed.
std::vector<uint8_t> RandomProgram(uint64_t seed);

// The same for the OpenVM machine: with custom instructions of every extension, and mostly aligned
// accesses.
std::vector<uint8_t> RandomOpenVmProgram(uint64_t seed);

// Code that makes no sense: random words, most of them instructions, branches and jumps among them
// mostly short.
std::vector<uint32_t> RandomWords(uint64_t seed, size_t count);

}  // namespace precast::riscv::testing

#endif  // PRECAST_COMPILER_RISCV_TESTING_RANDOM_PROGRAM_H_
