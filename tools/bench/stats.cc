#include "tools/bench/stats.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace precast::bench {

std::optional<double> Quantile(std::vector<double> values, double quantile) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const double at = std::clamp(quantile, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const size_t below = static_cast<size_t>(at);
  if (below + 1 >= values.size()) return values.back();
  const double part = at - static_cast<double>(below);
  return values[below] + part * (values[below + 1] - values[below]);
}

std::optional<double> Spread(const std::vector<double>& values) {
  const std::optional<double> median = Median(values);
  if (values.size() < 2 || !median || *median <= 0) return std::nullopt;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return (*high - *low) / *median;
}

std::optional<double> GeometricMean(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const double v : values) {
    if (!(v > 0)) return std::nullopt;
    sum += std::log(v);
  }
  return std::exp(sum / static_cast<double>(values.size()));
}

std::optional<double> Ratio(std::optional<double> a, std::optional<double> b) {
  if (!a || !b || !(*a > 0) || !(*b > 0)) return std::nullopt;
  return *a / *b;
}

}  // namespace precast::bench
