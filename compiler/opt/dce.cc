// Dead code elimination, see dce.h.
#include "compiler/opt/dce.h"

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/rewrite.h"

namespace precast::opt {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::Opcode;
using ir::Value;

namespace {

void RemoveUnreachableBlocks(Function& f, const ir::Cfg& cfg) {
  if (cfg.order().size() == f.num_blocks()) return;
  const auto keep = std::make_unique<bool[]>(f.num_blocks());
  for (Block b : cfg.order()) keep[b.index] = true;
  f.RetainBlocks(absl::MakeConstSpan(keep.get(), f.num_blocks()));
}

// What parameters with one value are to be replaced by; nothing if there are none.
std::optional<Replacements> FindRedundantParams(const Function& f, const ir::Cfg& cfg) {
  // A replaced parameter can make others redundant; a few rounds find nearly all of them.
  constexpr int kMaxRounds = 8;
  Replacements replaced(f.num_values());
  std::vector<bool> is_entry(f.num_blocks(), false);
  for (Block e : f.entries()) is_entry[e.index] = true;

  std::vector<Value> same;
  bool any = false;
  bool changed = true;
  for (int round = 0; changed && round < kMaxRounds; ++round) {
    changed = false;
    for (Block b : cfg.order()) {
      const std::vector<Value>& params = f.block(b).params;
      if (is_entry[b.index] || params.empty()) continue;
      const size_t n = params.size();
      // For each parameter the one value seen; not valid: none yet; the parameter itself: several.
      same.assign(n, Value());
      size_t open = n;  // those of which several have not been seen
      Block previous;
      for (Block p : cfg.predecessors(b)) {
        if (p == previous) continue;  // its edges have been looked at
        previous = p;
        for (const Edge& edge : ir::Successors(f, p)) {
          if (edge.target != b) continue;
          for (size_t k = 0; k < n; ++k) {
            if (same[k] == params[k]) continue;
            const Value v = replaced.Get(edge.args[k]);
            if (v == params[k] || v == same[k]) continue;
            if (same[k].valid()) --open;
            same[k] = same[k].valid() ? params[k] : v;
          }
        }
        if (open == 0) break;
      }
      for (size_t k = 0; k < n; ++k) {
        // A parameter that has been replaced already meets its replacement again.
        if (!same[k].valid() || same[k] == params[k] || replaced.Contains(params[k])) continue;
        replaced.Set(params[k], same[k]);
        changed = any = true;
      }
    }
  }
  if (!any) return std::nullopt;
  return replaced;
}

// The slots whose deferred value a site sees, on a walk from a block's end to its beginning.
class SeenSlots {
 public:
  // Takes in the instruction; false if it declares what nobody sees.
  bool Pass(const ir::InstData& inst) {
    switch (inst.op) {
      case Opcode::kDeferState:
        if (!seen_[inst.aux]) return false;
        seen_.reset(inst.aux);
        return true;
      case Opcode::kStoreState:
        seen_.reset(inst.aux);
        return true;
      case Opcode::kCall:
      case Opcode::kCallDispatch:
      case Opcode::kCallRuntime:
      case Opcode::kCallPointer:
        seen_.reset();  // boundaries end all deferrals
        return true;
      default:
        if (ir::CanStop(inst.op)) seen_.set();
        return true;
    }
  }
  bool operator[](ir::StateSlot slot) const { return seen_[slot]; }

 private:
  std::bitset<256> seen_;
};

// What has an effect is needed, and what is needed needs its operands. Blocks are walked backwards,
// each after those it leads to, so that nearly all uses are met before their definitions, and
// whether a parameter is used is known where its arguments are; what edges back to loops need is
// followed as it is found.
class UnusedValues {
 public:
  // `replaced`: parameters to be replaced on the way, or null. `keep_starts`: see
  // EliminateDeadCodeEarly.
  UnusedValues(Function& f, const ir::Cfg& cfg, Replacements* replaced, bool keep_starts = false)
      : f_(f),
        cfg_(cfg),
        replaced_(replaced),
        keep_starts_(keep_starts),
        mark_(f.num_values(), Mark::kNone),
        is_loop_head_(f.num_blocks(), false) {
    for (Block b : cfg.order()) {
      for (Value v : f.block(b).params) mark_[v.index] = Mark::kParam;
    }
    if (!cfg.has_cycles()) return;
    for (Block b : cfg.order()) {
      for (const Edge& edge : ir::Successors(f, b)) {
        if (cfg.IsRetreating(b, edge.target)) is_loop_head_[edge.target.index] = true;
      }
    }
  }

