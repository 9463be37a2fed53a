#include "tools/bench/results.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/bench/stats.h"

namespace precast::bench {
namespace {

// Runs shorter than this, after start-up is taken away, say nothing.
constexpr double kShortest = 0.5e-3;

std::vector<double> Seconds(const std::vector<Sample>& samples, Clock clock) {
  std::vector<double> seconds;
  for (const Sample& s : samples) seconds.push_back(s.At(clock));
  return seconds;
}

std::string Size(const Work& work) {
  return absl::StrCat(work.scale == 1 ? "" : absl::StrCat(" (1/", work.scale, ")"),
                      work.soft_float ? " (soft float)" : "");
}

}  // namespace

double Sample::At(Clock clock) const {
  switch (clock) {
    case Clock::kUser:
      return user;
    case Clock::kProcessor:
      return user + system;
    case Clock::kWall:
      return wall;
  }
  return 0;
}

const Cell* Workload::Find(size_t engine) const {
  for (size_t i = 0; i < engines.size(); ++i) {
    if (engines[i] == engine && cells[i].outcome == Cell::Outcome::kOk) return &cells[i];
  }
  return nullptr;
}

std::optional<size_t> Results::baseline() const {
  for (size_t i = 0; i < engines.size(); ++i) {
    if (engines[i].name == "gcc-O2") return i;
  }
  return std::nullopt;
}

std::optional<double> Results::StartSeconds(size_t engine) const {
  if (engine >= start_up.size()) return std::nullopt;
  return Median(Seconds(start_up[engine].runs, clock));
}

std::optional<double> Results::RunSeconds(const Workload& workload, size_t engine) const {
  const Cell* cell = workload.Find(engine);
  if (cell == nullptr) return std::nullopt;
  std::optional<double> seconds = Median(Seconds(cell->runs, clock));
  if (!seconds) return std::nullopt;
  if (!engines[engine].timed_inside) *seconds -= StartSeconds(engine).value_or(0);
  if (*seconds < kShortest) return std::nullopt;
  return seconds;
}

std::optional<double> Results::RatioOf(const Workload& workload, size_t engine) const {
  if (!baseline()) return std::nullopt;
  return Ratio(RunSeconds(workload, engine), RunSeconds(workload, *baseline()));
}

std::optional<double> Results::InstructionRatioOf(const Workload& workload, size_t engine) const {
  if (!baseline()) return std::nullopt;
  // Hello, counted like the others.
  const Workload* hello = nullptr;
  for (const Workload& w : counted) {
    if (w.program.name == "hello") hello = &w;
  }
  auto count = [&](size_t e) -> std::optional<double> {
    const Cell* cell = workload.Find(e);
    if (cell == nullptr || !cell->machine_instructions) return std::nullopt;
    double n = static_cast<double>(*cell->machine_instructions);
    const Cell* start = hello == nullptr ? nullptr : hello->Find(e);
    if (start != nullptr && start->machine_instructions) {
      n -= static_cast<double>(*start->machine_instructions);
    }
    return n;
  };
  return Ratio(count(engine), count(*baseline()));
}

std::optional<double> Results::TextRatioOf(const Workload& workload, size_t engine) const {
  if (!baseline()) return std::nullopt;
  const Cell* cell = workload.Find(engine);
  const Cell* native = workload.Find(*baseline());
  if (cell == nullptr || native == nullptr || !cell->sizes || !native->sizes) return std::nullopt;
  return Ratio(static_cast<double>(cell->sizes->text), static_cast<double>(native->sizes->text));
}

bool Results::InMean(const Workload& workload, size_t engine) const {
  if (workload.work.soft_float) return false;
  for (const size_t e : workload.engines) {
    // A workload made for the small engines is there for them alone.
    if (engines[e].small) return engines[engine].small;
  }
  return !engines[engine].small;
}

std::vector<double> Results::Ratios(size_t engine) const {
  std::vector<double> ratios;
  for (const Workload& w : workloads) {
    if (!InMean(w, engine)) continue;
    if (const std::optional<double> ratio = RatioOf(w, engine)) ratios.push_back(*ratio);
  }
  return ratios;
}

std::optional<size_t> Results::Unmetered(size_t engine) const {
  if (!engines[engine].ours || !engines[engine].metered) return std::nullopt;
  for (size_t i = 0; i < engines.size(); ++i) {
    if (engines[i].name == engines[engine].name + "-nometer") return i;
  }
  return std::nullopt;
}

std::vector<std::string> Results::Faults() const {
  std::vector<std::string> faults;
  for (const std::vector<Workload>* list : {&workloads, &counted}) {
    for (const Workload& w : *list) {
      for (size_t i = 0; i < w.cells.size(); ++i) {
        if (w.cells[i].outcome != Cell::Outcome::kFailed &&
            w.cells[i].outcome != Cell::Outcome::kWrong) {
          continue;
        }
        faults.push_back(absl::StrCat(w.program.name, Size(w.work), ", ",
                                      engines[w.engines[i]].name, ": ", w.cells[i].reason));
      }
    }
  }
  for (size_t i = 0; i < start_up.size(); ++i) {
    if (!start_up[i].failure.empty()) {
      faults.push_back(absl::StrCat("hello, ", engines[i].name, ": ", start_up[i].failure));
    }
  }
  return faults;
}

}  // namespace precast::bench
