// Makes branches of selections that a loop would wait for.
//
// Requires: verified IR of a WebAssembly function, whose blocks know their loop depths.
// Does: in an innermost loop, a selection between two values known early, by a condition that
// depends on
//   something loaded, whose result leads to the address of a load and is carried around the loop,
//   becomes a branch. A selection makes every such load wait for the one before (walking a heap,
//   binary search); with a branch the processor guesses and goes on.
// Keeps: everything observable.
// Breaks: blocks are split.
#ifndef PRECAST_COMPILER_OPT_BRANCH_SELECTS_H_
#define PRECAST_COMPILER_OPT_BRANCH_SELECTS_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void BranchSelects(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_BRANCH_SELECTS_H_
