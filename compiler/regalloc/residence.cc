// Belady's rule on a control-flow graph (Braun and Hack, "Register Spilling and Live-Range
// Splitting for SSA-Form Programs"): where there are too few registers, the value whose next use is
// farthest away goes to memory. How far is measured in instructions along the shortest way, and
// ways out of loops and into cold code are very long. So a loop keeps what it uses, and a call on a
// cold path costs nothing on the hot one.
//
// The result only steers the scan that follows, so the estimates here need not be right: loops are
// taken from the layout, distances go around back edges once.
#include "compiler/regalloc/residence.h"

#include <algorithm>
#include <utility>

#include "absl/types/span.h"

namespace precast::regalloc {
namespace {

// Distances, in instructions.
constexpr uint32_t kLoopExit = 1u << 16;  // out of a loop
constexpr uint32_t kColdWay = 1u << 22;   // into cold code
constexpr uint32_t kCall = 1u << 26;      // behind a call that leaves no register alone
constexpr uint32_t kUnused = 1u << 28;    // only tracked
// A use nearer than this happens about as often as what is done now.
constexpr uint32_t kFar = kLoopExit;
// Nothing that has more than this is looked at as a whole: time must stay linear.
constexpr uint32_t kMaxLoopBlocks = 2048;
constexpr uint32_t kMaxSuccessors = 32;
// A block executed this much less often than its neighbor is cold, or outside of its loop.
constexpr float kColdShare = 0.02f;
constexpr float kOuterShare = 0.3f;

// A memory operand is replaced by a reload if the next use is this near.
constexpr uint32_t kSoon = 24;
constexpr VReg kNoVReg = ~VReg{0};
constexpr uint32_t kUsedIn = 1u << 31;  // see stamp_

constexpr uint32_t Further(uint32_t a, uint32_t b) { return std::min(a + b, kUnused); }

class Residence {
 public:
  Residence(const Problem& p, const Liveness& live, const Intervals& in)
      : p_(p), live_(live), in_(in) {
    for (int cls = 0; cls < kNumClasses; ++cls) {
      registers_[cls] = Count(OfClass(p.allocatable, cls));
    }
  }

  Grouped<Cut> Run() {
    SurveyBlocks();
    FindLoops();
    ComputeDistances();
    FindAge();
    Walk();
    return Group();
  }

 private:
  struct Survey {
    InstIndex first_call[kNumClasses] = {};  // or the block's end
    uint32_t pressure[kNumClasses] = {};     // in loops: most values that want registers at once
    bool in_loop = false;
    BlockIndex loop_end = 0;  // last block of the loop it is the header of, or 0
  };
  // Of a value, as it is known up to instruction `until`.
  struct NextUse {
    InstIndex until = 0;
    uint32_t at =
        0;  // as if all instructions on the way had numbers that follow those of the block
    bool behind_call = false;
  };
  struct Candidate {
    uint32_t distance;
    VReg vreg;
    bool operator<(const Candidate& o) const {
      return distance != o.distance ? distance < o.distance : vreg < o.vreg;
    }
  };

  int ClassOf(VReg v) const { return static_cast<int>(p_.vreg_class[v]); }
  static PRegSet OfClass(PRegSet set, int cls) { return set >> (16 * cls) & 0xffff; }
  // Of 16 registers. Without an instruction for it, __builtin_popcount is a call.
  static int Count(PRegSet set) {
    set -= set >> 1 & 0x5555;
    set = (set & 0x3333) + (set >> 2 & 0x3333);
    set = (set + (set >> 4)) & 0x0f0f;
    return static_cast<int>((set + (set >> 8)) & 0x1f);
  }
  bool IsCall(const Inst& inst, int cls) const {
    const PRegSet all = OfClass(p_.allocatable, cls);
    // Results of calls are definitions instead of clobbers.
    return Count(OfClass(inst.clobbers, cls) & all) * 4 > registers_[cls] * 3;
  }
  static uint32_t Way(float from, float to) {
    return to < kColdShare * from ? kColdWay : to < kOuterShare * from ? kLoopExit : 0;
  }

  void SurveyBlocks();
  void ComputeDistances();
  void MeetSuccessors(BlockIndex b);
  void FindPressure(BlockIndex b);
  void FindLoops();
  void FindAge();
  // Was it made before the loop that b is in?
  bool IsOlder(VReg v, BlockIndex b) const {
    return age_[v] < kOuterShare * p_.blocks[b].frequency;
  }
  void Walk();
  void EnterBlock(BlockIndex b);
  void EnterLoop(BlockIndex b);
  void EnterJoin(BlockIndex b);
  void Step(BlockIndex b, InstIndex i);

