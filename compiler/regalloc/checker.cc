// In the manner of regalloc2's checker (bytecodealliance/regalloc2, src/checker.rs), but with a set
// of vregs for each place: moves and block parameters give one value several names.
//
//   entry of an entry block     nothing is anywhere
//   move                        the target holds what the source holds
//   memory-to-memory move       and the vector scratch register holds nothing
//   of lower halves             the target holds only those of wide values
//   definition of v             v is in the definition's place and nowhere else; nothing else is
//   there clobber                     the register holds nothing
//   edge with arguments         whatever holds an argument holds the parameter, and nothing else
//   does;
//                               for a parameter that is not wide, a lower half will do
//   two paths meet              only what holds on both
#include "compiler/regalloc/checker.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/regalloc/problem_text.h"

namespace precast::regalloc {
namespace {

using VRegSet = std::vector<VReg>;   // ascending; with kLowerHalf, that of a wide one
using State = std::vector<VRegSet>;  // by place

constexpr VReg kLowerHalf = VReg{1} << 31;
// Besides the wide value itself: here its upper half is known to be zero, so that lower halves are
// all of it.
constexpr VReg kSmall = VReg{1} << 30;

template <typename... Args>
absl::Status Fault(const Args&... args) {
  return absl::InternalError(absl::StrCat(args...));
}

bool Contains(const VRegSet& set, VReg v) { return std::binary_search(set.begin(), set.end(), v); }

void Insert(VRegSet& set, VReg v) {
  const auto at = std::lower_bound(set.begin(), set.end(), v);
  if (at == set.end() || *at != v) set.insert(at, v);
}

void Erase(VRegSet& set, VReg v) {
  const auto at = std::lower_bound(set.begin(), set.end(), v);
  if (at != set.end() && *at == v) set.erase(at);
}

std::string Names(const VRegSet& set) {
  if (set.empty()) return "nothing known";
  std::string out;
  for (VReg v : set) {
    absl::StrAppend(&out, out.empty() ? "" : " ",
                    (v & kLowerHalf) != 0 ? "half of v"
                    : (v & kSmall) != 0   ? "small v"
                                          : "v",
                    v & ~(kLowerHalf | kSmall));
  }
  return out;
}

class Checker {
 public:
  Checker(const Problem& p, const Solution& s) : p_(p), s_(s) {}

  absl::Status Run() {
    for (auto step : {&Checker::CheckShape, &Checker::CheckMoves, &Checker::CheckOperands,
                      &Checker::CheckTrackedCover}) {
      if (absl::Status status = (this->*step)(); !status.ok()) return status;
    }
    FindFixpoint();
    return CheckContents();
  }

 private:
  size_t NumPlaces() const { return 32 + size_t{s_.num_int_slots} + s_.num_vector_slots; }

  size_t Place(const Location& location, RegClass cls) const {
    const bool vector = cls == RegClass::kVector;
    if (location.kind == Location::Kind::kReg) return location.reg.hw + (vector ? 16 : 0);
    return 32 + location.slot + (vector ? s_.num_int_slots : 0);
  }

  // Is it a place of the class at all?
  bool Exists(const Location& location, RegClass cls) const {
    switch (location.kind) {
      case Location::Kind::kNone:
        return false;
      case Location::Kind::kReg:
        return location.reg.cls == cls && location.reg.hw < 16;
      case Location::Kind::kSlot:
        return location.slot < (cls == RegClass::kInt ? s_.num_int_slots : s_.num_vector_slots);
    }
    return false;
  }

  std::string Describe(InstIndex i, uint32_t k) const {
    const uint32_t index = p_.insts[i].operands_begin + k;
    return absl::StrCat("instruction ", i, " operand ", k, " (", ToString(p_.operands[index]), " @",
                        ToString(s_.operands[index]), ")");
  }

