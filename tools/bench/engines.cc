#include "tools/bench/engines.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tools/bench/peers.h"
#include "tools/bench/process.h"
#include "tools/commands/io.h"

namespace precast::bench {
namespace {

constexpr std::string_view kWabtRuntime = "/usr/share/wabt/wasm2c";

class Finder {
 public:
  Finder(const EngineOptions& options, Cache& cache) : options_(options), cache_(cache) {}

  absl::StatusOr<EngineSet> Find() {
    Native();
    Ours(GuestKind::kRiscv);
    Qemu();
    std::vector<Peer> peers;
    if (absl::Status s = ReadPeers(peers); !s.ok()) return s;
    AddPeers(peers, GuestKind::kNative);
    AddPeers(peers, GuestKind::kRiscv);
    Ours(GuestKind::kWasm);
    V8();
    Wasm2c();
    AddPeers(peers, GuestKind::kWasm);
    return std::move(set_);
  }

 private:
  bool Wanted(const std::string& name) const { return IsSelected(options_.select, name); }

  void Skip(std::string_view name, std::string_view why) {
    set_.skipped.push_back(absl::StrCat(name, ": ", why));
  }

  // Whether the program is there; says so if not.
  bool Needs(std::string_view engine, const std::string& program) {
    if (IsInstalled(program)) return true;
    Skip(engine, absl::StrCat(program, " is not on PATH"));
    return false;
  }

  static std::string Version(const Argv& argv) {
    if (argv.empty()) return "";
    const absl::StatusOr<ProcessResult> result = RunProcess(argv, {.timeout = 20});
    if (!result.ok() || !result->ok()) return "";
    for (const std::string_view line : absl::StrSplit(result->out, '\n', absl::SkipWhitespace())) {
      return std::string(line);
    }
    return "";
  }

  void Native() {
    const struct {
      const char* name;
      Argv command;
    } compilers[] = {
        {"gcc-O2", {"gcc", "-O2"}},
        {"gcc-O3", {"gcc", "-O3"}},
        // With SSE, so that floating point is rounded as everywhere else.
        {"gcc-O2-m32", {"gcc", "-O2", "-m32", "-msse2", "-mfpmath=sse"}},
        {"clang-O2", {"clang", "-O2"}},
    };
    for (const auto& compiler : compilers) {
      if (!Wanted(compiler.name) || !Needs(compiler.name, compiler.command[0])) continue;
      Engine engine;
      engine.name = compiler.name;
      engine.kind = GuestKind::kNative;
      Argv command = compiler.command;
      for (const char* word : {"-w", "{defines}", "-o", "{out}", "{guest}", "-lm"}) {
        command.emplace_back(word);
      }
      engine.compile = {command};
      engine.run = {"{out}"};
      engine.version =
          absl::StrCat(Version({compiler.command[0], "--version"}), ", ",
                       absl::StrJoin(compiler.command.begin() + 1, compiler.command.end(), " "));
      engine.cached = true;
      engine.countable = true;
      Placeholders hello;
      hello.words["guest"] = options_.places.root + "/testdata/bench/hello.c";
      hello.lists["defines"] = {};
      if (const absl::StatusOr<Artifact> tried =
              cache_.Make(engine.compile, hello, {hello.words["guest"]}, engine.version, true);
          !tried.ok()) {
        Skip(engine.name, std::string(compiler.name) == "gcc-O2-m32"
                              ? "it cannot build hello.c (on Debian it needs gcc-multilib)"
                              : "it cannot build hello.c");
        continue;
      }
      set_.engines.push_back(std::move(engine));
    }
  }

  void Ours(GuestKind kind) {
    const std::string prefix = kind == GuestKind::kRiscv ? "rv" : "wasm";
    const std::string hello =
        options_.places.root + (kind == GuestKind::kRiscv ? "/testdata/prebuilt/bench_hello.elf"
                                                          : "/testdata/bench/wasm/hello.wasm");
    const std::string& aotc = options_.places.aotc;
    const std::string version = Version({aotc, "--version"});
    const Argv report = {"--json", "--stats-file={report}"};
    for (int level = 0; level <= 2; ++level) {
      for (const bool metered : {true, false}) {
        Engine engine;
        engine.name = absl::StrCat(prefix, "-O", level, metered ? "" : "-nometer");
        if (!Wanted(engine.name)) continue;
        engine.kind = kind;
        Argv command = {aotc, "compile", "-q", "-j1", absl::StrCat("-O", level)};
        if (!metered) command.emplace_back("--no-meter");
        command.insert(command.end(), options_.aotc_flags.begin(), options_.aotc_flags.end());
        for (const char* word : {"-o", "{out}", "{guest}"}) command.emplace_back(word);
        engine.compile = {command};
        engine.run = {aotc, "run", "{out}"};
        engine.report = report;
        engine.version = version;
        engine.ours = true;
        engine.level = level;
        engine.metered = metered;
        engine.countable = true;
        Placeholders words;
        words.words["guest"] = hello;
        if (!cache_.Make(engine.compile, words, {}, "", false).ok()) {
          Skip(engine.name, "this aotc cannot compile so");
          continue;
        }
        set_.engines.push_back(std::move(engine));
      }
    }
    Engine interpreter;
    interpreter.name = prefix + "-interp";
    if (!Wanted(interpreter.name)) return;
    interpreter.kind = kind;
    interpreter.run = {aotc, "run", "--interpret", "{guest}"};
    interpreter.report = report;
    interpreter.version = version;
    interpreter.ours = true;
    interpreter.metered = true;
    interpreter.small = true;
    set_.engines.push_back(std::move(interpreter));
  }

