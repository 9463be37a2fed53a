// compare: how fast programs run as Precast's images, beside native code and beside everything else
// on this machine that runs the same guests; and with --compile-speed, how fast real programs
// compile. The help text says how to use it, docs/performance.md what is measured and what came
// out.
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"
#include "tools/bench/cache.h"
#include "tools/bench/compile_speed.h"
#include "tools/bench/engines.h"
#include "tools/bench/page.h"
#include "tools/bench/process.h"
#include "tools/bench/programs.h"
#include "tools/bench/report.h"
#include "tools/bench/suite.h"
#include "tools/cli/command.h"
#include "tools/commands/io.h"

namespace precast::bench {
namespace {

namespace fs = std::filesystem;

constexpr char kDescription[] =
    R"(Builds programs natively and as guests, runs them on every engine of this machine, in turn, and prints how their
times compare with native `gcc -O2`. Without FILES the programs are those of testdata/bench; FILES are C files (built
natively, for RV32IM and for WASI), or prebuilt guests: RV32IM executables (.elf), WASI commands (.wasm).

Every output is compared with native code's; a wrong one is shown, and makes the exit code 1.

Engines (--list shows which there are here):
  gcc-O2 gcc-O3 gcc-O2-m32 clang-O2          native code; gcc-O2 is what ratios are to
  rv-O0 rv-O1 rv-O2, each also -nometer      Precast, RISC-V
  wasm-O0 wasm-O1 wasm-O2, each also -nometer   Precast, WebAssembly
  rv-interp wasm-interp                      Precast's interpreters, on a hundredth of the work
  qemu                                       qemu-riscv32
  v8-liftoff v8-turbofan                     Node with one tier only, compiled before it runs
  wasm2c-O2 wasm2c-O3                        wabt's wasm2c and gcc
and any other that a line of the peers file describes (--peers):
  NAME | riscv, wasm or native | COMPILE COMMAND or - | RUN COMMAND | VERSION COMMAND (may be left out)
  wamr-aot | wasm | wamrc -o {out} {guest} | iwasm {out}
{guest} is the program, {out} what is compiled of it; several compile commands are joined by &&.

Times are medians of --runs runs of the whole process in user mode, less those of hello on the same engine; V8's are
taken inside. Tables and what they mean are explained in docs/performance.md.

With --compile-speed, FILES are .elf and .wasm files (default: testdata's program of 100,000 instructions): they are
compiled at each level with one and two threads, and the images loaded.

Exit code: 0; 1 if an output was wrong or something failed; 2 if the command line is wrong; 130 interrupted.)";

constexpr char kExamples[] =
    "  bazel run --config=opt //tools/bench:compare -- --quick\n"
    "  bazel run --config=opt //tools/bench:compare -- --html=$PWD/bench.html "
    "--json=$PWD/bench.json\n"
    "  bazel run --config=opt //tools/bench:compare -- --programs=fib,vm "
    "--engines='gcc-O2,rv-*,-*-nometer'\n"
    "  bazel run --config=opt //tools/bench:compare -- --instructions --programs=vm --runs=1\n"
    "  bazel run --config=opt //tools/bench:compare -- my.c other.wasm --peers=peers.txt\n"
    "  bazel run --config=opt //tools/bench:compare -- --compile-speed app.wasm\n";

struct Flags {
  uint64_t runs = 0, scale = 1;
  std::string programs, engines, clock = "user", peers, json, html, work_dir, aotc;
  std::vector<std::string> aotc_flags;
  bool quick = false, list = false, instructions = false, compile_speed = false;
};

// One line on a terminal, which is overwritten.
class Progress {
 public:
  Progress() : on_(isatty(STDERR_FILENO) != 0) {}
  ~Progress() { Clear(); }

  void Show(int done, int total, std::string_view what) {
    if (!on_) return;
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    absl::FPrintF(stderr, "\r\033[K[%d of %d, %.0f s] %s", done, total, seconds, what);
    fflush(stderr);
  }
  void Clear() {
    if (on_) absl::FPrintF(stderr, "\r\033[K");
  }

