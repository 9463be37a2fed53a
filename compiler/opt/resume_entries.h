// Entries for resuming inside of nested loops go into a function of their own.
//
// Requires: IR of a RISC-V region as the front end made it.
// Does: takes those entries from the function that lead to the head of a loop inside another loop
// with such an
//   entry, and returns a copy of the function that has only them; nullopt if there are none. Where
//   the copy comes to a place at which the function can be entered, it jumps there: soon after it
//   has been resumed, a guest is back in the function that is optimized, and the copy is short.
//   Calls are jumps there: behind a call is an entry. What is outside of the loops that are entered
//   is left to the interpreter, which comes to an entry soon.
// Keeps: everything observable; each entry is in one of the two.
// Breaks: block numbers.
//
// Why: a guest may be suspended in any loop, and whoever resumes it there brings all its registers.
// An entry into the middle of a nest makes every register a parameter of the loops around it, which
// is then moved about in each round of the hot loops, for something that hardly ever happens. The
// copy is where it happens.
#ifndef PRECAST_COMPILER_OPT_RESUME_ENTRIES_H_
#define PRECAST_COMPILER_OPT_RESUME_ENTRIES_H_

#include <optional>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// `counts_rows`: whether the function will (place_rows.h).
std::optional<ir::Function> SplitResumeEntries(ir::Function& f, bool counts_rows = false,
                                               const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_RESUME_ENTRIES_H_
