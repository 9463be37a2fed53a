// The figures that generated code is to reach, and whether it does.
#ifndef PRECAST_TOOLS_BENCH_MARKS_H_
#define PRECAST_TOOLS_BENCH_MARKS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/results.h"

namespace precast::bench {

struct Mark {
  std::string name, limit, measured;
  bool met = false;
};

// Those for which something was measured; of the highest metered level there is.
std::vector<Mark> MarksOf(const Results& results);

// Time with counting to time without, over all programs of the full work that take a tenth of a
// second at least: of shorter ones a few per cent cannot be told from noise.
struct MeteringCost {
  std::optional<double> mean, worst;
  std::string worst_program;
};
MeteringCost MeteringCostOf(const Results& results, size_t engine);

// The fastest peer's seconds to those of our fastest metered level, on a soft-float workload.
std::optional<double> SoftFloatAdvantage(const Results& results, const Workload& workload);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_MARKS_H_
