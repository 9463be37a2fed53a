// Moves arise in three places: between parts of one value in a gap, on edges, and for fixed and
// reusing operands. All moves of one place and stage happen at the same time; then they are put in
// order.
//
// A value that goes to memory is stored in one of two ways, whichever executes fewer stores: once,
// right after its definition (SSA: the slot stays right for ever), or wherever a part in a register
// is followed by a part in memory (good for values that are needed in memory only on cold paths).
// "Right after the definition" of a block parameter means on the edges to it, and not on those
// whose argument is in the same slot already: what a loop only passes on is stored before the loop.
#include "compiler/regalloc/resolve.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/log/check.h"
#include "compiler/regalloc/moves.h"
#include "compiler/regalloc/slots.h"

namespace precast::regalloc {
namespace {

// Order of the moves before one instruction.
enum Stage : uint8_t {
  kEntry,  // edge moves, if the edge's target holds them
  kSplit,  // between parts; from fixed definitions; stores of definitions
  kCopy,   // into fixed registers and the registers of reusing definitions
  kExit,   // edge moves, if the edge's source holds them
};

// See ChooseStores.
constexpr int kMaxStoreRounds = 6;

struct RawMove {
  InstIndex before;
  Stage stage;
  VReg from_vreg, to_vreg;
  Location from, to;
  float frequency;
};

class Resolver {
 public:
  Resolver(const Problem& p, const Liveness& live, const Intervals& in, const Bundles& bundles,
           const Assignment& assignment)
      : p_(p),
        live_(live),
        in_(in),
        assignment_(assignment),
        slots_(AssignSlots(p, in, bundles, assignment)) {}

  Solution Run() {
    AddPartMoves();
    AddOperandMoves();
    AddEdgeMoves();
    ChooseStores();
    EmitMoves();
    SetTracked();
    out_.num_int_slots = slots_.count[0];
    out_.int_slot_wide = std::move(slots_.int_wide);
    // Those of cycles.
    const bool any_wide =
        p_.vreg_wide.empty() ||
        std::find(p_.vreg_wide.begin(), p_.vreg_wide.end(), true) != p_.vreg_wide.end();
    out_.int_slot_wide.resize(out_.num_int_slots, any_wide);
    out_.num_vector_slots = slots_.count[1];
    return std::move(out_);
  }

 private:
  Location SlotOf(VReg v) const {
    CHECK_NE(slots_.of_vreg[v], kNoSlot);
    Location location;
    location.kind = Location::Kind::kSlot;
    location.slot = slots_.of_vreg[v];
    return location;
  }
  static Location RegLocation(uint32_t index) {
    Location location;
    location.kind = Location::Kind::kReg;
    location.reg = RegFromIndex(index);
    return location;
  }
  Location Home(VReg v, const Part& part) const {
    return part.home == kInSlot ? SlotOf(v) : RegLocation(static_cast<uint32_t>(part.home));
  }
  bool IsLive(VReg v) const { return assignment_.parts.begin[v] != assignment_.parts.begin[v + 1]; }

  // Last part of v that begins at or before pos.
  uint32_t PartAt(VReg v, Pos pos) const {
    uint32_t low = assignment_.parts.begin[v];
    // Without branches but for the number of steps: which way they go cannot be foreseen.
    for (uint32_t count = assignment_.parts.begin[v + 1] - low; count > 1;) {
      const uint32_t half = count / 2;
      low += assignment_.parts.items[low + half].from <= pos ? half : 0;
      count -= half;
    }
    return low;
  }
  Location At(VReg v, Pos pos) const {
    const Part& part = assignment_.parts.items[PartAt(v, pos)];
    CHECK(part.from <= pos && pos < part.to) << "v" << v << " has no location at " << pos;
    return Home(v, part);
  }

  void Add(InstIndex before, Stage stage, VReg from_vreg, VReg to_vreg, const Location& from,
           const Location& to, float frequency) {
    if (from == to) return;
    moves_.push_back({before, stage, from_vreg, to_vreg, from, to, frequency});
  }

