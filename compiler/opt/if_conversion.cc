// See if_conversion.h.
#include "compiler/opt/if_conversion.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/opt/dce.h"
#include "compiler/opt/quotient_digit.h"
#include "compiler/opt/rewrite.h"

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

// Blocks one after another on a way.
constexpr int kMaxDepth = 6;
// Instructions in one of them.
constexpr size_t kMaxInsts = 48;
// Ways that meet where one of them may have rounded.
constexpr size_t kMaxMeeting = 8;
// Charges that differ by more are not worth a multiplication.
constexpr int64_t kMaxCharge = 16;

// How much may be made for a branch: instructions other than constants that are then executed
// always, and arguments chosen.
constexpr int kBitCopies = 9, kQuotientCopies = 12;
constexpr int kMaxSelects = 3;

class Converter {
 public:
  explicit Converter(Function& f) : f_(f), builder_(f), is_entry_(f.num_blocks(), false) {
    for (Block e : f.entries()) is_entry_[e.index] = true;
  }

  bool Run(const ir::Cfg& cfg) {
    bool any = false;
    for (Block b : cfg.order()) {
      MarkDivisions(b);
      if (!f_.block(b).cold) any |= Convert(b, cfg);
    }
    return any;
  }

  // After what was converted is all that is there.
  void Finish() {
    if (rests_.empty()) return;
    edges_to_.assign(f_.num_blocks(), 0);
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      for (const Edge& edge : f_.edges(f_.terminator(Block(b)))) ++edges_to_[edge.target.index];
    }
    UseRests();
    JoinDigits();
    UseEstimates();
  }

 private:
  // The guest state stored on a way: slots and values.
  using Stores = std::vector<std::pair<ir::StateSlot, Value>>;
  // What a way passes to where the ways meet, and what it charges: `charge`, and a value if there
  // is one.
  struct Way {
    std::vector<Value> args = {};
    int64_t charge = 0;
    Value more = {};
    Stores stores = {};
  };
  // A way's end, or a branch that divides ways.
  struct Node {
    Way way = {};
    Value condition = {};          // of a branch
    size_t with = 0, without = 0;  // nodes
    bool IsBranch() const { return condition.valid(); }
  };

  const InstData* Def(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? nullptr : &f_.inst(Inst(data.def));
  }
  Value Arg(Value v, size_t k) const { return f_.args(Inst(f_.value(v).def))[k]; }

  // A normalized divisor is not 0.
  void MarkDivisions(Block b) {
    for (Inst i : f_.block(b).insts) {
      InstData& d = f_.inst(i);
      if ((d.op == Opcode::kUdivTotal || d.op == Opcode::kUremTotal) && d.type == Type::kI32 &&
          CertainOnes(f_, f_.args(i)[1]) != 0) {
        d.aux = 1;
      }
    }
  }

  // -- which branches

  // The bit that decides: bit `number` of `of`.
  struct Bit {
    Value of;
    int number;
    bool inverted;  // the condition is that it is 0
  };
  std::optional<Bit> BitOf(Value condition) const {
    const InstData* d = Def(condition);
    if (d == nullptr || d->type != Type::kI32) return std::nullopt;
    if (d->op == Opcode::kIcmp) {
      const auto cond = static_cast<IntCond>(d->aux);
      if (cond != IntCond::kEq && cond != IntCond::kNe) return std::nullopt;
      if (ir::ConstantOf(f_, Arg(condition, 1)) != 0) return std::nullopt;
      std::optional<Bit> bit = BitOf(Arg(condition, 0));
      if (bit.has_value() && cond == IntCond::kEq) bit->inverted = !bit->inverted;
      return bit;
    }
    if (d->op != Opcode::kAnd) return std::nullopt;
    const std::optional<int64_t> mask = ir::ConstantOf(f_, Arg(condition, 1));
    if (!mask.has_value() || !std::has_single_bit(static_cast<uint32_t>(*mask))) {
      return std::nullopt;
    }
    return Bit{Arg(condition, 0), std::countr_zero(static_cast<uint32_t>(*mask)), false};
  }

  // Whether `v` is the product of a quotient and something.
  bool IsProductOfQuotient(Value v) const {
    const InstData* d = Def(v);
    if (d == nullptr || d->op != Opcode::kMul || d->type != Type::kI32) return false;
    for (size_t k = 0; k < 2; ++k) {
      const InstData* factor = Def(Arg(v, k));
      if (factor != nullptr && factor->op == Opcode::kUdivTotal) return true;
    }
    return false;
  }
  bool IsCorrection(Value condition) const {
    const InstData* d = Def(condition);
    if (d == nullptr || d->op != Opcode::kIcmp || d->type != Type::kI32) return false;
    const auto cond = static_cast<IntCond>(d->aux);
    if (cond == IntCond::kEq || cond == IntCond::kNe || cond == IntCond::kSlt ||
        cond == IntCond::kSge || cond == IntCond::kSgt || cond == IntCond::kSle) {
      return false;
    }
    return IsProductOfQuotient(Arg(condition, 0)) || IsProductOfQuotient(Arg(condition, 1));
  }

  // --

  // Blocks made here are not.
  bool IsEntry(Block b) const { return b.index < is_entry_.size() && is_entry_[b.index]; }

  // The i64 of which `v` is the upper half.
  std::optional<Value> Doubleword(Value v) const {
    const InstData* d = Def(v);
    if (d == nullptr || d->op != Opcode::kWrap) return std::nullopt;
    const Value shifted = Arg(v, 0);
    d = Def(shifted);
    if (d == nullptr || d->op != Opcode::kShrU || ir::ConstantOf(f_, Arg(shifted, 1)) != 32) {
      return std::nullopt;
    }
    return Arg(shifted, 0);
  }

  // If `v` is the sum of a number and an addend made by `op`, the number.
  std::optional<Value> SumWith(Opcode op, Value v) const {
    const InstData* d = Def(v);
    if (d == nullptr || d->op != Opcode::kAdd) return std::nullopt;
    const InstData* addend = Def(Arg(v, 1));
    if (addend == nullptr || addend->op != op) return std::nullopt;
    return Arg(v, 0);
  }

  // Whether `v` is the upper half of a number that may have been rounded on a way to `b`. How far a
  // carry goes is no question of chance.
  bool IsRounded(Value v, Block b, const ir::Cfg& cfg) const {
    const std::optional<Value> joined = Doubleword(v);
    const Value met = joined.value_or(v);
    const ir::ValueData& param = f_.value(met);
    if (!param.is_param || Block(param.def) != b || cfg.predecessors(b).size() > kMaxMeeting) {
      return false;
    }
    std::vector<Value> passed;
    for (Block p : cfg.predecessors(b)) {
      for (const Edge& edge : f_.edges(f_.terminator(p))) {
        if (edge.target == b) passed.push_back(edge.args[param.index]);
      }
    }
    return std::any_of(passed.begin(), passed.end(), [&](Value way) {
      if (const std::optional<Value> doubleword = Doubleword(way)) {
        return SumWith(Opcode::kIconst, *doubleword).has_value();
      }
      const std::optional<Value> base =
          SumWith(joined.has_value() ? Opcode::kIconst : Opcode::kIcmp, way);
      return base.has_value() && std::find(passed.begin(), passed.end(), *base) != passed.end();
    });
  }

  bool Convert(Block head, const ir::Cfg& cfg) {
    const Inst branch = f_.terminator(head);
    if (f_.inst(branch).op != Opcode::kBrIf || f_.inst(branch).cold) return false;
    const Value condition = f_.args(branch)[0];
    const std::optional<Bit> bit = BitOf(condition);
    const bool is_bit = bit.has_value();
    if (is_bit ? IsRounded(bit->of, head, cfg) : !IsCorrection(condition)) return false;
    max_copies_ = is_bit ? kBitCopies : kQuotientCopies;
    // Where the ways may meet: where one of the branch's edges leads, or what follows there.
    for (size_t e = 0; e < 2; ++e) {
      const Block next = f_.edges(branch)[e].target;
      if (next == head) return false;
      const Inst last = f_.terminator(next);
      if (Replace(head, next, is_bit)) return true;
      if (f_.inst(last).op == Opcode::kBr && Replace(head, f_.edges(last)[0].target, is_bit)) {
        return true;
      }
    }
    return false;
  }

  bool Replace(Block head, Block meet, bool is_bit) {
    if (meet == head || IsEntry(meet)) return false;
    const size_t size = f_.block(head).insts.size();
    const Inst branch = f_.terminator(head);
    f_.block(head).insts.pop_back();
    builder_.SetBlock(head);
    copies_ = selects_ = 0;
    ends_ = 0;
    passed_.clear();
    made_.clear();
    nodes_.clear();
    std::optional<size_t> root = FollowBranch(branch, meet, 0);
    if (root.has_value() && MeetEarlier()) root.reset();
    std::optional<Way> way;
    if (root.has_value()) way = is_bit ? Merge(*root) : Correct(*root);
    if (!way.has_value()) {
      // What was made for it is not needed.
      f_.block(head).insts.resize(size - 1);
      f_.block(head).insts.push_back(branch);
      return false;
    }
    for (const auto& [slot, v] : way->stores) builder_.StoreState(slot, v);
    if (way->more.valid()) builder_.ChargeValue(way->more);
    builder_.Charge(way->charge);
    builder_.Br({meet, std::move(way->args)});
    return true;
  }

  // What `v`, of a block on the way, is where it is computed instead.
  Value Made(Value v) const {
    for (size_t k = made_.size(); k-- > 0;) {
      if (made_[k].first == v) return made_[k].second;
    }
    return v;
  }

  // Follow what comes after a branch, or an edge, up to `meet`; the node that has it.
  std::optional<size_t> FollowBranch(Inst branch, Block meet, int depth) {
    const Value condition = Made(f_.args(branch)[0]);
    const Edge if_true = f_.edges(branch)[0], if_false = f_.edges(branch)[1];
    const std::optional<size_t> with = Follow(if_true, meet, depth);
    if (!with.has_value()) return std::nullopt;
    const std::optional<size_t> without = Follow(if_false, meet, depth);
    if (!without.has_value()) return std::nullopt;
    nodes_.push_back({.condition = condition, .with = *with, .without = *without});
    return nodes_.size() - 1;
  }

  std::optional<size_t> Follow(const Edge& edge, Block meet, int depth) {
    std::vector<Value> args;
    for (Value v : edge.args) args.push_back(Made(v));
    const Block b = edge.target;
    if (b == meet) {
      ++ends_;
      nodes_.push_back({.way = {.args = std::move(args)}});
      return nodes_.size() - 1;
    }
    if (depth == kMaxDepth || IsEntry(b) || f_.block(b).insts.size() > kMaxInsts) {
      return std::nullopt;
    }
    const size_t outer = made_.size();
    const int ends = ends_;
    for (size_t k = 0; k < args.size(); ++k) {
      made_.emplace_back(f_.block(b).params[k], args[k]);
    }
    int64_t charge = 0;
    Stores stores;
    for (size_t k = 0; k + 1 < f_.block(b).insts.size(); ++k) {
      const Inst i = f_.block(b).insts[k];
      const Opcode op = f_.inst(i).op;
      if (op == Opcode::kCharge) {
        charge += f_.inst(i).imm;
      } else if (op == Opcode::kStoreState) {
        stores.emplace_back(f_.inst(i).aux, Made(f_.args(i)[0]));
      } else if (op != Opcode::kDeferState && !Copy(i)) {
        return std::nullopt;
      }
    }
    const Inst last = f_.terminator(b);
    std::optional<size_t> rest;
    if (f_.inst(last).op == Opcode::kBr) {
      const Edge next = f_.edges(last)[0];
      rest = Follow(next, meet, depth + 1);
    } else if (f_.inst(last).op == Opcode::kBrIf) {
      rest = FollowBranch(last, meet, depth + 1);
    }
    made_.resize(outer);
    passed_.emplace_back(b, ends_ - ends);
    if (rest.has_value()) AddToAll(*rest, charge, stores);
    return rest;
  }

  // Whether all ways pass one block before they end. What is defined there may be used behind.
  bool MeetEarlier() const {
    return std::any_of(passed_.begin(), passed_.end(), [&](const auto& block) {
      int ends = 0;
      for (const auto& [b, n] : passed_) {
        if (b == block.first) ends += n;
      }
      return ends == ends_;
    });
  }

  // Every way from the node on charges `charge` more, and begins with `stores`.
  void AddToAll(size_t node, int64_t charge, const Stores& stores) {
    Node& n = nodes_[node];
    if (n.IsBranch()) {
      AddToAll(n.with, charge, stores);
      AddToAll(n.without, charge, stores);
      return;
    }
    n.way.charge += charge;
    n.way.stores.insert(n.way.stores.begin(), stores.begin(), stores.end());
  }

  bool Copy(Inst i) {
    const InstData d = f_.inst(i);
    if (!ir::IsPure(d.op) || ir::IsDivision(d.op) || d.args_count > 3) return false;
    if (d.op != Opcode::kIconst && ++copies_ > max_copies_) return false;
    std::array<Value, 3> args;
    for (size_t k = 0; k < d.args_count; ++k) args[k] = Made(f_.args(i)[k]);
    Value v;
    if (d.op == Opcode::kIconst) {
      v = builder_.Iconst(d.type, d.imm);
    } else if (ir::IsBinary(d.op)) {
      v = builder_.Binary(d.op, args[0], args[1]);
    } else if (ir::IsUnary(d.op)) {
      v = builder_.Unary(d.op, args[0]);
    } else if (d.op == Opcode::kIcmp) {
      v = builder_.Icmp(static_cast<IntCond>(d.aux), args[0], args[1]);
    } else if (d.op == Opcode::kSelect) {
      v = builder_.Select(args[0], args[1], args[2]);
    } else {
      return false;
    }
    made_.emplace_back(f_.result(i), v);
    return true;
  }

  // -- choosing

  Value I32(int64_t n) { return builder_.Iconst(Type::kI32, n); }

  bool Same(Value a, Value b) const {
    if (a == b) return true;
    const std::optional<int64_t> c = ir::ConstantOf(f_, a);
    return c.has_value() && f_.type(a) == f_.type(b) && c == ir::ConstantOf(f_, b);
  }

  // A condition as 0 or 1.
  Value Truth(Value condition) {
    const std::optional<Bit> bit = BitOf(condition);
    if (!bit.has_value()) return builder_.Icmp(IntCond::kNe, condition, I32(0));
    const Value v = builder_.And(builder_.ShrU(bit->of, I32(bit->number)), I32(1));
    return bit->inverted ? builder_.Xor(v, I32(1)) : v;
  }
  Value Inverse(Value condition) { return builder_.Icmp(IntCond::kEq, condition, I32(0)); }

  // What is added to `base` to get `v`, if it is a sum.
  std::optional<Value> Addend(Value v, Value base) const {
    const InstData* d = Def(v);
    if (d == nullptr || d->op != Opcode::kAdd || d->type != Type::kI32) return std::nullopt;
    if (Arg(v, 0) == base) return Arg(v, 1);
    if (Arg(v, 1) == base) return Arg(v, 0);
    return std::nullopt;
  }

  Value Choose(Value condition, Value a, Value b) {
    for (const bool inverted : {false, true}) {
      const Value sum = inverted ? b : a, base = inverted ? a : b;
      const std::optional<Value> addend = Addend(sum, base);
      if (!addend.has_value()) continue;
      const std::optional<int64_t> number = ir::ConstantOf(f_, *addend);
      if (number == 1 || number == -1) {
        const Value truth = Truth(inverted ? Inverse(condition) : condition);
        return number == 1 ? builder_.Add(base, truth) : builder_.Sub(base, truth);
      }
    }
    return builder_.Select(condition, a, b);
  }

  std::optional<Way> Merge(size_t node) {
    if (!nodes_[node].IsBranch()) return nodes_[node].way;
    const Value condition = nodes_[node].condition;
    const std::optional<Way> if_true = Merge(nodes_[node].with);
    if (!if_true.has_value()) return std::nullopt;
    const std::optional<Way> if_false = Merge(nodes_[node].without);
    if (!if_false.has_value() || if_true->stores != if_false->stores) return std::nullopt;
    const Way &with = *if_true, &without = *if_false;
    Way way = {.stores = with.stores};
    for (size_t k = 0; k < with.args.size(); ++k) {
      const Value a = with.args[k], b = without.args[k];
      if (Same(a, b)) {
        way.args.push_back(a);
        continue;
      }
      if (++selects_ > kMaxSelects) return std::nullopt;
      way.args.push_back(Choose(condition, a, b));
    }
    way.charge = std::min(with.charge, without.charge);
    const int64_t a = with.charge - way.charge, b = without.charge - way.charge;
    if (a > kMaxCharge || b > kMaxCharge) return std::nullopt;
    if (with.more.valid() || without.more.valid()) {
      way.more = builder_.Select(condition, Sum(with.more, a), Sum(without.more, b));
    } else if (a != b) {
      const Value truth = Truth(a > b ? condition : Inverse(condition));
      way.more = builder_.Mul(truth, I32(a + b));
    }
    return way;
  }

  // -- corrections of a digit

  // Of an unsigned comparison `x < y`.
  struct Less {
    Value x, y;
  };
  // The comparison that a branch node makes, and the nodes where it holds and where not.
  struct Decision {
    Less less;
    size_t holds, fails;
  };
  std::optional<Decision> DecisionAt(size_t node) const {
    const Node& n = nodes_[node];
    if (!n.IsBranch()) return std::nullopt;
    const InstData* d = Def(n.condition);
    if (d == nullptr || d->op != Opcode::kIcmp || d->type != Type::kI32) return std::nullopt;
    const Value a = Arg(n.condition, 0), b = Arg(n.condition, 1);
    switch (static_cast<IntCond>(d->aux)) {
      case IntCond::kUlt:
        return Decision{{a, b}, n.with, n.without};
      case IntCond::kUgt:
        return Decision{{b, a}, n.with, n.without};
      case IntCond::kUge:
        return Decision{{a, b}, n.without, n.with};
      case IntCond::kUle:
        return Decision{{b, a}, n.without, n.with};
      default:
        return std::nullopt;
    }
  }

  bool IsSum(Value v, Value a, Value b) const {
    const InstData* d = Def(v);
    return d != nullptr && d->op == Opcode::kAdd && d->type == Type::kI32 &&
           ((Arg(v, 0) == a && Arg(v, 1) == b) || (Arg(v, 0) == b && Arg(v, 1) == a));
  }
  bool IsLessBy(Value v, Value base, int64_t n) const {
    const InstData* d = Def(v);
    return d != nullptr && d->op == Opcode::kAdd && Arg(v, 0) == base &&
           ir::ConstantOf(f_, Arg(v, 1)) == -n;
  }

  // Whether a divisor's lower half is as good as random: that of a mantissa, or of what is made of
  // two words. A single word that has been normalized is a small number as a rule, of which nothing
  // is left there, and no digit is too large.
  bool HasRandomHalf(Value d) const {
    const InstData* def = Def(d);
    return (def != nullptr && def->op == Opcode::kOr) || (CertainOnes(f_, d) >> 31) != 0;
  }

  // With the rest r, the divisor d, and the product m of the estimated digit q and d's lower half:
  //   if (r < m) { --q; r += d; if (r >= d && r < m) { --q; r += d; } }
  // In 64 bits r - m is negative if the digit is too large, and so is r - m + d if it is too large
  // by two: r + d does not wrap around there.
  std::optional<Way> Correct(size_t root) {
    const std::optional<Decision> first = DecisionAt(root);
    if (!first.has_value() || nodes_[first->fails].IsBranch()) return std::nullopt;
    const std::optional<Decision> wraps = DecisionAt(first->holds);
    if (!wraps.has_value() || nodes_[wraps->holds].IsBranch()) return std::nullopt;
    const std::optional<Decision> second = DecisionAt(wraps->fails);
    if (!second.has_value() || nodes_[second->holds].IsBranch() ||
        nodes_[second->fails].IsBranch()) {
      return std::nullopt;
    }
    const Value r = first->less.x, m = first->less.y;
    const Value once = wraps->less.x, d = wraps->less.y;
    if (!IsSum(once, r, d) || second->less.x != once || second->less.y != m) return std::nullopt;
    if (!HasRandomHalf(d)) return std::nullopt;
    const Way &none = nodes_[first->fails].way, &one_wraps = nodes_[wraps->holds].way,
              &one = nodes_[second->fails].way, &two = nodes_[second->holds].way;
    for (const Way* way : {&one_wraps, &one, &two}) {
      if (way->stores != none.stores || way->charge < none.charge ||
          way->charge > none.charge + kMaxCharge) {
        return std::nullopt;
      }
    }
    // What the ways choose: the rest, or the digit.
    enum class Chosen : uint8_t { kSame, kRest, kDigit };
    std::vector<Chosen> chosen;
    for (size_t k = 0; k < none.args.size(); ++k) {
      const Value v = none.args[k], v1 = one.args[k], v2 = two.args[k];
      if (one_wraps.args[k] != v1) return std::nullopt;
      if (v == v1 && v == v2) {
        chosen.push_back(Chosen::kSame);
      } else if (v == r && v1 == once && IsSum(v2, once, d)) {
        chosen.push_back(Chosen::kRest);
      } else if (IsLessBy(v1, v, 1) && IsLessBy(v2, v, 2)) {
        chosen.push_back(Chosen::kDigit);
      } else {
        return std::nullopt;
      }
    }
    const Costs costs = {.wraps = one_wraps.charge - none.charge,
                         .once = one.charge - none.charge,
                         .twice = two.charge - none.charge};
    const Corrected corrected = CorrectDigit(r, m, d, costs);
    Way way = {.charge = none.charge, .more = corrected.charge, .stores = none.stores};
    for (size_t k = 0; k < chosen.size(); ++k) {
      const Value v = none.args[k];
      if (chosen[k] == Chosen::kSame) {
        way.args.push_back(v);
      } else if (chosen[k] == Chosen::kDigit) {
        way.args.push_back(v == corrected.estimate ? corrected.digit
                                                   : builder_.Sub(v, corrected.times));
      } else {
        way.args.push_back(builder_.Add(corrected.rest, m));
        rests_.push_back({.m = m, .rest = corrected.rest, .sum = way.args.back()});
      }
    }
    return way;
  }

  Value Wide(Value v) { return builder_.Unary(Opcode::kExtendU32, v); }
  Value Narrow(Value v) { return builder_.Unary(Opcode::kWrap, v); }
  Value I64(int64_t n) { return builder_.Iconst(Type::kI64, n); }
  // -1 or 0
  Value IsNegative(Value v) { return builder_.ShrS(v, I64(63)); }

  // What the ways charge more than the one without corrections.
  struct Costs {
    int64_t wraps, once;  // with one, where r + d wraps around, and where not
    int64_t twice;
  };

  // How often a digit is corrected, r - m then, and what that costs; where `estimate` is valid,
  // what it becomes.
  struct Corrected {
    Value times = {}, rest = {}, charge = {};
    Value estimate = {}, digit = {};
  };

  Corrected CorrectDigit(Value r, Value m, Value d, const Costs& costs) {
    const std::optional<QuotientDigit> of = MatchDigit(f_, r, m, d);
    if (!of.has_value()) return CorrectTwice(r, m, d, costs);
    Digit digit = {.of = *of, .costs = costs};
    // The digit is that of the quotient if the dividend's upper part is less than the divisor, as
    // it is in a long division.
    const Block head = builder_.block();
    const Value dividend = builder_.Or(builder_.Shl(Wide(of->upper), I64(16)), Wide(of->next));
    const Value quotient = builder_.Divide(Opcode::kUdivTotal, dividend, Wide(d), true);
    const Value rest = Narrow(builder_.Sub(dividend, builder_.Mul(quotient, Wide(d))));
    const Value too_large = builder_.Icmp(IntCond::kUge, of->upper, d);
    const Block otherwise = f_.NewBlock(), behind = f_.NewBlock(), if_known = f_.NewBlock();
    for (Block b : {otherwise, behind, if_known}) f_.block(b).guest_pc = f_.block(head).guest_pc;
    f_.block(otherwise).cold = true;
    Corrected corrected = {.estimate = of->estimate};
    for (Value* v : {&corrected.times, &corrected.rest, &corrected.digit}) {
      *v = f_.AddParam(behind, Type::kI32);
    }
    const Value q = Narrow(quotient);
    builder_.BrIf(too_large, {otherwise, {}}, {if_known, {}}, /*cold=*/true);
    builder_.SetBlock(if_known);
    builder_.Br({behind, KnownDigit(digit, q, rest, Limit(*of))});
    builder_.SetBlock(otherwise);
    // Estimated again: there is no need to do so if it is not too large.
    const Value estimate =
        builder_.Divide(Opcode::kUdivTotal, of->upper, of->high, /*guarded=*/true);
    const Value left = builder_.Sub(of->upper, builder_.Mul(estimate, of->high));
    const Corrected slow = CorrectTwice(builder_.Or(builder_.Shl(left, I32(16)), of->next),
                                        builder_.Mul(estimate, of->low), d, costs);
    const Value corrected_estimate = builder_.Sub(estimate, slow.times);
    builder_.ChargeValue(slow.charge);
    builder_.Br({behind, {slow.times, slow.rest, corrected_estimate}});
    builder_.SetBlock(behind);
    digit.known = builder_.Add(corrected.digit, corrected.times);
    digit.rest = corrected.rest;
    digit.branch = f_.terminator(head);
    if (f_.inst(digit.branch).op == Opcode::kBrIf) digits_.push_back(digit);
    return corrected;
  }

  Corrected CorrectTwice(Value r, Value m, Value d, const Costs& costs) {
    const Value rest = builder_.Sub(Wide(r), Wide(m));
    const Value once = IsNegative(rest);
    const Value once_d = builder_.And(once, Wide(d));
    const Value rest_1 = builder_.Add(rest, once_d);
    const Value twice = IsNegative(rest_1);
    const Value rest_2 = builder_.Add(rest_1, builder_.And(twice, Wide(d)));
    const Value times = builder_.Sub(I32(0), builder_.Add(Narrow(once), Narrow(twice)));
    // Whether r + d wraps around, if there is a correction at all.
    const Value carry = Narrow(builder_.ShrU(builder_.Add(Wide(r), once_d), I64(32)));
    const int64_t second = costs.twice - costs.once;
    const Value charge =
        builder_.Sub(builder_.Sub(Times(times, second), Times(Narrow(once), costs.once - second)),
                     Times(carry, costs.once - costs.wraps));
    return {.times = times, .rest = Narrow(rest_2), .charge = charge};
  }

  Value Times(Value v, int64_t n) { return builder_.Mul(v, I32(n)); }

  struct Digit {
    QuotientDigit of;
    Costs costs;
    // As converted: the branch whose second way passes on what is known, and where ways have met
    // the rest and the estimate.
    Inst branch = {};
    Value rest = {}, known = {};
  };

  // What is passed on if it is known that the digit is q, and leaves `rest`, where upper < d.
  //
  // How often the estimate was too large, c, is known without it. With h and l for the halves of d,
  // in whole numbers:
  //   f = rest + (q + 1) * l = (upper * 2^16 + next) - q * h * 2^16 + l = r + c * h * 2^16 + l
  // As r < h * 2^16, c is 1 at least if f >= d, and 2 (r + d < m < 2^32 then) if f >= d + h * 2^16.
  // In bit 32 of f, which is less than 2^33, is whether r + d wraps around if c is 1; it is set if
  // c is 2.
  std::vector<Value> KnownDigit(const Digit& digit, Value q, Value rest, Value limit) {
    const Value f =
        builder_.Add(Wide(rest), Wide(builder_.Mul(builder_.Add(q, I32(1)), digit.of.low)));
    const auto is_once = [&] { return builder_.Icmp(IntCond::kUge, f, Wide(digit.of.d)); };
    const auto is_twice = [&] { return builder_.Icmp(IntCond::kUge, f, limit); };
    const Costs& costs = digit.costs;
    // Compared again for it, which takes no register.
    ChargeIf(is_once(), costs.once);
    ChargeIf(is_twice(), costs.twice - costs.wraps);
    ChargeIf(Narrow(builder_.ShrU(f, I64(32))), costs.wraps - costs.once);
    const Value once = is_once();
    return {builder_.Add(once, is_twice()), rest, q};
  }
  // Charges `n` times `bit`, which is 0 or 1.
  void ChargeIf(Value bit, int64_t n) {
    const Value product = Times(bit, std::abs(n));
    if (n >= 0) return builder_.ChargeValue(product);
    builder_.ChargeValue(builder_.Sub(I32(-n), product));
    builder_.Charge(n);
  }
  // From here on c is 2.
  Value Limit(const QuotientDigit& digit) {
    return builder_.Add(Wide(digit.d), builder_.Shl(Wide(digit.high), I64(16)));
  }

  Value UpperOf(const Digit& digit) const { return Arg(digit.of.estimate, 0); }

  // Two digits one after another are one division.
  void JoinDigits() {
    if (digits_.size() < 2) return;
    absl::flat_hash_map<uint32_t, const Digit*> by_upper;
    for (const Digit& digit : digits_) by_upper[UpperOf(digit).index] = &digit;
    absl::flat_hash_map<uint32_t, Block> head_of;  // by branch
    for (uint32_t b = 0; b < f_.num_blocks(); ++b)
      head_of[f_.terminator(Block(b)).index] = Block(b);
    absl::flat_hash_set<uint32_t> joined;  // branches of second digits
    for (const Digit& first : digits_) {
      const auto found = by_upper.find(first.rest.index);
      if (found == by_upper.end() || joined.contains(first.branch.index)) continue;
      const Digit& second = *found->second;
      const std::optional<Value> word = HighHalfOf(f_, first.of.next);
      const auto head = head_of.find(first.branch.index), next = head_of.find(second.branch.index);
      if (second.of.d != first.of.d || !word.has_value() ||
          LowHalfOf(f_, second.of.next) != *word || head == head_of.end() ||
          next == head_of.end()) {
        continue;
      }
      joined.insert(second.branch.index);
      f_.block(head->second).insts.pop_back();
      builder_.SetBlock(head->second);
      const Value dividend = builder_.Or(builder_.Shl(Wide(UpperOf(first)), I64(32)), Wide(*word));
      const Value quotient = builder_.Divide(Opcode::kUdivTotal, dividend, Wide(first.of.d), true);
      const Value rest = Narrow(builder_.Sub(dividend, builder_.Mul(quotient, Wide(first.of.d))));
      const Value high = Narrow(builder_.ShrU(quotient, I64(16)));
      const Value low = builder_.And(Narrow(quotient), I32(0xffff));
      const Value rest_above = Narrow(builder_.ShrU(
          builder_.Add(builder_.Mul(Wide(low), Wide(first.of.d)), Wide(rest)), I64(16)));
      const Value limit = Limit(first.of);
      f_.block(head->second).insts.push_back(first.branch);
      MakeKnown(first, high, rest_above, limit);
      f_.block(next->second).insts.pop_back();
      builder_.SetBlock(next->second);
      // Where the first digit is that of the quotient, the second one is.
      const Value too_large = builder_.Icmp(IntCond::kUge, UpperOf(first), first.of.d);
      f_.block(next->second).insts.push_back(second.branch);
      f_.mutable_args(second.branch)[0] = too_large;
      MakeKnown(second, low, rest, limit);
    }
  }

  // Passes on something else if the digit is known.
  void MakeKnown(const Digit& digit, Value q, Value rest, Value limit) {
    const Block way = f_.edges(digit.branch)[1].target;
    const Inst br = f_.terminator(way);
    f_.block(way).insts.clear();
    builder_.SetBlock(way);
    std::vector<Value> known = KnownDigit(digit, q, rest, limit);
    f_.mutable_edges(br)[0].args = std::move(known);
    f_.block(way).insts.push_back(br);
  }

  // Behind a digit its estimate is what is known of it, so that only who uses it divides for it.
  void UseEstimates() {
    absl::flat_hash_map<uint32_t, const Digit*> by_estimate;
    for (const Digit& digit : digits_) by_estimate[digit.of.estimate.index] = &digit;
    // Those that are not of the block that the digit's branch ends may be used on other ways.
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      for (Inst i : f_.block(Block(b)).insts) {
        if (f_.inst(i).op != Opcode::kUdivTotal) continue;
        const auto found = by_estimate.find(f_.result(i).index);
        if (found != by_estimate.end() && found->second->branch != f_.terminator(Block(b))) {
          by_estimate.erase(found);
        }
      }
    }
    if (by_estimate.empty()) return;
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      const Inst last = f_.terminator(Block(b));
      const auto use = [&](Value& v) {
        const auto found = by_estimate.find(v.index);
        if (found != by_estimate.end() && found->second->branch != last) v = found->second->known;
      };
      for (auto& [slot, v] : f_.block(Block(b)).state) use(v);
      for (Inst i : f_.block(Block(b)).insts) {
        for (Value& v : f_.mutable_args(i)) use(v);
        for (Edge& edge : f_.mutable_edges(i)) {
          for (Value& v : edge.args) use(v);
        }
      }
    }
  }

  // What is subtracted next from a rest is what has been added to it.
  void UseRests() {
    Replacements replacements(f_.num_values());
    // By block parameter, or the value itself where it is passed to none.
    absl::flat_hash_map<uint32_t, const Rest*> by_value;
    for (const Rest& rest : rests_) by_value[rest.sum.index] = &rest;
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      const Inst last = f_.terminator(Block(b));
      if (f_.inst(last).op != Opcode::kBr) continue;
      const Edge& edge = f_.edges(last)[0];
      for (size_t k = 0; k < edge.args.size(); ++k) {
        const auto found = by_value.find(edge.args[k].index);
        if (found == by_value.end() || edges_to_[edge.target.index] != 1) continue;
        by_value[f_.block(edge.target).params[k].index] = found->second;
      }
    }
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      for (Inst i : f_.block(Block(b)).insts) {
        if (f_.inst(i).op != Opcode::kSub || f_.inst(i).type != Type::kI32) continue;
        const auto found = by_value.find(f_.args(i)[0].index);
        if (found == by_value.end() || found->second->m != f_.args(i)[1]) continue;
        replacements.Set(f_.result(i), found->second->rest);
      }
    }
    replacements.Apply(f_);
  }

  Value Sum(Value v, int64_t n) { return v.valid() ? builder_.Add(v, I32(n)) : I32(n); }

  Function& f_;
  ir::Builder builder_;
  std::vector<bool> is_entry_;

  // Of the branch at hand.
  int max_copies_ = 0, copies_ = 0, selects_ = 0;
  int ends_ = 0;                               // of ways
  std::vector<std::pair<Block, int>> passed_;  // blocks on ways, and how many ways end behind
  std::vector<Node> nodes_;
  std::vector<std::pair<Value, Value>> made_;  // of the way being followed; the last one counts

  // A corrected rest, to which m has been added again.
  struct Rest {
    Value m, rest, sum;
  };
  std::vector<Rest> rests_;
  std::vector<Digit> digits_;
  std::vector<uint32_t> edges_to_;  // by block
};

}  // namespace

void ConvertBranches(Function& f, const ir::Graphs& graphs) {
  Converter converter(f);
  if (!converter.Run(graphs.cfg(f))) return;
  RemoveUnreachableBlocks(f);
  converter.Finish();
}

}  // namespace precast::opt
