// Verifies an allocation, knowing nothing of how it was made.
#ifndef PRECAST_COMPILER_REGALLOC_CHECKER_H_
#define PRECAST_COMPILER_REGALLOC_CHECKER_H_

#include "absl/status/status.h"
#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

// Follows the contents of every register and slot through the allocated program, as the sets of
// vregs whose value they certainly hold, to a fixpoint over all paths; then checks every operand,
// move and tracked range against it. Returns the first fault (Internal): instruction, operand, what
// was expected and found. `problem` must be valid (validate.h).
absl::Status Check(const Problem& problem, const Solution& solution);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_CHECKER_H_
