// See straighten.h.
#include "compiler/opt/straighten.h"

#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"

namespace precast::opt {

using ir::Block;

void Straighten(ir::Function& f) {
  if (f.signature().conv != ir::CallConv::kWasm) return;
  const ir::Cfg cfg(f);
  const auto keep = std::make_unique<bool[]>(f.num_blocks());
  for (Block b : cfg.order()) keep[b.index] = true;
  for (Block b : cfg.order()) {
    if (!keep[b.index]) continue;
    while (f.inst(f.terminator(b)).op == ir::Opcode::kBr) {
      const Block next = ir::Successors(f, b)[0].target;
      // An entry has no predecessors.
      if (next == b || cfg.predecessors(next).size() != 1 || !f.block(next).params.empty() ||
          f.block(next).cold != f.block(b).cold) {
        break;
      }
      std::vector<ir::Inst>& insts = f.block(b).insts;
      insts.pop_back();
      insts.insert(insts.end(), f.block(next).insts.begin(), f.block(next).insts.end());
      keep[next.index] = false;
    }
  }
  f.RetainBlocks(absl::MakeConstSpan(keep.get(), f.num_blocks()));
}

}  // namespace precast::opt
