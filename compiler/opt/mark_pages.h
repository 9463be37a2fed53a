// Marks the pages of memory that a guest touches, for code that counts what an OpenVM prover pays
// for.
//
// Requires: IR of a RISC-V region, at the end of the optimizer: what comes after may not add or
// move loads and
//   stores. Accesses of up to 4 bytes do not cross a page (512 bytes), but for those that have a
//   kMarkTouched for their last byte before them. Other marks are there only where others know that
//   a page is marked when their block begins (ir/mark_mode.h).
// Does: adds `mark_page`, so that in each run of native code every page is marked before it is
// touched, and no other
//   page, unless the run ends with a trap.
// Keeps: everything else.
//
// How. Positions are numbers relative to one value. Of the positions that a block touches within
// 512 bytes only the lowest and the highest are marked: whatever lies between is in one of their
// pages. A position is not marked again where it has been on every way there; at an entry of the
// function none has been. Native code that was left does not come back but through an entry, so it
// does not matter what the runtime does with the marks meanwhile. What is known of a parameter is
// known of the arguments on all edges.
//
// Where ways meet, and what is touched next has been on some of them, it is marked at the ends of
// the others, if they lead nowhere else: on the way into a loop, behind a call that is seldom made,
// at an entry in the middle. Where the head of a loop only tests something, an index for example,
// so is what is touched behind it, if the same test says that it will be.
#ifndef PRECAST_COMPILER_OPT_MARK_PAGES_H_
#define PRECAST_COMPILER_OPT_MARK_PAGES_H_

#include "compiler/ir/ir.h"

namespace precast::opt {

void MarkPages(ir::Function& f);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_MARK_PAGES_H_
