// Constant propagation and simplification, see simplify.h.
#include "compiler/opt/simplify.h"

#include <algorithm>
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
#include "compiler/opt/rewrite.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::Opcode;
using ir::Type;
using ir::Value;

// What is known of a value: nothing yet, one constant, or that it varies. Only ever moves in this
// order.
struct Fact {
  enum class Kind : uint8_t { kUnknown, kConstant, kVaries };
  Kind kind = Kind::kUnknown;
  int64_t constant = 0;
};

class ConstantPropagation {
 public:
  explicit ConstantPropagation(const Function& f)
      : f_(f), facts_(f.num_values()), executable_(f.num_blocks(), false) {
    CollectUses();
    for (Block e : f.entries()) {
      for (Value v : f.block(e).params) Lower(v, {Fact::Kind::kVaries});
      Reach(e);
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

  std::optional<int64_t> Constant(Value v) const {
    if (v.index >= facts_.size() || facts_[v.index].kind != Fact::Kind::kConstant) {
      return std::nullopt;
    }
    return facts_[v.index].constant;
  }
  bool executable(Block b) const { return executable_[b.index]; }

 private:
  static constexpr uint32_t kOperand = 0xffffffffu;
  struct Use {
    Block block;
    Inst inst;
    uint32_t edge = kOperand;  // or number of the edge that has the value as argument `index`
    uint32_t index = 0;
  };

  // Operands and edge arguments of all instructions, by value.
  void CollectUses() {
    uses_begin_.assign(f_.num_values() + 1, 0);
    ForEachUse([&](Value v, const Use&) { ++uses_begin_[v.index + 1]; });
    for (size_t v = 0; v < f_.num_values(); ++v) uses_begin_[v + 1] += uses_begin_[v];
    uses_.resize(uses_begin_.back());
    std::vector<uint32_t> next(uses_begin_.begin(), uses_begin_.end() - 1);
    ForEachUse([&](Value v, const Use& use) { uses_[next[v.index]++] = use; });
  }

  template <typename Visitor>
  void ForEachUse(Visitor visit) {
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      for (Inst i : f_.block(Block(n)).insts) {
        for (Value v : f_.args(i)) visit(v, Use{Block(n), i});
        const absl::Span<const Edge> edges = f_.edges(i);
        for (uint32_t e = 0; e < edges.size(); ++e) {
          for (uint32_t k = 0; k < edges[e].args.size(); ++k) {
            visit(edges[e].args[k], Use{Block(n), i, e, k});
          }
        }
      }
    }
  }

  void Reach(Block b) {
    if (executable_[b.index]) return;
    executable_[b.index] = true;
    blocks_.push_back(b);
  }

  // Takes in that `v` may be `fact`.
  void Lower(Value v, Fact fact) {
    Fact& known = facts_[v.index];
    if (known.kind == Fact::Kind::kVaries || fact.kind == Fact::Kind::kUnknown) return;
    if (known.kind == Fact::Kind::kConstant && fact.kind == Fact::Kind::kConstant) {
      if (known.constant == fact.constant) return;
      fact.kind = Fact::Kind::kVaries;
    }
    known = fact;
    values_.push_back(v);
  }

  void TakeEdge(const Edge& edge) {
    const std::vector<Value>& params = f_.block(edge.target).params;
    for (size_t k = 0; k < params.size(); ++k) Lower(params[k], facts_[edge.args[k].index]);
    Reach(edge.target);
  }

  // What an edge passes for one parameter has changed. (Visiting the whole terminator for each
  // argument would take quadratic time.)
  void PassArgument(const Use& use) {
    const absl::Span<const Edge> edges = f_.edges(use.inst);
    const absl::Span<const Value> args = f_.args(use.inst);
    const Fact fact = args.empty() ? Fact{Fact::Kind::kVaries} : facts_[args[0].index];
    if (fact.kind == Fact::Kind::kUnknown) return;
    if (fact.kind == Fact::Kind::kConstant &&
        Decide(f_.inst(use.inst).op, fact.constant, edges.size()) != use.edge) {
      return;
    }
    const Edge& edge = edges[use.edge];
    Lower(f_.block(edge.target).params[use.index], facts_[edge.args[use.index].index]);
  }

  void Visit(Inst i) {
    const ir::InstData& inst = f_.inst(i);
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
  static size_t Decide(Opcode op, int64_t constant, size_t num_edges) {
    if (op == Opcode::kBrIf) return constant != 0 ? 0 : 1;
    return std::min<uint64_t>(ir::Bits(Type::kI32, constant), num_edges - 1);
  }

  Fact Evaluate(Inst i, const ir::InstData& inst) const {
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

  static Fact Folded(std::optional<int64_t> constant) {
    if (!constant) return {Fact::Kind::kVaries};
    return {Fact::Kind::kConstant, *constant};
  }

  // An operation of one operand, of type `from`; nullopt if it is not to be computed here.
  static std::optional<int64_t> FoldOne(const ir::InstData& inst, Type from, int64_t a) {
    if (ir::IsConversion(inst.op)) return ir::FoldConversion(inst.op, from, inst.type, a);
    if (ir::IsFloatUnary(inst.op)) return ir::FoldFloatUnary(inst.op, inst.type, a);
    return ir::FoldUnary(inst.op, inst.type, a);
  }

  static std::optional<int64_t> FoldTwo(const ir::InstData& inst, int64_t a, int64_t b) {
    if (inst.op == Opcode::kIcmp) {
      return ir::FoldIcmp(static_cast<ir::IntCond>(inst.aux), inst.type, a, b) ? 1 : 0;
    }
    if (inst.op == Opcode::kFcmp) {
      return ir::FoldFcmp(static_cast<ir::FloatCond>(inst.aux), inst.type, a, b) ? 1 : 0;
    }
    if (ir::IsFloatBinary(inst.op)) return ir::FoldFloatBinary(inst.op, inst.type, a, b);
    return ir::FoldBinary(inst.op, inst.type, a, b);
  }

  const Function& f_;
  std::vector<Fact> facts_;
  std::vector<bool> executable_;
  std::vector<uint32_t> uses_begin_;
  std::vector<Use> uses_;
  std::vector<Block> blocks_;  // to be visited
  std::vector<Value> values_;  // whose uses are to be visited
};

class Rebuilder {
 public:
  explicit Rebuilder(Function& f) : f_(f), known_(f), builder_(f), replaced_(f.num_values()) {}

  void Run() {
    const ir::Cfg cfg(f_);
    // In this order definitions come before their uses.
    for (Block b : cfg.order()) {
      if (known_.executable(b)) Rebuild(b);
    }
  }

 private:
  void Rebuild(Block b) {
    for (auto& [slot, v] : f_.block(b).state) v = replaced_.Get(v);
    std::vector<Inst> insts = std::exchange(f_.block(b).insts, {});
    f_.block(b).insts.reserve(insts.size());
    builder_.SetBlock(b);
    for (Inst i : insts) {
      for (size_t k = 0; k < f_.inst(i).args_count; ++k) {
        const Value v = Operand(f_.args(i)[k]);  // may append, so the span is taken anew
        f_.mutable_args(i)[k] = v;
      }
      if (ir::IsTerminator(f_.inst(i).op)) {
        Terminate(b, i);
      } else if (!ir::IsPure(f_.inst(i).op)) {
        Keep(b, i);
      } else {
        const Value result = f_.result(i);
        const std::optional<int64_t> c = known_.Constant(result);
        const bool is_constant =
            f_.inst(i).op == Opcode::kIconst || f_.inst(i).op == Opcode::kFconst;
        replaced_.Set(
            result, c && !is_constant ? builder_.Constant(f_.type(result), *c) : builder_.Readd(i));
      }
    }
  }

  // What to use for `v` in the current block. Integer constants are made anew in each block: they
  // cost nothing there, and a register if they live across blocks. Floating-point ones do cost, so
  // they stay where they are, such as outside of a loop.
  Value Operand(Value v) {
    if (const std::optional<int64_t> c = known_.Constant(v); c && ir::IsInteger(f_.type(v))) {
      return builder_.Iconst(f_.type(v), *c);
    }
    return replaced_.Get(v);
  }

  void Keep(Block b, Inst i) {
    if (f_.inst(i).op == Opcode::kTrapIf) {
      if (const std::optional<int64_t> c = builder_.ConstantOf(f_.args(i)[0]); c && *c == 0) return;
    }
    f_.block(b).insts.push_back(i);
  }

  void Terminate(Block b, Inst i) {
    const size_t num_edges = f_.edges(i).size();
    for (size_t e = 0; e < num_edges; ++e) {
      // Arguments of edges that are never taken are unknown; any value will do, and the block that
      // would get them goes.
      for (size_t k = 0; k < f_.edges(i)[e].args.size(); ++k) {
        const Value v = Operand(f_.edges(i)[e].args[k]);
        f_.mutable_edges(i)[e].args[k] = v;
      }
    }
    const absl::Span<const Edge> edges = f_.edges(i);
    const bool is_br_if = f_.inst(i).op == Opcode::kBrIf;
    const bool is_table = f_.inst(i).op == Opcode::kBrTable;
    const bool constant = (is_br_if || is_table) && builder_.ConstantOf(f_.args(i)[0]).has_value();
    const bool same =
        is_br_if && edges[0].target == edges[1].target && edges[0].args == edges[1].args;
    if (constant || same) {
      const Value cond = f_.args(i)[0];
      if (is_br_if) {
        builder_.BrIf(cond, edges[0], edges[1]);
      } else {
        builder_.BrTable(cond, std::vector<Edge>(edges.begin(), edges.end()));
      }
    } else {
      f_.block(b).insts.push_back(i);
    }
  }

  Function& f_;
  const ConstantPropagation known_;
  ir::Builder builder_;
  Replacements replaced_;
};

}  // namespace

void Simplify(Function& f) {
  Rebuilder(f).Run();
  RemoveUnreachableBlocks(f);
}

}  // namespace precast::opt
