// Finds bytes that a guest reverses by shifts and masks.
//
// Requires: verified IR.
// Does: where an `or` of shifted, rotated and masked parts of one value has its bytes in reverse
// order, makes it a
//   `bswap`. Neither guest has such an instruction: both of their compilers spell it out (9
//   instructions for 32 bits, 23 for 64).
// Keeps: everything observable.
// Breaks: leaves dead code.
//
// Time: linear; each `or` looks at so many instructions at most.
#ifndef PRECAST_COMPILER_OPT_BYTE_SWAPS_H_
#define PRECAST_COMPILER_OPT_BYTE_SWAPS_H_

#include "compiler/ir/ir.h"

namespace precast::opt {

void FindByteSwaps(ir::Function& f);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_BYTE_SWAPS_H_
