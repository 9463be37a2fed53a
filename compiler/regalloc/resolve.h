// From "which part of a value lives where" to the answer: operand locations, moves, tracked
// locations.
#ifndef PRECAST_COMPILER_REGALLOC_RESOLVE_H_
#define PRECAST_COMPILER_REGALLOC_RESOLVE_H_

#include "compiler/regalloc/bundles.h"
#include "compiler/regalloc/intervals.h"
#include "compiler/regalloc/linear_scan.h"
#include "compiler/regalloc/liveness.h"
#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

Solution Resolve(const Problem& problem, const Liveness& live, const Intervals& intervals,
                 const Bundles& bundles, const Assignment& assignment);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_RESOLVE_H_
