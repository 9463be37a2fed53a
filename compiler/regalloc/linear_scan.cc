// Linear scan with lifetime holes and interval splitting (Wimmer and Mössenböck, "Optimized
// Interval Splitting in a Linear Scan Register Allocator"). Intervals are taken in order of their
// beginning. Each gets a register that is free for all of it; or one that is free for its next
// uses, the rest being cut off; or the register of the interval that loses least by giving it up.
// What does not get a register lives in memory up to its next use that is worth a reload, which is
// again an interval. That happens only where the estimates of residence.h, which decides beforehand
// what is in memory where, were not right.
//
// Cuts are made in gaps, at the place that costs least (split_points.h). Only a part that goes to
// memory may begin inside an instruction, if the value was in its register when the instruction
// began.
#include "compiler/regalloc/linear_scan.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "compiler/regalloc/residence.h"
#include "compiler/regalloc/split_points.h"
#include "compiler/stable_sort.h"

namespace precast::regalloc {
namespace {

constexpr uint32_t kNil = ~uint32_t{0};
constexpr int8_t kUnassigned = -1;
// A hole longer than this is not kept reserved: the interval is cut there, so that the scan never
// has many intervals to watch. The second half gets a hint for the same register.
constexpr Pos kLongHole = 4 * 48;
// An operand that may be in memory is not reloaded for its own sake, only if the next use is this
// near.
constexpr Pos kReloadDistance = 4 * 20;
// Hints looked at per decision.
constexpr uint32_t kMaxHints = 8;

struct Interval {
  VReg vreg = 0;
  Pos from = 0, to = 0;
  uint32_t range_begin = 0,
           range_end = 0;  // first and last + 1 of the vreg's ranges that it touches
  uint32_t cursor = 0;     // first range that ends after the current position
  uint32_t use_begin = 0;  // first of the vreg's uses at or after `from`
  uint32_t next = kNil;    // following part of the same vreg
  int8_t home = kUnassigned;
};

class Scan {
 public:
  Scan(const Problem& p, const Liveness& live, const Intervals& in, const Bundles& bundles)
      : p_(p), live_(live), in_(in), bundles_(bundles), split_points_(p, live) {
    for (int cls = 0; cls < kNumClasses; ++cls) {
      registers_[cls] = p.allocatable & PRegSet{0xffff} << (16 * cls);
    }
  }

  Assignment Run();

 private:
  struct PerRegister {
    uint32_t active = kNil;
    Pos active_end = 0;              // end of the current range of `active`
    std::vector<uint32_t> inactive;  // intervals in a hole that come back
    Pos inactive_next = kNever;      // earliest point at which one of them comes back
    Pos event = kNever;              // nothing changes before
    uint32_t reserved_cursor = 0;
  };

  void MakeInitialIntervals();
  void SortInitial();
  void SortByPull(absl::Span<uint64_t> keys);
  float PullOf(const Interval& x) const;
  void Keep(uint32_t id, bool memory);
  uint32_t PopNext();
  void Requeue(uint32_t id);
  void AdvanceTo(RegClass cls, Pos pos);
  bool TryFree(uint32_t id);
  void TakeFromOther(uint32_t id);
  void Assign(uint32_t id, int r);
  void Evict(uint32_t id, Pos pos);
  void CutBefore(uint32_t id, Pos blocked);
  void SendToSlot(uint32_t id, Pos reload_min);
  uint32_t Split(uint32_t id, Pos pos);

