// See fold_addresses.h.
#include "compiler/opt/fold_addresses.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/ir/cfg.h"
#include "compiler/ir/fold.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Value;

constexpr uint32_t kNone = 0xffffffffu;
// So many accesses to one root are looked at.
constexpr int kMaxSteps = 8;
constexpr uint32_t kMaxDistance = static_cast<uint32_t>((uint64_t{1} << 32) - kMaxMemory);

class Pass {
 public:
  explicit Pass(ir::Function& f) : f_(f), known_of_(f.num_values(), kNone) {}

  void Run(const ir::Graphs& graphs) {
    const ir::Cfg& cfg = graphs.cfg(f_);
    const ir::Dominators& dominators = graphs.dominators(f_);
    struct Scope {
      Block block;
      size_t known;
    };
    std::vector<Scope> scopes;
    for (Block b : dominators.preorder()) {
      while (!scopes.empty() && !dominators.Dominates(scopes.back().block, b)) {
        Forget(scopes.back().known);
        scopes.pop_back();
      }
      scopes.push_back({b, known_.size()});
      for (Inst i : f_.block(b).insts) {
        const Opcode op = f_.inst(i).op;
        if (op == Opcode::kLoad || op == Opcode::kStore) Access(i);
      }
    }
    Apply(cfg);
  }

  // Whether there may be anything to do, at a glance: several sums with one root are accessed.
  bool MayFold() {
    std::vector<uint32_t> first(f_.num_values(), kNone);  // by root: an address
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      for (Inst i : f_.block(Block(n)).insts) {
        const Opcode op = f_.inst(i).op;
        if (op != Opcode::kLoad && op != Opcode::kStore) continue;
        uint32_t root, displacement;
        const Value address = f_.args(i)[0];
        Split(address, root, displacement);
        if (first[root] == kNone) first[root] = address.index;
        if (first[root] != address.index) return true;
      }
    }
    return false;
  }

 private:
  // value = root + displacement has been accessed.
  struct Known {
    uint32_t root;
    uint32_t displacement;
    Value value;
    uint32_t previous;  // of the same root
  };
  struct Fold {
    Inst inst;
    Value from;
    Value to;
    uint32_t distance;
  };

  void Forget(size_t keep) {
    for (; known_.size() > keep; known_.pop_back())
      known_of_[known_.back().root] = known_.back().previous;
  }

  // Sets `root` and `displacement` so that v is their sum.
  void Split(Value v, uint32_t& root, uint32_t& displacement) const {
    root = v.index;
    displacement = 0;
    const ir::ValueData& data = f_.value(v);
    if (data.is_param || f_.inst(Inst(data.def)).op != Opcode::kAdd) return;
    const std::optional<int64_t> constant = ir::ConstantOf(f_, f_.args(Inst(data.def))[1]);
    if (!constant.has_value()) return;
    root = f_.args(Inst(data.def))[0].index;
    displacement = static_cast<uint32_t>(*constant);
  }

  void Access(Inst i) {
    const Value address = f_.args(i)[0];
    if (f_.type(address) != ir::Type::kI32) return;
    uint32_t root, displacement;
    Split(address, root, displacement);
    int steps = 0;
    for (uint32_t k = known_of_[root]; k != kNone && steps < kMaxSteps;
         k = known_[k].previous, ++steps) {
      if (known_[k].value == address) return;
      const uint32_t distance = displacement - known_[k].displacement;
      if (distance > 0 && distance <= kMaxDistance && f_.inst(i).imm <= INT32_MAX - distance) {
        folds_.push_back({i, address, known_[k].value, distance});
        return;
      }
    }
    known_.push_back({root, displacement, address, known_of_[root]});
    known_of_[root] = static_cast<uint32_t>(known_.size() - 1);
  }

  // An addition that is needed anyway is as good an address.
  void Apply(const ir::Cfg& cfg) {
    if (folds_.empty()) return;
    std::vector<uint32_t> other_uses(f_.num_values(), 0);
    for (Block b : cfg.order()) {
      for (Inst i : f_.block(b).insts) {
        for (Value v : f_.args(i)) ++other_uses[v.index];
        for (const ir::Edge& edge : f_.edges(i)) {
          for (Value v : edge.args) ++other_uses[v.index];
        }
      }
    }
    for (const Fold& fold : folds_) --other_uses[fold.from.index];
    for (const Fold& fold : folds_) {
      if (other_uses[fold.from.index] != 0) continue;
      f_.mutable_args(fold.inst)[0] = fold.to;
      f_.inst(fold.inst).imm += fold.distance;
      InstData& sum = f_.inst(Inst(f_.value(fold.from).def));
      if (sum.op == Opcode::kIconst) continue;
      sum.op = Opcode::kIconst;
      sum.imm = 0;
      sum.args_count = 0;
    }
  }

  ir::Function& f_;
  std::vector<uint32_t> known_of_;  // by root: the last of its accesses
  std::vector<Known> known_;
  std::vector<Fold> folds_;
};

}  // namespace

void FoldAddresses(ir::Function& f, const ir::Graphs& graphs) {
  Pass pass(f);
  if (pass.MayFold()) pass.Run(graphs);
}

}  // namespace precast::opt
