// Rows of pieces of code of equal length, entered at a scaled index: as in the memset of newlib and
// picolibc, which begins a row of stores at that of the last byte to be set. Control-flow recovery
// finds the pieces.
#ifndef PRECAST_COMPILER_RISCV_CASE_ROWS_H_
#define PRECAST_COMPILER_RISCV_CASE_ROWS_H_

#include <cstdint>
#include <vector>

#include "compiler/riscv/control_flow.h"

namespace precast::riscv {

struct CaseRow {
  // What is looked at, at most: an odd program can have a jump at every other instruction.
  static constexpr uint32_t kMaxStride = 64, kMaxCases = 64;

  uint32_t first;   // pc of the piece of number 0
  uint32_t stride;  // bytes; a multiple of 4
};

// By what the index is multiplied in the sum that register r is at the instruction `index`; 0 if
// that is not to be seen shortly before.
uint32_t FindScale(const Code& code, uint32_t index, uint8_t r);

// Pcs of the pieces inside of [begin, end), which is code without a gap. How many there are is not
// known: they go on while each falls through to the next, or while none does. (What is computed may
// have been biased: the first may be no piece, but the jump itself.)
std::vector<uint32_t> CasesOf(const Code& code, const CaseRow& row, uint32_t begin, uint32_t end);

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_CASE_ROWS_H_
