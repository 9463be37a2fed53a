// Loop depths, see loop_depth.h.
#include "compiler/opt/loop_depth.h"

#include "compiler/ir/cfg.h"

namespace precast::opt {

void SetLoopDepths(ir::Function& f) {
  const ir::Cfg cfg(f);
  const ir::Loops loops(f, cfg);
  for (ir::Block b : cfg.order()) f.block(b).loop_depth = loops.depth(b);
}

}  // namespace precast::opt
