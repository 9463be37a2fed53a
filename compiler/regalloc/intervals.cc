// One walk over the program from its end to its beginning (Wimmer and Franz, "Linear Scan Register
// Allocation on SSA Form", BuildIntervals) builds all live ranges without a fixpoint.
//
// How constraints become intervals:
//   fixed use     the vreg is read in the copy stage; the register is reserved from there on
//   fixed def     the register is reserved; the vreg begins in the gap after the instruction
//   reusing def   the vreg begins in the copy stage, where its input is copied into it
//   others        the vreg itself has to be where the operand allows
#include "compiler/regalloc/intervals.h"

#include <algorithm>
#include <utility>

#include "compiler/stable_sort.h"

namespace precast::regalloc {
namespace {

constexpr uint32_t kNil = ~uint32_t{0};
// What a function's parameters and the like should rather stay in than in another register that
// would save as many moves: those of the others have not been decided yet.
constexpr float kArrival = 1.5f;

template <typename T>
struct Tagged {
  VReg vreg;
  T item;
};

// Groups items recorded in descending order of position into ascending order.
template <typename T>
Grouped<T> GroupReversed(const std::vector<Tagged<T>>& tagged, size_t num_vregs) {
  Grouped<T> out;
  // Where the items of each end, moved down to where they begin while they are put there.
  out.begin.assign(num_vregs + 1, 0);
  for (const Tagged<T>& t : tagged) ++out.begin[t.vreg];
  uint32_t end = 0;
  for (uint32_t& begin : out.begin) begin = end += begin;
  out.items.resize(tagged.size());
  // Few come out of order; those of their vregs are sorted afterwards.
  std::vector<uint8_t> unsorted(num_vregs, 0);
  Pos lowest = kNever;
  for (const Tagged<T>& t : tagged) {
    out.items[--out.begin[t.vreg]] = t.item;
    unsorted[t.vreg] |= t.item.pos > lowest ? 1 : 0;
    lowest = std::min(lowest, t.item.pos);
  }
  for (VReg v = 0; v < num_vregs; ++v) {
    if (unsorted[v] == 0) continue;
    StableSort(out.items.begin() + out.begin[v], out.items.begin() + out.begin[v + 1],
               [](const T& a, const T& b) { return a.pos < b.pos; });
  }
  return out;
}

class Builder {
 public:
  Builder(const Problem& p, const Liveness& live)
      : p_(p),
        live_(live),
        head_(p.vreg_class.size(), kNil),
        live_out_stamp_(head_.size(), kNoBlock),
        lowest_use_(head_.size(), kNever) {
    out_.fixed_def.assign(head_.size(), -1);
    out_.def_pos.assign(head_.size(), 0);
    out_.facts.assign(p.operands.size(), 0);
    nodes_.reserve(head_.size() + live.live_in_vregs.size() / 4);
    uses_.reserve(p.operands.size() + p.edge_args.size());
    hints_.reserve(p.operands.size() + 2 * p.edge_args.size());
  }

  Intervals Build() {
    size_t tracked_end = p_.tracked.size();
    for (BlockIndex b = static_cast<BlockIndex>(p_.blocks.size()); b-- > 0;) {
      const Block& block = p_.blocks[b];
      block_from_ = GapOf(block.begin);
      block_freq_ = block.frequency;
      fixed_def_weight_ = block.preds_count == 0 ? kArrival * block_freq_ : block_freq_;
      AddLiveOut(b);
      // Tracked ranges of this block, in any order: each reaches from the block's beginning.
      while (tracked_end > 0 && p_.tracked[tracked_end - 1].from >= block.begin) {
        const TrackedRange& t = p_.tracked[--tracked_end];
        AddRange(t.vreg, EarlyOf(t.to) + 1);
      }
      for (InstIndex i = block.end; i-- > block.begin;) {
        const bool fixed_def = AddDefs(i);
        // Arguments of edges live up to the very end of their block.
        const bool fixed_use = AddUses(i, i + 1 == block.end ? LateOf(i) : GapOf(i + 1));
        if (fixed_def || fixed_use || p_.insts[i].clobbers != 0) AddReservations(i);
      }
      AddLoopUses(b);
      for (uint32_t k = 0; k < block.params_count; ++k) {
        const VReg v = p_.block_params[block.params_begin + k];
        out_.def_pos[v] = block_from_;
      }
    }
    Finish();
    return std::move(out_);
  }

 private:
  // Adds [beginning of the block, to).
  void AddRange(VReg v, Pos to) {
    const uint32_t h = head_[v];
    if (h != kNil && nodes_[h].from <= to) {
      nodes_[h].from = std::min(nodes_[h].from, block_from_);
      nodes_[h].to = std::max(nodes_[h].to, to);
      return;
    }
    head_[v] = static_cast<uint32_t>(nodes_.size());
    nodes_.push_back({block_from_, to, h});
  }

