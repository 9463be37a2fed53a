// Carries that are branched on become additions.
//
// Requires: IR in which meters have been placed (meter.h), without `meter` in blocks that only add.
// Does: where a branch asks whether an addition of i32 wrapped around, and all that one way does is
// to add a power of two to
//   a value and to charge for that, adds and charges the carry itself, times that number.
//   If the sum is the middle of a product of two words that is made of those of their halves, makes
//   the product at once: its words are then its halves, and whether there was a carry is seen from
//   it.
// Keeps: everything observable, also what is charged.
// Breaks: blocks become unreachable, and are removed.
//
// Why: libgcc's soft floating point makes the product of two words of four of half words
// (`umul_ppmm` in longlong.h), of which the middle ones may carry. Whether they do is as good as
// random: a processor guesses wrong in every third product.
#ifndef PRECAST_COMPILER_OPT_CARRY_BRANCHES_H_
#define PRECAST_COMPILER_OPT_CARRY_BRANCHES_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void AddCarries(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_CARRY_BRANCHES_H_
