// Finding pairs, see wide_pairs.h: seeds, which are 64-bit operations by their shape; what they are
// made of, which is looked for from each pair that is needed; followers, operations on pairs
// known; and uses that gain from a pair.
#include "compiler/opt/wide_pairs.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "compiler/ir/fold.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Function;
using ir::Inst;
using ir::IntCond;
using ir::MemKind;
using ir::Opcode;
using ir::Type;
using ir::Value;

// or(shl(high, amount), shr_u(low, 32 - amount))
struct Funnel {
  Value high, low;
  uint32_t amount;
};

class PairFinder {
 public:
  PairFinder(Function& f, const ir::Cfg& cfg, const EdgeNumbers& edges)
      : f_(f), cfg_(cfg), edges_(edges) {
    // A constant 0 in no block: it is read as a key, never used.
    const Block entry = f.entries().front();
    zero_ =
        f.result(f.Append(entry, {.op = Opcode::kIconst, .type = Type::kI32}, {}, {Type::kI32}));
    f.block(entry).insts.pop_back();
    position_.assign(f.num_insts(), -1);
    block_of_.assign(f.num_insts(), Block());
    is_entry_.assign(f.num_blocks(), false);
    for (Block e : f.entries()) is_entry_[e.index] = true;
  }

  void Run() {
    for (Block b : cfg_.order()) FindSeeds(b);
    if (pairs_.empty()) return;
    Drain();
    for (int round = 0; round < 3; ++round) {
      const size_t before = pairs_.size();
      for (Block b : cfg_.order()) FindFollowers(b);
      Drain();
      if (pairs_.size() == before) break;
    }
    for (Block b : cfg_.order()) FindUses(b);
    Drain();
  }

  WidePairs Take() { return {std::move(pairs_), std::move(uses_)}; }

 private:
  // What belongs together is close together: so far back do searches go, which keeps them linear.
  static size_t Window(size_t size) { return size > 32 ? size - 32 : 0; }

  // -- looking at values

  const ir::InstData* Def(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? nullptr : &f_.inst(Inst(data.def));
  }
  Inst DefInst(Value v) const { return Inst(f_.value(v).def); }
  bool IsOp(Value v, Opcode op) const {
    const ir::InstData* d = Def(v);
    return d != nullptr && d->op == op && f_.type(v) == Type::kI32;
  }
  Value Arg(Value v, size_t k) const { return f_.args(DefInst(v))[k]; }
  std::optional<int64_t> Constant(Value v) const { return ir::ConstantOf(f_, v); }
  bool IsConstant(Value v, int64_t c) const { return Constant(v) == c; }
  bool Same(Value a, Value b) const {
    if (a == b) return true;
    const std::optional<int64_t> c = Constant(a);
    return c.has_value() && c == Constant(b);
  }
  Block BlockOf(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? Block(data.def) : block_of_[data.def];
  }
  int32_t IndexOf(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? -1 : position_[data.def];
  }
  bool SameBlock(Value a, Value b) const {
    return Def(a) != nullptr && Def(b) != nullptr && BlockOf(a) == BlockOf(b);
  }

  int32_t position(Inst i) const { return position_[i.index]; }

  bool Dominates(Block a, Block b) {
    if (!dominators_.has_value()) dominators_.emplace(f_, cfg_);
    return dominators_->Dominates(a, b);
  }

  // -- the table of pairs

  uint64_t Key(Value v) const {
    const std::optional<int64_t> c = Constant(v);
    return c.has_value() ? uint64_t{1} << 32 | static_cast<uint32_t>(*c) : v.index;
  }
  std::optional<uint32_t> Known(Value lo, Value hi) const {
    const auto it = by_halves_.find({Key(lo), Key(hi)});
    if (it == by_halves_.end()) return std::nullopt;
    return it->second;
  }
  // Whether the pair is more than two values that happen to meet.
  bool Related(Value lo, Value hi) const {
    if (const std::optional<uint32_t> known = Known(lo, hi)) {
      return pairs_[*known].kind != PairKind::kJoin;
    }
    return Adjacent(lo, hi) || (Constant(lo).has_value() && Constant(hi).has_value());
  }

  // A pair that somebody needs; what it is made of is looked at by Drain.
  uint32_t Need(Value lo, Value hi) {
    const auto [it, added] = by_halves_.try_emplace({Key(lo), Key(hi)}, 0);
    if (added) {
      it->second = static_cast<uint32_t>(pairs_.size());
      Pair pair;
      pair.lo = lo;
      pair.hi = hi;
      // Of two definitions that both dominate a use, one dominates the other.
      const Block a = BlockOf(lo), b = BlockOf(hi);
      const bool hi_later =
          Constant(lo).has_value() ||
          (!Constant(hi).has_value() && (a == b ? IndexOf(hi) > IndexOf(lo) : Dominates(a, b)));
      pair.block = hi_later ? b : a;
      pair.index = hi_later ? IndexOf(hi) : IndexOf(lo);
      pairs_.push_back(std::move(pair));
      work_.push_back(it->second);
    }
    return it->second;
  }

