// Pairs of i32 values as i64 values, see wide_arithmetic.h: which webs of pairs gain (WebChooser),
// and the rewriting (Rewriter).
#include "compiler/opt/wide_arithmetic.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/dce.h"
#include "compiler/opt/wide_pairs.h"

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

// Decides which webs become i64 values.
class WebChooser {
 public:
  WebChooser(const Function& f, const ir::Loops& loops, std::vector<Pair>& pairs,
             absl::Span<const PairUse> uses)
      : f_(f), loops_(loops), pairs_(pairs), uses_(uses), parent_(pairs.size()) {
    for (uint32_t p = 0; p < parent_.size(); ++p) parent_[p] = p;
  }

  // Sets Pair::web of the pairs that are to be made; kNoPair stays on the others.
  bool Run() {
    for (uint32_t p = 0; p < pairs_.size(); ++p) {
      for (uint32_t input : pairs_[p].inputs) Join(p, input);
    }
    for (const PairUse& use : uses_) {
      if (use.other != kNoPair) Join(use.pair, use.other);
    }
    std::vector<int64_t> gain(pairs_.size(), 0);
    CountOutsideUses();
    for (uint32_t p = 0; p < pairs_.size(); ++p) gain[Root(p)] += Gain(pairs_[p]);
    for (const PairUse& use : uses_) gain[Root(use.pair)] += use.saved * Weight(use.block);
    bool any = false;
    for (uint32_t p = 0; p < pairs_.size(); ++p) {
      if (gain[Root(p)] <= 0) continue;
      pairs_[p].web = Root(p);
      any = true;
    }
    return any;
  }

 private:
  uint32_t Root(uint32_t p) {
    while (parent_[p] != p) p = parent_[p] = parent_[parent_[p]];
    return p;
  }
  void Join(uint32_t a, uint32_t b) {
    // Constants belong to nobody.
    if (pairs_[a].kind == PairKind::kConstant || pairs_[b].kind == PairKind::kConstant) return;
    parent_[Root(a)] = Root(b);
  }
  // How often a block is executed, as far as loops tell.
  int64_t Weight(Block b) const {
    if (f_.block(b).cold) return 0;
    return int64_t{1} << (3 * std::min<uint32_t>(loops_.depth(b), 6));
  }

  // Uses of every value that is a high half, by other than its own web's operations.
  void CountOutsideUses() {
    outside_.assign(f_.num_values(), 0);
    std::vector<bool> half(f_.num_values(), false);
    for (const Pair& pair : pairs_) half[pair.lo.index] = half[pair.hi.index] = true;
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      for (Inst i : f_.block(Block(n)).insts) {
        const ir::InstData& d = f_.inst(i);
        // Parts of shifts across both halves, and of joins, mostly.
        if (d.op == Opcode::kDeferState || d.op == Opcode::kShl || d.op == Opcode::kShrU ||
            d.op == Opcode::kExtendU32) {
          continue;
        }
        // What gives a half of a pair is taken to be replaced.
        if (d.results_count == 1 && half[f_.result(i).index]) continue;
        for (Value v : f_.args(i)) ++outside_[v.index];
      }
    }
    for (const PairUse& use : uses_) {
      if (use.kind == PairUse::Kind::kStore) {
        for (Inst i : {use.inst, use.second}) --outside_[f_.args(i)[1].index];
      }
    }
  }

  int64_t Gain(const Pair& pair) const {
    if (pair.kind == PairKind::kConstant) return 0;  // is nowhere
    const int64_t weight = Weight(pair.block);
    switch (pair.kind) {
      case PairKind::kJoin:
        return -3 * weight;
      case PairKind::kZeroExtended:
      case PairKind::kSignExtended:
        return -weight;
      default:
        break;
    }
    const int64_t split = outside_[pair.hi.index] > 0 && pair.kind != PairKind::kWide ? 2 : 0;
    return (pair.saved - split) * weight;
  }

  const Function& f_;
  const ir::Loops& loops_;
  std::vector<Pair>& pairs_;
  const absl::Span<const PairUse> uses_;
  std::vector<uint32_t> parent_;
  std::vector<uint32_t> outside_;
};

class Rewriter {
 public:
  Rewriter(Function& f, const ir::Cfg& cfg, const EdgeNumbers& edges, std::vector<Pair>& pairs,
           absl::Span<const PairUse> uses)
      : f_(f),
        cfg_(cfg),
        edges_(edges),
        pairs_(pairs),
        uses_(uses),
        builder_(f),
        to_(f.num_values()),
        half_of_(f.num_values(), kNoPair),
        dropped_(f.num_insts(), false),
        use_at_(f.num_insts(), kNoPair) {}

