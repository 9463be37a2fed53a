#include "tools/bench/suite.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"
#include "tools/bench/counters.h"
#include "tools/bench/machine.h"
#include "tools/bench/process.h"
#include "tools/bench/stats.h"
#include "tools/commands/io.h"

namespace precast::bench {
namespace {

constexpr int kSmallScale = 100;
constexpr int kCompileRuns = 3;  // of ours: it takes milliseconds

Sample ToSample(const ProcessResult& r) { return {r.user, r.system, r.wall}; }

nlohmann::json ReadJson(const std::string& path) {
  const absl::StatusOr<std::vector<uint8_t>> text = aotc::ReadFile(path);
  if (!text.ok()) return nullptr;
  return nlohmann::json::parse(text->begin(), text->end(), nullptr, false);
}

// What wasm_node.mjs wrote.
std::optional<Sample> SampleIn(const nlohmann::json& report, const char* name) {
  if (!report.is_object() || !report.contains(name) || !report[name].is_object())
    return std::nullopt;
  const nlohmann::json& part = report[name];
  for (const char* key : {"user", "system", "wall"}) {
    if (!part.contains(key) || !part[key].is_number()) return std::nullopt;
  }
  return Sample{part["user"].get<double>(), part["system"].get<double>(),
                part["wall"].get<double>()};
}

// The beginning of an output, on one line.
std::string Shown(std::string_view output) {
  std::string text;
  for (const char c : output.substr(0, 60)) text += c == '\n' ? ' ' : c;
  return output.size() > 60 ? text + "…" : text;
}

class Suite {
 public:
  Suite(const SuiteOptions& options, EngineSet engines, Cache& cache)
      : options_(options), cache_(cache), builder_(options.places, cache) {
    results_.engines = std::move(engines.engines);
    results_.skipped = std::move(engines.skipped);
    results_.clock = options.clock;
    results_.runs = options.runs;
    results_.scale = options.scale;
  }

  absl::StatusOr<Results> Run() {
    results_.conditions = MachineConditions();
    for (const std::string& line : builder_.Versions()) results_.conditions.push_back(line);
    for (const Program& program : options_.programs) {
      if (program.name == "hello" && program.ours) continue;
      AddWorkloads(program, results_.workloads);
    }
    Counter counter;
    if (options_.count_instructions) {
      counter = Counter::Find();
      results_.counter = counter.name();
      if (counter.works()) AddCounted(counter);
    }
    CountSteps();
    // What is run of hello, and then of each workload.
    if (absl::Status s = MeasureStartUp(); !s.ok()) return s;
    for (Workload& workload : results_.workloads) {
      if (absl::Status s = Measure(workload); !s.ok()) return s;
    }
    for (Workload& workload : results_.counted) {
      if (absl::Status s = Count(workload, counter); !s.ok()) return s;
    }
    return std::move(results_);
  }

 private:
  // What an engine runs of a workload.
  struct Prepared {
    Argv run;  // without report
    Argv reporting;
    std::string report;
  };

  void Progress(std::string_view what) {
    if (options_.progress) options_.progress(std::min(done_, total_), total_, what);
    ++done_;
  }

  void CountSteps() {
    total_ = options_.start_runs;
    for (const Workload& w : results_.workloads) {
      total_ += static_cast<int>(w.engines.size()) * (options_.runs + 1);
    }
    for (const Workload& w : results_.counted) total_ += static_cast<int>(w.engines.size()) * 2;
  }

  // -- which engines run what

  template <typename Predicate>
  std::vector<size_t> EnginesWhere(const Predicate& predicate) const {
    std::vector<size_t> list;
    for (size_t i = 0; i < results_.engines.size(); ++i) {
      if (predicate(i, results_.engines[i])) list.push_back(i);
    }
    return list;
  }

  static bool Has(const Program& program, GuestKind kind) {
    if (!program.source.empty()) return true;
    return kind == GuestKind::kRiscv  ? !program.riscv.empty()
           : kind == GuestKind::kWasm ? !program.wasm.empty()
                                      : false;
  }

  void AddWorkload(const Program& program, const Work& work, std::vector<size_t> engines,
                   std::vector<Workload>& list) {
    const bool only_native = std::all_of(engines.begin(), engines.end(), [&](size_t e) {
      return results_.engines[e].kind == GuestKind::kNative && e == results_.baseline();
    });
    if (engines.empty() || (only_native && work.soft_float)) return;
    Workload workload{.program = program, .work = work, .engines = std::move(engines)};
    workload.cells.resize(workload.engines.size());
    list.push_back(std::move(workload));
  }

