// See straighten.h.
#include "compiler/opt/straighten.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"

namespace precast::opt {

using ir::Block;

namespace {

// Deferred state holds to the end of its block.
bool DefersState(const ir::Function& f, Block b) {
  return !f.block(b).state.empty() ||
         std::any_of(f.block(b).insts.begin(), f.block(b).insts.end(),
                     [&](ir::Inst i) { return f.inst(i).op == ir::Opcode::kDeferState; });
}

}  // namespace

void Straighten(ir::Function& f, const ir::Graphs& graphs) {
  if (f.signature().conv != ir::CallConv::kWasm) return;
  const ir::Cfg& cfg = graphs.cfg(f);
  const auto keep = std::make_unique<bool[]>(f.num_blocks());
  for (Block b : cfg.order()) keep[b.index] = true;
  for (Block b : cfg.order()) {
    if (!keep[b.index]) continue;
    bool defers = DefersState(f, b);
    while (f.inst(f.terminator(b)).op == ir::Opcode::kBr) {
      const Block next = ir::Successors(f, b)[0].target;
      // An entry has no predecessors.
      if (next == b || cfg.predecessors(next).size() != 1 || !f.block(next).params.empty() ||
          !f.block(next).state.empty() || f.block(next).cold != f.block(b).cold || defers) {
        break;
      }
      std::vector<ir::Inst>& insts = f.block(b).insts;
      insts.pop_back();
      insts.insert(insts.end(), f.block(next).insts.begin(), f.block(next).insts.end());
      keep[next.index] = false;
      defers = DefersState(f, next);
    }
  }
  f.RetainBlocks(absl::MakeConstSpan(keep.get(), f.num_blocks()));
}

}  // namespace precast::opt