  // A pair that an operation gives. False if it is known as something else already.
  bool Give(Value lo, Value hi, PairKind kind, Opcode op,
            absl::Span<const std::pair<Value, Value>> inputs, int32_t saved, uint32_t amount = 0,
            Value existing = {}) {
    if (!SameBlock(lo, hi)) return false;
    const uint32_t p = Need(lo, hi);
    if (given_.size() <= p) given_.resize(p + 1, false);
    if (given_[p] || pairs_[p].kind != PairKind::kJoin) return false;
    given_[p] = true;
    std::vector<uint32_t> needed;
    for (const auto& [a, b] : inputs) needed.push_back(Need(a, b));
    Pair& pair = pairs_[p];
    pair.kind = kind;
    pair.op = op;
    pair.inputs = std::move(needed);
    pair.saved = saved;
    pair.amount = amount;
    pair.existing = existing;
    return true;
  }

  void Drain() {
    while (!work_.empty()) {
      const uint32_t p = work_.back();
      work_.pop_back();
      if (pairs_[p].kind == PairKind::kJoin) Resolve(p);
    }
  }

  // -- seeds: operations that are 64-bit by their shape alone

  // The sum that `carry` is the carry of: the low half, and its operands.
  struct Carry {
    Value lo, a, b;
  };
  std::optional<Carry> MatchCarry(Value v) const {
    if (!IsOp(v, Opcode::kIcmp) || Def(v)->type != Type::kI32) return std::nullopt;
    IntCond cond = static_cast<IntCond>(Def(v)->aux);
    Value x = Arg(v, 0), y = Arg(v, 1);
    if (cond == IntCond::kEq && IsConstant(y, 0) && IsOp(x, Opcode::kAdd) &&
        IsConstant(Arg(x, 1), 1)) {
      return Carry{x, Arg(x, 0), Arg(x, 1)};
    }
    if (cond == IntCond::kUlt) {
      std::swap(x, y);
      cond = IntCond::kUgt;
    }
    if (cond != IntCond::kUgt || !IsOp(y, Opcode::kAdd)) return std::nullopt;
    // x >u y, y = x + something
    if (Same(Arg(y, 0), x)) return Carry{y, Arg(y, 0), Arg(y, 1)};
    if (Same(Arg(y, 1), x)) return Carry{y, Arg(y, 1), Arg(y, 0)};
    return std::nullopt;
  }

  // The difference a - b that `v` is the borrow of. A constant b has become an addition.
  bool IsBorrow(Value v, Value a, Value b, Value lo) const {
    if (!IsOp(v, Opcode::kIcmp) || Def(v)->type != Type::kI32) return false;
    IntCond cond = static_cast<IntCond>(Def(v)->aux);
    Value x = Arg(v, 0), y = Arg(v, 1);
    if (cond == IntCond::kNe && IsConstant(y, 0)) return IsConstant(a, 0) && Same(x, b);
    if (cond == IntCond::kUlt) {
      std::swap(x, y);
      cond = IntCond::kUgt;
    }
    return cond == IntCond::kUgt && ((Same(x, b) && Same(y, a)) || (Same(x, lo) && Same(y, a)));
  }

  // Notes what is where, and what seeds may be made of. Returns whether there are such as
  // FindOrdered looks for.
  bool Survey(Block b) {
    sums_.clear();
    shifts_.clear();
    funnels_.clear();
    bool ordered = false;
    bool compared = false;  // whether there may have been a carry
    const std::vector<Inst>& insts = f_.block(b).insts;
    for (size_t k = 0; k < insts.size(); ++k) {
      const Inst i = insts[k];
      position_[i.index] = static_cast<int32_t>(k);
      block_of_[i.index] = b;
      const ir::InstData& d = f_.inst(i);
      switch (d.op) {
        case Opcode::kAdd:
          if (compared && d.type == Type::kI32) sums_.push_back(f_.result(i));
          break;
        case Opcode::kIcmp:
          compared = true;
          break;
        case Opcode::kMul:
        case Opcode::kUmulHi:
        case Opcode::kSmulHi:
        case Opcode::kSub:
          ordered |= d.type == Type::kI32;
          break;
        case Opcode::kOr:
          if (d.type == Type::kI64) {
            ordered = true;
          } else if (const std::optional<Funnel> funnel = MatchFunnel(f_.result(i))) {
            funnels_.push_back({f_.result(i), *funnel});
          }
          break;
        case Opcode::kShl:
        case Opcode::kShrU:
        case Opcode::kShrS:
          if (d.type == Type::kI32 && Constant(f_.args(i)[1]).has_value()) {
            shifts_.push_back(f_.result(i));
          }
          break;
        default:
          break;
      }
    }
    return ordered;
  }

