// What a guest's function restores at its end is what it has saved at its beginning.
#ifndef PRECAST_COMPILER_OPT_RESTORED_REGISTERS_H_
#define PRECAST_COMPILER_OPT_RESTORED_REGISTERS_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// NumberValues knows what memory holds along one way only. Between saving registers and restoring
// them ways part and join.
//
// Requires: verified IR without unreachable blocks, of a RISC-V region.
// Does: in a function without loops, replaces loads of words that have been stored on every way
// there, at the same value
//   and displacement, if nothing in between can have changed them, by what was stored.
// Keeps: everything observable: the loads that go cannot trap.
// Breaks: nothing.
//
// Time: linear, but for a constant number of stores that each is compared with.
void ForwardRestores(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_RESTORED_REGISTERS_H_
