// Comparisons of 64-bit numbers that a 32-bit guest makes by branches become values.
#ifndef PRECAST_COMPILER_OPT_WIDE_COMPARE_H_
#define PRECAST_COMPILER_OPT_WIDE_COMPARE_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// RV32 compares 64-bit numbers by up to three branches: on the high halves, on their being equal,
// on the low halves. Which way the first goes is often random, where native code has one comparison
// and no branch.
//
// Requires: meters placed (meter.h).
// Does: where a branch on two values begins such a comparison, all of whose outcomes meet again
// soon
//   without having done more than choose values, makes the comparison an i64 one (of halves put
//   together, for FuseWideArithmetic to see through), the choices selections, and jumps to where
//   the ways meet.
// Keeps: everything observable. What the ways charge differs, so that the difference is computed
// and
//   charged too (charge_value): fuel is what it was wherever it can be seen.
// Breaks: leaves dead code.
void WidenComparisons(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_WIDE_COMPARE_H_
