// Only for human readers: nothing parses this.
#include "compiler/regalloc/problem_text.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace precast::regalloc {
namespace {

std::string RegName(PReg reg) {
  return absl::StrCat(reg.cls == RegClass::kInt ? "r" : "x", static_cast<int>(reg.hw));
}

}  // namespace

std::string ToString(const Location& location) {
  switch (location.kind) {
    case Location::Kind::kNone:
      return "-";
    case Location::Kind::kReg:
      return RegName(location.reg);
    case Location::Kind::kSlot:
      return absl::StrCat("[", location.slot, "]");
  }
  return "?";
}

std::string ToString(const Operand& op) {
  const bool use = op.kind == Operand::Kind::kUse;
  const bool usual = use ? op.pos == Operand::Pos::kEarly : op.pos == Operand::Pos::kLate;
  std::string out = absl::StrCat(usual ? ""
                                 : use ? "late "
                                       : "early ",
                                 use ? "use" : "def", " v", op.vreg);
  switch (op.constraint) {
    case Operand::Constraint::kAny:
      return absl::StrCat(out, " any");
    case Operand::Constraint::kReg:
      return absl::StrCat(out, " reg");
    case Operand::Constraint::kFixed:
      return absl::StrCat(out, " fixed ", RegName(op.fixed));
    case Operand::Constraint::kReuse:
      return absl::StrCat(out, " reuse ", static_cast<int>(op.reuse));
  }
  return out;
}

std::string ToString(const Move& move) {
  return absl::StrCat(move.swap ? "swap " : "move ", move.half ? "half " : "",
                      move.cls == RegClass::kInt ? "int " : "vector ", ToString(move.from),
                      move.swap ? " <-> " : " -> ", ToString(move.to));
}

std::string ToString(const Problem& p, const Solution* solution) {
  std::string out = absl::StrCat("allocatable ", absl::Hex(p.allocatable), "\n");
  if (!p.vreg_wide.empty()) {
    absl::StrAppend(&out, "wide");
    for (VReg v = 0; v < p.vreg_wide.size(); ++v) {
      if (p.vreg_wide[v]) absl::StrAppend(&out, " v", v);
    }
    absl::StrAppend(&out, "\n");
  }
  size_t move = 0;
  size_t tracked = 0;
  for (size_t b = 0; b < p.blocks.size(); ++b) {
    const Block& block = p.blocks[b];
    absl::StrAppend(&out, "block", b, "(");
    for (uint32_t k = 0; k < block.params_count; ++k) {
      absl::StrAppend(&out, k ? ", v" : "v", p.block_params[block.params_begin + k]);
    }
    absl::StrAppend(&out, ") frequency ", block.frequency, ", preds");
    for (uint32_t k = 0; k < block.preds_count; ++k) {
      absl::StrAppend(&out, " ", p.pred_blocks[block.preds_begin + k]);
    }
    absl::StrAppend(&out, "\n");
    for (InstIndex i = block.begin; i < block.end; ++i) {
      for (; solution && move < solution->moves.size() && solution->moves[move].before <= i;
           ++move) {
        absl::StrAppend(&out, "          ", ToString(solution->moves[move]), "\n");
      }
      for (; tracked < p.tracked.size() && p.tracked[tracked].from <= i; ++tracked) {
        const TrackedRange& t = p.tracked[tracked];
        absl::StrAppend(&out, "          tracked ", static_cast<int>(t.label), " = v", t.vreg,
                        " in ", t.from, "..", t.to, "\n");
      }
      const Inst& inst = p.insts[i];
      absl::StrAppend(&out, "  ", i, ": ", inst.is_move ? "(move) " : "");
      for (uint32_t k = 0; k < inst.operands_count; ++k) {
        const uint32_t index = inst.operands_begin + k;
        absl::StrAppend(&out, k ? ", " : "", ToString(p.operands[index]));
        if (solution) absl::StrAppend(&out, " @", ToString(solution->operands[index]));
      }
      if (inst.clobbers) absl::StrAppend(&out, " clobbers ", absl::Hex(inst.clobbers));
      absl::StrAppend(&out, "\n");
    }
    for (uint32_t e = 0; e < block.succs_count; ++e) {
      const Edge& edge = p.edges[block.succs_begin + e];
      absl::StrAppend(&out, "    -> block", edge.target, "(");
      for (uint32_t k = 0; k < edge.args_count; ++k) {
        absl::StrAppend(&out, k ? ", v" : "v", p.edge_args[edge.args_begin + k]);
      }
      absl::StrAppend(&out, ")\n");
    }
  }
  if (solution) {
    for (const TrackedLocation& t : solution->tracked) {
      absl::StrAppend(&out, "tracked ", static_cast<int>(t.label), " = v", t.vreg, " in ", t.from,
                      "..", t.to, " @", ToString(t.location), "\n");
    }
  }
  return out;
}

}  // namespace precast::regalloc
