// See repeat_rounds.h.
#include "compiler/opt/repeat_rounds.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/fixed_array.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/dce.h"
#include "compiler/opt/value_homes.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Site;
using ir::StateSlot;
using ir::Type;
using ir::Value;

// By so many more registers must be shown than kept of the round before for a first round to be
// made.
constexpr size_t kMinGain = 4;
// A first round has at most so many instructions, all of a function at least so many or an eighth
// of it.
constexpr size_t kMaxInsts = 128;
constexpr size_t kMinGrowth = 256;
// What is computed behind a loop again takes at most so many instructions for each value.
constexpr size_t kMaxRemade = 16;

// What can be made again where its operands are.
bool IsPure(const Function& f, Inst i) {
  const InstData& d = f.inst(i);
  const ir::OpcodeInfo& info = ir::Info(d.op);
  return !info.has_side_effect && !info.can_stop && !info.is_terminator && d.results_count == 1 &&
         d.op != Opcode::kLoadState && d.op != Opcode::kLoadContext && d.op != Opcode::kLoadHost;
}

// Calls `use` with each value that block `b` uses, but for what it shows at stops; and with each
// that it shows, and true.
template <typename Use>
void ForEachUse(Function& f, Block b, Use use) {
  for (auto& [slot, v] : f.block(b).state) use(v, true);
  for (Inst i : f.block(b).insts) {
    const bool shows = f.inst(i).op == Opcode::kDeferState;
    for (Value& v : f.mutable_args(i)) use(v, shows);
    for (Edge& edge : f.mutable_edges(i)) {
      for (Value& v : edge.args) use(v, false);
    }
  }
}

class Repeater {
 public:
  explicit Repeater(Function& f) : f_(f) {}

