// The allocation proper: decides for every point of every live range in which register or in memory
// it is.
#ifndef PRECAST_COMPILER_REGALLOC_LINEAR_SCAN_H_
#define PRECAST_COMPILER_REGALLOC_LINEAR_SCAN_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/regalloc/bundles.h"
#include "compiler/regalloc/intervals.h"
#include "compiler/regalloc/liveness.h"
#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

inline constexpr int8_t kInSlot = -2;

// A stretch of a vreg's life with one home. Between two parts the vreg may have a lifetime hole, or
// the second begins where the first ends. A part in memory may begin inside an instruction; the
// value is then stored in the copy stage before.
struct Part {
  Pos from, to;
  int8_t home;  // register index, or kInSlot
};

struct Assignment {
  Grouped<Part> parts;  // by vreg, ascending
  // Set if an instruction's operands could not be satisfied together; `parts` is then empty. The
  // caller solves that instruction by itself (matching.h) and tries again.
  std::optional<InstIndex> conflict;
};

Assignment LinearScan(const Problem& problem, const Liveness& live, const Intervals& intervals,
                      const Bundles& bundles);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_LINEAR_SCAN_H_
