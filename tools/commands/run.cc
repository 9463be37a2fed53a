// aotc run and aotc resume: execute a guest.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "compiler/riscv/decoder.h"
#include "nlohmann/json.hpp"
#include "runtime/openvm/error.h"
#include "runtime/openvm/host.h"
#include "runtime/snapshot.h"
#include "tools/commands/commands.h"
#include "tools/commands/io.h"
#include "tools/commands/openvm_flags.h"
#include "tools/commands/run_metered.h"
#include "tools/commands/run_wasm.h"
#include "tools/commands/session.h"

namespace precast::aotc {
namespace {

using Clock = std::chrono::steady_clock;
using runtime::RunResult;

constexpr char kDescription[] =
    R"(Runs a guest: PROGRAM, an RV32IM ELF executable or a WebAssembly module, which is compiled in
memory, or IMAGE, which `aotc compile` made of one. The guest's standard input, output and error are those of aotc. It sees
no file but those in directories granted with --dir, and no environment but --env.

An OpenVM guest gets what --input gives instead, and --stats shows its public values.

Arguments after PROGRAM go to the guest; put -- before them if they begin with a dash.

A WebAssembly module is run as a WASI command (its function _start), or with --invoke one of its
functions is called: ARGS are then the function's parameters, decimal or 0x hexadecimal, for floats
also inf and nan, and what it returns is printed, a value on each line. --fuel is counted in
WebAssembly instructions. --max-insns, --save-state, --load-state are for RISC-V.

Exit code: the guest's own, or
  120  it could not be started: file, program, image or snapshot is wrong (reason on stderr)
  121  it trapped (kind, pc and registers on stderr)
  122  --max-insns or --fuel is reached
  123  the image broke the contract with the runtime (a bug of the compiler that made it)
    2  the command line is wrong)";

constexpr char kResumeDescription[] =
    R"(Continues a guest that `aotc run --save-state=SNAPSHOT` suspended, in the same or another process,
natively or interpreted, from the program or from an image of it: the same as
  aotc run --load-state=SNAPSHOT PROGRAM|IMAGE

Directories granted when it was suspended have to be granted again. Exit codes: as `aotc run`.)";

constexpr uint64_t kNoLimit = UINT64_MAX;

struct Arguments {
  std::string file, save_state, load_state, program, stats_file, invoke;
  std::vector<std::string> directories, read_only_directories, environment, guest_arguments,
      imports;
  uint64_t limit = kNoLimit;
  uint64_t fuel = kNoLimit;
  uint64_t native_stack = 0;  // default
  std::string huge_pages = "auto";
  bool no_meter = false;
  bool stats = false, json = false;
  OpenVmFlags openvm;
  MeteredFlags metered;
  SessionOptions session;
};

