// See page_rounds.h.
#include "compiler/opt/page_rounds.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/mark_mode.h"
#include "compiler/opt/repair_values.h"
#include "compiler/opt/value_homes.h"
#include "runtime/abi/meter_area.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::IntCond;
using ir::Opcode;
using ir::Type;
using ir::Value;

constexpr int64_t kPage = int64_t{1} << abi::kMarkedPageBits;
constexpr size_t kMaxInsts = 256;  // constants and declarations of state are many
constexpr size_t kMaxBlocks = 12;
// A pointer stays in its page for so many rounds at least, if it was at its end before.
constexpr int64_t kMaxStep = kPage / 8;
// What is asked behind a round is worth so many that ask nothing.
constexpr int64_t kMinRoundsLeft = 8;
constexpr int64_t kMinRounds = 4;
// Instructions by which a function may grow: at least these, or by an eighth.
constexpr size_t kMinGrowth = 512;
// Values with a copy, times the blocks where they may have to be found.
constexpr size_t kMaxRepairs = size_t{1} << 22;

struct Sum {
  Value root;
  uint32_t plus = 0;
};

// A pointer, and the positions relative to it that each round touches.
struct Stream {
  size_t param;
  int32_t step;
  int32_t low, high;
};

struct Plan {
  Block head, latch;
  std::vector<Block> blocks;  // with copies, in order
  std::vector<Stream> streams;
  Value tested, bound;  // what the latch compares
  int32_t step;         // what each round adds to `tested`
  int64_t asked = 0;    // fuel, of each round
  size_t size = 0;
};

Sum SumOf(const Function& f, Value v) {
  Sum sum{v};
  for (int depth = 0; depth < 8; ++depth) {
    const ir::ValueData& data = f.value(sum.root);
    if (data.is_param || f.inst(Inst(data.def)).op != Opcode::kAdd) break;
    const std::optional<int64_t> c = ir::ConstantOf(f, f.args(Inst(data.def))[1]);
    if (!c.has_value()) break;
    sum.plus += static_cast<uint32_t>(*c);
    sum.root = f.args(Inst(data.def))[0];
  }
  return sum;
}

int32_t Sum32(uint32_t a, int32_t b) { return static_cast<int32_t>(a + static_cast<uint32_t>(b)); }
// So that n << result is not less than |n|.
int LogOf(int32_t n) { return std::bit_width(static_cast<uint32_t>(std::abs(n)) - 1); }

class Planner {
 public:
  Planner(const Function& f, const ir::Graphs& graphs)
      : f_(f),
        cfg_(graphs.cfg(f)),
        dominators_(f, cfg_, ir::Dominators::From::kPrimaryEntry),
        loops_(f, cfg_, dominators_),
        home_(FindHomes(f)) {}

  std::vector<Plan> Find() {
    std::vector<std::vector<Block>> bodies(f_.num_blocks());
    std::vector<bool> outer(f_.num_blocks());
    for (Block b : cfg_.order()) {
      const Block head = loops_.head(b);
      if (!head.valid()) continue;
      bodies[head.index].push_back(b);
      if (const Block parent = loops_.parent(head); parent.valid()) outer[parent.index] = true;
    }
    std::vector<Plan> plans;
    size_t insts = 0;
    for (Block b : cfg_.order()) insts += f_.block(b).insts.size();
    size_t budget = std::max(kMinGrowth, insts / 8), values = 0;
    for (Block h : cfg_.order()) {
      if (bodies[h.index].empty() || outer[h.index] || f_.block(h).cold) continue;
      std::optional<Plan> plan = PlanFor(h, bodies[h.index]);
      if (!plan.has_value() || plan->size > budget) continue;
      values += plan->size;
      if (values * cfg_.order().size() > kMaxRepairs) break;
      budget -= plan->size;
      plans.push_back(*std::move(plan));
    }
    return plans;
  }

