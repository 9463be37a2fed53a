// Finds interpreters among a guest's functions: Lua's, QuickJS's and SQLite's, say.
//
// A loop of dozens of handlers, many of which call other functions, is not made faster by the
// optimizer. All that any handler keeps in a register would have to be in one where they come
// together, so that each handler loads after its calls, and moves or spills, what others want,
// mostly for nothing; and the handlers themselves are short. The templates of -O0 leave it in
// VmContext and load what a handler reads. (Handlers that call nothing are another matter: their
// loop keeps everything in registers.)
#ifndef PRECAST_COMPILER_RISCV_INTERPRETERS_H_
#define PRECAST_COMPILER_RISCV_INTERPRETERS_H_

#include "compiler/riscv/control_flow.h"

namespace precast::riscv {

// Whether the region has a switch of many cases, and at least half as many calls.
bool IsCallingInterpreter(const Region& region);

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_INTERPRETERS_H_
