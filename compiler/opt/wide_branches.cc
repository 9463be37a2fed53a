// See wide_branches.h.
#include "compiler/opt/wide_branches.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"

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

// Instructions of the second block that are executed on the other way too.
constexpr size_t kMaxMoved = 12;

class BranchJoiner {
 public:
  explicit BranchJoiner(Function& f) : f_(f), builder_(f) {}

  void Run() {
    if (!HasWideBranch()) return;
    const ir::Cfg cfg(f_);
    const ir::Loops loops(f_, cfg);
    std::vector<Join> joins;
    for (Block b : cfg.order()) {
      if (f_.block(b).cold || !loops.head(b).valid()) continue;
      if (std::optional<Join> join = Find(b, cfg, loops)) joins.push_back(*join);
    }
    for (const Join& join : joins) Do(join);
  }

 private:
  // A half of an i64.
  struct Half {
    Value whole;
    bool high;
    bool operator==(const Half&) const = default;
  };
  struct Join {
    Block first, second;
    size_t to_second;  // edge of `first` that leads to `second`
    size_t way;        // edge of `second` that needs both comparisons
    Value whole;       // the i64
    Value other;       // what it is compared with: an i64, or an i32 of which it is the low half
    int64_t high = 0;  // ... and this the high one
    IntCond cond;      // whole `cond` other: the way is taken
  };

  const InstData* Def(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? nullptr : &f_.inst(Inst(data.def));
  }
  Value Arg(Value v, size_t k) const { return f_.args(Inst(f_.value(v).def))[k]; }

  std::optional<Half> HalfOf(Value v) const {
    const InstData* d = Def(v);
    if (d == nullptr || d->op != Opcode::kWrap) return std::nullopt;
    const Value whole = Arg(v, 0);
    d = Def(whole);
    if (d != nullptr && d->op == Opcode::kShrU && ir::ConstantOf(f_, Arg(whole, 1)) == 32) {
      return Half{Arg(whole, 0), true};
    }
    return Half{whole, false};
  }

  // The comparison of i32 that the block branches on.
  const InstData* Condition(Block b) const {
    const Inst last = f_.terminator(b);
    if (f_.inst(last).op != Opcode::kBrIf) return nullptr;
    const InstData* d = Def(f_.args(last)[0]);
    if (d == nullptr || d->op != Opcode::kIcmp || d->type != Type::kI32) return nullptr;
    return d;
  }

  // Cheaply: is there a branch on a high half?
  bool HasWideBranch() const {
    for (uint32_t k = 0; k < f_.num_blocks(); ++k) {
      if (Condition(Block(k)) == nullptr) continue;
      const std::optional<Half> half = HalfOf(Arg(f_.args(f_.terminator(Block(k)))[0], 0));
      if (half.has_value() && half->high) return true;
    }
    return false;
  }

  std::optional<Join> Find(Block b, const ir::Cfg& cfg, const ir::Loops& loops) const {
    const InstData* first = Condition(b);
    if (first == nullptr) return std::nullopt;
    const IntCond high_cond = static_cast<IntCond>(first->aux);
    if (high_cond != IntCond::kEq && high_cond != IntCond::kNe) return std::nullopt;
    const Value comparison = f_.args(f_.terminator(b))[0];
    const std::optional<Half> high = HalfOf(Arg(comparison, 0));
    if (!high.has_value() || !high->high) return std::nullopt;

    Join join;
    join.first = b;
    join.to_second = high_cond == IntCond::kEq ? 0 : 1;
    const auto edges = f_.edges(f_.terminator(b));
    join.second = edges[join.to_second].target;
    const Block out = edges[1 - join.to_second].target;
    const Block loop = loops.head(b);
    if (loops.Contains(loop, out) || !loops.Contains(loop, join.second)) return std::nullopt;
    if (!IsSimple(join.second) || cfg.predecessors(join.second).size() != 1) return std::nullopt;
    const InstData* second = Condition(join.second);
    if (second == nullptr) return std::nullopt;

    Value low = Arg(f_.args(f_.terminator(join.second))[0], 0);
    Value other = Arg(f_.args(f_.terminator(join.second))[0], 1);
    IntCond cond = static_cast<IntCond>(second->aux);
    join.whole = high->whole;
    const Half wanted{join.whole, false};
    if (HalfOf(low) != wanted) {
      std::swap(low, other);
      cond = ir::Swapped(cond);
      if (HalfOf(low) != wanted) return std::nullopt;
    }
    const Value high_other = Arg(comparison, 1);
    const std::optional<int64_t> constant = ir::ConstantOf(f_, high_other);
    const std::optional<Half> half = HalfOf(high_other);
    if (constant.has_value() && (*constant == 0 || ir::ConstantOf(f_, other).has_value())) {
      join.other = other;
      join.high = *constant;
    } else if (half.has_value() && half->high && HalfOf(other) == Half{half->whole, false}) {
      join.other = half->whole;
    } else {
      return std::nullopt;
    }
    for (join.way = 0; join.way < 2; ++join.way) {
      join.cond = join.way == 0 ? cond : ir::Inverted(cond);
      const bool is_below = join.cond == IntCond::kUlt || join.cond == IntCond::kUle;
      if (join.cond != IntCond::kEq && !(is_below && constant == 0)) continue;
      if (loops.Contains(loop, f_.edges(f_.terminator(join.second))[join.way].target)) return join;
    }
    return std::nullopt;
  }

