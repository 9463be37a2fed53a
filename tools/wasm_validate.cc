// Reads and validates WebAssembly modules, and prints a verdict for each.
//
//   bazel run --config=opt //tools:wasm_validate -- --features=2.0 a.wasm b.wasm
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "compiler/wasm/module.h"
#include "compiler/wasm/reader.h"
#include "compiler/wasm/validator.h"
#include "tools/cli/command.h"
#include "tools/commands/io.h"

namespace precast {
namespace {

struct Options {
  std::string features = "all";
  uint64_t threads = 1;
  uint64_t repeat = 1;
};

absl::Status Check(const std::vector<uint8_t>& bytes, const wasm::Features& features, int threads) {
  const absl::StatusOr<wasm::Module> module = wasm::ReadModule(bytes, features);
  if (!module.ok()) return module.status();
  return wasm::Validate(*module, features, threads);
}

int Run(const Options& o, const std::vector<std::string>& files) {
  const wasm::Features features = o.features == "2.0" ? wasm::Features::Wasm2() : wasm::Features();
  const int threads = static_cast<int>(std::min<uint64_t>(o.threads, 1024));
  int result = cli::kExitOk;
  double seconds = 0;
  uint64_t total = 0;
  for (const std::string& file : files) {
    const absl::StatusOr<std::vector<uint8_t>> bytes = aotc::ReadFile(file);
    absl::Status status = bytes.status();
    if (bytes.ok()) {
      const auto start = std::chrono::steady_clock::now();
      for (uint64_t i = 0; i < o.repeat; ++i) status = Check(*bytes, features, threads);
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      total += bytes->size() * o.repeat;
    }
    if (!status.ok()) result = cli::kExitFailure;
    absl::PrintF("%s: %s\n", file, status.ok() ? "ok" : status.message());
  }
  if (o.repeat > 1) absl::PrintF("%.1f MB/s\n", static_cast<double>(total) / seconds / 1e6);
  return result;
}

int Main(int argc, char** argv) {
  Options o;
  cli::Command command{
      .name = "",
      .usage = "FILE… [flags]",
      .summary = "Read and validate WebAssembly modules",
      .description =
          "Prints \"FILE: ok\", or what is wrong and where. Exits with 0 if all are valid.",
      .examples = "",
      .flags = {cli::Text(
                    "features", 'f', "LEVEL",
                    "2.0: the standard's version 2.0; all (default): all that can be compiled",
                    &o.features),
                cli::Number("threads", 'j', "N", "for function bodies; 0: one per processor",
                            &o.threads),
                cli::Number("repeat", 'r', "N", "check each module N times, and print the speed",
                            &o.repeat)},
      .positional = {}};
  if (const std::optional<int> code = cli::Parse("wasm_validate", command, argc, argv))
    return *code;
  if (const char* directory = getenv("BUILD_WORKING_DIRECTORY");
      directory != nullptr && chdir(directory) != 0) {
    aotc::PrintError("cannot change to BUILD_WORKING_DIRECTORY");
  }
  if (command.positional.empty() || (o.features != "2.0" && o.features != "all")) {
    aotc::PrintError(command.positional.empty() ? "which module?" : "--features is 2.0 or all");
    return cli::kExitUsage;
  }
  return Run(o, command.positional);
}

}  // namespace
}  // namespace precast

int main(int argc, char** argv) { return precast::Main(argc, argv); }
