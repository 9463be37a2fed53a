// See unroll_loops.h.
#include "compiler/opt/unroll_loops.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/meter.h"
#include "compiler/opt/value_homes.h"
#include "compiler/stable_sort.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Type;
using ir::Value;

// Instructions of a loop of which one makes four rounds, and two.
constexpr size_t kMaxInstsForFour = 8;
constexpr size_t kMaxInstsForTwo = 16;
// The same where at least so many values of a round are moved on to where others were: several
// rounds at once know them by other names. Then a function may grow by at least so many
// instructions, or by an eighth.
constexpr size_t kManyMoved = 4;
constexpr size_t kMaxMovingForFour = 64;
constexpr size_t kMaxMovingForTwo = 128;
constexpr size_t kMinMovingGrowth = 384;
// A loop that is in no other loop takes little of the time, but as much room: only in functions of
// at most so many instructions, which loops may call. For each loop around it four times as many.
// (Of sqlite3's 990 such loops 850 are of strlen, which has been put in.)
constexpr size_t kMaxInstsAround = 128;
// Instructions by which a function may grow: at least these, or by a 32nd.
constexpr size_t kMinGrowth = 64;

bool IsMeter(Opcode op) { return op == Opcode::kMeter || op == Opcode::kMeterCheck; }

struct Plan {
  int64_t rounds;
  int64_t cost;   // fuel of one
  size_t growth;  // instructions
  bool moving;    // its values are moved about
};

// How many of its parameters loop `b`, which comes back by `edge`, passes on as others.
size_t CountMoved(const Function& f, Block b, const Edge& edge) {
  size_t moved = 0;
  for (size_t k = 0; k < edge.args.size(); ++k) {
    const ir::ValueData& data = f.value(edge.args[k]);
    if (data.is_param && data.def == b.index && data.index != k) ++moved;
  }
  return moved;
}

// What to do with `b`, if it is such a loop.
std::optional<Plan> PlanFor(const Function& f, Block b) {
  const ir::BlockData& block = f.block(b);
  const bool is_guest = f.signature().conv == ir::CallConv::kGuest;
  if (block.insts.empty() || block.cold || (!is_guest && !block.state.empty())) return std::nullopt;
  const Inst last = f.terminator(b);
  if (f.inst(last).op != Opcode::kBrIf) return std::nullopt;
  const absl::Span<const Edge> edges = f.edges(last);
  if ((edges[0].target == b) == (edges[1].target == b)) return std::nullopt;
  size_t size = 0;
  int64_t cost = 0, asked = 0;
  size_t meters = 0;
  bool observed = false;
  for (Inst i : block.insts) {
    const InstData& d = f.inst(i);
    switch (d.op) {
      case Opcode::kDeferState:  // a WebAssembly function has none
        if (!is_guest) return std::nullopt;
        continue;
      case Opcode::kIconst:
        continue;
      case Opcode::kMeter:
      case Opcode::kMeterCheck:
        // What is observed comes behind them.
        if (is_guest ? meters != 0 || cost != 0 : observed || d.op == Opcode::kMeterCheck) {
          return std::nullopt;
        }
        ++meters;
        asked += d.imm;
        if (d.op == Opcode::kMeter) cost += d.imm;
        continue;
      case Opcode::kCharge:
        if (meters == 0 || !is_guest) return std::nullopt;
        cost += d.imm;
        continue;
      case Opcode::kLoad:
      case Opcode::kLoadAt:
        if (d.site.IsUnpaid()) return std::nullopt;
        observed = true;
        break;
      case Opcode::kStore:
      case Opcode::kStoreAt:
      case Opcode::kTrapIf:
      case Opcode::kBrIf:
        observed = true;
        break;
      default:
        if (ir::Info(d.op).has_side_effect || ir::CanStop(d.op)) return std::nullopt;
    }
    if (++size > kMaxMovingForTwo) return std::nullopt;
  }
  const bool moving =
      is_guest && CountMoved(f, b, edges[edges[0].target == b ? 0 : 1]) >= kManyMoved;
  if (size > kMaxInstsForTwo && !moving) return std::nullopt;
  if (meters == 0 ? !moving : cost <= 0) return std::nullopt;
  int64_t rounds = size <= (moving ? kMaxMovingForFour : kMaxInstsForFour) ? 4 : 2;
  while (rounds > 1 && asked + (rounds - 1) * cost > kMaxHeadroom) rounds /= 2;
  if (rounds == 1) return std::nullopt;
  const size_t copies = static_cast<size_t>(rounds) - 1;
  return Plan{.rounds = rounds, .cost = cost, .growth = copies * (size + 2), .moving = moving};
}

