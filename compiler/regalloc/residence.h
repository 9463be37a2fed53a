// Which values are in registers where, before anybody says in which: at every point of the program
// no more of them than there are registers, and in loops those that the loop uses.
#ifndef PRECAST_COMPILER_REGALLOC_RESIDENCE_H_
#define PRECAST_COMPILER_REGALLOC_RESIDENCE_H_

#include "compiler/regalloc/intervals.h"
#include "compiler/regalloc/liveness.h"
#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

// From `pos` on the value is in memory, or in a register again.
struct Cut {
  Pos pos;
  bool memory;
};

// By vreg, ascending, kinds alternating; before its first cut a value is in a register. A cut into
// memory may be inside an instruction, like the beginning of a Part (linear_scan.h); a cut into a
// register is in a gap.
Grouped<Cut> DecideResidence(const Problem& problem, const Liveness& live,
                             const Intervals& intervals);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_RESIDENCE_H_