  // A jump of its own, as on what would be a critical edge: where values are there is nobody's
  // business, and what leads there and what leads away is one set of moves, at the end.
  bool IsPassedThrough(BlockIndex b) const {
    const Block& block = p_.blocks[b];
    return block.end - block.begin == 1 && block.succs_count == 1 && block.preds_count == 1 &&
           block.params_count == 0 && p_.insts[block.begin].operands_count == 0 &&
           p_.blocks[p_.edges[block.succs_begin].target].preds_count > 1 &&
           p_.blocks[p_.pred_blocks[block.preds_begin]].succs_count > 1;
  }
  // Where what leaves the block is before the moves at its end.
  Pos EndOf(BlockIndex b) const {
    if (IsPassedThrough(b)) b = p_.pred_blocks[p_.blocks[b].preds_begin];
    return GapOf(p_.blocks[b].end) - 1;
  }

  float FrequencyOf(InstIndex i) const { return p_.blocks[live_.inst_block[i]].frequency; }

  void AddPartMoves() {
    for (VReg v = 0; v < p_.vreg_class.size(); ++v) {
      for (uint32_t k = assignment_.parts.begin[v] + 1; k < assignment_.parts.begin[v + 1]; ++k) {
        const Part& before = assignment_.parts.items[k - 1];
        const Part& after = assignment_.parts.items[k];
        if (before.to != after.from) continue;  // resumes at a block's beginning
        const InstIndex i = InstOf(after.from);
        const BlockIndex b = live_.inst_block[i];
        if (((after.from & 3) == 0 && p_.blocks[b].begin == i) || IsPassedThrough(b)) continue;
        Add(i, (after.from & 3) == 0 ? kSplit : kCopy, v, v, Home(v, before), Home(v, after),
            FrequencyOf(i));
      }
    }
  }

  void AddOperandMoves() {
    out_.operands.resize(p_.operands.size());
    for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
      const float frequency = p_.blocks[b].frequency;
      for (InstIndex i = p_.blocks[b].begin; i < p_.blocks[b].end; ++i) {
        const Inst& inst = p_.insts[i];
        for (uint32_t k = 0; k < inst.operands_count; ++k) {
          const Operand& op = p_.operands[inst.operands_begin + k];
          Location& location = out_.operands[inst.operands_begin + k];
          const bool use = op.kind == Operand::Kind::kUse;
          if (op.constraint == Operand::Constraint::kFixed) {
            location = RegLocation(RegIndex(op.fixed));
            if (use) {
              Add(i, kCopy, op.vreg, op.vreg, At(op.vreg, GapOf(i)), location, frequency);
            } else if (IsLive(op.vreg)) {
              Add(i + 1, kSplit, op.vreg, op.vreg, location, At(op.vreg, GapOf(i + 1)), frequency);
            }
          } else if (use) {
            if (in_.facts[inst.operands_begin + k] & kIsReused)
              continue;  // set with the definition
            location = At(op.vreg, EarlyOf(i));
          } else if (op.constraint == Operand::Constraint::kReuse) {
            location = At(op.vreg, LateOf(i));
            const VReg input = p_.operands[inst.operands_begin + op.reuse].vreg;
            Add(i, kCopy, input, op.vreg, At(input, GapOf(i)), location, frequency);
            out_.operands[inst.operands_begin + op.reuse] = location;
          } else {
            location = At(op.vreg, LateOf(i));
          }
        }
      }
    }
  }