  void Run() {
    at_.resize(f_.num_blocks());
    for (uint32_t p = 0; p < pairs_.size(); ++p) {
      if (pairs_[p].web == kNoPair) continue;
      if (pairs_[p].kind == PairKind::kConstant) continue;
      at_[pairs_[p].block.index].push_back(p);
      if (pairs_[p].kind == PairKind::kParam) {
        pairs_[p].wide = f_.AddParam(pairs_[p].block, Type::kI64);
        params_.push_back(p);
      }
      if (pairs_[p].kind == PairKind::kLoad) {
        dropped_[f_.value(pairs_[p].lo).def] = true;
        dropped_[f_.value(pairs_[p].hi).def] = true;
      }
    }
    for (std::vector<uint32_t>& at : at_) {
      // Loads first: others may be made of one half.
      const auto order = [&](uint32_t p) {
        return std::pair(pairs_[p].index, pairs_[p].kind != PairKind::kLoad);
      };
      std::stable_sort(at.begin(), at.end(),
                       [&](uint32_t a, uint32_t b) { return order(a) < order(b); });
    }
    by_block_.resize(f_.num_blocks());
    for (uint32_t p : params_) by_block_[pairs_[p].block.index].push_back(p);
    for (uint32_t u = 0; u < uses_.size(); ++u) {
      if (!Made(uses_[u].pair) || (uses_[u].other != kNoPair && !Made(uses_[u].other))) continue;
      use_at_[uses_[u].inst.index] = u;
      if (uses_[u].kind == PairUse::Kind::kStore) dropped_[uses_[u].second.index] = true;
    }
    for (Block b : cfg_.order()) RewriteBlock(b);
  }

 private:
  bool Made(uint32_t p) const {
    return pairs_[p].web != kNoPair || pairs_[p].kind == PairKind::kConstant;
  }

  // What `v` is now, at the end of the current block. Halves are taken out where they are used: the
  // pair itself is what lives on.
  Value Get(Value v) {
    if (v.index < to_.size() && to_[v.index].valid()) return to_[v.index];
    const HalfOf* half = FindHalf(v);
    return half != nullptr ? Half(half->wide, half->high) : v;
  }
  Value Half(Value wide, bool high) {
    if (high) wide = builder_.ShrU(wide, builder_.Iconst(Type::kI64, 32));
    return builder_.Unary(Opcode::kWrap, wide);
  }
  // What `v` is at the start of a block that its definition dominates.
  Value AtStart(Value v) const {
    if (v.index < to_.size() && to_[v.index].valid()) return to_[v.index];
    const HalfOf* half = FindHalf(v);
    return half != nullptr ? half->value : v;
  }

  void RewriteBlock(Block b) {
    std::vector<Inst> insts = std::exchange(f_.block(b).insts, {});
    f_.block(b).insts.reserve(insts.size());
    terminator_ = insts.back();
    builder_.SetBlock(b);
    // Parameters that became one: their halves are known to sites from the start of the block on.
    auto& state = f_.block(b).state;
    std::vector<std::pair<ir::StateSlot, Value>> deferred;
    for (uint32_t p : by_block_[b.index]) Split(p);
    std::erase_if(state, [&](auto& entry) {
      const Value now = AtStart(entry.second);
      const bool own = now != entry.second && f_.value(entry.second).is_param &&
                       f_.value(entry.second).def == b.index;
      if (own) deferred.push_back({entry.first, now});
      entry.second = now;
      return own;
    });
    for (const auto& [slot, v] : deferred) builder_.DeferState(slot, v);
    const std::vector<uint32_t>& at = at_[b.index];
    size_t next = 0;
    const auto make_up_to = [&](int32_t index) {
      for (; next < at.size() && pairs_[at[next]].index <= index; ++next) Make(at[next]);
    };
    make_up_to(-1);
    for (size_t k = 0; k < insts.size(); ++k) {
      RewriteInst(b, insts[k]);
      make_up_to(static_cast<int32_t>(k));
    }
  }