  void FindSeeds(Block b) {
    products_.clear();
    differences_.clear();
    if (Survey(b)) FindOrdered(b);
    // Backwards: what a sum's high half begins with looks like the high half of a smaller sum.
    summed_.clear();
    for (size_t n = sums_.size(); n-- > 0;) FindSum(sums_[n]);
    FindShifts();
  }

  // Seeds that are looked for among those before them.
  void FindOrdered(Block b) {
    const std::vector<Inst>& insts = f_.block(b).insts;
    size_t ahead = 0;  // products are collected a few instructions ahead
    for (size_t n = 0; n < insts.size(); ++n) {
      for (; ahead < insts.size() && ahead <= n + 16; ++ahead) {
        const ir::InstData& d = f_.inst(insts[ahead]);
        if (d.op == Opcode::kMul && d.type == Type::kI32) {
          products_.push_back(f_.result(insts[ahead]));
        }
      }
      const Inst i = insts[n];
      const ir::InstData& d = f_.inst(i);
      if (d.op == Opcode::kOr && d.type == Type::kI64) FindJoin(i);
      if (d.results_count != 1 || d.type != Type::kI32) continue;
      const Value v = f_.result(i);
      switch (d.op) {
        case Opcode::kAdd:
          if (!products_.empty()) FindProduct(v);
          break;
        case Opcode::kUmulHi:
        case Opcode::kSmulHi:
          FindLongProduct(v, d.op);
          break;
        case Opcode::kSub:
          FindDifference(v);
          break;
        default:
          break;
      }
    }
  }

  // An i64 that has been made of two halves: extend_u32(hi) << 32 | extend_u32(lo).
  void FindJoin(Inst i) {
    for (size_t k = 0; k < 2; ++k) {
      const Value high = f_.args(i)[k], low = f_.args(i)[1 - k];
      const ir::InstData *shift = Def(high), *lo = Def(low);
      if (shift == nullptr || lo == nullptr || shift->op != Opcode::kShl ||
          lo->op != Opcode::kExtendU32 || !IsConstant(Arg(high, 1), 32)) {
        continue;
      }
      const ir::InstData* hi = Def(Arg(high, 0));
      if (hi == nullptr || hi->op != Opcode::kExtendU32) continue;
      const uint32_t p = Need(Arg(low, 0), Arg(Arg(high, 0), 0));
      uses_.push_back(
          {PairUse::Kind::kJoin, p, block_of_[i.index], i, Inst(), Inst(), 0, kNoPair, 3});
      return;
    }
  }

  // hi is a sum of a carry and of one or two other values. Of several carries it is the last one's:
  // the others are those of sums that this one continues.
  void FindSum(Value hi) {
    const Value p = Arg(hi, 0), q = Arg(hi, 1);
    std::optional<Carry> last;
    Value s;
    std::optional<Value> t;
    const auto consider = [&](Value carry, Value first, std::optional<Value> second) {
      const std::optional<Carry> c = MatchCarry(carry);
      if (!c.has_value() || BlockOf(c->lo) != BlockOf(hi)) return;
      if (last.has_value() && IndexOf(last->lo) >= IndexOf(c->lo)) return;
      last = c;
      s = first;
      t = second;
    };
    for (const auto& [x, y] : {std::pair(p, q), std::pair(q, p)}) {
      consider(x, y, std::nullopt);
      if (!IsOp(x, Opcode::kAdd)) continue;
      consider(Arg(x, 0), Arg(x, 1), y);
      consider(Arg(x, 1), Arg(x, 0), y);
    }
    if (!last.has_value() || !summed_.insert(last->lo.index).second) return;
    if (t.has_value()) {
      FindSumOf(*last, hi, s, *t);
    } else {
      FindSumOfOne(*last, hi, s);
    }
  }

