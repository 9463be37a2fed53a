// Is a register allocation problem well-formed? For tests and debug builds of back ends.
#ifndef PRECAST_COMPILER_REGALLOC_VALIDATE_H_
#define PRECAST_COMPILER_REGALLOC_VALIDATE_H_

#include "absl/status/status.h"
#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

// Checks, and names the offender (InvalidArgument):
//   - all indexes and ranges are in bounds; blocks are not empty, lie one after another and cover
//     all instructions; edges and pred_blocks agree, also in number;
//   - every vreg has at most one definition, of its class; every use is dominated by its definition
//     (blocks without predecessors are entries of one virtual root); every block can be reached
//     from one;
//   - entry blocks have no parameters; edge arguments match parameters in number and class;
//   - no critical edges; the terminator of a block with one successor has no operands and no
//     clobbers if the successor has other predecessors (the edge's moves go before it);
//   - a terminator defines only temporaries (values that nobody uses);
//   - operands: reuse names an early kReg use of this instruction and class, and is late; at most
//     one definition reuses it; is_move has a use and a definition; different vregs are not fixed
//     to one register at one time; a late use is not fixed to a clobbered register; an instruction
//     does not use what it defines;
//   - tracked ranges ascend by `from`, each within one block, the vreg defined before `from`.
absl::Status ValidateProblem(const Problem& problem);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_VALIDATE_H_
