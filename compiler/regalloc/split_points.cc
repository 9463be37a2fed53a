// A sparse table answers "cheapest boundary in this stretch of blocks" in constant time.
#include "compiler/regalloc/split_points.h"

#include <algorithm>
#include <bit>

namespace precast::regalloc {

SplitPoints::SplitPoints(const Problem& p, const Liveness& live) : problem_(p), live_(live) {
  const size_t n = p.blocks.size();
  std::vector<double> change(n + 1, 0.0);
  for (BlockIndex b = 0; b < n; ++b) {
    const Block& block = p.blocks[b];
    for (uint32_t e = 0; e < block.succs_count; ++e) {
      const BlockIndex t = p.edges[block.succs_begin + e].target;
      // The boundary before block x is crossed if exactly one side is below x.
      const double f = std::min(block.frequency, p.blocks[t].frequency);
      change[std::min(b, t) + 1] += f;
      change[std::max(b, t) + 1 > n ? n : std::max(b, t) + 1] -= f;
    }
  }
  crossing_.resize(n);
  double sum = 0;
  for (size_t b = 0; b < n; ++b) {
    sum += change[b];
    crossing_[b] = static_cast<float>(sum);
  }
  levels_.emplace_back(n);
  for (BlockIndex b = 0; b < n; ++b) levels_[0][b] = b;
  for (size_t width = 2; width <= n; width *= 2) {
    const std::vector<BlockIndex>& below = levels_.back();
    std::vector<BlockIndex> level(n - width + 1);
    for (size_t b = 0; b < level.size(); ++b) {
      const BlockIndex left = below[b];
      const BlockIndex right = below[b + width / 2];
      level[b] = crossing_[left] < crossing_[right] ? left : right;
    }
    levels_.push_back(std::move(level));
  }
}

BlockIndex SplitPoints::CheapestBoundary(BlockIndex first, BlockIndex last) const {
  const uint32_t count = last - first + 1;
  const uint32_t k = std::bit_width(count) - 1;
  const BlockIndex left = levels_[k][first];
  const BlockIndex right = levels_[k][last + 1 - (1u << k)];
  return crossing_[left] < crossing_[right] ? left : right;
}

Pos SplitPoints::Cheapest(Pos min, Pos max) const {
  const InstIndex last_inst = static_cast<InstIndex>(problem_.insts.size() - 1);
  BlockIndex first = live_.inst_block[std::min(InstOf(min), last_inst)];
  if (GapOf(problem_.blocks[first].begin) < min) ++first;
  const BlockIndex last = live_.inst_block[std::min(InstOf(max), last_inst)];
  if (first > last) return max;
  const BlockIndex best = CheapestBoundary(first, last);
  const bool max_is_boundary = GapOf(problem_.blocks[last].begin) == max;
  const float at_max = max_is_boundary ? crossing_[last] : problem_.blocks[last].frequency;
  return crossing_[best] < at_max ? GapOf(problem_.blocks[best].begin) : max;
}

}  // namespace precast::regalloc
