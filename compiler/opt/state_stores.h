// Guest registers that hold in the context what they shall hold there are not stored.
#ifndef PRECAST_COMPILER_OPT_STATE_STORES_H_
#define PRECAST_COMPILER_OPT_STATE_STORES_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// A function of the guest saves registers, uses them, and restores them. Where it is known that what it loads is what it
// has saved (gvn.h), the value restored is that of the context, which has not changed if nobody could see
// what was in the register in between.
//
// Requires: verified IR, without unreachable blocks.
// Does: if there is a `store_state` of what has been loaded from the same slot,
//   - removes each `store_state` that is overwritten before anyone can see it: a site at which the slot is not deferred, a
//     boundary, a `load_state`;
//   - makes `store_state` of the value that the slot has on entry a `defer_state` where it has that still.
// Keeps: everything observable.
// Breaks: leaves dead code.
void RemoveStateStores(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_STATE_STORES_H_
