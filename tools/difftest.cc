// The differential test in any length: random programs, interpreted and compiled.
//
//   bazel run --config=opt //tools:difftest -- --count=100000
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "compiler/riscv/testing/random_program.h"
#include "compiler/wasm/testing/random_module.h"
#include "tools/cli/command.h"
#include "tools/commands/io.h"
#include "tools/testing/differential.h"

namespace precast {
namespace {

using aotc::Grouped;
using testing::CheckOpenVmSeed;
using testing::CheckSeed;
using testing::CheckWasmSeed;
using testing::DifferentialCounts;

struct Options {
  uint64_t seed = 0, count = 1000, jobs = 0;
  bool check = false;
  std::string write;
  std::string guest = "riscv";
};

int Run(const Options& o) {
  const auto start = std::chrono::steady_clock::now();
  std::atomic<uint64_t> next{o.seed};
  std::mutex mutex;  // protects what follows
  DifferentialCounts total;
  std::optional<std::pair<uint64_t, absl::Status>> failure;  // of the smallest seed
  auto shown = start;

  auto work = [&] {
    for (uint64_t seed; (seed = next.fetch_add(1)) < o.seed + o.count;) {
      DifferentialCounts counts;
      const absl::Status status = o.guest == "wasm"     ? CheckWasmSeed(seed, o.check, counts)
                                  : o.guest == "openvm" ? CheckOpenVmSeed(seed, o.check, counts)
                                                        : CheckSeed(seed, o.check, counts);
      std::lock_guard<std::mutex> lock(mutex);
      if (!status.ok()) {
        if (!failure || seed < failure->first) failure = {seed, status};
        next = o.seed + o.count;  // smaller seeds are done or being done
        return;
      }
      total.programs += counts.programs;
      total.instructions += counts.instructions;
      total.exited += counts.exited;
      total.trapped += counts.trapped;
      total.suspended += counts.suspended;
      const auto now = std::chrono::steady_clock::now();
      if (now - shown < std::chrono::seconds(isatty(STDERR_FILENO) != 0 ? 1 : 30)) continue;
      shown = now;
      absl::FPrintF(stderr, "%s%s of %s programs, no difference%s",
                    isatty(STDERR_FILENO) != 0 ? "\r\033[K" : "", Grouped(total.programs),
                    Grouped(o.count), isatty(STDERR_FILENO) != 0 ? "" : "\n");
    }
  };
  const uint64_t jobs = o.jobs != 0 ? o.jobs : std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (uint64_t i = 1; i < jobs; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (isatty(STDERR_FILENO) != 0) absl::FPrintF(stderr, "\r\033[K");

  if (failure) {
    absl::PrintF(
        "seed %d: %s\nReproduce: bazel run //tools:difftest -- --guest=%s --seed=%d --count=1\n"
        "Look at it: add --write=FILE%s\n",
        failure->first, failure->second.message(), o.guest, failure->first,
        o.guest == "wasm" ? "" : ", then aotc trace FILE --bisect");
    return cli::kExitFailure;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  absl::PrintF(
      "%s programs from seed %d on, %s instructions each way: no difference (%s exited, %s "
      "trapped, "
      "%s reached their limit; %.0f s)\n",
      Grouped(total.programs), o.seed, Grouped(total.instructions), Grouped(total.exited),
      Grouped(total.trapped), Grouped(total.suspended), seconds);
  return cli::kExitOk;
}

int Main(int argc, char** argv) {
  Options o;
  cli::Command command{
      .name = "",
      .usage = "[flags]",
      .summary = "Run random guest programs interpreted and natively, and compare",
      .description =
          "Each program runs interpreted, at every level, and at -O1 and -O2 with stops at random "
          "places, with\n"
          "a random limit (WebAssembly: every function once, with limited fuel). Stops at the "
          "first\n"
          "difference and says how to reproduce it.",
      .examples = "",
      .flags = {cli::Text("guest", 'g', "KIND", "riscv (default), openvm or wasm", &o.guest),
                cli::Number("seed", 's', "N", "the first program (default 0)", &o.seed),
                cli::Number("count", 'n', "N", "how many programs (default 1000)", &o.count),
                cli::Number("jobs", 'j', "N", "threads (default: one per processor)", &o.jobs),
                cli::Switch("check", 0, "run the compiler's own checkers too (slow)", &o.check),
                cli::Text("write", 'w', "FILE", "write the first program to FILE, and do no more",
                          &o.write)},
      .positional = {}};
  if (const std::optional<int> code = cli::Parse("difftest", command, argc, argv)) return *code;
  if (const char* directory = getenv("BUILD_WORKING_DIRECTORY");
      directory != nullptr && chdir(directory) != 0) {
    aotc::PrintError("cannot change to BUILD_WORKING_DIRECTORY");
  }
  if (o.guest != "riscv" && o.guest != "openvm" && o.guest != "wasm") {
    aotc::PrintError("--guest is riscv, openvm or wasm");
    return cli::kExitUsage;
  }
  if (!o.write.empty()) {
    const absl::Status status =
        aotc::WriteFile(o.write, o.guest == "wasm"     ? wasm::RandomModule(o.seed)
                                 : o.guest == "openvm" ? riscv::testing::RandomOpenVmProgram(o.seed)
                                                       : riscv::testing::RandomProgram(o.seed));
    if (!status.ok()) aotc::PrintError(status.message());
    return status.ok() ? cli::kExitOk : cli::kExitFailure;
  }
  return Run(o);
}

}  // namespace
}  // namespace precast

int main(int argc, char** argv) { return precast::Main(argc, argv); }