  // With `state` declarations of deferred state that no site sees go, too.
  void Remove(bool state) {
    current_ = static_cast<uint32_t>(cfg_.order().size());
    for (Block e : f_.entries()) {
      for (Value v : f_.block(e).params) Use(v);
    }
    size_t num_params = 0;
    while (current_-- > 0) {
      const Block b = cfg_.order()[current_];
      num_params += f_.block(b).params.size();
      if (state) {
        Walk<true>(b);
      } else {
        Walk<false>(b);
      }
    }
    for (Block b : passed_) {
      std::erase_if(f_.block(b).insts, [&](Inst i) {
        return IsRemovable(f_.inst(i)) && mark_[f_.result(i).index] != Mark::kUsed;
      });
    }
    if (used_params_ == num_params) return;
    RetainParams(f_, [&](Value v) { return mark_[v.index] == Mark::kUsed; });
  }

  static void RemoveUnseen(const Function& f, ir::BlockData& block) {
    SeenSlots seen;
    size_t kept = block.insts.size();  // from there on
    for (size_t k = block.insts.size(); k-- > 0;) {
      const Inst i = block.insts[k];
      if (seen.Pass(f.inst(i))) block.insts[--kept] = i;
    }
    block.insts.erase(block.insts.begin(), block.insts.begin() + static_cast<ptrdiff_t>(kept));
    std::erase_if(block.state, [&](const auto& entry) { return !seen[entry.first]; });
  }

 private:
  enum class Mark : uint8_t {
    kNone,
    kUsed,
    // Of what has no use so far, where a use is more than that:
    kPassed,  // the definition has been passed
    kParam,
  };

  static bool IsRemovable(const ir::InstData& inst) {
    const ir::OpcodeInfo& info = ir::Info(inst.op);
    return !(info.has_side_effect | info.is_terminator);
  }

  // Nearly always that is all: the rest is kept out of the way.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Use(Value v) {
    Mark& mark = mark_[v.index];
    if (mark > Mark::kUsed) UseFirst(v);
    mark = Mark::kUsed;
  }
  ABSL_ATTRIBUTE_NOINLINE void UseFirst(Value v) {
    const ir::ValueData& data = f_.value(v);
    if (data.is_param) {
      ++used_params_;
      // Has some block that leads there been walked before?
      if (!is_loop_head_[data.def] && cfg_.index(Block(data.def)) <= current_) return;
    }
    work_.push_back(v);
  }

  // Of an operand that Replace may not have got to yet.
  Value Now(Value v) { return replaced_ == nullptr ? v : replaced_->Get(v); }
  void Replace(ir::BlockData& block) {
    for (Inst i : block.insts) {
      for (Value& v : f_.mutable_args(i)) v = replaced_->Get(v);
    }
    for (Edge& edge : f_.mutable_edges(block.insts.back())) {
      for (Value& v : edge.args) v = replaced_->Get(v);
    }
    for (auto& [slot, v] : block.state) v = replaced_->Get(v);
  }

  template <bool kState>
  void Walk(Block b) {
    ir::BlockData& block = f_.block(b);
    std::vector<Inst>& insts = block.insts;
    if (replaced_ != nullptr) Replace(block);
    for (const Edge& edge : ir::Successors(f_, b)) {
      const std::vector<Value>& params = f_.block(edge.target).params;
      for (size_t k = 0; k < params.size(); ++k) {
        if (mark_[params[k].index] == Mark::kUsed) Use(edge.args[k]);
      }
    }
    SeenSlots seen;
    size_t kept = insts.size();  // from there on
    bool passed = false;
    for (size_t k = insts.size(); k-- > 0;) {
      const Inst i = insts[k];
      const ir::InstData& inst = f_.inst(i);
      if (IsRemovable(inst)) {
        Mark& mark = mark_[f_.result(i).index];
        if (mark != Mark::kUsed) {
          mark = Mark::kPassed;
          // Only an edge back may still need it.
          if (!cfg_.has_cycles()) continue;
          passed = true;
          insts[--kept] = i;
          continue;
        }
      } else if (kState && !seen.Pass(inst) && !(keep_starts_ && DeclaresConstant(i))) {
        continue;  // (what can be removed is nothing to sites)
      }
      insts[--kept] = i;
      for (Value v : f_.args(i)) Use(v);
    }
    insts.erase(insts.begin(), insts.begin() + static_cast<ptrdiff_t>(kept));
    if (passed) passed_.push_back(b);
    if (kState && !(keep_starts_ && BeginsWithAccess(block))) {
      std::erase_if(block.state, [&](const auto& entry) { return !seen[entry.first]; });
    }
    for (const auto& [slot, v] : block.state) Use(v);
    Follow();
  }

