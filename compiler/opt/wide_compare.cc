// 64-bit comparisons made by branches, see wide_compare.h.
//
// Of two numbers A and B five cases can be told apart by comparing halves, and they are in order:
//   0  high A < high B
//   1  high halves equal, low A < low B
//   2  equal
//   3  high halves equal, low A > low B
//   4  high A > high B
// The ways of all five through the branches are followed. What they choose and what they charge may
// be anything, as functions of the case; all four borders between cases are single comparisons.
#include "compiler/opt/wide_compare.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/opt/dce.h"

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

constexpr size_t kCases = 5;
constexpr size_t kMaxWay = 8;     // blocks
constexpr size_t kMaxInsts = 16;  // in one of them
constexpr size_t kMaxCopies =
    6;  // instructions other than constants that are executed in every case
constexpr size_t kMaxSelects = 4;  // selections made

bool IsSigned(IntCond c) {
  return c == IntCond::kSlt || c == IntCond::kSge || c == IntCond::kSgt || c == IntCond::kSle;
}
bool IsEquality(IntCond c) { return c == IntCond::kEq || c == IntCond::kNe; }

// Whether `x c y` if x < y (order < 0), x == y or x > y.
bool Holds(IntCond c, int order) {
  switch (c) {
    case IntCond::kEq:
      return order == 0;
    case IntCond::kNe:
      return order != 0;
    case IntCond::kSlt:
    case IntCond::kUlt:
      return order < 0;
    case IntCond::kSge:
    case IntCond::kUge:
      return order >= 0;
    case IntCond::kSgt:
    case IntCond::kUgt:
      return order > 0;
    case IntCond::kSle:
    case IntCond::kUle:
      return order <= 0;
  }
  return false;
}

class ComparisonWidener {
 public:
  explicit ComparisonWidener(Function& f) : f_(f), builder_(f), is_entry_(f.num_blocks(), false) {
    for (Block e : f.entries()) is_entry_[e.index] = true;
  }

  bool Run(const ir::Cfg& cfg) {
    bool any = false;
    for (Block b : cfg.order()) {
      if (!f_.block(b).cold && Widen(b)) any = true;
    }
    return any;
  }

 private:
  struct Compare {
    IntCond cond;
    Value a, b;
  };
  // One case's way from the branch to where it meets the others.
  struct Way {
    std::vector<Block> blocks;          // after the branch's
    std::vector<const Edge*> edges;     // edges[k] leads to blocks[k]
    std::vector<Value> arguments = {};  // where the ways meet
    int64_t charge = 0;
  };

  bool Same(Value a, Value b) const {
    if (a == b) return true;
    const std::optional<int64_t> c = ir::ConstantOf(f_, a);
    return c.has_value() && c == ir::ConstantOf(f_, b);
  }

  std::optional<Compare> CompareOf(Value v) const {
    const ir::ValueData& data = f_.value(v);
    if (data.is_param) return std::nullopt;
    const InstData& d = f_.inst(Inst(data.def));
    if (d.op != Opcode::kIcmp || d.type != Type::kI32) return std::nullopt;
    return Compare{static_cast<IntCond>(d.aux), f_.args(Inst(data.def))[0],
                   f_.args(Inst(data.def))[1]};
  }
  // The comparison of x and y, in this order, if `c` is one.
  std::optional<IntCond> Match(const Compare& c, Value x, Value y) const {
    if (Same(c.a, x) && Same(c.b, y)) return c.cond;
    if (Same(c.a, y) && Same(c.b, x)) return ir::Swapped(c.cond);
    return std::nullopt;
  }

  // Whether nobody can tell that the block is executed, but for what it charges.
  bool IsTransparent(Block b) const {
    const std::vector<Inst>& insts = f_.block(b).insts;
    if (is_entry_[b.index] || insts.size() > kMaxInsts) return false;
    for (size_t k = 0; k + 1 < insts.size(); ++k) {
      const Opcode op = f_.inst(insts[k]).op;
      if (!ir::IsPure(op) && op != Opcode::kCharge && op != Opcode::kDeferState) return false;
    }
    const Opcode last = f_.inst(insts.back()).op;
    return last == Opcode::kBr || last == Opcode::kBrIf;
  }