  // Whether nothing is done in `b` but computing and charging.
  bool IsSimple(Block b) const {
    if (!f_.block(b).params.empty() || f_.block(b).insts.size() > kMaxMoved) return false;
    const std::vector<Inst>& insts = f_.block(b).insts;
    return std::all_of(insts.begin(), insts.end() - 1, [&](Inst i) {
      const Opcode op = f_.inst(i).op;
      return op == Opcode::kCharge || op == Opcode::kDeferState ||
             (ir::IsPure(op) && !ir::IsDivision(op));
    });
  }

  // Halves are taken out where the edge is, so that they need not be before.
  Edge AtEnd(const Edge& edge) {
    Edge result = edge;
    for (Value& v : result.args) v = Remade(v);
    return result;
  }
  Value Remade(Value v) {
    const std::optional<Half> half = HalfOf(v);
    if (!half.has_value()) return v;
    Value whole = half->whole;
    if (half->high) whole = builder_.ShrU(whole, builder_.Iconst(Type::kI64, 32));
    return builder_.Unary(Opcode::kWrap, whole);
  }
  Value RemadeComparison(Value v) {
    const IntCond cond = static_cast<IntCond>(Def(v)->aux);
    const Value a = Remade(Arg(v, 0));
    return builder_.Icmp(cond, a, Remade(Arg(v, 1)));
  }

  void Do(const Join& join) {
    const Inst branch = f_.terminator(join.first);
    const Inst branch2 = f_.terminator(join.second);
    const std::vector<Edge> edges(f_.edges(branch).begin(), f_.edges(branch).end());
    const std::vector<Edge> edges2(f_.edges(branch2).begin(), f_.edges(branch2).end());
    const Value condition = f_.args(branch)[0];
    const bool cold = f_.inst(branch).cold;
    f_.block(join.first).insts.pop_back();

    // What the second block computes may be used behind both.
    std::vector<Inst> charges;
    int64_t charged = 0;
    for (Inst i : f_.block(join.second).insts) {
      const Opcode op = f_.inst(i).op;
      if (op == Opcode::kCharge) {
        charged += f_.inst(i).imm;
        charges.push_back(i);
      } else if (ir::IsPure(op)) {
        f_.block(join.first).insts.push_back(i);
      }
    }
    f_.block(join.second).insts = std::move(charges);
    // The way that needs both has been taken before.
    builder_.SetBlock(join.second);
    builder_.Br(AtEnd(edges2[1 - join.way]));

    const Block behind = NewBlock(join.first);
    builder_.SetBlock(behind);
    const Value again = RemadeComparison(condition);
    std::vector<Edge> remade;
    for (size_t k = 0; k < 2; ++k) remade.push_back(AtEnd(edges[k]));
    builder_.BrIf(again, std::move(remade[0]), std::move(remade[1]), cold);

    Edge way = edges2[join.way];
    if (charged != 0) {
      const Block between = NewBlock(join.first);
      builder_.SetBlock(between);
      builder_.Charge(charged);
      builder_.Br(std::move(way));
      way = Edge{between, {}};
    }
    builder_.SetBlock(join.first);
    Value other = join.other;
    if (f_.type(other) == Type::kI32) {
      const std::optional<int64_t> low = ir::ConstantOf(f_, other);
      if (low.has_value()) {
        const uint64_t bits = static_cast<uint64_t>(join.high) << 32 | static_cast<uint32_t>(*low);
        other = builder_.Iconst(Type::kI64, static_cast<int64_t>(bits));
      } else {
        other = builder_.Unary(Opcode::kExtendU32, other);
      }
    }
    builder_.BrIf(builder_.Icmp(join.cond, join.whole, other), std::move(way), {behind, {}});
  }

  Block NewBlock(Block like) {
    const Block b = f_.NewBlock();
    f_.block(b).guest_pc = f_.block(like).guest_pc;
    f_.block(b).cold = f_.block(like).cold;
    return b;
  }

  Function& f_;
  ir::Builder builder_;
};

}  // namespace

void JoinWideBranches(Function& f) { BranchJoiner(f).Run(); }

}  // namespace precast::opt
