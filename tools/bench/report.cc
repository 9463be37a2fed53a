#include "tools/bench/report.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/bench/marks.h"
#include "tools/bench/stats.h"
#include "tools/bench/svg.h"
#include "tools/bench/table.h"

namespace precast::bench {
namespace {

std::string_view ClockName(Clock clock) {
  switch (clock) {
    case Clock::kUser:
      return "processor time in user mode";
    case Clock::kProcessor:
      return "processor time, user and system";
    case Clock::kWall:
      return "wall time";
  }
  return "";
}

std::optional<double> Worst(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  return *std::max_element(values.begin(), values.end());
}

class Reporter {
 public:
  explicit Reporter(const Results& results) : r_(results) {}

  std::vector<Section> Sections() {
    Overview();
    Ratios(GuestKind::kNative, "Native compilers");
    Ratios(GuestKind::kRiscv, "RISC-V, ratio to native gcc -O2");
    Ratios(GuestKind::kWasm, "WebAssembly, ratio to native gcc -O2");
    SoftFloat();
    Metering();
    Interpreters();
    CodeSize();
    Instructions();
    Marks();
    Notes();
    return std::move(sections_);
  }

 private:
  void Add(Section section) {
    if (!section.table.empty() || !section.plots.empty() || !section.text.empty()) {
      sections_.push_back(std::move(section));
    }
  }

  std::vector<size_t> Engines(GuestKind kind, bool small) const {
    std::vector<size_t> list;
    for (size_t i = 0; i < r_.engines.size(); ++i) {
      if (r_.engines[i].kind == kind && r_.engines[i].small == small) list.push_back(i);
    }
    return list;
  }

  // The cells of an engine that count in its row of the overview.
  template <typename Function>
  void ForCells(size_t engine, const Function& function) const {
    for (const Workload& w : r_.workloads) {
      const bool small_work = std::any_of(w.engines.begin(), w.engines.end(),
                                          [&](size_t e) { return r_.engines[e].small; });
      if (small_work != r_.engines[engine].small) continue;
      if (w.work.soft_float && r_.engines[engine].kind == GuestKind::kNative) continue;
      if (const Cell* cell = w.Find(engine)) function(w, *cell);
    }
  }

  void Overview() {
    Section s;
    s.title = "Engines";
    s.text =
        "Geometric mean and worst of the ratios to native gcc -O2 (of RISC-V, integer programs "
        "alone; interpreters run "
        "a hundredth of the work); compiling all programs, processor time, and the most memory it "
        "took; the most "
        "memory that running took; code and tables of all programs together; hello as a whole "
        "process, median and "
        "lower decile of wall time.";
    s.table = Table({"engine", "mean", "worst", "programs", "compile", "compile MB", "run MB",
                     "code bytes", "table bytes", "file bytes", "hello", "hello 10 %"});
    std::vector<Bar> means, starts;
    for (size_t i = 0; i < r_.engines.size(); ++i) {
      const std::vector<double> ratios = r_.Ratios(i);
      double compile = 0, text = 0, tables = 0, file = 0;
      bool compiled = false, sized = false;
      uint64_t compile_peak = 0, peak = 0;
      ForCells(i, [&](const Workload&, const Cell& cell) {
        peak = std::max(peak, cell.peak_bytes);
        compile_peak = std::max(compile_peak, cell.compile_peak_bytes);
        if (cell.compile_seconds) compile += *cell.compile_seconds;
        compiled |= cell.compile_seconds.has_value();
        if (!cell.sizes) return;
        sized = true;
        text += static_cast<double>(cell.sizes->text);
        tables += static_cast<double>(cell.sizes->tables);
        file += static_cast<double>(cell.sizes->file);
      });
      std::vector<double> start;
      for (const Sample& sample : r_.start_up[i].runs) start.push_back(sample.wall);
      auto megabytes = [](uint64_t bytes) {
        return bytes == 0 ? std::optional<double>() : static_cast<double>(bytes) / 1e6;
      };
      auto if_sized = [&](double bytes) {
        return Whole(sized ? std::optional(bytes) : std::nullopt);
      };
      const std::optional<double> mean = GeometricMean(ratios);
      s.table.Add(
          {r_.engines[i].name, Number(mean), Number(Worst(ratios)), absl::StrCat(ratios.size()),
           Time(compiled ? std::optional(compile) : std::nullopt),
           Number(megabytes(compile_peak), 1), Number(megabytes(peak), 1), if_sized(text),
           if_sized(tables), if_sized(file), Time(Median(start)), Time(Quantile(start, 0.1))});
      const int colour = r_.engines[i].ours ? 0 : static_cast<int>(r_.engines[i].kind) + 1;
      if (mean && !r_.engines[i].small) {
        means.push_back({r_.engines[i].name, *mean, Number(mean), colour});
      }
      if (const std::optional<double> m = Median(start)) {
        starts.push_back({r_.engines[i].name, *m * 1e3, Number(*m * 1e3) + " ms", colour});
      }
    }
    s.plots = {BarPlot("Geometric mean, native gcc -O2 = 1 (lower is better)", means, 1.0),
               BarPlot("Hello as a whole process, wall time", starts, std::nullopt)};
    Add(std::move(s));
  }

