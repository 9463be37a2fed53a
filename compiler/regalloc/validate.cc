// Straightforward checks; dominance by the iterative algorithm of Cooper, Harvey and Kennedy.
#include "compiler/regalloc/validate.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/regalloc/problem_text.h"

namespace precast::regalloc {
namespace {

constexpr uint32_t kNone = ~uint32_t{0};

template <typename... Args>
absl::Status Fault(const Args&... args) {
  return absl::InvalidArgumentError(absl::StrCat(args...));
}

bool InBounds(uint64_t begin, uint64_t count, size_t size) { return begin + count <= size; }

class Validator {
 public:
  explicit Validator(const Problem& p) : p_(p) {}

  absl::Status Run() {
    for (auto step : {&Validator::CheckBounds, &Validator::CheckEdges, &Validator::CheckDefs,
                      &Validator::ComputeDominators, &Validator::CheckInsts, &Validator::CheckUses,
                      &Validator::CheckTracked}) {
      if (absl::Status status = (this->*step)(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status CheckBounds() {
    const size_t num_vregs = p_.vreg_class.size();
    InstIndex next = 0;
    for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
      const Block& block = p_.blocks[b];
      if (block.begin != next || block.end <= block.begin || block.end > p_.insts.size()) {
        return Fault("block ", b, ": instructions [", block.begin, ", ", block.end,
                     ") where a block begins at ", next, " and there are ", p_.insts.size());
      }
      next = block.end;
      if (!InBounds(block.params_begin, block.params_count, p_.block_params.size()) ||
          !InBounds(block.succs_begin, block.succs_count, p_.edges.size()) ||
          !InBounds(block.preds_begin, block.preds_count, p_.pred_blocks.size())) {
        return Fault("block ", b, ": parameters, edges or predecessors out of bounds");
      }
    }
    if (next != p_.insts.size()) {
      return Fault("blocks end at instruction ", next, " of ", p_.insts.size());
    }
    for (const Inst& inst : p_.insts) {
      if (!InBounds(inst.operands_begin, inst.operands_count, p_.operands.size())) {
        return Fault("instruction ", &inst - p_.insts.data(), ": operands out of bounds");
      }
    }
    for (const Operand& op : p_.operands) {
      if (op.vreg >= num_vregs) return Fault("operand ", ToString(op), ": no such vreg");
    }
    for (const std::vector<VReg>* list : {&p_.block_params, &p_.edge_args}) {
      for (VReg v : *list) {
        if (v >= num_vregs) return Fault("parameter or argument v", v, ": no such vreg");
      }
    }
    for (BlockIndex b : p_.pred_blocks) {
      if (b >= p_.blocks.size()) return Fault("predecessor ", b, ": no such block");
    }
    for (const Edge& edge : p_.edges) {
      if (edge.target >= p_.blocks.size()) return Fault("edge to ", edge.target, ": no such block");
      if (!InBounds(edge.args_begin, edge.args_count, p_.edge_args.size())) {
        return Fault("edge to ", edge.target, ": arguments out of bounds");
      }
    }
    if (p_.vector_scratch.cls != RegClass::kVector || (p_.allocatable & Bit(p_.vector_scratch))) {
      return Fault("vector_scratch is not a vector register outside allocatable");
    }
    return absl::OkStatus();
  }

  absl::Status CheckEdges() {
    std::vector<std::pair<BlockIndex, BlockIndex>> forward;
    std::vector<std::pair<BlockIndex, BlockIndex>> backward;
    for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
      const Block& block = p_.blocks[b];
      if (block.preds_count == 0 && block.params_count != 0) {
        return Fault("block ", b, ": entry with parameters");
      }
      for (uint32_t k = 0; k < block.preds_count; ++k) {
        backward.emplace_back(p_.pred_blocks[block.preds_begin + k], b);
      }
      for (uint32_t e = 0; e < block.succs_count; ++e) {
        const Edge& edge = p_.edges[block.succs_begin + e];
        const Block& target = p_.blocks[edge.target];
        forward.emplace_back(b, edge.target);
        if (edge.args_count != target.params_count) {
          return Fault("edge ", b, " -> ", edge.target, ": ", edge.args_count, " arguments for ",
                       target.params_count, " parameters");
        }
        for (uint32_t k = 0; k < edge.args_count; ++k) {
          const VReg arg = p_.edge_args[edge.args_begin + k];
          const VReg param = p_.block_params[target.params_begin + k];
          if (p_.vreg_class[arg] != p_.vreg_class[param]) {
            return Fault("edge ", b, " -> ", edge.target, ": v", arg, " and v", param,
                         " differ in class");
          }
        }
        if (target.preds_count == 1) continue;
        if (block.succs_count > 1) return Fault("edge ", b, " -> ", edge.target, " is critical");
        const Inst& terminator = p_.insts[block.end - 1];
        if (terminator.operands_count != 0 || terminator.clobbers != 0) {
          return Fault("block ", b, ": edge moves go before the terminator, which must therefore ",
                       "have no operands and no clobbers");
        }
      }
    }
    std::sort(forward.begin(), forward.end());
    std::sort(backward.begin(), backward.end());
    if (forward != backward) return Fault("edges and pred_blocks disagree");
    return absl::OkStatus();
  }

  absl::Status CheckDefs() {
    def_block_.assign(p_.vreg_class.size(), kNone);
    def_inst_.assign(p_.vreg_class.size(), kNone);
    for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
      const Block& block = p_.blocks[b];
      for (uint32_t k = 0; k < block.params_count; ++k) {
        const VReg v = p_.block_params[block.params_begin + k];
        if (def_block_[v] != kNone) return Fault("v", v, ": defined twice");
        def_block_[v] = b;
      }
      for (InstIndex i = block.begin; i < block.end; ++i) {
        for (uint32_t k = 0; k < p_.insts[i].operands_count; ++k) {
          const Operand& op = p_.operands[p_.insts[i].operands_begin + k];
          if (op.kind != Operand::Kind::kDef) continue;
          if (def_block_[op.vreg] != kNone) return Fault("v", op.vreg, ": defined twice");
          def_block_[op.vreg] = b;
          def_inst_[op.vreg] = i;
        }
      }
    }
    return absl::OkStatus();
  }

  // Immediate dominators; entries hang below a virtual root, number blocks.size().
  absl::Status ComputeDominators() {
    const BlockIndex root = static_cast<BlockIndex>(p_.blocks.size());
    std::vector<BlockIndex> order;  // postorder
    number_.assign(root + 1, kNone);
    std::vector<std::pair<BlockIndex, uint32_t>> stack;
    std::vector<bool> seen(root, false);
    for (BlockIndex entry = 0; entry < root; ++entry) {
      if (p_.blocks[entry].preds_count != 0) continue;
      seen[entry] = true;
      stack.emplace_back(entry, 0);
      while (!stack.empty()) {
        auto& [b, e] = stack.back();
        if (e == p_.blocks[b].succs_count) {
          number_[b] = static_cast<uint32_t>(order.size());
          order.push_back(b);
          stack.pop_back();
          continue;
        }
        const BlockIndex target = p_.edges[p_.blocks[b].succs_begin + e++].target;
        if (seen[target]) continue;
        seen[target] = true;
        stack.emplace_back(target, 0);
      }
    }
    number_[root] = static_cast<uint32_t>(order.size());
    idom_.assign(root + 1, kNone);
    idom_[root] = root;
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t k = order.size(); k-- > 0;) {
        const BlockIndex b = order[k];
        const Block& block = p_.blocks[b];
        BlockIndex dominator = block.preds_count == 0 ? root : kNone;
        for (uint32_t e = 0; e < block.preds_count; ++e) {
          const BlockIndex pred = p_.pred_blocks[block.preds_begin + e];
          if (idom_[pred] == kNone) continue;
          dominator = dominator == kNone ? pred : Common(dominator, pred);
        }
        if (idom_[b] != dominator) {
          idom_[b] = dominator;
          changed = true;
        }
      }
    }
    for (BlockIndex b = 0; b < root; ++b) {
      if (idom_[b] == kNone) return Fault("block ", b, ": unreachable");
    }
    // Preorder numbers of the dominator tree make the dominance test constant time.
    std::vector<std::vector<BlockIndex>> children(root + 1);
    for (BlockIndex b = 0; b < root; ++b) children[idom_[b]].push_back(b);
    enter_.assign(root + 1, 0);
    leave_.assign(root + 1, 0);
    uint32_t clock = 0;
    stack.assign(1, {root, 0});
    while (!stack.empty()) {
      auto& [b, k] = stack.back();
      if (k == 0) enter_[b] = clock++;
      if (k == children[b].size()) {
        leave_[b] = clock;
        stack.pop_back();
        continue;
      }
      const BlockIndex child = children[b][k++];
      stack.emplace_back(child, 0);
    }
    return absl::OkStatus();
  }