  bool Widen(Block head) {
    const Inst branch = f_.terminator(head);
    if (f_.inst(branch).op != Opcode::kBrIf || f_.inst(branch).cold) return false;
    const std::optional<Compare> first = CompareOf(f_.args(branch)[0]);
    if (!first.has_value()) return false;
    high_ = {first->a, first->b};
    low_ = {Value(), Value()};
    is_signed_.reset();
    // Of which numbers the low halves are is seen only from what becomes of the comparison: if the
    // high ones are equal, to begin with, as in most branches nothing comes of it.
    Follow(head, 2);
    if (!low_.first.valid()) return false;
    low_ = {Value(), Value()};
    is_signed_.reset();
    if (!FollowAll(head) || !low_.first.valid()) return false;
    for (int k = 0; k < 2; ++k) {
      if (k != 0) std::swap(low_.first, low_.second);
      if (FollowAll(head) && Meet() && Replace(head)) return true;
    }
    return false;
  }

  bool FollowAll(Block head) {
    for (size_t k = 0; k < kCases; ++k) {
      if (!Follow(head, k)) return false;
    }
    return true;
  }

  // The condition of `branch` in case `k`, if it is known. The first comparison of other values
  // than the high halves is that of the low halves.
  std::optional<bool> Decide(Inst branch, size_t k) {
    const std::optional<Compare> c = CompareOf(f_.args(branch)[0]);
    if (!c.has_value()) return std::nullopt;
    if (const std::optional<IntCond> cond = Match(*c, high_.first, high_.second)) {
      if (!IsEquality(*cond)) {
        if (is_signed_.has_value() && *is_signed_ != IsSigned(*cond)) return std::nullopt;
        is_signed_ = IsSigned(*cond);
      }
      return Holds(*cond, k == 0 ? -1 : k == 4 ? 1 : 0);
    }
    if (k == 0 || k == 4) return std::nullopt;
    if (!low_.first.valid()) {
      low_ = {c->a, c->b};
      low_depth_ = static_cast<int>(ways_[k].blocks.size()) - 1;
    }
    const std::optional<IntCond> cond = Match(*c, low_.first, low_.second);
    if (!cond.has_value() || IsSigned(*cond)) return std::nullopt;
    return Holds(*cond, static_cast<int>(k) - 2);
  }

  // Follows case `k` up to a block that does something, or whose branch is another matter.
  bool Follow(Block head, size_t k) {
    Way& way = ways_[k];
    way.blocks.clear();
    way.edges.clear();
    for (Block at = head; at == head || IsTransparent(at);) {
      const Inst last = f_.terminator(at);
      size_t edge = 0;
      if (f_.inst(last).op == Opcode::kBrIf) {
        const std::optional<bool> taken = Decide(last, k);
        if (!taken.has_value()) break;
        edge = *taken ? 0 : 1;
      }
      way.edges.push_back(&f_.edges(last)[edge]);
      at = f_.edges(last)[edge].target;
      way.blocks.push_back(at);
      if (at == head) break;
      if (way.blocks.size() == kMaxWay) break;
    }
    return !way.blocks.empty();
  }

  // Cuts the ways where they meet.
  bool Meet() {
    for (Block b : ways_[0].blocks) {
      const bool all = std::all_of(ways_.begin(), ways_.end(), [&](const Way& way) {
        return std::find(way.blocks.begin(), way.blocks.end(), b) != way.blocks.end();
      });
      if (!all) continue;
      for (Way& way : ways_) {
        const auto at = std::find(way.blocks.begin(), way.blocks.end(), b);
        const auto n = static_cast<size_t>(at - way.blocks.begin()) + 1;
        way.blocks.resize(n);
        way.edges.resize(n);
        way.charge = 0;
        for (size_t k = 0; k + 1 < n; ++k) {
          for (Inst i : f_.block(way.blocks[k]).insts) {
            if (f_.inst(i).op == Opcode::kCharge) way.charge += f_.inst(i).imm;
          }
        }
      }
      return true;
    }
    return false;
  }

