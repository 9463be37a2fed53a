// How fast real programs compile, how that scales with threads, how much memory it takes, how large
// the images are, and how long it takes to load them.
#ifndef PRECAST_TOOLS_BENCH_COMPILE_SPEED_H_
#define PRECAST_TOOLS_BENCH_COMPILE_SPEED_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "tools/bench/cache.h"
#include "tools/bench/elf_sizes.h"
#include "tools/bench/first_instruction.h"
#include "tools/bench/page.h"
#include "tools/bench/programs.h"

namespace precast::bench {

struct CompileSpeedOptions {
  Places places;
  std::vector<std::string> files;  // .elf, .wasm
  int runs = 3;
  Argv aotc_flags;
  std::function<void(int done, int total, std::string_view what)> progress{};
};

// One file at one level with a number of threads.
struct CompileRow {
  std::string file;
  int level = 0, threads = 0;
  std::string failure;             // empty if it compiles
  double processor = 0, wall = 0;  // seconds, of the whole process; medians
  uint64_t peak_bytes = 0;
  uint64_t input_bytes = 0;
  uint64_t guest_instructions = 0;
  ElfSizes sizes;
  std::string image;  // until the cache goes
};

struct LoadRow {
  std::string file;
  int level = 0;
  uint64_t image_bytes = 0;
  LoadWay way;
  LoadTimes times{};
};

struct CompileSpeed {
  std::vector<std::string> conditions;
  std::vector<CompileRow> compile;  // by file, level, threads
  std::vector<LoadRow> load;        // hello's first
};

// Error: Cancelled.
absl::StatusOr<CompileSpeed> MeasureCompileSpeed(const CompileSpeedOptions& options, Cache& cache);

std::vector<Section> Sections(const CompileSpeed& speed);
nlohmann::ordered_json ToJson(const CompileSpeed& speed);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_COMPILE_SPEED_H_