  void RewriteInst(Block b, Inst i) {
    const uint32_t use = use_at_[i.index];
    const bool dropped = dropped_[i.index] || use != kNoPair;
    if (!dropped && f_.inst(i).op == Opcode::kIcmp && CompareHighHalves(i)) return;
    // Making halves appends to what a span would refer to.
    for (size_t k = 0; !dropped && k < f_.inst(i).args_count; ++k) {
      const Value v = Get(f_.args(i)[k]);
      f_.mutable_args(i)[k] = v;
    }
    if (ir::IsTerminator(f_.inst(i).op)) {
      for (size_t e = 0; e < f_.edges(i).size(); ++e) {
        for (size_t k = 0; k < f_.edges(i)[e].args.size(); ++k) {
          const Value v = Get(f_.edges(i)[e].args[k]);
          f_.mutable_edges(i)[e].args[k] = v;
        }
      }
      AddEdgeArguments(b, i);
      f_.block(b).insts.push_back(i);
      return;
    }
    if (use != kNoPair) {
      RewriteUse(uses_[use]);
      return;
    }
    if (!dropped) f_.block(b).insts.push_back(i);
  }

  // Whether high halves are equal is seen without taking out both. Not where a branch asks: two of
  // them may become one (wide_branches.h).
  bool CompareHighHalves(Inst i) {
    const IntCond cond = static_cast<IntCond>(f_.inst(i).aux);
    if (cond != IntCond::kEq && cond != IntCond::kNe) return false;
    std::array<Value, 2> wide;
    for (size_t k = 0; k < 2; ++k) {
      const Value v = f_.args(i)[k];
      if (v.index < to_.size() && to_[v.index].valid()) return false;
      const HalfOf* half = FindHalf(v);
      if (half == nullptr || !half->high) return false;
      wide[k] = half->wide;
    }
    const absl::Span<const Value> asked = f_.args(terminator_);
    if (std::find(asked.begin(), asked.end(), f_.result(i)) != asked.end()) return false;
    const Value differs =
        builder_.ShrU(builder_.Xor(wide[0], wide[1]), builder_.Iconst(Type::kI64, 32));
    Replace(f_.result(i), builder_.Icmp(cond, differs, builder_.Iconst(Type::kI64, 0)));
    return true;
  }

  // The wide arguments of the parameters added, in the order in which they were added.
  void AddEdgeArguments(Block from, Inst i) {
    for (size_t e = 0; e < f_.edges(i).size(); ++e) {
      const Block target = f_.edges(i)[e].target;
      for (uint32_t p : by_block_[target.index]) {
        const uint32_t input = pairs_[p].inputs[edges_.number(from, e)];
        const Value wide = Wide(input);
        f_.mutable_edges(i)[e].args.push_back(wide);
      }
    }
  }

  void RewriteUse(const PairUse& use) {
    switch (use.kind) {
      case PairUse::Kind::kStore: {
        const Inst low = use.low;
        const Value address = Operand(f_.args(low)[0]);
        const Value wide = Wide(use.pair);
        builder_.Store(MemKind::k64, address, wide, f_.inst(low).imm, f_.inst(use.inst).site);
        break;
      }
      case PairUse::Kind::kFunnel: {
        const Value shifted =
            builder_.ShrU(Wide(use.pair), builder_.Iconst(Type::kI64, use.amount));
        Replace(f_.result(use.inst), builder_.Unary(Opcode::kWrap, shifted));
        break;
      }
      case PairUse::Kind::kJoin:
        Replace(f_.result(use.inst), Wide(use.pair));
        break;
      case PairUse::Kind::kCompare: {
        const IntCond cond = static_cast<IntCond>(f_.inst(use.inst).aux);
        const Value other = use.other != kNoPair ? Wide(use.other) : builder_.Iconst(Type::kI64, 0);
        Replace(f_.result(use.inst), builder_.Icmp(cond, Wide(use.pair), other));
        break;
      }
    }
  }

  void Replace(Value v, Value by) {
    if (v == by) return;
    if (to_.size() <= v.index) to_.resize(v.index + 1);
    to_[v.index] = by;
  }

  // A value that may be a constant made elsewhere.
  Value Operand(Value v) {
    const std::optional<int64_t> c = ir::ConstantOf(f_, v);
    return c.has_value() ? builder_.Iconst(Type::kI32, *c) : Get(v);
  }

  // The pair's value, at the end of the current block.
  Value Wide(uint32_t p) {
    if (pairs_[p].kind == PairKind::kConstant) {
      const uint64_t lo = static_cast<uint32_t>(*ir::ConstantOf(f_, pairs_[p].lo));
      const uint64_t hi = static_cast<uint32_t>(*ir::ConstantOf(f_, pairs_[p].hi));
      return builder_.Iconst(Type::kI64, static_cast<int64_t>(hi << 32 | lo));
    }
    if (!pairs_[p].wide.valid()) Make(p);
    return pairs_[p].wide;
  }

