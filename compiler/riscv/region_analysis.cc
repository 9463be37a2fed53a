#include "compiler/riscv/region_analysis.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <optional>
#include <queue>
#include <utility>

#include "absl/types/span.h"
#include "runtime/abi/helpers.h"

namespace precast::riscv {
namespace {

template <typename Visit>
void ForEach(RegisterSet set, Visit visit) {
  for (; set != 0; set &= set - 1) visit(std::countr_zero(set));
}

constexpr uint32_t kNoNode = 0xffffffff;

bool IsCall(BlockEnd kind) {
  return kind == BlockEnd::kCall || kind == BlockEnd::kIndirectCall || kind == BlockEnd::kHostCall;
}

constexpr int kFirstArgument = 10;  // a0

// Registers that an instruction reads and writes; x0 is never in a set. (The decoder leaves
// operands that a format lacks x0.)
RegisterSet Reads(const Instruction& in) {
  RegisterSet set = (RegisterSet{1} << in.rs1) | (RegisterSet{1} << in.rs2);
  if (IsCustom(in.op)) set |= RegisterSet{1} << in.rd;
  if (in.op == Op::kHelper) {
    set |= ((RegisterSet{1} << abi::kHelpers[in.imm].inputs) - 1) << kFirstArgument;
  }
  return set & ~RegisterSet{1};
}
RegisterSet Writes(const Instruction& in) {
  if (in.op == Op::kCustom || in.op == Op::kCustomEnd) return 0;
  RegisterSet set = RegisterSet{1} << in.rd;
  if (in.op == Op::kHelper) {
    set |= ((RegisterSet{1} << abi::kHelpers[in.imm].outputs) - 1) << kFirstArgument;
  }
  return set & ~RegisterSet{1};
}

class Planner {
 public:
  Planner(const Region& region, const Code& code, RegisterSet passed, bool local)
      : region_(region), code_(code), passed_(passed), local_(local) {}

  RegionPlan Run() {
    MakeNodes();
    Connect();
    Order();
    FindLoaders();
    if (!local_) FindLoops();
    if (!local_) SolveLive();
    SolveAll();
    if (!local_ && FindJoinLoaders()) SolveAll();
    if (!local_ && FindLoopLoaders()) SolveAll();
    return std::move(plan_);
  }

 private:
  void MakeNodes() {
    // Each call ends a block.
    plan_.nodes.reserve(2 * region_.blocks.size() + region_.entries.size());
    for (uint32_t b = 0; b < region_.blocks.size(); ++b) {
      Node node{.kind = Node::Kind::kBlock, .block = b};
      const BasicBlock& block = region_.blocks[b];
      uint32_t index = code_.IndexOf(block.begin);
      for (uint32_t n = block.num_instructions(); n-- > 0; ++index) {
        const Instruction& in = code_.At(index);
        node.reads |= Reads(in) & ~node.writes;
        node.writes |= Writes(in);
      }
      plan_.nodes.push_back(std::move(node));
    }
    plan_.after_call.assign(region_.blocks.size(), kNoNode);
    for (uint32_t pc : region_.entries) AddBoundary(Node::Kind::kEntry, *region_.FindBlock(pc));
    for (uint32_t b = 0; b < region_.blocks.size(); ++b) {
      if (!IsCall(region_.blocks[b].kind)) continue;
      plan_.after_call[b] = static_cast<uint32_t>(plan_.nodes.size());
      AddBoundary(Node::Kind::kAfterCall, b);
    }
  }

  void AddBoundary(Node::Kind kind, uint32_t block) {
    plan_.nodes.push_back(Node{.kind = kind, .block = block, .writes = ~RegisterSet{1}});
  }

  // Successor blocks by pc, those in the region only.
  template <typename Visit>
  void ForEachTarget(const BasicBlock& block, Visit visit) const {
    switch (block.kind) {
      case BlockEnd::kBranch:
        visit(block.target);
        if (block.end != block.target) visit(block.end);
        break;
      case BlockEnd::kFallThrough:
        visit(block.end);
        break;
      case BlockEnd::kJump:
        visit(block.target);
        break;
      case BlockEnd::kSwitch:
        for (uint32_t pc : region_.TargetsOf(block)) visit(pc);
        break;
      default:
        break;
    }
  }