  void CollectWeights(BlockIndex b);
  bool IsProcessed(BlockIndex b) const { return b < current_; }

  uint8_t Facts(const Inst& inst, uint32_t k) const { return in_.facts[inst.operands_begin + k]; }
  uint32_t DistanceIn(VReg v, BlockIndex b) const;
  uint32_t DistanceOut(VReg v, BlockIndex b) const;
  // From behind instruction i on.
  uint32_t Distance(VReg v, BlockIndex b, InstIndex i);
  NextUse FindNextUse(VReg v, BlockIndex b, InstIndex i);

  void Put(VReg v) {
    in_w_[v] = 1;
    w_[ClassOf(v)].push_back(v);
  }
  // The others stay in order.
  void Remove(VReg v) {
    in_w_[v] = 0;
    std::vector<VReg>& w = w_[ClassOf(v)];
    VReg next = w.back();
    w.pop_back();
    for (size_t k = w.size(); next != v;) std::swap(next, w[--k]);
  }
  void SetHome(VReg v, Pos pos, bool memory) {
    if (in_memory_[v] == memory) return;
    in_memory_[v] = memory;
    events_.push_back({v, {pos, memory}});
  }
  // Nothing but tracking kept it alive.
  bool IsGone(VReg v, Pos now) {
    uint32_t& k = range_at_[v];
    const uint32_t end = in_.ranges.begin[v + 1];
    while (k < end && in_.ranges.items[k].to <= now) ++k;
    return k == end || in_.ranges.items[k].from > now;
  }

  // Values of keep_: what instruction i needs in a register, or to its end.
  static uint32_t Kept(InstIndex i) { return 2 * (i + 1); }
  static uint32_t KeptToTheEnd(InstIndex i) { return 2 * (i + 1) + 1; }
  // Takes the register from the value with the farthest next use.
  bool EvictOne(int cls, BlockIndex b, InstIndex i, bool late);
  void EvictAll(int cls, InstIndex i);
  Pos EndOfReading(VReg v, InstIndex i) const;
  bool WorthReload(VReg v, BlockIndex b, InstIndex i);

  Grouped<Cut> Group() const;

  const Problem& p_;
  const Liveness& live_;
  const Intervals& in_;
  int registers_[kNumClasses];

  std::vector<Survey> survey_;
  std::vector<uint32_t> live_in_distance_;  // parallel to live_.live_in_vregs
  std::vector<uint32_t> param_distance_;    // parallel to p_.block_params
  // By vreg. stamp_: 1 + the block at whose end it is live, or kUsedIn + the block that reads it
  // first; next_: the distance there.
  std::vector<uint32_t> stamp_, next_;
  std::vector<VReg> met_;   // vregs with a valid next_
  std::vector<float> age_;  // by vreg: how often it gets a new value