  void Qemu() {
    if (!Wanted("qemu") || !Needs("qemu", "qemu-riscv32")) return;
    Engine engine;
    engine.name = "qemu";
    engine.kind = GuestKind::kRiscv;
    engine.run = {"qemu-riscv32", "{guest}"};
    engine.version = Version({"qemu-riscv32", "--version"});
    set_.engines.push_back(std::move(engine));
  }

  void V8() {
    const struct {
      const char* name;
      Argv flags;
    } tiers[] = {
        {"v8-liftoff",
         {"--liftoff", "--no-wasm-tier-up", "--no-wasm-dynamic-tiering",
          "--no-wasm-lazy-compilation"}},
        {"v8-turbofan", {"--no-liftoff", "--no-wasm-lazy-compilation"}},
    };
    for (const auto& tier : tiers) {
      if (!Wanted(tier.name) || !Needs(tier.name, "node")) continue;
      Engine engine;
      engine.name = tier.name;
      engine.kind = GuestKind::kWasm;
      engine.run = {"node", "--no-warnings"};
      engine.run.insert(engine.run.end(), tier.flags.begin(), tier.flags.end());
      Argv version = engine.run;
      version.insert(version.end(), {"-p", "`node ${process.version}, V8 ${process.versions.v8}`"});
      engine.version = Version(version);
      if (engine.version.empty()) {
        Skip(tier.name, absl::StrCat("node does not know ", absl::StrJoin(tier.flags, " ")));
        continue;
      }
      absl::StrAppend(&engine.version, ", ", absl::StrJoin(tier.flags, " "));
      engine.run.push_back(options_.places.root + "/tools/bench/wasm_node.mjs");
      engine.run.emplace_back("{guest}");
      engine.report = {"{report}"};
      engine.timed_inside = true;
      set_.engines.push_back(std::move(engine));
    }
  }

  void Wasm2c() {
    for (const char* level : {"-O2", "-O3"}) {
      Engine engine;
      engine.name = absl::StrCat("wasm2c", level);
      if (!Wanted(engine.name) || !Needs(engine.name, "wasm2c") || !Needs(engine.name, "gcc")) {
        continue;
      }
      const std::string runtime(kWabtRuntime);
      engine.kind = GuestKind::kWasm;
      engine.compile = {{"wasm2c", "-n", "bench", "{guest}", "-o", "{dir}/bench.c"},
                        {"gcc", level, "-w", "-I{dir}", "-I" + runtime, "-o", "{out}",
                         "{dir}/bench.c", options_.places.root + "/tools/bench/wasm2c_host.c",
                         runtime + "/wasm-rt-impl.c", "-lm"}};
      engine.run = {"{out}"};
      engine.version = absl::StrCat("wabt ", Version({"wasm2c", "--version"}), ", ",
                                    Version({"gcc", "--version"}), " ", level);
      engine.cached = true;
      engine.countable = true;
      Placeholders hello;
      hello.words["guest"] = options_.places.root + "/testdata/bench/wasm/hello.wasm";
      if (!cache_.Make(engine.compile, hello, {hello.words["guest"]}, engine.version, true).ok()) {
        Skip(engine.name,
             "cannot build hello.wasm (made for wabt 1.0.32, runtime in " + runtime + ")");
        continue;
      }
      set_.engines.push_back(std::move(engine));
    }
  }

  absl::Status ReadPeers(std::vector<Peer>& peers) const {
    if (options_.peers_file.empty()) return absl::OkStatus();
    const absl::StatusOr<std::vector<uint8_t>> text = aotc::ReadFile(options_.peers_file);
    if (!text.ok()) return text.status();
    absl::StatusOr<std::vector<Peer>> parsed =
        ParsePeers({reinterpret_cast<const char*>(text->data()), text->size()});
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(options_.peers_file, ": ", parsed.status().message()));
    }
    peers = *std::move(parsed);
    return absl::OkStatus();
  }

  void AddPeers(const std::vector<Peer>& peers, GuestKind kind) {
    for (const Peer& peer : peers) {
      if (peer.engine.kind != kind || !Wanted(peer.engine.name)) continue;
      bool there = true;
      for (const std::string& program : peer.programs) {
        there = there && Needs(peer.engine.name, program);
      }
      if (!there) continue;
      Engine engine = peer.engine;
      engine.version = Version(peer.version_command);
      set_.engines.push_back(std::move(engine));
    }
  }

  const EngineOptions& options_;
  Cache& cache_;
  EngineSet set_;
};

}  // namespace

absl::StatusOr<EngineSet> FindEngines(const EngineOptions& options, Cache& cache) {
  return Finder(options, cache).Find();
}

}  // namespace precast::bench