 private:
  bool on_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

int Fail(const absl::Status& status) {
  if (absl::IsCancelled(status)) {
    absl::FPrintF(stderr, "compare: interrupted\n");
    return 128 + Interruption();
  }
  absl::FPrintF(stderr, "compare: %s\n", status.message());
  return cli::kExitFailure;
}

int Usage(std::string_view message) {
  absl::FPrintF(stderr, "compare: %s\nTry --help.\n", message);
  return cli::kExitUsage;
}

// Where the data files of this binary are.
std::string Root(const char* argv0) {
  std::vector<std::string> candidates = {absl::StrCat(argv0, ".runfiles/precast")};
  for (const char* variable : {"RUNFILES_DIR", "TEST_SRCDIR"}) {
    if (const char* value = getenv(variable)) candidates.push_back(absl::StrCat(value, "/precast"));
  }
  for (const std::string& candidate : candidates) {
    std::error_code error;
    if (fs::exists(candidate + "/testdata/bench", error)) return fs::absolute(candidate).string();
  }
  return fs::current_path().string();
}

absl::Status WriteReports(const Flags& flags, const std::vector<std::string>& conditions,
                          const std::vector<Section>& sections,
                          const nlohmann::ordered_json& json) {
  if (flags.json != "-" && flags.html != "-") {
    const std::string text = MarkdownPage(conditions, sections);
    fwrite(text.data(), 1, text.size(), stdout);
    fflush(stdout);
  }
  if (!flags.json.empty()) {
    const std::string text =
        json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    if (absl::Status s = aotc::WriteFileOrStdout(flags.json, text); !s.ok()) return s;
  }
  if (!flags.html.empty()) {
    return aotc::WriteFileOrStdout(
        flags.html, HtmlPage(flags.compile_speed ? "Precast: compile speed" : "Precast: benchmark",
                             conditions, sections));
  }
  return absl::OkStatus();
}

std::vector<std::string> BuildNotes(const Flags& flags) {
  std::vector<std::string> notes;
#ifndef NDEBUG
  notes.emplace_back("NOT AN OPTIMISED BUILD of Precast: use --config=opt");
#endif
  if (!flags.aotc_flags.empty()) {
    notes.push_back(absl::StrCat("aotc compile flags: ", absl::StrJoin(flags.aotc_flags, " ")));
  }
  return notes;
}

int CompileSpeedMain(const Flags& flags, const Places& places, std::vector<std::string> files,
                     Cache& cache) {
  if (files.empty()) files.push_back(places.root + "/testdata/prebuilt/big100k.elf");
  Progress progress;
  CompileSpeedOptions options{.places = places,
                              .files = std::move(files),
                              .runs = static_cast<int>(flags.runs),
                              .aotc_flags = flags.aotc_flags};
  options.progress = [&](int done, int total, std::string_view what) {
    progress.Show(done, total, what);
  };
  const absl::StatusOr<CompileSpeed> speed = MeasureCompileSpeed(options, cache);
  progress.Clear();
  if (!speed.ok()) return Fail(speed.status());
  std::vector<std::string> conditions = BuildNotes(flags);
  conditions.insert(conditions.end(), speed->conditions.begin(), speed->conditions.end());
  if (absl::Status s = WriteReports(flags, conditions, Sections(*speed), ToJson(*speed)); !s.ok()) {
    return Fail(s);
  }
  for (const CompileRow& row : speed->compile) {
    if (!row.failure.empty()) return cli::kExitFailure;
  }
  return cli::kExitOk;
}

void List(const EngineSet& engines, const std::vector<Program>& programs) {
  for (const Engine& engine : engines.engines) {
    absl::PrintF("%-18s %-7s %s\n", engine.name, GuestKindName(engine.kind), engine.version);
  }
  for (const std::string& skipped : engines.skipped) absl::PrintF("not here: %s\n", skipped);
  absl::PrintF("programs:");
  for (const Program& program : programs) absl::PrintF(" %s", program.name);
  absl::PrintF("\n");
}

int CompareMain(const Flags& flags, const Places& places, const std::vector<std::string>& files,
                Clock clock, Cache& cache) {
  std::vector<Program> programs;
  if (files.empty() || !flags.programs.empty()) {
    for (Program& program : OwnPrograms(places)) {
      if (IsSelected(flags.programs, program.name)) programs.push_back(std::move(program));
    }
    if (programs.empty()) {
      return Usage(absl::StrCat("--programs: there is no program \"", flags.programs, "\""));
    }
  }
  for (const std::string& file : files) {
    absl::StatusOr<Program> program = ProgramFromFile(file);
    if (!program.ok()) return Usage(program.status().message());
    programs.push_back(*std::move(program));
  }
  absl::StatusOr<EngineSet> engines = FindEngines({.places = places,
                                                   .peers_file = flags.peers,
                                                   .select = flags.engines,
                                                   .aotc_flags = flags.aotc_flags},
                                                  cache);
  if (Interruption() != 0) return Fail(absl::CancelledError());
  if (!engines.ok()) return Usage(engines.status().message());
  if (flags.list) {
    List(*engines, programs);
    return cli::kExitOk;
  }
  if (engines->engines.empty()) {
    return Usage(
        absl::StrCat("--engines: nothing here is called \"", flags.engines, "\"; see --list"));
  }

  Progress progress;
  SuiteOptions options{.places = places,
                       .programs = std::move(programs),
                       .runs = static_cast<int>(flags.runs),
                       .start_runs = static_cast<int>(flags.runs) * 7,
                       .scale = static_cast<int>(flags.scale),
                       .clock = clock,
                       .count_instructions = flags.instructions};
  options.progress = [&](int done, int total, std::string_view what) {
    progress.Show(done, total, what);
  };
  absl::StatusOr<Results> results = RunSuite(options, *std::move(engines), cache);
  progress.Clear();
  if (!results.ok()) return Fail(results.status());
  std::vector<std::string> notes = BuildNotes(flags);
  results->conditions.insert(results->conditions.begin(), notes.begin(), notes.end());
  if (absl::Status s =
          WriteReports(flags, Conditions(*results), Sections(*results), ToJson(*results));
      !s.ok()) {
    return Fail(s);
  }
  for (const std::string& fault : results->Faults()) {
    absl::FPrintF(stderr, "compare: %s\n", fault);
  }
  return results->Faults().empty() ? cli::kExitOk : cli::kExitFailure;
}

int Main(int argc, char** argv) {
  Flags flags;
  cli::Command command{
      .name = "",
      .usage = "[FILES] [flags]",
      .summary = "Compare the speed of programs with native code and with other engines",
      .description = kDescription,
      .examples = kExamples,
      .flags =
          {cli::Number("runs", 'r', "N", "runs of each, of which the median counts (default 3)",
                       &flags.runs),
           cli::Text("programs", 'p', "LIST",
                     "which programs of testdata/bench: names with *, separated by commas; -NAME\n"
                     "takes away",
                     &flags.programs),
           cli::Text("engines", 'e', "LIST", "which engines, in the same way", &flags.engines),
           cli::Switch("quick", 'q', "a tenth of the work, two runs: for a first look",
                       &flags.quick),
           cli::Number("scale", 0, "N",
                       "1/N of the work; there are checked-in guests for 1 and 100", &flags.scale),
           cli::Text("clock", 0, "CLOCK",
                     "user: processor time in user mode (default); cpu: and of the kernel; wall",
                     &flags.clock),
           cli::Switch("instructions", 'i',
                       "count machine instructions too, by perf or, on a hundredth of the work,\n"
                       "valgrind",
                       &flags.instructions),
           cli::Text("peers", 0, "FILE", "other engines", &flags.peers),
           cli::Text("json", 0, "FILE", "write everything that was measured; - is standard output",
                     &flags.json),
           cli::Text("html", 0, "FILE", "write a page with plots", &flags.html),
           cli::Switch("compile-speed", 'c', "measure compiling and loading instead",
                       &flags.compile_speed),
           cli::Text("aotc", 0, "FILE", "the aotc to measure (default: the one built with this)",
                     &flags.aotc),
           cli::Texts("aotc-flag", 0, "FLAG", "for every `aotc compile`, for example --cpu=native",
                      &flags.aotc_flags),
           cli::Text("work-dir", 0, "DIR",
                     "where to keep what was built (default: precast/bench in the user's cache)",
                     &flags.work_dir),
           cli::Switch("list", 'l', "show engines and programs, measure nothing", &flags.list)},
      .positional = {}};
  if (const std::optional<int> code = cli::Parse("compare", command, argc, argv)) return *code;
  if (flags.runs == 0) flags.runs = flags.quick ? 2 : 3;
  if (flags.quick && flags.scale == 1) flags.scale = 10;
  if (flags.runs > 1000) return Usage("--runs: at most 1000");
  if (flags.scale == 0 || flags.scale > 1000000) return Usage("--scale: from 1 to 1000000");
  Clock clock;
  if (flags.clock == "user") {
    clock = Clock::kUser;
  } else if (flags.clock == "cpu") {
    clock = Clock::kProcessor;
  } else if (flags.clock == "wall") {
    clock = Clock::kWall;
  } else {
    return Usage(absl::StrCat("--clock: expected user, cpu or wall, found \"", flags.clock, "\""));
  }

  Places places;
  places.root = Root(argv[0]);
  // Paths on the command line are relative to where `bazel run` was called.
  if (const char* directory = getenv("BUILD_WORKING_DIRECTORY");
      directory != nullptr && chdir(directory) != 0) {
    return Fail(absl::ErrnoToStatus(errno, directory));
  }
  unsetenv("BUILD_WORKING_DIRECTORY");
  places.aotc =
      flags.aotc.empty() ? places.root + "/tools/aotc" : fs::absolute(flags.aotc).string();
  if (!IsInstalled(places.aotc)) {
    return Usage(absl::StrCat("there is no program ", places.aotc, "; see --aotc"));
  }
  CatchInterruptions();
  absl::StatusOr<std::unique_ptr<Cache>> cache =
      Cache::Open(flags.work_dir.empty() ? Cache::DefaultFolder() : flags.work_dir);
  if (!cache.ok()) return Fail(cache.status());
  if (flags.compile_speed) return CompileSpeedMain(flags, places, command.positional, **cache);
  return CompareMain(flags, places, command.positional, clock, **cache);
}

}  // namespace
}  // namespace precast::bench

int main(int argc, char** argv) { return precast::bench::Main(argc, argv); }
