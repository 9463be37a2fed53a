// Two branches by which a 32-bit guest stays in a loop while a 64-bit number is small become one.
#ifndef PRECAST_COMPILER_OPT_WIDE_BRANCHES_H_
#define PRECAST_COMPILER_OPT_WIDE_BRANCHES_H_

#include "compiler/ir/ir.h"

namespace precast::opt {

// `while (j <= limit)` with a 64-bit j is two branches on RV32: out of the loop if the high half is
// not 0, and back to its head if the low half is not above the limit. The ways out are different
// blocks (they have executed differently many instructions), so that this is no matter for
// WidenComparisons.
//
// Requires: 64-bit numbers are i64 values (wide_arithmetic.h).
// Does: where a block of a loop branches out of it if the high half of an i64 is not what it is
// compared with, and
//   then on the low half, makes one i64 comparison for the way that needs both; behind it, where
//   that fails, the first branch is made again, to find out which other way it is.
// Keeps: everything observable.
// Breaks: leaves dead code.
void JoinWideBranches(ir::Function& f);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_WIDE_BRANCHES_H_
