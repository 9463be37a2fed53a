// Jumps past switches, see thread_switches.h.
#include "compiler/opt/thread_switches.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Value;

constexpr size_t kMaxParamsForEach = 4;
constexpr int kMaxSwitches = 8;

// The number of the parameter of `b` that it switches on, if it does nothing else but meter.
std::optional<uint32_t> SelectorOf(const Function& f, Block b) {
  const Inst terminator = f.terminator(b);
  if (f.inst(terminator).op != Opcode::kBrTable) return std::nullopt;
  for (Inst i : f.block(b).insts) {
    if (i != terminator && f.inst(i).op != Opcode::kMeter) return std::nullopt;
  }
  const ir::ValueData& selector = f.value(f.args(terminator)[0]);
  if (!selector.is_param || selector.def != b.index) return std::nullopt;
  return selector.index;
}

std::optional<uint32_t> ConstantOf(const Function& f, Value v) {
  if (f.value(v).is_param) return std::nullopt;
  const InstData& inst = f.inst(Inst(f.value(v).def));
  if (inst.op != Opcode::kIconst) return std::nullopt;
  return static_cast<uint32_t>(inst.imm);
}

// Of one switch.
class SwitchThreader {
 public:
  // `selector`: the number of the parameter that `b` switches on.
  SwitchThreader(Function& f, const ir::Graphs& graphs, Block b, uint32_t selector)
      : f_(f),
        cfg_(graphs.cfg(f)),
        dominators_(graphs.dominators(f)),
        b_(b),
        selector_(selector),
        params_(f.block(b).params),
        join_of_(f.num_blocks()),
        versions_begin_(f.num_blocks()) {}

  bool Run() {
    if (!cfg_.reachable(b_)) return false;
    FindJumps();
    if (jumps_.empty()) return false;
    FindJoins();
    if (joins_.size() * params_.size() > kMaxParamsForEach * f_.num_values()) return false;
    AddVersions();
    RenameUses();
    PassVersions();
    for (const Jump& jump : jumps_) Thread(jump);
    for (Block block : cold_) f_.block(block).cold = true;
    if (!is_loop_) AskForFirst();
    return true;
  }

 private:
  // Edge number `edge` of `from` leads to `b_` with a constant, and so on to `to`.
  struct Jump {
    Block from;
    size_t edge;
    Block to;
  };

  void FindJumps() {
    const absl::Span<const Edge> cases = f_.edges(f_.terminator(b_));
    Block previous;
    for (Block p : cfg_.predecessors(b_)) {
      if (p == previous) continue;  // one of several edges of it
      previous = p;
      const absl::Span<const Edge> edges = ir::Successors(f_, p);
      for (size_t k = 0; k < edges.size(); ++k) {
        if (edges[k].target != b_) continue;
        const std::optional<uint32_t> constant = ConstantOf(f_, edges[k].args[selector_]);
        if (!constant) {
          is_loop_ |= dominators_.Dominates(b_, p);
          continue;
        }
        const size_t taken = std::min<size_t>(*constant, cases.size() - 1);
        jumps_.push_back({p, k, cases[taken].target});
      }
    }
  }

  // The blocks below `b_` in the dominator tree that ways without the switch will reach too: where
  // jumps lead, and where several ways meet. What each dominates sees the parameters of `b_` as
  // they are there. What only the switch reaches is cold, but for the first case: if no loop comes
  // back to it, it says where execution begins, which hardly ever is anywhere else.
  void FindJoins() {
    std::vector<bool> is_target(f_.num_blocks(), false);
    for (const Jump& jump : jumps_) is_target[jump.to.index] = true;
    const Block first = f_.edges(f_.terminator(b_))[0].target;
    const std::vector<Block>& preorder = dominators_.preorder();
    auto at = std::find(preorder.begin(), preorder.end(), b_) + 1;
    while (at != preorder.end() && dominators_.Dominates(b_, *at)) {
      const Block child = *at;
      const bool joins = is_target[child.index] || cfg_.predecessors(child).size() > 1;
      if (joins) joins_.push_back(child);
      for (; at != preorder.end() && dominators_.Dominates(child, *at); ++at) {
        below_.push_back(*at);
        if (joins) join_of_[at->index] = child;
        if (!joins && !is_loop_ && child != first) cold_.push_back(*at);
      }
    }
  }

  void AddVersions() {
    for (Block join : joins_) {
      versions_begin_[join.index] = f_.block(join).params.size();
      for (Value v : params_) f_.AddParam(join, f_.type(v));
    }
  }

  // Parameter `k` of `b_` as it is in `in`.
  Value Version(Block in, size_t k) const {
    const Block join = join_of_[in.index];
    return join.valid() ? f_.block(join).params[versions_begin_[join.index] + k] : params_[k];
  }
  std::optional<size_t> ParamOf(Value v) const {
    const ir::ValueData& value = f_.value(v);
    if (!value.is_param || value.def != b_.index) return std::nullopt;
    return value.index;
  }