  BlockIndex current_ = 0;
  std::vector<uint8_t> in_w_;
  std::vector<VReg> w_[kNumClasses];
  std::vector<uint8_t> in_memory_;  // by vreg: state at the current position
  std::vector<uint32_t> range_at_;  // by vreg, in in_.ranges
  std::vector<uint32_t> use_at_;    // by vreg, in in_.uses
  std::vector<NextUse> next_use_;   // by vreg
  std::vector<uint32_t> keep_;      // by vreg: see Kept
  std::vector<InstIndex> used_;     // by vreg: 1 + instruction that read it last
  std::vector<uint32_t> exit_begin_;
  std::vector<VReg> exit_;  // what is in registers at the end of each block
  std::vector<float> weight_;
  std::vector<VReg> weighted_;
  float total_weight_ = 0;
  std::vector<Candidate> near_, far_;
  struct Event {
    VReg vreg;
    Cut cut;
  };
  std::vector<Event> events_;
};

void Residence::SurveyBlocks() {
  survey_.resize(p_.blocks.size());
  for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
    const Block& block = p_.blocks[b];
    Survey& s = survey_[b];
    for (int cls = 0; cls < kNumClasses; ++cls) s.first_call[cls] = block.end;
    for (InstIndex i = block.begin; i < block.end; ++i) {
      const Inst& inst = p_.insts[i];
      if (inst.clobbers == 0) continue;
      for (int cls = 0; cls < kNumClasses; ++cls) {
        if (s.first_call[cls] == block.end && IsCall(inst, cls)) s.first_call[cls] = i;
      }
    }
  }
}

// next_: the distance from the block's end, for everything that is live there.
void Residence::MeetSuccessors(BlockIndex b) {
  const Block& block = p_.blocks[b];
  met_.clear();
  auto meet = [&](VReg v, uint32_t distance) {
    if (stamp_[v] == b + 1) {
      next_[v] = std::min(next_[v], distance);
      return;
    }
    stamp_[v] = b + 1;
    next_[v] = distance;
    met_.push_back(v);
  };
  for (uint32_t e = 0; e < block.succs_count; ++e) {
    const Edge& edge = p_.edges[block.succs_begin + e];
    const Block& target = p_.blocks[edge.target];
    const uint32_t way = Way(block.frequency, target.frequency);
    for (uint32_t k = live_.live_in_begin[edge.target]; k < live_.live_in_begin[edge.target + 1];
         ++k) {
      meet(live_.live_in_vregs[k], Further(live_in_distance_[k], way));
    }
    for (uint32_t k = 0; k < edge.args_count; ++k) {
      meet(p_.edge_args[edge.args_begin + k],
           Further(param_distance_[target.params_begin + k], way));
    }
  }
}

void Residence::ComputeDistances() {
  live_in_distance_.assign(live_.live_in_vregs.size(), kUnused);
  param_distance_.assign(p_.block_params.size(), kUnused);
  const size_t num_vregs = p_.vreg_class.size();
  next_.resize(num_vregs);
  const BlockIndex num_blocks = static_cast<BlockIndex>(p_.blocks.size());
  BlockIndex first_head = num_blocks, last_latch = 0;
  for (BlockIndex b = 0; b < num_blocks; ++b) {
    for (uint32_t k = 0; k < p_.blocks[b].preds_count; ++k) {
      const BlockIndex pred = p_.pred_blocks[p_.blocks[b].preds_begin + k];
      if (pred < b) continue;
      first_head = std::min(first_head, b);
      last_latch = std::max(last_latch, pred);
    }
  }
  // What comes behind all loops is known after the first round, which is for the heads of loops.
  const bool loops = first_head != num_blocks;
  for (int round = 0; round < (loops ? 2 : 1); ++round) {
    stamp_.assign(num_vregs, 0);
    const bool last = round == (loops ? 1 : 0);
    const BlockIndex begin = last ? 0 : first_head;
    for (BlockIndex b = round == 0 ? num_blocks : last_latch + 1; b-- > begin;) {
      const Block& block = p_.blocks[b];
      const Survey& s = survey_[b];
      MeetSuccessors(b);
      if (last && s.in_loop) FindPressure(b);
      const uint32_t length = block.end - block.begin;
      // What is not used here.
      auto through = [&](VReg v) {
        if (stamp_[v] != b + 1) return kUnused;
        if (s.first_call[ClassOf(v)] != block.end && next_[v] < kUnused) return kCall;
        return Further(next_[v], length);
      };
      for (const UpwardUse& use : live_.UpwardUses(b)) {
        if (use.inst == kNoInst) continue;
        stamp_[use.vreg] = kUsedIn + b;
        next_[use.vreg] =
            use.inst > s.first_call[ClassOf(use.vreg)] ? kCall : use.inst - block.begin;
      }
      for (uint32_t k = live_.live_in_begin[b]; k < live_.live_in_begin[b + 1]; ++k) {
        const VReg v = live_.live_in_vregs[k];
        live_in_distance_[k] = stamp_[v] == kUsedIn + b ? next_[v] : through(v);
      }
      for (uint32_t k = 0; k < block.params_count; ++k) {
        const VReg v = p_.block_params[block.params_begin + k];
        uint32_t distance = through(v);
        for (uint32_t u = in_.uses.begin[v]; u < in_.uses.begin[v + 1]; ++u) {
          const Use& use = in_.uses.items[u];
          if (use.pos < GapOf(block.begin)) continue;
          if (use.pos >= GapOf(block.end) - 1) break;
          const InstIndex i = InstOf(use.pos);
          distance = i > s.first_call[ClassOf(v)] ? kCall : i - block.begin;
          break;
        }
        param_distance_[block.params_begin + k] = distance;
      }
    }
  }
}

// Called when stamp_ marks what is live at the block's end. Marks more.
void Residence::FindPressure(BlockIndex b) {
  const Block& block = p_.blocks[b];
  Survey& s = survey_[b];
  uint32_t count[kNumClasses] = {0, 0};
  for (VReg v : met_) ++count[ClassOf(v)];
  for (int cls = 0; cls < kNumClasses; ++cls) s.pressure[cls] = count[cls];
  for (InstIndex i = block.end; i-- > block.begin;) {
    const Inst& inst = p_.insts[i];
    uint32_t after[kNumClasses] = {0, 0};
    uint32_t before[kNumClasses] = {0, 0};
    for (uint32_t k = 0; k < inst.operands_count; ++k) {
      const Operand& op = p_.operands[inst.operands_begin + k];
      if (op.kind != Operand::Kind::kDef) continue;
      const int cls = ClassOf(op.vreg);
      if (stamp_[op.vreg] == b + 1) {
        stamp_[op.vreg] = 0;
        --count[cls];
      }
      ++after[cls];
      if (op.pos == Operand::Pos::kEarly) ++before[cls];
    }
    for (int cls = 0; cls < kNumClasses; ++cls) {
      if (inst.clobbers != 0 && !IsCall(inst, cls)) {
        after[cls] += static_cast<uint32_t>(Count(OfClass(inst.clobbers & p_.allocatable, cls)));
      }
      s.pressure[cls] = std::max(s.pressure[cls], count[cls] + after[cls]);
    }
    for (uint32_t k = 0; k < inst.operands_count; ++k) {
      const Operand& op = p_.operands[inst.operands_begin + k];
      if (op.kind != Operand::Kind::kUse) continue;
      const int cls = ClassOf(op.vreg);
      if (stamp_[op.vreg] != b + 1) {
        stamp_[op.vreg] = b + 1;
        ++count[cls];
      } else if (op.constraint == Operand::Constraint::kFixed) {
        ++before[cls];  // a copy
      }
    }
    for (int cls = 0; cls < kNumClasses; ++cls) {
      s.pressure[cls] = std::max(s.pressure[cls], count[cls] + before[cls]);
    }
  }
}

// Values that block parameters only pass on are the same value. It is as old as its one definition.
void Residence::FindAge() {
  const size_t num_vregs = p_.vreg_class.size();
  std::vector<VReg> same(num_vregs);
  for (VReg v = 0; v < num_vregs; ++v) same[v] = v;
  auto find = [&](VReg v) {
    while (same[v] != v) {
      same[v] = same[same[v]];
      v = same[v];
    }
    return v;
  };
  for (const Block& block : p_.blocks) {
    for (uint32_t e = 0; e < block.succs_count; ++e) {
      const Edge& edge = p_.edges[block.succs_begin + e];
      const Block& target = p_.blocks[edge.target];
      if (block.frequency < kColdShare * target.frequency) continue;
      for (uint32_t k = 0; k < edge.args_count; ++k) {
        same[find(p_.edge_args[edge.args_begin + k])] =
            find(p_.block_params[target.params_begin + k]);
      }
    }
  }
  // By representative: how often its only definition is executed; less than 0 if there are several.
  std::vector<float> definition(num_vregs, 0.0f);
  std::vector<uint8_t> is_param(num_vregs, 0);
  for (VReg v : p_.block_params) is_param[v] = 1;
  for (VReg v = 0; v < num_vregs; ++v) {
    if (is_param[v] || live_.def_block[v] == kNoBlock) continue;
    float& f = definition[find(v)];
    f = f == 0 ? p_.blocks[live_.def_block[v]].frequency : -1.0f;
  }
  age_.assign(num_vregs, 0.0f);
  for (VReg v = 0; v < num_vregs; ++v) {
    if (live_.def_block[v] == kNoBlock) continue;
    age_[v] = p_.blocks[live_.def_block[v]].frequency;
    const float f = definition[find(v)];
    if (f >= 0) age_[v] = std::min(age_[v], f);
  }
}

void Residence::FindLoops() {
  for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
    const Block& block = p_.blocks[b];
    for (uint32_t k = 0; k < block.preds_count; ++k) {
      const BlockIndex pred = p_.pred_blocks[block.preds_begin + k];
      if (pred < b || p_.blocks[pred].frequency < kColdShare * block.frequency) continue;
      survey_[b].loop_end = std::max(survey_[b].loop_end, pred);
    }
  }
  BlockIndex end = 0;  // of the loops that begin before
  for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
    if (survey_[b].loop_end != 0) end = std::max(end, survey_[b].loop_end + 1);
    survey_[b].in_loop = b < end;
  }
}

