// The control-flow graph of a function, computed on demand: order, predecessors, dominators, loops.
// A snapshot: valid until blocks or edges of the function change. All of it takes near-linear time.
#ifndef PRECAST_COMPILER_IR_CFG_H_
#define PRECAST_COMPILER_IR_CFG_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/ir.h"

namespace precast::ir {

// Successor edges of `b`; none if `b` is empty (which the verifier rejects).
inline absl::Span<const Edge> Successors(const Function& f, Block b) {
  if (f.block(b).insts.empty()) return {};
  return f.edges(f.terminator(b));
}

class Cfg {
 public:
  static constexpr uint32_t kUnreachable = 0xffffffffu;

  explicit Cfg(const Function& f);

  // Blocks reachable from the entries, in reverse postorder. In this order every edge that goes
  // backwards or to its own block is part of a cycle, and every cycle has such an edge.
  const std::vector<Block>& order() const { return order_; }
  // Whether the first entry reaches `b`.
  bool primary(Block b) const { return primary_[b.index]; }
  // Position in `order()`, or kUnreachable.
  uint32_t index(Block b) const { return index_[b.index]; }
  bool reachable(Block b) const { return index_[b.index] != kUnreachable; }
  bool IsRetreating(Block from, Block to) const { return index(to) <= index(from); }
  // Whether some edge is.
  bool has_cycles() const { return has_cycles_; }

  // Blocks with an edge to `b`, one element per edge; unreachable ones are not listed.
  absl::Span<const Block> predecessors(Block b) const {
    return absl::MakeConstSpan(predecessors_)
        .subspan(predecessors_begin_[b.index],
                 predecessors_begin_[b.index + 1] - predecessors_begin_[b.index]);
  }

 private:
  std::vector<Block> order_;
  std::vector<uint32_t> index_;
  std::vector<bool> primary_;
  bool has_cycles_ = false;
  std::vector<uint32_t> predecessors_begin_;
  std::vector<Block> predecessors_;
};

// Dominator tree with a virtual root above all entries.
class Dominators {
 public:
  // kPrimaryEntry: what the first entry reaches is taken to be reached from nowhere else. Not true,
  // but it shows the loops that the other entries jump into.
  enum class From : uint8_t { kAllEntries, kPrimaryEntry };
  Dominators(const Function& f, const Cfg& cfg, From from = From::kAllEntries);

  // Whether every path from an entry to `b` goes through `a` (also if a == b). Both must be
  // reachable.
  bool Dominates(Block a, Block b) const {
    return begin_[a.index] <= begin_[b.index] && begin_[b.index] < end_[a.index];
  }
  // The reachable blocks such that each is followed at once by all that it dominates.
  const std::vector<Block>& preorder() const { return preorder_; }

 private:
  // Preorder interval of the block's subtree.
  std::vector<uint32_t> begin_, end_;
  std::vector<Block> preorder_;
};

// Loop nesting. Only natural loops (whose head dominates them) count, as the first entry sees them.
class Loops {
 public:
  Loops(const Function& f, const Cfg& cfg);
  // `dominators` are from the first entry (From::kPrimaryEntry, or there is only one).
  Loops(const Function& f, const Cfg& cfg, const Dominators& dominators);

  uint32_t depth(Block b) const { return depth_[b.index]; }
  // Head of the innermost loop around `b`; not valid outside of loops. A head is in its own loop.
  Block head(Block b) const { return head_[b.index]; }
  // Head of the loop around the loop of head `h`.
  Block parent(Block h) const { return parent_[h.index]; }
  // Whether `b` is in the loop of head `h`.
  bool Contains(Block h, Block b) const;

 private:
  void Find(const Function& f, const Cfg& cfg, const Dominators& dominators);

  std::vector<uint32_t> depth_;
  std::vector<Block> head_;
  std::vector<Block> parent_;
};

// The graph of one function and what follows from it, each made when first asked for and kept as
// long as blocks, edges and entries stay as they are. Whether they have is looked at on each call,
// which takes a tenth of the time of making a Cfg, so that nobody has to say what he changed. What
// a call returns holds until the next one.
class Graphs {
 public:
  const Cfg& cfg(const Function& f) const;
  const Dominators& dominators(const Function& f) const;
  const Loops& loops(const Function& f) const;

 private:
  bool IsCurrent(const Function& f) const;
  void Record(const Function& f) const;

  // Of the function that what is below was made for.
  mutable std::vector<Block> entries_;
  mutable std::vector<uint32_t> edges_begin_;  // by block, in targets_
  mutable std::vector<Block> targets_;

  mutable std::optional<Cfg> cfg_;
  mutable std::optional<Dominators> dominators_;
  mutable std::optional<Loops> loops_;
};

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_CFG_H_