  bool IsLiveBelow(VReg v) const {
    return head_[v] != kNil && nodes_[head_[v]].from == block_from_;
  }
  // In the block at hand.
  bool IsLiveBehind(VReg v, Pos pos) const { return IsLiveBelow(v) && nodes_[head_[v]].to > pos; }

  void AddUse(VReg v, Pos pos, UseKind kind) {
    uses_.push_back({v, {pos, kind}});
    if (kind != UseKind::kWeak) lowest_use_[v] = pos;
  }

  // A value that a loop uses is needed again at the end of the loop's last block: for the next
  // round.
  void AddLoopUses(BlockIndex header) {
    const Block& block = p_.blocks[header];
    BlockIndex last = header;
    bool loop = false;
    for (uint32_t e = 0; e < block.preds_count; ++e) {
      const BlockIndex pred = p_.pred_blocks[block.preds_begin + e];
      if (pred < last) continue;
      last = pred;
      loop = true;
    }
    if (!loop) return;
    const Pos end = GapOf(p_.blocks[last].end);
    for (VReg v : live_.LiveIn(header)) {
      if (lowest_use_[v] < end) AddUse(v, end - 1, UseKind::kWeak);
    }
  }
  void AddHint(VReg v, Hint hint) { hints_.push_back({v, hint}); }

  void AddLiveOut(BlockIndex b) {
    const Block& block = p_.blocks[b];
    const Pos end = GapOf(block.end);
    for (uint32_t e = 0; e < block.succs_count; ++e) {
      const Edge& edge = p_.edges[block.succs_begin + e];
      for (VReg v : live_.LiveIn(edge.target)) {
        if (live_out_stamp_[v] == b) continue;
        live_out_stamp_[v] = b;
        AddRange(v, end);
      }
      const Block& target = p_.blocks[edge.target];
      for (uint32_t k = 0; k < edge.args_count; ++k) {
        const VReg v = p_.edge_args[edge.args_begin + k];
        const VReg param = p_.block_params[target.params_begin + k];
        AddRange(v, end);
        AddUse(v, end - 1, UseKind::kWeak);
        const float frequency = std::min(block.frequency, target.frequency);
        AddHint(v, {end - 1, true, param, frequency});
        AddHint(param, {GapOf(target.begin), true, v, frequency});
        if (edge.target <= b)
          returning_.push_back({param, {GapOf(target.begin), true, v, frequency}});
      }
    }
  }

  // Returns whether some are fixed.
  bool AddDefs(InstIndex i) {
    const Inst& inst = p_.insts[i];
    bool any_fixed = false;
    for (uint32_t k = inst.operands_count; k-- > 0;) {
      const Operand& op = p_.operands[inst.operands_begin + k];
      if (op.kind != Operand::Kind::kDef) continue;
      const VReg v = op.vreg;
      Pos from = op.pos == Operand::Pos::kEarly ? EarlyOf(i) : LateOf(i);
      if (IsLiveBehind(v, GapOf(i + 1))) out_.facts[inst.operands_begin + k] |= kLivesOn;
      if (op.constraint == Operand::Constraint::kFixed) {
        any_fixed = true;
        from = GapOf(i + 1);
        out_.fixed_def[v] = static_cast<int8_t>(RegIndex(op.fixed));
        out_.def_pos[v] = from;
        if (!IsLiveBelow(v)) continue;
        nodes_[head_[v]].from = from;
        AddHint(v, {from, false, RegIndex(op.fixed), fixed_def_weight_});
        continue;
      }
      if (op.constraint == Operand::Constraint::kReuse) {
        from = CopyOf(i);
        out_.facts[inst.operands_begin + op.reuse] |= kIsReused;
        const VReg input = p_.operands[inst.operands_begin + op.reuse].vreg;
        AddHint(v, {from, true, input, block_freq_});
        AddHint(input, {GapOf(i), true, v, block_freq_});
      }
      if (inst.is_move && k == 1) {
        const Operand& source = p_.operands[inst.operands_begin];
        AddHint(v, {from, true, source.vreg, block_freq_});
        AddHint(source.vreg, {EarlyOf(i), true, v, block_freq_});
        if (source.constraint == Operand::Constraint::kFixed) {
          AddHint(v, {from, false, RegIndex(source.fixed), block_freq_});
        }
      }
      out_.def_pos[v] = from;
      if (IsLiveBelow(v)) {
        nodes_[head_[v]].from = from;
      } else {
        head_[v] = static_cast<uint32_t>(nodes_.size());
        nodes_.push_back({from, GapOf(i + 1), kNil});
      }
      // A plain copy of a spilled value into memory would need a scratch register.
      const bool any = op.constraint == Operand::Constraint::kAny && !inst.is_move;
      AddUse(v, from, any ? UseKind::kShould : UseKind::kMust);
    }
    return any_fixed;
  }

