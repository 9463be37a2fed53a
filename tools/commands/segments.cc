// aotc preflight, segment-verify, segment-dump and segment-state: what is done with a directory of
// segments that `aotc run --segments-dir` wrote.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "openvm/config.h"
#include "runtime/openvm/segments/chain.h"
#include "runtime/openvm/segments/preflight.h"
#include "runtime/openvm/segments/preflight_file.h"
#include "runtime/snapshot.h"
#include "tools/commands/commands.h"
#include "tools/commands/io.h"
#include "tools/commands/progress.h"
#include "tools/commands/session.h"

namespace precast::aotc {
namespace {

using Json = nlohmann::ordered_json;
using runtime::Chain;
using Clock = std::chrono::steady_clock;

constexpr uint64_t kUnset = UINT64_MAX;

int Failed(const absl::Status& status) {
  PrintError(status.message());
  return cli::kExitFailure;
}

// The program that a directory of segments is of: the file named, or the copy in the directory.
absl::StatusOr<Session> OpenProgramOf(const Chain& chain, const std::string& directory,
                                      const std::string& program) {
  absl::StatusOr<openvm::Config> machine = openvm::FromText(chain.manifest().machine);
  if (!machine.ok()) {
    return absl::Status(machine.status().code(),
                        absl::StrCat("manifest.json: machine: ", machine.status().message()));
  }
  SessionOptions options;
  options.interpret = true;
  options.abi = driver::CompileOptions::Abi::kOpenVm;
  options.openvm_config = *std::move(machine);
  absl::StatusOr<Session> session =
      Session::Open(program.empty() ? absl::StrCat(directory, "/program") : program, options);
  if (session.ok() && !session->is_openvm())
    return absl::InvalidArgumentError("not a program for the OpenVM machine");
  return session;
}

runtime::InstanceFactory FactoryOf(const Session& session) {
  return [&session]() -> absl::StatusOr<std::unique_ptr<runtime::Instance>> {
    runtime::OpenVmHostOptions host;
    host.stdout_fd = -1;  // what the guest prints has been printed
    runtime::InstanceOptions options;
    options.interpret_only = true;
    return session.StartOpenVm(std::move(host), std::move(options));
  };
}

unsigned Jobs(uint64_t jobs) {
  if (jobs == kUnset) jobs = std::max(1u, std::thread::hardware_concurrency());
  return static_cast<unsigned>(std::clamp<uint64_t>(jobs, 1, 1024));
}

struct Arguments {
  std::string directory, program, output;
  uint64_t jobs = kUnset, segment = kUnset, limit = 0, limit_entries = 0;
  bool execute = false, discard = false, json = false;
};

// Fills directory and program from what is not a flag.
bool TakePositional(const cli::Command& command, Arguments& a) {
  if (command.positional.empty() || command.positional.size() > 2) return false;
  a.directory = command.positional[0];
  if (command.positional.size() > 1) a.program = command.positional[1];
  return true;
}

uint64_t Instructions(const Chain& chain) { return chain.states().back().retired; }

}  // namespace

int PreflightMain(int argc, char** argv) {
  Arguments a;
  cli::Command command{
      .name = "preflight",
      .usage = "DIR [PROGRAM] [flags]",
      .summary = "Execute segments again and record what proving them needs",
      .description =
          "Executes the segments that `aotc run --segments-dir=DIR` wrote, each from its own "
          "start\n"
          "state and in as many threads as there are processors, and writes for each how often "
          "each\n"
          "instruction was executed, the memory log and the rows of each chip\n"
          "(docs/openvm_segments.md). Fails if a segment does not end as DIR says it does.",
      .examples =
          "  aotc run guest.elf --segments-dir=run && aotc preflight run --output=traces\n"
          "  aotc preflight run --segment=3 --output=traces\n",
      .flags = {cli::Text("output", 'o', "DIR",
                          "write segment-000000.preflight … there "
                          "(default: in the directory of segments)",
                          &a.output),
                cli::Number("jobs", 'j', "N", "threads (default: one per processor)", &a.jobs),
                cli::Number("segment", 0, "K", "only this one", &a.segment),
                cli::Switch("discard", 0,
                            "make the records, but write no files: to check or to measure",
                            &a.discard),
                cli::Switch("json", 0, "print what was done as JSON", &a.json)},
      .positional = {}};
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (!TakePositional(command, a)) return UsageError("preflight", "which DIR?");
  absl::StatusOr<Chain> chain = Chain::Open(a.directory);
  if (!chain.ok()) return Failed(chain.status());
  absl::StatusOr<Session> session = OpenProgramOf(*chain, a.directory, a.program);
  if (!session.ok()) return Failed(session.status());
  runtime::PreflightOptions options;
  using Records = runtime::PreflightOptions::Records;
  options.records = a.discard ? Records::kDiscard : Records::kWrite;
  if (!a.discard) options.output = a.output.empty() ? a.directory : a.output;
  options.jobs = Jobs(a.jobs);
  Progress progress("preflight", "segments", !a.json);
  options.progress = [&](size_t done, size_t total) { progress.Show(done, total); };
  if (a.segment != kUnset) options.segments.push_back(a.segment);
  const Clock::time_point start = Clock::now();
  if (absl::Status s = runtime::Preflight(*chain, FactoryOf(*session), options); !s.ok())
    return Failed(s);
  progress.Clear();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const size_t count =
      options.segments.empty() ? chain->manifest().segments.size() : options.segments.size();
  if (a.json) {
    const Json root = {{"segments", count},
                       {"jobs", options.jobs},
                       {"milliseconds", seconds * 1e3},
                       {"output", options.output}};
    absl::PrintF("%s\n", root.dump(2));
  } else {
    absl::PrintF("%d segments in %.3f s, %d threads: %s\n", count, seconds, options.jobs,
                 a.discard
                     ? "discarded"
                     : runtime::PreflightPath(options.output, a.segment == kUnset ? 0 : a.segment));
  }
  return cli::kExitOk;
}

int SegmentVerifyMain(int argc, char** argv) {
  Arguments a;
  cli::Command command{
      .name = "segment-verify",
      .usage = "DIR [PROGRAM] [flags]",
      .summary = "Check that segments follow one another",
      .description =
          "Checks a directory that `aotc run --segments-dir=DIR` wrote: that its files are whole, "
          "that\n"
          "all are of one program (and of PROGRAM, if given), that every page has the digest its "
          "root\n"
          "was made with, that each segment's final memory root is the next one's initial root, "
          "and\n"
          "that the last one ends the guest as the manifest says. With --execute, also that\n"
          "executing each segment gives its heights and its final state.\n\n"
          "What is wrong is named first: unreadable, malformed, damaged, program-commit, order,\n"
          "memory-root, page-contents, state, termination or execution.",
      .examples = "  aotc segment-verify run guest.elf --execute --jobs=4\n",
      .flags = {cli::Switch("execute", 0, "execute every segment again", &a.execute),
                cli::Number("jobs", 'j', "N", "threads (default: one per processor)", &a.jobs),
                cli::Switch("json", 0, "print the result as JSON", &a.json)},
      .positional = {}};
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (!TakePositional(command, a)) return UsageError("segment-verify", "which DIR?");
  size_t segments = 0;
  uint64_t instructions = 0;
  auto verify = [&]() -> absl::Status {
    absl::StatusOr<Chain> chain = Chain::Open(a.directory);
    if (!chain.ok()) return chain.status();
    segments = chain->manifest().segments.size();
    instructions = Instructions(*chain);
    if (!a.execute && a.program.empty()) return chain->Verify();
    absl::StatusOr<Session> session = OpenProgramOf(*chain, a.directory, a.program);
    if (!session.ok()) return session.status();
    if (absl::Status s = chain->Verify(&session->program()); !s.ok() || !a.execute) return s;
    Progress progress("executing", "segments", !a.json);
    return runtime::Preflight(*chain, FactoryOf(*session),
                              {.jobs = Jobs(a.jobs), .progress = [&](size_t done, size_t total) {
                                 progress.Show(done, total);
                               }});
  };
  const absl::Status status = verify();
  const std::optional<runtime::ChainError> error = runtime::ChainErrorOf(status);
  if (a.json) {
    const Json root = {{"ok", status.ok()},
                       {"error", status.ok() ? "none"
                                 : error     ? runtime::ChainErrorName(*error)
                                             : "other"},
                       {"message", std::string(status.message())},
                       {"segments", segments},
                       {"instructions", instructions}};
    absl::PrintF("%s\n", root.dump(2, ' ', false, Json::error_handler_t::replace));
  } else if (status.ok()) {
    absl::PrintF("%d segments, %s instructions: good%s\n", segments, Grouped(instructions),
                 a.execute ? ", also executed" : "");
  }
  if (status.ok()) return cli::kExitOk;
  return a.json ? cli::kExitFailure : Failed(status);
}

int SegmentDumpMain(int argc, char** argv) {
  Arguments a;
  cli::Command command{
      .name = "segment-dump",
      .usage = "FILE [flags]",
      .summary = "Show what preflight recorded of a segment",
      .description =
          "Reads a file that `aotc preflight` wrote, checks it, and prints its header, the\n"
          "heights of its chips, the instructions executed most, and with --entries the\n"
          "beginning of the memory log and of each chip's records.",
      .examples = "  aotc segment-dump traces/segment-000000.preflight --entries=20\n",
      .flags = {cli::Number("entries", 'n', "N", "how much of each log to print (default: none)",
                            &a.limit_entries),
                cli::Switch("json", 0, "print it as JSON", &a.json)},
      .positional = {}};
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (command.positional.size() != 1) return UsageError("segment-dump", "which FILE?");
  std::vector<runtime::MemoryEntry> memory;
  std::vector<std::pair<uint32_t, runtime::ChipEntry>> records;
  std::vector<uint64_t> shown;
  absl::StatusOr<runtime::PreflightSummary> summary = runtime::ReadPreflight(
      command.positional[0],
      [&](const runtime::MemoryEntry& e) {
        if (memory.size() < a.limit_entries) memory.push_back(e);
      },
      [&](uint32_t chip, const runtime::ChipEntry& e) {
        if (shown.size() <= chip) shown.resize(chip + 1);
        if (shown[chip]++ < a.limit_entries) records.emplace_back(chip, e);
      });
  if (!summary.ok()) return Failed(summary.status());
  const runtime::PreflightHeader& h = summary->header;
  if (summary->heights.size() != h.chips.size()) {
    return Failed(absl::InvalidArgumentError(absl::StrFormat(
        "ROWS: expected %d heights, actual %d", h.chips.size(), summary->heights.size())));
  }
  std::stable_sort(records.begin(), records.end(),
                   [](const auto& x, const auto& y) { return x.first < y.first; });
  std::vector<std::pair<uint32_t, uint32_t>> frequent(summary->frequencies.begin(),
                                                      summary->frequencies.end());
  std::stable_sort(frequent.begin(), frequent.end(),
                   [](const auto& x, const auto& y) { return x.second > y.second; });
  if (a.json) {
    Json chips = Json::array(), frequencies = Json::array(), log = Json::array(),
         rows = Json::array();
    for (size_t i = 0; i < h.chips.size(); ++i) {
      chips.push_back({{"name", h.chips[i]},
                       {"height", summary->heights[i]},
                       {"records", summary->chip_entries[i]}});
    }
    for (const auto& [pc, times] : summary->frequencies)
      frequencies.push_back({{"pc", pc}, {"times", times}});
    for (const runtime::MemoryEntry& e : memory) {
      log.push_back({{"timestamp", e.timestamp},
                     {"previous_timestamp", e.previous_timestamp},
                     {"address_space", e.space},
                     {"address", e.address},
                     {"write", e.write},
                     {"previous", e.previous},
                     {"value", e.value}});
    }
    for (const auto& [chip, e] : records) {
      rows.push_back({{"chip", h.chips[chip]},
                      {"pc", e.pc},
                      {"word", e.word},
                      {"timestamp", e.timestamp},
                      {"rd", e.rd},
                      {"rs1", e.rs1},
                      {"rs2", e.rs2},
                      {"rows", e.rows}});
    }
    const Json root = {{"segment", h.segment},
                       {"program_commit", runtime::HexOf(h.program_commit)},
                       {"first_instruction", h.first_instruction},
                       {"instructions", h.instructions},
                       {"initial_pc", h.initial_pc},
                       {"final_pc", summary->final_pc},
                       {"memory_entries", summary->memory_entries},
                       {"chips", std::move(chips)},
                       {"frequencies", std::move(frequencies)},
                       {"memory", std::move(log)},
                       {"records", std::move(rows)}};
    absl::PrintF("%s\n", root.dump(1, ' ', false, Json::error_handler_t::replace));
    return cli::kExitOk;
  }
  absl::PrintF("segment %d of program %s\n", h.segment, runtime::HexOf(h.program_commit));
  absl::PrintF("instructions %s from %s; pc 0x%08x to 0x%08x; %s memory entries\n\n",
               Grouped(h.instructions), Grouped(h.first_instruction), h.initial_pc,
               summary->final_pc, Grouped(summary->memory_entries));
  absl::PrintF("%-20s %13s %13s\n", "chip", "rows", "records");
  for (size_t i = 0; i < h.chips.size(); ++i) {
    if (summary->heights[i] == 0) continue;
    absl::PrintF("%-20s %13s %13s\n", h.chips[i], Grouped(summary->heights[i]),
                 Grouped(summary->chip_entries[i]));
  }
  constexpr size_t kMostFrequent = 10;
  absl::PrintF("\n%-10s %13s\n", "pc", "times");
  for (size_t i = 0; i < std::min(kMostFrequent, frequent.size()); ++i)
    absl::PrintF("0x%08x %13s\n", frequent[i].first, Grouped(frequent[i].second));
  if (!memory.empty()) {
    absl::PrintF("\n%10s %10s space    address        previous    value\n", "time", "before");
  }
  for (const runtime::MemoryEntry& e : memory) {
    absl::PrintF("%10d %10d %5d 0x%08x %-5s 0x%08x 0x%08x\n", e.timestamp, e.previous_timestamp,
                 e.space, e.address, e.write ? "write" : "read", e.previous, e.value);
  }
  if (!records.empty()) absl::PrintF("\n%-20s %-10s %-10s %10s\n", "chip", "pc", "word", "time");
  for (const auto& [chip, e] : records) {
    absl::PrintF("%-20s 0x%08x 0x%08x %10d rd 0x%08x rs1 0x%08x rs2 0x%08x rows %d\n",
                 h.chips[chip], e.pc, e.word, e.timestamp, e.rd, e.rs1, e.rs2, e.rows);
  }
  return cli::kExitOk;
}

int SegmentStateMain(int argc, char** argv) {
  Arguments a;
  cli::Command command{
      .name = "segment-state",
      .usage = "DIR [PROGRAM] --segment=K --output=SNAPSHOT",
      .summary = "Make a snapshot of the beginning of a segment",
      .description =
          "Makes a snapshot of the guest as it was where segment K begins, or --max-insns=N\n"
          "instructions later, from a directory that `aotc run --segments-dir=DIR` wrote.\n"
          "`aotc resume` continues from it, natively or interpreted, anywhere.",
      .examples =
          "  aotc segment-state run --segment=7 -o seven.state && aotc resume seven.state "
          "guest.elf\n",
      .flags = {cli::Number("segment", 0, "K", "which segment", &a.segment),
                cli::Text("output", 'o', "SNAPSHOT", "where to", &a.output),
                cli::Number("max-insns", 'n', "N", "go on N instructions first", &a.limit)},
      .positional = {}};
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (!TakePositional(command, a) || a.segment == kUnset || a.output.empty())
    return UsageError("segment-state", "which DIR, --segment and --output?");
  absl::StatusOr<Chain> chain = Chain::Open(a.directory);
  if (!chain.ok()) return Failed(chain.status());
  absl::StatusOr<Session> session = OpenProgramOf(*chain, a.directory, a.program);
  if (!session.ok()) return Failed(session.status());
  absl::StatusOr<std::unique_ptr<runtime::Instance>> instance = FactoryOf(*session)();
  if (!instance.ok()) return Failed(instance.status());
  if (a.segment >= chain->manifest().segments.size()) {
    return UsageError("segment-state",
                      absl::StrFormat("--segment: expected 0 to %d, found %d",
                                      chain->manifest().segments.size() - 1, a.segment));
  }
  if (absl::Status s = chain->Restore(a.segment, **instance); !s.ok()) return Failed(s);
  if (a.limit != 0) {
    (*instance)->Run(
        static_cast<int64_t>(std::min<uint64_t>(a.limit, runtime::Instance::kUnlimited)));
  }
  if (absl::Status s = runtime::SaveSnapshot(**instance, a.output); !s.ok()) return Failed(s);
  absl::PrintF("state after %s instructions\n", Grouped((*instance)->retired()));
  return cli::kExitOk;
}

}  // namespace precast::aotc
