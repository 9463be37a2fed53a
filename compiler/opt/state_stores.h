// Guest registers that hold in the context what they shall hold there are not stored.
#ifndef PRECAST_COMPILER_OPT_STATE_STORES_H_
#define PRECAST_COMPILER_OPT_STATE_STORES_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// A function of the guest saves registers, uses them, and restores them. Where it is known that
// what it loads is what it has saved (gvn.h), the value restored is that of the context, which has
// not changed if nobody could see what was in the register in between.
//
// Requires: verified IR, without unreachable blocks.
// Does: if there is a `store_state` of what has been loaded from the same slot,
//   - removes each `store_state` that is overwritten before anyone can see it: a site at which the
//     slot is not deferred, a boundary, a `load_state`;
//   - makes `store_state` of the value that the slot has on entry a `defer_state` where it has that
//     still.
// Keeps: everything observable.
// Breaks: leaves dead code.
// Returns: whether RemoveUnchangedState may find something, when declarations that no site sees are
// gone.
bool RemoveStateStores(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

// What a site finds in the context anyway need not be kept for it, in a register or in the frame.
//
// Requires: as above; no slots above 63.
// Does: removes declarations that a slot has the value that the context has held since the entry.
// Keeps: everything observable.
// Breaks: nothing.
void RemoveUnchangedState(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

// A value that is stored and used no more needs no register until then.
//
// Requires: verified IR, without unreachable blocks.
// Does: moves each `store_state` up to behind what makes its value, if nobody can see the slot in
// between: not past a site, a
//   call or another access to the slot, nor past a branch.
// Keeps: everything observable.
// Breaks: nothing.
//
// Time: linear: how far is bounded.
void MoveStateStores(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_STATE_STORES_H_