  // What lives beyond `end` is live after the instruction. Returns whether some are fixed.
  bool AddUses(InstIndex i, Pos end) {
    const Inst& inst = p_.insts[i];
    bool any_fixed = false;
    for (uint32_t k = 0; k < inst.operands_count; ++k) {
      const Operand& op = p_.operands[inst.operands_begin + k];
      if (op.kind != Operand::Kind::kUse) continue;
      if (!IsLiveBehind(op.vreg, end)) out_.facts[inst.operands_begin + k] |= kEndsHere;
      if (op.constraint == Operand::Constraint::kFixed) {
        any_fixed = true;
        AddRange(op.vreg, CopyOf(i));
        AddUse(op.vreg, GapOf(i), UseKind::kWeak);
        AddHint(op.vreg, {GapOf(i), false, RegIndex(op.fixed), block_freq_});
        continue;
      }
      if (out_.facts[inst.operands_begin + k] & kIsReused) {
        AddRange(op.vreg, CopyOf(i));
        AddUse(op.vreg, GapOf(i), UseKind::kWeak);
        continue;
      }
      const Pos pos = op.pos == Operand::Pos::kLate ? LateOf(i) : EarlyOf(i);
      AddRange(op.vreg, pos + 1);
      AddUse(op.vreg, pos,
             op.constraint == Operand::Constraint::kAny ? UseKind::kShould : UseKind::kMust);
    }
    return any_fixed;
  }

  void AddReservations(InstIndex i) {
    const Inst& inst = p_.insts[i];
    Pos from[32];
    Pos to[32];
    PRegSet touched = inst.clobbers & p_.allocatable;
    for (PRegSet rest = touched; rest != 0; rest &= rest - 1) {
      const int r = __builtin_ctz(rest);
      from[r] = LateOf(i);
      to[r] = GapOf(i + 1);
    }
    for (uint32_t k = 0; k < inst.operands_count; ++k) {
      const Operand& op = p_.operands[inst.operands_begin + k];
      if (op.constraint != Operand::Constraint::kFixed) continue;
      const bool use = op.kind == Operand::Kind::kUse;
      const bool early = op.pos == Operand::Pos::kEarly;
      const Pos begin = use ? CopyOf(i) : early ? EarlyOf(i) : LateOf(i);
      const Pos end = use && early ? LateOf(i) : GapOf(i + 1);
      const uint32_t r = RegIndex(op.fixed);
      const PRegSet bit = PRegSet{1} << r;
      from[r] = (touched & bit) ? std::min(from[r], begin) : begin;
      to[r] = (touched & bit) ? std::max(to[r], end) : end;
      touched |= bit;
    }
    for (; touched != 0; touched &= touched - 1) {
      const int r = __builtin_ctz(touched);
      std::vector<Range>& reserved = out_.reserved[r];
      if (reserved.capacity() == 0) reserved.reserve(32);
      reserved.push_back({from[r], to[r]});
    }
  }

  // Where something comes back to a loop from is not decided when the loop's parameters are, unless
  // a definition leaves it in a certain register.
  void AddHintsOfReturning() {
    for (auto& [param, hint] : returning_) {
      const int8_t reg = out_.fixed_def[hint.target];
      if (reg >= 0) AddHint(param, {hint.pos, false, static_cast<uint32_t>(reg), hint.weight});
    }
  }

  void Finish() {
    AddHintsOfReturning();
    const size_t n = head_.size();
    out_.uses = GroupReversed(uses_, n);
    out_.hints = GroupReversed(hints_, n);
    out_.ranges.begin.assign(n + 1, 0);
    out_.ranges.items.reserve(nodes_.size());
    for (size_t v = 0; v < n; ++v) {
      for (uint32_t k = head_[v]; k != kNil; k = nodes_[k].next) {
        out_.ranges.items.push_back({nodes_[k].from, nodes_[k].to});
      }
      out_.ranges.begin[v + 1] = static_cast<uint32_t>(out_.ranges.items.size());
    }
    for (std::vector<Range>& reserved : out_.reserved) {
      std::reverse(reserved.begin(), reserved.end());
    }
  }

  struct Node {
    Pos from, to;
    uint32_t next;
  };

  const Problem& p_;
  const Liveness& live_;
  std::vector<Node> nodes_;
  std::vector<uint32_t> head_;  // by vreg: the range added last, which is the first in the program
  std::vector<BlockIndex> live_out_stamp_;
  std::vector<Pos> lowest_use_;  // by vreg: lowest position so far of a use that wants a register
  std::vector<Tagged<Use>> uses_;
  std::vector<Tagged<Hint>> hints_;
  std::vector<Tagged<Hint>> returning_;  // of parameters, what edges back bring
  Pos block_from_ = 0;
  float block_freq_ = 1;
  float fixed_def_weight_ = 1;
  Intervals out_;
};

}  // namespace

Intervals BuildIntervals(const Problem& problem, const Liveness& live) {
  return Builder(problem, live).Build();
}

}  // namespace precast::regalloc
