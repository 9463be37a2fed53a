// Loop depths, see loop_depth.h.
#include "compiler/opt/loop_depth.h"

#include "compiler/ir/cfg.h"

namespace precast::opt {

void SetLoopDepths(ir::Function& f, const ir::Graphs& graphs) {
  const ir::Loops& loops = graphs.loops(f);
  for (ir::Block b : graphs.cfg(f).order()) f.block(b).loop_depth = loops.depth(b);
}

}  // namespace precast::opt
