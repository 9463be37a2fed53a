// See carry_branches.h.
#include "compiler/opt/carry_branches.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/fold.h"
#include "compiler/opt/dce.h"
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

// A sum in which the other one is looked for has at most so many terms, less one.
constexpr int kMaxDepth = 2;
// Charges that differ by more are not worth a multiplication.
constexpr int64_t kMaxCharge = 8;

class CarryAdder {
 public:
  explicit CarryAdder(Function& f) : f_(f), builder_(f) {}

  // Whether some branch may be on a carry.
  bool HasCandidate() const {
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      if (!f_.block(Block(b)).insts.empty() && CompareAt(Block(b)).has_value()) return true;
    }
    return false;
  }

  bool Run() {
    bool any = false;
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      if (f_.block(Block(b)).insts.empty() || f_.block(Block(b)).cold) continue;
      const std::optional<Carry> carry = Find(Block(b));
      if (!carry.has_value()) continue;
      any = true;
      Do(Block(b), *carry);
    }
    if (!products_.empty()) UseProducts();
    return any;
  }

 private:
  // A branch on a carry: if sum < term, `added` is added to argument `param` of the edge to `meet`.
  struct Carry {
    Value sum, term;
    Edge meet = {};        // without carry
    bool is_only = false;  // nothing else leads there
    std::optional<size_t> param = std::nullopt;
    int64_t added = 0;
    int64_t charge = 0;          // with carry
    int64_t charge_without = 0;  // and without
  };
  // The words whose product is made.
  struct Product {
    Value u = {}, v = {};
    Value high_u, high_v;  // their upper halves
    Value low = {};        // product of the lower halves
  };
  // One of the branch's two ways.
  struct Way {
    Edge meet;
    Block block = {};       // between, if any
    bool computes = false;  // ... which does more than charge
    int64_t charge = 0;
  };

  const InstData* Def(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? nullptr : &f_.inst(Inst(data.def));
  }
  Value Arg(Value v, size_t k) const { return f_.args(Inst(f_.value(v).def))[k]; }

  // Whether `sum` is a sum of which `term` is a part.
  bool IsPart(Value sum, Value term, int depth) const {
    const InstData* d = Def(sum);
    if (d == nullptr || d->op != Opcode::kAdd) return false;
    for (size_t k = 0; k < 2; ++k) {
      if (Arg(sum, k) == term || (depth > 1 && IsPart(Arg(sum, k), term, depth - 1))) return true;
    }
    return false;
  }

  // The sum and the term that the branch at the end of `head` compares, and which of its edges is
  // taken with carry.
  struct Compare {
    Value sum, term;
    size_t carries;
  };
  std::optional<Compare> CompareAt(Block head) const {
    const Inst branch = f_.terminator(head);
    if (f_.inst(branch).op != Opcode::kBrIf || f_.inst(branch).cold) return std::nullopt;
    const Value condition = f_.args(branch)[0];
    const InstData* compare = Def(condition);
    if (compare == nullptr || compare->op != Opcode::kIcmp || compare->type != Type::kI32) {
      return std::nullopt;
    }
    // In the form sum < term, or sum >= term.
    IntCond cond = static_cast<IntCond>(compare->aux);
    Value sum = Arg(condition, 0), term = Arg(condition, 1);
    if (cond == IntCond::kUgt || cond == IntCond::kUle) {
      std::swap(sum, term);
      cond = ir::Swapped(cond);
    }
    if (cond != IntCond::kUlt && cond != IntCond::kUge) return std::nullopt;
    if (!IsPart(sum, term, kMaxDepth)) return std::nullopt;
    return Compare{sum, term, cond == IntCond::kUlt ? size_t{0} : size_t{1}};
  }

  std::optional<Carry> Find(Block head) {
    const std::optional<Compare> compare = CompareAt(head);
    if (!compare.has_value()) return std::nullopt;
    Carry carry = {.sum = compare->sum, .term = compare->term};
    const size_t carries = compare->carries;
    const Inst branch = f_.terminator(head);
    const std::optional<Way> with = FollowWay(f_.edges(branch)[carries]);
    const std::optional<Way> without = FollowWay(f_.edges(branch)[1 - carries]);
    if (!with.has_value() || !without.has_value() || without->computes) return std::nullopt;
    if (with->meet.target != without->meet.target || with->block == without->block) {
      return std::nullopt;
    }
    carry.meet = without->meet;
    carry.charge = with->charge;
    carry.charge_without = without->charge;
    const int64_t more = carry.charge - carry.charge_without;
    if (more > kMaxCharge || more < -kMaxCharge) return std::nullopt;
    for (size_t k = 0; k < with->meet.args.size(); ++k) {
      const Value v = with->meet.args[k];
      if (v == without->meet.args[k]) continue;
      if (carry.param.has_value()) return std::nullopt;
      const InstData* add = Def(v);
      if (add == nullptr || add->op != Opcode::kAdd || add->type != Type::kI32) return std::nullopt;
      const size_t base = Arg(v, 0) == without->meet.args[k] ? 0 : 1;
      const std::optional<int64_t> added = ir::ConstantOf(f_, Arg(v, 1 - base));
      if (Arg(v, base) != without->meet.args[k] || !added.has_value() ||
          !std::has_single_bit(static_cast<uint32_t>(*added))) {
        return std::nullopt;
      }
      carry.param = k;
      carry.added = *added;
    }
    if (!carry.param.has_value()) return std::nullopt;
    carry.is_only = EdgesTo(carry.meet.target) == 2;
    for (Block b : {with->block, without->block}) {
      if (b.valid() && EdgesTo(b) != 1) carry.is_only = false;
    }
    return carry;
  }

  // How many edges led to `to` before anything was changed.
  size_t EdgesTo(Block to) {
    if (edges_to_.empty()) {
      edges_to_.assign(f_.num_blocks(), 0);
      for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
        for (const Edge& edge : f_.edges(f_.terminator(Block(b)))) ++edges_to_[edge.target.index];
      }
    }
    return edges_to_[to.index];
  }

  // Where `edge` leads, through a block that does nothing but add and charge.
  std::optional<Way> FollowWay(const Edge& edge) const {
    const Block b = edge.target;
    const std::vector<Inst>& insts = f_.block(b).insts;
    Way way = {.meet = edge};
    if (!f_.block(b).params.empty() || f_.inst(insts.back()).op != Opcode::kBr) return way;
    size_t adds = 0;
    for (size_t k = 0; k + 1 < insts.size(); ++k) {
      const InstData& d = f_.inst(insts[k]);
      if (d.op == Opcode::kCharge) {
        way.charge += d.imm;
      } else if (d.op == Opcode::kAdd) {
        ++adds;
      } else if (d.op != Opcode::kIconst && d.op != Opcode::kDeferState) {
        return Way{.meet = edge};
      }
      way.computes |= d.op != Opcode::kCharge && d.op != Opcode::kDeferState;
    }
    if (adds > 1) return std::nullopt;
    way.block = b;
    way.meet = f_.edges(insts.back())[0];
    return way;
  }

  // -- products of words

  // x if `v` is x >> 16, or x & 0xffff.
  std::optional<Value> HalfOf(Value v, Opcode op) const {
    const InstData* d = Def(v);
    if (d == nullptr || d->op != op || d->type != Type::kI32) return std::nullopt;
    if (ir::ConstantOf(f_, Arg(v, 1)) != (op == Opcode::kAnd ? 0xffff : 16)) return std::nullopt;
    return Arg(v, 0);
  }
  std::optional<Value> HighOf(Value v) const { return HalfOf(v, Opcode::kShrU); }
  std::optional<Value> LowOf(Value v) const { return HalfOf(v, Opcode::kAnd); }

  bool IsMul(Value v) const {
    const InstData* d = Def(v);
    return d != nullptr && d->op == Opcode::kMul && d->type == Type::kI32;
  }

  // Whether `v` is the product of half `a` of u and half `b` of v.
  template <typename A, typename B>
  bool IsProduct(Value v, A is_a, B is_b) const {
    if (!IsMul(v)) return false;
    return (is_a(Arg(v, 0)) && is_b(Arg(v, 1))) || (is_a(Arg(v, 1)) && is_b(Arg(v, 0)));
  }

  void Terms(Value sum, int depth, std::vector<Value>& terms) const {
    const InstData* d = Def(sum);
    if (depth == 0 || d == nullptr || d->op != Opcode::kAdd) return terms.push_back(sum);
    Terms(Arg(sum, 0), depth - 1, terms);
    Terms(Arg(sum, 1), depth - 1, terms);
  }

  // With u = u1:u0 and v = v1:v0: whether the sum is u1 v0 + u0 v1 + (u0 v0 >> 16), and what a
  // carry is added to is u1 v1.
  std::optional<Product> FindProduct(const Carry& carry) const {
    const Value top = carry.meet.args[*carry.param];
    if (carry.added != 0x10000 || !carry.is_only || !IsMul(top)) return std::nullopt;
    Product p = {.high_u = Arg(top, 0), .high_v = Arg(top, 1)};
    const std::optional<Value> u = HighOf(p.high_u), v = HighOf(p.high_v);
    if (!u.has_value() || !v.has_value()) return std::nullopt;
    p.u = *u;
    p.v = *v;
    const auto u1 = [&](Value x) { return HighOf(x) == p.u; };
    const auto v1 = [&](Value x) { return HighOf(x) == p.v; };
    const auto u0 = [&](Value x) { return LowOf(x) == p.u; };
    const auto v0 = [&](Value x) { return LowOf(x) == p.v; };
    std::vector<Value> terms;
    Terms(carry.sum, kMaxDepth, terms);
    if (terms.size() != 3 || p.u == p.v) return std::nullopt;
    // The upper halves that are there where the sum is.
    int middle = 0;
    for (Value t : terms) {
      if (IsProduct(t, u1, v0)) {
        p.high_u = u1(Arg(t, 0)) ? Arg(t, 0) : Arg(t, 1);
        middle |= 1;
      } else if (IsProduct(t, u0, v1)) {
        p.high_v = v1(Arg(t, 0)) ? Arg(t, 0) : Arg(t, 1);
        middle |= 2;
      }
    }
    for (Value t : terms) {
      const std::optional<Value> low = HighOf(t);
      if (low.has_value() && IsProduct(*low, u0, v0)) p.low = *low;
    }
    const bool is_middle = IsProduct(carry.term, u1, v0) || IsProduct(carry.term, u0, v1);
    if (middle != 3 || !p.low.valid() || !is_middle) return std::nullopt;
    return p;
  }

  // Makes the product right behind the sum, which it replaces. Returns whether there was a carry.
  struct ProductCarry {
    Value bit;
    Value upper;  // has it in bit 16, and nothing above
  };
  std::optional<ProductCarry> MakeProduct(Block head, const Carry& carry, const Product& p) {
    std::vector<Inst>& insts = f_.block(head).insts;
    const auto at = std::find(insts.begin(), insts.end(), Inst(f_.value(carry.sum).def));
    if (at == insts.end()) return std::nullopt;
    std::vector<Inst> behind(at + 1, insts.end());
    insts.erase(at + 1, insts.end());
    // The product of the upper halves, which may be made behind the sum.
    const Value old_top = carry.meet.args[*carry.param];
    const auto top_at = std::find(behind.begin(), behind.end(), Inst(f_.value(old_top).def));
    const bool moves = top_at != behind.end();
    if (moves) behind.erase(top_at);
    const auto shift = [&](int64_t n) { return builder_.Iconst(Type::kI64, n); };
    const auto i32 = [&](int64_t n) { return builder_.Iconst(Type::kI32, n); };
    const Value product = builder_.Mul(builder_.Unary(Opcode::kExtendU32, p.u),
                                       builder_.Unary(Opcode::kExtendU32, p.v));
    const Value low = builder_.Unary(Opcode::kWrap, product);
    const Value high = builder_.Unary(Opcode::kWrap, builder_.ShrU(product, shift(32)));
    const Value top = moves ? builder_.Mul(p.high_u, p.high_v) : old_top;
    // What the upper word has from the sum: its upper half, and the carry above that.
    const Value upper = builder_.Sub(high, top);
    const Value bit = builder_.ShrU(upper, i32(16));
    const Value sum = builder_.Sub(builder_.Unary(Opcode::kWrap, builder_.ShrU(product, shift(16))),
                                   builder_.Shl(top, i32(16)));
    insts.insert(insts.end(), behind.begin(), behind.end());
    products_.push_back({.sum = carry.sum,
                         .new_sum = sum,
                         .low_product = p.low,
                         .low = low,
                         .high = high,
                         .top = f_.block(carry.meet.target).params[*carry.param],
                         .old_upper = old_top,
                         .new_upper = top});
    return ProductCarry{bit, upper};
  }

  // What is computed of the parts of a product.
  struct Made {
    Value sum, new_sum;
    Value low_product;           // of the lower halves
    Value low, high;             // the words of the product
    Value top;                   // the product of the upper halves, with the carry
    Value old_upper, new_upper;  // ... and without
    Value carried = {};          // what is charged for, if anything: whether there was a carry
    Value limit = {};            // the high word is not below it then
    int uses = 0;                // of `top`
  };

  // The upper half of the sum, or of the product's lower word.
  bool IsUpper(Value v, const Made& m) const { return HighOf(v) == m.sum; }
  bool IsLowHalf(Value v, const Made& m) const { return LowOf(v) == m.low_product; }

  // x if `v` is the lower half of x, << 16.
  std::optional<Value> ShiftedLow(Value v) const {
    const InstData* d = Def(v);
    if (d == nullptr || d->op != Opcode::kShl || ir::ConstantOf(f_, Arg(v, 1)) != 16) {
      return std::nullopt;
    }
    return LowOf(Arg(v, 0)).value_or(Arg(v, 0));
  }

  using MadeByValue = absl::flat_hash_map<uint32_t, Made*>;
  static Made* Find(const MadeByValue& map, Value v) {
    const auto found = map.find(v.index);
    return found == map.end() ? nullptr : found->second;
  }

  // The addition `i`, if it puts a word together.
  void UseProductsIn(Inst i, const MadeByValue& by_sum, const MadeByValue& by_top,
                     Replacements& replacements) {
    for (size_t side = 0; side < 2; ++side) {
      const Value x = f_.args(i)[side], y = f_.args(i)[1 - side];
      const std::optional<Value> sum = ShiftedLow(x);
      Made* const lower = sum.has_value() ? Find(by_sum, *sum) : nullptr;
      if (lower != nullptr && IsLowHalf(y, *lower)) {
        replacements.Set(f_.result(i), lower->low);
        return;
      }
      Made* const upper = Find(by_top, x);
      if (upper == nullptr) continue;
      if (IsUpper(y, *upper)) {
        --upper->uses;
        replacements.Set(f_.result(i), upper->high);
        return;
      }
      if (const std::optional<Value> rest = Rest(y, *upper)) {
        f_.mutable_args(i)[1] = *rest;
        f_.mutable_args(i)[0] = upper->high;
        return;
      }
      if (const std::optional<Rests> rests = RestsOf(y, *upper)) {
        const Value inner = builder_.Add(upper->high, rests->inner);
        f_.mutable_args(i)[1] = rests->outer;
        f_.mutable_args(i)[0] = inner;
        return;
      }
    }
  }

  // Words put together of parts are what the product has.
  void UseProducts() {
    Replacements replacements(f_.num_values());
    MadeByValue by_sum, by_top;
    for (Made& m : products_) {
      by_sum[m.sum.index] = &m;
      by_top[m.top.index] = &m;
    }
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      // Built anew, as something may be added.
      std::vector<Inst> insts;
      insts.swap(f_.block(Block(b)).insts);
      builder_.SetBlock(Block(b));
      for (Inst i : insts) {
        if (f_.inst(i).op == Opcode::kAdd && f_.inst(i).type == Type::kI32) {
          UseProductsIn(i, by_sum, by_top, replacements);
        }
        f_.block(Block(b)).insts.push_back(i);
      }
    }
    CompareHighWords(by_top);
    for (const Made& m : products_) {
      // What the new one is made of does not depend on the old one.
      replacements.Set(m.sum, m.new_sum);
      if (m.old_upper != m.new_upper) replacements.Set(m.old_upper, m.new_upper);
    }
    replacements.Apply(f_);
  }

  // Where nobody asks for the product of the upper halves, whether there was a carry is seen from
  // the high word, without what it has from the sum.
  void CompareHighWords(const MadeByValue& by_top) {
    const auto use = [&](Value v) {
      if (Made* const m = Find(by_top, v)) ++m->uses;
    };
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      for (const auto& [slot, v] : f_.block(Block(b)).state) use(v);
      for (Inst i : f_.block(Block(b)).insts) {
        for (Value v : f_.args(i)) use(v);
        for (const Edge& edge : f_.edges(i)) {
          for (Value v : edge.args) use(v);
        }
      }
    }
    for (const Made& m : products_) {
      if (m.uses > 0 || !m.carried.valid()) continue;
      const Inst compare(f_.value(m.carried).def);
      f_.mutable_args(compare)[0] = m.high;
      f_.mutable_args(compare)[1] = m.limit;
    }
  }

  // x if `v` is x plus the sum's upper half.
  std::optional<Value> Rest(Value v, const Made& m) const {
    const InstData* d = Def(v);
    if (d == nullptr || d->op != Opcode::kAdd) return std::nullopt;
    for (size_t k = 0; k < 2; ++k) {
      if (IsUpper(Arg(v, k), m)) return Arg(v, 1 - k);
    }
    return std::nullopt;
  }

  // x and y if `v` is x plus y plus the sum's upper half.
  struct Rests {
    Value outer, inner;
  };
  std::optional<Rests> RestsOf(Value v, const Made& m) const {
    const InstData* d = Def(v);
    if (d == nullptr || d->op != Opcode::kAdd) return std::nullopt;
    for (size_t k = 0; k < 2; ++k) {
      if (const std::optional<Value> inner = Rest(Arg(v, k), m))
        return Rests{Arg(v, 1 - k), *inner};
    }
    return std::nullopt;
  }

  // --

  void Do(Block head, const Carry& carry) {
    f_.block(head).insts.pop_back();
    builder_.SetBlock(head);
    const std::optional<Product> product = FindProduct(carry);
    std::optional<ProductCarry> made;
    if (product.has_value()) made = MakeProduct(head, carry, *product);
    const Value bit =
        made.has_value() ? made->bit : builder_.Icmp(IntCond::kUlt, carry.sum, carry.term);
    Edge meet = carry.meet;
    Value& v = meet.args[*carry.param];
    v = builder_.Add(v, Times(bit, static_cast<uint32_t>(carry.added)));
    const int64_t more = carry.charge - carry.charge_without;
    if (more != 0) {
      Value charged = bit;
      if (made.has_value()) {
        Made& m = products_.back();
        m.limit = builder_.Add(m.new_upper, builder_.Iconst(Type::kI32, 0x10000));
        charged = m.carried = builder_.Icmp(more > 0 ? IntCond::kUge : IntCond::kUlt, made->upper,
                                            builder_.Iconst(Type::kI32, 0x10000));
      } else if (more < 0) {
        charged = builder_.Icmp(IntCond::kUge, carry.sum, carry.term);
      }
      builder_.ChargeValue(Times(charged, static_cast<uint32_t>(std::abs(more))));
    }
    builder_.Charge(more > 0 ? carry.charge_without : carry.charge);
    builder_.Br(std::move(meet));
  }

  Value Times(Value bit, uint32_t factor) {
    if (!std::has_single_bit(factor)) {
      return builder_.Mul(bit, builder_.Iconst(Type::kI32, factor));
    }
    return builder_.Shl(bit, builder_.Iconst(Type::kI32, std::countr_zero(factor)));
  }

  Function& f_;
  ir::Builder builder_;
  std::vector<Made> products_;
  std::vector<uint32_t> edges_to_;  // by block, when first asked for
};

}  // namespace

void AddCarries(Function& f, const ir::Graphs& graphs) {
  CarryAdder adder(f);
  if (!adder.HasCandidate()) return;
  // What sites saw that asked for fuel is dead now, and no reason to keep a way apart.
  EliminateDeadCodeEarly(f, graphs);
  if (adder.Run()) RemoveUnreachableBlocks(f);
}

}  // namespace precast::opt