  BlockIndex Common(BlockIndex a, BlockIndex b) const {
    while (a != b) {
      while (number_[a] < number_[b]) a = idom_[a];
      while (number_[b] < number_[a]) b = idom_[b];
    }
    return a;
  }

  // Is v defined before instruction i of block b begins?
  bool Available(VReg v, BlockIndex b, InstIndex i) const {
    const BlockIndex def = def_block_[v];
    if (def == kNone) return false;
    if (def == b) return def_inst_[v] == kNone || def_inst_[v] < i;
    return enter_[def] <= enter_[b] && leave_[b] <= leave_[def];
  }

  absl::Status CheckInst(InstIndex i) const {
    const Inst& inst = p_.insts[i];
    const auto ops = p_.operands.begin() + inst.operands_begin;
    if (inst.is_move && (inst.operands_count != 2 || ops[0].kind != Operand::Kind::kUse ||
                         ops[1].kind != Operand::Kind::kDef ||
                         p_.vreg_class[ops[0].vreg] != p_.vreg_class[ops[1].vreg])) {
      return Fault("instruction ", i, ": a move has one use and one definition of a class");
    }
    std::vector<int> reuses(inst.operands_count, 0);
    for (uint32_t k = 0; k < inst.operands_count; ++k) {
      const Operand& op = ops[k];
      const bool use = op.kind == Operand::Kind::kUse;
      auto fault = [&](const char* what) {
        return Fault("instruction ", i, " operand ", k, " (", ToString(op), "): ", what);
      };
      if (op.constraint == Operand::Constraint::kReuse) {
        if (use || op.pos != Operand::Pos::kLate) return fault("only a late definition reuses");
        if (op.reuse >= inst.operands_count) return fault("no such operand to reuse");
        const Operand& input = ops[op.reuse];
        if (input.kind != Operand::Kind::kUse || input.pos != Operand::Pos::kEarly ||
            input.constraint != Operand::Constraint::kReg) {
          return fault("reuses something else than an early register use");
        }
        if (p_.vreg_class[input.vreg] != p_.vreg_class[op.vreg])
          return fault("reuses another class");
        if (++reuses[op.reuse] > 1) return fault("input is reused twice");
      }
      if (op.constraint == Operand::Constraint::kFixed) {
        if (op.fixed.hw >= 16 || op.fixed.cls != p_.vreg_class[op.vreg]) {
          return fault("fixed to a register of another class");
        }
        const bool late_use = use && op.pos == Operand::Pos::kLate;
        if (late_use && (inst.clobbers & Bit(op.fixed))) return fault("late use is clobbered");
        for (uint32_t j = 0; j < k; ++j) {
          const Operand& other = ops[j];
          if (other.constraint != Operand::Constraint::kFixed || !(other.fixed == op.fixed))
            continue;
          if (use && other.kind == Operand::Kind::kUse) {
            if (other.vreg != op.vreg) return fault("two values fixed to one register");
          } else if (use == (other.kind == Operand::Kind::kUse)) {
            return fault("two definitions fixed to one register");
          } else {
            const Operand& def = use ? other : op;
            const Operand& read = use ? op : other;
            if (def.pos == Operand::Pos::kEarly || read.pos == Operand::Pos::kLate) {
              return fault("definition and use are fixed to one register at one time");
            }
          }
        }
      }
      if (!use) {
        for (uint32_t j = 0; j < inst.operands_count; ++j) {
          if (ops[j].kind == Operand::Kind::kUse && ops[j].vreg == op.vreg) {
            return fault("is used by the instruction that defines it");
          }
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckInsts() {
    for (InstIndex i = 0; i < p_.insts.size(); ++i) {
      if (absl::Status status = CheckInst(i); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status CheckUse(VReg v, BlockIndex b, InstIndex i, const char* what) const {
    if (!Available(v, b, i)) {
      return Fault("instruction ", i, " in block ", b, ": ", what, " of v", v,
                   ", which is not defined on every path to it");
    }
    const BlockIndex def = def_block_[v];
    if (def_inst_[v] != kNone && def_inst_[v] + 1 == p_.blocks[def].end) {
      return Fault("instruction ", i, ": ", what, " of v", v, ", which a terminator defines");
    }
    return absl::OkStatus();
  }

  absl::Status CheckUses() {
    for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
      const Block& block = p_.blocks[b];
      for (InstIndex i = block.begin; i < block.end; ++i) {
        for (uint32_t k = 0; k < p_.insts[i].operands_count; ++k) {
          const Operand& op = p_.operands[p_.insts[i].operands_begin + k];
          if (op.kind != Operand::Kind::kUse) continue;
          if (absl::Status status = CheckUse(op.vreg, b, i, "use"); !status.ok()) return status;
        }
      }
      for (uint32_t e = 0; e < block.succs_count; ++e) {
        const Edge& edge = p_.edges[block.succs_begin + e];
        for (uint32_t k = 0; k < edge.args_count; ++k) {
          const VReg v = p_.edge_args[edge.args_begin + k];
          if (absl::Status status = CheckUse(v, b, block.end, "edge argument"); !status.ok()) {
            return status;
          }
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckTracked() {
    BlockIndex b = 0;
    InstIndex last = 0;
    for (const TrackedRange& t : p_.tracked) {
      if (t.vreg >= p_.vreg_class.size() || t.from < last || t.to < t.from ||
          t.to >= p_.insts.size()) {
        return Fault("tracked range v", t.vreg, " ", t.from, "..", t.to,
                     ": out of bounds or out of order");
      }
      last = t.from;
      while (p_.blocks[b].end <= t.from) ++b;
      if (t.to >= p_.blocks[b].end) {
        return Fault("tracked range v", t.vreg, " ", t.from, "..", t.to, ": leaves block ", b);
      }
      if (absl::Status status = CheckUse(t.vreg, b, t.from, "tracking"); !status.ok())
        return status;
    }
    return absl::OkStatus();
  }

  const Problem& p_;
  std::vector<BlockIndex> def_block_;
  std::vector<InstIndex> def_inst_;  // kNone for block parameters
  std::vector<BlockIndex> idom_;
  std::vector<uint32_t> number_;  // postorder
  std::vector<uint32_t> enter_, leave_;
};

}  // namespace

absl::Status ValidateProblem(const Problem& problem) { return Validator(problem).Run(); }

}  // namespace precast::regalloc
