// Reads a statically linked ELF32 RISC-V executable into a guest::Program.
#ifndef PRECAST_COMPILER_RISCV_ELF_READER_H_
#define PRECAST_COMPILER_RISCV_ELF_READER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "compiler/guest/program.h"

namespace precast::riscv {

// True if `file` starts like an ELF file for RISC-V; says nothing about whether it is well-formed.
bool LooksLikeRiscVElf(absl::Span<const uint8_t> file);

// Accepts ELFCLASS32, little-endian, EM_RISCV, ET_EXEC without an interpreter, soft-float ABI, no
// compressed instructions, no RVE (System V gABI chapter 4 and 5; RISC-V ELF psABI, "File Header").
// Anything else is an InvalidArgument status that names the field, its file offset, what was
// expected and what was found. Symbols are a hint only: a damaged symbol table is ignored, as the
// operating system ignores it. Safe on any bytes; allocates no more than the file's size plus a
// page per segment. The program's GUID can be left out: most of the time is its.
absl::StatusOr<guest::Program> ReadElf(absl::Span<const uint8_t> file, bool with_guid = true);

// Whether a program that has been read is one for the OpenVM machine: it has a section `.openvm`,
// or its code has an instruction that ends such a guest. Nothing else looks like that: the encoding
// is illegal elsewhere.
bool LooksLikeOpenVm(const guest::Program& program);

// The instruction word at `pc`, 0 where the file has none.
uint32_t WordAt(const guest::Program& program, uint32_t pc);

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_ELF_READER_H_
