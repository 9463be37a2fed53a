// aotc wast: runs WebAssembly specification scripts and prints how many assertions hold.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"
#include "tools/commands/commands.h"
#include "tools/commands/io.h"
#include "tools/wast/engine.h"
#include "tools/wast/runner.h"
#include "tools/wast/script.h"
#include "tools/wast/text.h"

namespace precast::aotc {
namespace {

constexpr char kDescription[] =
    R"(Runs specification scripts: FILE is the text of one (.wast), or the JSON that `wast2json` made of it
(.json, with the module files beside it). Every module of a script is compiled, loaded and instantiated,
or interpreted with --interpret, and every assertion is checked: results, traps, exhaustion, and that
malformed, invalid and unlinkable modules are refused.

Prints passed, failed and skipped assertions for each file, and the failures. What is skipped is counted with
its reason (assertions about the syntax of the text format test the library that reads it).

To run images from disk in a new process: once with --save-images=DIR, then with --load-images=DIR, which
compiles nothing.

Exit code: 0 everything holds, 1 something does not (or a file cannot be read), 2 wrong command line.)";

struct Arguments {
  wast::EngineOptions engine;
  std::string features = "all";
  uint64_t shown = 5;
  bool no_meter = false, json = false;
};

// "all", "2.0", or "2.0" with some of what came later: "2.0+threads+memory64".
absl::StatusOr<::precast::wasm::Features> ParseFeatures(std::string_view level) {
  using ::precast::wasm::Features;
  if (level == "all") return Features();
  const std::vector<std::string_view> parts = absl::StrSplit(level, '+');
  if (parts[0] != "2.0") {
    return absl::InvalidArgumentError(
        absl::StrCat("--features is all, 2.0 or 2.0+NAME..., not \"", level, "\""));
  }
  constexpr std::pair<std::string_view, bool Features::*> kNames[] = {
      {"tail-calls", &Features::tail_calls},
      {"extended-const", &Features::extended_const},
      {"multi-memory", &Features::multi_memory},
      {"relaxed-simd", &Features::relaxed_simd},
      {"memory64", &Features::memory64},
      {"threads", &Features::threads},
      {"wide-arithmetic", &Features::wide_arithmetic}};
  Features features = Features::Wasm2();
  for (size_t k = 1; k < parts.size(); ++k) {
    const auto* const name = std::find_if(std::begin(kNames), std::end(kNames),
                                          [&](const auto& n) { return n.first == parts[k]; });
    if (name == std::end(kNames)) {
      std::vector<std::string_view> known;
      for (const auto& n : kNames) known.push_back(n.first);
      return absl::InvalidArgumentError(
          absl::StrCat("--features: no \"", parts[k], "\"; known: ", absl::StrJoin(known, ", ")));
    }
    features.*name->second = true;
  }
  return features;
}

absl::StatusOr<wast::Script> ReadScript(const std::string& path) {
  absl::StatusOr<std::vector<uint8_t>> file = ReadFile(path);
  if (!file.ok()) return file.status();
  const std::string_view text(reinterpret_cast<const char*>(file->data()), file->size());
  if (!absl::EndsWith(path, ".json")) return wast::ParseScriptText(path, text);
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  return wast::ParseScriptJson(
      path, text, [&](const std::string& name) { return ReadFile(absl::StrCat(directory, name)); });
}

wast::Report RunFile(const std::string& path, const wast::Engine& engine) {
  absl::StatusOr<wast::Script> script = ReadScript(path);
  if (script.ok()) return wast::RunScript(*script, engine);
  wast::Report report;
  report.script = path;
  report.error = std::string(script.status().message());
  return report;
}

bool Good(const wast::Report& report) { return report.error.empty() && report.failures.empty(); }

std::string AsJson(const std::vector<wast::Report>& reports) {
  using Json = nlohmann::ordered_json;
  Json root = {{"scripts", Json::array()}};
  for (const wast::Report& r : reports) {
    Json entry = {{"script", r.script},   {"passed", r.passed},     {"failed", r.failed},
                  {"skipped", r.skipped}, {"failures", r.failures}, {"skips", r.skips}};
    if (!r.error.empty()) entry["error"] = r.error;
    root["scripts"].push_back(std::move(entry));
  }
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void PrintReport(const wast::Report& r, uint64_t shown, const Palette& p) {
  absl::PrintF("%-60s %s%6d passed %s%5d failed %5d skipped%s\n", r.script,
               Good(r) ? p.green : p.red, r.passed, Good(r) ? "" : p.bold, r.failed, r.skipped,
               p.reset);
  if (!r.error.empty()) absl::PrintF("  %s\n", r.error);
  for (size_t k = 0; k < r.failures.size() && k < shown; ++k) absl::PrintF("  %s\n", r.failures[k]);
  if (r.failures.size() > shown) {
    absl::PrintF("  and %d more (--show=N shows N of each file)\n", r.failures.size() - shown);
  }
  std::fflush(stdout);
}

void PrintTotal(const std::vector<wast::Report>& reports) {
  int passed = 0, failed = 0, skipped = 0, bad = 0;
  std::map<std::string, int> skips;
  for (const wast::Report& r : reports) {
    passed += r.passed;
    failed += r.failed;
    skipped += r.skipped;
    bad += Good(r) ? 0 : 1;
    for (const auto& [reason, count] : r.skips) skips[reason] += count;
  }
  absl::PrintF("\n%d scripts, %d of them with failures: %d passed, %d failed, %d skipped\n",
               reports.size(), bad, passed, failed, skipped);
  for (const auto& [reason, count] : skips) absl::PrintF("  %6d skipped: %s\n", count, reason);
}

}  // namespace

int WastMain(int argc, char** argv) {
  Arguments a;
  cli::Command command{
      .name = "wast",
      .usage = "FILE... [flags]",
      .summary = "Run WebAssembly specification scripts",
      .description = kDescription,
      .examples =
          "  aotc wast i32.wast f32.wast\n"
          "  aotc wast --interpret --features=2.0 spec/core/*.wast\n"
          "  aotc wast -O0 --save-images=/tmp/images *.wast\n",
      .flags = {cli::Switch("interpret", 'i', "interpret; nothing is compiled",
                            &a.engine.interpret),
                OptLevelFlag(&a.engine.opt_level), CpuFlag(&a.engine.cpu_features),
                cli::Switch("no-meter", 0, "do not count fuel", &a.no_meter),
                cli::Switch("canonical-nans", 0, "make NaN results canonical",
                            &a.engine.canonical_nans),
                cli::Switch("check", 0, "let the compiler check itself (slow)", &a.engine.check),
                cli::Text("features", 'f', "LEVEL",
                          "what modules may use: all (the default), 2.0, or 2.0 and\nmore by name: "
                          "2.0+threads+memory64",
                          &a.features),
                cli::Text("save-images", 0, "DIR", "also write all images to DIR",
                          &a.engine.save_images),
                cli::Text("load-images", 0, "DIR", "run images from DIR; compile nothing",
                          &a.engine.load_images),
                cli::Number("show", 0, "N", "failures shown for each file (default 5)", &a.shown),
                cli::Switch("json", 0, "print JSON", &a.json)},
      .positional = {}};
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (command.positional.empty()) return UsageError("wast", "expected at least one FILE");
  const absl::StatusOr<::precast::wasm::Features> features = ParseFeatures(a.features);
  if (!features.ok()) return UsageError("wast", features.status().message());
  a.engine.features = *features;
  a.engine.metered = !a.no_meter;

  const wast::Engine engine(a.engine);
  const Palette palette(!a.json && UseColor(STDOUT_FILENO));
  std::vector<wast::Report> reports;
  for (const std::string& path : command.positional) {
    reports.push_back(RunFile(path, engine));
    if (!a.json) PrintReport(reports.back(), a.shown, palette);
  }
  if (a.json) {
    if (absl::Status s = WriteFileOrStdout("-", AsJson(reports)); !s.ok()) PrintError(s.message());
  } else {
    PrintTotal(reports);
  }
  return std::all_of(reports.begin(), reports.end(), Good) ? cli::kExitOk : cli::kExitFailure;
}

}  // namespace precast::aotc
