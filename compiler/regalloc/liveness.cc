// Liveness by walking from each use up to the definition, one virtual register at a time. On SSA
// form this touches each (block, live-in vreg) pair once, and needs no fixpoint and no bit sets.
#include "compiler/regalloc/liveness.h"

#include <utility>

namespace precast::regalloc {
namespace {

// Where everything is defined, and what is read outside of the defining block. Within a block
// definitions come before their uses, so that one walk is enough.
void Survey(const Problem& p, Liveness& live) {
  live.inst_block.resize(p.insts.size());
  live.def_block.assign(p.vreg_class.size(), kNoBlock);
  live.upward_begin.resize(p.blocks.size() + 1);
  live.upward_uses.reserve(p.insts.size() / 2);
  // Also stamped: what has been noted as read in the block.
  std::vector<BlockIndex> seen(p.vreg_class.size(), kNoBlock);
  size_t tracked = 0;
  for (BlockIndex b = 0; b < p.blocks.size(); ++b) {
    const Block& block = p.blocks[b];
    live.upward_begin[b] = static_cast<uint32_t>(live.upward_uses.size());
    const auto define = [&](VReg v) { live.def_block[v] = seen[v] = b; };
    const auto use = [&](VReg v, InstIndex i) {
      if (seen[v] == b) return;
      seen[v] = b;
      live.upward_uses.push_back({v, i});
    };
    for (uint32_t k = 0; k < block.params_count; ++k) {
      define(p.block_params[block.params_begin + k]);
    }
    for (InstIndex i = block.begin; i < block.end; ++i) {
      live.inst_block[i] = b;
      const Inst& inst = p.insts[i];
      for (uint32_t k = 0; k < inst.operands_count; ++k) {
        const Operand& op = p.operands[inst.operands_begin + k];
        if (op.kind == Operand::Kind::kDef) {
          define(op.vreg);
        } else {
          use(op.vreg, i);
        }
      }
    }
    for (uint32_t e = 0; e < block.succs_count; ++e) {
      const Edge& edge = p.edges[block.succs_begin + e];
      for (uint32_t k = 0; k < edge.args_count; ++k) use(p.edge_args[edge.args_begin + k], kNoInst);
    }
    for (; tracked < p.tracked.size() && p.tracked[tracked].from < block.end; ++tracked) {
      use(p.tracked[tracked].vreg, kNoInst);
    }
  }
  live.upward_begin.back() = static_cast<uint32_t>(live.upward_uses.size());
}

}  // namespace

Liveness ComputeLiveness(const Problem& p) {
  Liveness live;
  const size_t num_blocks = p.blocks.size();
  const size_t num_vregs = p.vreg_class.size();
  Survey(p, live);

  // Group the uses by vreg.
  std::vector<uint32_t> begin(num_vregs + 1, 0);
  for (const UpwardUse& u : live.upward_uses) ++begin[u.vreg];
  uint32_t end = 0;
  for (uint32_t& at : begin) at = end += at;
  std::vector<BlockIndex> grouped(live.upward_uses.size());
  for (BlockIndex b = static_cast<BlockIndex>(num_blocks); b-- > 0;) {
    for (const UpwardUse& u : live.UpwardUses(b)) grouped[--begin[u.vreg]] = b;
  }

  // Walk up from every use; a block is visited once per vreg.
  struct Pair {
    VReg vreg;
    BlockIndex block;
  };
  std::vector<Pair> pairs;
  pairs.reserve(2 * live.upward_uses.size());
  std::vector<VReg> visited(num_blocks, ~VReg{0});
  std::vector<BlockIndex> stack;
  live.live_in_begin.assign(num_blocks + 1, 0);
  for (VReg v = 0; v < num_vregs; ++v) {
    const BlockIndex def = live.def_block[v];
    auto visit = [&](BlockIndex b) {
      if (b == def || visited[b] == v) return;
      visited[b] = v;
      pairs.push_back({v, b});
      ++live.live_in_begin[b + 1];
      stack.push_back(b);
    };
    for (uint32_t k = begin[v]; k < begin[v + 1]; ++k) {
      visit(grouped[k]);
      while (!stack.empty()) {
        const Block& block = p.blocks[stack.back()];
        stack.pop_back();
        for (uint32_t e = 0; e < block.preds_count; ++e) {
          visit(p.pred_blocks[block.preds_begin + e]);
        }
      }
    }
  }

  for (size_t b = 0; b < num_blocks; ++b) live.live_in_begin[b + 1] += live.live_in_begin[b];
  live.live_in_vregs.resize(pairs.size());
  std::vector<uint32_t> fill(live.live_in_begin.begin(), live.live_in_begin.end() - 1);
  for (const Pair& pair : pairs) live.live_in_vregs[fill[pair.block]++] = pair.vreg;
  return live;
}

}  // namespace precast::regalloc