uint32_t Residence::DistanceOut(VReg v, BlockIndex b) const {
  const Block& block = p_.blocks[b];
  uint32_t distance = kUnused;
  for (uint32_t e = 0; e < std::min(block.succs_count, kMaxSuccessors); ++e) {
    const Edge& edge = p_.edges[block.succs_begin + e];
    const Block& target = p_.blocks[edge.target];
    const uint32_t way = Way(block.frequency, target.frequency);
    const auto begin = live_.live_in_vregs.begin() + live_.live_in_begin[edge.target];
    const auto end = live_.live_in_vregs.begin() + live_.live_in_begin[edge.target + 1];
    const auto at = std::lower_bound(begin, end, v);
    if (at != end && *at == v) {
      const size_t k = static_cast<size_t>(at - live_.live_in_vregs.begin());
      distance = std::min(distance, Further(live_in_distance_[k], way));
    }
    for (uint32_t k = 0; k < edge.args_count; ++k) {
      if (p_.edge_args[edge.args_begin + k] != v) continue;
      distance = std::min(distance, Further(param_distance_[target.params_begin + k], way));
    }
  }
  return distance;
}

uint32_t Residence::Distance(VReg v, BlockIndex b, InstIndex i) {
  NextUse& next = next_use_[v];
  if (i >= next.until) next = FindNextUse(v, b, i);
  return next.behind_call ? kCall : std::min(next.at - i, kUnused);
}