  // hi = carry + s, where s may be a sum itself.
  bool FindSumOfOne(const Carry& c, Value hi, Value s) {
    if (IsOp(s, Opcode::kAdd) && !Related(c.a, s) && !Related(c.b, s)) {
      return FindSumOf(c, hi, Arg(s, 0), Arg(s, 1));
    }
    // One of the two has a high half of 0.
    const bool a_is_long = Related(c.a, s) || !Related(c.b, s);
    return Give(c.lo, hi, PairKind::kBinary, Opcode::kAdd,
                {{a_is_long ? c.a : c.b, s}, {a_is_long ? c.b : c.a, zero_}}, 4);
  }

  bool FindSumOf(const Carry& c, Value hi, Value s, Value t) {
    if (Score(c.a, t, c.b, s) > Score(c.a, s, c.b, t)) std::swap(s, t);
    return Give(c.lo, hi, PairKind::kBinary, Opcode::kAdd, {{c.a, s}, {c.b, t}}, 5);
  }

  // How likely (a, s) and (b, t) are the operands of an operation, rather than (a, t) and (b, s).
  int Score(Value a, Value s, Value b, Value t) const { return Likely(a, s) + Likely(b, t); }
  int Likely(Value lo, Value hi) const {
    if (Related(lo, hi)) return 4;
    if (Known(lo, hi).has_value()) return 3;
    if (Constant(lo).has_value() != Constant(hi).has_value()) return 0;
    const ir::InstData *a = Def(lo), *b = Def(hi);
    if (a == nullptr || b == nullptr) return a == b && BlockOf(lo) == BlockOf(hi) ? 2 : 0;
    return a->op == b->op ? 2 : 1;
  }

  void FindDifference(Value hi) {
    // (ah - bh) - borrow, (ah - borrow) - bh, ah - (bh + borrow), (ah + constant) - borrow
    const Value p = Arg(hi, 0), q = Arg(hi, 1);
    const auto try_terms = [&](Value borrow, Value ah, Value bh) {
      if (!IsOp(borrow, Opcode::kIcmp)) return false;
      // The low half is a difference that the borrow's operands lead to.
      const Value x = Arg(borrow, 0), y = Arg(borrow, 1);
      for (const Value from : {x, y}) {
        if (IsOp(from, Opcode::kSub) && IsBorrow(borrow, Arg(from, 0), Arg(from, 1), from)) {
          return Difference(from, hi, ah, bh);
        }
      }
      for (size_t k = differences_.size(); k > Window(differences_.size()); --k) {
        const Value lo = differences_[k - 1];
        if (BlockOf(lo) == BlockOf(hi) && IsBorrow(borrow, Arg(lo, 0), Arg(lo, 1), lo)) {
          return Difference(lo, hi, ah, bh);
        }
      }
      return false;
    };
    differences_.push_back(hi);
    if (IsOp(p, Opcode::kSub)) {
      if (try_terms(q, Arg(p, 0), Arg(p, 1))) return;
      if (try_terms(Arg(p, 1), Arg(p, 0), q)) return;
    }
    if (IsOp(q, Opcode::kAdd)) {
      if (try_terms(Arg(q, 0), p, Arg(q, 1))) return;
      if (try_terms(Arg(q, 1), p, Arg(q, 0))) return;
    }
    if (try_terms(q, p, zero_)) return;
  }

  bool Difference(Value lo, Value hi, Value ah, Value bh) {
    return Give(lo, hi, PairKind::kBinary, Opcode::kSub, {{Arg(lo, 0), ah}, {Arg(lo, 1), bh}}, 5);
  }

  std::optional<Value> FindMul(Value a, Value b) const {
    for (size_t k = products_.size(); k > Window(products_.size()); --k) {
      const Value v = products_[k - 1];
      if ((Same(Arg(v, 0), a) && Same(Arg(v, 1), b)) ||
          (Same(Arg(v, 0), b) && Same(Arg(v, 1), a))) {
        return v;
      }
    }
    return std::nullopt;
  }

  void FindLongProduct(Value hi, Opcode op) {
    const Value a = Arg(hi, 0), b = Arg(hi, 1);
    const std::optional<Value> lo = FindMul(a, b);
    if (!lo.has_value()) return;
    if (op == Opcode::kUmulHi) {
      Give(*lo, hi, PairKind::kBinary, Opcode::kMul, {{a, zero_}, {b, zero_}}, 3);
    }
  }

  void Terms(Value v, absl::InlinedVector<Value, 8>& out, int depth) const {
    if (IsOp(v, Opcode::kAdd) && depth < 4) {
      Terms(Arg(v, 0), out, depth + 1);
      Terms(Arg(v, 1), out, depth + 1);
    } else {
      out.push_back(v);
    }
  }

