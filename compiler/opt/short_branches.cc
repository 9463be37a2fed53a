// See short_branches.h.
#include "compiler/opt/short_branches.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
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

// Instructions, other than constants, that are executed always then.
constexpr int kMaxMoved = 1;
// What is skipped retires at most so many.
constexpr int64_t kMaxRetired = 2;
// From a load to what is compared.
constexpr int kMaxSteps = 4;

class Converter {
 public:
  Converter(Function& f, const ir::Cfg& cfg)
      : f_(f), cfg_(cfg), builder_(f), is_entry_(f.num_blocks(), false) {
    for (Block e : f.entries()) is_entry_[e.index] = true;
  }

  bool Run() {
    bool any = false;
    for (Block b : cfg_.order()) any |= !f_.block(b).cold && Convert(b);
    return any;
  }

 private:
  // What a branch skips.
  struct Skipped {
    size_t edge = 0;               // leads to it
    std::vector<Inst> moved = {};  // is executed always then
    int64_t retired = 0;
    // What is chosen between, without and with it, and the parameter that it is passed to.
    std::optional<std::array<Value, 2>> chosen = {};
    size_t param = 0;
  };

  bool Convert(Block b) {
    const Inst branch = f_.terminator(b);
    if (f_.inst(branch).op != Opcode::kBrIf || f_.inst(branch).cold || !HasMeter(b)) return false;
    if (!IsOrder(f_.args(branch)[0])) return false;
    for (size_t e = 0; e < 2; ++e) {
      const std::optional<Skipped> skipped = Skips(branch, e);
      if (!skipped.has_value() || !IsHardToGuess(branch, *skipped)) continue;
      Replace(b, branch, *skipped);
      return true;
    }
    return false;
  }

  bool HasMeter(Block b) const {
    bool metered = false;
    for (Inst i : f_.block(b).insts) {
      const InstData& d = f_.inst(i);
      if (d.op == Opcode::kMeter) metered = true;
      if (d.op == Opcode::kChargeValue || ir::IsCall(d.op)) return false;
    }
    return metered;
  }

  // Whether `condition` is which of two numbers is the larger one.
  bool IsOrder(Value condition) const {
    const ir::ValueData& data = f_.value(condition);
    if (data.is_param) return false;
    const InstData& d = f_.inst(Inst(data.def));
    if (d.op != Opcode::kIcmp || d.type != Type::kI32) return false;
    const auto cond = static_cast<IntCond>(d.aux);
    return cond != IntCond::kEq && cond != IntCond::kNe;
  }

  // Whether edge `e` of a branch leads over something short to where the other one leads.
  std::optional<Skipped> Skips(Inst branch, size_t e) const {
    const Block between = f_.edges(branch)[e].target, meet = f_.edges(branch)[1 - e].target;
    if (between == meet || is_entry_[between.index] || cfg_.predecessors(between).size() != 1 ||
        !f_.block(between).params.empty()) {
      return std::nullopt;
    }
    const Inst last = f_.terminator(between);
    if (f_.inst(last).op != Opcode::kBr || f_.edges(last)[0].target != meet) return std::nullopt;
    Skipped skipped{.edge = e};
    int moved = 0;
    for (Inst i : f_.block(between).insts) {
      const InstData& d = f_.inst(i);
      if (i == last || d.op == Opcode::kDeferState) continue;
      if (d.op == Opcode::kMeter) {
        skipped.retired += d.imm;
        continue;
      }
      if (!ir::IsPure(d.op) || ir::IsDivision(d.op)) return std::nullopt;
      if (d.op != Opcode::kIconst && ++moved > kMaxMoved) return std::nullopt;
      skipped.moved.push_back(i);
    }
    if (skipped.retired > kMaxRetired) return std::nullopt;
    const std::vector<Value>& over = f_.edges(branch)[1 - e].args;
    const std::vector<Value>& through = f_.edges(last)[0].args;
    for (size_t k = 0; k < over.size(); ++k) {
      if (over[k] == through[k]) continue;
      if (skipped.chosen.has_value()) return std::nullopt;
      skipped.chosen = {over[k], through[k]};
      skipped.param = k;
    }
    return skipped;
  }

  // Whether it is the numbers of a program's data that are compared: it chooses the larger or the
  // smaller one, or has loaded one of them. Not for what has been the largest of a loop's so far,
  // which seldom changes.
  bool IsHardToGuess(Inst branch, const Skipped& skipped) const {
    const absl::Span<const Value> compared = f_.args(Inst(f_.value(f_.args(branch)[0]).def));
    const bool is_extreme =
        skipped.chosen.has_value() &&
        std::all_of(skipped.chosen->begin(), skipped.chosen->end(),
                    [&](Value v) { return v == compared[0] || v == compared[1]; });
    if (is_extreme) return !IsCarried((*skipped.chosen)[0]);
    return IsLoaded(compared[0]) || IsLoaded(compared[1]);
  }

  // Whether `v` is what a loop's round is begun with.
  bool IsCarried(Value v) const {
    const ir::ValueData& data = f_.value(v);
    if (!data.is_param) return false;
    const absl::Span<const Block> from = cfg_.predecessors(Block(data.def));
    return std::any_of(from.begin(), from.end(),
                       [&](Block p) { return cfg_.IsRetreating(p, Block(data.def)); });
  }

  // Whether `v` is something loaded, or computed of it in a few steps.
  bool IsLoaded(Value v) const {
    for (int depth = 0; depth < kMaxSteps; ++depth) {
      const ir::ValueData& data = f_.value(v);
      if (data.is_param) return false;
      const Inst i(data.def);
      if (f_.inst(i).op == Opcode::kLoad) return true;
      if (!ir::IsPure(f_.inst(i).op) || f_.args(i).empty()) return false;
      v = f_.args(i)[0];
    }
    return false;
  }

  void Replace(Block b, Inst branch, const Skipped& skipped) {
    const Value condition = f_.args(branch)[0];
    const bool if_true = skipped.edge == 0;
    Edge edge = f_.edges(branch)[1 - skipped.edge];
    std::vector<Inst>& insts = f_.block(b).insts;
    insts.pop_back();
    insts.insert(insts.end(), skipped.moved.begin(), skipped.moved.end());
    builder_.SetBlock(b);
    if (skipped.chosen.has_value()) {
      const auto [without, with] = *skipped.chosen;
      edge.args[skipped.param] = if_true ? builder_.Select(condition, with, without)
                                         : builder_.Select(condition, without, with);
    }
    if (skipped.retired != 0) {
      const Inst test(f_.value(condition).def);
      const auto cond = static_cast<IntCond>(f_.inst(test).aux);
      const Value executed =
          if_true ? condition
                  : builder_.Icmp(ir::Inverted(cond), f_.args(test)[0], f_.args(test)[1]);
      const Value shift = builder_.Iconst(Type::kI32, skipped.retired - 1);
      builder_.ChargeValue(builder_.Binary(Opcode::kShl, executed, shift));
    }
    builder_.Br(std::move(edge));
  }

  Function& f_;
  const ir::Cfg& cfg_;
  ir::Builder builder_;
  std::vector<bool> is_entry_;
};

}  // namespace

void ConvertShortBranches(Function& f, const ir::Graphs& graphs) {
  if (Converter(f, graphs.cfg(f)).Run()) RemoveUnreachableBlocks(f);
}

}  // namespace precast::opt
