#include "tools/bench/compile_speed.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/bench/machine.h"
#include "tools/bench/process.h"
#include "tools/bench/stats.h"
#include "tools/bench/svg.h"
#include "tools/commands/io.h"

namespace precast::bench {
namespace {

constexpr int kLevels[] = {0, 1, 2};
constexpr int kThreads[] = {1, 2};
constexpr int kLoadRuns = 101;

class Measurer {
 public:
  Measurer(const CompileSpeedOptions& options, Cache& cache) : options_(options), cache_(cache) {}

  absl::StatusOr<CompileSpeed> Run() {
    speed_.conditions = MachineConditions();
    if (const absl::StatusOr<ProcessResult> version =
            RunProcess({options_.places.aotc, "--version"});
        version.ok()) {
      speed_.conditions.push_back(version->out.substr(0, version->out.find('\n')));
    }
    speed_.conditions.push_back(
        absl::StrCat("Medians of ", options_.runs,
                     " runs in turn, whole processes: reading the file and writing the "
                     "image included"));
    FindLevels();
    total_ = static_cast<int>(options_.files.size() * levels_.size() * std::size(kThreads)) *
                 options_.runs +
             static_cast<int>(options_.files.size()) + 1;
    for (const std::string& file : options_.files) {
      if (absl::Status s = Compile(file); !s.ok()) return s;
    }
    if (absl::Status s = Load(); !s.ok()) return s;
    return std::move(speed_);
  }

 private:
  void Progress(const std::string& what) {
    if (options_.progress) options_.progress(std::min(done_, total_), total_, what);
    ++done_;
  }

  Argv Command(const std::string& file, int level, int threads, const std::string& output) const {
    Argv argv = {options_.places.aotc, "compile", "--json", absl::StrCat("-O", level),
                 absl::StrCat("-j", threads)};
    argv.insert(argv.end(), options_.aotc_flags.begin(), options_.aotc_flags.end());
    for (const std::string& word : {std::string("-o"), output, file}) argv.push_back(word);
    return argv;
  }

  std::string Hello(bool wasm) const {
    return options_.places.root +
           (wasm ? "/testdata/bench/wasm/hello.wasm" : "/testdata/prebuilt/bench_hello.elf");
  }

  // Those that this aotc knows.
  void FindLevels() {
    for (const int level : kLevels) {
      const absl::StatusOr<ProcessResult> result =
          RunProcess(Command(Hello(true), level, 1, cache_.ScratchFile(".so")));
      if (result.ok() && result->ok()) levels_.push_back(level);
    }
  }

  absl::Status Compile(const std::string& file) {
    const absl::StatusOr<std::vector<uint8_t>> bytes = aotc::ReadFile(file);
    const size_t first = speed_.compile.size();
    std::vector<std::vector<double>> processor, wall;
    for (const int level : levels_) {
      for (const int threads : kThreads) {
        CompileRow row;
        row.file = std::filesystem::path(file).filename().string();
        row.level = level;
        row.threads = threads;
        row.image = cache_.ScratchFile(".so");
        if (bytes.ok()) {
          row.input_bytes = bytes->size();
        } else {
          row.failure = std::string(bytes.status().message());
        }
        speed_.compile.push_back(row);
      }
    }
    processor.resize(speed_.compile.size() - first);
    wall.resize(processor.size());
    for (int run = 0; run < options_.runs; ++run) {
      for (size_t i = 0; i < processor.size(); ++i) {
        CompileRow& row = speed_.compile[first + i];
        Progress(absl::StrCat(row.file, ": -O", row.level, ", ", row.threads, " threads"));
        if (!row.failure.empty()) continue;
        const absl::StatusOr<ProcessResult> result =
            RunProcess(Command(file, row.level, row.threads, row.image));
        if (absl::IsCancelled(result.status())) return result.status();
        if (!result.ok() || !result->ok()) {
          row.failure = result.ok() ? absl::StrCat("exit code ", result->exit_code, ": ",
                                                   result->err.substr(0, 200))
                                    : std::string(result.status().message());
          continue;
        }
        processor[i].push_back(result->user + result->system);
        wall[i].push_back(result->wall);
        row.peak_bytes = std::max(row.peak_bytes, result->peak_bytes);
        const nlohmann::json report = nlohmann::json::parse(result->err, nullptr, false);
        if (report.is_object() && report.contains("guest_instructions")) {
          row.guest_instructions = report["guest_instructions"].get<uint64_t>();
        }
      }
    }
    for (size_t i = 0; i < processor.size(); ++i) {
      CompileRow& row = speed_.compile[first + i];
      row.processor = Median(processor[i]).value_or(0);
      row.wall = Median(wall[i]).value_or(0);
      if (!row.failure.empty()) continue;
      const absl::StatusOr<std::vector<uint8_t>> image = aotc::ReadFile(row.image);
      if (!image.ok()) continue;
      if (const absl::StatusOr<ElfSizes> sizes = ReadElfSizes(*image); sizes.ok()) {
        row.sizes = *sizes;
      }
    }
    return absl::OkStatus();
  }

