// How many machine instructions a process executes in user mode: a number that does not know of
// other processes, so that a difference of 1 % can be seen on a noisy machine.
#ifndef PRECAST_TOOLS_BENCH_COUNTERS_H_
#define PRECAST_TOOLS_BENCH_COUNTERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tools/bench/process.h"

namespace precast::bench {

class Counter {
 public:
  // Tries perf's counters, then valgrind.
  static Counter Find();

  // "perf stat -e instructions:u", "valgrind --tool=callgrind", or why neither works.
  const std::string& name() const { return name_; }
  bool works() const { return method_ != Method::kNone; }
  // It takes fifty times as long: for small amounts of work.
  bool is_slow() const { return method_ == Method::kValgrind; }

  absl::StatusOr<uint64_t> Count(const Argv& argv) const;

 private:
  enum class Method : uint8_t { kNone, kPerf, kValgrind };

  Method method_ = Method::kNone;
  std::string name_;
};

// The count in what `perf stat -x,` or callgrind printed; nothing if there is none.
std::optional<uint64_t> CountInPerfOutput(std::string_view text);
std::optional<uint64_t> CountInCallgrindOutput(std::string_view text);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_COUNTERS_H_