std::vector<cli::Flag> Flags(Arguments& a) {
  std::vector<cli::Flag> flags = {
      cli::Switch("interpret", 'i', "use the interpreter only; nothing is compiled",
                  &a.session.interpret),
      OptLevelFlag(&a.session.opt_level),
      CpuFlag(&a.session.cpu_features),
      cli::Number("max-insns", 'n', "N", "suspend after exactly N more instructions", &a.limit),
      cli::Text("save-state", 's', "FILE", "when suspended, write a snapshot for `aotc resume`",
                &a.save_state),
      cli::Text("load-state", 'l', "FILE", "continue from a snapshot", &a.load_state),
      cli::Text("invoke", 0, "NAME", "WebAssembly: call this exported function with ARGS",
                &a.invoke),
      cli::Number("fuel", 0, "N", "WebAssembly: stop after N instructions", &a.fuel),
      cli::Texts("import", 0, "NAME=FILE",
                 "WebAssembly: link imports from NAME with FILE, a module or an image", &a.imports),
      cli::Switch("no-meter", 0, "compile without counting instructions or fuel", &a.no_meter),
      cli::Switch("canonical-nans", 0, "WebAssembly: compile MODULE with canonical NaNs",
                  &a.session.canonical_nans),
      cli::Switch("fast-helpers", 0,
                  "RISC-V: execute libgcc's arithmetic functions as one\n"
                  "instruction each; see `aotc compile --help`",
                  &a.session.fast_helpers),
      cli::Texts("dir", 'd', "HOST[::GUEST]",
                 "let the guest use files in directory HOST, as "
                 "GUEST\n(default: the same name)",
                 &a.directories),
      cli::Texts("dir-ro", 0, "HOST[::GUEST]", "the same, for reading only",
                 &a.read_only_directories),
      cli::Texts("env", 'e', "NAME=VALUE", "set a variable of the guest's environment",
                 &a.environment),
      cli::Switch("stats", 0, "at the end, print counts and times to stderr", &a.stats),
      cli::Text("stats-file", 0, "FILE", "print them to FILE instead", &a.stats_file),
      cli::Switch("json", 0, "print them as JSON (implies --stats)", &a.json),
      cli::Text("program", 'p', "P", "refuse an image that is not of this program (file or GUID)",
                &a.program),
      cli::Switch("lazy-plt", 0, "bind PLT entries at their first use, not when loading",
                  &a.session.lazy_plt),
      cli::Switch("share-pages", 0,
                  "map IMAGE instead of copying it: processes share its pages, "
                  "and perf\n"
                  "and gdb see its symbols; the file must not be changed in "
                  "place meanwhile",
                  &a.session.share_pages),
      cli::Switch("trust", 0,
                  "IMAGE is what aotc wrote, and nobody else can write it: map it, and check only\n"
                  "what takes the same time for every image",
                  &a.session.trusted),
      cli::Number("native-stack", 0, "BYTES",
                  "host stack for guest code (default: 1 MiB; WebAssembly: 8 "
                  "MiB). Deeper\n"
                  "recursion of RISC-V is slower, of WebAssembly a trap",
                  &a.native_stack),
      cli::Text("huge-pages", 0, "WHEN",
                "auto: memory of 4 MiB and more is in pages of 2 MiB where the system allows it\n"
                "(default); never: for hosts with many guests that sleep",
                &a.huge_pages),
  };
  a.openvm.AddTo(flags, /*with_inputs=*/true);
  a.metered.AddTo(flags);
  return flags;
}

std::string Registers(const uint32_t* x) {
  std::string out;
  for (int r = 0; r < 32; ++r) {
    absl::StrAppendFormat(&out, "%s%5s %08x%s", r % 8 == 0 ? " " : "",
                          riscv::RegisterName(static_cast<uint8_t>(r)), x[r],
                          r % 8 == 7 ? "\n" : "");
  }
  return out;
}

// "0x00010124 (main+0x1c)".
std::string Place(const Session& session, uint32_t pc) {
  const std::string name = session.Describe(pc);
  return absl::StrFormat("0x%08x%s", pc, name.empty() ? "" : absl::StrCat(" (", name, ")"));
}

std::string TrapReport(const Session& session, const runtime::Instance& instance,
                       const RunResult& result) {
  std::string text = absl::StrCat("trap: ", runtime::TrapName(result.trap), " at pc ",
                                  Place(session, instance.pc()));
  switch (result.trap) {
    case abi::TrapCode::kMemoryFault:
    case abi::TrapCode::kMisalignedAccess:
    case abi::TrapCode::kStackOverflow:
      absl::StrAppendFormat(&text, ", address 0x%08x", result.fault_address);
      break;
    case abi::TrapCode::kMisalignedPc:
      absl::StrAppendFormat(&text, ", target 0x%08x", result.fault_address);
      break;
    default:
      break;
  }
  if (session.IsMetered()) {
    absl::StrAppend(&text, ", after ", Grouped(instance.retired()), " instructions");
  }
  text += "\n";
  if (std::optional<uint32_t> word = session.WordAt(instance.pc())) {
    absl::StrAppendFormat(&text, "  %08x:  %08x  %s\n", instance.pc(), *word,
                          riscv::Disassemble(*word, instance.pc(), session.dialect()));
  }
  text += Registers(instance.registers());
  text.pop_back();
  return text;
}

