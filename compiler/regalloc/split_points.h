// Where to cut a value's live range so that the move it costs is executed least often.
#ifndef PRECAST_COMPILER_REGALLOC_SPLIT_POINTS_H_
#define PRECAST_COMPILER_REGALLOC_SPLIT_POINTS_H_

#include <cstdint>
#include <vector>

#include "compiler/regalloc/intervals.h"
#include "compiler/regalloc/liveness.h"
#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

// Knows for every boundary between two blocks in layout order how often control crosses it. A cut
// inside a block costs the block's frequency, a cut at a boundary costs a move on each edge across
// it.
class SplitPoints {
 public:
  SplitPoints(const Problem& problem, const Liveness& live);

  // The cheapest gap position in [min, max] (both gap positions, min <= max); the latest of equal
  // ones.
  Pos Cheapest(Pos min, Pos max) const;

 private:
  // Block in [first, last] with the least crossing cost at its beginning; the last of equal ones.
  BlockIndex CheapestBoundary(BlockIndex first, BlockIndex last) const;

  const Problem& problem_;
  const Liveness& live_;
  // levels_[k][b]: the cheapest of boundaries b .. b + 2^k - 1.
  std::vector<std::vector<BlockIndex>> levels_;
  std::vector<float> crossing_;
};

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_SPLIT_POINTS_H_
