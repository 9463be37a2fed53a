// Constant propagation, see constants.h.
#include "compiler/opt/constants.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::Opcode;
using ir::Type;
using ir::Value;

namespace {

// Each round through a loop decides more than one fact, mostly.
constexpr int kMaxRounds = 6;

}  // namespace

ConstantPropagation::ConstantPropagation(const Function& f, const ir::Cfg& cfg,
                                         absl::Span<const Block> ignored)
    : f_(f), facts_(f.num_values()), executable_(f.num_blocks(), false) {
  for (Block e : f.entries()) {
    if (std::find(ignored.begin(), ignored.end(), e) != ignored.end()) continue;
    for (Value v : f.block(e).params) Lower(v, {Fact::Kind::kVaries});
    Reach(e);
  }
  uint32_t from = 0;
  for (int round = 0; from != kDone && round < kMaxRounds; ++round) from = Round(cfg, from);
  if (from != kDone) FollowUses(cfg);
}

bool ConstantPropagation::DecidesBranches(const ir::Cfg& cfg) const {
  for (Block b : cfg.order()) {
    if (!executable(b)) return true;
    const Inst branch = f_.terminator(b);
    const absl::Span<const Edge> edges = f_.edges(branch);
    if (edges.size() < 2) continue;
    if (Constant(f_.args(branch)[0]).has_value()) return true;
    if (edges.size() == 2 && edges[0].target == edges[1].target && edges[0].args == edges[1].args) {
      return true;
    }
  }
  return false;
}

uint32_t ConstantPropagation::Round(const ir::Cfg& cfg, uint32_t from) {
  const absl::Span<const Block> order = cfg.order();
  uint32_t again = kDone;
  for (uint32_t k = from; k < order.size(); ++k) {
    const Block b = order[k];
    if (!executable_[b.index]) continue;
    const std::vector<Inst>& insts = f_.block(b).insts;
    for (size_t n = 0; n + 1 < insts.size(); ++n) Visit(insts[n]);
    changed_ = false;
    Visit(insts.back());
    if (!changed_ || !cfg.has_cycles()) continue;
    for (const Edge& edge : ir::Successors(f_, b)) {
      if (cfg.index(edge.target) <= k) again = std::min(again, cfg.index(edge.target));
    }
  }
  return again;
}

void ConstantPropagation::FollowUses(const ir::Cfg& cfg) {
  CollectUses();
  follow_ = true;
  for (Block b : cfg.order()) {
    if (executable_[b.index]) blocks_.push_back(b);
  }
  while (!blocks_.empty() || !values_.empty()) {
    while (!values_.empty()) {
      const Value v = values_.back();
      values_.pop_back();
      for (uint32_t k = uses_begin_[v.index]; k < uses_begin_[v.index + 1]; ++k) {
        const Use& use = uses_[k];
        if (!executable_[use.block.index]) continue;
        if (use.edge == kOperand) {
          Visit(use.inst);
        } else {
          PassArgument(use);
        }
      }
    }
    if (blocks_.empty()) break;
    const Block b = blocks_.back();
    blocks_.pop_back();
    for (Inst i : f_.block(b).insts) Visit(i);
  }
}

// Operands and edge arguments of all instructions that depend on them, by value.
void ConstantPropagation::CollectUses() {
  uses_begin_.assign(f_.num_values() + 1, 0);
  ForEachUse([&](Value v, const Use&) { ++uses_begin_[v.index + 1]; });
  for (size_t v = 0; v < f_.num_values(); ++v) uses_begin_[v + 1] += uses_begin_[v];
  uses_.resize(uses_begin_.back());
  std::vector<uint32_t> next(uses_begin_.begin(), uses_begin_.end() - 1);
  ForEachUse([&](Value v, const Use& use) { uses_[next[v.index]++] = use; });
}

template <typename Visitor>
void ConstantPropagation::ForEachUse(Visitor visit) const {
  for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
    for (Inst i : f_.block(Block(n)).insts) {
      const absl::Span<const Edge> edges = f_.edges(i);
      if (!edges.empty() || ir::IsPure(f_.inst(i).op)) {
        for (Value v : f_.args(i)) visit(v, Use{Block(n), i});
      }
      for (uint32_t e = 0; e < edges.size(); ++e) {
        for (uint32_t k = 0; k < edges[e].args.size(); ++k) {
          visit(edges[e].args[k], Use{Block(n), i, e, k});
        }
      }
    }
  }
}

void ConstantPropagation::Reach(Block b) {
  if (executable_[b.index]) return;
  executable_[b.index] = true;
  changed_ = true;
  if (follow_) blocks_.push_back(b);
}

void ConstantPropagation::LowerFurther(Value v, Fact fact) {
  Fact& known = facts_[v.index];
  if (known.kind == Fact::Kind::kConstant && fact.kind == Fact::Kind::kConstant) {
    if (known.constant == fact.constant) return;
    fact.kind = Fact::Kind::kVaries;
  }
  known = fact;
  changed_ = true;
  if (follow_) values_.push_back(v);
}

void ConstantPropagation::TakeEdge(const Edge& edge) {
  const std::vector<Value>& params = f_.block(edge.target).params;
  for (size_t k = 0; k < params.size(); ++k) Lower(params[k], facts_[edge.args[k].index]);
  Reach(edge.target);
}

