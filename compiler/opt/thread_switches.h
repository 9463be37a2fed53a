// Jumps past a switch whose outcome is known.
//
// Requires: verified IR of a WebAssembly function without unreachable blocks.
// Does: where a block does nothing but meter and switch (br_table) on one of its parameters, blocks
// that jump there with
//   a constant jump to where it leads instead, past a copy of the meter. Compilers without
//   structured control flow (Go's, and LLVM's for loops with several entries) say every jump in
//   this way: they set a number, go back to the head of one large loop and switch there. If all
//   jumps from below the switch are known, it is taken to say where execution begins, nearly always
//   at its first case: that one is asked for first, and what only the others reach is cold.
// Keeps: everything observable: the same meters are passed in the same order.
// Breaks: the block's parameters become parameters of every block that it used to dominate alone,
// since ways now join
//   there that have not passed the switch. Most have one value, or no use: run dead code
//   elimination next.
//
// Time: of one switch, the function's length and the parameters that it makes, of which there may
// be no more than kMaxParamsForEach for each value of the function; of all, kMaxSwitches times
// that.
#ifndef PRECAST_COMPILER_OPT_THREAD_SWITCHES_H_
#define PRECAST_COMPILER_OPT_THREAD_SWITCHES_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// Returns whether there was such a switch.
bool ThreadSwitches(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_THREAD_SWITCHES_H_
