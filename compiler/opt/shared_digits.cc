// See shared_digits.h.
#include "compiler/opt/shared_digits.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"
#include "compiler/opt/quotient_digit.h"
#include "compiler/opt/repair_values.h"
#include "compiler/opt/rewrite.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Edge;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Value;

// Instructions that are copied.
constexpr size_t kMaxInsts = 16;

class Separation {
 public:
  explicit Separation(Function& f) : f_(f), builder_(f) {}

  void Run(const ir::Cfg& cfg) {
    std::vector<Block> shared;
    for (Block b : cfg.order()) {
      if (IsShared(b, cfg)) shared.push_back(b);
    }
    if (shared.empty()) return;
    ValueRepair repair(f_);
    for (Block b : shared) Copy(b, cfg.predecessors(b)[1], repair);
    repair.Run();
    // What remains of such a block is the end of its other predecessor.
    Replacements passed(f_.num_values());
    const auto keep = std::make_unique<bool[]>(f_.num_blocks());
    std::fill_n(keep.get(), f_.num_blocks(), true);
    for (Block b : shared) {
      const Block p = cfg.predecessors(b)[0];
      const Edge& edge = f_.edges(f_.terminator(p))[0];
      for (size_t k = 0; k < edge.args.size(); ++k) passed.Set(f_.block(b).params[k], edge.args[k]);
      std::vector<Inst>& insts = f_.block(p).insts;
      insts.pop_back();
      insts.insert(insts.end(), f_.block(b).insts.begin(), f_.block(b).insts.end());
      keep[b.index] = false;
    }
    passed.Apply(f_);
    f_.RetainBlocks(absl::MakeConstSpan(keep.get(), f_.num_blocks()));
  }

 private:
  const InstData* Def(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? nullptr : &f_.inst(Inst(data.def));
  }

  bool IsShared(Block b, const ir::Cfg& cfg) const {
    if (cfg.predecessors(b).size() != 2 || cfg.predecessors(b)[0] == cfg.predecessors(b)[1]) {
      return false;
    }
    const std::vector<Inst>& insts = f_.block(b).insts;
    if (insts.size() > kMaxInsts || f_.inst(insts.back()).op != Opcode::kBrIf) return false;
    const Value condition = f_.args(insts.back())[0];
    const InstData* compared = Def(condition);
    if (compared == nullptr || compared->op != Opcode::kIcmp) return false;
    const absl::Span<const Value> args = f_.args(Inst(f_.value(condition).def));
    if (!IsShared(args[0], b, cfg) && !IsShared(args[1], b, cfg)) return false;
    for (Inst i : insts) {
      const InstData& d = f_.inst(i);
      const bool copied = d.op == Opcode::kCharge || d.op == Opcode::kStoreState ||
                          d.op == Opcode::kDeferState || d.op == Opcode::kIconst ||
                          d.op == Opcode::kIcmp || ir::IsUnary(d.op) ||
                          (ir::IsBinary(d.op) && !ir::IsDivision(d.op));
      if (i != insts.back() && !copied) return false;
    }
    for (Block e : f_.entries()) {
      if (e == b) return false;
    }
    return true;
  }
  // Whether `v` is a parameter of `b`, and all that is passed for it are products of digits.
  bool IsShared(Value v, Block b, const ir::Cfg& cfg) const {
    const ir::ValueData& data = f_.value(v);
    if (!data.is_param || Block(data.def) != b) return false;
    for (Block p : cfg.predecessors(b)) {
      const Inst last = f_.terminator(p);
      if (f_.inst(last).op != Opcode::kBr ||
          !IsProductOfQuotient(f_, f_.edges(last)[0].args[data.index])) {
        return false;
      }
    }
    return true;
  }

  // Instead of passing to `b`, `p` does what it does.
  void Copy(Block b, Block p, ValueRepair& repair) {
    const Edge edge = f_.edges(f_.terminator(p))[0];
    f_.block(p).insts.pop_back();
    builder_.SetBlock(p);
    absl::flat_hash_map<uint32_t, Value> made;
    const auto define = [&](Value v, Value copy) {
      made[v.index] = copy;
      repair.Add(b, v, p, copy);
    };
    const auto copied = [&](Value v) {
      const auto found = made.find(v.index);
      return found == made.end() ? v : found->second;
    };
    for (size_t k = 0; k < edge.args.size(); ++k) define(f_.block(b).params[k], edge.args[k]);
    const std::vector<Inst> insts = f_.block(b).insts;
    for (Inst i : insts) {
      const InstData d = f_.inst(i);
      std::vector<Value> args;
      for (Value v : f_.args(i)) args.push_back(copied(v));
      if (d.op == Opcode::kCharge) {
        builder_.Charge(d.imm);
      } else if (d.op == Opcode::kStoreState) {
        builder_.StoreState(d.aux, args[0]);
      } else if (d.op == Opcode::kIconst) {
        define(f_.result(i), builder_.Iconst(d.type, d.imm));
      } else if (d.op == Opcode::kIcmp) {
        define(f_.result(i), builder_.Icmp(static_cast<ir::IntCond>(d.aux), args[0], args[1]));
      } else if (ir::IsUnary(d.op)) {
        define(f_.result(i), builder_.Unary(d.op, args[0]));
      } else if (ir::IsBinary(d.op)) {
        define(f_.result(i), builder_.Binary(d.op, args[0], args[1]));
      } else if (d.op == Opcode::kBrIf) {
        std::vector<Edge> edges;
        for (const Edge& out : f_.edges(i)) {
          edges.push_back({out.target, {}});
          for (Value v : out.args) edges.back().args.push_back(copied(v));
        }
        builder_.BrIf(args[0], std::move(edges[0]), std::move(edges[1]), d.cold);
      }
    }
  }

  Function& f_;
  ir::Builder builder_;
};

}  // namespace

void SeparateDigits(Function& f, const ir::Graphs& graphs) { Separation(f).Run(graphs.cfg(f)); }

}  // namespace precast::opt
