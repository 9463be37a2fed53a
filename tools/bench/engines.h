// Which engines there are on this machine.
#ifndef PRECAST_TOOLS_BENCH_ENGINES_H_
#define PRECAST_TOOLS_BENCH_ENGINES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/bench/cache.h"
#include "tools/bench/engine.h"
#include "tools/bench/programs.h"

namespace precast::bench {

struct EngineSet {
  // Native compilers first, of them gcc -O2, if it is there; then RISC-V, then Wasm.
  std::vector<Engine> engines;
  std::vector<std::string> skipped;  // "qemu: qemu-riscv32 is not on PATH"
};

struct EngineOptions {
  Places places;
  std::string peers_file;  // may be empty
  std::string select;      // see IsSelected
  Argv aotc_flags;         // for each of our compilations
};

// What `aotc compile` of this machine cannot do (a level, --no-meter for RISC-V) is found out by
// trying. Error: the peers file is wrong.
absl::StatusOr<EngineSet> FindEngines(const EngineOptions& options, Cache& cache);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_ENGINES_H_