  void AddEdgeMoves() {
    for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
      const Block& block = p_.blocks[b];
      const Pos end = EndOf(b);
      for (uint32_t e = 0; e < block.succs_count; ++e) {
        const Edge& edge = p_.edges[block.succs_begin + e];
        if (IsPassedThrough(edge.target)) continue;
        const Block& target = p_.blocks[edge.target];
        const Pos start = GapOf(target.begin);
        const bool at_target = target.preds_count == 1;
        CHECK(at_target || block.succs_count == 1) << "critical edge from block " << b;
        const InstIndex before = at_target ? target.begin : block.end - 1;
        const Stage stage = at_target ? kEntry : kExit;
        const float frequency = std::min(block.frequency, target.frequency);
        for (VReg v : live_.LiveIn(edge.target)) {
          const uint32_t first = assignment_.parts.begin[v];
          if (assignment_.parts.begin[v + 1] - first == 1) continue;  // one home for life
          const Part& part = assignment_.parts.items[PartAt(v, end)];
          CHECK(part.from <= end && end < part.to) << "v" << v << " has no location at " << end;
          if (part.from <= start && start < part.to) continue;
          Add(before, stage, v, v, Home(v, part), At(v, start), frequency);
        }
        for (uint32_t k = 0; k < edge.args_count; ++k) {
          const VReg param = p_.block_params[target.params_begin + k];
          if (!IsLive(param)) continue;
          const VReg arg = p_.edge_args[edge.args_begin + k];
          Add(before, stage, arg, param, At(arg, end), At(param, start), frequency);
        }
      }
    }
  }

  static bool IsStore(const RawMove& move) {
    return move.from_vreg == move.to_vreg && move.from.kind == Location::Kind::kReg &&
           move.to.kind == Location::Kind::kSlot;
  }

