// A number that a guest loads byte by byte is loaded at once.
#ifndef PRECAST_COMPILER_OPT_JOIN_BYTES_H_
#define PRECAST_COMPILER_OPT_JOIN_BYTES_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// RV32 code must not load a word from an address that may be misaligned: it loads bytes, shifts
// them and puts them together. Here misaligned loads are as good as others.
//
// Requires: a RISC-V function, whose runtime, at a fault, goes on by interpretation from the place
// reported
//   (Instance::ConfirmTrap), and no marks of pages yet.
// Does: where loads of two or four (or halves) side by side become one number of little-endian
// order, or bytes one of big-endian order, by shifts and
//   `or`, with nothing between them that can be observed but loads, makes them one load, in the
//   place of the first and with its site. Parts that are used for something else, if few, are taken
//   out of it again. Loads that see others as declared state are reported at the first one too.
//   `mark_pages`: says that the last byte is touched, too (kMarkTouched).
// Keeps: everything observable.
// Breaks: leaves dead code.
// Returns false if it found nothing to look at.
bool JoinBytes(ir::Function& f, const ir::Graphs& graphs = ir::Graphs(), bool mark_pages = false);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_JOIN_BYTES_H_