  // What `v`, seen on `way` at the end of its block `depth` (-1: the branch's), is at the branch.
  // Instructions of the way are made again there.
  std::optional<Value> AtBranch(const Way& way, int depth, Value v) {
    const ir::ValueData data = f_.value(v);
    for (; depth >= 0; --depth) {
      const Block b = way.blocks[static_cast<size_t>(depth)];
      if (data.is_param) {
        if (data.def != b.index) continue;
        return AtBranch(way, depth - 1, way.edges[static_cast<size_t>(depth)]->args[data.index]);
      }
      const std::vector<Inst>& insts = f_.block(b).insts;
      if (std::find(insts.begin(), insts.end(), Inst(data.def)) == insts.end()) continue;
      return Copy(way, depth, Inst(data.def));
    }
    return v;
  }

  std::optional<Value> Copy(const Way& way, int depth, Inst i) {
    const InstData d = f_.inst(i);
    if (d.op == Opcode::kIconst) return builder_.Iconst(d.type, d.imm);
    if (++copies_ > kMaxCopies) return std::nullopt;
    std::array<Value, 3> args;
    if (d.args_count > args.size()) return std::nullopt;
    for (size_t k = 0; k < d.args_count; ++k) {
      const std::optional<Value> arg = AtBranch(way, depth, f_.args(i)[k]);
      if (!arg.has_value()) return std::nullopt;
      args[k] = *arg;
    }
    if (ir::IsDivision(d.op)) return std::nullopt;  // too slow to be executed in vain
    if (ir::IsBinary(d.op)) return builder_.Binary(d.op, args[0], args[1]);
    if (ir::IsUnary(d.op)) return builder_.Unary(d.op, args[0]);
    if (d.op == Opcode::kIcmp) {
      return builder_.Icmp(static_cast<IntCond>(d.aux), args[0], args[1]);
    }
    if (d.op == Opcode::kSelect) return builder_.Select(args[0], args[1], args[2]);
    return std::nullopt;
  }

  bool Replace(Block head) {
    std::vector<Inst>& insts = f_.block(head).insts;
    const Inst branch = insts.back();
    const size_t size = insts.size();
    insts.pop_back();
    builder_.SetBlock(head);
    if (Build()) return true;
    // What was made for it is not needed.
    insts.resize(size - 1);
    insts.push_back(branch);
    return false;
  }

  bool Build() {
    copies_ = 0;
    const Block meet = ways_[0].blocks.back();
    const size_t params = f_.block(meet).params.size();
    for (Way& way : ways_) {
      way.arguments.clear();
      const int depth = static_cast<int>(way.blocks.size()) - 2;
      const std::vector<Value> passed = way.edges.back()->args;
      for (Value v : passed) {
        const std::optional<Value> argument = AtBranch(way, depth, v);
        if (!argument.has_value()) return false;
        way.arguments.push_back(*argument);
      }
    }
    // The same for the low halves, as they are where they are compared.
    if (low_depth_ + 1 >= static_cast<int>(ways_[2].blocks.size())) return false;
    const std::optional<Value> low_a = AtBranch(ways_[2], low_depth_, low_.first);
    const std::optional<Value> low_b = AtBranch(ways_[2], low_depth_, low_.second);
    if (!low_a.has_value() || !low_b.has_value()) return false;
    at_branch_ = {*low_a, *low_b};
    // Unsigned, nothing is below 0.
    const bool is_signed = is_signed_.value_or(false);
    if (!is_signed && ir::ConstantOf(f_, high_.second) == 0) {
      ways_[0] = ways_[1];
    }
    if (!is_signed && ir::ConstantOf(f_, high_.first) == 0) {
      ways_[4] = ways_[3];
    }
    size_t selects = 0;
    bool wide =
        false;  // whether a value depends on the low halves in a way that one comparison shows
    for (size_t p = 0; p < params; ++p) {
      size_t borders = 0;
      for (size_t k = 0; k + 1 < kCases; ++k) {
        if (Same(ways_[k].arguments[p], ways_[k + 1].arguments[p])) continue;
        ++borders;
        wide |= k == 1 || k == 2;
      }
      selects += borders;
    }
    if (!wide || selects > kMaxSelects) return false;
    below_ = {};
    std::vector<Value> arguments;
    for (size_t p = 0; p < params; ++p) {
      Value v = ways_[kCases - 1].arguments[p];
      for (size_t k = kCases - 1; k-- > 0;) {
        if (Same(ways_[k].arguments[p], ways_[k + 1].arguments[p])) continue;
        v = builder_.Select(UpTo(k, is_signed), ways_[k].arguments[p], v);
      }
      arguments.push_back(v);
    }
    Charge(is_signed, arguments);
    builder_.Br({meet, std::move(arguments)});
    return true;
  }

