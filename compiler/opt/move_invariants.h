// Computes before a loop what is the same in each of its rounds.
//
// Requires: verified IR without unreachable blocks.
// Does: moves pure instructions whose operands the loop does not change to before the outermost
// such loop: those that take
//   more than a cycle or so (products, division, floating point, vectors), with what they are
//   computed from, as long as registers are left in the loop; and in functions with such
//   instructions cheap ones too, if they leave the loop with fewer values to keep, not more. Not
//   what costs nothing where it is (constants, comparisons that a branch makes, sums that an
//   address takes in), nor what only some rounds do.
// Keeps: everything observable. Loads stay (they may trap, or see another value), as do divisions
// that somebody has
//   made safe by a trap before them.
// Breaks: nothing; blocks are added on edges into loops.
//
// Guests have been through compilers that do this. What is left is what lifting makes (halves of
// 64-bit numbers put together, canonical NaNs), and guests whose compilers do not (Go).
//
// Time: linear, but for the depth of loops, of which eight levels are looked at.
#ifndef PRECAST_COMPILER_OPT_MOVE_INVARIANTS_H_
#define PRECAST_COMPILER_OPT_MOVE_INVARIANTS_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void MoveInvariants(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_MOVE_INVARIANTS_H_