 private:
  std::optional<Plan> PlanFor(Block head, const std::vector<Block>& body) const {
    Plan plan{.head = head,
              .latch = {},
              .blocks = {},
              .streams = {},
              .tested = {},
              .bound = {},
              .step = 0};
    for (Block p : cfg_.predecessors(head)) {
      if (loops_.head(p) != head) continue;
      if (plan.latch.valid()) return std::nullopt;
      plan.latch = p;
    }
    if (!plan.latch.valid()) return std::nullopt;
    bool whole = true;  // what is not cold has a copy
    for (Block b : body) {
      // What is reached by what has a copy: in this order, predecessors come first.
      const absl::Span<const Block> from = cfg_.predecessors(b);
      if (f_.block(b).cold || (b != head && std::none_of(from.begin(), from.end(),
                                                         [&](Block p) { return Has(plan, p); })))
        continue;
      if (!CanCopy(b, plan)) {
        whole = false;
        continue;
      }
      plan.blocks.push_back(b);
      if (plan.blocks.size() > kMaxBlocks || plan.size > kMaxInsts) return std::nullopt;
    }
    if (!Has(plan, head) || !Has(plan, plan.latch)) return std::nullopt;
    for (Block b : plan.blocks) {  // there are no loops in it, of whatever form
      for (const Edge& edge : ir::Successors(f_, b)) {
        if (edge.target != head && cfg_.IsRetreating(b, edge.target)) return std::nullopt;
      }
    }
    if (whole && plan.asked != 0 && FindCounter(plan)) FindStreams(plan);
    if (plan.streams.empty() && !KnowsMore(plan)) return std::nullopt;
    return plan;
  }

  static bool Has(const Plan& plan, Block b) {
    return std::find(plan.blocks.begin(), plan.blocks.end(), b) != plan.blocks.end();
  }

  // Not calls: behind them guest registers are others. Adds what it is to `plan`.
  bool CanCopy(Block b, Plan& plan) const {
    const Opcode last = f_.inst(f_.terminator(b)).op;
    if (last != Opcode::kBr && last != Opcode::kBrIf) return false;
    int64_t asked = 0;
    for (Inst i : f_.block(b).insts) {
      const InstData& d = f_.inst(i);
      switch (d.op) {
        case Opcode::kCall:
        case Opcode::kCallDispatch:
        case Opcode::kCallPointer:
        case Opcode::kCallRuntime:
          return false;
        case Opcode::kMeter:
        case Opcode::kMeterCheck:
          asked += std::max<int64_t>(d.imm, 0);
          break;
        default:
          break;
      }
    }
    plan.size += f_.block(b).params.size() + f_.block(b).insts.size();
    plan.asked += asked;
    return true;
  }

  // What `v` is, as the copies see it: parameters to which one of them leads are what that passes.
  Sum Resolved(const Plan& plan, Value v) const {
    Sum sum = SumOf(f_, v);
    for (int depth = 0; depth < 8; ++depth) {
      const ir::ValueData& data = f_.value(sum.root);
      if (!data.is_param || data.def == plan.head.index || !Has(plan, Block(data.def))) break;
      std::optional<Value> passed;
      for (Block p : plan.blocks) {
        for (const Edge& edge : ir::Successors(f_, p)) {
          if (edge.target != Block(data.def)) continue;
          if (passed.has_value()) return sum;
          passed = edge.args[data.index];
        }
      }
      if (!passed.has_value()) break;
      const Sum next = SumOf(f_, *passed);
      sum = {next.root, sum.plus + next.plus};
    }
    return sum;
  }

  // Whether it is the same in each round of the copy, but maybe not of the loop.
  bool StaysSame(const Plan& plan, Value root) const {
    if (loops_.head(Block(home_[root.index])) != plan.head) return true;
    const ir::ValueData& data = f_.value(root);
    if (!data.is_param || data.def != plan.head.index) return false;
    const Sum next = Resolved(plan, Back(plan).args[data.index]);
    return next.root == root && next.plus == 0;
  }

  // Whether a copy that is left where something else happens knows of marks that the loop does not
  // know of.
  bool KnowsMore(const Plan& plan) const {
    std::vector<std::pair<Value, int32_t>> in_head;
    for (Block b : plan.blocks) {
      if (!IsPassed(plan, b)) continue;
      for (Inst i : f_.block(b).insts) {
        const InstData& d = f_.inst(i);
        if (d.op != Opcode::kLoad && d.op != Opcode::kStore) continue;
        const Sum sum = Resolved(plan, f_.args(i)[0]);
        if (!StaysSame(plan, sum.root)) continue;
        const std::pair<Value, int32_t> at{sum.root, Sum32(sum.plus, static_cast<int32_t>(d.imm))};
        if (b == plan.head) {
          in_head.push_back(at);
          const Value back = Back(plan).args.size() > 0 && f_.value(sum.root).is_param &&
                                     f_.value(sum.root).def == plan.head.index
                                 ? Back(plan).args[f_.value(sum.root).index]
                                 : sum.root;
          if (SumOf(f_, back).root != sum.root) return true;
        } else if (std::find(in_head.begin(), in_head.end(), at) == in_head.end()) {
          return true;
        }
      }
    }
    return false;
  }