  // Constants of their own blocks cannot be in Block::state: the first of a slot may be of the
  // block's start.
  bool DeclaresConstant(Inst i) const {
    return f_.inst(i).op == Opcode::kDeferState && ir::ConstantOf(f_, f_.args(i)[0]).has_value();
  }

  // Whether an access to memory comes before all else that has an effect.
  bool BeginsWithAccess(const ir::BlockData& block) const {
    for (Inst i : block.insts) {
      const Opcode op = f_.inst(i).op;
      if (op == Opcode::kLoad || op == Opcode::kStore) return true;
      if (op == Opcode::kDeferState || op == Opcode::kCharge) continue;
      if (ir::Info(op).has_side_effect || ir::IsTerminator(op)) return false;
    }
    return false;
  }

  void Follow() {
    while (!work_.empty()) {
      const ir::ValueData& data = f_.value(work_.back());
      work_.pop_back();
      if (!data.is_param) {
        for (Value v : f_.args(Inst(data.def))) Use(Now(v));
        continue;
      }
      const Block b(data.def);
      for (Block p : cfg_.predecessors(b)) {
        for (const Edge& edge : ir::Successors(f_, p)) {
          if (edge.target == b) Use(Now(edge.args[data.index]));
        }
      }
    }
  }

  Function& f_;
  const ir::Cfg& cfg_;
  Replacements* const replaced_;
  const bool keep_starts_;
  std::vector<Mark> mark_;
  std::vector<bool> is_loop_head_;
  uint32_t current_ = 0;  // the block being walked: its place in the order
  size_t used_params_ = 0;
  std::vector<Value> work_;    // used, and their operands not yet
  std::vector<Block> passed_;  // with instructions that nothing may use
};

}  // namespace

void RemoveUnreachableBlocks(Function& f, const ir::Graphs& graphs) {
  RemoveUnreachableBlocks(f, graphs.cfg(f));
}
void RemoveRedundantParams(Function& f) {
  std::optional<Replacements> replaced = FindRedundantParams(f, ir::Cfg(f));
  if (!replaced) return;
  replaced->Apply(f);
  RetainParams(f, [&](Value v) { return !replaced->Contains(v); });
}
void RemoveUnusedValues(Function& f) {
  RemoveUnreachableBlocks(f);
  UnusedValues(f, ir::Cfg(f), nullptr).Remove(/*state=*/false);
}

void RemoveUnseenState(Function& f) {
  for (uint32_t n = 0; n < f.num_blocks(); ++n) UnusedValues::RemoveUnseen(f, f.block(Block(n)));
}

namespace {

void Eliminate(Function& f, const ir::Graphs& graphs, bool keep_starts) {
  const ir::Cfg* cfg = &graphs.cfg(f);
  if (cfg->order().size() != f.num_blocks()) {
    RemoveUnreachableBlocks(f, *cfg);
    cfg = &graphs.cfg(f);
  }
  // What follows leaves blocks and edges as they are.
  std::optional<Replacements> replaced = FindRedundantParams(f, *cfg);
  UnusedValues(f, *cfg, replaced ? &*replaced : nullptr, keep_starts).Remove(/*state=*/true);
}

}  // namespace

void EliminateDeadCode(Function& f, const ir::Graphs& graphs) {
  Eliminate(f, graphs, /*keep_starts=*/false);
}

void EliminateDeadCodeEarly(Function& f, const ir::Graphs& graphs) {
  Eliminate(f, graphs, /*keep_starts=*/true);
}

}  // namespace precast::opt