  void AddWorkloads(const Program& program, std::vector<Workload>& list) {
    const int scale = program.ours ? options_.scale : 1;
    // RISC-V does less of our floating-point programs, and of those alone.
    const bool apart = program.ours && program.floating;
    const std::optional<size_t> baseline = results_.baseline();
    AddWorkload(program, {.scale = scale}, EnginesWhere([&](size_t, const Engine& e) {
                  return !e.small && Has(program, e.kind) &&
                         !(apart && e.kind == GuestKind::kRiscv);
                }),
                list);
    if (apart) {
      AddWorkload(program, {.scale = scale, .soft_float = true},
                  EnginesWhere([&](size_t i, const Engine& e) {
                    return !e.small && (e.kind == GuestKind::kRiscv || i == baseline);
                  }),
                  list);
    }
    // The interpreters, beside native code and beside ours, whose counts they must agree with.
    for (const GuestKind kind : {GuestKind::kRiscv, GuestKind::kWasm}) {
      const std::vector<size_t> small = EnginesWhere(
          [&](size_t, const Engine& e) { return e.small && e.kind == kind && Has(program, kind); });
      if (small.empty()) continue;
      std::optional<size_t> compiled;
      for (size_t i = 0; i < results_.engines.size(); ++i) {
        const Engine& e = results_.engines[i];
        if (e.ours && e.kind == kind && e.metered && !e.small) compiled = i;
      }
      AddWorkload(program,
                  {.scale = program.ours ? kSmallScale : 1,
                   .soft_float = apart && kind == GuestKind::kRiscv},
                  EnginesWhere([&](size_t i, const Engine& e) {
                    return (i == baseline && !program.source.empty()) || i == compiled ||
                           (e.small && e.kind == kind);
                  }),
                  list);
    }
  }

  void AddCounted(const Counter& counter) {
    const std::optional<size_t> baseline = results_.baseline();
    std::vector<Program> programs = options_.programs;
    for (Program& program : OwnPrograms(options_.places)) {
      // Hello, whose count is taken away from the others'.
      if (program.name == "hello") programs.insert(programs.begin(), std::move(program));
    }
    for (const Program& program : programs) {
      if (counter.is_slow() && !program.ours) continue;
      if (program.name == "hello" && !results_.counted.empty()) continue;
      const int scale = !program.ours ? 1 : counter.is_slow() ? kSmallScale : options_.scale;
      const bool apart = program.ours && program.floating;
      AddWorkload(program, {.scale = scale}, EnginesWhere([&](size_t, const Engine& e) {
                    return e.countable && Has(program, e.kind) &&
                           !(apart && e.kind == GuestKind::kRiscv);
                  }),
                  results_.counted);
      if (!apart) continue;
      AddWorkload(program, {.scale = scale, .soft_float = true},
                  EnginesWhere([&](size_t i, const Engine& e) {
                    return e.countable && (e.kind == GuestKind::kRiscv || i == baseline);
                  }),
                  results_.counted);
    }
  }

  // -- one workload

  // Builds what the engine runs; fills the cell, also if that fails.
  std::optional<Prepared> Prepare(const Workload& workload, const Engine& engine, Cell& cell) {
    const absl::StatusOr<std::string> guest =
        builder_.Guest(workload.program, engine.kind, workload.work);
    if (!guest.ok()) {
      cell.outcome =
          absl::IsNotFound(guest.status()) ? Cell::Outcome::kSkipped : Cell::Outcome::kFailed;
      cell.reason = std::string(guest.status().message());
      return std::nullopt;
    }
    Placeholders words;
    words.words["guest"] = *guest;
    if (!engine.compile.empty()) {
      std::vector<std::string> inputs = builder_.Inputs(workload.program);
      inputs.push_back(*guest);
      Placeholders compile = words;
      compile.words["name"] = workload.program.name;
      if (engine.kind == GuestKind::kNative) {
        compile.lists["defines"] = builder_.Defines(workload.program, workload.work);
      }
      std::vector<double> seconds;
      for (int i = 0; i < (engine.ours ? kCompileRuns : 1); ++i) {
        const absl::StatusOr<Artifact> made =
            cache_.Make(engine.compile, compile, inputs, engine.version, engine.cached);
        if (!made.ok()) {
          cell.outcome = Cell::Outcome::kFailed;
          cell.reason = absl::StrCat("compiling: ", made.status().message());
          return std::nullopt;
        }
        words.words["out"] = made->file;
        seconds.push_back(made->seconds);
        cell.compile_peak_bytes = std::max(cell.compile_peak_bytes, made->peak_bytes);
      }
      cell.compile_seconds = Median(seconds);
      if (const absl::StatusOr<std::vector<uint8_t>> file = aotc::ReadFile(words.words["out"]);
          file.ok()) {
        if (const absl::StatusOr<ElfSizes> sizes = ReadElfSizes(*file); sizes.ok()) {
          cell.sizes = *sizes;
        }
      }
    }
    words.words["name"] = workload.program.name;
    words.words["report"] = cache_.ScratchFile(".json");
    Prepared prepared;
    prepared.run = prepared.reporting = Expand(engine.run, words);
    for (const std::string& word : Expand(engine.report, words)) prepared.reporting.push_back(word);
    if (!engine.report.empty()) prepared.report = words.words["report"];
    return prepared;
  }