class Unroller {
 public:
  Unroller(Function& f, const ir::Cfg& cfg)
      : f_(f),
        cfg_(cfg),
        is_guest_(f.signature().conv == ir::CallConv::kGuest),
        homes_(f),
        replaced_(f.num_values()),
        owner_(f.num_blocks()),
        exit_of_(f.num_blocks()) {
    for (uint32_t n = 0; n < f.num_blocks(); ++n) owner_[n] = n;
  }

  void Unroll(Block b, const Plan& plan) {
    loop_ = b;
    plan_ = plan;
    exit_of_[b.index] = MergeExits();
    values_.clear();
    if (is_guest_) {
      UnrollInPlace();
    } else {
      UnrollBefore();
    }
  }

  // Behind the loops, values are what their exits bring.
  void ReplaceUses() {
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      const auto replace = [&](Value& v) {
        if (v.index >= replaced_.size() || !replaced_[v.index].valid()) return;
        if (homes_.home[v.index] != owner_[n]) v = replaced_[v.index];
      };
      for (auto& [slot, v] : f_.block(Block(n)).state) replace(v);
      for (Inst i : f_.block(Block(n)).insts) {
        for (Value& v : f_.mutable_args(i)) replace(v);
        for (Edge& edge : f_.mutable_edges(i)) {
          for (Value& v : edge.args) replace(v);
        }
      }
    }
  }

 private:
  Block NewBlock() {
    const Block made = f_.NewBlock();
    owner_.resize(f_.num_blocks(), loop_.index);
    f_.block(made).guest_pc = f_.block(loop_).guest_pc;
    f_.block(made).weight = f_.block(loop_).weight;
    return made;
  }

  Value Get(Value v) const {
    const auto it = values_.find(v.index);
    return it == values_.end() ? v : it->second;
  }

  size_t ExitEdge() const { return f_.edges(f_.terminator(loop_))[0].target == loop_ ? 1 : 0; }

  // What leaves the loop goes through one block, in which stand values for those of the loop that
  // are used behind it.
  Block MergeExits() {
    const Block exit = NewBlock();
    const Inst last = f_.terminator(loop_);
    const size_t at = ExitEdge();
    Edge on = f_.edges(last)[at];
    f_.block(exit).guest_pc = f_.block(on.target).guest_pc;
    f_.block(exit).cold = f_.block(on.target).cold;
    values_.clear();
    leaving_.clear();
    const std::vector<Value> params = f_.block(loop_).params;
    const std::vector<Inst> insts = f_.block(loop_).insts;
    const auto leave = [&](Value v) {
      if (homes_.escapes[v.index]) replaced_[v.index] = Leave(exit, v);
    };
    for (Value v : params) leave(v);
    for (Inst i : insts) {
      for (uint32_t k = 0; k < f_.inst(i).results_count; ++k) leave(f_.result(i, k));
    }
    for (Value& v : on.args) v = Leave(exit, v);
    f_.Append(exit, {.op = Opcode::kBr}, {}, {}, {std::move(on)});
    f_.mutable_edges(last)[at] = Edge{exit, leaving_};
    return exit;
  }

  // What is `v` in `exit`: made again if that is easy, so that rounds that do not leave need not
  // make it.
  Value Leave(Block exit, Value v) {
    if (v.index >= homes_.home.size() || homes_.home[v.index] != loop_.index) return v;
    if (const auto it = values_.find(v.index); it != values_.end()) return it->second;
    if (!f_.value(v).is_param && IsMadeAgain(Inst(f_.value(v).def))) {
      const Inst from(f_.value(v).def);
      std::vector<Value> args;
      for (Value arg : f_.args(from)) args.push_back(arg);
      for (Value& arg : args) arg = Leave(exit, arg);
      const Type type = f_.type(v);
      const Inst made =
          f_.Append(exit, InstData(f_.inst(from)), args, absl::MakeConstSpan(&type, 1));
      return values_[v.index] = f_.result(made);
    }
    leaving_.push_back(v);
    return values_[v.index] = f_.AddParam(exit, f_.type(v));
  }

  // Constants, and what takes a number apart.
  bool IsMadeAgain(Inst i) const {
    switch (f_.inst(i).op) {
      case Opcode::kIconst:
      case Opcode::kWrap:
      case Opcode::kExtendU32:
        return true;
      case Opcode::kShrU:
        return ir::ConstantOf(f_, f_.args(i)[1]).has_value();
      default:
        return false;
    }
  }

  // The edge `edge` out of the loop, with `rounds` more rounds paid for than executed.
  Edge GivingBack(Edge edge, int64_t rounds) {
    if (rounds * plan_.cost == 0) return edge;
    const Block between = NewBlock();
    f_.block(between).guest_pc = f_.block(edge.target).guest_pc;
    f_.block(between).cold = f_.block(edge.target).cold;
    f_.Append(between, {.op = Opcode::kCharge, .imm = -rounds * plan_.cost}, {}, {});
    f_.Append(between, {.op = Opcode::kBr}, {}, {}, {std::move(edge)});
    return Edge{between, {}};
  }

  // Appends to `to` what round number `round` does, with its values in `values_`, without its
  // meters. It goes on at `next`, with what will be the loop's parameters or nothing, or out.
  void CopyRound(Block to, int64_t round, Block next, bool with_args) {
    const std::vector<Inst> insts = f_.block(loop_).insts;
    const int64_t rounds_behind = plan_.rounds - 1 - round;
    int64_t charged = plan_.cost;  // for this round, but by what comes later in it
    for (Inst i : insts) {
      InstData d = f_.inst(i);
      if (IsMeter(d.op) || d.op == Opcode::kCharge) {
        if (d.op != Opcode::kMeterCheck) charged -= d.imm;
        continue;
      }
      if (ir::CanStop(d.op)) {
        d.site.refund += static_cast<uint32_t>(rounds_behind * plan_.cost + charged);
      }
      std::vector<Value> args;
      for (Value v : f_.args(i)) args.push_back(Get(v));
      std::vector<Edge> edges;
      if (ir::IsTerminator(d.op)) {
        const size_t exit = ExitEdge();
        Edge out = f_.edges(i)[exit];
        for (Value& v : out.args) v = Get(v);
        edges.resize(2);
        edges[exit] = GivingBack(std::move(out), rounds_behind);
        edges[1 - exit] = Edge{next, with_args ? BackArgs() : std::vector<Value>()};
      }
      std::vector<Type> types;
      for (uint32_t k = 0; k < d.results_count; ++k) types.push_back(f_.type(f_.result(i, k)));
      const Inst made = f_.Append(to, d, args, types, std::move(edges));
      for (uint32_t k = 0; k < types.size(); ++k) {
        values_[f_.result(i, k).index] = f_.result(made, k);
      }
    }
  }

  // The arguments of the edge back, as the round at hand has them.
  std::vector<Value> BackArgs() const {
    std::vector<Value> args = f_.edges(f_.terminator(loop_))[1 - ExitEdge()].args;
    for (Value& v : args) v = Get(v);
    return args;
  }

  // Rounds number `begin` to `end` - 1, the first in `at`, the last of which goes on at `next` with
  // what will be the loop's parameters. What comes before has the values `values_`.
  void AppendRounds(Block at, int64_t begin, int64_t end, Block next) {
    for (int64_t round = begin; round < end - 1; ++round) {
      const Block between = NewBlock();
      CopyRound(at, round, between, /*with_args=*/false);
      BeginRound(between, BackArgs());
      at = between;
    }
    CopyRound(at, end - 1, next, /*with_args=*/true);
  }

  // Makes `args` the loop's parameters from `b` on.
  void BeginRound(Block b, const std::vector<Value>& args) {
    const std::vector<Value>& params = f_.block(loop_).params;
    for (size_t k = 0; k < params.size(); ++k) values_[params[k].index] = args[k];
    f_.block(b).state = f_.block(loop_).state;
    for (auto& [slot, v] : f_.block(b).state) v = Get(v);
  }

  // The loop becomes the first round, which asks for all.
  void UnrollInPlace() {
    const std::vector<Value> back = BackArgs();
    const Block second = NewBlock();
    BeginRound(second, back);
    AppendRounds(second, 1, plan_.rounds, loop_);

    PayForMore((plan_.rounds - 1) * plan_.cost);
    const Inst last = f_.terminator(loop_);
    const size_t exit = ExitEdge();
    Edge out = GivingBack(f_.edges(last)[exit], plan_.rounds - 1);
    f_.mutable_edges(last)[exit] = std::move(out);
    f_.mutable_edges(last)[1 - exit] = Edge{second, {}};
  }

  // The loop's own meter asks for `more` too, and subtracts it.
  void PayForMore(int64_t more) {
    std::vector<Inst>& insts = f_.block(loop_).insts;
    size_t check = insts.size();
    for (size_t k = 0; k < insts.size(); ++k) {
      InstData& d = f_.inst(insts[k]);
      if (IsMeter(d.op)) d.imm += more;
      if (d.op == Opcode::kMeterCheck) {
        check = k;
      } else if (ir::CanStop(d.op)) {
        d.site.refund += static_cast<uint32_t>(more);
      }
    }
    if (check == insts.size()) return;
    InstData& next = f_.inst(insts[check + 1]);
    if (next.op == Opcode::kCharge) {
      next.imm += more;
    } else {
      f_.Insert(loop_, check + 1, {.op = Opcode::kCharge, .imm = more});
    }
  }

  // The loop becomes the last round, which is executed alone, with its own meters, where fuel does
  // not suffice for all.
  void UnrollBefore() {
    const Block head = NewBlock(), alone = NewBlock(), first = NewBlock();
    LeadTo(head);
    std::vector<Value> params;
    for (Value v : f_.block(loop_).params) params.push_back(f_.AddParam(head, f_.type(v)));
    BeginRound(first, params);
    AppendRounds(first, 0, plan_.rounds - 1, loop_);

    const int64_t all = plan_.rounds * plan_.cost;
    ir::Builder builder(f_);
    builder.SetBlock(head);
    builder.Charge(all);
    const Value too_little =
        builder.Icmp(ir::IntCond::kSlt, builder.LoadFuel(), builder.Iconst(Type::kI64, 0));
    builder.BrIf(too_little, Edge{alone, {}}, Edge{first, {}}, /*cold=*/true);
    f_.block(alone).cold = true;
    f_.Append(alone, {.op = Opcode::kCharge, .imm = -all}, {}, {});
    std::erase_if(f_.block(loop_).insts, [&](Inst i) {
      const InstData d = f_.inst(i);
      if (d.op != Opcode::kMeter) return false;
      f_.Append(alone, {.op = d.op, .imm = d.imm, .site = d.site}, {}, {});
      return true;
    });
    f_.Append(alone, {.op = Opcode::kBr}, {}, {}, {Edge{loop_, std::move(params)}});
    f_.mutable_edges(f_.terminator(loop_))[1 - ExitEdge()].target = head;
  }

  // All ways into the loop lead to `head`.
  void LeadTo(Block head) {
    for (Block p : cfg_.predecessors(loop_)) {
      if (p == loop_) continue;
      if (exit_of_[p.index].valid()) p = exit_of_[p.index];
      for (Edge& edge : f_.mutable_edges(f_.terminator(p))) {
        if (edge.target == loop_) edge.target = head;
      }
    }
  }

  Function& f_;
  const ir::Cfg& cfg_;
  const bool is_guest_;
  ValueUses homes_;
  std::vector<Value> replaced_;  // by value
  std::vector<uint32_t> owner_;  // by block: the loop it is made of, or itself
  std::vector<Block> exit_of_;   // by loop that has been unrolled
  Block loop_;
  Plan plan_ = {};
  std::vector<Value> leaving_;                   // what the edge out brings
  absl::flat_hash_map<uint32_t, Value> values_;  // of the round at hand, by value of the loop
};

}  // namespace