  void Ratios(GuestKind kind, std::string title) {
    const std::vector<size_t> engines = Engines(kind, false);
    if (engines.empty()) return;
    const std::optional<size_t> baseline = r_.baseline();
    std::vector<std::string> header = {"program", "gcc-O2 s"};
    std::vector<size_t> columns;
    for (const size_t e : engines) {
      if (e != baseline) columns.push_back(e);
    }
    if (columns.empty() && kind != GuestKind::kNative) return;
    for (const size_t e : columns) header.push_back(r_.engines[e].name);
    Section s;
    s.title = std::move(title);
    s.table = Table(header);
    if (!baseline) s.text = "There is no native gcc -O2 to compare with: these are seconds.";
    std::vector<std::string> names;
    std::vector<Series> series;
    for (const size_t e : columns) series.push_back({r_.engines[e].name, {}});
    for (const Workload& w : r_.workloads) {
      if (!std::any_of(engines.begin(), engines.end(), [&](size_t e) {
            return r_.InMean(w, e) && std::count(w.engines.begin(), w.engines.end(), e) != 0;
          })) {
        continue;
      }
      std::vector<std::string> row = {w.program.name,
                                      baseline ? Number(r_.RunSeconds(w, *baseline), 3) : "–"};
      names.push_back(w.program.name);
      for (size_t i = 0; i < columns.size(); ++i) {
        const std::optional<double> value =
            baseline ? r_.RatioOf(w, columns[i]) : r_.RunSeconds(w, columns[i]);
        row.push_back(CellText(w, columns[i], value, baseline ? 2 : 3));
        series[i].values.push_back(baseline ? value : std::nullopt);
      }
      s.table.Add(row);
    }
    if (baseline) {
      std::vector<std::string> mean = {"geometric mean", ""}, worst = {"worst", ""};
      for (const size_t e : columns) {
        mean.push_back(Number(GeometricMean(r_.Ratios(e))));
        worst.push_back(Number(Worst(r_.Ratios(e))));
      }
      if (!columns.empty()) {
        s.table.Add(mean);
        s.table.Add(worst);
      }
      s.plots = {DotPlot("Ratio to native gcc -O2, logarithmic (lower is better)", names, series)};
    }
    Add(std::move(s));
  }

  // A number, or in a word why there is none.
  std::string CellText(const Workload& w, size_t engine, std::optional<double> value,
                       int digits) const {
    for (size_t i = 0; i < w.engines.size(); ++i) {
      if (w.engines[i] != engine) continue;
      switch (w.cells[i].outcome) {
        case Cell::Outcome::kOk:
          return value ? Number(value, digits) : "short";
        case Cell::Outcome::kSkipped:
          return "–";
        case Cell::Outcome::kFailed:
          return "FAILED";
        case Cell::Outcome::kWrong:
          return "WRONG";
      }
    }
    return "–";
  }