  void Connect() {
    auto add_edge = [&](uint32_t from, uint32_t pc) {
      if (std::optional<uint32_t> to = region_.FindBlock(pc)) {
        plan_.nodes[from].successors.push_back(*to);
        plan_.nodes[*to].predecessors.push_back(from);
      }
    };
    for (uint32_t n = 0; n < plan_.nodes.size(); ++n) {
      const BasicBlock& block = region_.blocks[plan_.nodes[n].block];
      switch (plan_.nodes[n].kind) {
        case Node::Kind::kBlock:
          ForEachTarget(block, [&](uint32_t pc) { add_edge(n, pc); });
          break;
        case Node::Kind::kEntry:
          add_edge(n, block.begin);
          break;
        case Node::Kind::kAfterCall:
          add_edge(n, block.end);
          break;
      }
    }
  }

  // Reverse post-order from all boundary nodes. A call's after-node comes after the calling block,
  // so that code is laid out in guest order.
  void Order() {
    std::vector<uint8_t> seen(plan_.nodes.size());
    std::vector<std::pair<uint32_t, size_t>> stack;
    std::vector<uint32_t> post;
    auto visit_from = [&](uint32_t root) {
      if (seen[root]) return;
      seen[root] = 1;
      stack.push_back({root, 0});
      while (!stack.empty()) {
        auto& [n, next] = stack.back();
        const Node& node = plan_.nodes[n];
        // The call edge counts as a successor here, visited last.
        const uint32_t call =
            node.kind == Node::Kind::kBlock ? plan_.after_call[node.block] : kNoNode;
        uint32_t s = kNoNode;
        if (next < node.successors.size()) {
          s = node.successors[node.successors.size() - 1 - next];
        } else if (next == node.successors.size()) {
          s = call;
        } else {
          post.push_back(n);
          stack.pop_back();
          continue;
        }
        ++next;
        if (s != kNoNode && !seen[s]) {
          seen[s] = 1;
          stack.push_back({s, 0});
        }
      }
    };
    // The primary entry's tree comes first. A source dominates its uses (edges after calls counted
    // too), so it is in the same tree, and earlier in reverse post-order.
    for (uint32_t e = 0; e < region_.entries.size(); ++e) {
      post.clear();
      visit_from(static_cast<uint32_t>(region_.blocks.size()) + e);
      plan_.order.insert(plan_.order.end(), post.rbegin(), post.rend());
    }
  }

  // Where all predecessors are boundaries, registers not passed are in VmContext anyway.
  void FindLoaders() {
    for (Node& node : plan_.nodes) {
      if (node.IsBoundary()) continue;
      const bool after_boundaries =
          std::all_of(node.predecessors.begin(), node.predecessors.end(),
                      [&](uint32_t p) { return plan_.nodes[p].IsBoundary(); });
      if (local_) node.in_context = ~RegisterSet{0};
      if (!local_ && after_boundaries) node.in_context = ~passed_;
    }
  }

  // By node: its place in the order.
  std::vector<uint32_t> Ranks() const {
    std::vector<uint32_t> rank(plan_.nodes.size());
    for (uint32_t i = 0; i < plan_.order.size(); ++i) rank[plan_.order[i]] = i;
    return rank;
  }

  // Finds the nodes that can be executed again before the next boundary: those in a strongly
  // connected component with an edge (Tarjan, "Depth-first search and linear graph algorithms",
  // 1972).
  void FindLoops() {
    constexpr uint32_t kUnseen = 0, kDone = 0xffffffff;
    struct Frame {
      uint32_t node;
      size_t next;  // successor
    };
    std::vector<uint32_t> low(plan_.nodes.size(), kUnseen);  // lowest number reached
    std::vector<uint32_t> open;
    std::vector<Frame> stack;
    uint32_t count = 0;
    auto enter = [&](uint32_t n) {
      low[n] = ++count;
      open.push_back(n);
      stack.push_back({n, 0});
    };
    for (uint32_t root : plan_.order) {
      if (low[root] != kUnseen) continue;
      enter(root);
      std::vector<uint32_t> number(1, low[root]);  // of the nodes on the stack
      while (!stack.empty()) {
        auto& [n, next] = stack.back();
        const auto& successors = plan_.nodes[n].successors;
        if (next < successors.size()) {
          const uint32_t s = successors[next++];
          if (s == n) plan_.nodes[n].in_loop = true;
          if (low[s] == kUnseen) {
            enter(s);
            number.push_back(low[s]);
          } else if (low[s] != kDone) {
            low[n] = std::min(low[n], low[s]);
          }
          continue;
        }
        const uint32_t done = n;
        stack.pop_back();
        if (low[done] == number.back()) {
          const bool is_loop = open.back() != done;
          uint32_t member;
          do {
            member = open.back();
            open.pop_back();
            low[member] = kDone;
            if (is_loop) plan_.nodes[member].in_loop = true;
          } while (member != done);
        } else {
          uint32_t& parent = low[stack.back().node];
          parent = std::min(parent, low[done]);
        }
        number.pop_back();
      }
    }
  }

