// Groups of virtual registers that would like to share one home: block parameters with their
// arguments, definitions with the inputs they reuse, and the two sides of plain copies, as long as
// they are never live at the same time. The members share a register hint and one spill slot, so
// most moves between them vanish.
#ifndef PRECAST_COMPILER_REGALLOC_BUNDLES_H_
#define PRECAST_COMPILER_REGALLOC_BUNDLES_H_

#include <cstdint>
#include <vector>

#include "compiler/regalloc/intervals.h"
#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

struct Bundles {
  std::vector<uint32_t> of_vreg;  // representative vreg
};

Bundles BuildBundles(const Problem& problem, const Intervals& intervals);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_BUNDLES_H_