  // hi = umulhi(a, b) + a * bh + ah * b, or with only one of the products.
  bool FindProduct(Value hi) {
    absl::InlinedVector<Value, 8> terms;
    Terms(hi, terms, 0);
    if (terms.size() > 3) return false;
    const auto high =
        std::find_if(terms.begin(), terms.end(), [&](Value v) { return IsOp(v, Opcode::kUmulHi); });
    if (high == terms.end()) return false;
    const Value a = Arg(*high, 0), b = Arg(*high, 1);
    const std::optional<Value> lo = FindMul(a, b);
    if (!lo.has_value()) return false;
    terms.erase(high);
    // The other factor of a product with `factor`.
    const auto other = [&](Value product, Value factor) -> std::optional<Value> {
      if (!IsOp(product, Opcode::kMul)) return std::nullopt;
      if (Same(Arg(product, 0), factor)) return Arg(product, 1);
      if (Same(Arg(product, 1), factor)) return Arg(product, 0);
      return std::nullopt;
    };
    if (terms.size() == 1) {
      if (const std::optional<Value> bh = other(terms[0], a)) {
        return Give(*lo, hi, PairKind::kBinary, Opcode::kMul, {{a, zero_}, {b, *bh}}, 5);
      }
      if (const std::optional<Value> ah = other(terms[0], b)) {
        return Give(*lo, hi, PairKind::kBinary, Opcode::kMul, {{a, *ah}, {b, zero_}}, 5);
      }
      return false;
    }
    for (int k = 0; k < 2; ++k) {
      const std::optional<Value> bh = other(terms[static_cast<size_t>(k)], a);
      const std::optional<Value> ah = other(terms[static_cast<size_t>(1 - k)], b);
      if (bh.has_value() && ah.has_value()) {
        return Give(*lo, hi, PairKind::kBinary, Opcode::kMul, {{a, *ah}, {b, *bh}}, 8);
      }
    }
    return false;
  }

  std::optional<Funnel> MatchFunnel(Value v) const {
    if (!IsOp(v, Opcode::kOr)) return std::nullopt;
    Value left = Arg(v, 0), right = Arg(v, 1);
    if (IsOp(right, Opcode::kShl)) std::swap(left, right);
    if (!IsOp(left, Opcode::kShl) || !IsOp(right, Opcode::kShrU)) return std::nullopt;
    const std::optional<int64_t> k = Constant(Arg(left, 1)), m = Constant(Arg(right, 1));
    if (!k.has_value() || !m.has_value() || *k <= 0 || *k + *m != 32) return std::nullopt;
    return Funnel{Arg(left, 0), Arg(right, 0), static_cast<uint32_t>(*k)};
  }

  // Shifts and rotates by constants: funnels that belong to another operation on the same values.
  void FindShifts() {
    // Funnels lie by position, and so do shifts: what is near in one list is near in the other.
    size_t near = 0;
    for (size_t n = 0; n < funnels_.size(); ++n) {
      const auto& [v, f] = funnels_[n];
      bool rotated = false;
      for (size_t m = n > 16 ? n - 16 : 0; m < std::min(n + 16, funnels_.size()); ++m) {
        const Funnel& o = funnels_[m].second;
        rotated |= Same(o.high, f.low) && Same(o.low, f.high) && o.amount == f.amount;
      }
      if (rotated) continue;  // which half is which is decided by those around: ResolveRotate
      while (near < shifts_.size() && IndexOf(shifts_[near]) < IndexOf(v)) ++near;
      for (size_t m = near > 16 ? near - 16 : 0; m < std::min(near + 16, shifts_.size()); ++m) {
        const Value s = shifts_[m];
        const int64_t amount = *Constant(Arg(s, 1));
        const Opcode op = f_.inst(DefInst(s)).op;
        if (op == Opcode::kShl && amount == f.amount && Same(Arg(s, 0), f.low)) {
          if (Give(s, v, PairKind::kShift, Opcode::kShl, {{f.low, f.high}}, 4, f.amount)) break;
        }
        if (op != Opcode::kShl && amount == 32 - int64_t{f.amount} && Same(Arg(s, 0), f.high)) {
          if (Give(v, s, PairKind::kShift, op, {{f.low, f.high}}, 4, 32 - f.amount)) break;
        }
      }
    }
  }

  // -- what a pair that is needed is made of

  bool Adjacent(Value lo, Value hi) const { return FirstLoad(lo, hi).valid(); }

  // Whether `lo` and `hi` are the halves of an i64.
  bool IsSplit(Value lo, Value hi) const {
    if (!IsOp(lo, Opcode::kWrap) || !IsOp(hi, Opcode::kWrap)) return false;
    const ir::InstData* shift = Def(Arg(hi, 0));
    return shift != nullptr && shift->op == Opcode::kShrU && Arg(Arg(hi, 0), 0) == Arg(lo, 0) &&
           IsConstant(Arg(Arg(hi, 0), 1), 32);
  }

