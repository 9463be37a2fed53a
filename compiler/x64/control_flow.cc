// See control_flow.h.
#include "compiler/x64/control_flow.h"

#include <algorithm>
#include <utility>

#include "compiler/ir/cfg.h"

namespace precast::x64 {
namespace {

using ir::Block;

class Analysis {
 public:
  Analysis(const ir::Function& f, const ir::Graphs& graphs)
      : f_(f), loops_(graphs.loops(f)), graph_(graphs.cfg(f)) {
    cf_.info.resize(f.num_blocks());
  }

  ControlFlow Run() {
    for (Block e : f_.entries()) cf_.info[e.index].is_entry = true;
    cf_.rpo = Walk(/*use_loops=*/false);
    for (uint32_t i = 0; i < cf_.rpo.size(); ++i) cf_.info[cf_.rpo[i].index].rpo = i;
    const std::vector<bool> is_tight = FindTightLoops();
    for (Block b : cf_.rpo) {
      ControlFlow::BlockInfo& info = cf_.info[b.index];
      info.num_preds = static_cast<uint32_t>(graph_.predecessors(b).size());
      info.loop_depth = loops_.depth(b);
      info.cold = f_.block(b).cold;
      float frequency = 1.0f;
      for (uint32_t d = 0; d < std::min(info.loop_depth, 6u); ++d) frequency *= 8.0f;
      // Cold, or reached only through an entry that is rarely taken.
      const bool rare = info.cold || info.rpo >= primary_;
      info.frequency = rare ? frequency * 0.001f : frequency;
      info.align = loops_.head(b) == b && is_tight[b.index] && !rare;
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
          // Shallower first; at equal depth the colder first, or by a profile the much lighter,
          // else the taken edge first, so that the other falls through.
          const ControlFlow::BlockInfo& a = cf_.info[successors[0].target.index];
          const ControlFlow::BlockInfo& b = cf_.info[successors[1].target.index];
          const uint64_t heavy = f_.block(successors[0].target).weight;
          const uint64_t light = f_.block(successors[1].target).weight;
          const bool swap = a.cold != b.cold               ? b.cold
                            : a.loop_depth != b.loop_depth ? a.loop_depth > b.loop_depth
                                                           : light != 0 && heavy >= 2 * light;
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

  struct Item {
    bool is_loop;
    uint32_t index;  // of the block; of the loop's head
  };
  // By loop, one more than the index of its head; [0]: what is outside of all loops.
  using Items = std::vector<std::vector<Item>>;

  // Whether an edge from inside the loop to `target` leaves it, as far as a short look shows.
  bool Leaves(Block head, Block target) const {
    if (loops_.depth(target) > loops_.depth(head) + kMaxNesting) return false;
    return !loops_.Contains(head, target);
  }

  // A loop that is left near its beginning ("while") ends with a jump back. If it is laid out to
  // begin behind the block that leaves it, that jump is made once, on the way in, instead of in
  // each round.
  void Rotate(Block head, Items& all) {
    std::vector<Item>& items = all[head.index + 1];
    if (items.empty() || items[0].is_loop || items[0].index != head.index) return;
    Item last = items.back();
    for (uint32_t depth = 0; last.is_loop; ++depth) {
      if (depth == kMaxNesting) return;
      last = all[last.index + 1].back();
    }
    bool goes_back = false;
    for (const ir::Edge& e : Successors(Block(last.index))) {
      goes_back |= e.target == head;
      if (Leaves(head, e.target)) return;  // it is left at its end as it is
    }
    if (!goes_back) return;
    for (size_t k = 0; k + 1 < items.size(); ++k) {
      if (items[k].is_loop) continue;
      const absl::Span<const ir::Edge> edges = Successors(Block(items[k].index));
      if (edges.size() != 2 || Leaves(head, edges[0].target) == Leaves(head, edges[1].target)) {
        continue;
      }
      std::rotate(items.begin(), items.begin() + static_cast<ptrdiff_t>(k) + 1, items.end());
      // What jumps back leads here.
      if (!items[0].is_loop) {
        cf_.info[items[0].index].align = cf_.info[head.index].align;
        cf_.info[head.index].align = false;
      }
      return;
    }
  }

  // By head: whether a loop has neither inner ones nor calls, so that it matters where it lies.
  std::vector<bool> FindTightLoops() const {
    std::vector<bool> is_tight(f_.num_blocks(), true);
    for (Block b : cf_.rpo) {
      const Block head = loops_.head(b);
      if (!head.valid()) continue;
      if (head == b && loops_.parent(b).valid()) is_tight[loops_.parent(b).index] = false;
      if (is_tight[head.index] && !f_.block(b).cold && HasCall(b)) is_tight[head.index] = false;
    }
    return is_tight;
  }

  bool HasCall(Block b) const {
    const std::vector<ir::Inst>& insts = f_.block(b).insts;
    return std::any_of(insts.begin(), insts.end(), [&](ir::Inst i) {
      const ir::Opcode op = f_.inst(i).op;
      return op == ir::Opcode::kCall || op == ir::Opcode::kCallDispatch ||
             op == ir::Opcode::kCallRuntime || op == ir::Opcode::kCallPointer;
    });
  }

  // Lists blocks and inner loops as items of the loop they are directly in, by first appearance,
  // then flattens the tree: so a loop is contiguous whatever the walk did.
  void Layout() {
    const std::vector<Block> order = Walk(/*use_loops=*/true);
    Items items(f_.num_blocks() + 1);
    const auto items_of = [&](Block head) -> std::vector<Item>& {
      return items[head.valid() ? head.index + 1 : 0];
    };
    std::vector<uint8_t> placed(f_.num_blocks(), 0);
    for (Block b : order) {
      if (cf_.info[b.index].cold) continue;
      Block head = loops_.head(b);
      items_of(head).push_back({false, b.index});
      while (head.valid() && !placed[head.index]) {
        placed[head.index] = 1;
        items_of(loops_.parent(head)).push_back({true, head.index});
        head = loops_.parent(head);
      }
    }
    // Inner loops come first, since what ends an outer one may be an inner one.
    for (size_t i = cf_.rpo.size(); i-- > 0;) {
      const Block b = cf_.rpo[i];
      if (placed[b.index]) Rotate(b, items);
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

  static constexpr uint32_t kMaxNesting = 8;  // of loops that are looked into

  const ir::Function& f_;
  const ir::Loops& loops_;
  const ir::Cfg& graph_;
  ControlFlow cf_;
  uint32_t primary_ = 0;  // blocks that entry 0 reaches are rpo[0 … primary_-1]
};

}  // namespace

ControlFlow AnalyzeControlFlow(const ir::Function& function, const ir::Graphs& graphs) {
  return Analysis(function, graphs).Run();
}

}  // namespace precast::x64
