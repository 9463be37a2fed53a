// aotc trace: interpreter and native code side by side.
//
// Native code counts instructions by blocks, so it cannot be stopped after each of them: with a
// limit of one it would leave everything to the interpreter. So the interpreter goes first,
// instruction by instruction, until it comes to the next place where native code can be entered;
// then the native side runs just as many instructions in one piece, in native code as far as there
// is any, and both states are compared.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/riscv/decoder.h"
#include "tools/commands/commands.h"
#include "tools/commands/compare.h"
#include "tools/commands/io.h"
#include "tools/commands/openvm_flags.h"
#include "tools/commands/session.h"

namespace precast::aotc {
namespace {

using runtime::Instance;
using runtime::RunResult;

constexpr char kDescription[] =
    R"(Runs a guest twice, interpreted and natively, prints each instruction with the registers it
changed, and stops at the first difference with both states.

The states are compared wherever native code can be entered (functions, loops, behind calls): result,
pc, count, all registers, and each byte that was stored since; all of memory at the end and every
65536 instructions. So a difference that is found is the work of the instructions printed since the
last comparison.

With --bisect nothing is printed on the way: both run in large steps until they differ, then the
smallest number of instructions after which they differ is searched by running again from the start.

The guest's output is discarded, its standard input is empty unless --stdin is given. A guest that
reads the clock may differ for that reason alone.

Exit code: 0 no difference, 1 a difference, 120 the guest could not be started.)";

constexpr uint64_t kFullCheckInterval = 65536;
constexpr const char* kInterpreted = "interpreted";
constexpr const char* kNative = "native";

struct Options {
  std::string file, input = "/dev/null";
  std::vector<std::string> arguments;
  uint64_t from = 0, count = Instance::kUnlimited;
  bool blocks = false, bisect = false, quiet = false;
  OpenVmFlags openvm;
  std::vector<std::vector<uint8_t>> openvm_inputs;
  SessionOptions session;
};

// Both instances of the guest, each with its own descriptors.
class Pair {
 public:
  static absl::StatusOr<std::unique_ptr<Pair>> Start(const Session& session,
                                                     const Options& options) {
    auto pair = std::make_unique<Pair>();
    pair->output_ = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (int side = 0; side < 2; ++side) {
      const int input = open(options.input.c_str(), O_RDONLY | O_CLOEXEC);
      if (input < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", options.input));
      pair->inputs_.push_back(input);
      runtime::LinuxHostOptions host;
      host.arguments = options.arguments;
      host.stdin_fd = input;
      host.stdout_fd = host.stderr_fd = pair->output_;
      runtime::InstanceOptions instance_options;
      instance_options.interpret_only = side == 0;
      absl::StatusOr<std::unique_ptr<Instance>> instance =
          session.is_openvm()
              ? session.StartOpenVm(
                    {.config = {}, .inputs = options.openvm_inputs, .stdout_fd = pair->output_},
                    instance_options)
              : session.Start(std::move(host), instance_options);
      if (!instance.ok()) return instance.status();
      (side == 0 ? pair->interpreted : pair->native) = *std::move(instance);
    }
    return pair;
  }
  Pair() = default;
  ~Pair() {
    interpreted.reset();
    native.reset();
    for (int fd : inputs_) close(fd);
    if (output_ >= 0) close(output_);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  // Runs both in one piece.
  void Run(uint64_t count) {
    interpreted_result = interpreted->Run(static_cast<int64_t>(count));
    native_result = native->Run(static_cast<int64_t>(count));
  }
  bool ended() const { return interpreted_result.reason != RunResult::Reason::kSuspended; }

  std::optional<std::string> Compare(bool memory) {
    std::optional<std::string> difference =
        Difference(kInterpreted, *interpreted, interpreted_result, kNative, *native, native_result);
    if (!difference && memory) {
      difference = MemoryDifference(kInterpreted, *interpreted, kNative, *native);
    }
    return difference;
  }

  std::unique_ptr<Instance> interpreted, native;
  RunResult interpreted_result, native_result;

 private:
  std::vector<int> inputs_;
  int output_ = -1;
};

class Tracer {
 public:
  Tracer(const Session& session, const Options& options)
      : session_(session), options_(options), p_(UseColor(STDOUT_FILENO)) {}

  int Run() { return options_.bisect ? Bisect() : Trace(); }

 private:
  struct Store {
    uint32_t address, size;
  };

  int Trace() {
    absl::StatusOr<std::unique_ptr<Pair>> started = Pair::Start(session_, options_);
    if (!started.ok()) return CannotStart(started.status());
    Pair& pair = **started;
    if (options_.from != 0) {
      pair.Run(options_.from);
      if (auto difference = pair.Compare(/*memory=*/true)) {
        absl::PrintF("%sdifferent%s already after the first %s instructions; use --bisect\n%s",
                     p_.red, p_.reset, Grouped(options_.from), *difference);
        return cli::kExitFailure;
      }
      if (pair.ended()) return Ended(pair);
    }
    uint64_t left = options_.count;
    uint64_t checked = pair.interpreted->retired();
    while (left > 0) {
      const uint64_t before = pair.interpreted->retired();
      const uint32_t from_pc = pair.interpreted->pc();
      stores_.clear();
      Advance(*pair.interpreted, pair.interpreted_result, left);
      const uint64_t done = pair.interpreted->retired() - before;
      // A trap shows only where the limit leaves room for one more instruction.
      const bool trapped = pair.interpreted_result.reason == RunResult::Reason::kTrapped;
      pair.native_result = pair.native->Run(static_cast<int64_t>(done + (trapped ? 1 : 0)));
      left -= std::min(left, done);

      const bool full =
          pair.ended() || left == 0 || pair.interpreted->retired() - checked > kFullCheckInterval;
      if (full) checked = pair.interpreted->retired();
      std::optional<std::string> difference = pair.Compare(full);
      if (!difference) difference = StoredDifference(pair);
      if (difference) {
        absl::PrintF("%sdifferent%s after instruction %s, in the piece from 0x%08x%s:\n%s", p_.red,
                     p_.reset, Grouped(pair.interpreted->retired()), from_pc, In(from_pc),
                     *difference);
        return cli::kExitFailure;
      }
      if (options_.blocks && !options_.quiet) {
        absl::PrintF("%12s  0x%08x  %5d instructions%s\n", Grouped(before), from_pc, done,
                     In(from_pc));
      }
      if (pair.ended()) return Ended(pair);
    }
    absl::PrintF("%sno difference%s in %s instructions\n", p_.green, p_.reset,
                 Grouped(pair.interpreted->retired()));
    return cli::kExitOk;
  }

  // One instruction after the other, to the next place where native code can be entered.
  void Advance(Instance& instance, RunResult& result, uint64_t limit) {
    constexpr uint64_t kMaxPiece = 4096;
    for (uint64_t i = 0; i < std::min(limit, kMaxPiece); ++i) {
      const uint32_t pc = instance.pc();
      uint32_t registers[32];
      std::copy_n(instance.registers(), 32, registers);
      const uint32_t word = session_.WordAt(pc).value_or(0);
      const riscv::Instruction in = riscv::Decode(word, session_.dialect());
      result = instance.Run(1);
      if (riscv::IsStore(in.op)) {
        const uint32_t size = in.op == riscv::Op::kSb ? 1 : in.op == riscv::Op::kSh ? 2 : 4;
        stores_.push_back({registers[in.rs1] + static_cast<uint32_t>(in.imm), size});
      }
      if (!options_.blocks && !options_.quiet) {
        std::string changes;
        for (uint8_t r = 1; r < 32; ++r) {
          if (instance.registers()[r] == registers[r]) continue;
          absl::StrAppendFormat(&changes, "  %s=%08x", riscv::RegisterName(r),
                                instance.registers()[r]);
        }
        if (riscv::IsStore(in.op)) {
          absl::StrAppendFormat(&changes, "  [%08x]=%s", stores_.back().address,
                                riscv::RegisterName(in.rs2));
        }
        absl::PrintF("%12s  %08x  %-28s%s%s%s\n", Grouped(instance.retired()), pc,
                     riscv::Disassemble(word, pc, session_.dialect()), p_.dim, changes, p_.reset);
      }
      if (result.reason != RunResult::Reason::kSuspended ||
          session_.image()->FindEntry(instance.pc()) != nullptr) {
        return;
      }
    }
  }

  // Compares the bytes that were stored in this piece.
  std::optional<std::string> StoredDifference(Pair& pair) const {
    for (const Store& store : stores_) {
      for (uint32_t i = 0; i < store.size; ++i) {
        const uint32_t address = store.address + i;
        runtime::GuestMemory& a = pair.interpreted->memory();
        runtime::GuestMemory& b = pair.native->memory();
        if (!a.Readable(address, 1) || !b.Readable(address, 1)) continue;
        if (a.base()[address] == b.base()[address]) continue;
        return absl::StrFormat("  byte 0x%08x  %s: 0x%02x, %s: 0x%02x\n", address, kInterpreted,
                               a.base()[address], kNative, b.base()[address]);
      }
    }
    return std::nullopt;
  }

  int Bisect() {
    absl::StatusOr<std::unique_ptr<Pair>> started = Pair::Start(session_, options_);
    if (!started.ok()) return CannotStart(started.status());
    uint64_t low = 0, high = 0;
    std::optional<std::string> difference;
    {
      Pair& pair = **started;
      constexpr uint64_t kLargestStep = uint64_t{1} << 28;
      uint64_t limit = options_.count;
      for (uint64_t step = 1024; limit > 0; step = std::min(2 * step, kLargestStep)) {
        const uint64_t now = std::min(step, limit);
        pair.Run(now);
        high = low + now;
        difference = pair.Compare(/*memory=*/true);
        if (difference || pair.ended()) break;
        low = high;
        limit -= now;
      }
      if (!difference) return Ended(pair);
    }
    absl::PrintF("the states differ between %s and %s instructions; searching\n", Grouped(low),
                 Grouped(high));
    fflush(stdout);
    // What differs after `count` instructions, run in one piece from the start.
    auto differs = [&](uint64_t count) -> absl::StatusOr<std::optional<std::string>> {
      absl::StatusOr<std::unique_ptr<Pair>> pair = Pair::Start(session_, options_);
      if (!pair.ok()) return pair.status();
      (*pair)->Run(count);
      return (*pair)->Compare(/*memory=*/true);
    };
    absl::StatusOr<std::optional<std::string>> at_high = differs(high);
    if (!at_high.ok()) return CannotStart(at_high.status());
    if (!at_high->has_value()) {
      absl::PrintF("but run in one piece they do not; it matters where native code is entered:\n%s",
                   *difference);
      return cli::kExitFailure;
    }
    difference = *at_high;
    while (high - low > 1) {
      const uint64_t middle = low + (high - low) / 2;
      absl::StatusOr<std::optional<std::string>> found = differs(middle);
      if (!found.ok()) return CannotStart(found.status());
      if (found->has_value()) {
        high = middle;
        difference = *found;
      } else {
        low = middle;
      }
    }
    absl::PrintF("%sdifferent%s after instruction %s:\n%s", p_.red, p_.reset, Grouped(high),
                 *difference);
    constexpr uint64_t kContext = 16;
    absl::StatusOr<std::unique_ptr<Pair>> pair = Pair::Start(session_, options_);
    if (!pair.ok()) return CannotStart(pair.status());
    const uint64_t from = high > kContext ? high - kContext : 0;
    Instance& instance = *(*pair)->interpreted;
    if (from != 0) (*pair)->interpreted_result = instance.Run(static_cast<int64_t>(from));
    absl::PrintF("the last instructions, interpreted:\n");
    for (uint64_t i = from; i < high; ++i) Advance(instance, (*pair)->interpreted_result, 1);
    return cli::kExitFailure;
  }

  int Ended(const Pair& pair) {
    absl::PrintF("%sno difference%s in %s instructions: both %s at pc 0x%08x%s\n", p_.green,
                 p_.reset, Grouped(pair.interpreted->retired()), Describe(pair.interpreted_result),
                 pair.interpreted->pc(), In(pair.interpreted->pc()));
    return cli::kExitOk;
  }

  // " (main+0x10)", or nothing.
  std::string In(uint32_t pc) const {
    const std::string name = session_.Describe(pc);
    return name.empty() ? "" : absl::StrCat(" (", name, ")");
  }

  static int CannotStart(const absl::Status& status) {
    PrintError(status.message());
    return kExitCannotStart;
  }

  const Session& session_;
  const Options& options_;
  const Palette p_;
  std::vector<Store> stores_;  // of the current piece
};

}  // namespace

int TraceMain(int argc, char** argv) {
  Options o;
  cli::Command command{
      .name = "trace",
      .usage = "PROGRAM|IMAGE [flags] [--] [ARGS]",
      .summary = "Run interpreter and native code side by side, up to the first difference",
      .description = kDescription,
      .examples =
          "  aotc trace hello.elf --from=1000 --count=50\n"
          "  aotc trace hello.elf -O0 --block\n"
          "  aotc trace sieve.so --bisect\n",
      .flags = {cli::Number("from", 'f', "N", "first run N instructions without printing", &o.from),
                cli::Number("count", 'n', "N", "stop after N more instructions", &o.count),
                cli::Switch("block", 'b', "print one line for each piece that is compared",
                            &o.blocks),
                cli::Switch("quiet", 'q', "print only the outcome", &o.quiet),
                cli::Switch("bisect", 0, "find the first difference in large steps", &o.bisect),
                cli::Text("stdin", 0, "FILE", "what the guest reads", &o.input),
                OptLevelFlag(&o.session.opt_level)},
      .positional = {}};
  o.openvm.AddTo(command.flags, /*with_inputs=*/true);
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (command.positional.empty()) return UsageError("trace", "which PROGRAM or IMAGE?");
  constexpr uint64_t kMost = Instance::kUnlimited;
  o.from = std::min(o.from, kMost);
  o.count = std::min(o.count, kMost);
  o.file = command.positional[0];
  o.arguments = command.positional;
  const absl::StatusOr<driver::CompileOptions::Abi> abi = o.openvm.Abi();
  if (!abi.ok()) return UsageError("trace", abi.status().message());
  o.session.abi = *abi;
  absl::StatusOr<std::optional<openvm::Config>> config = o.openvm.Config();
  absl::StatusOr<std::vector<std::vector<uint8_t>>> inputs = o.openvm.Inputs();
  for (const absl::Status& s : {config.status(), inputs.status()}) {
    if (s.ok()) continue;
    PrintError(s.message());
    return kExitCannotStart;
  }
  o.session.openvm_config = *std::move(config);
  o.openvm_inputs = *std::move(inputs);
  absl::StatusOr<Session> session = Session::Open(o.file, o.session);
  if (!session.ok()) {
    PrintError(session.status().message());
    return kExitCannotStart;
  }
  if (session->is_wasm()) {
    PrintError(absl::StrCat(o.file, " is a WebAssembly module; trace is for RISC-V programs"));
    return cli::kExitUsage;
  }
  return Tracer(*session, o).Run();
}

}  // namespace precast::aotc