  // One run; fills the cell. Error: Cancelled.
  absl::Status RunOnce(const Prepared& prepared, const Engine& engine, Cell& cell) {
    const absl::StatusOr<ProcessResult> result = RunProcess(prepared.reporting);
    if (absl::IsCancelled(result.status())) return result.status();
    if (!result.ok()) {
      cell.outcome = Cell::Outcome::kFailed;
      cell.reason = std::string(result.status().message());
      return absl::OkStatus();
    }
    if (result->timed_out) {
      cell.outcome = Cell::Outcome::kFailed;
      cell.reason = absl::StrCat("not done after ", result->wall, " s");
      return absl::OkStatus();
    }
    if (!cell.runs.empty() && (cell.output != result->out || cell.exit_code != result->exit_code)) {
      cell.outcome = Cell::Outcome::kWrong;
      cell.reason = "prints something else each time";
      return absl::OkStatus();
    }
    cell.output = result->out;
    cell.exit_code = result->exit_code;
    if (result->exit_code != 0 && !result->err.empty()) cell.reason = Shown(result->err);
    cell.peak_bytes = std::max(cell.peak_bytes, result->peak_bytes);
    Sample sample = ToSample(*result);
    if (!prepared.report.empty()) {
      const nlohmann::json report = ReadJson(prepared.report);
      if (engine.timed_inside) {
        const std::optional<Sample> run = SampleIn(report, "run"),
                                    compile = SampleIn(report, "compile");
        if (!run || !compile) {
          cell.outcome = Cell::Outcome::kFailed;
          cell.reason = absl::StrCat("wrote no times; exit code ", result->exit_code, ", ",
                                     Shown(result->err));
          return absl::OkStatus();
        }
        sample = *run;
        cell.inside_compile.push_back(*compile);
      } else if (engine.metered && report.is_object()) {
        for (const char* key : {"instructions", "fuel"}) {
          if (report.contains(key) && report[key].is_number_unsigned()) {
            cell.retired = report[key].get<uint64_t>();
          }
        }
      }
    }
    cell.runs.push_back(sample);
    return absl::OkStatus();
  }

  absl::Status Measure(Workload& workload) {
    const std::string& name = workload.program.name;
    std::vector<std::optional<Prepared>> prepared;
    for (size_t i = 0; i < workload.engines.size(); ++i) {
      const Engine& engine = results_.engines[workload.engines[i]];
      Progress(absl::StrCat(name, ": building for ", engine.name));
      prepared.push_back(Prepare(workload, engine, workload.cells[i]));
      if (Interruption() != 0) return absl::CancelledError("interrupted");
    }
    for (int run = 0; run < options_.runs; ++run) {
      for (size_t i = 0; i < workload.engines.size(); ++i) {
        const Engine& engine = results_.engines[workload.engines[i]];
        Progress(absl::StrCat(name, ": ", engine.name, ", run ", run + 1, " of ", options_.runs));
        if (workload.cells[i].outcome != Cell::Outcome::kOk) continue;
        if (absl::Status s = RunOnce(*prepared[i], engine, workload.cells[i]); !s.ok()) return s;
      }
    }
    for (Cell& cell : workload.cells) {
      if (cell.inside_compile.empty()) continue;
      std::vector<double> seconds;
      for (const Sample& s : cell.inside_compile) seconds.push_back(s.At(Clock::kProcessor));
      cell.compile_seconds = Median(seconds);
    }
    Compare(workload);
    return absl::OkStatus();
  }