  // How likely it is, by register and in parts of 255, that it is overwritten before the next
  // boundary, if each way on is taken as often as the others. Ways around a loop count as if they
  // led to a boundary.
  using Chances = std::array<uint8_t, 32>;
  static constexpr uint8_t kLikely = 128;
  std::vector<Chances> FindChances() const {
    std::vector<Chances> chances(plan_.nodes.size(), Chances{});
    for (size_t k = plan_.order.size(); k-- > 0;) {
      const Node& node = plan_.nodes[plan_.order[k]];
      if (node.IsBoundary()) continue;
      std::array<uint32_t, 32> sum = {};
      for (uint32_t s : node.successors) {
        for (size_t r = 0; r < sum.size(); ++r) sum[r] += chances[s][r];
      }
      const uint32_t ways = std::max<uint32_t>(1, static_cast<uint32_t>(node.successors.size()));
      Chances& own = chances[plan_.order[k]];
      for (size_t r = 0; r < sum.size(); ++r) {
        own[r] = (node.writes >> r & 1) != 0 ? 255 : static_cast<uint8_t>(sum[r] / ways);
      }
    }
    return chances;
  }

  // Where ways join that have left a register in VmContext and ways that have changed it, a
  // parameter would have to be loaded on the first ones, and stored before the next boundary,
  // unless it is overwritten before. Where that is not likely, storing it on the others before the
  // join leaves a load where it is read, if it is. The same goes for a register that is not read
  // any more. Not in loops: a parameter may cost nothing there, a store is one in each round. True
  // if there is such a register.
  bool FindJoinLoaders() {
    bool found = false;
    const std::vector<Chances> overwritten = FindChances();
    for (uint32_t n : plan_.order) {
      Node& node = plan_.nodes[n];
      if (node.IsBoundary() || node.in_loop) continue;
      RegisterSet parameters = 0, clean = 0;
      for (int r = 1; r < 32; ++r) {
        if (node.source[r] == n) parameters |= RegisterSet{1} << r;
      }
      for (uint32_t p : node.predecessors) {
        const Node& pred = plan_.nodes[p];
        clean |= pred.IsBoundary() ? ~RegisterSet{0} : ~(pred.dirty | pred.writes);
      }
      RegisterSet set =
          parameters & node.needed & ~passed_ & ~node.in_context & (clean | ~node.live);
      for (RegisterSet rest = set & node.live; rest != 0; rest &= rest - 1) {
        const int r = std::countr_zero(rest);
        if (overwritten[n][r] >= kLikely) set &= ~(RegisterSet{1} << r);
      }
      node.in_context |= set;
      found |= set != 0;
    }
    return found;
  }

  // A register that every way around a loop leaves in VmContext, because a call comes after its
  // last change, would be a parameter of the loop's head only for what comes into the loop: then
  // each round would store it before the call and load it again after. Storing it before the loop
  // instead leaves just the loads. True if there is such a register.
  bool FindLoopLoaders() {
    const std::vector<uint32_t> rank = Ranks();
    bool found = false;
    for (uint32_t h : plan_.order) {
      Node& head = plan_.nodes[h];
      if (head.IsBoundary()) continue;
      RegisterSet set = head.needed & ~passed_ & ~head.in_context;
      bool is_head = false;
      for (uint32_t p : head.predecessors) {
        const Node& pred = plan_.nodes[p];
        if (pred.kind == Node::Kind::kEntry || rank[p] < rank[h]) continue;
        is_head = true;
        if (!pred.IsBoundary()) set &= ~(pred.dirty | pred.writes);
        for (int r = 1; r < 32; ++r) {
          const bool from_this_round = (set >> r & 1) != 0 && rank[ValueAfter(p, r)] > rank[h];
          if (!from_this_round) set &= ~(RegisterSet{1} << r);
        }
      }
      if (!is_head || set == 0) continue;
      head.in_context |= set;
      found = true;
    }
    return found;
  }