  // Whether all ways of the copies from the head to the latch lead through `b`.
  bool IsPassed(const Plan& plan, Block b) const {
    if (b == plan.head || b == plan.latch) return true;
    std::vector<Block> reached = {plan.head};
    for (Block next : plan.blocks) {
      const absl::Span<const Block> from = cfg_.predecessors(next);
      if (next != b && std::any_of(from.begin(), from.end(), [&](Block p) {
            return std::find(reached.begin(), reached.end(), p) != reached.end();
          }))
        reached.push_back(next);
    }
    return std::find(reached.begin(), reached.end(), plan.latch) == reached.end();
  }

  const Edge& Back(const Plan& plan) const {
    const absl::Span<const Edge> edges = f_.edges(f_.terminator(plan.latch));
    return edges[0].target == plan.head ? edges[0] : edges.back();
  }

  // What each round adds to `v`, which is a parameter of the head and maybe more; nullopt if it is
  // nothing of the kind.
  std::optional<int32_t> StepOf(const Plan& plan, Value v) const {
    const Sum sum = SumOf(f_, v);
    const ir::ValueData& data = f_.value(sum.root);
    if (!data.is_param || data.def != plan.head.index) return std::nullopt;
    const Sum next = SumOf(f_, Back(plan).args[data.index]);
    if (next.root != sum.root) return std::nullopt;
    return static_cast<int32_t>(next.plus);
  }

  bool IsInvariant(const Plan& plan, Value v) const {
    if (ir::ConstantOf(f_, v).has_value() || loops_.head(Block(home_[v.index])) != plan.head)
      return true;
    const std::optional<int32_t> step = StepOf(plan, v);
    return f_.value(v).is_param && step.has_value() && *step == 0;
  }

  bool FindCounter(Plan& plan) const {
    const Inst branch = f_.terminator(plan.latch);
    if (f_.inst(branch).op != Opcode::kBrIf) return false;
    const Value condition = f_.args(branch)[0];
    const absl::Span<const Edge> edges = f_.edges(branch);
    if (edges[0].target == edges[1].target || f_.value(condition).is_param) return false;
    const Inst test(f_.value(condition).def);
    if (f_.inst(test).op != Opcode::kIcmp || f_.inst(test).type != Type::kI32 ||
        !Has(plan, Block(home_[condition.index])))
      return false;
    auto cond = static_cast<IntCond>(f_.inst(test).aux);
    if (edges[0].target != plan.head) cond = ir::Inverted(cond);
    plan.tested = f_.args(test)[0];
    plan.bound = f_.args(test)[1];
    if (!IsInvariant(plan, plan.bound)) {
      std::swap(plan.tested, plan.bound);
      cond = ir::Swapped(cond);
      if (!IsInvariant(plan, plan.bound)) return false;
    }
    const std::optional<int32_t> step = StepOf(plan, plan.tested);
    if (!step.has_value() || *step == 0 || std::abs(int64_t{*step}) > int64_t{1} << 12)
      return false;
    plan.step = *step;
    switch (cond) {
      case IntCond::kNe:
        return true;
      case IntCond::kUlt:
      case IntCond::kUle:
      case IntCond::kSlt:
      case IntCond::kSle:
        return plan.step > 0;
      case IntCond::kUgt:
      case IntCond::kUge:
      case IntCond::kSgt:
      case IntCond::kSge:
        return plan.step < 0;
      default:
        return false;
    }
  }

  void FindStreams(Plan& plan) const {
    for (Block b : plan.blocks) {
      if (!dominators_.Dominates(b, plan.latch)) continue;
      for (Inst i : f_.block(b).insts) {
        const InstData& d = f_.inst(i);
        if (d.op != Opcode::kLoad && d.op != Opcode::kStore) continue;
        const Value address = f_.args(i)[0];
        const std::optional<int32_t> step = StepOf(plan, address);
        if (!step.has_value() || *step == 0 || std::abs(int64_t{*step}) > kMaxStep) continue;
        const Sum sum = SumOf(f_, address);
        const int32_t low = Sum32(sum.plus, static_cast<int32_t>(d.imm));
        const int bytes = ir::AccessBytes(static_cast<ir::MemKind>(d.aux));
        const int64_t high = int64_t{low} + (bytes > 4 ? bytes - 1 : 0);
        if (high > INT32_MAX) continue;
        Add(plan, {.param = f_.value(sum.root).index,
                   .step = *step,
                   .low = low,
                   .high = static_cast<int32_t>(high)});
      }
    }
    std::erase_if(plan.streams, [](const Stream& s) { return int64_t{s.high} - s.low > kPage; });
  }

  static void Add(Plan& plan, const Stream& stream) {
    for (Stream& s : plan.streams) {
      if (s.param != stream.param) continue;
      s.low = std::min(s.low, stream.low);
      s.high = std::max(s.high, stream.high);
      return;
    }
    plan.streams.push_back(stream);
  }