Residence::NextUse Residence::FindNextUse(VReg v, BlockIndex b, InstIndex i) {
  const InstIndex end = p_.blocks[b].end;
  uint32_t& u = use_at_[v];
  const uint32_t last = in_.uses.begin[v + 1];
  while (u < last && in_.uses.items[u].pos < GapOf(i + 1)) ++u;
  InstIndex call = survey_[b].first_call[ClassOf(v)];
  if (call <= i) {
    for (call = i + 1; call < end && !IsCall(p_.insts[call], ClassOf(v));) ++call;
  }
  if (u < last) {
    const Use& use = in_.uses.items[u];
    if (use.pos < GapOf(end) - 1 || (use.pos < GapOf(end) && use.kind != UseKind::kWeak)) {
      const InstIndex at = InstOf(use.pos);
      return at > call ? NextUse{call, 0, true} : NextUse{at, at, false};
    }
  }
  const uint32_t out = DistanceOut(v, b);
  if (out < kUnused && call < end) return {call, 0, true};
  return {end, end + out, false};
}

// How often each value comes in a register, over all ways into the block that were walked already.
void Residence::CollectWeights(BlockIndex b) {
  const Block& block = p_.blocks[b];
  weighted_.clear();
  total_weight_ = 0;
  auto add = [&](VReg v, float w) {
    if (weight_[v] == 0) weighted_.push_back(v);
    weight_[v] += w;
  };
  for (uint32_t k = 0; k < block.preds_count; ++k) {
    const BlockIndex pred = p_.pred_blocks[block.preds_begin + k];
    if (!IsProcessed(pred)) continue;
    const Block& from = p_.blocks[pred];
    const float w = std::max(std::min(from.frequency, block.frequency), 1e-20f);
    total_weight_ += w;
    const absl::Span<const VReg> exit = absl::MakeConstSpan(exit_).subspan(
        exit_begin_[pred], exit_begin_[pred + 1] - exit_begin_[pred]);
    for (VReg v : exit) {
      add(v, w);
      stamp_[v] = pred;
    }
    if (block.params_count == 0) continue;
    for (uint32_t e = 0; e < from.succs_count; ++e) {
      const Edge& edge = p_.edges[from.succs_begin + e];
      if (edge.target != b) continue;
      for (uint32_t a = 0; a < edge.args_count; ++a) {
        if (stamp_[p_.edge_args[edge.args_begin + a]] == pred) {
          add(p_.block_params[block.params_begin + a], w);
        }
      }
      break;
    }
  }
}

void Residence::EnterBlock(BlockIndex b) {
  const Block& block = p_.blocks[b];
  for (std::vector<VReg>& w : w_) {
    for (VReg v : w) in_w_[v] = 0;
    w.clear();
  }
  if (block.preds_count == 0) return;
  CollectWeights(b);
  if (survey_[b].loop_end != 0 || total_weight_ == 0) {
    EnterLoop(b);
  } else {
    EnterJoin(b);
  }
  for (VReg v : weighted_) weight_[v] = 0;
  const Pos start = GapOf(block.begin);
  for (VReg v : live_.LiveIn(b)) SetHome(v, start, !in_w_[v]);
  for (uint32_t k = 0; k < block.params_count; ++k) {
    const VReg v = p_.block_params[block.params_begin + k];
    SetHome(v, start, !in_w_[v]);
  }
}

