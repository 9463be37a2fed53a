// The allocated program executed beside the one with virtual registers.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "compiler/regalloc/problem_text.h"
#include "compiler/regalloc/random_problem.h"

namespace precast::regalloc {
namespace {

constexpr uint64_t kLowerHalf = 0xffffffff;

uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t x = a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2));
  x ^= x >> 31;
  x *= 0xbf58476d1ce4e5b9u;
  return x ^ (x >> 29);
}

class Simulator {
 public:
  Simulator(const Problem& p, const Solution& s, uint64_t seed)
      : p_(p),
        s_(s),
        noise_(seed),
        value_(p.vreg_class.size(), 0),
        place_(32 + size_t{s.num_int_slots} + s.num_vector_slots, 0) {}

  absl::Status Run(BlockIndex b, int steps) {
    while (steps > 0) {
      const Block& block = p_.blocks[b];
      uint64_t digest = 0;
      for (InstIndex i = block.begin; i < block.end; ++i, --steps) {
        DoMoves(i);
        if (absl::Status status = CheckTracked(block, i); !status.ok()) return status;
        if (absl::Status status = Step(i, digest); !status.ok()) return status;
      }
      if (block.succs_count == 0) break;
      noise_ = Mix(noise_, digest);
      const Edge& edge = p_.edges[block.succs_begin + noise_ % block.succs_count];
      const Block& target = p_.blocks[edge.target];
      std::vector<uint64_t> args;
      for (uint32_t k = 0; k < edge.args_count; ++k) {
        args.push_back(value_[p_.edge_args[edge.args_begin + k]]);
      }
      for (uint32_t k = 0; k < edge.args_count; ++k) {
        value_[p_.block_params[target.params_begin + k]] = args[k];
      }
      b = edge.target;
    }
    return absl::OkStatus();
  }

 private:
  uint64_t& At(const Location& location, RegClass cls) {
    const bool vector = cls == RegClass::kVector;
    if (location.kind == Location::Kind::kReg) return place_[location.reg.hw + (vector ? 16 : 0)];
    return place_[32 + location.slot + (vector ? s_.num_int_slots : 0)];
  }

  // A spill slot of 4 bytes.
  bool IsNarrow(const Location& location, RegClass cls) const {
    return cls == RegClass::kInt && location.kind == Location::Kind::kSlot &&
           !s_.int_slot_wide[location.slot];
  }

  void DoMoves(InstIndex i) {
    auto move = std::lower_bound(s_.moves.begin(), s_.moves.end(), i,
                                 [](const Move& m, InstIndex at) { return m.before < at; });
    for (; move != s_.moves.end() && move->before == i; ++move) {
      uint64_t& from = At(move->from, move->cls);
      uint64_t& to = At(move->to, move->cls);
      const bool half = move->half && move->cls == RegClass::kInt &&
                        move->from.kind == Location::Kind::kReg &&
                        move->to.kind == Location::Kind::kReg;
      if (move->swap) {
        std::swap(from, to);
        if (half) from &= kLowerHalf;
      } else {
        to = from;
      }
      if (half) to &= kLowerHalf;
      if (move->swap) continue;
      if (IsNarrow(move->to, move->cls)) to &= kLowerHalf;
      if (move->from.kind == Location::Kind::kSlot && move->to.kind == Location::Kind::kSlot) {
        place_[16 + p_.vector_scratch.hw] = noise_ = Mix(noise_, i);
      }
    }
  }