  absl::Status CheckShape() {
    if (s_.operands.size() != p_.operands.size()) {
      return Fault("solution has ", s_.operands.size(), " operand locations, problem ",
                   p_.operands.size(), " operands");
    }
    if (s_.int_slot_wide.size() != s_.num_int_slots) {
      return Fault("solution has ", s_.num_int_slots, " int slots, and widths of ",
                   s_.int_slot_wide.size());
    }
    for (size_t k = 0; k < s_.moves.size(); ++k) {
      if (s_.moves[k].before >= p_.insts.size() ||
          (k > 0 && s_.moves[k].before < s_.moves[k - 1].before)) {
        return Fault("move ", k, " (", ToString(s_.moves[k]), "): before instruction ",
                     s_.moves[k].before, ", out of bounds or out of order");
      }
    }
    for (size_t k = 0; k < s_.tracked.size(); ++k) {
      const TrackedLocation& t = s_.tracked[k];
      if (t.to < t.from || t.to >= p_.insts.size() || t.vreg >= p_.vreg_class.size() ||
          (k > 0 && t.from < s_.tracked[k - 1].from)) {
        return Fault("tracked location ", k, ": ", t.from, "..", t.to,
                     " out of bounds or out of order");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckMoves() {
    for (const Move& move : s_.moves) {
      auto fault = [&](const char* what) {
        return Fault("before instruction ", move.before, ": ", ToString(move), ": ", what);
      };
      if (!Exists(move.from, move.cls) || !Exists(move.to, move.cls)) {
        return fault("no such place in this class");
      }
      const bool registers =
          move.from.kind == Location::Kind::kReg && move.to.kind == Location::Kind::kReg;
      if (move.swap && (!registers || move.cls != RegClass::kInt)) {
        return fault("only int registers are swapped");
      }
      PRegSet writable = p_.allocatable | Bit(p_.vector_scratch);
      const Inst& inst = p_.insts[move.before];
      for (uint32_t k = 0; k < inst.operands_count; ++k) {
        const Operand& op = p_.operands[inst.operands_begin + k];
        if (op.constraint == Operand::Constraint::kFixed && op.kind == Operand::Kind::kUse) {
          writable |= Bit(op.fixed);
        }
      }
      for (const Location* target : {&move.to, &move.from}) {
        if (target == &move.from && !move.swap) continue;
        if (target->kind == Location::Kind::kReg && !(writable & Bit(target->reg))) {
          return fault("writes a register that is not allocatable");
        }
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckOperand(InstIndex i, uint32_t k) const {
    const Inst& inst = p_.insts[i];
    const Operand& op = p_.operands[inst.operands_begin + k];
    const Location& at = s_.operands[inst.operands_begin + k];
    const RegClass cls = p_.vreg_class[op.vreg];
    auto fault = [&](const auto&... what) { return Fault(Describe(i, k), ": ", what...); };
    if (!Exists(at, cls)) return fault("no such place in the value's class");
    const bool reg = at.kind == Location::Kind::kReg;
    if (op.constraint == Operand::Constraint::kFixed) {
      if (!reg || !(at.reg == op.fixed)) return fault("not in the fixed register");
    } else if (reg && !(p_.allocatable & Bit(at.reg))) {
      // The input of a reusing definition shares its register, which is checked there.
      return fault("register is not allocatable");
    }
    if (op.constraint == Operand::Constraint::kReg && !reg) return fault("not in a register");
    if (op.constraint == Operand::Constraint::kReuse) {
      if (!reg) return fault("not in a register");
      if (!(s_.operands[inst.operands_begin + op.reuse] == at)) {
        return fault("input is in ", ToString(s_.operands[inst.operands_begin + op.reuse]));
      }
    }
    const bool use = op.kind == Operand::Kind::kUse;
    const bool late_use = use && op.pos == Operand::Pos::kLate;
    const bool early_def = !use && op.pos == Operand::Pos::kEarly;
    if ((late_use || early_def) && reg && (inst.clobbers & Bit(at.reg))) {
      return fault("clobbered by the instruction");
    }
    if (use) return absl::OkStatus();
    for (uint32_t j = 0; j < inst.operands_count; ++j) {
      const Operand& other = p_.operands[inst.operands_begin + j];
      if (j == k || p_.vreg_class[other.vreg] != cls ||
          !(s_.operands[inst.operands_begin + j] == at)) {
        continue;
      }
      if (other.kind == Operand::Kind::kDef) return fault("same place as definition operand ", j);
      if (early_def || other.pos == Operand::Pos::kLate) {
        return fault("overwrites operand ", j, " while it is needed");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckOperands() {
    for (InstIndex i = 0; i < p_.insts.size(); ++i) {
      for (uint32_t k = 0; k < p_.insts[i].operands_count; ++k) {
        if (absl::Status status = CheckOperand(i, k); !status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  // The pieces given have to cover the ranges asked for, each instruction as often as asked.
  absl::Status CheckTrackedCover() {
    std::vector<std::tuple<uint8_t, VReg, InstIndex, int>> changes;
    for (const TrackedRange& t : p_.tracked) {
      changes.emplace_back(t.label, t.vreg, t.from, +1);
      changes.emplace_back(t.label, t.vreg, t.to + 1, -1);
    }
    for (const TrackedLocation& t : s_.tracked) {
      changes.emplace_back(t.label, t.vreg, t.from, -1);
      changes.emplace_back(t.label, t.vreg, t.to + 1, +1);
    }
    std::sort(changes.begin(), changes.end());
    for (size_t k = 0; k < changes.size();) {
      const auto [label, vreg, inst, first] = changes[k];
      int sum = 0;
      for (; k < changes.size() && std::get<0>(changes[k]) == label &&
             std::get<1>(changes[k]) == vreg && std::get<2>(changes[k]) == inst;
           ++k) {
        sum += std::get<3>(changes[k]);
      }
      if (sum != 0) {
        return Fault("tracked ", static_cast<int>(label), " = v", vreg, ": pieces ",
                     sum > 0 ? "miss" : "exceed", " the range at instruction ", inst);
      }
    }
    return absl::OkStatus();
  }

  // --- Contents
  // -----------------------------------------------------------------------------------

  // A spill slot of 4 bytes.
  bool IsNarrow(const Location& location, RegClass cls) const {
    return cls == RegClass::kInt && location.kind == Location::Kind::kSlot &&
           !s_.int_slot_wide[location.slot];
  }

  void EraseWide(VRegSet& set) const {
    const VRegSet all = set;
    std::erase_if(set, [&](VReg v) {
      return (v & (kLowerHalf | kSmall)) == 0 && IsWide(p_, v) && !Contains(all, v | kSmall);
    });
  }

  static void EraseAll(VRegSet& set, VReg v) {
    Erase(set, v);
    Erase(set, v | kLowerHalf);
    Erase(set, v | kSmall);
  }

  void ApplyMove(const Move& move, State& state) const {
    VRegSet& from = state[Place(move.from, move.cls)];
    VRegSet& to = state[Place(move.to, move.cls)];
    const bool half = move.half && move.cls == RegClass::kInt &&
                      move.from.kind == Location::Kind::kReg &&
                      move.to.kind == Location::Kind::kReg;
    if (move.swap) {
      std::swap(from, to);
      if (half) EraseWide(from);
      if (half) EraseWide(to);
      return;
    }
    to = VRegSet(from);
    if (half || IsNarrow(move.to, move.cls)) EraseWide(to);
    if (move.from.kind == Location::Kind::kSlot && move.to.kind == Location::Kind::kSlot) {
      state[Place({Location::Kind::kReg, p_.vector_scratch}, RegClass::kVector)].clear();
    }
  }

  void ApplyInst(InstIndex i, State& state) const {
    const Inst& inst = p_.insts[i];
    for (uint32_t r = 0; r < 32; ++r) {
      if (inst.clobbers >> r & 1) state[r].clear();
    }
    for (uint32_t k = 0; k < inst.operands_count; ++k) {
      const Operand& op = p_.operands[inst.operands_begin + k];
      if (op.kind != Operand::Kind::kDef) continue;
      const RegClass cls = p_.vreg_class[op.vreg];
      const Location& at = s_.operands[inst.operands_begin + k];
      for (VRegSet& set : state) EraseAll(set, op.vreg);
      VRegSet& place = state[Place(at, cls)];
      place = {op.vreg};
      if (IsWide(p_, op.vreg)) place.push_back(op.vreg | kLowerHalf);
      if (IsNarrow(at, cls)) EraseWide(place);
    }
  }

  void ApplyEdge(const Edge& edge, State& state) const {
    const Block& target = p_.blocks[edge.target];
    if (target.params_count == 0) return;
    VRegSet renamed;
    for (size_t place = 0; place < state.size(); ++place) {
      VRegSet& set = state[place];
      renamed.clear();
      for (uint32_t k = 0; k < edge.args_count; ++k) {
        const VReg arg = p_.edge_args[edge.args_begin + k];
        const VReg param = p_.block_params[target.params_begin + k];
        const bool lower = Contains(set, IsWide(p_, arg) ? arg | kLowerHalf : arg);
        if (!IsWide(p_, param)) {
          if (lower) renamed.push_back(param);
          continue;
        }
        if (lower) renamed.push_back(param | kLowerHalf);
        // What is not wide has an upper half of zeros in a register, and when it is loaded from a
        // slot of 4 bytes.
        if (Contains(set, arg)) {
          renamed.push_back(param);
          if (!IsWide(p_, arg) || Contains(set, arg | kSmall)) renamed.push_back(param | kSmall);
        }
      }
      for (uint32_t k = 0; k < target.params_count; ++k) {
        EraseAll(set, p_.block_params[target.params_begin + k]);
      }
      for (VReg v : renamed) Insert(set, v);
    }
  }

  size_t FirstMove(InstIndex i) const {
    return static_cast<size_t>(
        std::lower_bound(s_.moves.begin(), s_.moves.end(), i,
                         [](const Move& move, InstIndex at) { return move.before < at; }) -
        s_.moves.begin());
  }

  void FindFixpoint() {
    const size_t n = p_.blocks.size();
    at_entry_.resize(n);
    std::vector<bool> reached(n, false);
    std::vector<bool> queued(n, false);
    std::vector<BlockIndex> queue;  // heap, lowest block first
    auto push = [&](BlockIndex b) {
      if (queued[b]) return;
      queued[b] = true;
      queue.push_back(b);
      std::push_heap(queue.begin(), queue.end(), std::greater<>());
    };
    for (BlockIndex b = 0; b < n; ++b) {
      if (p_.blocks[b].preds_count != 0) continue;
      at_entry_[b].resize(NumPlaces());
      reached[b] = true;
      push(b);
    }
    while (!queue.empty()) {
      std::pop_heap(queue.begin(), queue.end(), std::greater<>());
      const BlockIndex b = queue.back();
      queue.pop_back();
      queued[b] = false;
      const Block& block = p_.blocks[b];
      State state = at_entry_[b];
      size_t move = FirstMove(block.begin);
      for (InstIndex i = block.begin; i < block.end; ++i) {
        for (; move < s_.moves.size() && s_.moves[move].before == i; ++move) {
          ApplyMove(s_.moves[move], state);
        }
        ApplyInst(i, state);
      }
      for (uint32_t e = 0; e < block.succs_count; ++e) {
        const Edge& edge = p_.edges[block.succs_begin + e];
        State after = state;
        ApplyEdge(edge, after);
        State& entry = at_entry_[edge.target];
        if (!reached[edge.target]) {
          reached[edge.target] = true;
          entry = std::move(after);
          push(edge.target);
          continue;
        }
        bool changed = false;
        for (size_t place = 0; place < entry.size(); ++place) {
          changed |=
              std::erase_if(entry[place], [&](VReg v) { return !Contains(after[place], v); }) != 0;
        }
        if (changed) push(edge.target);
      }
    }
  }

  absl::Status CheckContents() {
    size_t tracked = 0;
    size_t move = 0;
    std::vector<size_t> open;  // tracked locations that include the current instruction
    for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
      const Block& block = p_.blocks[b];
      State state = std::move(at_entry_[b]);
      for (InstIndex i = block.begin; i < block.end; ++i) {
        for (; move < s_.moves.size() && s_.moves[move].before == i; ++move) {
          ApplyMove(s_.moves[move], state);
        }
        for (; tracked < s_.tracked.size() && s_.tracked[tracked].from == i; ++tracked) {
          open.push_back(tracked);
        }
        // The moves of an edge may stand before a jump, so nothing is said about a jump.
        const bool jump = i + 1 == block.end && block.succs_count == 1;
        for (size_t k : open) {
          const TrackedLocation& t = s_.tracked[k];
          const RegClass cls = p_.vreg_class[t.vreg];
          if (!Exists(t.location, cls)) {
            return Fault("tracked v", t.vreg, " ", t.from, "..", t.to, ": no such place ",
                         ToString(t.location));
          }
          const VRegSet& found = state[Place(t.location, cls)];
          if (!jump && !Contains(found, t.vreg)) {
            return Fault("tracked v", t.vreg, " ", t.from, "..", t.to, ": at instruction ", i, " ",
                         ToString(t.location), " holds ", Names(found));
          }
        }
        std::erase_if(open, [&](size_t k) { return s_.tracked[k].to <= i; });
        const Inst& inst = p_.insts[i];
        for (uint32_t k = 0; k < inst.operands_count; ++k) {
          const Operand& op = p_.operands[inst.operands_begin + k];
          if (op.kind != Operand::Kind::kUse) continue;
          const Location& at = s_.operands[inst.operands_begin + k];
          const VRegSet& found = state[Place(at, p_.vreg_class[op.vreg])];
          if (IsWide(p_, op.vreg) && IsNarrow(at, p_.vreg_class[op.vreg])) {
            return Fault(Describe(i, k), " in block ", b, ": wide, in a slot of 4 bytes");
          }
          if (!Contains(found, op.vreg)) {
            return Fault(Describe(i, k), " in block ", b, ": expected v", op.vreg, ", found ",
                         Names(found));
          }
        }
        ApplyInst(i, state);
      }
    }
    return absl::OkStatus();
  }

  const Problem& p_;
  const Solution& s_;
  std::vector<State> at_entry_;  // by block
};

}  // namespace

absl::Status Check(const Problem& problem, const Solution& solution) {
  return Checker(problem, solution).Run();
}

}  // namespace precast::regalloc
