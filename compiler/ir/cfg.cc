// Control-flow graph. Dominators: Lengauer, Tarjan, "A Fast Algorithm for Finding Dominators in a
// Flowgraph", with path compression alone: n log n at worst. (The simpler algorithms are quadratic
// on functions that anyone can write down: nested loops, many branches to one block.)
// Loops: from the innermost heads outwards, a found loop counting as one node.
#include "compiler/ir/cfg.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace precast::ir {

Cfg::Cfg(const Function& f)
    : index_(f.num_blocks(), kUnreachable), primary_(f.num_blocks(), false) {
  // Depth-first without recursion; `index_` marks visited blocks meanwhile.
  struct Frame {
    Block block;
    const Edge *next, *end;
  };
  const auto frame = [&f](Block b) {
    const absl::Span<const Edge> edges = Successors(f, b);
    return Frame{b, edges.data(), edges.data() + edges.size()};
  };
  std::vector<Frame> stack;
  stack.reserve(std::min<size_t>(f.num_blocks(), 64));
  order_.reserve(f.num_blocks());
  for (Block e : f.entries()) {
    if (index_[e.index] != kUnreachable) continue;
    index_[e.index] = 0;
    stack.push_back(frame(e));
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.next == top.end) {
        order_.push_back(top.block);
        stack.pop_back();
        continue;
      }
      const Block to = (top.next++)->target;
      if (index_[to.index] != kUnreachable) continue;
      index_[to.index] = 0;
      stack.push_back(frame(to));
    }
    if (e == f.entries()[0]) {
      for (Block b : order_) primary_[b.index] = true;
    }
  }
  std::reverse(order_.begin(), order_.end());
  for (uint32_t i = 0; i < order_.size(); ++i) index_[order_[i].index] = i;

  // Where each block's predecessors end, moved down to where they begin while they are put there.
  predecessors_begin_.assign(f.num_blocks() + 1, 0);
  for (Block b : order_) {
    for (const Edge& e : Successors(f, b)) {
      ++predecessors_begin_[e.target.index];
      has_cycles_ |= IsRetreating(b, e.target);
    }
  }
  uint32_t end = 0;
  for (uint32_t& begin : predecessors_begin_) begin = end += begin;
  predecessors_.resize(end);
  for (auto b = order_.rbegin(); b != order_.rend(); ++b) {
    const absl::Span<const Edge> edges = Successors(f, *b);
    for (size_t k = edges.size(); k-- > 0;)
      predecessors_[--predecessors_begin_[edges[k].target.index]] = *b;
  }
}

namespace {

// The forest of the Lengauer-Tarjan algorithm: vertices that have been looked at, joined to their
// parents, with the vertex of the least semidominator on the way up.
class Forest {
 public:
  static constexpr uint32_t kNone = Cfg::kUnreachable;

  explicit Forest(uint32_t n) : semi_(n), label_(n), ancestor_(n, kNone) {
    std::iota(semi_.begin(), semi_.end(), 0);
    std::iota(label_.begin(), label_.end(), 0);
  }

  uint32_t& semi(uint32_t v) { return semi_[v]; }
  void Link(uint32_t parent, uint32_t v) { ancestor_[v] = parent; }

  // Of `v` and its ancestors below the root of its tree the one with the least semidominator.
  uint32_t Least(uint32_t v) {
    if (ancestor_[v] == kNone) return v;
    for (uint32_t u = v; ancestor_[ancestor_[u]] != kNone; u = ancestor_[u]) path_.push_back(u);
    for (; !path_.empty(); path_.pop_back()) {
      const uint32_t u = path_.back();
      const uint32_t above = ancestor_[u];
      if (semi_[label_[above]] < semi_[label_[u]]) label_[u] = label_[above];
      ancestor_[u] = ancestor_[above];
    }
    return label_[v];
  }

 private:
  std::vector<uint32_t> semi_, label_, ancestor_;
  std::vector<uint32_t> path_;
};

}  // namespace

