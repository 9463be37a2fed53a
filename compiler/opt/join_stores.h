// A number that a guest stores byte by byte is stored at once.
#ifndef PRECAST_COMPILER_OPT_JOIN_STORES_H_
#define PRECAST_COMPILER_OPT_JOIN_STORES_H_

#include "compiler/ir/ir.h"

namespace precast::opt {

// The inverse of join_bytes.h, for the same reason: RV32 code must not store a word to an address
// that may be misaligned.
//
// Requires: a RISC-V function, whose runtime, at a fault, goes on by interpretation from the place
// reported, and no
//   marks of pages yet but for what join_bytes.h touches.
// Does: where stores of two or four bytes side by side, or of two halves, with nothing between them
// that stores, loads or
//   can be observed, put a number into memory in little-endian order, or four bytes one in
//   big-endian order, or constants, makes them one store, in the place of the first and with its
//   site. (At a fault, interpretation then begins with the first, and stops where it should.)
//   `mark_pages`: says that the last byte is touched, too (kMarkTouched).
// Keeps: everything observable.
// Breaks: leaves dead code.
//
// Time: linear.
void JoinStores(ir::Function& f, bool mark_pages = false);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_JOIN_STORES_H_