  void SoftFloat() {
    const std::vector<size_t> engines = Engines(GuestKind::kRiscv, false);
    std::vector<std::string> header = {"program", "native s"};
    for (const size_t e : engines) header.push_back(r_.engines[e].name + " s");
    header.emplace_back("peer / best of ours");
    Section s;
    s.title = "RISC-V, floating point in software: seconds";
    s.text =
        "RV32IM has no floating point, native code does, so these are seconds of the same work, "
        "and no ratio to native "
        "code. Last: the fastest peer's seconds to those of our fastest metered level.";
    s.table = Table(header);
    bool any = false;
    for (const Workload& w : r_.workloads) {
      const bool small = std::any_of(w.engines.begin(), w.engines.end(),
                                     [&](size_t e) { return r_.engines[e].small; });
      if (!w.work.soft_float || small) continue;
      any = true;
      std::vector<std::string> row = {
          w.program.name, r_.baseline() ? Number(r_.RunSeconds(w, *r_.baseline()), 3) : "–"};
      for (const size_t e : engines) row.push_back(CellText(w, e, r_.RunSeconds(w, e), 3));
      row.push_back(Number(SoftFloatAdvantage(r_, w)));
      s.table.Add(row);
    }
    if (any) Add(std::move(s));
  }

  void Metering() {
    Section s;
    s.title = "What counting costs";
    s.text =
        "Time with counting to time without, the same level, of programs that take a tenth of a "
        "second at least.";
    s.table = Table({"engine", "geometric mean", "worst", "in"});
    for (size_t i = 0; i < r_.engines.size(); ++i) {
      const MeteringCost cost = MeteringCostOf(r_, i);
      if (!cost.mean) continue;
      s.table.Add({r_.engines[i].name, Percent(*cost.mean - 1), Percent(*cost.worst - 1),
                   cost.worst_program});
    }
    if (!s.table.empty()) Add(std::move(s));
  }

  void Interpreters() {
    Section s;
    s.title = "Interpreters, a hundredth of the work";
    s.text = "Counts of retired instructions were compared with compiled code's.";
    std::vector<size_t> engines = Engines(GuestKind::kRiscv, true);
    for (const size_t e : Engines(GuestKind::kWasm, true)) engines.push_back(e);
    std::vector<std::string> header = {"program"};
    for (const size_t e : engines) {
      header.push_back(r_.engines[e].name + " s");
      header.emplace_back("/ native");
    }
    if (engines.empty()) return;
    s.table = Table(header);
    std::vector<std::string> names;
    for (const Workload& w : r_.workloads) {
      if (std::find(names.begin(), names.end(), w.program.name) == names.end()) {
        names.push_back(w.program.name);
      }
    }
    for (const std::string& name : names) {
      std::vector<std::string> row = {name};
      for (const size_t e : engines) {
        std::string seconds = "–", ratio = "–";
        for (const Workload& w : r_.workloads) {
          if (w.program.name != name || std::count(w.engines.begin(), w.engines.end(), e) == 0)
            continue;
          seconds = CellText(w, e, r_.RunSeconds(w, e), 3);
          if (!w.work.soft_float) ratio = Number(r_.RatioOf(w, e), 1);
        }
        row.push_back(seconds);
        row.push_back(ratio);
      }
      s.table.Add(row);
    }
    Add(std::move(s));
  }

  void CodeSize() {
    const std::optional<size_t> baseline = r_.baseline();
    std::vector<size_t> columns;
    for (size_t i = 0; i < r_.engines.size(); ++i) {
      bool sized = false;
      ForCells(i, [&](const Workload&, const Cell& cell) { sized |= cell.sizes.has_value(); });
      if (sized && i != baseline) columns.push_back(i);
    }
    if (!baseline || columns.empty()) return;
    std::vector<std::string> header = {"program", "gcc-O2 bytes"};
    for (const size_t e : columns) header.push_back(r_.engines[e].name);
    Section s;
    s.title = "Code size, ratio to .text of native gcc -O2";
    s.text =
        "Machine code alone. A guest contains its C library's functions, and on RISC-V those for "
        "floating point; native "
        "code has these in shared libraries, and a few hundred bytes of its own for starting up.";
    s.table = Table(header);
    std::vector<std::vector<double>> ratios(columns.size());
    for (const Workload& w : r_.workloads) {
      const Cell* native = w.Find(*baseline);
      const bool small = std::any_of(w.engines.begin(), w.engines.end(),
                                     [&](size_t e) { return r_.engines[e].small; });
      if (native == nullptr || !native->sizes || small) continue;
      std::vector<std::string> row = {
          absl::StrCat(w.program.name, w.work.soft_float ? " (soft float)" : ""),
          Whole(static_cast<double>(native->sizes->text))};
      for (size_t i = 0; i < columns.size(); ++i) {
        const std::optional<double> ratio = r_.TextRatioOf(w, columns[i]);
        row.push_back(Number(ratio));
        if (ratio && r_.InMean(w, columns[i])) ratios[i].push_back(*ratio);
      }
      s.table.Add(row);
    }
    std::vector<std::string> mean = {"geometric mean, without soft float", ""};
    for (const std::vector<double>& r : ratios) mean.push_back(Number(GeometricMean(r)));
    s.table.Add(mean);
    Add(std::move(s));
  }

