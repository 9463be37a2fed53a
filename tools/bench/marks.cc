#include "tools/bench/marks.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/bench/stats.h"
#include "tools/bench/table.h"

namespace precast::bench {
namespace {

std::optional<size_t> Named(const Results& r, std::string_view name) {
  for (size_t i = 0; i < r.engines.size(); ++i) {
    if (r.engines[i].name == name) return i;
  }
  return std::nullopt;
}

// Our highest metered level for a kind of guest.
std::optional<size_t> Best(const Results& r, GuestKind kind) {
  std::optional<size_t> best;
  for (size_t i = 0; i < r.engines.size(); ++i) {
    const Engine& e = r.engines[i];
    if (!e.ours || e.kind != kind || !e.metered || e.small) continue;
    if (!best || e.level > r.engines[*best].level) best = i;
  }
  return best;
}

// Geometric means of two engines' ratios over the programs that both ran.
std::optional<std::pair<double, double>> Means(const Results& r, size_t a, size_t b) {
  std::vector<double> of_a, of_b;
  for (const Workload& w : r.workloads) {
    if (!r.InMean(w, a) || !r.InMean(w, b)) continue;
    const std::optional<double> x = r.RatioOf(w, a), y = r.RatioOf(w, b);
    if (!x || !y) continue;
    of_a.push_back(*x);
    of_b.push_back(*y);
  }
  const std::optional<double> x = GeometricMean(of_a), y = GeometricMean(of_b);
  if (!x || !y) return std::nullopt;
  return std::pair(*x, *y);
}

class Marks {
 public:
  explicit Marks(const Results& results) : r_(results) {}

  std::vector<Mark> Find() {
    const std::optional<size_t> rv = Best(r_, GuestKind::kRiscv), wasm = Best(r_, GuestKind::kWasm);
    if (rv) {
      Limits(*rv, 1.35, 2.5);
      for (size_t i = 0; i < r_.engines.size(); ++i) {
        if (r_.engines[i].kind == GuestKind::kRiscv && !r_.engines[i].ours) Below(*rv, i, 1.0);
      }
      SoftFloat();
      Counting(*rv);
      Text(*rv);
    }
    if (wasm) {
      Limits(*wasm, 1.10, 1.6);
      // Level with wasm2c, as far as one can tell: medians of one run are repeatable to about 2 %.
      if (const std::optional<size_t> v8 = Named(r_, "v8-turbofan")) Below(*wasm, *v8, 1.0);
      if (const std::optional<size_t> wasm2c = Named(r_, "wasm2c-O2")) Below(*wasm, *wasm2c, 1.02);
      Counting(*wasm);
      Text(*wasm);
      Hello(*wasm);
    }
    return std::move(marks_);
  }

 private:
  void Add(std::string name, std::string limit, std::string measured, bool met) {
    marks_.push_back({std::move(name), std::move(limit), std::move(measured), met});
  }

  void Limits(size_t engine, double mean_limit, double worst_limit) {
    const std::vector<double> ratios = r_.Ratios(engine);
    const std::optional<double> mean = GeometricMean(ratios);
    if (!mean) return;
    const double worst = *std::max_element(ratios.begin(), ratios.end());
    const std::string& name = r_.engines[engine].name;
    Add(name + ", geometric mean to native gcc -O2", "≤ " + Number(mean_limit), Number(mean),
        *mean <= mean_limit);
    Add(name + ", worst program", "≤ " + Number(worst_limit), Number(worst), worst <= worst_limit);
  }

  void Below(size_t engine, size_t peer, double slack) {
    const std::optional<std::pair<double, double>> means = Means(r_, engine, peer);
    if (!means) return;
    Add(absl::StrCat(r_.engines[engine].name, ", geometric mean against ", r_.engines[peer].name),
        "≤ " + Number(means->second), Number(means->first), means->first <= means->second * slack);
  }

  void SoftFloat() {
    std::optional<double> least;
    for (const Workload& w : r_.workloads) {
      const std::optional<double> advantage = SoftFloatAdvantage(r_, w);
      if (advantage) least = std::min(least.value_or(*advantage), *advantage);
    }
    if (!least) return;
    Add("soft float: fastest peer's time to ours, least", "≥ 3.00", Number(least), *least >= 3);
  }

  void Counting(size_t engine) {
    const MeteringCost cost = MeteringCostOf(r_, engine);
    if (!cost.mean) return;
    Add(r_.engines[engine].name + ", cost of counting, geometric mean", "≤ 5 %",
        Percent(*cost.mean - 1), *cost.mean <= 1.05);
    Add(absl::StrCat(r_.engines[engine].name, ", cost of counting, worst (", cost.worst_program,
                     ")"),
        "≤ 10 %", Percent(*cost.worst - 1), *cost.worst <= 1.10);
  }

  // Code of all programs together, and the worst.
  void Text(size_t engine) {
    std::vector<double> ratios;
    for (const Workload& w : r_.workloads) {
      if (!r_.InMean(w, engine)) continue;
      if (const std::optional<double> ratio = r_.TextRatioOf(w, engine)) ratios.push_back(*ratio);
    }
    const std::optional<double> mean = GeometricMean(ratios);
    if (!mean) return;
    Add(r_.engines[engine].name + ", code to native .text, geometric mean", "≤ 1.30", Number(mean),
        *mean <= 1.3);
  }

  void Hello(size_t engine) {
    std::vector<double> wall;
    for (const Sample& s : r_.start_up[engine].runs) wall.push_back(s.wall);
    const std::optional<double> median = Median(wall);
    if (!median) return;
    Add(r_.engines[engine].name + ", hello as a whole process", "< 1.20 ms",
        absl::StrFormat("%.2f ms", *median * 1e3), *median < 1.2e-3);
  }

  const Results& r_;
  std::vector<Mark> marks_;
};

}  // namespace

std::vector<Mark> MarksOf(const Results& results) { return Marks(results).Find(); }

MeteringCost MeteringCostOf(const Results& results, size_t engine) {
  constexpr double kLeastSeconds = 0.1;
  MeteringCost cost;
  const std::optional<size_t> without = results.Unmetered(engine);
  if (!without) return cost;
  std::vector<double> ratios;
  for (const Workload& w : results.workloads) {
    const std::optional<double> with = results.RunSeconds(w, engine);
    const std::optional<double> ratio = Ratio(with, results.RunSeconds(w, *without));
    if (!ratio || *with < kLeastSeconds) continue;
    ratios.push_back(*ratio);
    if (!cost.worst || *ratio > *cost.worst) {
      cost.worst = ratio;
      cost.worst_program = w.program.name;
    }
  }
  cost.mean = GeometricMean(ratios);
  return cost;
}

std::optional<double> SoftFloatAdvantage(const Results& results, const Workload& workload) {
  if (!workload.work.soft_float) return std::nullopt;
  std::optional<double> peer, ours;
  for (const size_t e : workload.engines) {
    const Engine& engine = results.engines[e];
    if (engine.small) return std::nullopt;
    if (engine.kind != GuestKind::kRiscv) continue;
    const std::optional<double> seconds = results.RunSeconds(workload, e);
    if (!seconds) continue;
    if (!engine.ours) peer = std::min(peer.value_or(*seconds), *seconds);
    if (engine.ours && engine.metered) ours = std::min(ours.value_or(*seconds), *seconds);
  }
  return Ratio(peer, ours);
}

}  // namespace precast::bench
