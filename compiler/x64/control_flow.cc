// See control_flow.h. Dominators: Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm", which is
// fast on what compilers make, and quadratic on many branches to one block: then those of ir/cfg.h.
// Loop nesting: inner loops are found first and become one node of the outer walk, as in LLVM's
// LoopInfo.
#include "compiler/x64/control_flow.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "compiler/ir/cfg.h"

namespace precast::x64 {
namespace {

using ir::Block;

constexpr uint32_t kNone = 0xffffffffu;

struct Loop {
  uint32_t header;          // block index
  uint32_t parent = kNone;  // loop index
  uint32_t depth = 0;       // 1 = outermost
  bool innermost = true;
};

class Analysis {
 public:
  explicit Analysis(const ir::Function& f) : f_(f), loop_of_(f.num_blocks(), kNone) {
    cf_.info.resize(f.num_blocks());
  }

  ControlFlow Run() {
    for (Block e : f_.entries()) cf_.info[e.index].is_entry = true;
    cf_.rpo = Walk(/*use_loops=*/false);
    for (uint32_t i = 0; i < cf_.rpo.size(); ++i) cf_.info[cf_.rpo[i].index].rpo = i;
    CollectPreds();
    ComputeDominators();
    FindLoops();
    for (Block b : cf_.rpo) {
      ControlFlow::BlockInfo& info = cf_.info[b.index];
      const uint32_t loop = loop_of_[b.index];
      info.loop_depth = loop == kNone ? 0 : loops_[loop].depth;
      info.cold = f_.block(b).cold;
      float frequency = 1.0f;
      for (uint32_t d = 0; d < std::min(info.loop_depth, 6u); ++d) frequency *= 8.0f;
      // Cold, or reached only through an entry that is rarely taken.
      const bool rare = info.cold || info.rpo >= primary_;
      info.frequency = rare ? frequency * 0.001f : frequency;
      info.align =
          loop != kNone && loops_[loop].header == b.index && loops_[loop].innermost && !info.cold;
    }
    Layout();
    return std::move(cf_);
  }

 private:
  absl::Span<const ir::Edge> Successors(Block b) const { return f_.edges(f_.terminator(b)); }

  // Reverse postorder from entry 0, then of what only the other entries reach. The successor
  // visited last comes directly after its block; with `use_loops`, that is the one deepest in
  // loops.
  std::vector<Block> Walk(bool use_loops) {
    std::vector<Block> result;
    std::vector<uint8_t> seen(f_.num_blocks(), 0);
    std::vector<Block> postorder;
    struct Frame {
      Block block;
      uint32_t next;
    };
    std::vector<Frame> stack;
    for (size_t e = 0; e < f_.entries().size(); ++e) {
      const Block entry = f_.entries()[e];
      if (seen[entry.index]) continue;
      seen[entry.index] = 1;
      stack.push_back({entry, 0});
      postorder.clear();
      while (!stack.empty()) {
        Frame& frame = stack.back();
        const absl::Span<const ir::Edge> successors = Successors(frame.block);
        if (frame.next == successors.size()) {
          postorder.push_back(frame.block);
          stack.pop_back();
          continue;
        }
        uint32_t pick = frame.next++;
        if (use_loops && successors.size() == 2) {
          // Shallower first; at equal depth the colder first, else the taken edge first, so that
          // the other falls through.
          const ControlFlow::BlockInfo& a = cf_.info[successors[0].target.index];
          const ControlFlow::BlockInfo& b = cf_.info[successors[1].target.index];
          const bool swap = a.cold != b.cold ? b.cold : a.loop_depth > b.loop_depth;
          if (swap) pick = 1 - pick;
        }
        const Block next = successors[pick].target;
        if (!seen[next.index]) {
          seen[next.index] = 1;
          stack.push_back({next, 0});
        }
      }
      result.insert(result.end(), postorder.rbegin(), postorder.rend());
      if (e == 0 && !use_loops) primary_ = static_cast<uint32_t>(result.size());
    }
    return result;
  }

  void CollectPreds() {
    for (Block b : cf_.rpo) {
      for (const ir::Edge& edge : Successors(b)) ++cf_.info[edge.target.index].num_preds;
    }
    preds_begin_.assign(f_.num_blocks() + 1, 0);
    uint32_t total = 0;
    for (size_t i = 0; i < f_.num_blocks(); ++i) {
      preds_begin_[i] = total;
      total += cf_.info[i].num_preds;
    }
    preds_begin_[f_.num_blocks()] = total;
    preds_.resize(total);
    std::vector<uint32_t> fill(preds_begin_.begin(), preds_begin_.end() - 1);
    for (Block b : cf_.rpo) {
      for (const ir::Edge& edge : Successors(b)) preds_[fill[edge.target.index]++] = b.index;
    }
  }

  absl::Span<const uint32_t> Preds(uint32_t block) const {
    return absl::MakeConstSpan(preds_).subspan(preds_begin_[block],
                                               preds_begin_[block + 1] - preds_begin_[block]);
  }
  uint32_t Rpo(uint32_t block) const { return cf_.info[block].rpo; }

  // Only of blocks that entry 0 reaches, ignoring edges from blocks it does not reach. idom_ is by
  // position in rpo; those positions come first.
  void ComputeDominators() {
    idom_.assign(cf_.rpo.size(), kNone);
    if (primary_ == 0) return;
    if (!FindImmediateDominators()) {
      const ir::Cfg cfg(f_);
      dominators_.emplace(f_, cfg, ir::Dominators::From::kPrimaryEntry);
      return;
    }
    // Depth in the dominator tree would answer "dominates" by walking; intervals answer it at once.
    std::vector<uint32_t> size(primary_, 1);
    for (uint32_t i = primary_; i-- > 1;) size[idom_[i]] += size[i];
    first_.assign(primary_, 0);
    last_.assign(primary_, 0);
    std::vector<uint32_t> next(primary_, 0);
    for (uint32_t i = 0; i < primary_; ++i) {
      first_[i] = i == 0 ? 0 : next[idom_[i]];
      if (i != 0) next[idom_[i]] += size[i];
      next[i] = first_[i] + 1;
      last_[i] = first_[i] + size[i];
    }
  }