void Residence::EnterLoop(BlockIndex b) {
  const Block& block = p_.blocks[b];
  const BlockIndex end = std::max(survey_[b].loop_end, b);
  for (int cls = 0; cls < kNumClasses; ++cls) {
    near_.clear();
    far_.clear();
    uint32_t through = 0;
    auto consider = [&](VReg v, uint32_t distance) {
      if (ClassOf(v) != cls) return;
      if (distance < kFar || !IsOlder(v, b)) {
        near_.push_back({distance, v});
      } else {
        // The loop leaves it alone: in memory it costs nothing there.
        ++through;
        if (weight_[v] > 0.5f * total_weight_) far_.push_back({distance, v});
      }
    };
    for (uint32_t k = live_.live_in_begin[b]; k < live_.live_in_begin[b + 1]; ++k) {
      consider(live_.live_in_vregs[k], live_in_distance_[k]);
    }
    for (uint32_t k = 0; k < block.params_count; ++k) {
      const VReg v = p_.block_params[block.params_begin + k];
      if (in_.ranges.begin[v] == in_.ranges.begin[v + 1]) continue;
      consider(v, param_distance_[block.params_begin + k]);
    }
    const size_t registers = static_cast<size_t>(registers_[cls]);
    std::sort(near_.begin(), near_.end());
    if (near_.size() > registers) near_.resize(registers);
    for (const Candidate& c : near_) Put(c.vreg);
    if (far_.empty() || end - b > kMaxLoopBlocks) continue;
    uint32_t pressure = 0;
    bool call = false;
    for (BlockIndex x = b; x <= end; ++x) {
      if (p_.blocks[x].frequency < kColdShare * block.frequency) continue;
      pressure = std::max(pressure, survey_[x].pressure[cls]);
      call |= survey_[x].first_call[cls] != p_.blocks[x].end;
    }
    if (call) continue;
    const size_t used = std::max<size_t>(pressure - std::min(pressure, through), near_.size());
    const size_t room = registers - std::min(registers, used);
    std::sort(far_.begin(), far_.end());
    if (far_.size() > room) far_.resize(room);
    for (const Candidate& c : far_) Put(c.vreg);
  }
}

void Residence::EnterJoin(BlockIndex b) {
  const Block& block = p_.blocks[b];
  auto consider = [&](VReg v, uint32_t distance) {
    const float share = weight_[v];
    if (share == 0) return;
    const float least = distance < kFar ? 0.3f : 0.9f;
    if (share >= least * total_weight_) Put(v);
  };
  for (uint32_t k = live_.live_in_begin[b]; k < live_.live_in_begin[b + 1]; ++k) {
    consider(live_.live_in_vregs[k], live_in_distance_[k]);
  }
  for (uint32_t k = 0; k < block.params_count; ++k) {
    consider(p_.block_params[block.params_begin + k], param_distance_[block.params_begin + k]);
  }
  for (int cls = 0; cls < kNumClasses; ++cls) {
    const size_t registers = static_cast<size_t>(registers_[cls]);
    std::vector<VReg>& w = w_[cls];
    if (w.size() <= registers) continue;
    near_.clear();
    for (VReg v : w) {
      near_.push_back({DistanceIn(v, b), v});
      in_w_[v] = 0;
    }
    w.clear();
    std::sort(near_.begin(), near_.end());
    for (size_t k = 0; k < registers; ++k) Put(near_[k].vreg);
  }
}

// From the block's beginning on, of a value that is live there.
uint32_t Residence::DistanceIn(VReg v, BlockIndex b) const {
  const Block& block = p_.blocks[b];
  const auto begin = live_.live_in_vregs.begin() + live_.live_in_begin[b];
  const auto end = live_.live_in_vregs.begin() + live_.live_in_begin[b + 1];
  const auto at = std::lower_bound(begin, end, v);
  if (at != end && *at == v) {
    return live_in_distance_[static_cast<size_t>(at - live_.live_in_vregs.begin())];
  }
  for (uint32_t k = block.params_begin; k < block.params_begin + block.params_count; ++k) {
    if (p_.block_params[k] == v) return param_distance_[k];
  }
  return kUnused;
}

