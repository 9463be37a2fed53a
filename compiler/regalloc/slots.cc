// First fit. A slot remembers in a bit set, eight instructions to the bit, where it is taken:
// coarse, but quick to test and never wrong in the dangerous direction. Time and space must stay
// near to linear: only so many slots have such sets. What fits none of them gets others, as in a
// linear scan: whoever comes next takes a slot whose last user is over.
#include "compiler/regalloc/slots.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <tuple>
#include <utility>
#include <vector>

namespace precast::regalloc {
namespace {

constexpr int kPosShift = 5;  // 4 positions an instruction, 8 instructions
constexpr size_t kMaxSearched = 512;
// Slots are shared within a pool.
constexpr size_t kNarrowPool = 0, kWidePool = 1, kVectorPool = 2, kNumPools = 3;

// Spilled vregs of a bundle that fits no searched slot, and from where to where they are live.
struct Leftover {
  size_t first, last;
  size_t begin, end;
};

class BitSet {
 public:
  explicit BitSet(size_t bits) : words_((bits + 63) / 64, 0) {}

  bool AnyIn(size_t first, size_t last) const {  // inclusive
    for (size_t w = first / 64; w <= last / 64; ++w) {
      if (words_[w] & Mask(w, first, last)) return true;
    }
    return false;
  }
  void Set(size_t first, size_t last) {
    for (size_t w = first / 64; w <= last / 64; ++w) words_[w] |= Mask(w, first, last);
  }

 private:
  static uint64_t Mask(size_t word, size_t first, size_t last) {
    uint64_t mask = ~uint64_t{0};
    if (word == first / 64) mask &= ~uint64_t{0} << (first % 64);
    if (word == last / 64) mask &= ~uint64_t{0} >> (63 - last % 64);
    return mask;
  }

  std::vector<uint64_t> words_;
};

}  // namespace

Slots AssignSlots(const Problem& p, const Intervals& in, const Bundles& bundles,
                  const Assignment& assignment) {
  const size_t n = p.vreg_class.size();
  Slots out;
  out.of_vreg.assign(n, kNoSlot);

  // Spilled vregs grouped by bundle, bundles in order of their representative.
  std::vector<std::pair<uint32_t, VReg>> spilled;
  std::vector<uint8_t> is_spilled(n, 0);  // bit 0: the vreg, bit 1: the bundle
  for (VReg v = 0; v < n; ++v) {
    for (uint32_t k = assignment.parts.begin[v]; k < assignment.parts.begin[v + 1]; ++k) {
      if (assignment.parts.items[k].home != kInSlot) continue;
      spilled.emplace_back(bundles.of_vreg[v], v);
      is_spilled[v] |= 1;
      is_spilled[bundles.of_vreg[v]] |= 2;
      break;
    }
  }
  // Block parameters that hand on what is in the slot anyway.
  for (VReg v : p.block_params) {
    if (is_spilled[v] & 1 || !(is_spilled[bundles.of_vreg[v]] & 2)) continue;
    if (in.ranges.begin[v] == in.ranges.begin[v + 1]) continue;
    spilled.emplace_back(bundles.of_vreg[v], v);
  }
  std::sort(spilled.begin(), spilled.end());

  const size_t bits = ((4 * p.insts.size()) >> kPosShift) + 1;
  std::vector<BitSet> taken[kNumPools];
  std::vector<uint32_t> number[kNumPools];  // of the slots in `taken`
  std::vector<Leftover> leftover[kNumPools];
  auto new_slot = [&](size_t pool) {
    if (pool != kVectorPool) out.int_wide.push_back(pool == kWidePool);
    return out.count[pool == kVectorPool ? 1 : 0]++;
  };
  std::vector<std::pair<size_t, size_t>> needed;
  for (size_t begin = 0, end = 0; begin < spilled.size(); begin = end) {
    needed.clear();
    bool wide = false;
    while (end < spilled.size() && spilled[end].first == spilled[begin].first) {
      const VReg v = spilled[end++].second;
      wide |= IsWide(p, v);
      for (uint32_t k = in.ranges.begin[v]; k < in.ranges.begin[v + 1]; ++k) {
        const Range& range = in.ranges.items[k];
        const size_t first = range.from >> kPosShift;
        const size_t last = (range.to - 1) >> kPosShift;
        if (!needed.empty() && first <= needed.back().second + 1 && first >= needed.back().first) {
          needed.back().second = std::max(needed.back().second, last);
        } else {
          needed.emplace_back(first, last);
        }
      }
    }
    const bool vector = p.vreg_class[spilled[begin].second] == RegClass::kVector;
    const size_t pool = vector ? kVectorPool : wide ? kWidePool : kNarrowPool;
    uint32_t at = 0;
    for (; at < taken[pool].size(); ++at) {
      const BitSet& set = taken[pool][at];
      if (std::none_of(needed.begin(), needed.end(),
                       [&](const auto& r) { return set.AnyIn(r.first, r.second); })) {
        break;
      }
    }
    if (at == kMaxSearched) {
      Leftover l = {needed[0].first, needed[0].second, begin, end};
      for (const auto& [first, last] : needed) {
        l.first = std::min(l.first, first);
        l.last = std::max(l.last, last);
      }
      leftover[pool].push_back(l);
      continue;
    }
    if (at == taken[pool].size()) {
      taken[pool].emplace_back(bits);
      number[pool].push_back(new_slot(pool));
    }
    for (const auto& [first, last] : needed) taken[pool][at].Set(first, last);
    for (size_t k = begin; k < end; ++k) out.of_vreg[spilled[k].second] = number[pool][at];
  }
  for (size_t pool = 0; pool < kNumPools; ++pool) {
    std::sort(leftover[pool].begin(), leftover[pool].end(),
              [](const Leftover& a, const Leftover& b) {
                return std::tie(a.first, a.begin) < std::tie(b.first, b.begin);
              });
    // By the end of the last use: slots that may be taken after it.
    using Busy = std::pair<size_t, uint32_t>;
    std::priority_queue<Busy, std::vector<Busy>, std::greater<>> busy;
    for (const Leftover& l : leftover[pool]) {
      uint32_t slot;
      if (!busy.empty() && busy.top().first < l.first) {
        slot = busy.top().second;
        busy.pop();
      } else {
        slot = new_slot(pool);
      }
      busy.emplace(l.last, slot);
      for (size_t k = l.begin; k < l.end; ++k) out.of_vreg[spilled[k].second] = slot;
    }
  }
  return out;
}

}  // namespace precast::regalloc