  void RenameUses() {
    for (Block in : below_) {
      if (!join_of_[in.index].valid()) continue;
      const auto rename = [&](Value& v) {
        if (const std::optional<size_t> k = ParamOf(v)) v = Version(in, *k);
      };
      for (Inst i : f_.block(in).insts) {
        for (Value& v : f_.mutable_args(i)) rename(v);
      }
      for (Edge& edge : f_.mutable_edges(f_.terminator(in))) {
        for (Value& v : edge.args) rename(v);
      }
      for (auto& [slot, v] : f_.block(in).state) rename(v);
    }
  }

  // To the joins, from wherever ways lead there. (Not all blocks are reachable any more, if this is
  // not the first switch.)
  void PassVersions() {
    const Inst terminator = f_.terminator(b_);
    for (uint32_t n = 0; n < join_of_.size(); ++n) {
      if (Block(n) == b_) continue;
      for (Edge& edge : f_.mutable_edges(f_.terminator(Block(n)))) {
        if (!IsJoin(edge.target)) continue;
        for (size_t k = 0; k < params_.size(); ++k) edge.args.push_back(Version(Block(n), k));
      }
    }
    // A switch passes nothing itself.
    std::vector<Block> between(join_of_.size());
    for (size_t k = 0; k < f_.edges(terminator).size(); ++k) {
      const Block to = f_.edges(terminator)[k].target;
      if (!IsJoin(to)) continue;
      if (!between[to.index].valid()) {
        between[to.index] = NewBlock({to, params_});
        if (!is_loop_ && k > 0) cold_.push_back(between[to.index]);
      }
      f_.mutable_edges(terminator)[k].target = between[to.index];
    }
  }

  bool IsJoin(Block b) const { return b.index < join_of_.size() && join_of_[b.index] == b; }

  // A block that only leads on.
  Block NewBlock(Edge edge) {
    const Block block = f_.NewBlock();
    f_.block(block).guest_pc = f_.block(b_).guest_pc;
    f_.Append(block, {.op = Opcode::kBr}, {}, {}, {std::move(edge)});
    return block;
  }

  // What the jump passes to `b_` is what `jump.to` sees as the parameters of `b_`, if it sees them
  // at all.
  void Thread(const Jump& jump) {
    const Inst terminator = f_.terminator(jump.from);
    Edge on{jump.to};
    if (IsJoin(jump.to)) on.args = f_.edges(terminator)[jump.edge].args;
    const Block past = NewBlock(std::move(on));
    f_.block(past).cold = f_.block(jump.from).cold;
    f_.block(past).weight = f_.block(jump.from).weight;
    size_t at = 0;
    for (Inst i : f_.block(b_).insts) {
      if (f_.inst(i).op != Opcode::kMeter) continue;
      const InstData meter = f_.inst(i);
      f_.Insert(past, at++, meter);
    }
    f_.mutable_edges(terminator)[jump.edge] = {.target = past};
  }

  // The first case is jumped to, the switch is for the others.
  void AskForFirst() {
    const Inst old = f_.terminator(b_);
    const Value selector = params_[selector_];
    const absl::Span<const Edge> cases = f_.edges(old);
    const Edge first = cases[0];
    const Block others = f_.NewBlock();
    f_.block(others).guest_pc = f_.block(b_).guest_pc;
    f_.block(others).cold = true;
    f_.Append(others, {.op = Opcode::kBrTable}, {selector}, {}, {cases.begin(), cases.end()});
    f_.block(b_).insts.pop_back();
    f_.Append(b_, {.op = Opcode::kBrIf, .cold = true}, {selector}, {}, {Edge{others}, first});
  }

  Function& f_;
  const ir::Cfg& cfg_;
  const ir::Dominators& dominators_;
  const Block b_;
  const uint32_t selector_;
  const std::vector<Value> params_;
  std::vector<Jump> jumps_;
  bool is_loop_ = false;  // some way from `b_` back to it is no jump with a constant
  std::vector<Block> joins_;
  std::vector<Block> below_;    // what `b_` dominates, without it
  std::vector<Block> join_of_;  // by block: the join that dominates it, if one does
  std::vector<Block> cold_;
  std::vector<size_t> versions_begin_;  // by join: where its parameters for those of `b_` begin
};

}  // namespace

bool ThreadSwitches(Function& f, const ir::Graphs& graphs) {
  std::vector<std::pair<Block, uint32_t>> switches;
  for (uint32_t k = 0; k < f.num_blocks() && switches.size() < kMaxSwitches; ++k) {
    const std::optional<uint32_t> selector = SelectorOf(f, Block(k));
    if (selector) switches.push_back({Block(k), *selector});
  }
  bool any = false;
  for (const auto& [b, selector] : switches) {
    any |= SwitchThreader(f, graphs, b, selector).Run();
  }
  return any;
}

}  // namespace precast::opt
