// Solves the operands of one instruction exactly.
#ifndef PRECAST_COMPILER_REGALLOC_MATCHING_H_
#define PRECAST_COMPILER_REGALLOC_MATCHING_H_

#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

// Gives every register operand of the instruction a fixed register, so that all of them can be
// satisfied together whatever surrounds the instruction. Linear scan decides one operand at a time
// and may paint itself into a corner where registers are few; afterwards it cannot. CHECK-fails if
// the operands ask for more registers than there are.
void FixOperands(Problem& problem, InstIndex inst);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_MATCHING_H_