  // Makes the pair's value here, and its halves of it.
  void Make(uint32_t p) {
    if (pairs_[p].wide.valid()) return;
    const Value wide = Build(p);
    pairs_[p].wide = wide;
    switch (pairs_[p].kind) {
      case PairKind::kLoad:
      case PairKind::kBinary:
      case PairKind::kShift:
      case PairKind::kSelect:
        Split(p);
        break;
      default:
        break;
    }
  }

  void Split(uint32_t p) {
    const Value wide = pairs_[p].wide;
    SetHalf(pairs_[p].lo, {wide, false, Half(wide, false)});
    SetHalf(pairs_[p].hi, {wide, true, Half(wide, true)});
  }

  Value Build(uint32_t p) {
    const Pair pair = pairs_[p];  // Wide may make others
    switch (pair.kind) {
      case PairKind::kJoin: {
        const Value lo = builder_.Unary(Opcode::kExtendU32, Operand(pair.lo));
        const Value hi = builder_.Unary(Opcode::kExtendU32, Operand(pair.hi));
        return builder_.Or(builder_.Shl(hi, builder_.Iconst(Type::kI64, 32)), lo);
      }
      case PairKind::kZeroExtended:
        return builder_.Unary(Opcode::kExtendU32, Get(pair.lo));
      case PairKind::kSignExtended:
        return builder_.Unary(Opcode::kExtendS32, Get(pair.lo));
      case PairKind::kWide:
        return Get(pair.existing);
      case PairKind::kLoad: {
        const Inst low(f_.value(pair.lo).def);
        return builder_.Load(MemKind::k64, Type::kI64, Operand(f_.args(low)[0]), f_.inst(low).imm,
                             f_.inst(pair.first).site);
      }
      case PairKind::kBinary: {
        const Value a = Wide(pair.inputs[0]);
        const Value b = Wide(pair.inputs[1]);
        return builder_.Binary(pair.op, a, b);
      }
      case PairKind::kShift: {
        const Value a = Wide(pair.inputs[0]);
        return builder_.Binary(pair.op, a, builder_.Iconst(Type::kI64, pair.amount));
      }
      case PairKind::kSelect: {
        const Value a = Wide(pair.inputs[0]);
        const Value b = Wide(pair.inputs[1]);
        return builder_.Select(Get(pair.existing), a, b);
      }
      case PairKind::kConstant:
      case PairKind::kParam:
        break;
    }
    return Value();
  }

  Function& f_;
  const ir::Cfg& cfg_;
  const EdgeNumbers& edges_;
  std::vector<Pair>& pairs_;
  const absl::Span<const PairUse> uses_;
  ir::Builder builder_;
  std::vector<Value> to_;
  struct HalfOf {
    Value wide;
    bool high = false;
    Value value;  // the half, where the pair was made
  };
  void SetHalf(Value v, const HalfOf& half) {
    half_of_[v.index] = static_cast<uint32_t>(halves_.size());
    halves_.push_back(half);
  }
  const HalfOf* FindHalf(Value v) const {
    if (v.index >= half_of_.size() || half_of_[v.index] == kNoPair) return nullptr;
    return &halves_[half_of_[v.index]];
  }
  std::vector<uint32_t> half_of_;  // by value of before: in halves_, or kNoPair
  std::vector<HalfOf> halves_;
  std::vector<std::vector<uint32_t>> at_;        // by block: pairs made there, by index
  std::vector<std::vector<uint32_t>> by_block_;  // by block: pairs of its parameters
  std::vector<uint32_t> params_;
  std::vector<bool> dropped_;     // by instruction of before
  std::vector<uint32_t> use_at_;  // by instruction of before: in uses_, or kNoPair
  Inst terminator_;               // of the block at hand
};

}  // namespace

void FuseWideArithmetic(Function& f, const ir::Graphs& graphs) {
  RemoveUnreachableBlocks(f, graphs);
  const ir::Cfg& cfg = graphs.cfg(f);
  const EdgeNumbers edges(f, cfg);
  WidePairs found = FindWidePairs(f, cfg, edges);
  if (found.pairs.empty()) return;
  if (!WebChooser(f, graphs.loops(f), found.pairs, found.uses).Run()) return;
  Rewriter(f, cfg, edges, found.pairs, found.uses).Run();
}

}  // namespace precast::opt
