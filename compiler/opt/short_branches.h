// Branches over a single instruction, to choose by how two numbers compare, become selections.
#ifndef PRECAST_COMPILER_OPT_SHORT_BRANCHES_H_
#define PRECAST_COMPILER_OPT_SHORT_BRANCHES_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// RV32 has no conditional move, so that the least of two numbers is a branch over a move there.
// Native compilers make it a `cmov`, for no processor can guess it where the numbers are those of a
// program's data.
//
// Requires: verified IR of a RISC-V function as a front end makes it, whose blocks ask for their
// own instructions (meter.h). Does: where a branch that asks which of two numbers is the larger
// skips one instruction that only computes, executes it
//   always and selects. What it retires is charged by the condition (charge_value). Only where the
//   numbers are such data: one has been loaded a few instructions before, or one of the two is what
//   is chosen, but not the largest so far of a loop's.
// Keeps: everything observable.
// Breaks: blocks become unreachable, and are removed. Leaves dead code.
//
// Time: linear.
void ConvertShortBranches(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_SHORT_BRANCHES_H_