  // Images of the highest level, hello's of both kinds before all.
  absl::Status Load() {
    if (levels_.empty()) return absl::OkStatus();
    struct Image {
      std::string name, path;
    };
    std::vector<Image> images;
    for (const bool wasm : {false, true}) {
      const std::string path = cache_.ScratchFile(".so");
      const absl::StatusOr<ProcessResult> made =
          RunProcess(Command(Hello(wasm), levels_.back(), 1, path));
      if (made.ok() && made->ok()) images.push_back({wasm ? "hello.wasm" : "hello.elf", path});
    }
    for (const CompileRow& row : speed_.compile) {
      if (row.failure.empty() && row.level == levels_.back() && row.threads == 1) {
        images.push_back({row.file, row.image});
      }
    }
    for (const Image& image : images) {
      Progress(image.name + ": loading");
      for (const LoadWay& way :
           {LoadWay{false, true}, LoadWay{true, true}, LoadWay{true, false, true}}) {
        LoadRow row{.file = image.name, .level = levels_.back(), .way = way};
        std::error_code error;
        row.image_bytes = std::filesystem::file_size(image.path, error);
        const absl::StatusOr<LoadTimes> times = MeasureLoad(image.path, way, kLoadRuns);
        if (times.ok()) {
          row.times = *times;
        } else {
          row.times.note = std::string(times.status().message());
        }
        speed_.load.push_back(row);
        if (Interruption() != 0) return absl::CancelledError("interrupted");
      }
    }
    return absl::OkStatus();
  }

