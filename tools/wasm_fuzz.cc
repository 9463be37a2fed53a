// Damages WebAssembly modules at random and sees that reader, validator and compiler take it: no
// crash, no contradiction. Deterministic: a seed gives the same bytes everywhere.
//
//   bazel run --config=asan //tools:wasm_fuzz -- --count=200000 a.wasm b.wasm
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/driver/driver.h"
#include "compiler/wasm/testing/mutator.h"
#include "tools/cli/command.h"
#include "tools/commands/io.h"

namespace precast {
namespace {

using wasm::testing::Bytes;

struct Options {
  uint64_t seed = 0, count = 1000;
  bool compile = false, write = false;
  std::string compare_with;
};

struct Counts {
  uint64_t accepted = 0, accepted_2_0 = 0, compiled = 0, refused = 0, compared = 0, disagreed = 0;
};

// Asks another validator about modules, which it puts into a temporary directory.
class Comparison {
 public:
  explicit Comparison(std::string program) : program_(std::move(program)) {}

  absl::Status Check(const Bytes& bytes, uint64_t seed, bool accepted, Counts& counts) {
    if (directory_.empty()) {
      std::string pattern = "/tmp/wasm_fuzz.XXXXXX";
      if (mkdtemp(pattern.data()) == nullptr) return absl::InternalError("cannot make a directory");
      directory_ = pattern;
    }
    const std::string path = absl::StrCat(directory_, "/", seed, ".wasm");
    if (absl::Status status = aotc::WriteFile(path, bytes); !status.ok()) return status;
    const int result = std::system(absl::StrCat(program_, " ", path, " >/dev/null 2>&1").c_str());
    ++counts.compared;
    if ((result == 0) != accepted) {
      ++counts.disagreed;
      absl::PrintF("%s: %s here, %s there\n", path, accepted ? "accepted" : "rejected",
                   result == 0 ? "accepted" : "rejected");
      return absl::OkStatus();
    }
    unlink(path.c_str());
    return absl::OkStatus();
  }

  // Leaves the modules on which there was no agreement.
  ~Comparison() {
    if (!directory_.empty()) rmdir(directory_.c_str());
  }

 private:
  std::string program_, directory_;
};

// Compiles an accepted module, at a level that its seed decides.
absl::Status Compile(const Bytes& bytes, uint64_t seed, Counts& counts) {
  const driver::CompileOptions options = {.opt_level = static_cast<int>(seed % 3),
                                          .metered = (seed & 2) != 0,
                                          .canonical_nans = (seed & 4) != 0,
                                          .threads = 1,
                                          .check = (seed & 8) != 0};
  const absl::Status status = driver::Compile(bytes, options).status();
  if (status.ok()) {
    ++counts.compiled;
    return status;
  }
  // Too large for an image, or for our address space: allowed.
  ++counts.refused;
  return absl::IsResourceExhausted(status) || absl::IsUnimplemented(status) ? absl::OkStatus()
                                                                            : status;
}

int Run(const Options& o, const std::vector<Bytes>& corpus) {
  Counts counts;
  Comparison comparison(o.compare_with);
  const auto start = std::chrono::steady_clock::now();
  for (uint64_t seed = o.seed; seed < o.seed + o.count; ++seed) {
    const Bytes bytes = wasm::testing::Mutate(corpus, seed);
    if (o.write) {
      // Beforehand, so that it is there after a crash.
      const absl::Status status = aotc::WriteFile(absl::StrCat(seed, ".wasm"), bytes);
      if (!status.ok()) aotc::PrintError(status.message());
    }
    wasm::testing::Verdict verdict;
    absl::Status status = wasm::testing::CheckVerdicts(bytes, verdict);
    counts.accepted += verdict.accepted ? 1 : 0;
    counts.accepted_2_0 += verdict.accepted_2_0 ? 1 : 0;
    if (status.ok() && !o.compare_with.empty()) {
      status = comparison.Check(bytes, seed, verdict.accepted, counts);
    }
    if (status.ok() && o.compile && verdict.accepted) status = Compile(bytes, seed, counts);
    if (!status.ok()) {
      absl::PrintF("seed %d: %s\nReproduce: the same files, --seed=%d --count=1 --write\n", seed,
                   status.message(), seed);
      return cli::kExitFailure;
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  absl::PrintF(
      "%s modules from seed %d on: %s accepted (%s as 2.0), %s rejected, no contradiction, "
      "%.0f/s\n",
      aotc::Grouped(o.count), o.seed, aotc::Grouped(counts.accepted),
      aotc::Grouped(counts.accepted_2_0), aotc::Grouped(o.count - counts.accepted),
      static_cast<double>(o.count) / seconds);
  if (o.compile) {
    absl::PrintF("%s compiled, %s refused as too large\n", aotc::Grouped(counts.compiled),
                 aotc::Grouped(counts.refused));
  }
  if (!o.compare_with.empty()) {
    absl::PrintF("%s compared, %s disagreements\n", aotc::Grouped(counts.compared),
                 aotc::Grouped(counts.disagreed));
  }
  return counts.disagreed == 0 ? cli::kExitOk : cli::kExitFailure;
}

int Main(int argc, char** argv) {
  Options o;
  cli::Command command{
      .name = "",
      .usage = "[FILE…] [flags]",
      .summary = "Damage WebAssembly modules at random, and read, validate and compile them",
      .description = "The modules to damage are the files and some built in.",
      .examples = "",
      .flags =
          {cli::Number("seed", 's', "N", "the first (default 0)", &o.seed),
           cli::Number("count", 'n', "N", "how many (default 1000)", &o.count),
           cli::Switch("compile", 'c', "compile what is accepted, in various ways", &o.compile),
           cli::Switch("write", 'w', "write each module to SEED.wasm before it is read", &o.write),
           cli::Text("compare-with", 0, "COMMAND",
                     "another validator, say 'wasm-validate --enable-all': run it on every module, "
                     "keep and print those on which it does not agree (slow)",
                     &o.compare_with)},
      .positional = {}};
  if (const std::optional<int> code = cli::Parse("wasm_fuzz", command, argc, argv)) return *code;
  if (const char* directory = getenv("BUILD_WORKING_DIRECTORY");
      directory != nullptr && chdir(directory) != 0) {
    aotc::PrintError("cannot change to BUILD_WORKING_DIRECTORY");
  }
  std::vector<Bytes> corpus = wasm::testing::BuiltInModules();
  for (const std::string& file : command.positional) {
    absl::StatusOr<Bytes> bytes = aotc::ReadFile(file);
    if (!bytes.ok()) {
      aotc::PrintError(bytes.status().message());
      return cli::kExitFailure;
    }
    corpus.push_back(*std::move(bytes));
  }
  return Run(o, corpus);
}

}  // namespace
}  // namespace precast

int main(int argc, char** argv) { return precast::Main(argc, argv); }