  const Function& f_;
  const ir::Cfg& cfg_;
  const ir::Dominators dominators_;
  const ir::Loops loops_;
  std::vector<uint32_t> home_;
};

// Makes the second loop.
class Separation {
 public:
  Separation(Function& f, ValueRepair& repair) : f_(f), repair_(repair) {}

  void Make(const Plan& plan) {
    values_.clear();
    blocks_.clear();
    for (Block b : plan.blocks) {
      const Block made = f_.NewBlock();
      blocks_[b.index] = made;
      f_.block(made).guest_pc = f_.block(b).guest_pc;
      f_.block(made).weight = f_.block(b).weight;
      const std::vector<Value> params = f_.block(b).params;
      for (Value v : params) Map(b, v, made, f_.AddParam(made, f_.type(v)));
    }
    const Block head = blocks_.at(plan.head.index);
    const Value stop = plan.streams.empty() ? Value() : f_.AddParam(head, Type::kI32);
    for (const Stream& s : plan.streams) {
      for (const int32_t at : {s.low, s.high}) {
        f_.Append(head, {.op = Opcode::kMarkPage, .aux = ir::kMarkKnown, .imm = at},
                  {f_.block(head).params[s.param]}, {});
        if (s.low == s.high) break;
      }
    }
    for (Block b : plan.blocks) CopyInsts(plan, b, head, stop);
    if (stop.valid()) {
      Enter(plan, head);
    } else {
      GoOn(plan, head);
    }
  }

 private:
  Value Get(Value v) const {
    const auto it = values_.find(v.index);
    return it == values_.end() ? v : it->second;
  }

  void Map(Block home, Value v, Block other_home, Value other) {
    values_[v.index] = other;
    repair_.Add(home, v, other_home, other);
  }

  Edge Copied(Edge edge) const {
    for (Value& v : edge.args) v = Get(v);
    return edge;
  }

  void CopyInsts(const Plan& plan, Block b, Block head, Value stop) {
    const Block made = blocks_.at(b.index);
    f_.block(made).state = f_.block(b).state;
    for (auto& [slot, v] : f_.block(made).state) v = Get(v);
    const std::vector<Inst> insts = f_.block(b).insts;
    for (Inst i : insts) {
      InstData d = f_.inst(i);
      const bool paid = stop.valid();
      if (paid && d.op == Opcode::kMeterCheck) continue;
      if (paid && d.op == Opcode::kMeter) {
        if (d.imm != 0) f_.Append(made, {.op = Opcode::kCharge, .imm = d.imm}, {}, {});
        continue;
      }
      if (paid && b == plan.latch && i == insts.back()) return EndRound(plan, i, made, head, stop);
      std::vector<Value> args;
      for (Value v : f_.args(i)) args.push_back(Get(v));
      std::vector<Edge> edges;
      for (const Edge& edge : f_.edges(i)) {
        edges.push_back(Copied(edge));
        if (const auto to = blocks_.find(edge.target.index); to != blocks_.end())
          edges.back().target = to->second;
      }
      std::vector<Type> types;
      for (uint32_t k = 0; k < d.results_count; ++k) types.push_back(f_.type(f_.result(i, k)));
      const Inst copy = f_.Append(made, d, args, types, std::move(edges));
      for (uint32_t k = 0; k < types.size(); ++k) {
        Map(b, f_.result(i, k), made, f_.result(copy, k));
      }
    }
  }

  // At the end of a round in `made`: another one, or what the first loop does at its end.
  void EndRound(const Plan& plan, Inst branch, Block made, Block head, Value stop) {
    const Block leave = f_.NewBlock();
    f_.block(leave).guest_pc = f_.block(made).guest_pc;
    f_.block(leave).cold = true;
    const InstData d = f_.inst(branch);
    Edge on{.target = head, .args = {}};
    std::vector<Edge> edges;
    for (const Edge& edge : f_.edges(branch)) {
      edges.push_back(Copied(edge));
      if (edge.target == plan.head) on.args = edges.back().args;
    }
    on.args.push_back(stop);
    const Inst test(f_.value(f_.args(branch)[0]).def);
    const InstData compare{.op = Opcode::kIcmp, .type = Type::kI32, .aux = f_.inst(test).aux};
    const std::vector<Value> compared = {Get(f_.args(test)[0]), Get(f_.args(test)[1])};
    const Value again = f_.result(f_.Append(leave, compare, compared, {Type::kI32}));
    f_.Append(leave, {.op = Opcode::kBrIf, .cold = d.cold}, {again}, {}, std::move(edges));
    const Value last = f_.result(f_.Append(
        made, {.op = Opcode::kIcmp, .type = Type::kI32, .aux = static_cast<uint8_t>(IntCond::kEq)},
        {Get(plan.tested), stop}, {Type::kI32}));
    f_.Append(made, {.op = Opcode::kBrIf, .cold = true}, {last}, {},
              {Edge{leave, {}}, std::move(on)});
  }