  // Outputs, exit codes and counts against the reference: native code, or whatever is first.
  void Compare(Workload& workload) const {
    workload.reference = 0;
    while (workload.reference + 1 < workload.cells.size() &&
           workload.cells[workload.reference].outcome != Cell::Outcome::kOk) {
      ++workload.reference;
    }
    const Cell& reference = workload.cells[workload.reference];
    // Counts of one kind of guest are equal at every level; the first that has one is the measure.
    const Cell* counts[3] = {};
    for (size_t i = 0; i < workload.cells.size(); ++i) {
      Cell& cell = workload.cells[i];
      if (cell.outcome != Cell::Outcome::kOk) continue;
      if (cell.exit_code != reference.exit_code) {
        cell.outcome = Cell::Outcome::kFailed;
        cell.reason = absl::StrCat("exit code ", cell.exit_code, ", expected ", reference.exit_code,
                                   cell.reason.empty() ? "" : ": ", cell.reason);
      } else if (cell.output != reference.output) {
        cell.outcome = Cell::Outcome::kWrong;
        cell.reason = absl::StrCat("printed \"", Shown(cell.output), "\", expected \"",
                                   Shown(reference.output), "\"");
      } else if (cell.retired) {
        const Cell*& first = counts[static_cast<int>(results_.engines[workload.engines[i]].kind)];
        if (first == nullptr) first = &cell;
        if (*cell.retired != *first->retired) {
          cell.outcome = Cell::Outcome::kWrong;
          cell.reason =
              absl::StrCat("counted ", *cell.retired, " instructions, expected ", *first->retired);
        }
      }
    }
  }

  absl::Status MeasureStartUp() {
    results_.start_up.resize(results_.engines.size());
    Workload hello;
    for (const Program& program : OwnPrograms(options_.places)) {
      if (program.name == "hello") hello.program = program;
    }
    std::vector<std::optional<Prepared>> prepared;
    for (size_t i = 0; i < results_.engines.size(); ++i) {
      Cell cell;
      prepared.push_back(Prepare(hello, results_.engines[i], cell));
      if (!prepared.back()) results_.start_up[i].failure = cell.reason;
    }
    for (int run = 0; run < options_.start_runs; ++run) {
      Progress(absl::StrCat("start-up, run ", run + 1, " of ", options_.start_runs));
      for (size_t i = 0; i < results_.engines.size(); ++i) {
        StartUp& start = results_.start_up[i];
        if (!start.failure.empty()) continue;
        // The one before was another engine, which left the processor's caches full of itself.
        absl::StatusOr<ProcessResult> result = RunProcess(prepared[i]->run);
        if (result.ok() && result->ok()) result = RunProcess(prepared[i]->run);
        if (absl::IsCancelled(result.status())) return result.status();
        if (!result.ok() || !result->ok() || result->out != "hello\n") {
          start.failure = result.ok()
                              ? absl::StrCat("exit code ", result->exit_code, ", printed \"",
                                             Shown(result->out + result->err), "\"")
                              : std::string(result.status().message());
          continue;
        }
        start.runs.push_back(ToSample(*result));
        start.peak_bytes = std::max(start.peak_bytes, result->peak_bytes);
      }
    }
    return absl::OkStatus();
  }

  absl::Status Count(Workload& workload, const Counter& counter) {
    for (size_t i = 0; i < workload.engines.size(); ++i) {
      const Engine& engine = results_.engines[workload.engines[i]];
      Cell& cell = workload.cells[i];
      Progress(absl::StrCat(workload.program.name, ": building for ", engine.name));
      const std::optional<Prepared> prepared = Prepare(workload, engine, cell);
      Progress(absl::StrCat(workload.program.name, ": counting instructions of ", engine.name));
      if (!prepared) continue;
      const absl::StatusOr<uint64_t> count = counter.Count(prepared->run);
      if (Interruption() != 0) return absl::CancelledError("interrupted");
      if (count.ok()) {
        cell.machine_instructions = *count;
      } else {
        cell.outcome = Cell::Outcome::kSkipped;
        cell.reason = std::string(count.status().message());
      }
    }
    return absl::OkStatus();
  }

  const SuiteOptions& options_;
  Cache& cache_;
  GuestBuilder builder_;
  Results results_;
  int done_ = 0, total_ = 0;
};

}  // namespace

absl::StatusOr<Results> RunSuite(const SuiteOptions& options, EngineSet engines, Cache& cache) {
  return Suite(options, std::move(engines), cache).Run();
}

}  // namespace precast::bench