  absl::Status CheckTracked(const Block& block, InstIndex i) {
    if (i + 1 == block.end && block.succs_count == 1) return absl::OkStatus();
    const auto end =
        std::upper_bound(s_.tracked.begin(), s_.tracked.end(), i,
                         [](InstIndex at, const TrackedLocation& t) { return at < t.from; });
    for (auto t = end; t != s_.tracked.begin();) {
      --t;
      if (t->from < block.begin) break;
      if (t->to < i) continue;
      if (At(t->location, p_.vreg_class[t->vreg]) != value_[t->vreg]) {
        return absl::InternalError(absl::StrCat("instruction ", i, ": tracked v", t->vreg,
                                                " is not in ", ToString(t->location)));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Step(InstIndex i, uint64_t& digest) {
    const Inst& inst = p_.insts[i];
    auto for_each = [&](auto&& visit) {
      for (uint32_t k = 0; k < inst.operands_count; ++k) {
        const Operand& op = p_.operands[inst.operands_begin + k];
        const Location& location = s_.operands[inst.operands_begin + k];
        uint64_t& place = At(location, p_.vreg_class[op.vreg]);
        visit(op, place);
        if (IsNarrow(location, p_.vreg_class[op.vreg])) place &= kLowerHalf;
      }
    };
    digest = Mix(i, noise_);
    absl::Status status;
    auto read = [&](const Operand& op, uint64_t found) {
      if (found != value_[op.vreg]) {
        status = absl::InternalError(
            absl::StrCat("instruction ", i, " reads a wrong value for v", op.vreg));
      }
      digest = Mix(digest, found);
    };
    for_each([&](const Operand& op, uint64_t& place) {
      if (op.kind == Operand::Kind::kUse) read(op, place);
    });
    uint64_t salt = digest;
    auto write = [&](const Operand& op, uint64_t& place) {
      salt = Mix(salt, op.vreg);
      uint64_t value = inst.is_move ? value_[p_.operands[inst.operands_begin].vreg] : salt;
      if (p_.vreg_class[op.vreg] == RegClass::kInt && !IsWide(p_, op.vreg)) value &= kLowerHalf;
      place = value_[op.vreg] = value;
    };
    for_each([&](const Operand& op, uint64_t& place) {
      if (op.kind == Operand::Kind::kDef && op.pos == Operand::Pos::kEarly) write(op, place);
    });
    for_each([&](const Operand& op, uint64_t& place) {
      if (op.kind == Operand::Kind::kUse && op.pos == Operand::Pos::kLate) read(op, place);
      // A temporary has to last to the end as well.
      if (op.kind == Operand::Kind::kDef && op.pos == Operand::Pos::kEarly) read(op, place);
    });
    for (uint32_t r = 0; r < 32; ++r) {
      if (inst.clobbers >> r & 1) place_[r] = noise_ = Mix(noise_, r);
    }
    for_each([&](const Operand& op, uint64_t& place) {
      if (op.kind == Operand::Kind::kDef && op.pos == Operand::Pos::kLate) write(op, place);
    });
    return status;
  }

  const Problem& p_;
  const Solution& s_;
  uint64_t noise_;
  std::vector<uint64_t> value_;  // by vreg
  std::vector<uint64_t> place_;  // registers, int slots, vector slots
};

}  // namespace

absl::Status Simulate(const Problem& problem, const Solution& solution, uint64_t seed,
                      int max_steps) {
  for (BlockIndex b = 0; b < problem.blocks.size(); ++b) {
    if (problem.blocks[b].preds_count != 0) continue;
    Simulator simulator(problem, solution, seed + b);
    if (absl::Status status = simulator.Run(b, max_steps); !status.ok()) return status;
  }
  return absl::OkStatus();
}

MoveCosts CountMoves(const Problem& problem, const Solution& solution) {
  MoveCosts costs;
  size_t move = 0;
  for (const Block& block : problem.blocks) {
    for (InstIndex i = block.begin; i < block.end; ++i) {
      for (; move < solution.moves.size() && solution.moves[move].before == i; ++move) {
        const Move& m = solution.moves[move];
        const bool load = m.from.kind == Location::Kind::kSlot;
        const bool store = m.to.kind == Location::Kind::kSlot;
        if (load) costs.loads += block.frequency;
        if (store) costs.stores += block.frequency;
        if (load || store) continue;
        const bool edge = i == block.begin || (i + 1 == block.end && block.succs_count == 1);
        (edge ? costs.edge_copies : costs.copies) += block.frequency;
      }
      const Inst& inst = problem.insts[i];
      for (uint32_t k = 0; k < inst.operands_count; ++k) {
        if (solution.operands[inst.operands_begin + k].kind == Location::Kind::kSlot) {
          costs.memory_operands += block.frequency;
        }
      }
    }
  }
  return costs;
}

}  // namespace precast::regalloc
