// Replaces calls of libgcc functions by instructions that compute the same (runtime/abi/helpers.h).
#ifndef PRECAST_COMPILER_RISCV_FAST_HELPERS_H_
#define PRECAST_COMPILER_RISCV_FAST_HELPERS_H_

#include <cstddef>

#include "compiler/guest/program.h"

namespace precast::riscv {

// Replaces every `jal ra` found by control-flow recovery whose target is a function symbol of a
// helper's name. The symbols are trusted. Marks the program as one that uses fast helpers, and
// gives it a GUID of its own. Returns the number of calls replaced.
size_t UseFastHelpers(guest::Program& program);

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_FAST_HELPERS_H_