  // Whether anything has been changed.
  bool Run(const ir::Cfg& cfg) {
    std::vector<Block> loops;
    size_t insts = 0;
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      insts += f_.block(Block(n)).insts.size();
      owner_.push_back(n);
    }
    size_t budget = std::max(kMinGrowth, insts / 8);
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      const ir::BlockData& block = f_.block(Block(n));
      if (block.unread == 0 || block.insts.size() > kMaxInsts || !cfg.reachable(Block(n))) continue;
      if (Find(Block(n), cfg)) loops.push_back(Block(n));
    }
    if (loops.empty()) return false;
    FindUses();
    for (Block b : loops) {
      const size_t size = f_.block(b).insts.size();
      if (size > budget || !Find(b, cfg) || !Plan()) continue;
      budget -= size;
      Change(cfg);
    }
    if (exit_of_.empty()) return false;
    ReplaceUses();
    return true;
  }

 private:
  // -- what is there

  // Whether `b` is such a loop: of itself, and maybe a block on the way back that does nothing.
  bool Find(Block b, const ir::Cfg& cfg) {
    loop_ = b;
    const ir::BlockData& block = f_.block(b);
    const Inst last = f_.terminator(b);
    if (block.cold || f_.inst(last).op != Opcode::kBrIf) return false;
    const absl::Span<const Edge> edges = f_.edges(last);
    std::optional<size_t> back;
    for (size_t k = 0; k < 2; ++k) {
      const Block to = edges[k].target;
      const bool is_way = to != b && f_.block(to).insts.size() == 1 &&
                          f_.block(to).params.empty() && cfg.predecessors(to).size() == 1 &&
                          f_.inst(f_.terminator(to)).op == Opcode::kBr &&
                          f_.edges(f_.terminator(to))[0].target == b;
      if (to != b && !is_way) continue;
      if (back.has_value()) return false;
      back = k;
      back_from_ = is_way ? f_.terminator(to) : last;
      if (is_way) owner_[to.index] = b.index;
    }
    if (!back.has_value()) return false;
    exit_ = 1 - *back;
    back_ = back_from_ == last ? *back : 0;
    return FindSites();
  }

  // Looks at what a round does, and where it can stop: at its head, and in loads.
  bool FindSites() {
    const ir::BlockData& block = f_.block(loop_);
    head_ = Site{block.guest_pc, 0};
    cost_ = 0;
    constants_.clear();
    bool metered = false, can_stop = false;
    for (Inst i : block.insts) {
      const InstData& d = f_.inst(i);
      switch (d.op) {
        case Opcode::kMeter:
          if (metered || can_stop || d.site.guest_pc != block.guest_pc || d.imm <= 0) return false;
          metered = can_stop = true;
          head_ = d.site;
          cost_ = static_cast<uint32_t>(d.imm);
          break;
        case Opcode::kDeferState: {
          // What is declared before the first site is so at the head.
          if (can_stop) break;
          const ir::ValueData& v = f_.value(f_.args(i)[0]);
          if (v.is_param || f_.inst(Inst(v.def)).op != Opcode::kIconst) return false;
          constants_.push_back(i);
          break;
        }
        case Opcode::kLoad:
          // Without a meter, what is declared before may be what the round has done.
          if (!metered && (!constants_.empty() || d.site.refund != 0)) return false;
          can_stop = true;
          break;
        case Opcode::kBrIf:
          break;
        default:
          if (ir::Info(d.op).has_side_effect || ir::CanStop(d.op)) return false;
      }
    }
    return can_stop;
  }

  void FindUses() {
    home_ = FindHomes(f_);
    read_.assign(f_.num_values(), false);
    escapes_.assign(f_.num_values(), false);
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      ForEachUse(f_, Block(n), [&](Value v, bool shows) {
        const bool outside = home_[v.index] != owner_[n];
        if (!shows || outside) read_[v.index] = true;
        if (outside) escapes_[v.index] = true;
      });
    }
  }

  Value BackArg(size_t k) const { return f_.edges(back_from_)[back_].args[k]; }

  // -- what to do

  // Decides which parameters go, and which values of the round before come, if that is worth it.
  bool Plan() {
    const ir::BlockData& block = f_.block(loop_);
    const std::vector<Value>& params = block.params;
    keep_.assign(params.size(), true);
    for (size_t k = 0; k < params.size(); ++k) {
      if (params[k].index >= read_.size()) return false;
      keep_[k] = read_[params[k].index];
    }
    for (const auto& [slot, v] : block.state) {
      const bool unread = slot < 32 && (block.unread >> slot & 1) != 0;
      const std::optional<size_t> k = ParamOf(v);
      if (k.has_value() && !unread) keep_[*k] = true;
    }
    // What comes back to a parameter that goes is not what another was; but what comes back to one
    // that stays is the next round's value of the round before.
    old_.clear();
    before_.assign(params.size(), Value());
    for (size_t k = 0; k < params.size(); ++k) {
      const std::optional<size_t> from = ParamOf(BackArg(k));
      if (keep_[k] && from.has_value() && !before_[*from].valid()) before_[*from] = params[k];
    }
    size_t gone = 0;
    for (size_t k = 0; k < params.size(); ++k) {
      if (!keep_[k]) ++gone;
    }
    for (const auto& [slot, v] : block.state) {
      const std::optional<size_t> k = ParamOf(v);
      if (!k.has_value()) {
        // Made by the round, so not what it was at the head.
        if (v.index >= home_.size() || home_[v.index] == loop_.index) return false;
        continue;
      }
      if (f_.type(v) != Type::kI32) return false;
      const bool wanted = keep_[*k] && !before_[*k].valid();
      if (wanted && std::find(old_.begin(), old_.end(), *k) == old_.end()) old_.push_back(*k);
    }
    return gone >= old_.size() + kMinGain;
  }

  std::optional<size_t> ParamOf(Value v) const {
    const ir::ValueData& data = f_.value(v);
    if (!data.is_param || data.def != loop_.index) return std::nullopt;
    return data.index;
  }

  // -- doing it

  void Change(const ir::Cfg& cfg) {
    const Block exit = MergeExits();
    const Block first = CopyRound(exit);
    for (Block p : cfg.predecessors(loop_)) {
      if (p == loop_ || f_.terminator(p) == back_from_) continue;
      for (Block from : {p, ExitOf(p)}) {
        if (!from.valid()) continue;
        for (Edge& edge : f_.mutable_edges(f_.terminator(from))) {
          if (edge.target == loop_) edge.target = first;
        }
      }
    }
    ChangeLoop();
  }

  Block ExitOf(Block b) const {
    const auto it = exit_of_.find(b.index);
    return it == exit_of_.end() ? Block() : it->second;
  }

  Block NewBlock() {
    const Block made = f_.NewBlock();
    f_.block(made).guest_pc = f_.block(loop_).guest_pc;
    f_.block(made).weight = f_.block(loop_).weight;
    return made;
  }

  // What leaves the loop goes through one block, in which stand values for those of the loop that
  // are used behind it.
  Block MergeExits() {
    const Block exit = NewBlock();
    const Inst last = f_.terminator(loop_);
    Edge on = f_.edges(last)[exit_];
    f_.block(exit).guest_pc = f_.block(on.target).guest_pc;
    f_.block(exit).cold = f_.block(on.target).cold;
    left_.clear();
    leaving_.clear();
    kept_.clear();
    for (size_t k = 0; k < keep_.size(); ++k) {
      if (keep_[k]) kept_.insert(BackArg(k).index);
    }
    for (size_t k : old_) kept_.insert(f_.block(loop_).params[k].index);
    const std::vector<Value> params = f_.block(loop_).params;
    const std::vector<Inst> insts = f_.block(loop_).insts;
    const auto leave = [&](Value v) {
      if (escapes_[v.index]) replaced_[v.index] = Leave(exit, v);
    };
    for (Value v : params) leave(v);
    for (Inst i : insts) {
      for (uint32_t k = 0; k < f_.inst(i).results_count; ++k) leave(f_.result(i, k));
    }
    for (Value& v : on.args) v = Leave(exit, v);
    f_.Append(exit, {.op = Opcode::kBr}, {}, {}, {std::move(on)});
    f_.mutable_edges(last)[exit_] = Edge{exit, leaving_};
    exit_of_[loop_.index] = exit;
    return exit;
  }

  bool IsOfLoop(Value v) const { return v.index < home_.size() && home_[v.index] == loop_.index; }
  // Whether `v` can be computed from what is there when a round ends, in `budget` instructions.
  bool IsRemade(Value v, size_t& budget) const {
    if (!IsOfLoop(v) || kept_.contains(v.index)) return true;
    if (f_.value(v).is_param || budget == 0) return false;
    const Inst from(f_.value(v).def);
    if (!IsPure(f_, from)) return false;
    if (f_.inst(from).op != Opcode::kIconst) --budget;
    return std::all_of(f_.args(from).begin(), f_.args(from).end(),
                       [&](Value arg) { return IsRemade(arg, budget); });
  }

  // What `v` is in `exit`.
  Value Leave(Block exit, Value v) {
    if (!IsOfLoop(v)) return v;
    if (const auto it = left_.find(v.index); it != left_.end()) return it->second;
    size_t budget = kMaxRemade;
    if (kept_.contains(v.index) || !IsRemade(v, budget)) {
      leaving_.push_back(v);
      return left_[v.index] = f_.AddParam(exit, f_.type(v));
    }
    const Inst from(f_.value(v).def);
    std::vector<Value> args(f_.args(from).begin(), f_.args(from).end());
    for (Value& arg : args) arg = Leave(exit, arg);
    const Type type = f_.type(v);
    const Inst made = f_.Append(exit, InstData(f_.inst(from)), args, absl::MakeConstSpan(&type, 1));
    return left_[v.index] = f_.result(made);
  }

  // The first round, which goes on at the loop, with what it will want of the round before.
  Block CopyRound(Block exit) {
    const Block first = NewBlock();
    absl::flat_hash_map<uint32_t, Value> values;
    const auto get = [&](Value v) {
      const auto it = values.find(v.index);
      return it == values.end() ? v : it->second;
    };
    const std::vector<Value> params = f_.block(loop_).params;
    for (Value v : params) values[v.index] = f_.AddParam(first, f_.type(v));
    f_.block(first).state = f_.block(loop_).state;
    for (auto& [slot, v] : f_.block(first).state) v = get(v);
    const std::vector<Inst> insts = f_.block(loop_).insts;
    for (Inst i : insts) {
      const InstData d = f_.inst(i);
      std::vector<Value> args(f_.args(i).begin(), f_.args(i).end());
      for (Value& v : args) v = get(v);
      std::vector<Edge> edges;
      if (ir::IsTerminator(d.op)) {
        edges.resize(2);
        edges[exit_] = Edge{exit, leaving_};
        edges[1 - exit_] = Edge{loop_, NextArgs()};
        for (Edge& edge : edges) {
          for (Value& v : edge.args) v = get(v);
        }
      }
      std::vector<Type> types;
      for (uint32_t k = 0; k < d.results_count; ++k) types.push_back(f_.type(f_.result(i, k)));
      const Inst made = f_.Append(first, d, args, types, std::move(edges));
      for (uint32_t k = 0; k < types.size(); ++k)
        values[f_.result(i, k).index] = f_.result(made, k);
    }
    return first;
  }

  // What a round passes to the next one, once the loop's parameters have been changed.
  std::vector<Value> NextArgs() const {
    std::vector<Value> args;
    for (size_t k = 0; k < keep_.size(); ++k) {
      if (keep_[k]) args.push_back(BackArg(k));
    }
    for (size_t k : old_) args.push_back(f_.block(loop_).params[k]);
    return args;
  }

  void ChangeLoop() {
    // Without a block on the way back, unroll_loops knows the loop again.
    std::vector<Value> next = NextArgs();
    f_.mutable_edges(f_.terminator(loop_))[1 - exit_] = Edge{loop_, std::move(next)};
    for (size_t k : old_) before_[k] = f_.AddParam(loop_, Type::kI32);
    std::vector<std::pair<StateSlot, Value>> state;
    for (const auto& [slot, v] : f_.block(loop_).state) {
      const std::optional<size_t> k = ParamOf(v);
      if (!k.has_value()) {
        state.emplace_back(slot, v);
      } else if (keep_[*k]) {
        state.emplace_back(slot, before_[*k]);
      }
    }
    f_.block(loop_).state = std::move(state);

    const Site site{head_.guest_pc, head_.refund + cost_};
    std::vector<Inst>& insts = f_.block(loop_).insts;
    std::erase_if(insts, [&](Inst i) {
      return f_.inst(i).op == Opcode::kDeferState &&
             std::find(constants_.begin(), constants_.end(), i) == constants_.end();
    });
    for (Inst i : insts) {
      if (ir::CanStop(f_.inst(i).op)) f_.inst(i).site = site;
    }
    HoistLoads(insts);
    keep_.resize(f_.block(loop_).params.size(), true);
    const absl::FixedArray<bool> keep(keep_.begin(), keep_.end());
    f_.RetainParams(loop_, keep);
    f_.block(loop_).unread = 0;
  }

  // Loads come first: behind the last one nothing of the round before is wanted.
  void HoistLoads(std::vector<Inst>& insts) {
    size_t to = 0;
    for (size_t k = 0; k < insts.size(); ++k) {
      const InstData& d = f_.inst(insts[k]);
      if (d.op == Opcode::kMeter || d.op == Opcode::kDeferState) to = k + 1;
      if (d.op != Opcode::kLoad) continue;
      const Value base = f_.args(insts[k])[0];
      if (IsOfLoop(base) && !f_.value(base).is_param) continue;
      std::rotate(insts.begin() + static_cast<std::ptrdiff_t>(to),
                  insts.begin() + static_cast<std::ptrdiff_t>(k),
                  insts.begin() + static_cast<std::ptrdiff_t>(k) + 1);
      ++to;
    }
  }

  // Behind the loops, values are what their exits bring.
  void ReplaceUses() {
    owner_.resize(f_.num_blocks(), Block::kNone);
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      ForEachUse(f_, Block(n), [&](Value& v, bool) {
        const auto it = replaced_.find(v.index);
        if (it != replaced_.end() && home_[v.index] != owner_[n]) v = it->second;
      });
    }
  }

  Function& f_;
  // By value, of those that were there at first: where it is defined, whether anybody reads it,
  // whether another block does.
  std::vector<uint32_t> home_;
  std::vector<bool> read_, escapes_;
  std::vector<uint32_t> owner_;  // by block: the loop it is the way back of, or itself
  absl::flat_hash_map<uint32_t, Value> replaced_;  // by value: what it is behind its loop
  absl::flat_hash_map<uint32_t, Block> exit_of_;   // by loop

  // Of the loop at hand.
  Block loop_;
  size_t exit_ = 0;              // the edge out
  Inst back_from_;               // what has the edge back, ...
  size_t back_ = 0;              // ... as this one
  Site head_;                    // where its head stops
  uint32_t cost_ = 0;            // fuel of a round
  std::vector<Inst> constants_;  // declared at the head
  std::vector<bool> keep_;       // by parameter
  std::vector<Value> before_;    // by parameter: its value in the round before
  std::vector<size_t> old_;      // parameters whose value in the round before becomes a parameter
  absl::flat_hash_set<uint32_t> kept_;         // what the next round wants
  std::vector<Value> leaving_;                 // what the edge out brings
  absl::flat_hash_map<uint32_t, Value> left_;  // in the exit, by value of the loop
};

}  // namespace

void RepeatRounds(Function& f, const ir::Graphs& graphs) {
  if (f.signature().conv != ir::CallConv::kGuest) return;
  if (Repeater(f).Run(graphs.cfg(f))) RemoveUnreachableBlocks(f, graphs);
}

}  // namespace precast::opt
