// Annotates blocks with their loop depth, for the back end and for whoever reads dumps.
//
// Requires: verified IR. Does: sets `BlockData::loop_depth`. Keeps: everything else.
#ifndef PRECAST_COMPILER_OPT_LOOP_DEPTH_H_
#define PRECAST_COMPILER_OPT_LOOP_DEPTH_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void SetLoopDepths(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_LOOP_DEPTH_H_
