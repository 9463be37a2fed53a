// What is computed from repeated measurements. Medians, because the noise of a shared machine is
// one-sided: a run can be slowed down by others, hardly ever sped up.
#ifndef PRECAST_TOOLS_BENCH_STATS_H_
#define PRECAST_TOOLS_BENCH_STATS_H_

#include <optional>
#include <vector>

namespace precast::bench {

// The value at `quantile` (0 to 1) of the sorted values, between two neighbours by linear
// interpolation. Nothing if there are no values.
std::optional<double> Quantile(std::vector<double> values, double quantile);

inline std::optional<double> Median(const std::vector<double>& values) {
  return Quantile(values, 0.5);
}

// (largest - smallest) / median: how far runs of the same thing were apart. Nothing of fewer than
// two values or of a median that is not positive.
std::optional<double> Spread(const std::vector<double>& values);

// Nothing if there are no values, or one is not positive.
std::optional<double> GeometricMean(const std::vector<double>& values);

// a / b; nothing unless both are there and positive.
std::optional<double> Ratio(std::optional<double> a, std::optional<double> b);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_STATS_H_
