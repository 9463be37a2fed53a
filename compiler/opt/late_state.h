// Guest state that only a fault could show need not exist, if it can be computed when the fault
// comes.
#ifndef PRECAST_COMPILER_OPT_LATE_STATE_H_
#define PRECAST_COMPILER_OPT_LATE_STATE_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// A load or store that faults shows all guest registers as they are then, also what a compiler of
// RV32 code left in registers on the way to something else. But if nothing but computing and
// loading has happened since an earlier place, the fault may as well be reported there, with the
// registers of that place: execution goes on by interpretation from it and comes to the same fault.
// Only for guests whose runtime does that (RISC-V: Instance::ConfirmTrap).
//
// Requires: meters placed (meter.h); pairs of accesses joined (wide_arithmetic.h): that looks at
// sites. Does: moves sites of loads and stores back to the block's last place with a site, or
// behind its last store,
//   and declarations of state (defer_state) behind them, where fewer values must be made and kept
//   then.
// Keeps: everything observable.
// Breaks: leaves dead code: run dead code elimination next, which finds the state that nobody sees
// now.
void DelayState(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_LATE_STATE_H_
