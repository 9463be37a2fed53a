// Global value numbering, see gvn.h.
#include "compiler/opt/gvn.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/value_table.h"
#include "compiler/opt/known_bits.h"
#include "compiler/opt/known_memory.h"
#include "compiler/opt/rewrite.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::Opcode;
using ir::Value;

class Numbering {
 public:
  Numbering(Function& f, const ir::Graphs& graphs, const ConstantPropagation* constants)
      : f_(f),
        constants_(constants),
        cfg_(graphs.cfg(f)),
        dominators_(graphs.dominators(f)),
        values_(f, dominators_),
        builder_(f),
        memory_(f, values_, builder_),
        bits_(PossibleBits(f, cfg_)),
        replaced_(f.num_values()) {
    builder_.SetTable(&values_);
    builder_.SetPossibleBits(&bits_);
    // Where each sum is guest state of its own, all would be kept.
    builder_.SetReassociate(f.signature().conv == ir::CallConv::kWasm);
  }

  void Run() {
    for (Block b : dominators_.preorder()) {
      values_.EnterBlock(b);
      Enter(b);
      Rebuild(b);
      Leave(b);
    }
  }

 private:
  // What is known at the end of a block on the way down the dominator tree.
  struct AtEnd {
    Block block;
    KnownMemory::Accesses memory;
  };

  // The only block that leads to `b`, by one edge.
  Block OnlyPredecessor(Block b) const {
    const absl::Span<const Block> predecessors = cfg_.predecessors(b);
    return predecessors.size() == 1 ? predecessors[0] : Block();
  }

  void Enter(Block b) {
    while (!path_.empty() && !dominators_.Dominates(path_.back().block, b)) path_.pop_back();
    const Block from = OnlyPredecessor(b);
    if (!from.valid()) {
      memory_.Set({});
      return;
    }
    // The last block that dominates this one is that predecessor.
    memory_.Set(path_.back().memory);
    const Inst branch = f_.terminator(from);
    if (f_.inst(branch).op == Opcode::kBrIf) {
      values_.Learn(f_.args(branch)[0], f_.edges(branch)[0].target == b);
    }
  }

  void Leave(Block b) {
    // Kept only if some block is entered from here alone.
    bool wanted = false;
    for (const Edge& edge : ir::Successors(f_, b)) {
      wanted |= cfg_.predecessors(edge.target).size() == 1;
    }
    path_.push_back({b, wanted ? memory_.accesses() : KnownMemory::Accesses()});
  }