  // Charges what the case's way charges. `chosen` are the values that are made anyway.
  void Charge(bool is_signed, const std::vector<Value>& chosen) {
    int64_t always = ways_[kCases - 1].charge;
    std::array<int64_t, kCases - 1> step;  // how much more is charged up to the border than beyond
    for (size_t k = 0; k + 1 < kCases; ++k) step[k] = ways_[k].charge - ways_[k + 1].charge;
    // In the form n - condition * n if less is charged for the condition: what is charged is not
    // negative.
    const auto charge_if = [&](Value condition, int64_t amount) {
      const Value n = builder_.Iconst(Type::kI32, std::abs(amount));
      const Value product = builder_.Mul(condition, n);
      builder_.ChargeValue(amount < 0 ? builder_.Sub(n, product) : product);
      always += std::min(amount, int64_t{0});
    };
    if (step[0] != 0 && step[0] == -step[3]) {
      // The same at both ends: it matters only whether the high halves are equal.
      charge_if(builder_.Icmp(IntCond::kEq, high_.first, high_.second), step[3]);
      step[0] = step[3] = 0;
    }
    for (size_t k = 0; k + 1 < kCases; ++k) {
      if (step[k] == 0) continue;
      const Value beyond = builder_.Icmp(IntCond::kEq, UpTo(k, is_signed), Zero());
      if (std::find(chosen.begin(), chosen.end(), beyond) != chosen.end()) {
        always += step[k];
        charge_if(beyond, -step[k]);
      } else {
        charge_if(UpTo(k, is_signed), step[k]);
      }
    }
    builder_.Charge(always);
  }

  Value Zero() { return builder_.Iconst(Type::kI32, 0); }

  // Whether the case is one of the first `border` + 1.
  Value UpTo(size_t border, bool is_signed) {
    Value& below = below_[border];
    if (below.valid()) return below;
    const IntCond less = is_signed ? IntCond::kSlt : IntCond::kUlt;
    const IntCond not_more = is_signed ? IntCond::kSle : IntCond::kUle;
    switch (border) {
      case 0:
        return below = builder_.Icmp(less, high_.first, high_.second);
      case 3:
        return below = builder_.Icmp(not_more, high_.first, high_.second);
      default: {
        const Value a = Join(at_branch_.first, high_.first),
                    b = Join(at_branch_.second, high_.second);
        return below = builder_.Icmp(border == 1 ? less : not_more, a, b);
      }
    }
  }

  // The i64 of two halves.
  Value Join(Value low, Value high) {
    const Value lo = builder_.Unary(Opcode::kExtendU32, low);
    const Value hi = builder_.Unary(Opcode::kExtendU32, high);
    return builder_.Or(builder_.Shl(hi, builder_.Iconst(Type::kI64, 32)), lo);
  }

  Function& f_;
  ir::Builder builder_;
  std::vector<bool> is_entry_;

  // Of the branch at hand.
  std::pair<Value, Value> high_, low_;  // halves of A and B; the low ones where they are compared
  int low_depth_ = -1;                  // ... which is so far down the ways on which they are
  std::pair<Value, Value> at_branch_;   // low_ at the branch
  std::optional<bool> is_signed_;       // how high halves are compared
  std::array<Way, kCases> ways_;
  std::array<Value, kCases - 1> below_;
  size_t copies_ = 0;
};

}  // namespace

void WidenComparisons(Function& f, const ir::Graphs& graphs) {
  if (ComparisonWidener(f).Run(graphs.cfg(f))) RemoveUnreachableBlocks(f);
}

}  // namespace precast::opt
