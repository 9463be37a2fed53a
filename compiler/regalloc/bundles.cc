// Union-find over virtual registers; the most executed would-be moves are merged first.
#include "compiler/regalloc/bundles.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"

namespace precast::regalloc {
namespace {

// Merging two range lists costs their lengths. Beyond this, merging one by one would become
// quadratic.
constexpr size_t kMaxRangesInBundle = 1024;

class BundleBuilder {
 public:
  BundleBuilder(const Problem& p, const Intervals& intervals)
      : p_(p),
        intervals_(intervals),
        parent_(p.vreg_class.size()),
        lists_(parent_.size()),
        pool_(intervals.ranges.items) {
    for (uint32_t v = 0; v < parent_.size(); ++v) {
      parent_[v] = v;
      const uint32_t begin = intervals.ranges.begin[v];
      lists_[v] = {begin, intervals.ranges.begin[v + 1] - begin};
    }
  }

  Bundles Build() {
    struct Pair {
      VReg a, b;
      float weight;
    };
    // Those of a vreg lie together. Two values may meet on several edges.
    std::vector<Pair> pairs;
    std::vector<uint32_t> pair_of(parent_.size(), 0);  // by vreg: 1 + its last pair
    const Grouped<Hint>& hints = intervals_.hints;
    for (VReg v = 0; v < parent_.size(); ++v) {
      const size_t begin = pairs.size();
      for (uint32_t k = hints.begin[v]; k < hints.begin[v + 1]; ++k) {
        const Hint& hint = hints.items[k];
        // Every pair is hinted from both sides.
        if (!hint.is_vreg || hint.target >= v) continue;
        uint32_t& at = pair_of[hint.target];
        if (at > begin) {
          pairs[at - 1].weight += hint.weight;
        } else {
          pairs.push_back({v, hint.target, hint.weight});
          at = static_cast<uint32_t>(pairs.size());
        }
      }
    }
    // By descending weight, which is not negative, and place.
    std::vector<uint64_t> order;
    order.reserve(pairs.size());
    for (const Pair& pair : pairs) {
      order.push_back(uint64_t{~std::bit_cast<uint32_t>(pair.weight)} << 32 | order.size());
    }
    std::sort(order.begin(), order.end());
    for (uint64_t key : order) {
      const Pair& pair = pairs[static_cast<uint32_t>(key)];
      TryMerge(pair.a, pair.b);
    }
    Bundles out;
    out.of_vreg.resize(parent_.size());
    for (VReg v = 0; v < parent_.size(); ++v) out.of_vreg[v] = Find(v);
    return out;
  }

 private:
  // Ranges in ascending order, not touching: a part of pool_.
  struct List {
    uint32_t begin = 0, size = 0;
  };

  uint32_t Find(uint32_t v) {
    while (parent_[v] != v) {
      parent_[v] = parent_[parent_[v]];
      v = parent_[v];
    }
    return v;
  }

  absl::Span<const Range> RangesOf(const List& list) const {
    return absl::MakeConstSpan(pool_).subspan(list.begin, list.size);
  }

  // Whether two values are ever live at the same time. Looks at all of the first, and at little of
  // the second.
  static bool Overlap(absl::Span<const Range> few, absl::Span<const Range> many) {
    auto at = many.begin();
    for (const Range& range : few) {
      at = std::upper_bound(at, many.end(), range.from,
                            [](Pos from, const Range& other) { return from < other.to; });
      if (at == many.end()) return false;
      if (at->from < range.to) return true;
    }
    return false;
  }

  void TryMerge(VReg a, VReg b) {
    if (p_.vreg_class[a] != p_.vreg_class[b]) return;
    uint32_t x = Find(a);
    uint32_t y = Find(b);
    if (x == y) return;
    if (lists_[y].size < lists_[x].size) std::swap(x, y);
    if (lists_[x].size == 0 || lists_[x].size + lists_[y].size > kMaxRangesInBundle) return;
    if (Overlap(RangesOf(lists_[x]), RangesOf(lists_[y]))) return;
    if (y < x) std::swap(x, y);
    parent_[y] = x;
    const List merged = Merge(lists_[x], lists_[y]);
    lists_[x] = merged;
    lists_[y] = {};
    if (pool_.size() > 2 * intervals_.ranges.items.size() + kMaxRangesInBundle) Compact();
  }

  // Puts the ranges of both behind all others.
  List Merge(const List& x, const List& y) {
    const uint32_t begin = static_cast<uint32_t>(pool_.size());
    for (uint32_t i = x.begin, j = y.begin; i < x.begin + x.size || j < y.begin + y.size;) {
      const bool first =
          j == y.begin + y.size || (i < x.begin + x.size && pool_[i].from < pool_[j].from);
      const Range next = pool_[first ? i++ : j++];
      if (pool_.size() > begin && pool_.back().to == next.from) {
        pool_.back().to = next.to;
      } else {
        pool_.push_back(next);
      }
    }
    return {begin, static_cast<uint32_t>(pool_.size()) - begin};
  }

  // Drops the ranges that no list has any more.
  void Compact() {
    std::vector<Range> pool;
    pool.reserve(2 * intervals_.ranges.items.size() + 2 * kMaxRangesInBundle);
    for (List& list : lists_) {
      const absl::Span<const Range> ranges = RangesOf(list);
      list.begin = static_cast<uint32_t>(pool.size());
      pool.insert(pool.end(), ranges.begin(), ranges.end());
    }
    pool_ = std::move(pool);
  }

  const Problem& p_;
  const Intervals& intervals_;
  std::vector<uint32_t> parent_;
  std::vector<List> lists_;  // by representative
  std::vector<Range> pool_;
};

}  // namespace

Bundles BuildBundles(const Problem& problem, const Intervals& intervals) {
  return BundleBuilder(problem, intervals).Build();
}

}  // namespace precast::regalloc