// What an edge passes for one parameter has changed. (Visiting the whole terminator for each
// argument would take quadratic time.)
void ConstantPropagation::PassArgument(const Use& use) {
  const absl::Span<const Edge> edges = f_.edges(use.inst);
  const Edge& edge = edges[use.edge];
  const Value param = f_.block(edge.target).params[use.index];
  if (facts_[param.index].kind == Fact::Kind::kVaries) return;
  const absl::Span<const Value> args = f_.args(use.inst);
  const Fact fact = args.empty() ? Fact{Fact::Kind::kVaries} : facts_[args[0].index];
  if (fact.kind == Fact::Kind::kUnknown) return;
  if (fact.kind == Fact::Kind::kConstant &&
      Decide(f_.inst(use.inst).op, fact.constant, edges.size()) != use.edge) {
    return;
  }
  Lower(param, facts_[edge.args[use.index].index]);
}

void ConstantPropagation::Visit(Inst i) {
  const ir::InstData& inst = f_.inst(i);
  // All results of an instruction have varied, or none.
  if (inst.results_count != 0 && facts_[inst.results_begin].kind == Fact::Kind::kVaries) return;
  const absl::Span<const Edge> edges = f_.edges(i);
  if (!edges.empty()) {
    const absl::Span<const Value> args = f_.args(i);
    const Fact fact = args.empty() ? Fact{Fact::Kind::kVaries} : facts_[args[0].index];
    switch (fact.kind) {
      case Fact::Kind::kUnknown:
        break;
      case Fact::Kind::kConstant:
        TakeEdge(edges[Decide(inst.op, fact.constant, edges.size())]);
        break;
      case Fact::Kind::kVaries:
        for (const Edge& edge : edges) TakeEdge(edge);
        break;
    }
    return;
  }
  if (ir::IsPure(inst.op)) {
    Lower(f_.result(i), Evaluate(i, inst));
  } else {
    for (uint32_t k = 0; k < inst.results_count; ++k) {
      Lower(f_.result(i, k), {Fact::Kind::kVaries});
    }
  }
}

// Which edge a branch on a constant takes.
size_t ConstantPropagation::Decide(Opcode op, int64_t constant, size_t num_edges) {
  if (op == Opcode::kBrIf) return constant != 0 ? 0 : 1;
  return std::min<uint64_t>(ir::Bits(Type::kI32, constant), num_edges - 1);
}

ConstantPropagation::Fact ConstantPropagation::Evaluate(Inst i, const ir::InstData& inst) const {
  constexpr Fact kVaries{Fact::Kind::kVaries};
  if (inst.op == Opcode::kIconst || inst.op == Opcode::kFconst) {
    return {Fact::Kind::kConstant, inst.imm};
  }
  // Vectors are not followed.
  const absl::Span<const Value> args = f_.args(i);
  if (args.empty() || inst.op == Opcode::kSimd || inst.type == Type::kV128) return kVaries;
  if (inst.op == Opcode::kSelect) {
    const Fact cond = facts_[args[0].index];
    if (cond.kind != Fact::Kind::kConstant) return cond;
    return facts_[args[cond.constant != 0 ? 1 : 2].index];
  }
  const Fact a = facts_[args[0].index];
  if (args.size() == 1) {
    if (a.kind != Fact::Kind::kConstant) return a;
    return Folded(FoldOne(inst, f_.type(args[0]), a.constant));
  }
  const Fact b = facts_[args[1].index];
  if (a.kind == Fact::Kind::kVaries || b.kind == Fact::Kind::kVaries) return kVaries;
  if (a.kind == Fact::Kind::kUnknown || b.kind == Fact::Kind::kUnknown) return {};
  return Folded(FoldTwo(inst, a.constant, b.constant));
}

ConstantPropagation::Fact ConstantPropagation::Folded(std::optional<int64_t> constant) {
  if (!constant) return {Fact::Kind::kVaries};
  return {Fact::Kind::kConstant, *constant};
}

// An operation of one operand, of type `from`; nullopt if it is not to be computed here.
std::optional<int64_t> ConstantPropagation::FoldOne(const ir::InstData& inst, Type from,
                                                    int64_t a) {
  if (ir::IsConversion(inst.op)) return ir::FoldConversion(inst.op, from, inst.type, a);
  if (ir::IsFloatUnary(inst.op)) return ir::FoldFloatUnary(inst.op, inst.type, a);
  return ir::FoldUnary(inst.op, inst.type, a);
}

std::optional<int64_t> ConstantPropagation::FoldTwo(const ir::InstData& inst, int64_t a,
                                                    int64_t b) {
  if (inst.op == Opcode::kIcmp) {
    return ir::FoldIcmp(static_cast<ir::IntCond>(inst.aux), inst.type, a, b) ? 1 : 0;
  }
  if (inst.op == Opcode::kFcmp) {
    return ir::FoldFcmp(static_cast<ir::FloatCond>(inst.aux), inst.type, a, b) ? 1 : 0;
  }
  if (ir::IsFloatBinary(inst.op)) return ir::FoldFloatBinary(inst.op, inst.type, a, b);
  return ir::FoldBinary(inst.op, inst.type, a, b);
}

}  // namespace precast::opt
