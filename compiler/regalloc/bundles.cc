// Union-find over virtual registers; the most executed would-be moves are merged first.
#include "compiler/regalloc/bundles.h"

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"

namespace precast::regalloc {
namespace {

// Merging two range lists costs their lengths. Beyond this, merging one by one would become
// quadratic.
constexpr size_t kMaxRangesInBundle = 1024;

class BundleBuilder {
 public:
  BundleBuilder(const Problem& p, const Intervals& intervals)
      : p_(p), intervals_(intervals), parent_(p.vreg_class.size()), merged_(parent_.size()) {
    for (uint32_t v = 0; v < parent_.size(); ++v) parent_[v] = v;
  }

  Bundles Build() {
    struct Pair {
      float weight;
      VReg a, b;
    };
    std::vector<Pair> pairs;
    const Grouped<Hint>& hints = intervals_.hints;
    for (VReg v = 0; v < parent_.size(); ++v) {
      for (uint32_t k = hints.begin[v]; k < hints.begin[v + 1]; ++k) {
        // Every pair is hinted from both sides.
        if (hints.items[k].is_vreg && hints.items[k].target < v) {
          pairs.push_back({hints.items[k].weight, v, hints.items[k].target});
        }
      }
    }
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const Pair& x, const Pair& y) { return x.weight > y.weight; });
    for (const Pair& pair : pairs) TryMerge(pair.a, pair.b);
    Bundles out;
    out.of_vreg.resize(parent_.size());
    for (VReg v = 0; v < parent_.size(); ++v) out.of_vreg[v] = Find(v);
    return out;
  }

 private:
  uint32_t Find(uint32_t v) {
    while (parent_[v] != v) {
      parent_[v] = parent_[parent_[v]];
      v = parent_[v];
    }
    return v;
  }

  // Only a representative with several members owns a list; a single one uses the vreg's ranges.
  absl::Span<const Range> RangesOf(uint32_t root) const {
    if (!merged_[root].empty()) return merged_[root];
    const Grouped<Range>& ranges = intervals_.ranges;
    return absl::MakeConstSpan(ranges.items)
        .subspan(ranges.begin[root], ranges.begin[root + 1] - ranges.begin[root]);
  }

  void TryMerge(VReg a, VReg b) {
    if (p_.vreg_class[a] != p_.vreg_class[b]) return;
    uint32_t x = Find(a);
    uint32_t y = Find(b);
    if (x == y) return;
    const absl::Span<const Range> rx = RangesOf(x);
    const absl::Span<const Range> ry = RangesOf(y);
    if (rx.empty() || ry.empty() || rx.size() + ry.size() > kMaxRangesInBundle) return;
    std::vector<Range>& all = scratch_;
    all.clear();
    size_t i = 0;
    size_t j = 0;
    while (i < rx.size() || j < ry.size()) {
      const bool first = j == ry.size() || (i < rx.size() && rx[i].from < ry[j].from);
      const Range next = first ? rx[i++] : ry[j++];
      if (!all.empty() && all.back().to > next.from) return;  // live at the same time
      if (!all.empty() && all.back().to == next.from) {
        all.back().to = next.to;
      } else {
        all.push_back(next);
      }
    }
    if (y < x) std::swap(x, y);
    parent_[y] = x;
    merged_[x].assign(all.begin(), all.end());
    merged_[y] = {};
  }

  const Problem& p_;
  const Intervals& intervals_;
  std::vector<uint32_t> parent_;
  std::vector<absl::InlinedVector<Range, 2>> merged_;
  std::vector<Range> scratch_;
};

}  // namespace

Bundles BuildBundles(const Problem& problem, const Intervals& intervals) {
  return BundleBuilder(problem, intervals).Build();
}

}  // namespace precast::regalloc
