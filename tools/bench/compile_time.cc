// How much processor time compiling takes, on one thread: testdata's generated program of 100,000
// instructions, or the programs named on the command line.
//
//   bazel run --config=opt //tools/bench:compile_time [-- PROGRAM...]
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "compiler/driver/driver.h"
#include "compiler/riscv/control_flow.h"
#include "compiler/riscv/lifter.h"
#include "tools/commands/io.h"

namespace precast {
namespace {

constexpr int kRuns = 9;

// Processor time of this thread in milliseconds, which other work on the machine changes little.
double Now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

// Median of some runs, in milliseconds.
template <typename Work>
double Median(const Work& work) {
  std::vector<double> times;
  for (int i = 0; i < kRuns; ++i) {
    const double start = Now();
    work();
    times.push_back(Now() - start);
  }
  std::sort(times.begin(), times.end());
  return times[kRuns / 2];
}

bool Measure(const std::string& path) {
  absl::StatusOr<std::vector<uint8_t>> file = aotc::ReadFile(path);
  if (!file.ok()) {
    aotc::PrintError(file.status().message());
    return false;
  }
  absl::StatusOr<guest::Program> program = driver::ReadProgram(*file);
  if (!program.ok()) {
    aotc::PrintError(program.status().message());
    return false;
  }
  const double read = Median([&] { (void)driver::ReadProgram(*file); });
  const riscv::Code code(*program);
  const double recover = Median([&] {
    const riscv::Code again(*program);
    (void)riscv::RecoverControlFlow(*program, again);
  });
  const riscv::ControlFlow flow = riscv::RecoverControlFlow(*program, code);

  absl::PrintF("%s\n", path);
  for (int level : {0, 1, 2}) {
    driver::CompileOptions options;
    options.opt_level = level;
    options.threads = 1;
    driver::CompileStats stats;
    const double whole = Median([&] {
      absl::StatusOr<driver::CompileResult> result = driver::Compile(*file, options);
      if (result.ok()) stats = result->stats;
    });
    const double lift = Median([&] {
      for (const riscv::Region& region : flow.regions) {
        (void)riscv::Lift(region, flow, code, {.local = level == 0});
      }
    });
    const double per_instruction =
        stats.guest_instructions == 0 ? 0
                                      : whole * 1e3 / static_cast<double>(stats.guest_instructions);
    absl::PrintF("  -O%d  %8.1f ms, %.2f us per guest instruction; %s instructions, %s regions\n",
                 level, whole, per_instruction, aotc::Grouped(stats.guest_instructions),
                 aotc::Grouped(stats.regions));
    absl::PrintF(
        "       read %.1f ms, recover control flow %.1f ms, lift %.1f ms, the rest (optimize, "
        "encode, write) %.1f ms\n",
        read, recover, lift, std::max(0.0, whole - read - recover - lift));
    absl::PrintF("       %s bytes of code, image of %s bytes\n", aotc::Grouped(stats.code_bytes),
                 aotc::Grouped(stats.image_bytes));
  }
  return true;
}

constexpr char kUsage[] =
    "Usage: compile_time [PROGRAM...]\n"
    "Compiles each PROGRAM (default: a guest of 100,000 instructions) on one thread, at -O0, "
    "-O1 and -O2,\n"
    "and prints how long it takes.";

int Main(int argc, char** argv) {
  std::vector<std::string> paths(argv + 1, argv + argc);
  if (!paths.empty() && paths[0][0] == '-') {
    puts(kUsage);
    return paths[0] == "--help" ? 0 : 2;
  }
  if (paths.empty()) {
    paths.push_back("testdata/prebuilt/big100k.elf");
  } else if (const char* directory = getenv("BUILD_WORKING_DIRECTORY");
             directory != nullptr && chdir(directory) != 0) {
    aotc::PrintError("cannot change to BUILD_WORKING_DIRECTORY");
  }
  bool ok = true;
  for (const std::string& path : paths) ok &= Measure(path);
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace precast

int main(int argc, char** argv) { return precast::Main(argc, argv); }
