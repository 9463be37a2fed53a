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
#include "compiler/opt/constants.h"
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

class Rebuilder {
 public:
  Rebuilder(Function& f, const ir::Cfg& cfg)
      : f_(f), known_(f, cfg), builder_(f), replaced_(f.num_values()) {}

  // Returns whether a branch became a jump.
  bool Run(const ir::Cfg& cfg) {
    // In this order definitions come before their uses.
    for (Block b : cfg.order()) {
      if (known_.executable(b)) Rebuild(b);
    }
    return decided_;
  }

 private:
  void Rebuild(Block b) {
    insts_.swap(f_.block(b).insts);
    f_.block(b).insts.clear();
    f_.block(b).insts.reserve(insts_.size());
    builder_.SetBlock(b);
    // A constant is made here, not kept anywhere on the way.
    std::erase_if(f_.block(b).state, [&](std::pair<ir::StateSlot, Value>& state) {
      auto& [slot, v] = state;
      if (known_.Constant(v)) {
        builder_.DeferState(slot, Operand(v));
        return true;
      }
      v = replaced_.Get(v);
      return false;
    });
    for (Inst i : insts_) {
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
      decided_ = true;
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
  bool decided_ = false;
  std::vector<Inst> insts_;  // what the block had; the next one gets the room
};

}  // namespace

bool Simplify(Function& f, const ir::Graphs& graphs) {
  const ir::Cfg& cfg = graphs.cfg(f);
  const bool decided = Rebuilder(f, cfg).Run(cfg);
  RemoveUnreachableBlocks(f, graphs);
  return decided;
}

}  // namespace precast::opt