  // The part of range k that belongs to the interval.
  Range Clip(const Interval& x, uint32_t k) const {
    const Range& r = in_.ranges.items[k];
    return {std::max(r.from, x.from), std::min(r.to, x.to)};
  }
  uint32_t UseEnd(const Interval& x) const { return in_.uses.begin[x.vreg + 1]; }
  uint32_t FindUse(const Interval& x, Pos pos) const;
  Pos FirstIntersection(const Interval& a, const Interval& b, Pos from, Pos limit) const;
  Pos FirstReserved(int r, const Interval& x, Pos limit);
  Pos FreeUntil(int r, const Interval& x);
  Pos NeededEnd(const Interval& x) const;
  bool MayEvict(const Interval& x, Pos pos) const;
  float EvictionGain(const Interval& x, Pos pos) const;
  void ScoreHints(const Interval& x);
  float FrequencyAt(Pos pos) const {
    return p_.blocks[live_.inst_block[std::min<size_t>(InstOf(pos), live_.inst_block.size() - 1)]]
        .frequency;
  }

  const Problem& p_;
  const Liveness& live_;
  const Intervals& in_;
  const Bundles& bundles_;
  SplitPoints split_points_;
  // By register index, ascending, as everything that looks at several of them does.
  PRegSet registers_[kNumClasses];
  PRegSet occupied_ = 0;  // those with an active interval
  PRegSet watched_ = 0;   // those with an active or an inactive one, and maybe others
  PerRegister state_[32];
  Pos next_event_[kNumClasses] = {0, 0};           // nothing becomes active or inactive before
  std::vector<Interval> intervals_;                // the first part of vreg v has index v
  std::vector<uint32_t> initial_;                  // descending by beginning
  std::vector<uint32_t> requeued_;                 // heap
  std::vector<std::pair<float, uint64_t>> pulls_;  // room for SortByPull
  std::vector<int8_t> last_home_;                  // by vreg: register it got last, or kUnassigned
  std::vector<int8_t> bundle_home_;                // by representative
  float score_[32] = {};  // by register: what the hints of the interval at hand say
  PRegSet scored_ = 0;    // where that is not 0
  // By range: the first range of the vreg after the next long hole.
  std::vector<uint32_t> after_hole_;
  std::optional<InstIndex> conflict_;
};

void Scan::MakeInitialIntervals() {
  const size_t n = p_.vreg_class.size();
  const Grouped<Cut> cuts = DecideResidence(p_, live_, in_);
  intervals_.reserve(n + n / 4 + cuts.items.size());
  last_home_.assign(n, kUnassigned);
  bundle_home_.assign(n, kUnassigned);
  // Written where they stay: a copy of what has just been written in parts waits for it.
  intervals_.resize(n);
  for (VReg v = 0; v < n; ++v) {
    const uint32_t begin = in_.ranges.begin[v];
    const uint32_t end = in_.ranges.begin[v + 1];
    Interval& x = intervals_[v];
    x.vreg = v;
    x.range_begin = x.cursor = begin;
    x.range_end = end;
    x.use_begin = in_.uses.begin[v];
    if (begin == end) continue;
    x.from = in_.ranges.items[begin].from;
    x.to = in_.ranges.items[end - 1].to;
  }
  after_hole_.resize(in_.ranges.items.size());
  for (VReg v = 0; v < n; ++v) {
    uint32_t later = in_.ranges.begin[v + 1];
    for (uint32_t k = later; k-- > in_.ranges.begin[v];) {
      after_hole_[k] = later;
      if (k > in_.ranges.begin[v] &&
          in_.ranges.items[k].from - in_.ranges.items[k - 1].to > kLongHole) {
        later = k;
      }
    }
  }
  for (VReg v = 0; v < n; ++v) {
    if (in_.ranges.begin[v] == in_.ranges.begin[v + 1]) continue;
    bool memory = false;
    uint32_t id = v;
    for (uint32_t k = cuts.begin[v]; k < cuts.begin[v + 1]; ++k) {
      const Cut& cut = cuts.items[k];
      const Interval& x = intervals_[id];
      if (cut.pos >= x.to) break;
      if (cut.pos > x.from) {
        const uint32_t rest = Split(id, cut.pos);
        Keep(id, memory);
        id = rest;
      }
      memory = cut.memory;
    }
    Keep(id, memory);
  }
  SortInitial();
}

// Descending by beginning and number. Nearly every instruction begins one or two.
void Scan::SortInitial() {
  // Where in `keys` each instruction's intervals begin, then where they end; the last instruction
  // comes first.
  std::vector<uint32_t> at(p_.insts.size() + 2, 0);
  const auto bucket = [&](uint32_t id) {
    return p_.insts.size() - std::min<size_t>(InstOf(intervals_[id].from), p_.insts.size());
  };
  for (uint32_t id : initial_) ++at[bucket(id) + 1];
  for (size_t k = 1; k < at.size(); ++k) at[k] += at[k - 1];
  std::vector<uint64_t> keys(initial_.size());
  for (auto id = initial_.rbegin(); id != initial_.rend(); ++id) {
    keys[at[bucket(*id)]++] = uint64_t{intervals_[*id].from} << 32 | *id;
  }
  uint32_t begin = 0;
  for (uint32_t end : at) {
    if (end - begin > 1) StableSort(keys.begin() + begin, keys.begin() + end, std::greater<>());
    SortByPull(absl::MakeSpan(keys).subspan(begin, end - begin));
    begin = end;
  }
  for (size_t k = 0; k < keys.size(); ++k) initial_[k] = static_cast<uint32_t>(keys[k]);
}

// Of those that begin at the same place, what gains most by a certain register comes first, which
// is last: somebody to whom all are alike would take it.
void Scan::SortByPull(absl::Span<uint64_t> keys) {
  for (size_t from = 0, to; from < keys.size(); from = to) {
    to = from + 1;
    while (to < keys.size() && keys[to] >> 32 == keys[from] >> 32) ++to;
    if (to - from < 2) continue;
    pulls_.clear();
    for (size_t k = from; k < to; ++k) {
      pulls_.emplace_back(PullOf(intervals_[static_cast<uint32_t>(keys[k])]), keys[k]);
    }
    StableSort(pulls_.begin(), pulls_.end(),
               [](const auto& a, const auto& b) { return a.first < b.first; });
    for (size_t k = from; k < to; ++k) keys[k] = pulls_[k - from].second;
  }
}

// What the strongest hint at a register saves.
float Scan::PullOf(const Interval& x) const {
  float pull = 0;
  const uint32_t begin = in_.hints.begin[x.vreg];
  const uint32_t end = std::min(in_.hints.begin[x.vreg + 1], begin + kMaxHints);
  for (uint32_t k = begin; k < end; ++k) {
    const Hint& hint = in_.hints.items[k];
    if (!hint.is_vreg && hint.pos <= x.to) pull = std::max(pull, hint.weight);
  }
  return pull;
}

// A part as it was decided beforehand, except that an operand has the last word.
void Scan::Keep(uint32_t id, bool memory) {
  Interval& x = intervals_[id];
  for (uint32_t k = x.use_begin; memory && k < UseEnd(x) && in_.uses.items[k].pos < x.to; ++k) {
    memory = in_.uses.items[k].kind != UseKind::kMust;
  }
  if (memory) {
    x.home = kInSlot;
  } else {
    initial_.push_back(id);
  }
}

uint32_t Scan::PopNext() {
  const auto later = [this](uint32_t a, uint32_t b) {
    return std::pair(intervals_[a].from, a) > std::pair(intervals_[b].from, b);
  };
  if (requeued_.empty() && initial_.empty()) return kNil;
  if (requeued_.empty() || (!initial_.empty() && intervals_[initial_.back()].from <
                                                     intervals_[requeued_.front()].from)) {
    const uint32_t id = initial_.back();
    initial_.pop_back();
    return id;
  }
  std::pop_heap(requeued_.begin(), requeued_.end(), later);
  const uint32_t id = requeued_.back();
  requeued_.pop_back();
  return id;
}

void Scan::Requeue(uint32_t id) {
  requeued_.push_back(id);
  std::push_heap(requeued_.begin(), requeued_.end(), [this](uint32_t a, uint32_t b) {
    return std::pair(intervals_[a].from, a) > std::pair(intervals_[b].from, b);
  });
}

// Makes `active` mean "occupies the register at pos".
void Scan::AdvanceTo(RegClass cls, Pos pos) {
  Pos& next_event = next_event_[static_cast<int>(cls)];
  if (pos < next_event) return;
  next_event = kNever;
  for (PRegSet rest = watched_ & registers_[static_cast<int>(cls)]; rest != 0; rest &= rest - 1) {
    const int r = __builtin_ctz(rest);
    const PRegSet bit = PRegSet{1} << r;
    PerRegister& s = state_[r];
    if (pos < s.event) {
      next_event = std::min(next_event, s.event);
      continue;
    }
    if (s.active != kNil && s.active_end <= pos) {
      Interval& x = intervals_[s.active];
      while (x.cursor < x.range_end && Clip(x, x.cursor).to <= pos) ++x.cursor;
      if (x.cursor == x.range_end) {
        s.active = kNil;
      } else if (Clip(x, x.cursor).from > pos) {
        s.inactive.push_back(s.active);
        s.inactive_next = std::min(s.inactive_next, Clip(x, x.cursor).from);
        s.active = kNil;
      } else {
        s.active_end = Clip(x, x.cursor).to;
      }
    }
    if (s.inactive_next <= pos) {
      s.inactive_next = kNever;
      size_t kept = 0;
      for (uint32_t id : s.inactive) {
        Interval& x = intervals_[id];
        while (x.cursor < x.range_end && Clip(x, x.cursor).to <= pos) ++x.cursor;
        if (x.cursor == x.range_end) continue;
        const Range range = Clip(x, x.cursor);
        if (range.from <= pos) {
          CHECK_EQ(s.active, kNil) << "two values in one register at " << pos;
          s.active = id;
          s.active_end = range.to;
        } else {
          s.inactive_next = std::min(s.inactive_next, range.from);
          s.inactive[kept++] = id;
        }
      }
      s.inactive.resize(kept);
    }
    s.event = s.inactive_next;
    occupied_ &= ~bit;
    if (s.active != kNil) {
      occupied_ |= bit;
      s.event = std::min(s.event, s.active_end);
    } else if (s.inactive.empty()) {
      watched_ &= ~bit;
    }
    next_event = std::min(next_event, s.event);
  }
}

// First use of the vreg at or after pos.
uint32_t Scan::FindUse(const Interval& x, Pos pos) const {
  uint32_t k = x.use_begin;
  const uint32_t end = UseEnd(x);
  for (int steps = 0; k < end && in_.uses.items[k].pos < pos; ++k) {
    if (++steps < 8) continue;
    const auto at = std::lower_bound(in_.uses.items.begin() + k, in_.uses.items.begin() + end, pos,
                                     [](const Use& use, Pos at) { return use.pos < at; });
    return static_cast<uint32_t>(at - in_.uses.items.begin());
  }
  return k;
}

// Cuts the interval at pos, from < pos < to. The second part begins at pos, or where the value is
// next live.
uint32_t Scan::Split(uint32_t id, Pos pos) {
  const uint32_t child_id = static_cast<uint32_t>(intervals_.size());
  Interval& x = intervals_[id];
  CHECK(x.from < pos && pos < x.to) << "cut of v" << x.vreg << " at " << pos;
  const auto begin = in_.ranges.items.begin();
  // First range that ends after pos.
  const uint32_t k = static_cast<uint32_t>(
      std::upper_bound(begin + x.range_begin, begin + x.range_end, pos,
                       [](Pos at, const Range& range) { return at < range.to; }) -
      begin);
  Interval child = x;
  child.from = std::max(pos, in_.ranges.items[k].from);
  child.range_begin = k;
  child.cursor = k;
  child.use_begin = FindUse(x, child.from);
  child.home = kUnassigned;
  x.next = child_id;
  x.range_end = in_.ranges.items[k].from < pos ? k + 1 : k;
  x.to = std::min(pos, in_.ranges.items[x.range_end - 1].to);
  intervals_.push_back(child);
  return child_id;
}

Pos Scan::FirstIntersection(const Interval& a, const Interval& b, Pos from, Pos limit) const {
  uint32_t i = a.cursor;
  uint32_t j = b.cursor;
  while (i < a.range_end && j < b.range_end) {
    const Range x = Clip(a, i);
    const Range y = Clip(b, j);
    const Pos start = std::max({x.from, y.from, from});
    if (start >= limit) return limit;
    if (start < std::min(x.to, y.to)) return start;
    if (x.to <= y.to) {
      ++i;
    } else {
      ++j;
    }
  }
  return limit;
}

Pos Scan::FirstReserved(int r, const Interval& x, Pos limit) {
  const std::vector<Range>& reserved = in_.reserved[r];
  uint32_t& cursor = state_[r].reserved_cursor;
  while (cursor < reserved.size() && reserved[cursor].to <= x.from) ++cursor;
  if (cursor == reserved.size() || reserved[cursor].from >= limit) return limit;
  uint32_t k = cursor;
  for (uint32_t i = x.range_begin; i < x.range_end && k < reserved.size(); ++i) {
    const Range range = Clip(x, i);
    if (reserved[k].to <= range.from) {
      k = static_cast<uint32_t>(std::upper_bound(reserved.begin() + k, reserved.end(), range.from,
                                                 [](Pos at, const Range& y) { return at < y.to; }) -
                                reserved.begin());
      if (k == reserved.size()) break;
    }
    if (range.from >= limit) return limit;
    if (reserved[k].from < range.to) return std::min(limit, std::max(reserved[k].from, range.from));
  }
  return limit;
}

// Where x could stay in register r, which is not occupied, until.
Pos Scan::FreeUntil(int r, const Interval& x) {
  const PerRegister& s = state_[r];
  Pos limit = FirstReserved(r, x, x.to);
  if (s.inactive_next < limit) {
    for (uint32_t id : s.inactive) limit = FirstIntersection(x, intervals_[id], x.from, limit);
  }
  return limit;
}

// How far x has to stay in one register, beginning now, for the instruction it begins at.
Pos Scan::NeededEnd(const Interval& x) const {
  const Pos inst_end = GapAtOrBefore(x.from) + 4;
  const uint32_t end = UseEnd(x);
  Pos needed = x.from;
  for (uint32_t k = x.use_begin; k < end && in_.uses.items[k].pos < inst_end; ++k) {
    const Use& use = in_.uses.items[k];
    if (use.kind == UseKind::kMust) needed = (x.from & 3) ? inst_end : use.pos + 1;
  }
  return needed;
}

// Whether x, which occupies a register, can be in memory from pos on.
bool Scan::MayEvict(const Interval& x, Pos pos) const {
  const Pos gap = GapAtOrBefore(pos);
  if (x.from > gap) return false;
  // Nor if its definition writes the register in this instruction.
  const auto range =
      std::upper_bound(in_.ranges.items.begin() + x.cursor, in_.ranges.items.begin() + x.range_end,
                       pos, [](Pos at, const Range& r) { return at < r.to; });
  if (range->from > gap) return false;
  const uint32_t end = UseEnd(x);
  for (uint32_t k = FindUse(x, pos); k < end && in_.uses.items[k].pos < gap + 4; ++k) {
    if (in_.uses.items[k].kind == UseKind::kMust) return false;
    // Must stay as it is from the early to the late point.
    if (in_.uses.items[k].pos == gap + 3 && pos == gap + 3) return false;
  }
  return true;
}

// Distance to the next use. (Weighing it by how often that use is executed made loops worse, not
// better.)
float Scan::EvictionGain(const Interval& x, Pos pos) const {
  const uint32_t k = FindUse(x, pos);
  if (k >= UseEnd(x)) return std::numeric_limits<float>::max();
  const Pos use = in_.uses.items[k].pos;
  if (use >= x.to) return std::numeric_limits<float>::max();
  return static_cast<float>(use - pos);
}

// Fills in score_, and scored_ with those that are not 0.
void Scan::ScoreHints(const Interval& x) {
  for (; scored_ != 0; scored_ &= scored_ - 1) score_[__builtin_ctz(scored_)] = 0;
  const auto add = [&](int r, float weight) {
    if (r < 0) return;
    score_[r] += weight;
    scored_ |= PRegSet{1} << r;
  };
  const auto items = in_.hints.items.begin();
  const auto end = items + in_.hints.begin[x.vreg + 1];
  auto it = items + in_.hints.begin[x.vreg];
  // Most intervals are the first of their vregs.
  if (it != end && it->pos < GapAtOrBefore(x.from)) {
    it = std::lower_bound(it + 1, end, GapAtOrBefore(x.from),
                          [](const Hint& h, Pos at) { return h.pos < at; });
  }
  for (uint32_t seen = 0; it != end && it->pos <= x.to && seen < kMaxHints; ++it, ++seen) {
    int r = static_cast<int>(it->target);
    if (it->is_vreg) r = last_home_[it->target];
    add(r, it->weight);
  }
  const int8_t before = last_home_[x.vreg];
  const int8_t bundle = bundle_home_[bundles_.of_vreg[x.vreg]];
  if (before < 0 && bundle < 0) return;
  const float frequency = FrequencyAt(x.from);
  add(before, frequency);
  add(bundle, 0.5f * frequency);
}

void Scan::Assign(uint32_t id, int r) {
  Interval& x = intervals_[id];
  PerRegister& s = state_[r];
  CHECK_EQ(s.active, kNil);
  x.home = static_cast<int8_t>(r);
  s.active = id;
  s.active_end = Clip(x, x.cursor).to;
  s.event = std::min(s.active_end, s.inactive_next);
  occupied_ |= PRegSet{1} << r;
  watched_ |= PRegSet{1} << r;
  Pos& next_event = next_event_[static_cast<int>(p_.vreg_class[x.vreg])];
  next_event = std::min(next_event, s.active_end);
  last_home_[x.vreg] = x.home;
  bundle_home_[bundles_.of_vreg[x.vreg]] = x.home;
}

// The interval has a register from its beginning, but can keep it only up to `blocked`: cuts off
// the rest.
void Scan::CutBefore(uint32_t id, Pos blocked) {
  const Interval& x = intervals_[id];
  // Last use before.
  uint32_t k = FindUse(x, blocked);
  const Pos last_use = k > x.use_begin ? in_.uses.items[k - 1].pos : x.from;
  const Pos max = GapAtOrBefore(blocked);
  const Pos min = GapAtOrAfter(last_use + 1);
  if (min <= max && max > x.from) {
    Requeue(Split(id, split_points_.Cheapest(min, max)));
    return;
  }
  // A use in the very instruction that takes the register away. If the rest can begin in memory, no
  // move is needed; or else the use goes with the rest, to another register.
  if (blocked > max && x.from <= max && MayEvict(x, blocked)) {
    const uint32_t rest = Split(id, blocked);
    SendToSlot(rest, intervals_[rest].from + 1);
    return;
  }
  CHECK_GT(max, x.from);
  Requeue(Split(id, max));
}

// The interval lives in memory from its beginning; if a later use is worth it, a reload is queued
// for some point between reload_min and that use.
void Scan::SendToSlot(uint32_t id, Pos reload_min) {
  const Interval& x = intervals_[id];
  intervals_[id].home = kInSlot;
  const Pos next_inst = GapAtOrBefore(x.from) + 4;
  const uint32_t end = UseEnd(x);
  for (uint32_t k = FindUse(x, next_inst); k < end; ++k) {
    const Use& use = in_.uses.items[k];
    if (use.pos >= x.to) return;
    if (use.kind == UseKind::kWeak) continue;
    if (use.kind == UseKind::kShould && use.pos < GapAtOrAfter(reload_min)) continue;
    const Pos max = GapAtOrBefore(use.pos);
    const Pos min = std::min(GapAtOrAfter(std::max(reload_min, x.from + 1)), max);
    const Pos reload = split_points_.Cheapest(min, max);
    if (use.kind == UseKind::kShould && FrequencyAt(reload) >= FrequencyAt(use.pos)) {
      // The use may as well read memory, unless the register would serve another one soon.
      uint32_t next = k + 1;
      while (next < end && in_.uses.items[next].kind == UseKind::kWeak) ++next;
      if (next == end || in_.uses.items[next].pos > use.pos + kReloadDistance) continue;
    }
    Requeue(Split(id, reload));
    return;
  }
}

// Takes x out of its register at pos.
void Scan::Evict(uint32_t id, Pos pos) {
  const Interval& x = intervals_[id];
  const uint32_t k = FindUse(x, pos);
  const Pos last_use = k > x.use_begin ? in_.uses.items[k - 1].pos : x.from;
  const Pos max = GapAtOrBefore(pos);
  const Pos min = GapAtOrAfter(last_use + 1);
  uint32_t rest = id;
  if (min <= max && max > x.from) {
    rest = Split(id, split_points_.Cheapest(min, max));
  } else if (pos > x.from) {
    rest = Split(id, pos);
  }
  // Memory parts do not occupy a register, so one may begin before pos; a reload may not.
  SendToSlot(rest, pos + 1);
}

bool Scan::TryFree(uint32_t id) {
  const Interval& x = intervals_[id];
  const int cls = static_cast<int>(p_.vreg_class[x.vreg]);
  ScoreHints(x);
  const float* const score = score_;
  const Pos needed = NeededEnd(x);
  int best = -1;
  Pos best_free = 0;
  for (PRegSet rest = registers_[cls] & ~occupied_; rest != 0; rest &= rest - 1) {
    const int r = __builtin_ctz(rest);
    // One that is free for all of it is given up only for one with a higher score.
    if (best >= 0 && best_free >= x.to) {
      rest &= scored_ | PRegSet{1} << r;
      if (score[r] <= score[best]) continue;
    }
    const Pos free = FreeUntil(r, x);
    if (free <= x.from || free < needed) continue;
    bool better = best < 0;
    if (!better) {
      const bool full = free >= x.to;
      const bool best_full = best_free >= x.to;
      if (full != best_full) {
        better = full;
      } else if (full) {
        better = score[r] > score[best];
      } else {
        better = score[r] > score[best]
                     ? free - x.from >= (best_free - x.from) / 2
                     : free > best_free &&
                           (score[r] == score[best] || (free - x.from) / 2 > best_free - x.from);
      }
    }
    if (better) {
      best = r;
      best_free = free;
    }
  }
  if (best < 0) return false;
  if (best_free >= x.to) {
    Assign(id, best);
    return true;
  }
  // Free only for a while: worth it if that covers a use, or else memory does as well.
  const uint32_t k = FindUse(x, x.from);
  const Pos first_use = k < UseEnd(x) ? in_.uses.items[k].pos : kNever;
  if (first_use >= best_free) {
    SendToSlot(id, best_free);
    return true;
  }
  // The cut must leave something.
  const Pos gap = GapAtOrBefore(best_free);
  if (gap <= x.from && !(best_free > gap && x.from <= gap && MayEvict(x, best_free))) return false;
  CutBefore(id, best_free);
  Assign(id, best);
  return true;
}

void Scan::TakeFromOther(uint32_t id) {
  const Pos pos = intervals_[id].from;
  const Pos needed = NeededEnd(intervals_[id]);
  const bool must = needed > pos;
  int best = -1;
  float best_gain = must ? -1.0f : EvictionGain(intervals_[id], pos);
  Pos best_reserved = 0;
  const int cls = static_cast<int>(p_.vreg_class[intervals_[id].vreg]);
  for (PRegSet rest = registers_[cls]; rest != 0; rest &= rest - 1) {
    const int r = __builtin_ctz(rest);
    const Interval& x = intervals_[id];
    const PerRegister& s = state_[r];
    const Pos reserved = FirstReserved(r, x, x.to);
    if (reserved <= pos || reserved < needed) continue;
    if (reserved < x.to) {
      const Pos gap = GapAtOrBefore(reserved);
      if (gap <= pos && !(reserved > gap && pos <= gap && MayEvict(x, reserved))) continue;
    }
    float gain = std::numeric_limits<float>::max();
    if (s.active != kNil) {
      if (!MayEvict(intervals_[s.active], pos)) continue;
      gain = EvictionGain(intervals_[s.active], pos);
    }
    for (uint32_t other : s.inactive) {
      if (FirstIntersection(x, intervals_[other], pos, x.to) < x.to) {
        gain = std::min(gain, EvictionGain(intervals_[other], pos));
      }
    }
    if (gain > best_gain || (best >= 0 && gain == best_gain && reserved > best_reserved)) {
      best = r;
      best_gain = gain;
      best_reserved = reserved;
    }
  }
  if (best < 0) {
    if (must) {
      conflict_ = InstOf(pos);
    } else {
      SendToSlot(id, pos + 1);
    }
    return;
  }
  PerRegister& s = state_[best];
  if (s.active != kNil) {
    const uint32_t victim = s.active;
    s.active = kNil;
    Evict(victim, pos);
  }
  // Those that come back later and would collide are cut in their hole and looked at again then.
  size_t kept = 0;
  for (size_t k = 0; k < s.inactive.size(); ++k) {
    const uint32_t other = s.inactive[k];
    const Interval& x = intervals_[id];
    if (FirstIntersection(x, intervals_[other], pos, x.to) < x.to) {
      if (pos > intervals_[other].from) Requeue(Split(other, pos));
    } else {
      s.inactive[kept++] = other;
    }
  }
  s.inactive.resize(kept);
  if (best_reserved < intervals_[id].to) CutBefore(id, best_reserved);
  Assign(id, best);
}

Assignment Scan::Run() {
  Assignment out;
  MakeInitialIntervals();
  for (uint32_t id = PopNext(); id != kNil; id = PopNext()) {
    // Leave what comes after a long hole for later.
    const uint32_t later = after_hole_[intervals_[id].range_begin];
    if (later < intervals_[id].range_end) Requeue(Split(id, in_.ranges.items[later].from - 1));
    AdvanceTo(p_.vreg_class[intervals_[id].vreg], intervals_[id].from);
    if (!TryFree(id)) TakeFromOther(id);
    if (conflict_) {
      out.conflict = conflict_;
      return out;
    }
  }
  const size_t n = p_.vreg_class.size();
  out.parts.begin.assign(n + 1, 0);
  out.parts.items.reserve(intervals_.size());
  for (VReg v = 0; v < n; ++v) {
    for (uint32_t id = v; id != kNil && intervals_[id].to != 0; id = intervals_[id].next) {
      const Interval& x = intervals_[id];
      out.parts.items.push_back({x.from, x.to, x.home});
    }
    out.parts.begin[v + 1] = static_cast<uint32_t>(out.parts.items.size());
  }
  return out;
}

}  // namespace

Assignment LinearScan(const Problem& problem, const Liveness& live, const Intervals& intervals,
                      const Bundles& bundles) {
  return Scan(problem, live, intervals, bundles).Run();
}

}  // namespace precast::regalloc
