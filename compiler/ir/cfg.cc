// Control-flow graph. Dominators: Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm".
// Loops: from the innermost heads outwards, a found loop counting as one node.
#include "compiler/ir/cfg.h"

#include <algorithm>
#include <utility>

namespace precast::ir {

absl::Span<const Edge> Successors(const Function& f, Block b) {
  if (f.block(b).insts.empty()) return {};
  return f.edges(f.terminator(b));
}

Cfg::Cfg(const Function& f)
    : index_(f.num_blocks(), kUnreachable), primary_(f.num_blocks(), false) {
  // Depth-first without recursion; `index_` marks visited blocks meanwhile.
  struct Frame {
    Block block;
    uint32_t next_edge;
  };
  std::vector<Frame> stack;
  for (Block e : f.entries()) {
    if (index_[e.index] != kUnreachable) continue;
    index_[e.index] = 0;
    stack.push_back({e, 0});
    while (!stack.empty()) {
      const Block b = stack.back().block;
      const absl::Span<const Edge> edges = Successors(f, b);
      if (stack.back().next_edge == edges.size()) {
        order_.push_back(b);
        stack.pop_back();
        continue;
      }
      const Block to = edges[stack.back().next_edge++].target;
      if (index_[to.index] != kUnreachable) continue;
      index_[to.index] = 0;
      stack.push_back({to, 0});
    }
    if (e == f.entries()[0]) {
      for (Block b : order_) primary_[b.index] = true;
    }
  }
  std::reverse(order_.begin(), order_.end());
  for (uint32_t i = 0; i < order_.size(); ++i) index_[order_[i].index] = i;

  predecessors_begin_.assign(f.num_blocks() + 1, 0);
  for (Block b : order_) {
    for (const Edge& e : Successors(f, b)) ++predecessors_begin_[e.target.index + 1];
  }
  for (size_t b = 0; b < f.num_blocks(); ++b) predecessors_begin_[b + 1] += predecessors_begin_[b];
  predecessors_.resize(predecessors_begin_.back());
  std::vector<uint32_t> next(predecessors_begin_.begin(), predecessors_begin_.end() - 1);
  for (Block b : order_) {
    for (const Edge& e : Successors(f, b)) predecessors_[next[e.target.index]++] = b;
  }
}

Dominators::Dominators(const Function& f, const Cfg& cfg, From from)
    : begin_(f.num_blocks(), 0), end_(f.num_blocks(), 0) {
  // By position in `order`, with the virtual root as 0 and blocks from 1.
  const std::vector<Block>& order = cfg.order();
  const uint32_t n = static_cast<uint32_t>(order.size()) + 1;
  constexpr uint32_t kNone = Cfg::kUnreachable;
  std::vector<uint32_t> idom(n, kNone);
  idom[0] = 0;
  std::vector<bool> is_entry(n, false);
  for (Block e : f.entries()) is_entry[cfg.index(e) + 1] = true;
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = 1; i < n; ++i) {
      uint32_t best = is_entry[i] ? 0 : kNone;
      for (Block p : cfg.predecessors(order[i - 1])) {
        if (from == From::kPrimaryEntry && cfg.primary(order[i - 1]) && !cfg.primary(p)) continue;
        uint32_t other = cfg.index(p) + 1;
        if (idom[other] == kNone) continue;
        if (best == kNone) best = other;
        while (best != other) {
          while (other > best) other = idom[other];
          while (best > other) best = idom[best];
        }
      }
      if (idom[i] != best) {
        idom[i] = best;
        changed = true;
      }
    }
  }
  // Preorder intervals. A dominator precedes what it dominates, so sizes add up from the back.
  std::vector<uint32_t> size(n, 1);
  for (uint32_t i = n - 1; i > 0; --i) size[idom[i]] += size[i];
  std::vector<uint32_t> next(n, 0);  // where the next child's interval begins
  next[0] = 1;
  for (uint32_t i = 1; i < n; ++i) {
    const uint32_t at = next[idom[i]];
    next[idom[i]] += size[i];
    next[i] = at + 1;
    begin_[order[i - 1].index] = at;
    end_[order[i - 1].index] = at + size[i];
  }
}

Loops::Loops(const Function& f, const Cfg& cfg)
    : depth_(f.num_blocks(), 0), head_(f.num_blocks()), parent_(f.num_blocks()) {
  const Dominators dominators(f, cfg, Dominators::From::kPrimaryEntry);
  const std::vector<Block>& order = cfg.order();
  // outer[h]: head of the loop that was found to contain loop h; shortened while walking.
  std::vector<Block> outer(f.num_blocks());
  const auto outermost = [&](Block h) {
    while (outer[h.index].valid()) {
      const Block next = outer[h.index];
      if (outer[next.index].valid()) outer[h.index] = outer[next.index];
      h = next;
    }
    return h;
  };
  std::vector<Block> work;
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    const Block h = *it;
    bool is_head = false;
    for (Block latch : cfg.predecessors(h)) {
      if (cfg.primary(latch) != cfg.primary(h) || !dominators.Dominates(h, latch)) continue;
      is_head = true;
      work.push_back(latch);
    }
    if (!is_head) continue;
    head_[h.index] = h;
    while (!work.empty()) {
      Block b = work.back();
      work.pop_back();
      if (b == h) continue;
      if (head_[b.index].valid()) {
        // In a loop found earlier, which lies inside this one.
        b = outermost(head_[b.index]);
        if (b == h) continue;
        outer[b.index] = h;
        parent_[b.index] = h;
      } else {
        head_[b.index] = h;
      }
      for (Block p : cfg.predecessors(b)) {
        if (cfg.primary(p) == cfg.primary(h)) work.push_back(p);
      }
    }
  }
  // A parent precedes its children in `order`, and a head the rest of its loop.
  for (Block b : order) {
    const Block h = head_[b.index];
    if (!h.valid()) continue;
    if (b != h) {
      depth_[b.index] = depth_[h.index];
    } else {
      depth_[b.index] = 1 + (parent_[h.index].valid() ? depth_[parent_[h.index].index] : 0);
    }
  }
}

bool Loops::Contains(Block h, Block b) const {
  Block inner = head_[b.index];
  while (inner.valid() && inner != h && depth_[inner.index] > depth_[h.index]) {
    inner = parent_[inner.index];
  }
  return inner == h;
}

}  // namespace precast::ir