const char* ReasonName(RunResult::Reason reason) {
  switch (reason) {
    case RunResult::Reason::kExited:
      return "exited";
    case RunResult::Reason::kTrapped:
      return "trapped";
    case RunResult::Reason::kSuspended:
      return "suspended";
    case RunResult::Reason::kFailed:
      return "failed";
  }
  return "";
}

// Of an OpenVM guest, in hexadecimal.
std::string PublicValues(const runtime::Instance& instance) {
  const auto& host = static_cast<const runtime::OpenVmHost&>(instance.host());
  std::string text;
  for (uint8_t byte : host.public_values()) absl::StrAppendFormat(&text, "%02x", byte);
  return text;
}

std::string StatsText(const Session& session, const runtime::Instance& instance,
                      const RunResult& result, const MeteredRun* segments, uint64_t retired_before,
                      double seconds, bool json) {
  const runtime::RunStatistics& s = instance.statistics();
  const uint64_t retired = instance.retired() - retired_before;
  const uint64_t native = retired - s.interpreted;
  const double mips = seconds > 0 ? static_cast<double>(retired) / seconds / 1e6 : 0;
  constexpr const char* kExits[] = {"returned", "dispatch_miss",   "suspended",
                                    "trap",     "stack_exhausted", "host_exit"};
  const bool metered = session.IsMetered();
  if (json) {
    nlohmann::ordered_json root = {{"result", ReasonName(result.reason)}, {"pc", instance.pc()}};
    if (metered) {
      root["instructions"] = retired;
      root["instructions_since_start"] = instance.retired();
      root["native_instructions"] = native;
    }
    root["interpreted_instructions"] = s.interpreted;
    root["host_calls"] = s.host_calls;
    root["native_entries"] = s.native_entries;
    for (size_t i = 0; i < std::size(kExits); ++i)
      root["native_exits"][kExits[i]] = s.native_exits[i];
    if (result.reason == RunResult::Reason::kExited) root["exit_code"] = result.exit_code;
    if (result.reason == RunResult::Reason::kTrapped) {
      root["trap"] = runtime::TrapName(result.trap);
      root["fault_address"] = result.fault_address;
    }
    if (session.is_openvm()) {
      root["custom_calls"] = s.custom_calls;
      root["public_values"] = PublicValues(instance);
      const std::optional<runtime::OpenVmError> error = runtime::OpenVmErrorOf(instance, result);
      root["error"] = error ? runtime::OpenVmErrorName(error->kind) : "none";
    }
    if (segments != nullptr) root["metered"] = segments->Json();
    root["compile_milliseconds"] = session.compile_seconds() * 1e3;
    root["load_milliseconds"] = session.load_seconds() * 1e3;
    root["run_milliseconds"] = seconds * 1e3;
    if (metered) root["million_instructions_per_second"] = mips;
    return root.dump(2) + "\n";
  }
  std::string out;
  auto row = [&](std::string_view name, std::string_view value) {
    absl::StrAppendFormat(&out, "  %-14s %s\n", name, value);
  };
  if (metered) {
    row("instructions", absl::StrFormat("%s (%s native, %s interpreted)", Grouped(retired),
                                        Grouped(native), Grouped(s.interpreted)));
  } else {
    row("instructions", absl::StrCat("not counted (compiled with --no-meter), ",
                                     Grouped(s.interpreted), " interpreted"));
  }
  if (metered && retired_before != 0) row("since start", Grouped(instance.retired()));
  row("host calls", Grouped(s.host_calls));
  if (session.is_openvm()) {
    row("custom", absl::StrCat(Grouped(s.custom_calls), " calls from native code"));
    row("public values", PublicValues(instance));
  }
  if (segments != nullptr) out += segments->Text();
  std::string exits;
  for (size_t i = 0; i < std::size(kExits); ++i) {
    if (s.native_exits[i] == 0) continue;
    absl::StrAppend(&exits, exits.empty() ? "; left: " : ", ", Grouped(s.native_exits[i]), " ",
                    kExits[i]);
  }
  row("native code", absl::StrCat("entered ", Grouped(s.native_entries), " times", exits));
  row("time", absl::StrFormat("%.3f ms running, %.3f ms compiling, %.3f ms loading", seconds * 1e3,
                              session.compile_seconds() * 1e3, session.load_seconds() * 1e3));
  if (metered) row("speed", absl::StrFormat("%.1f million instructions per second", mips));
  return out;
}

