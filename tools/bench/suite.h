// Runs the programs on the engines: builds, checks outputs, measures in turn (A B C A B C …), so
// that whatever the machine does meanwhile happens to all.
#ifndef PRECAST_TOOLS_BENCH_SUITE_H_
#define PRECAST_TOOLS_BENCH_SUITE_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/bench/cache.h"
#include "tools/bench/engines.h"
#include "tools/bench/programs.h"
#include "tools/bench/results.h"

namespace precast::bench {

struct SuiteOptions {
  Places places;
  std::vector<Program> programs;  // hello is always measured, for start-up
  int runs = 3;
  int start_runs = 21;
  int scale = 1;  // of the work of our own programs
  Clock clock = Clock::kUser;
  bool count_instructions = false;
  // Told what is done next; `done` of `total` steps are.
  std::function<void(int done, int total, std::string_view what)> progress{};
};

// Error: Cancelled. What fails for one engine or program is in the results.
absl::StatusOr<Results> RunSuite(const SuiteOptions& options, EngineSet engines, Cache& cache);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_SUITE_H_
