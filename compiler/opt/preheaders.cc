// Preheaders, see preheaders.h.
#include "compiler/opt/preheaders.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compiler/ir/cfg.h"

namespace precast::opt {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Opcode;
using ir::Value;

void AddPreheaders(Function& f, const ir::Graphs& graphs) {
  const ir::Cfg& cfg = graphs.cfg(f);
  if (!cfg.has_cycles()) return;
  const ir::Dominators& dominators = graphs.dominators(f);
  // By block: its new preheader.
  std::vector<Block> preheader(f.num_blocks());
  bool any = false;
  for (Block h : cfg.order()) {
    size_t outside = 0;
    size_t inside = 0;
    bool is_natural = true;
    for (Block p : cfg.predecessors(h)) {
      if (dominators.Dominates(h, p)) {
        ++inside;
      } else {
        ++outside;
        is_natural &= !cfg.IsRetreating(p, h);
      }
    }
    if (inside == 0 || outside < 2 || !is_natural || f.block(h).params.empty()) continue;
    const Block block = f.NewBlock();
    preheader[h.index] = block;
    any = true;
    f.block(block).guest_pc = f.block(h).guest_pc;
    std::vector<Value> args;
    for (size_t k = 0; k < f.block(h).params.size(); ++k) {
      args.push_back(f.AddParam(block, f.type(f.block(h).params[k])));
    }
    f.Append(block, {.op = Opcode::kBr}, {}, {}, {Edge{h, args}});
  }
  if (!any) return;
  for (Block b : cfg.order()) {
    for (Edge& edge : f.mutable_edges(f.terminator(b))) {
      const Block to = preheader[edge.target.index];
      if (to.valid() && !dominators.Dominates(edge.target, b)) edge.target = to;
    }
  }
}

}  // namespace precast::opt