absl::Status AddDirectories(const std::vector<std::string>& flags, bool read_only,
                            runtime::LinuxHostOptions& host) {
  for (const std::string& flag : flags) {
    std::pair<std::string, std::string> names = absl::StrSplit(flag, absl::MaxSplits("::", 1));
    if (names.second.empty()) names.second = names.first;
    if (names.first.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--dir: expected HOST or HOST::GUEST, found \"", flag, "\""));
    }
    host.directories.push_back({names.first, names.second, read_only});
  }
  return absl::OkStatus();
}

int CannotStart(const absl::Status& status) {
  PrintError(status.message());
  return kExitCannotStart;
}

int ExecuteWasm(const Session& session, const Arguments& a, runtime::LinuxHostOptions host,
                const std::vector<ImportFlag>& imports) {
  if (a.limit != kNoLimit || !a.save_state.empty() || !a.load_state.empty()) {
    return UsageError(
        "run", absl::StrCat("--max-insns, --save-state and --load-state are for RISC-V; ", a.file,
                            " is a WebAssembly module (see --fuel)"));
  }
  WasmRunOptions options;
  options.file = a.file;
  options.wasi.arguments = std::move(host.arguments);
  options.wasi.environment = std::move(host.environment);
  for (runtime::LinuxHostOptions::Directory& d : host.directories)
    options.wasi.directories.push_back({std::move(d.host), std::move(d.guest), d.read_only});
  if (!a.invoke.empty()) options.invoke = a.invoke;
  if (a.fuel != kNoLimit) options.fuel = a.fuel;
  options.imports = imports;
  if (a.native_stack != 0) options.native_stack = a.native_stack;
  options.huge_pages = a.huge_pages == "auto";
  options.stats = a.stats;
  options.json = a.json;
  options.stats_file = a.stats_file;
  options.session = a.session;
  return RunWasm(session, options);
}

