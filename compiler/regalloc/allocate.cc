// The allocator's table of contents.
#include <utility>

#include "absl/log/check.h"
#include "compiler/regalloc/bundles.h"
#include "compiler/regalloc/intervals.h"
#include "compiler/regalloc/linear_scan.h"
#include "compiler/regalloc/liveness.h"
#include "compiler/regalloc/matching.h"
#include "compiler/regalloc/regalloc.h"
#include "compiler/regalloc/resolve.h"

namespace precast::regalloc {
namespace {

// After so many conflicts solved one by one, all instructions are solved at once: each conflict
// costs a whole new attempt.
constexpr int kMaxConflicts = 8;

}  // namespace

Solution Allocate(const Problem& problem) {
  const Liveness live = ComputeLiveness(problem);
  // A copy is made only if an instruction has to be solved by itself.
  const Problem* current = &problem;
  Problem changed;
  for (int conflicts = 0;; ++conflicts) {
    const Intervals intervals = BuildIntervals(*current, live);
    const Bundles bundles = BuildBundles(*current, intervals);
    const Assignment assignment = LinearScan(*current, live, intervals, bundles);
    if (!assignment.conflict) return Resolve(*current, live, intervals, bundles, assignment);
    CHECK_LE(conflicts, kMaxConflicts) << "no allocation found";
    if (current == &problem) {
      changed = problem;
      current = &changed;
    }
    if (conflicts < kMaxConflicts) {
      FixOperands(changed, *assignment.conflict);
    } else {
      for (InstIndex i = 0; i < changed.insts.size(); ++i) FixOperands(changed, i);
    }
  }
}

}  // namespace precast::regalloc