  // The first of two loads of words side by side, if nothing that could tell comes between them; or
  // else not valid.
  Inst FirstLoad(Value lo, Value hi) const {
    if (!IsOp(lo, Opcode::kLoad) || !IsOp(hi, Opcode::kLoad) || lo == hi || !SameBlock(lo, hi)) {
      return Inst();
    }
    const ir::InstData &a = *Def(lo), &b = *Def(hi);
    if (static_cast<MemKind>(a.aux) != MemKind::kU32 ||
        static_cast<MemKind>(b.aux) != MemKind::kU32 || !SideBySide(lo, hi, a.imm, b.imm)) {
      return Inst();
    }
    Inst first = DefInst(lo), second = DefInst(hi);
    if (position(first) > position(second)) std::swap(first, second);
    const std::vector<Inst>& insts = f_.block(block_of_[first.index]).insts;
    // Instance::ConfirmTrap executes what is between them.
    const uint32_t distance = f_.inst(second).site.guest_pc - f_.inst(first).site.guest_pc;
    if (distance > 128 || position(second) - position(first) > 64) return Inst();
    for (int32_t k = position(first) + 1; k < position(second); ++k) {
      const ir::InstData& d = f_.inst(insts[static_cast<size_t>(k)]);
      if (ir::Info(d.op).has_side_effect && d.op != Opcode::kLoad && d.op != Opcode::kDeferState) {
        return Inst();
      }
    }
    return first;
  }

  // Whether access `hi` at displacement `hi_at` is of the word after the one of `lo`. Both values
  // are results of loads or stores' addresses alike: operand 0 is the address.
  bool SideBySide(Value lo, Value hi, int64_t lo_at, int64_t hi_at) const {
    return AddressesSideBySide(Arg(lo, 0), Arg(hi, 0), lo_at, hi_at);
  }
  bool AddressesSideBySide(Value lo, Value hi, int64_t lo_at, int64_t hi_at) const {
    const std::optional<int64_t> a = Constant(lo), b = Constant(hi);
    if (a.has_value() && b.has_value()) return *a + lo_at + 4 == *b + hi_at && *a + lo_at != -4;
    return lo == hi && lo_at + 4 == hi_at;
  }

  void Resolve(uint32_t p) {
    const Value lo = pairs_[p].lo, hi = pairs_[p].hi;
    const std::optional<int64_t> lo_constant = Constant(lo), hi_constant = Constant(hi);
    if (lo_constant.has_value() && hi_constant.has_value()) {
      pairs_[p].kind = PairKind::kConstant;
      return;
    }
    if (hi_constant == 0) {
      pairs_[p].kind = PairKind::kZeroExtended;
      pairs_[p].block = BlockOf(lo);
      pairs_[p].index = IndexOf(lo);
      return;
    }
    if (IsOp(hi, Opcode::kShrS) && Arg(hi, 0) == lo && IsConstant(Arg(hi, 1), 31)) {
      pairs_[p].kind = PairKind::kSignExtended;
      pairs_[p].block = BlockOf(lo);
      pairs_[p].index = IndexOf(lo);
      return;
    }
    const ir::InstData *a = Def(lo), *b = Def(hi);
    if (a == nullptr && b == nullptr) {
      if (BlockOf(lo) == BlockOf(hi) && lo != hi && !is_entry_[BlockOf(lo).index]) ResolveParam(p);
      return;
    }
    if (a == nullptr || b == nullptr || BlockOf(lo) != BlockOf(hi)) return;
    if (IsSplit(lo, hi)) {
      pairs_[p].kind = PairKind::kWide;
      pairs_[p].existing = Arg(lo, 0);
      return;
    }
    if (const Inst first = FirstLoad(lo, hi); first.valid()) {
      // A word that is half of two pairs stays as it is.
      if (used_load_.contains(lo.index) || used_load_.contains(hi.index)) return;
      used_load_.insert(lo.index);
      used_load_.insert(hi.index);
      Pair& pair = pairs_[p];
      pair.kind = PairKind::kLoad;
      pair.first = first;
      pair.index = position(first);
      pair.saved = 1;
      return;
    }
    if (a->op == Opcode::kOr && b->op == Opcode::kOr && ResolveRotate(lo, hi)) return;
    if (a->op == b->op) {
      if (a->op == Opcode::kAnd || a->op == Opcode::kOr || a->op == Opcode::kXor) {
        ResolveBitwise(lo, hi, a->op);
      } else if (a->op == Opcode::kSelect && f_.args(DefInst(lo))[0] == f_.args(DefInst(hi))[0]) {
        Give(lo, hi, PairKind::kSelect, a->op, {{Arg(lo, 1), Arg(hi, 1)}, {Arg(lo, 2), Arg(hi, 2)}},
             1, 0, Arg(lo, 0));
      }
    }
  }