  // An argument of a live parameter that has a slot.
  struct Argument {
    BlockIndex from, to;
    VReg arg, param;
  };
  std::vector<Argument> ArgumentsOfSlots() const {
    std::vector<Argument> arguments;
    for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
      const Block& block = p_.blocks[b];
      for (uint32_t e = 0; e < block.succs_count; ++e) {
        const Edge& edge = p_.edges[block.succs_begin + e];
        const Block& target = p_.blocks[edge.target];
        for (uint32_t k = 0; k < edge.args_count; ++k) {
          const VReg param = p_.block_params[target.params_begin + k];
          if (slots_.of_vreg[param] == kNoSlot || !IsLive(param)) continue;
          arguments.push_back({b, edge.target, p_.edge_args[edge.args_begin + k], param});
        }
      }
    }
    return arguments;
  }
  // An argument that is in its parameter's slot already.
  bool IsInPlace(VReg arg, VReg param) const {
    return stored_at_def_[arg] && slots_.of_vreg[arg] == slots_.of_vreg[param] &&
           p_.vreg_class[arg] == p_.vreg_class[param];
  }

  void ChooseStores() {
    const size_t n = p_.vreg_class.size();
    stored_at_def_.assign(n, false);
    std::vector<float> cost(n, 0.0f);
    for (const RawMove& move : moves_) {
      if (IsStore(move)) cost[move.to_vreg] += move.frequency;
    }
    std::vector<VReg> params;  // that have a choice
    for (VReg v = 0; v < n; ++v) {
      if (slots_.of_vreg[v] == kNoSlot) continue;
      // A value that begins in memory is there already.
      stored_at_def_[v] =
          FirstPart(v).home == kInSlot || p_.blocks[live_.def_block[v]].frequency <= cost[v];
    }
    for (VReg v : p_.block_params) {
      if (slots_.of_vreg[v] == kNoSlot || FirstPart(v).home == kInSlot) continue;
      params.push_back(v);
      stored_at_def_[v] = true;
    }
    // To begin with all are stored; those go for which that is not worth it, and then others for
    // whose arguments they are. Any result is correct.
    const std::vector<Argument> arguments = ArgumentsOfSlots();
    std::vector<float> on_edges(params.empty() ? 0 : n, 0.0f);
    for (int round = 0; round < kMaxStoreRounds && !params.empty(); ++round) {
      for (VReg v : params) on_edges[v] = 0;
      for (const Argument& a : arguments) {
        if (IsInPlace(a.arg, a.param)) continue;
        on_edges[a.param] += std::min(p_.blocks[a.from].frequency, p_.blocks[a.to].frequency);
      }
      const size_t before = params.size();
      std::erase_if(params, [&](VReg v) {
        if (on_edges[v] <= cost[v]) return false;
        stored_at_def_[v] = false;
        return true;
      });
      if (params.size() == before) break;
    }
    std::erase_if(moves_, [this](const RawMove& move) {
      if (move.to.kind != Location::Kind::kSlot || move.from.kind != Location::Kind::kReg) {
        return false;
      }
      if (!stored_at_def_[move.from_vreg]) return false;
      // An argument that is in the parameter's slot already needs no move either.
      if (move.from_vreg != move.to_vreg) return SlotOf(move.from_vreg) == move.to;
      // Only the move from a fixed definition's register to a value that begins in memory stays.
      return !IsMoveFromFixedDef(move);
    });
    std::vector<uint8_t> is_param(n, 0);
    for (VReg v : p_.block_params) is_param[v] = 1;
    for (VReg v = 0; v < n; ++v) {
      if (!stored_at_def_[v] || is_param[v]) continue;
      const Part& first = FirstPart(v);
      if (first.home == kInSlot) continue;
      // The gap that follows the definition.
      const InstIndex before = InstOf(GapAtOrAfter(in_.def_pos[v]));
      const Location from = in_.fixed_def[v] >= 0
                                ? RegLocation(static_cast<uint32_t>(in_.fixed_def[v]))
                                : Home(v, first);
      Add(before, kSplit, v, v, from, SlotOf(v), 0);
    }
    for (const Argument& a : arguments) {
      if (!stored_at_def_[a.param] || FirstPart(a.param).home == kInSlot ||
          IsInPlace(a.arg, a.param)) {
        continue;
      }
      const Block& from = p_.blocks[a.from];
      const Block& to = p_.blocks[a.to];
      const bool at_target = to.preds_count == 1;
      Add(at_target ? to.begin : from.end - 1, at_target ? kEntry : kExit, a.arg, a.param,
          At(a.arg, EndOf(a.from)), SlotOf(a.param), 0);
    }
  }

  // The part that the definition begins.
  const Part& FirstPart(VReg v) const { return assignment_.parts.items[PartAt(v, in_.def_pos[v])]; }

  bool IsMoveFromFixedDef(const RawMove& move) const {
    const VReg v = move.from_vreg;
    if (in_.fixed_def[v] < 0 || move.stage != kSplit) return false;
    return GapOf(move.before) == in_.def_pos[v];
  }

  // By position: the registers with a value. Holes of what lives in a register are not occupied.
  void FindOccupied() {
    occupied_.assign(4 * p_.insts.size() + 1, 0);
    for (VReg v = 0; v < p_.vreg_class.size(); ++v) {
      uint32_t k = in_.ranges.begin[v];
      const uint32_t end = in_.ranges.begin[v + 1];
      for (uint32_t m = assignment_.parts.begin[v]; m < assignment_.parts.begin[v + 1]; ++m) {
        const Part& part = assignment_.parts.items[m];
        while (k < end && in_.ranges.items[k].to <= part.from) ++k;
        if (part.home == kInSlot) continue;
        const PRegSet bit = PRegSet{1} << part.home;
        for (uint32_t j = k; j < end && in_.ranges.items[j].from < part.to; ++j) {
          // Two that touch cancel each other where they do.
          occupied_[std::max(in_.ranges.items[j].from, part.from)] ^= bit;
          occupied_[std::min(in_.ranges.items[j].to, part.to)] ^= bit;
        }
      }
    }
    PRegSet now = 0;
    for (PRegSet& o : occupied_) o = now ^= o;
  }

  // Int registers that a cycle of moves may go through: nobody's before the moves or after them,
  // except for the moves' own sources and targets. Nothing where it is seldom executed, and code
  // had better be short.
  PRegSet Free(InstIndex before, Stage stage) {
    const Block& block = p_.blocks[live_.inst_block[before]];
    if (block.frequency < 1) return 0;
    if (occupied_.empty()) FindOccupied();
    PRegSet used = 0;
    if (stage == kExit) {
      used = occupied_[GapOf(p_.blocks[p_.edges[block.succs_begin].target].begin)];
    } else {
      used = occupied_[GapOf(before)];
      // Fixed operands' registers, too: what is in place is live up to the copies.
      if (stage == kCopy) used |= occupied_[CopyOf(before)];
    }
    return p_.allocatable & 0xffff & ~used;
  }

  void EmitMoves() {
    // By instruction and stage, stable: buckets by instruction, and there is seldom more than one
    // stage.
    std::vector<uint32_t> begin(p_.insts.size() + 1, 0);
    for (const RawMove& move : moves_) ++begin[move.before];
    uint32_t end = 0;
    for (uint32_t& b : begin) b = end += b;
    std::vector<uint32_t> sorted(moves_.size());
    for (uint32_t k = static_cast<uint32_t>(moves_.size()); k-- > 0;) {
      sorted[--begin[moves_[k].before]] = k;
    }
    MoveSequencer sequencer(p_.vector_scratch, slots_.count);
    out_.moves.reserve(moves_.size());
    std::vector<ParallelMove> together;
    for (size_t k = 0; k < sorted.size();) {
      const InstIndex before = moves_[sorted[k]].before;
      size_t next = k;
      while (next < sorted.size() && moves_[sorted[next]].before == before) ++next;
      uint32_t stages = 0;
      for (size_t m = k; m < next; ++m) stages |= 1u << moves_[sorted[m]].stage;
      for (; stages != 0; stages &= stages - 1) {
        together.clear();
        for (size_t m = k; m < next; ++m) {
          const RawMove& move = moves_[sorted[m]];
          if (move.stage != std::countr_zero(stages)) continue;
          // What is wide may become what is not by the instruction that the move is for.
          const bool half = !IsWide(p_, move.from_vreg);
          together.push_back({move.from, move.to, p_.vreg_class[move.to_vreg], half});
        }
        const Stage stage = static_cast<Stage>(std::countr_zero(stages));
        sequencer.Sequence(
            together, before, [&] { return Free(before, stage); }, out_.moves);
      }
      k = next;
    }
  }

  void SetTracked() {
    // By beginning, the first pieces of all ranges are in order. The others are not, and there are
    // few.
    std::vector<TrackedLocation> first, others;
    first.reserve(p_.tracked.size());
    for (const TrackedRange& t : p_.tracked) {
      TrackedLocation* last = nullptr;
      uint32_t k = PartAt(t.vreg, EarlyOf(t.from));
      for (InstIndex from = t.from; from <= t.to;) {
        const Part& part = assignment_.parts.items[k];
        CHECK(part.from <= EarlyOf(from) && EarlyOf(from) < part.to)
            << "v" << t.vreg << " has no location at " << from;
        // The last instruction whose early point lies in the part.
        InstIndex to = InstOf(part.to - 1);
        if (EarlyOf(to) >= part.to) --to;
        to = std::min(to, t.to);
        const Location location = Home(t.vreg, part);
        if (last != nullptr && last->location == location) {
          last->to = to;
        } else {
          last = &(from == t.from ? first : others)
                      .emplace_back(TrackedLocation{t.label, from, to, location, t.vreg});
        }
        from = to + 1;
        while (k + 1 < assignment_.parts.begin[t.vreg + 1] &&
               assignment_.parts.items[k + 1].from <= EarlyOf(from)) {
          ++k;
        }
      }
    }
    const auto before = [](const TrackedLocation& a, const TrackedLocation& b) {
      return a.from < b.from;
    };
    std::stable_sort(others.begin(), others.end(), before);
    // Of those that begin at one place the ones of ranges that began before come first.
    out_.tracked.resize(first.size() + others.size());
    std::merge(others.begin(), others.end(), first.begin(), first.end(), out_.tracked.begin(),
               before);
  }

  const Problem& p_;
  const Liveness& live_;
  const Intervals& in_;
  const Assignment& assignment_;
  Slots slots_;
  std::vector<RawMove> moves_;
  std::vector<uint8_t> stored_at_def_;  // by vreg
  std::vector<PRegSet> occupied_;       // by position; made if it is asked for
  Solution out_;
};

}  // namespace

Solution Resolve(const Problem& problem, const Liveness& live, const Intervals& intervals,
                 const Bundles& bundles, const Assignment& assignment) {
  return Resolver(problem, live, intervals, bundles, assignment).Run();
}

}  // namespace precast::regalloc
