// Backtracking over a handful of operands.
#include "compiler/regalloc/matching.h"

#include <vector>

#include "absl/log/check.h"

namespace precast::regalloc {
namespace {

// A register needed at the early point, the late point, or both.
struct Demand {
  std::vector<uint32_t> operands;  // indexes into Problem::operands
  RegClass cls;
  bool early, late;
};

bool Solve(const std::vector<Demand>& demands, size_t k, PRegSet allocatable, PRegSet early,
           PRegSet late, std::vector<PReg>& chosen) {
  if (k == demands.size()) return true;
  const Demand& d = demands[k];
  for (uint8_t hw = 0; hw < 16; ++hw) {
    const PReg reg{d.cls, hw};
    const PRegSet bit = Bit(reg);
    if (!(allocatable & bit) || (d.early && (early & bit)) || (d.late && (late & bit))) continue;
    chosen[k] = reg;
    if (Solve(demands, k + 1, allocatable, d.early ? early | bit : early,
              d.late ? late | bit : late, chosen)) {
      return true;
    }
  }
  return false;
}

}  // namespace

void FixOperands(Problem& p, InstIndex i) {
  const Inst& inst = p.insts[i];
  PRegSet early = 0;
  PRegSet late = inst.clobbers;
  // Those needed at both points have the least choice: first.
  std::vector<Demand> both;
  std::vector<Demand> one;
  std::vector<bool> reused(inst.operands_count, false);
  for (uint32_t k = 0; k < inst.operands_count; ++k) {
    const Operand& op = p.operands[inst.operands_begin + k];
    if (op.constraint == Operand::Constraint::kReuse) reused[op.reuse] = true;
  }
  for (uint32_t k = 0; k < inst.operands_count; ++k) {
    const uint32_t index = inst.operands_begin + k;
    const Operand& op = p.operands[index];
    const bool use = op.kind == Operand::Kind::kUse;
    const bool needs_early = use || op.pos == Operand::Pos::kEarly;
    const bool needs_late = !use || op.pos == Operand::Pos::kLate;
    const RegClass cls = p.vreg_class[op.vreg];
    if (op.constraint == Operand::Constraint::kFixed) {
      if (needs_early) early |= Bit(op.fixed);
      if (needs_late) late |= Bit(op.fixed);
    } else if (op.constraint == Operand::Constraint::kReuse) {
      both.push_back({{index, inst.operands_begin + op.reuse}, cls, true, true});
    } else if (!reused[k] &&
               (op.constraint == Operand::Constraint::kReg || (inst.is_move && !use))) {
      std::vector<Demand>& list = needs_early && needs_late ? both : one;
      bool shared = false;
      for (Demand& d : list) {
        const Operand& other = p.operands[d.operands[0]];
        if (use && other.kind == Operand::Kind::kUse && other.vreg == op.vreg &&
            other.pos == op.pos) {
          d.operands.push_back(index);
          shared = true;
          break;
        }
      }
      if (!shared) list.push_back({{index}, cls, needs_early, needs_late});
    }
  }
  std::vector<Demand> demands = std::move(both);
  demands.insert(demands.end(), one.begin(), one.end());
  std::vector<PReg> chosen(demands.size());
  CHECK(Solve(demands, 0, p.allocatable, early, late, chosen))
      << "instruction " << i << " asks for more registers than there are";
  for (size_t k = 0; k < demands.size(); ++k) {
    for (uint32_t index : demands[k].operands) {
      p.operands[index].constraint = Operand::Constraint::kFixed;
      p.operands[index].fixed = chosen[k];
    }
  }
}

}  // namespace precast::regalloc