int Execute(Arguments& a) {
  runtime::LinuxHostOptions host;
  host.arguments = a.guest_arguments;
  host.arguments.insert(host.arguments.begin(), a.file);
  host.environment = a.environment;
  for (const std::string& variable : a.environment) {
    if (!absl::StrContains(variable, '=') || variable[0] == '=') {
      return UsageError("run",
                        absl::StrCat("--env: expected NAME=VALUE, found \"", variable, "\""));
    }
  }
  for (absl::Status s : {AddDirectories(a.directories, false, host),
                         AddDirectories(a.read_only_directories, true, host)}) {
    if (!s.ok()) return UsageError("run", s.message());
  }
  if (!a.program.empty()) {
    absl::StatusOr<format::Guid> guid = ProgramGuid(a.program);
    if (!guid.ok()) return CannotStart(guid.status());
    a.session.program_guid = *guid;
  }

  if (a.huge_pages != "auto" && a.huge_pages != "never") {
    return UsageError(
        "run", absl::StrCat("--huge-pages: expected auto or never, found \"", a.huge_pages, "\""));
  }
  const absl::StatusOr<std::vector<ImportFlag>> imports = ParseImports(a.imports);
  if (!imports.ok()) return UsageError("run", imports.status().message());
  a.session.metered = !a.no_meter;
  const absl::StatusOr<driver::CompileOptions::Abi> abi = a.openvm.Abi();
  if (!abi.ok()) return UsageError("run", abi.status().message());
  a.session.abi = *abi;
  absl::StatusOr<std::optional<openvm::Config>> config = a.openvm.Config();
  if (!config.ok()) return CannotStart(config.status());
  a.session.openvm_config = *std::move(config);

  if (absl::Status s = a.metered.Resolve(); !s.ok()) return UsageError("run", s.message());
  if (a.metered.wanted() && a.no_meter) {
    return UsageError("run", "--metered counts instructions too: expected it without --no-meter");
  }
  if (a.metered.cost && !a.save_state.empty()) {
    return UsageError(
        "run",
        "--metered-cost: a snapshot does not keep the cost so far: expected it without "
        "--save-state");
  }
  a.session.count_rows = a.metered.wanted();

  absl::StatusOr<Session> session = Session::Open(a.file, a.session);
  if (!session.ok()) return CannotStart(session.status());
  if (a.metered.wanted() && (session->is_wasm() || !session->is_openvm())) {
    return UsageError(
        "run", absl::StrCat("--metered and its like are for OpenVM guests; ", a.file, " is none"));
  }
  if (session->is_wasm()) return ExecuteWasm(*session, a, std::move(host), *imports);
  if (!a.invoke.empty() || a.fuel != kNoLimit || !imports->empty()) {
    return UsageError("run", absl::StrCat("--invoke, --fuel and --import are for WebAssembly; ",
                                          a.file, " is a RISC-V program (see --max-insns)"));
  }
  if (a.limit != kNoLimit && !session->IsMetered()) {
    return CannotStart(absl::InvalidArgumentError(
        absl::StrCat(a.file,
                     " was compiled with --no-meter, so --max-insns would not stop it; compile it "
                     "again without, or interpret it with --interpret")));
  }
  runtime::InstanceOptions instance_options;
  instance_options.native_stack_size = a.native_stack != 0 ? a.native_stack : uint64_t{1} << 20;
  instance_options.huge_pages = a.huge_pages == "auto";
  const absl::StatusOr<std::vector<std::vector<uint8_t>>> inputs = a.openvm.Inputs();
  if (!inputs.ok()) return CannotStart(inputs.status());
  if (!session->is_openvm() && !inputs->empty()) {
    return UsageError("run", absl::StrCat("--input is for OpenVM guests; ", a.file, " is none"));
  }
  runtime::InstanceOptions again_options = instance_options;
  again_options.interpret_only = !session->IsMetered();
  instance_options.interpret_only = a.metered.wanted() && !session->CountsRows();
  if (instance_options.interpret_only && !a.session.interpret) {
    PrintError(absl::StrCat(a.file,
                            " does not count rows, so it is interpreted; compile it with "
                            "--metered"));
  }
  absl::StatusOr<std::unique_ptr<runtime::Instance>> started =
      session->is_openvm()
          ? session->StartOpenVm({.config = {}, .inputs = *inputs}, instance_options)
          : session->Start(std::move(host), instance_options);
  if (!started.ok()) return CannotStart(started.status());
  // The process ends after this, and the system takes memory and mappings back faster than we
  // could. Marked as used, so that whoever looks for leaks finds it.
  [[gnu::used]] static runtime::Instance* kept;
  kept = std::move(*started).release();
  runtime::Instance& instance = *kept;
  if (!a.load_state.empty()) {
    if (absl::Status s = runtime::LoadSnapshot(a.load_state, instance); !s.ok()) {
      return CannotStart(absl::Status(
          s.code(), absl::StrCat("cannot continue from ", a.load_state, ": ", s.message())));
    }
  }

  std::unique_ptr<MeteredRun> metered;
  if (a.metered.wanted()) {
    absl::StatusOr<std::unique_ptr<MeteredRun>> begun =
        MeteredRun::Begin(a.metered, *session, instance, a.load_state);
    if (!begun.ok()) return CannotStart(begun.status());
    metered = *std::move(begun);
  }

  const uint64_t retired_before = instance.retired();
  const Clock::time_point start = Clock::now();
  const auto limit =
      static_cast<int64_t>(std::min<uint64_t>(a.limit, runtime::Instance::kUnlimited));
  const RunResult result = metered != nullptr ? metered->Run(limit) : instance.Run(limit);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (metered != nullptr) metered->End(result);

  int exit_code = kExitBroken;
  switch (result.reason) {
    case RunResult::Reason::kExited:
      exit_code = static_cast<int>(result.exit_code & 0xFF);
      break;
    case RunResult::Reason::kTrapped:
      PrintError(TrapReport(*session, instance, result));
      exit_code = kExitTrapped;
      break;
    case RunResult::Reason::kSuspended:
      PrintError(absl::StrCat("suspended at pc ", Place(*session, instance.pc()), " after ",
                              Grouped(instance.retired()), " instructions"));
      exit_code = kExitSuspended;
      if (!a.save_state.empty()) {
        if (absl::Status s = runtime::SaveSnapshot(instance, a.save_state); !s.ok()) {
          PrintError(absl::StrCat("cannot save the state to ", a.save_state, ": ", s.message()));
          exit_code = kExitCannotStart;
        } else if (absl::Status m =
                       metered != nullptr ? metered->Save(a.save_state) : absl::OkStatus();
                   !m.ok()) {
          PrintError(m.message());
          exit_code = kExitCannotStart;
        } else {
          PrintError(
              absl::StrCat("state saved; continue with: aotc resume ", a.save_state, " ", a.file));
        }
      }
      break;
    case RunResult::Reason::kFailed:
      PrintError(absl::StrCat("internal error: ", result.failure.message(),
                              ". This is a bug of Precast, not of the guest."));
      break;
  }
  if (metered != nullptr && !a.metered.directory.empty()) {
    auto again = [&] {
      return session->StartOpenVm({.config = {}, .inputs = *inputs, .stdout_fd = -1},
                                  again_options);
    };
    if (absl::Status s = metered->WriteSegments(again, a.file); !s.ok()) {
      PrintError(absl::StrCat("cannot write the segments: ", s.message()));
      exit_code = kExitCannotStart;
    }
  }
  if (a.metered.segments && !a.stats && !a.json && a.stats_file.empty())
    absl::FPrintF(stderr, "%s", metered->Text());
  if (a.stats || a.json || !a.stats_file.empty()) {
    const std::string text =
        StatsText(*session, instance, result, metered.get(), retired_before, seconds, a.json);
    if (a.stats_file.empty()) {
      absl::FPrintF(stderr, "%s", text);
    } else if (absl::Status s = WriteFileOrStdout(a.stats_file, text); !s.ok()) {
      PrintError(s.message());
    }
  }
  return exit_code;
}

}  // namespace

