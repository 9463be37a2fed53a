// A second loop for the rounds of a loop in which less is to be marked.
//
// Requires: verified IR of a RISC-V region that marks pages (mark_pages.h), next; with its meters
// and rows where they shall
//   be, and what seldom happens marked as cold.
// Does: copies innermost loops, without what is cold and without calls: from there it goes on in
// the first loop.
//   Of a loop that accesses memory at a pointer to which each round adds a constant, and that ends
//   when something else to which it adds a constant comes to a bound: behind a round of the first
//   loop it is known how many rounds there will be at least, and how many until a pointer leaves
//   its page. If these are some, and there is fuel for so many, they are executed in the second
//   loop, which asks for neither: it ends when what is compared with the bound anyway comes to the
//   last of these rounds, and says which pages are marked (kMarkKnown). Of another loop that
//   touches the same place in each round, but not at the head, or not behind calls: all rounds
//   behind the first are those of the second loop. It is never entered but behind a whole round, so
//   that mark_pages finds what is marked.
// Keeps: everything observable but where it suspends for want of fuel, as meter.h has it.
// Breaks: blocks and parameters are added. Leaves instructions without a use.
//
// Why: a test in each round whether the page is another one is a branch more in loops of a few
// instructions, which took a quarter longer for it.
//
// Time: linear in the function's length and in the number of blocks for each value of a loop that
// gets a second one; of both together no more than a constant.
#ifndef PRECAST_COMPILER_OPT_PAGE_ROUNDS_H_
#define PRECAST_COMPILER_OPT_PAGE_ROUNDS_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void SeparatePageRounds(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_PAGE_ROUNDS_H_
