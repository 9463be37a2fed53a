// Joins block parameters that always have the same value.
//
// Requires: verified IR without unreachable blocks.
// Does: of the parameters of one block that get the same arguments on every edge (or, in loops,
// themselves)
//   keeps the first, and uses it for the others.
// Keeps: everything observable.
// Breaks: removed parameters are no longer defined.
//
// Time: linear in the number of arguments, n log n in the number of parameters of a block.
#ifndef PRECAST_COMPILER_OPT_JOIN_PARAMS_H_
#define PRECAST_COMPILER_OPT_JOIN_PARAMS_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void JoinParams(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_JOIN_PARAMS_H_
