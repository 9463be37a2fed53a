// See branch_selects.h.
#include "compiler/opt/branch_selects.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/opt/rewrite.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Value;

bool IsLoad(Opcode op) { return op == Opcode::kLoad || op == Opcode::kLoadAt; }

class Pass {
 public:
  Pass(ir::Function& f, const ir::Cfg& cfg, const ir::Loops& loops)
      : f_(f), cfg_(cfg), loops_(loops) {}

  void Run() {
    is_innermost_.assign(f_.num_blocks(), true);
    for (Block b : cfg_.order()) {
      const Block head = loops_.head(b);
      if (head.valid() && loops_.parent(head).valid())
        is_innermost_[loops_.parent(head).index] = false;
    }
    loaded_.assign(f_.num_values(), false);
    home_.assign(f_.num_values(), 0);
    address_.assign(f_.num_values(), false);
    carried_.assign(f_.num_values(), false);
    for (Block b : cfg_.order()) {
      if (InInnermost(b)) FindLoaded(b);
    }
    // Twice, for what goes around once.
    for (int round = 0; round < 2; ++round) {
      for (size_t k = cfg_.order().size(); k-- > 0;) {
        if (InInnermost(cfg_.order()[k])) FindUses(cfg_.order()[k]);
      }
    }
    Replacements replacements(f_.num_values());
    bool changed = false;
    for (Block b : cfg_.order()) {
      if (InInnermost(b)) changed |= Split(b, replacements);
    }
    if (changed) replacements.Apply(f_);
  }

 private:
  bool InInnermost(Block b) const {
    return loops_.head(b).valid() && is_innermost_[loops_.head(b).index];
  }
  bool SameLoop(Block a, Block b) const { return loops_.head(a) == loops_.head(b); }

  // Which values depend on what is loaded in the same round of the loop.
  void FindLoaded(Block b) {
    for (Inst i : f_.block(b).insts) {
      const InstData& d = f_.inst(i);
      const absl::Span<const Value> args = f_.args(i);
      const bool loaded = IsLoad(d.op) || std::any_of(args.begin(), args.end(),
                                                      [&](Value v) { return IsLoaded(v, b); });
      for (uint32_t k = 0; loaded && k < d.results_count; ++k) SetLoaded(f_.result(i, k), b);
    }
    for (const Edge& edge : ir::Successors(f_, b)) {
      if (!SameLoop(edge.target, b) || edge.target == loops_.head(b)) continue;
      for (size_t k = 0; k < edge.args.size(); ++k) {
        if (IsLoaded(edge.args[k], b)) SetLoaded(f_.block(edge.target).params[k], b);
      }
    }
  }

  bool IsLoaded(Value v, Block b) const {
    return loaded_[v.index] && home_[v.index] == loops_.head(b).index;
  }
  void SetLoaded(Value v, Block b) {
    loaded_[v.index] = true;
    home_[v.index] = loops_.head(b).index;
  }

  // Which values lead to the address of a load, and to the next round, by arithmetic.
  void FindUses(Block b) {
    for (const Edge& edge : ir::Successors(f_, b)) {
      if (!SameLoop(edge.target, b)) continue;
      const bool back = edge.target == loops_.head(b);
      for (size_t k = 0; k < edge.args.size(); ++k) {
        const uint32_t param = f_.block(edge.target).params[k].index;
        const uint32_t arg = edge.args[k].index;
        address_[arg] = address_[arg] || address_[param];
        carried_[arg] = carried_[arg] || back || carried_[param];
      }
    }
    const std::vector<Inst>& insts = f_.block(b).insts;
    for (size_t n = insts.size(); n-- > 0;) {
      const InstData& d = f_.inst(insts[n]);
      if (IsLoad(d.op)) {
        for (Value v : f_.args(insts[n])) address_[v.index] = true;
        continue;
      }
      if (ir::Info(d.op).has_side_effect || d.results_count == 0) continue;
      const uint32_t result = f_.result(insts[n]).index;
      for (Value v : f_.args(insts[n])) {
        address_[v.index] = address_[v.index] || address_[result];
        carried_[v.index] = carried_[v.index] || carried_[result];
      }
    }
  }

  bool Matches(Inst i, Block b) const {
    const InstData& d = f_.inst(i);
    if (d.op != Opcode::kSelect || (d.type != ir::Type::kI32 && d.type != ir::Type::kI64))
      return false;
    const absl::Span<const Value> args = f_.args(i);
    const uint32_t result = f_.result(i).index;
    return IsLoaded(args[0], b) && !IsLoaded(args[1], b) && !IsLoaded(args[2], b) &&
           address_[result] && carried_[result];
  }

  bool Split(Block b, Replacements& replacements) {
    std::vector<Inst>& insts = f_.block(b).insts;
    const auto found =
        std::find_if(insts.begin(), insts.end(), [&](Inst i) { return Matches(i, b); });
    if (found == insts.end()) return false;
    const Inst select = *found;
    const std::vector<Inst> rest(found + 1, insts.end());
    insts.erase(found, insts.end());
    const Block join = f_.NewBlock();
    f_.block(join).guest_pc = f_.block(b).guest_pc;
    f_.block(join).cold = f_.block(b).cold;
    f_.block(join).loop_depth = f_.block(b).loop_depth;
    f_.block(join).insts = rest;
    const Value result = f_.AddParam(join, f_.type(f_.result(select)));
    const absl::Span<const Value> args = f_.args(select);
    const Value condition = args[0], if_true = args[1], if_false = args[2];
    f_.Append(b, {.op = Opcode::kBrIf}, absl::MakeConstSpan(&condition, 1), {},
              {Edge{join, {if_true}}, Edge{join, {if_false}}});
    replacements.Set(f_.result(select), result);
    return true;
  }

  ir::Function& f_;
  const ir::Cfg& cfg_;
  const ir::Loops& loops_;
  std::vector<bool> is_innermost_;  // by head
  // By value.
  std::vector<bool> loaded_, address_, carried_;
  std::vector<uint32_t> home_;  // head of the loop in which it is `loaded_`
};

bool HasSelectInLoop(const ir::Function& f) {
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    if (f.block(Block(n)).loop_depth == 0) continue;
    for (Inst i : f.block(Block(n)).insts) {
      if (f.inst(i).op == Opcode::kSelect) return true;
    }
  }
  return false;
}

}  // namespace

void BranchSelects(ir::Function& f, const ir::Graphs& graphs) {
  if (!HasSelectInLoop(f)) return;
  const ir::Loops& loops = graphs.loops(f);
  Pass(f, graphs.cfg(f), loops).Run();
}

}  // namespace precast::opt
