// Test programs written as assembly text, in the disassembler's form, with labels.
#ifndef PRECAST_COMPILER_RISCV_TESTING_ASSEMBLY_TEXT_H_
#define PRECAST_COMPILER_RISCV_TESTING_ASSEMBLY_TEXT_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace precast::riscv::testing {

// One statement per line:
//
//   loop: lw a0, 4(sp)             labels may share the line with an instruction
//         bne a0, zero, loop       targets of branches and jal are addresses; `.` is the own one
//         lui a5, %hi(table)       %hi and %lo as in assemblers
//         .word 0                  any word
//         .data                    what follows is at kDataBase instead of kCodeBase
//   table: .word loop, loop-table  sums and differences of labels and numbers
//   # comment
//
// Gives an executable (see MakeElf). A fault in the text is fatal.
std::vector<uint8_t> Assemble(std::string_view text);

}  // namespace precast::riscv::testing

#endif  // PRECAST_COMPILER_RISCV_TESTING_ASSEMBLY_TEXT_H_
