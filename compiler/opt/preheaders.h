// Preheaders for loops that are entered from several places.
//
// Requires: verified IR without unreachable blocks.
// Does: puts a block with the same parameters before the head of each natural loop that has more
// than one edge
//   from outside; those edges lead to it instead.
// Keeps: everything observable.
// Breaks: nothing but the control-flow graph. Run dead code elimination next, which is what this is
// for: what
//   the loop does not change is then a parameter of the preheader alone and crosses the loop as one
//   value. Every loop of a RISC-V guest that the dispatcher may resume at has such a second edge.
//
// Time: linear in edges and their arguments.
#ifndef PRECAST_COMPILER_OPT_PREHEADERS_H_
#define PRECAST_COMPILER_OPT_PREHEADERS_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void AddPreheaders(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_PREHEADERS_H_
