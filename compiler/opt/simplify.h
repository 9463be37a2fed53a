// Constant propagation and simplification.
//
// Requires: verified IR without unreachable blocks.
// Does: finds the values that are constant on every path that can be taken (sparse conditional
//   constant propagation, through block parameters; Wegman and Zadeck 1991), decides branches on
//   them, and builds every pure instruction again with the simplifying builder, which also shares
//   equal values of a block.
// Keeps: effects and their order, sites.
// Breaks: leaves unreachable blocks, unused values and parameters behind: run dead code elimination
//   next.
#ifndef PRECAST_COMPILER_OPT_SIMPLIFY_H_
#define PRECAST_COMPILER_OPT_SIMPLIFY_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// Returns whether a branch became a jump.
bool Simplify(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_SIMPLIFY_H_