  // Behind a round of the first loop: the others in the second one.
  void GoOn(const Plan& plan, Block head) {
    const Block next = f_.NewBlock();
    f_.block(next).guest_pc = f_.block(plan.head).guest_pc;
    for (Edge& edge : f_.mutable_edges(f_.terminator(plan.latch))) {
      if (edge.target != plan.head) continue;
      Edge on = std::exchange(edge, Edge{next, {}});
      on.target = head;
      f_.Append(next, {.op = Opcode::kBr}, {}, {}, {std::move(on)});
      return;
    }
  }

  // Behind a round of the first loop that is not the last: into the second one, if it has something
  // to do.
  void Enter(const Plan& plan, Block head) {
    const Block left = f_.NewBlock(), near = f_.NewBlock(), paid = f_.NewBlock();
    for (Block b : {left, near, paid}) f_.block(b).guest_pc = f_.block(plan.head).guest_pc;
    f_.block(near).cold = f_.block(paid).cold = true;
    Edge back;
    for (Edge& edge : f_.mutable_edges(f_.terminator(plan.latch))) {
      if (edge.target == plan.head) back = std::exchange(edge, Edge{left, {}});
    }
    ir::Builder builder(f_);
    const auto constant = [&](int64_t n) { return builder.Iconst(Type::kI32, n); };
    const auto own = [&](Value v) {  // constants of the loop may be of other blocks
      const std::optional<int64_t> c = ir::ConstantOf(f_, v);
      return c.has_value() ? constant(static_cast<int32_t>(*c)) : v;
    };
    const int shift = LogOf(plan.step);
    builder.SetBlock(left);
    const Value bound = own(plan.bound);
    // By what the next round begins with: what this one began with is needed no longer.
    const Sum sum = SumOf(f_, plan.tested);
    const Value tested =
        builder.Add(back.args[f_.value(sum.root).index], constant(Sum32(sum.plus, -plan.step)));
    const Value distance = plan.step > 0 ? builder.Sub(bound, tested) : builder.Sub(tested, bound);
    builder.BrIf(builder.Icmp(IntCond::kUlt, distance, constant(kMinRoundsLeft << shift)), back,
                 Edge{near, {}});
    builder.SetBlock(near);
    Value rounds = builder.Binary(Opcode::kShrU, distance, constant(shift));
    for (const Stream& s : plan.streams) {
      Value room =
          builder.Add(back.args[s.param],
                      constant(Sum32(static_cast<uint32_t>(s.step > 0 ? s.high : s.low), -s.step)));
      if (s.step > 0) room = builder.Binary(Opcode::kXor, room, constant(-1));
      room = builder.And(room, constant(kPage - 1));
      room = builder.Binary(Opcode::kShrU, room, constant(LogOf(s.step)));
      rounds = builder.Select(builder.Icmp(IntCond::kUlt, room, rounds), room, rounds);
    }
    builder.BrIf(builder.Icmp(IntCond::kUlt, rounds, constant(kMinRounds)), back, Edge{paid, {}});
    builder.SetBlock(paid);
    const Value needed = builder.Mul(rounds, constant(plan.asked));
    const Value short_of_fuel =
        builder.Icmp(IntCond::kSlt, builder.LoadFuel(), builder.Unary(Opcode::kExtendU32, needed));
    Edge on{.target = head, .args = back.args};
    on.args.push_back(builder.Add(tested, builder.Mul(rounds, constant(plan.step))));
    builder.BrIf(short_of_fuel, back, std::move(on), /*cold=*/true);
  }

  Function& f_;
  ValueRepair& repair_;
  absl::flat_hash_map<uint32_t, Block> blocks_;  // copies
  absl::flat_hash_map<uint32_t, Value> values_;
};

}  // namespace

void SeparatePageRounds(Function& f, const ir::Graphs& graphs) {
  if (!graphs.cfg(f).has_cycles()) return;
  const std::vector<Plan> plans = Planner(f, graphs).Find();
  if (plans.empty()) return;
  ValueRepair repair(f);
  Separation separation(f, repair);
  for (const Plan& plan : plans) separation.Make(plan);
  repair.Run();
}

}  // namespace precast::opt