  void Instructions() {
    if (r_.counter.empty()) return;
    Section s;
    s.title = "Machine instructions, ratio to native gcc -O2";
    s.text = absl::StrCat("By ", r_.counter, "; start-up (hello) is taken away.");
    std::vector<size_t> columns;
    for (size_t i = 0; i < r_.engines.size(); ++i) {
      if (r_.engines[i].countable && i != r_.baseline()) columns.push_back(i);
    }
    if (r_.counted.empty() || !r_.baseline()) {
      s.text = absl::StrCat("Not counted: ", r_.counter, ".");
      Add(std::move(s));
      return;
    }
    std::vector<std::string> header = {"program", "gcc-O2"};
    for (const size_t e : columns) header.push_back(r_.engines[e].name);
    s.table = Table(header);
    std::vector<std::vector<double>> ratios(columns.size());
    for (const Workload& w : r_.counted) {
      if (w.program.name == "hello") continue;
      const Cell* native = w.Find(*r_.baseline());
      std::vector<std::string> row = {
          absl::StrCat(w.program.name,
                       w.work.scale == 1 ? "" : absl::StrCat(" (1/", w.work.scale, ")"),
                       w.work.soft_float ? " (soft float)" : ""),
          native == nullptr || !native->machine_instructions
              ? "–"
              : Whole(static_cast<double>(*native->machine_instructions))};
      for (size_t i = 0; i < columns.size(); ++i) {
        const std::optional<double> ratio = r_.InstructionRatioOf(w, columns[i]);
        row.push_back(Number(ratio, 3));
        if (ratio && !w.work.soft_float) ratios[i].push_back(*ratio);
      }
      s.table.Add(row);
    }
    std::vector<std::string> mean = {"geometric mean, without soft float", ""};
    for (const std::vector<double>& r : ratios) mean.push_back(Number(GeometricMean(r), 3));
    s.table.Add(mean);
    Add(std::move(s));
  }

  void Marks() {
    Section s;
    s.title = "Targets";
    s.table = Table({"target", "limit", "measured", ""});
    for (const Mark& mark : MarksOf(r_)) {
      s.table.Add({mark.name, mark.limit, mark.measured, mark.met ? "met" : "MISSED"});
    }
    if (!s.table.empty()) Add(std::move(s));
  }

  void Notes() {
    Section s;
    s.title = "Notes";
    std::vector<std::string> lines;
    for (const std::string& fault : r_.Faults()) lines.push_back("FAULT  " + fault);
    for (const std::string& skipped : r_.skipped) lines.push_back("not measured: " + skipped);
    s.text = absl::StrJoin(lines, "\n");
    Add(std::move(s));
  }

  const Results& r_;
  std::vector<Section> sections_;
};

}  // namespace

std::vector<std::string> Conditions(const Results& results) {
  std::vector<std::string> lines = results.conditions;
  lines.push_back(absl::StrCat(
      "Measured: ", ClockName(results.clock), ", medians of ", results.runs, " runs in turn",
      results.scale == 1 ? "" : absl::StrCat(", 1/", results.scale, " of the work"),
      "; run time is without compiling and without start-up (hello's time of the same engine)"));
  bool said = false;
  for (const Engine& engine : results.engines) {
    if (engine.version.empty() || (engine.ours && said)) continue;
    lines.push_back(absl::StrCat(engine.ours ? "Precast" : engine.name, ": ", engine.version));
    said |= engine.ours;
  }
  return lines;
}

std::vector<Section> Sections(const Results& results) { return Reporter(results).Sections(); }

}  // namespace precast::bench