Dominators::Dominators(const Function& f, const Cfg& cfg, From from)
    : begin_(f.num_blocks(), 0), end_(f.num_blocks(), 0) {
  constexpr uint32_t kNone = Cfg::kUnreachable;
  const auto counts = [&](Block source, Block target) {
    return from != From::kPrimaryEntry || !cfg.primary(target) || cfg.primary(source);
  };
  // Numbers in the order of a depth-first walk, the virtual root being 0.
  const uint32_t n = static_cast<uint32_t>(cfg.order().size()) + 1;
  std::vector<Block> vertex;
  std::vector<uint32_t> number(f.num_blocks(), kNone);
  std::vector<uint32_t> parent;
  vertex.reserve(n);
  parent.reserve(n);
  vertex.push_back(Block());
  parent.push_back(0);
  struct Frame {
    uint32_t vertex;
    const Edge *next, *end;
  };
  std::vector<Frame> stack;
  stack.reserve(std::min(n, 64u));
  const auto visit = [&](Block b, uint32_t from_vertex) {
    const absl::Span<const Edge> edges = Successors(f, b);
    number[b.index] = static_cast<uint32_t>(vertex.size());
    stack.push_back({number[b.index], edges.data(), edges.data() + edges.size()});
    vertex.push_back(b);
    parent.push_back(from_vertex);
  };
  for (Block e : f.entries()) {
    if (number[e.index] == kNone) visit(e, 0);
    while (!stack.empty()) {
      const uint32_t v = stack.back().vertex;
      if (stack.back().next == stack.back().end) {
        stack.pop_back();
        continue;
      }
      const Block to = (stack.back().next++)->target;
      if (number[to.index] == kNone && counts(vertex[v], to)) visit(to, v);
    }
  }

  Forest forest(n);
  std::vector<uint32_t> idom(n, 0);
  // The vertices with a given semidominator, as lists.
  std::vector<uint32_t> first(n, kNone);
  std::vector<uint32_t> next_in_list(n, kNone);
  std::vector<bool> is_entry(f.num_blocks(), false);
  for (Block e : f.entries()) is_entry[e.index] = true;
  for (uint32_t w = n - 1; w > 0; --w) {
    uint32_t& semi = forest.semi(w);
    if (is_entry[vertex[w].index]) semi = 0;
    for (Block p : cfg.predecessors(vertex[w])) {
      if (!counts(p, vertex[w])) continue;
      semi = std::min(semi, forest.semi(forest.Least(number[p.index])));
    }
    next_in_list[w] = first[semi];
    first[semi] = w;
    forest.Link(parent[w], w);
    for (uint32_t v = first[parent[w]]; v != kNone; v = next_in_list[v]) {
      const uint32_t u = forest.Least(v);
      idom[v] = forest.semi(u) < forest.semi(v) ? u : parent[w];
    }
    first[parent[w]] = kNone;
  }
  for (uint32_t w = 1; w < n; ++w) {
    if (idom[w] != forest.semi(w)) idom[w] = idom[idom[w]];
  }

  // Preorder intervals. A dominator precedes what it dominates, so sizes add up from the back.
  std::vector<uint32_t> size(n, 1);
  for (uint32_t i = n - 1; i > 0; --i) size[idom[i]] += size[i];
  std::vector<uint32_t> next(n, 0);  // where the next child's interval begins
  next[0] = 1;
  preorder_.resize(n - 1);
  for (uint32_t i = 1; i < n; ++i) {
    const uint32_t at = next[idom[i]];
    next[idom[i]] += size[i];
    next[i] = at + 1;
    begin_[vertex[i].index] = at;
    end_[vertex[i].index] = at + size[i];
    preorder_[at - 1] = vertex[i];
  }
}

Loops::Loops(const Function& f, const Cfg& cfg)
    : depth_(f.num_blocks(), 0), head_(f.num_blocks()), parent_(f.num_blocks()) {
  if (cfg.has_cycles()) Find(f, cfg, Dominators(f, cfg, Dominators::From::kPrimaryEntry));
}

Loops::Loops(const Function& f, const Cfg& cfg, const Dominators& dominators)
    : depth_(f.num_blocks(), 0), head_(f.num_blocks()), parent_(f.num_blocks()) {
  if (cfg.has_cycles()) Find(f, cfg, dominators);
}

void Loops::Find(const Function& f, const Cfg& cfg, const Dominators& dominators) {
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

bool Graphs::IsCurrent(const Function& f) const {
  if (!cfg_ || f.num_blocks() + 1 != edges_begin_.size() || f.entries() != entries_) return false;
  const Block* target = targets_.data();
  for (uint32_t b = 0; b < f.num_blocks(); ++b) {
    const absl::Span<const Edge> edges = Successors(f, Block(b));
    if (edges.size() != edges_begin_[b + 1] - edges_begin_[b]) return false;
    for (const Edge& edge : edges) {
      if (edge.target != *target++) return false;
    }
  }
  return true;
}

void Graphs::Record(const Function& f) const {
  entries_ = f.entries();
  edges_begin_.assign(1, 0);
  targets_.clear();
  for (uint32_t b = 0; b < f.num_blocks(); ++b) {
    for (const Edge& edge : Successors(f, Block(b))) targets_.push_back(edge.target);
    edges_begin_.push_back(static_cast<uint32_t>(targets_.size()));
  }
}

const Cfg& Graphs::cfg(const Function& f) const {
  if (IsCurrent(f)) return *cfg_;
  Record(f);
  dominators_.reset();
  loops_.reset();
  return cfg_.emplace(f);
}

const Dominators& Graphs::dominators(const Function& f) const {
  const Cfg& now = cfg(f);
  return dominators_ ? *dominators_ : dominators_.emplace(f, now);
}

const Loops& Graphs::loops(const Function& f) const {
  const Cfg& now = cfg(f);
  if (loops_) return *loops_;
  if (!now.has_cycles() || f.entries().size() > 1) return loops_.emplace(f, now);
  return loops_.emplace(f, now, dominators(f));
}

}  // namespace precast::ir
