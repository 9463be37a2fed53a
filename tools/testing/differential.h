// Runs a random program in every way there is and compares: the differential test behind
// //tools:difftest.
#ifndef PRECAST_TOOLS_TESTING_DIFFERENTIAL_H_
#define PRECAST_TOOLS_TESTING_DIFFERENTIAL_H_

#include <cstdint>

#include "absl/status/status.h"

namespace precast::testing {

struct DifferentialCounts {
  uint64_t programs = 0;
  uint64_t instructions = 0;  // interpreted, once per program
  uint64_t exited = 0, trapped = 0, suspended = 0;
};

// Runs the program of this seed interpreted and at every level with a random limit, and at -O1 and
// -O2 again with stops at random places, some of them through a snapshot. Result, trap, pc, count,
// registers and all of memory must be equal. The error says what differs. `check` runs the
// compiler's own checkers too. Adds to `counts`.
absl::Status CheckSeed(uint64_t seed, bool check, DifferentialCounts& counts);
// The same for a random program of the OpenVM machine; public values and hint streams must be equal
// too.
absl::Status CheckOpenVmSeed(uint64_t seed, bool check, DifferentialCounts& counts);

// The same for a random WebAssembly module: interpreted and at every level, with fuel and (where it
// ends by itself) without. Every export is called once, with limited fuel; results, traps with
// their place, fuel, globals and memory must be equal. `counts` counts calls; NaNs are canonical.
absl::Status CheckWasmSeed(uint64_t seed, bool check, DifferentialCounts& counts);

}  // namespace precast::testing

#endif  // PRECAST_TOOLS_TESTING_DIFFERENTIAL_H_
