// Liveness by walking from each use up to the definition, one virtual register at a time. On SSA
// form this touches each (block, live-in vreg) pair once, and needs no fixpoint and no bit sets.
#include "compiler/regalloc/liveness.h"

#include <utility>

namespace precast::regalloc {
namespace {

struct UseBlock {
  VReg vreg;
  BlockIndex block;
};

// Uses outside the defining block; about one entry per (vreg, block).
std::vector<UseBlock> CollectUpwardUses(const Problem& p, const Liveness& live) {
  std::vector<UseBlock> uses;
  std::vector<BlockIndex> seen(p.vreg_class.size(), kNoBlock);
  auto use = [&](VReg v, BlockIndex b) {
    if (live.def_block[v] == b || seen[v] == b) return;
    seen[v] = b;
    uses.push_back({v, b});
  };
  size_t tracked = 0;
  for (BlockIndex b = 0; b < p.blocks.size(); ++b) {
    const Block& block = p.blocks[b];
    for (InstIndex i = block.begin; i < block.end; ++i) {
      const Inst& inst = p.insts[i];
      for (uint32_t k = 0; k < inst.operands_count; ++k) {
        const Operand& op = p.operands[inst.operands_begin + k];
        if (op.kind == Operand::Kind::kUse) use(op.vreg, b);
      }
    }
    for (uint32_t e = 0; e < block.succs_count; ++e) {
      const Edge& edge = p.edges[block.succs_begin + e];
      for (uint32_t k = 0; k < edge.args_count; ++k) use(p.edge_args[edge.args_begin + k], b);
    }
    for (; tracked < p.tracked.size() && p.tracked[tracked].from < block.end; ++tracked) {
      use(p.tracked[tracked].vreg, b);
    }
  }
  return uses;
}

}  // namespace

Liveness ComputeLiveness(const Problem& p) {
  Liveness live;
  const size_t num_blocks = p.blocks.size();
  const size_t num_vregs = p.vreg_class.size();
  live.inst_block.resize(p.insts.size());
  live.def_block.assign(num_vregs, kNoBlock);
  for (BlockIndex b = 0; b < num_blocks; ++b) {
    const Block& block = p.blocks[b];
    for (uint32_t k = 0; k < block.params_count; ++k) {
      live.def_block[p.block_params[block.params_begin + k]] = b;
    }
    for (InstIndex i = block.begin; i < block.end; ++i) {
      live.inst_block[i] = b;
      const Inst& inst = p.insts[i];
      for (uint32_t k = 0; k < inst.operands_count; ++k) {
        const Operand& op = p.operands[inst.operands_begin + k];
        if (op.kind == Operand::Kind::kDef) live.def_block[op.vreg] = b;
      }
    }
  }

  // Group the uses by vreg.
  const std::vector<UseBlock> uses = CollectUpwardUses(p, live);
  std::vector<uint32_t> begin(num_vregs + 1, 0);
  for (const UseBlock& u : uses) ++begin[u.vreg + 1];
  for (size_t v = 0; v < num_vregs; ++v) begin[v + 1] += begin[v];
  std::vector<BlockIndex> grouped(uses.size());
  {
    std::vector<uint32_t> fill(begin.begin(), begin.end() - 1);
    for (const UseBlock& u : uses) grouped[fill[u.vreg]++] = u.block;
  }

  // Walk up from every use; a block is visited once per vreg.
  std::vector<UseBlock> pairs;
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
  for (const UseBlock& pair : pairs) live.live_in_vregs[fill[pair.block]++] = pair.vreg;
  return live;
}

}  // namespace precast::regalloc