void UnrollLoops(Function& f, const ir::Graphs& graphs) {
  std::vector<std::pair<Block, Plan>> plans;
  size_t insts = 0;
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    insts += f.block(Block(n)).insts.size();
    if (const std::optional<Plan> plan = PlanFor(f, Block(n))) plans.emplace_back(Block(n), *plan);
  }
  if (plans.empty()) return;
  // The innermost first.
  const ir::Loops& loops = graphs.loops(f);
  const auto depth = [&](const auto& plan) { return std::max(1u, loops.depth(plan.first)); };
  StableSort(plans.begin(), plans.end(),
             [&](const auto& a, const auto& b) { return depth(a) > depth(b); });
  size_t budget = std::max(kMinGrowth, insts / 32);
  size_t moving_budget = std::max(kMinMovingGrowth, insts / 8);
  std::erase_if(plans, [&](const auto& plan) {
    const size_t growth = plan.second.growth;
    if (plan.second.moving) {
      if (growth > moving_budget) return true;
      moving_budget -= growth;
      return false;
    }
    const size_t outer = std::min<size_t>(depth(plan), 8) - 1;
    if (insts > kMaxInstsAround << (2 * outer) || growth > budget) return true;
    budget -= growth;
    return false;
  });
  if (plans.empty()) return;
  const ir::Cfg& cfg = graphs.cfg(f);
  Unroller unroller(f, cfg);
  for (const auto& [b, plan] : plans) {
    if (cfg.reachable(b)) unroller.Unroll(b, plan);
  }
  unroller.ReplaceUses();
}

}  // namespace precast::opt