  void ResolveBitwise(Value lo, Value hi, Opcode op) {
    Value s = Arg(hi, 0), t = Arg(hi, 1);
    const Value a = Arg(lo, 0), b = Arg(lo, 1);
    if (Score(a, t, b, s) > Score(a, s, b, t)) std::swap(s, t);
    Give(lo, hi, PairKind::kBinary, op, {{a, s}, {b, t}}, 1);
  }

  // lo and hi as halves of a number rotated.
  bool ResolveRotate(Value lo, Value hi) {
    const std::optional<Funnel> l = MatchFunnel(lo), h = MatchFunnel(hi);
    if (!l.has_value() || !h.has_value() || l->amount != h->amount || !Same(l->high, h->low) ||
        !Same(l->low, h->high)) {
      return false;
    }
    // By less than 32, unless the operand is known the other way round.
    const Value a = h->low, ah = h->high;
    if (Likely(ah, a) > Likely(a, ah)) {
      return Give(lo, hi, PairKind::kShift, Opcode::kRotl, {{ah, a}}, 6, 32 + h->amount);
    }
    return Give(lo, hi, PairKind::kShift, Opcode::kRotl, {{a, ah}}, 6, h->amount);
  }

  void ResolveParam(uint32_t p) {
    const Block b = BlockOf(pairs_[p].lo);
    const uint32_t lo = f_.value(pairs_[p].lo).index, hi = f_.value(pairs_[p].hi).index;
    pairs_[p].kind = PairKind::kParam;
    std::vector<uint32_t> inputs;
    for (const auto& [from, e] : edges_.to(b)) {
      const ir::Edge& edge = f_.edges(f_.terminator(from))[e];
      inputs.push_back(Need(edge.args[lo], edge.args[hi]));
    }
    pairs_[p].inputs = std::move(inputs);
  }

  // -- followers: operations on pairs that are known, which give pairs

  void FindFollowers(Block b) {
    // Operations on halves of pairs: by opcode and operands. Quadratic in a window.
    const std::vector<Inst>& insts = f_.block(b).insts;
    candidates_.clear();
    for (Inst i : insts) {
      const ir::InstData& d = f_.inst(i);
      if (d.results_count != 1 || d.type != Type::kI32) continue;
      if (d.op != Opcode::kAnd && d.op != Opcode::kOr && d.op != Opcode::kXor) continue;
      const Value v = f_.result(i);
      const size_t window = candidates_.size() > 8 ? candidates_.size() - 8 : 0;
      for (size_t k = candidates_.size(); k > window; --k) {
        const Value u = candidates_[k - 1];
        if (f_.inst(DefInst(u)).op == d.op && (Follow(u, v) || Follow(v, u))) break;
      }
      candidates_.push_back(v);
    }
  }

  bool Follow(Value lo, Value hi) {
    if (Known(lo, hi).has_value()) return false;
    const std::optional<Funnel> l = MatchFunnel(lo), h = MatchFunnel(hi);
    if (l.has_value() && h.has_value()) {
      if (!Related(h->low, h->high)) return false;
      return ResolveRotate(lo, hi);
    }
    const Value a = Arg(lo, 0), b = Arg(lo, 1), s = Arg(hi, 0), t = Arg(hi, 1);
    if ((Related(a, s) && Related(b, t)) || (Related(a, t) && Related(b, s))) {
      ResolveBitwise(lo, hi, f_.inst(DefInst(lo)).op);
      return true;
    }
    return false;
  }

  // -- uses that gain

  void FindUses(Block b) {
    const std::vector<Inst>& insts = f_.block(b).insts;
    Inst store;  // the last store, if nothing that could tell came after it
    for (Inst i : insts) {
      const ir::InstData& d = f_.inst(i);
      if (d.op == Opcode::kStore) {
        store = store.valid() && FindStore(store, i) ? Inst() : i;
      } else if (ir::Info(d.op).has_side_effect && d.op != Opcode::kDeferState) {
        store = Inst();
      }
      if (d.results_count != 1) continue;
      const Value v = f_.result(i);
      if (d.op == Opcode::kOr && d.type == Type::kI32) {
        FindFunnelUse(i, v);
      } else if (d.op == Opcode::kIcmp && d.type == Type::kI32) {
        FindCompare(i, v);
      }
    }
  }