// Where the part in a register of v, which instruction i reads, may end at the earliest.
Pos Residence::EndOfReading(VReg v, InstIndex i) const {
  const Inst& inst = p_.insts[i];
  Pos pos = GapOf(i);
  for (uint32_t k = 0; k < inst.operands_count; ++k) {
    const Operand& op = p_.operands[inst.operands_begin + k];
    if (op.kind != Operand::Kind::kUse || op.vreg != v) continue;
    const bool copied =
        op.constraint == Operand::Constraint::kFixed || (Facts(inst, k) & kIsReused) != 0;
    pos = std::max(pos, copied ? CopyOf(i) : LateOf(i));
  }
  return pos;
}

bool Residence::EvictOne(int cls, BlockIndex b, InstIndex i, bool late) {
  VReg worst = kNoVReg;
  uint32_t farthest = 0;
  const Pos now = late ? LateOf(i) : EarlyOf(i);
  for (VReg v : w_[cls]) {
    if (IsGone(v, now)) {
      Remove(v);
      return true;
    }
    if (late ? keep_[v] == KeptToTheEnd(i) : keep_[v] >= Kept(i)) continue;
    uint32_t distance = Distance(v, b, i);
    // One that was there before the loop is in memory at no cost, or will be: only reloads count.
    if (IsOlder(v, b)) {
      distance = distance < kFar ? 2 * distance : distance + kUnused;
    }
    if (worst == kNoVReg || distance > farthest || (distance == farthest && v > worst)) {
      worst = v;
      farthest = distance;
    }
  }
  if (worst == kNoVReg) return false;
  Remove(worst);
  SetHome(worst, late && used_[worst] == i + 1 ? EndOfReading(worst, i) : GapOf(i), true);
  return true;
}

void Residence::EvictAll(int cls, InstIndex i) {
  std::vector<VReg>& w = w_[cls];
  size_t kept = 0;
  for (VReg v : w) {
    if (keep_[v] == KeptToTheEnd(i)) {
      w[kept++] = v;
      continue;
    }
    in_w_[v] = 0;
    SetHome(v, used_[v] == i + 1 ? EndOfReading(v, i) : GapOf(i), true);
  }
  w.resize(kept);
}

// A value in memory that an instruction may as well read there, or copy from there, and that is
// needed afterwards: is a register better because more uses follow?
bool Residence::WorthReload(VReg v, BlockIndex b, InstIndex i) {
  return w_[ClassOf(v)].size() < static_cast<size_t>(registers_[ClassOf(v)]) &&
         Distance(v, b, i) < kSoon;
}

void Residence::Step(BlockIndex b, InstIndex i) {
  const Inst& inst = p_.insts[i];
  const absl::Span<const Operand> operands =
      absl::MakeConstSpan(p_.operands).subspan(inst.operands_begin, inst.operands_count);
  int early[kNumClasses] = {0, 0};
  int late[kNumClasses] = {0, 0};
  PRegSet reserved_early = 0;
  PRegSet reserved_late = inst.clobbers;
  uint8_t facts = 0;    // of any operand
  bool choice = false;  // some input may be in memory
  auto take = [&](VReg v) {
    SetHome(v, GapOf(i), false);
    Put(v);
  };
  for (uint32_t k = 0; k < operands.size(); ++k) {
    const Operand& op = operands[k];
    const bool at_late = op.pos == Operand::Pos::kLate;
    const bool fixed = op.constraint == Operand::Constraint::kFixed;
    const int cls = ClassOf(op.vreg);
    facts |= Facts(inst, k);
    if (op.kind == Operand::Kind::kDef) {
      if (fixed) {
        reserved_late |= Bit(op.fixed);
        if (!at_late) reserved_early |= Bit(op.fixed);
      } else {
        ++late[cls];
        if (!at_late || op.constraint == Operand::Constraint::kReuse) ++early[cls];
      }
      continue;
    }
    used_[op.vreg] = i + 1;
    if (fixed) {
      reserved_early |= Bit(op.fixed);
      if (at_late) reserved_late |= Bit(op.fixed);
      choice = true;
      continue;
    }
    if (Facts(inst, k) & kIsReused) {
      choice = true;
      continue;
    }
    if (!in_w_[op.vreg]) {
      if (op.constraint == Operand::Constraint::kReg) {
        take(op.vreg);
      } else {
        choice = true;
      }
    }
    keep_[op.vreg] = std::max(keep_[op.vreg], at_late ? KeptToTheEnd(i) : Kept(i));
  }
  for (uint32_t k = 0; choice && k < operands.size(); ++k) {
    const Operand& op = operands[k];
    if (op.kind != Operand::Kind::kUse) continue;
    const bool ends = (Facts(inst, k) & kEndsHere) != 0;
    if (!in_w_[op.vreg]) {
      if (!ends && WorthReload(op.vreg, b, i)) take(op.vreg);
    } else if (ends && keep_[op.vreg] < Kept(i)) {
      Remove(op.vreg);  // it is only copied from
    }
  }
  for (int cls = 0; cls < kNumClasses; ++cls) {
    int room = registers_[cls] - early[cls];
    if (reserved_early != 0) room -= Count(OfClass(reserved_early & p_.allocatable, cls));
    while (static_cast<int>(w_[cls].size()) > room && EvictOne(cls, b, i, /*late=*/false)) {
    }
  }
  for (uint32_t k = 0; (facts & kEndsHere) != 0 && k < operands.size(); ++k) {
    const VReg v = operands[k].vreg;
    if ((Facts(inst, k) & kEndsHere) == 0 || !in_w_[v]) continue;
    if (keep_[v] == KeptToTheEnd(i)) ++late[ClassOf(v)];
    Remove(v);
  }
  for (int cls = 0; cls < kNumClasses; ++cls) {
    int room = registers_[cls] - late[cls];
    if (reserved_late != 0) room -= Count(OfClass(reserved_late & p_.allocatable, cls));
    if (room <= 0) {
      EvictAll(cls, i);
      continue;
    }
    while (static_cast<int>(w_[cls].size()) > room && EvictOne(cls, b, i, /*late=*/true)) {
    }
  }
  for (uint32_t k = 0; (facts & kLivesOn) != 0 && k < operands.size(); ++k) {
    const VReg v = operands[k].vreg;
    if ((Facts(inst, k) & kLivesOn) == 0 || in_w_[v]) continue;
    SetHome(v, GapOf(i), false);
    Put(v);
  }
}