  const CompileSpeedOptions& options_;
  Cache& cache_;
  CompileSpeed speed_;
  std::vector<int> levels_;
  int done_ = 0, total_ = 0;
};

std::optional<double> Per(double amount, double seconds) {
  return seconds > 0 ? std::optional(amount / seconds) : std::nullopt;
}

// What was not measured is 0.
std::optional<double> IfMeasured(double value) {
  return value > 0 ? std::optional(value) : std::nullopt;
}

// The row of the same file and level with one thread.
const CompileRow* OneThread(const CompileSpeed& speed, const CompileRow& row) {
  for (const CompileRow& r : speed.compile) {
    if (r.file == row.file && r.level == row.level && r.threads == 1) return &r;
  }
  return nullptr;
}

std::string WayName(const LoadWay& way) {
  return absl::StrCat(way.share_pages ? "pages shared with the file" : "private copy",
                      way.trusted         ? ", trusted"
                      : way.verify_digest ? ""
                                          : ", digest not verified");
}

}  // namespace

absl::StatusOr<CompileSpeed> MeasureCompileSpeed(const CompileSpeedOptions& options, Cache& cache) {
  return Measurer(options, cache).Run();
}

std::vector<Section> Sections(const CompileSpeed& speed) {
  Section compile;
  compile.title = "Compiling";
  compile.text =
      "Speed with one thread by processor time, with more by wall time. Scaling: wall time with "
      "one thread to that with "
      "these. Memory: the most that was resident, and that in bytes for each byte of input and "
      "thread.";
  compile.table =
      Table({"file", "level", "threads", "processor", "wall", "MB/s", "M instr./s", "scaling",
             "peak MB", "bytes/byte/thread", "code bytes", "table bytes", "image bytes"});
  std::vector<Bar> bars;
  std::vector<std::string> failures;
  for (const CompileRow& row : speed.compile) {
    if (!row.failure.empty()) {
      failures.push_back(absl::StrCat("FAULT  ", row.file, ", -O", row.level, ", ", row.threads,
                                      " threads: ", row.failure));
      continue;
    }
    const double seconds = row.threads == 1 ? row.processor : row.wall;
    const double input = static_cast<double>(row.input_bytes);
    const CompileRow* one = OneThread(speed, row);
    const std::optional<double> speed_mb = Per(input / 1e6, seconds);
    compile.table.Add({row.file, absl::StrCat("-O", row.level), absl::StrCat(row.threads),
                       Time(row.processor), Time(row.wall), Number(speed_mb),
                       Number(Per(static_cast<double>(row.guest_instructions) / 1e6, seconds)),
                       row.threads == 1 || one == nullptr ? "" : Number(Ratio(one->wall, row.wall)),
                       Number(static_cast<double>(row.peak_bytes) / 1e6, 1),
                       Number(Per(static_cast<double>(row.peak_bytes), input * row.threads), 1),
                       Whole(static_cast<double>(row.sizes.text)),
                       Whole(static_cast<double>(row.sizes.tables)),
                       Whole(static_cast<double>(row.sizes.file))});
    if (row.threads == 1 && speed_mb) {
      bars.push_back({absl::StrCat(row.file, " -O", row.level), *speed_mb,
                      Number(speed_mb) + " MB/s", row.level});
    }
  }
  compile.plots = {BarPlot("Compile speed, one thread", bars, std::nullopt)};

  Section load;
  load.title = "From an image file to the first instruction";
  load.text = absl::StrCat("Inside one process, medians of ", kLoadRuns,
                           ": loading is opening, checking and mapping; then an instance is made.");
  load.table = Table({
      "image",
      "image bytes",
      "how",
      "load",
      "first instruction",
      "",
  });
  for (const LoadRow& row : speed.load) {
    load.table.Add({row.file, Whole(static_cast<double>(row.image_bytes)), WayName(row.way),
                    Time(IfMeasured(row.times.load)), Time(IfMeasured(row.times.ready)),
                    row.times.note.empty() ? "" : "no instance: " + row.times.note.substr(0, 60)});
  }
  std::vector<Section> sections = {compile, load};
  if (!failures.empty())
    sections.push_back(
        {.title = "Notes", .text = absl::StrJoin(failures, "\n"), .table = Table({})});
  return sections;
}

nlohmann::ordered_json ToJson(const CompileSpeed& speed) {
  using Json = nlohmann::ordered_json;
  Json compile = Json::array(), load = Json::array();
  for (const CompileRow& row : speed.compile) {
    Json json = {{"file", row.file}, {"level", row.level}, {"threads", row.threads}};
    if (!row.failure.empty()) {
      json["failure"] = row.failure;
    } else {
      json.update({{"processor_seconds", row.processor},
                   {"wall_seconds", row.wall},
                   {"peak_bytes", row.peak_bytes},
                   {"input_bytes", row.input_bytes},
                   {"guest_instructions", row.guest_instructions},
                   {"code_bytes", row.sizes.text},
                   {"table_bytes", row.sizes.tables},
                   {"guest_data_bytes", row.sizes.guest},
                   {"image_bytes", row.sizes.file}});
    }
    compile.push_back(json);
  }
  for (const LoadRow& row : speed.load) {
    load.push_back({{"file", row.file},
                    {"level", row.level},
                    {"image_bytes", row.image_bytes},
                    {"share_pages", row.way.share_pages},
                    {"verify_digest", row.way.verify_digest},
                    {"load_seconds", row.times.load},
                    {"first_instruction_seconds", row.times.ready},
                    {"note", row.times.note}});
  }
  return {{"format", 1}, {"conditions", speed.conditions}, {"compile", compile}, {"load", load}};
}

}  // namespace precast::bench