  // Applies `update` to nodes until nothing changes any more. It says whether the node changed, so
  // that the nodes that depend on it are looked at again; of those waiting, the one first in
  // `plan_.order` (or last, if `backward`) comes first. Every node is looked at once at least.
  template <typename Update>
  void Solve(bool backward, Update update) {
    const uint32_t count = static_cast<uint32_t>(plan_.order.size());
    auto node_at = [&](uint32_t rank) { return plan_.order[backward ? count - 1 - rank : rank]; };
    std::vector<uint32_t> rank_of(plan_.nodes.size(), kNoNode);
    for (uint32_t rank = 0; rank < count; ++rank) rank_of[node_at(rank)] = rank;
    std::vector<uint8_t> waiting(plan_.nodes.size());
    std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> again;
    auto visit = [&](uint32_t rank) {
      const uint32_t n = node_at(rank);
      waiting[n] = 0;
      if (!update(plan_.nodes[n], n)) return;
      for (uint32_t d : backward ? plan_.nodes[n].predecessors : plan_.nodes[n].successors) {
        if (waiting[d] || rank_of[d] == kNoNode) continue;
        waiting[d] = 1;
        again.push(rank_of[d]);
      }
    };
    for (uint32_t rank = 0; rank < count; ++rank) waiting[node_at(rank)] = 1;
    for (uint32_t rank = 0; rank < count; ++rank) visit(rank);
    while (!again.empty()) {
      const uint32_t rank = again.top();
      again.pop();
      visit(rank);
    }
  }

  void SolveAll() {
    for (Node& node : plan_.nodes) node.dirty = node.needed = 0;
    SolveDirty();
    SolveNeeded();
    SolveSources();
  }

  // Registers not passed that may differ from VmContext; passed ones always do.
  void SolveDirty() {
    if (local_) return;
    Solve(/*backward=*/false, [&](Node& node, uint32_t) {
      RegisterSet dirty = 0;
      for (uint32_t p : node.predecessors) {
        const Node& pred = plan_.nodes[p];
        if (!pred.IsBoundary()) dirty |= pred.dirty | pred.writes;
      }
      dirty = (dirty & ~node.in_context) | passed_;
      return std::exchange(node.dirty, dirty) != dirty;
    });
  }

  void SolveLive() {
    Solve(/*backward=*/true, [&](Node& node, uint32_t) {
      RegisterSet live = 0;
      for (uint32_t s : node.successors) live |= plan_.nodes[s].live;
      live = node.reads | (live & ~node.writes);
      return std::exchange(node.live, live) != live;
    });
  }

  void SolveNeeded() {
    Solve(/*backward=*/true, [&](Node& node, uint32_t) {
      RegisterSet out = 0;
      if (!local_) {
        for (uint32_t s : node.successors) {
          out |= plan_.nodes[s].needed & ~plan_.nodes[s].in_context;
        }
      }
      const RegisterSet needed = node.reads | node.dirty | (out & ~node.writes);
      return std::exchange(node.needed, needed) != needed;
    });
  }

  // Node whose value register r has at the end of node n.
  uint32_t ValueAfter(uint32_t n, int r) const {
    return (plan_.nodes[n].writes >> r & 1) != 0 ? n : plan_.nodes[n].source[r];
  }

  // Optimistic: a predecessor not yet seen agrees with everything.
  void SolveSources() {
    constexpr uint32_t kUnseen = 0xfffffffe;
    for (Node& node : plan_.nodes) node.source.fill(kUnseen);
    Solve(/*backward=*/false, [&](Node& node, uint32_t n) {
      bool changed = false;
      const RegisterSet needed = node.needed & ~RegisterSet{1};
      const RegisterSet own = node.IsBoundary() ? needed : needed & node.in_context;
      const auto set = [&](int r, uint32_t source) {
        changed |= std::exchange(node.source[r], source) != source;
      };
      ForEach(own, [&](int r) { set(r, n); });
      const absl::Span<const uint32_t> predecessors = node.predecessors;
      if (predecessors.size() == 1) {  // mostly
        const uint32_t p = predecessors[0];
        const Node& pred = plan_.nodes[p];
        ForEach(needed & ~own & pred.writes, [&](int r) { set(r, p); });
        ForEach(needed & ~own & ~pred.writes, [&](int r) { set(r, pred.source[r]); });
        return changed;
      }
      ForEach(needed & ~own, [&](int r) {
        if (node.source[r] == n) return;
        uint32_t source = kUnseen;
        for (uint32_t p : predecessors) {
          const uint32_t from = ValueAfter(p, r);
          if (from == kUnseen || from == source) continue;
          source = source == kUnseen ? from : n;
        }
        set(r, source);
      });
      return changed;
    });
  }

  const Region& region_;
  const Code& code_;
  const RegisterSet passed_;
  const bool local_;
  RegionPlan plan_;
};

}  // namespace

RegionPlan PlanRegion(const Region& region, const Code& code, RegisterSet passed, bool local) {
  return Planner(region, code, passed, local).Run();
}

}  // namespace precast::riscv