  bool FindStore(Inst first, Inst second) {
    for (Inst i : {first, second}) {
      if (static_cast<MemKind>(f_.inst(i).aux) != MemKind::kU32 || f_.inst(i).type != Type::kI32) {
        return false;
      }
    }
    Inst low = first, high = second;
    const auto beside = [&] {
      return AddressesSideBySide(f_.args(low)[0], f_.args(high)[0], f_.inst(low).imm,
                                 f_.inst(high).imm);
    };
    if (!beside()) {
      std::swap(low, high);
      if (!beside()) return false;
    }
    const Value lo = f_.args(low)[1], hi = f_.args(high)[1];
    std::optional<uint32_t> p = Known(lo, hi);
    if (!p.has_value() && IsSplit(lo, hi)) {
      p = Need(lo, hi);
      Drain();
    }
    const bool constant = Constant(lo).has_value() && Constant(hi).has_value();
    if (!p.has_value() || constant || pairs_[*p].kind == PairKind::kJoin) return false;
    // It must exist at the first store.
    const Pair& pair = pairs_[*p];
    if (pair.block == block_of_[first.index] && pair.index >= position(first)) return false;
    uses_.push_back(
        {PairUse::Kind::kStore, *p, block_of_[first.index], first, second, low, 0, kNoPair, 1});
    return true;
  }

  void FindFunnelUse(Inst i, Value v) {
    const std::optional<Funnel> funnel = MatchFunnel(v);
    if (!funnel.has_value()) return;
    const std::optional<uint32_t> p = Known(funnel->low, funnel->high);
    if (!p.has_value() || pairs_[*p].kind == PairKind::kJoin) return;
    uses_.push_back({PairUse::Kind::kFunnel, *p, block_of_[i.index], i, Inst(), Inst(),
                     32 - funnel->amount, kNoPair, 2});
  }

  // (lo ^ lo2 | hi ^ hi2) == 0, (lo | hi) == 0
  void FindCompare(Inst i, Value v) {
    const IntCond cond = static_cast<IntCond>(f_.inst(i).aux);
    if ((cond != IntCond::kEq && cond != IntCond::kNe) || !IsConstant(Arg(v, 1), 0)) return;
    const Value both = Arg(v, 0);
    if (!IsOp(both, Opcode::kOr)) return;
    for (const auto& [lo, hi] :
         {std::pair(Arg(both, 0), Arg(both, 1)), std::pair(Arg(both, 1), Arg(both, 0))}) {
      const std::optional<uint32_t> p = Known(lo, hi);
      if (p.has_value() && pairs_[*p].kind != PairKind::kJoin) {
        uses_.push_back(
            {PairUse::Kind::kCompare, *p, block_of_[i.index], i, Inst(), Inst(), 0, kNoPair, 1});
        return;
      }
      if (!IsOp(lo, Opcode::kXor) || !IsOp(hi, Opcode::kXor)) continue;
      const Value a = Arg(lo, 0), b = Arg(lo, 1);
      for (const auto& [s, t] :
           {std::pair(Arg(hi, 0), Arg(hi, 1)), std::pair(Arg(hi, 1), Arg(hi, 0))}) {
        if (!Related(a, s) || !Related(b, t)) continue;
        const uint32_t x = Need(a, s), y = Need(b, t);
        uses_.push_back(
            {PairUse::Kind::kCompare, x, block_of_[i.index], i, Inst(), Inst(), 0, y, 3});
        return;
      }
    }
  }

  Function& f_;
  const ir::Cfg& cfg_;
  const EdgeNumbers& edges_;
  std::optional<ir::Dominators> dominators_;  // made when first asked for
  std::vector<int32_t> position_;             // by instruction: in its block
  std::vector<Block> block_of_;
  std::vector<bool> is_entry_;
  Value zero_;

  std::vector<Pair> pairs_;
  absl::flat_hash_map<std::pair<uint64_t, uint64_t>, uint32_t> by_halves_;
  std::vector<uint32_t> work_;  // pairs to be resolved
  std::vector<bool> given_;
  absl::flat_hash_set<uint32_t> used_load_;
  std::vector<PairUse> uses_;

  // Of the block at hand.
  std::vector<Value> products_, sums_, shifts_, candidates_;
  std::vector<Value> differences_;
  absl::flat_hash_set<uint32_t> summed_;  // low halves of sums found
  std::vector<std::pair<Value, Funnel>> funnels_;
};

}  // namespace

WidePairs FindWidePairs(Function& f, const ir::Cfg& cfg, const EdgeNumbers& edges) {
  PairFinder finder(f, cfg, edges);
  finder.Run();
  return finder.Take();
}

}  // namespace precast::opt