int RunMain(int argc, char** argv) {
  Arguments a;
  cli::Command command{.name = "run",
                       .usage = "PROGRAM|IMAGE [flags] [--] [ARGS]",
                       .summary = "Run a guest program or an image of it",
                       .description = kDescription,
                       .examples =
                           "  aotc run hello.elf\n"
                           "  aotc run wc.so --dir=.::/ -- -l notes.txt\n"
                           "  aotc run life.so --max-insns=10M --save-state=life.state\n"
                           "  aotc run sieve.elf --interpret --stats --json "
                           "--stats-file=sieve.json\n"
                           "  aotc run tool.wasm --dir=. --env=HOME=/ -- --verbose notes.txt\n"
                           "  aotc run math.wasm --invoke=add 2 0x28\n",
                       .flags = Flags(a),
                       .positional = {}};
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (command.positional.empty()) return UsageError("run", "which PROGRAM or IMAGE?");
  if (!a.save_state.empty() && a.limit == kNoLimit) {
    return UsageError("run", "--save-state writes where --max-insns stops: give that too");
  }
  a.file = command.positional[0];
  a.guest_arguments.assign(command.positional.begin() + 1, command.positional.end());
  return Execute(a);
}

int ResumeMain(int argc, char** argv) {
  Arguments a;
  cli::Command command{.name = "resume",
                       .usage = "SNAPSHOT PROGRAM|IMAGE [flags]",
                       .summary = "Continue a guest from a snapshot",
                       .description = kResumeDescription,
                       .examples =
                           "  aotc resume life.state life.so\n"
                           "  aotc resume life.state life.so --max-insns=10M "
                           "--save-state=life.state\n",
                       .flags = Flags(a),
                       .positional = {}};
  std::erase_if(command.flags, [](const cli::Flag& flag) { return flag.name == "load-state"; });
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (command.positional.size() != 2) {
    return UsageError("resume", "expected SNAPSHOT and PROGRAM or IMAGE");
  }
  if (!a.save_state.empty() && a.limit == kNoLimit) {
    return UsageError("resume", "--save-state writes where --max-insns stops: give that too");
  }
  a.load_state = command.positional[0];
  a.file = command.positional[1];
  return Execute(a);
}

}  // namespace precast::aotc
