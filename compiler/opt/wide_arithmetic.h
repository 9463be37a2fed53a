// 64-bit arithmetic that a 32-bit guest does on pairs of registers becomes 64-bit operations.
#ifndef PRECAST_COMPILER_OPT_WIDE_ARITHMETIC_H_
#define PRECAST_COMPILER_OPT_WIDE_ARITHMETIC_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// Finds *pairs* of i32 values (low, high half of a 64-bit number) that belong together: sums with a
// carry, differences with a borrow, products with a high half, shifts and rotates across both
// halves, and what such operations need or give: bitwise operations, selections, constants, pairs
// of block parameters, loads and stores of two words side by side. A connected set of pairs (a web)
// that gains from it becomes i64 values throughout; the halves are taken out of them where
// something else needs them.
//
// A load or store of a pair has the site of the first of the two accesses, and the guest state
// there. So if it faults, execution goes on, by interpretation, *before* both, and finds out which
// of the two cannot be done. Only for guests whose runtime does that (RISC-V:
// Instance::ConfirmTrap).
//
// Requires: nothing. Values without use, the former halves among them, and parameters without use
// remain for EliminateDeadCode.
void FuseWideArithmetic(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_WIDE_ARITHMETIC_H_