  // Moves divisions before the remainders of the same operands, which then are made of them.
  void QuotientsFirst(std::vector<Inst>& insts) const {
    constexpr size_t kMaxRemainders = 8;
    std::vector<size_t> remainders;  // the newest
    for (size_t at = 0; at < insts.size(); ++at) {
      const Opcode op = f_.inst(insts[at]).op;
      if (op == Opcode::kSremTotal || op == Opcode::kUremTotal) {
        if (remainders.size() == kMaxRemainders) remainders.erase(remainders.begin());
        remainders.push_back(at);
      } else if (op == Opcode::kSdivTotal || op == Opcode::kUdivTotal) {
        const auto found = std::find_if(remainders.begin(), remainders.end(), [&](size_t r) {
          return CanMoveBefore(insts[at], insts[r]);
        });
        if (found == remainders.end()) continue;
        const auto begin = insts.begin() + static_cast<std::ptrdiff_t>(*found);
        std::rotate(begin, insts.begin() + static_cast<std::ptrdiff_t>(at),
                    insts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
        for (auto r = found; r != remainders.end(); ++r) ++*r;
      }
    }
  }

  bool CanMoveBefore(Inst division, Inst remainder) const {
    const ir::InstData& d = f_.inst(division);
    const ir::InstData& r = f_.inst(remainder);
    const bool is_signed = d.op == Opcode::kSdivTotal;
    if (is_signed != (r.op == Opcode::kSremTotal) || d.type != r.type) return false;
    // What has been checked before the division may not be before the remainder.
    if (d.aux != 0 && (is_signed || r.aux == 0)) return false;
    const absl::Span<const Value> x = f_.args(division), y = f_.args(remainder);
    return x[0] == y[0] && x[1] == y[1];
  }

  void Rebuild(Block b) {
    insts_.swap(f_.block(b).insts);
    QuotientsFirst(insts_);
    f_.block(b).insts.clear();
    f_.block(b).insts.reserve(insts_.size());
    builder_.SetBlock(b);
    std::erase_if(f_.block(b).state, [&](std::pair<ir::StateSlot, Value>& state) {
      auto& [slot, v] = state;
      if (constants_ != nullptr && constants_->Constant(v)) {
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
      } else if (ir::IsPure(f_.inst(i).op)) {
        const Value result = f_.result(i);
        const std::optional<int64_t> c = Known(result);
        const bool is_constant =
            f_.inst(i).op == Opcode::kIconst || f_.inst(i).op == Opcode::kFconst;
        replaced_.Set(
            result, c && !is_constant ? builder_.Constant(f_.type(result), *c) : builder_.Readd(i));
      } else {
        Keep(b, i);
      }
    }
  }

  // Integer constants are made in each block that uses them, see simplify.cc.
  Value Operand(Value v) {
    if (const std::optional<int64_t> c = Known(v); c && ir::IsInteger(f_.type(v))) {
      return builder_.Iconst(f_.type(v), *c);
    }
    v = replaced_.Get(v);
    if (const std::optional<int64_t> c = ir::ConstantOf(f_, v)) {
      return builder_.Iconst(f_.type(v), *c);
    }
    return v;
  }

  std::optional<int64_t> Known(Value v) const {
    return constants_ == nullptr ? std::nullopt : constants_->Constant(v);
  }

  void Keep(Block b, Inst i) {
    if (f_.inst(i).op == Opcode::kTrapIf) {
      const Value cond = f_.args(i)[0];
      const std::optional<bool> known = Truth(cond);
      if (known && !*known) return;
      f_.block(b).insts.push_back(i);
      values_.Learn(cond, false);
      return;
    }
    if (const std::optional<Value> v = memory_.Find(i)) {
      replaced_.Set(f_.result(i), *v);
      return;
    }
    f_.block(b).insts.push_back(i);
    memory_.Execute(i);
  }

  std::optional<bool> Truth(Value cond) const {
    if (const std::optional<int64_t> c = ir::ConstantOf(f_, cond)) return *c != 0;
    return values_.Truth(cond);
  }

  void Terminate(Block b, Inst i) {
    const size_t num_edges = f_.edges(i).size();
    for (size_t e = 0; e < num_edges; ++e) {
      for (size_t k = 0; k < f_.edges(i)[e].args.size(); ++k) {
        const Value v = Operand(f_.edges(i)[e].args[k]);
        f_.mutable_edges(i)[e].args[k] = v;
      }
    }
    const absl::Span<const Edge> edges = f_.edges(i);
    if (f_.inst(i).op == Opcode::kBrIf) {
      if (const std::optional<bool> known = Truth(f_.args(i)[0])) {
        builder_.Br(edges[*known ? 0 : 1]);
        return;
      }
      if (edges[0].target == edges[1].target && edges[0].args == edges[1].args) {
        builder_.Br(edges[0]);
        return;
      }
    }
    if (f_.inst(i).op == Opcode::kBrTable && builder_.ConstantOf(f_.args(i)[0])) {
      builder_.BrTable(f_.args(i)[0], std::vector<Edge>(edges.begin(), edges.end()));
      return;
    }
    f_.block(b).insts.push_back(i);
  }

  Function& f_;
  const ConstantPropagation* const constants_;
  const ir::Cfg& cfg_;
  const ir::Dominators& dominators_;
  ir::ValueTable values_;
  ir::Builder builder_;
  KnownMemory memory_;
  const std::vector<uint64_t> bits_;
  Replacements replaced_;
  std::vector<Inst> insts_;  // what the block had; the next one gets the room
  std::vector<AtEnd> path_;  // the blocks that dominate the current one
};

}  // namespace

void NumberValues(Function& f, const ir::Graphs& graphs, const ConstantPropagation* constants) {
  Numbering(f, graphs, constants).Run();
}

}  // namespace precast::opt