  // False if that takes too long.
  bool FindImmediateDominators() {
    idom_[0] = 0;
    steps_ = 32 * uint64_t{primary_} + 4096;
    bool changed = true;
    while (changed) {
      changed = false;
      for (uint32_t i = 1; i < primary_; ++i) {
        uint32_t dom = kNone;
        for (uint32_t pred : Preds(cf_.rpo[i].index)) {
          const uint32_t p = Rpo(pred);
          if (p >= primary_ || idom_[p] == kNone) continue;
          dom = dom == kNone ? p : Intersect(dom, p);
        }
        if (steps_ == 0) return false;
        if (dom != idom_[i]) {
          idom_[i] = dom;
          changed = true;
        }
      }
    }
    return true;
  }

  uint32_t Intersect(uint32_t a, uint32_t b) {
    while (a != b) {
      if (steps_ == 0) return a;
      --steps_;
      if (a > b) {
        a = idom_[a];
      } else {
        b = idom_[b];
      }
    }
    return a;
  }

  bool Dominates(uint32_t a, uint32_t b) const {  // positions in rpo
    if (dominators_.has_value()) return dominators_->Dominates(cf_.rpo[a], cf_.rpo[b]);
    return first_[a] <= first_[b] && first_[b] < last_[a];
  }

  void FindLoops() {
    std::vector<uint32_t> work;
    for (uint32_t i = primary_; i-- > 0;) {  // inner headers before outer ones
      const uint32_t header = cf_.rpo[i].index;
      work.clear();
      for (uint32_t pred : Preds(header)) {
        const uint32_t p = Rpo(pred);
        if (p < primary_ && Dominates(i, p)) work.push_back(pred);
      }
      if (work.empty()) continue;
      const uint32_t loop = static_cast<uint32_t>(loops_.size());
      loops_.push_back({.header = header});
      while (!work.empty()) {
        uint32_t b = work.back();
        work.pop_back();
        if (Rpo(b) >= primary_) continue;
        if (loop_of_[b] == kNone) {
          loop_of_[b] = loop;
          if (b == header) continue;
          for (uint32_t pred : Preds(b)) work.push_back(pred);
          continue;
        }
        // Part of an inner loop: go on at the head of the outermost one found so far.
        uint32_t inner = loop_of_[b];
        while (loops_[inner].parent != kNone) inner = loops_[inner].parent;
        if (inner == loop) continue;
        loops_[inner].parent = loop;
        loops_[loop].innermost = false;
        for (uint32_t pred : Preds(loops_[inner].header)) work.push_back(pred);
      }
      if (loop_of_[header] == kNone) loop_of_[header] = loop;
    }
    for (size_t i = loops_.size(); i-- > 0;) {  // outer loops were found later
      Loop& l = loops_[i];
      l.depth = l.parent == kNone ? 1 : loops_[l.parent].depth + 1;
    }
  }

  // Lists blocks and inner loops as items of the loop they are directly in, by first appearance,
  // then flattens the tree: so a loop is contiguous whatever the walk did.
  void Layout() {
    const std::vector<Block> order = Walk(/*use_loops=*/true);
    struct Item {
      bool is_loop;
      uint32_t index;
    };
    std::vector<std::vector<Item>> items(loops_.size() + 1);  // [0]: outside of all loops
    std::vector<uint8_t> placed(loops_.size(), 0);
    for (Block b : order) {
      if (cf_.info[b.index].cold) continue;
      uint32_t loop = loop_of_[b.index];
      items[loop == kNone ? 0 : loop + 1].push_back({false, b.index});
      while (loop != kNone && !placed[loop]) {
        placed[loop] = 1;
        const uint32_t parent = loops_[loop].parent;
        items[parent == kNone ? 0 : parent + 1].push_back({true, loop});
        loop = parent;
      }
    }
    std::vector<std::pair<uint32_t, size_t>> stack = {{0, 0}};
    cf_.layout.reserve(cf_.rpo.size());
    while (!stack.empty()) {
      auto& [list, at] = stack.back();
      if (at == items[list].size()) {
        stack.pop_back();
        continue;
      }
      const Item item = items[list][at++];
      if (item.is_loop) {
        stack.push_back({item.index + 1, 0});
      } else {
        cf_.layout.push_back(Block(item.index));
      }
    }
    for (Block b : order) {
      if (cf_.info[b.index].cold) cf_.layout.push_back(b);
    }
    // Entry 0 is where direct calls go: first whatever else was decided.
    auto first = std::find(cf_.layout.begin(), cf_.layout.end(), f_.entries()[0]);
    std::rotate(cf_.layout.begin(), first, first + 1);
  }

  const ir::Function& f_;
  ControlFlow cf_;
  uint32_t primary_ = 0;  // blocks that entry 0 reaches are rpo[0 … primary_-1]
  std::vector<uint32_t> preds_begin_, preds_;
  std::vector<uint32_t> idom_, first_, last_;
  uint64_t steps_ = 0;                        // that may still be made up the dominator tree
  std::optional<ir::Dominators> dominators_;  // if those were too many, instead of first_ and last_
  std::vector<Loop> loops_;
  std::vector<uint32_t> loop_of_;
};

}  // namespace

ControlFlow AnalyzeControlFlow(const ir::Function& function) { return Analysis(function).Run(); }

}  // namespace precast::x64
