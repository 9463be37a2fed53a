// Makes one block of blocks that always follow one another.
//
// Requires: verified IR. Does nothing to a function whose blocks may begin with deferred state
// (RISC-V). Does: appends a block without parameters to the block before it, if that leads nowhere
// else and nothing else leads
//   there, and no state is deferred in it. Parameters with one source are gone after dead code
//   elimination.
// Keeps: every instruction and their order.
// Breaks: block numbers (blocks move up).
#ifndef PRECAST_COMPILER_OPT_STRAIGHTEN_H_
#define PRECAST_COMPILER_OPT_STRAIGHTEN_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void Straighten(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_STRAIGHTEN_H_