void Residence::Walk() {
  const size_t num_vregs = p_.vreg_class.size();
  in_w_.assign(num_vregs, 0);
  in_memory_.assign(num_vregs, 0);
  range_at_.assign(in_.ranges.begin.begin(), in_.ranges.begin.end() - 1);
  use_at_.assign(in_.uses.begin.begin(), in_.uses.begin.end() - 1);
  next_use_.assign(num_vregs, NextUse());
  keep_.assign(num_vregs, 0);
  used_.assign(num_vregs, 0);
  weight_.assign(num_vregs, 0.0f);
  stamp_.assign(num_vregs, kNoBlock);
  exit_begin_.assign(p_.blocks.size() + 1, 0);
  for (current_ = 0; current_ < p_.blocks.size(); ++current_) {
    const Block& block = p_.blocks[current_];
    EnterBlock(current_);
    for (InstIndex i = block.begin; i < block.end; ++i) Step(current_, i);
    for (const std::vector<VReg>& w : w_) exit_.insert(exit_.end(), w.begin(), w.end());
    exit_begin_[current_ + 1] = static_cast<uint32_t>(exit_.size());
  }
}

Grouped<Cut> Residence::Group() const {
  const size_t n = p_.vreg_class.size();
  Grouped<Cut> out;
  out.begin.assign(n + 1, 0);
  for (const Event& event : events_) ++out.begin[event.vreg + 1];
  for (size_t v = 0; v < n; ++v) out.begin[v + 1] += out.begin[v];
  out.items.resize(events_.size());
  std::vector<uint32_t> fill(out.begin.begin(), out.begin.end() - 1);
  for (const Event& event : events_) out.items[fill[event.vreg]++] = event.cut;
  // Of several at one place the last is meant.
  uint32_t to = 0;
  for (size_t v = 0; v < n; ++v) {
    const uint32_t begin = std::exchange(out.begin[v], to);
    bool memory = false;
    for (uint32_t k = begin; k < fill[v]; ++k) {
      const Cut cut = out.items[k];
      if (k + 1 < fill[v] && out.items[k + 1].pos <= cut.pos) continue;
      if (cut.memory == memory) continue;
      memory = cut.memory;
      out.items[to++] = cut;
    }
  }
  out.begin[n] = to;
  out.items.resize(to);
  return out;
}

}  // namespace

Grouped<Cut> DecideResidence(const Problem& problem, const Liveness& live,
                             const Intervals& intervals) {
  return Residence(problem, live, intervals).Run();
}

}  // namespace precast::regalloc
