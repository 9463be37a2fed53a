// Child processes and what they cost: time by wait4's rusage, wall time from exec to end, peak
// memory.
//
// Not thread-safe: one child at a time.
#ifndef PRECAST_TOOLS_BENCH_PROCESS_H_
#define PRECAST_TOOLS_BENCH_PROCESS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace precast::bench {

using Argv = std::vector<std::string>;

struct ProcessOptions {
  std::string directory{};         // to run in; empty: where we are
  double timeout = 600;            // seconds of wall time, then it is killed
  uint64_t max_output = 4u << 20;  // bytes kept of each of standard output and error
};

struct ProcessResult {
  int exit_code = 0;  // 128 + signal if a signal ended it
  bool timed_out = false;
  double user = 0, system = 0;  // seconds of processor time, of its children too that it waited for
  double wall = 0;              // seconds from exec to end; creating the process is not included
  // Largest resident set, of it or one of its children; what this process has itself in private
  // memory (about 2 MB) is the least that can be seen.
  uint64_t peak_bytes = 0;
  std::string out, err;

  bool ok() const { return exit_code == 0 && !timed_out; }
};

// Runs argv[0], looked for on PATH, with /dev/null as standard input, and waits for its end.
// Errors: it cannot be started (NotFound if there is no such program), or Cancelled after an
// interruption.
absl::StatusOr<ProcessResult> RunProcess(const Argv& argv, const ProcessOptions& options = {});

// Whether a program of that name is on PATH (or is an executable file, if the name has a slash).
bool IsInstalled(const std::string& program);

// From here on SIGINT, SIGTERM and SIGHUP kill the child that runs, with its children, and make
// every later RunProcess fail, so that the caller comes to its end and cleans up.
void CatchInterruptions();
// The signal that came, or 0.
int Interruption();

// argv as one would type it, for messages and reports.
std::string CommandText(const Argv& argv);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_PROCESS_H_
