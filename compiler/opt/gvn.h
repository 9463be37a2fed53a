// Global value numbering, and what branches and memory tell.
//
// Requires: verified IR without unreachable blocks.
// Does: walks the dominator tree and
//   - computes nothing again that every way to a place has computed, unless that is cheaper than
//     keeping it (ir/value_table.h);
//   - decides comparisons and branches, and removes traps, whose outcome follows from branches
//     taken and traps not taken before (signed and unsigned order of the same two values, equality,
//     zero);
//   - uses what is known of single bits (known_bits.h): masks and extensions that change nothing
//     go, signed operations on what cannot be negative become unsigned;
//   - replaces loads of what was loaded or stored before by its value, along chains of blocks with
//     one predecessor, if nothing between can have changed it: guest memory, context, guest state
//     (known_memory.h);
//   - joins block parameters of one block that get the same arguments;
//   - with `constants`, puts what they say in the place of values and of deferred state, as
//     simplify.h does.
// Keeps: everything observable. A load goes only where the same bytes have been accessed before, so
// it
//   could not trap; stores all stay, since any site may show memory to somebody.
// Breaks: leaves blocks that nothing reaches, and dead code: run dead code elimination next.
//
// Time: linear, but for a constant number of recent memory accesses that each is compared with.
#ifndef PRECAST_COMPILER_OPT_GVN_H_
#define PRECAST_COMPILER_OPT_GVN_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/constants.h"

namespace precast::opt {

// `constants`: of this function, which may have got other values since, or null.
void NumberValues(ir::Function& f, const ir::Graphs& graphs = ir::Graphs(),
                  const ConstantPropagation* constants = nullptr);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_GVN_H_
