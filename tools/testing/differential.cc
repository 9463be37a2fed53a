#include "tools/testing/differential.h"

#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "compiler/riscv/testing/random_program.h"
#include "loader/format/cpu_features.h"
#include "openvm/config.h"
#include "openvm/extension.h"
#include "openvm/metering.h"
#include "runtime/instance.h"
#include "runtime/openvm/segments/meter.h"
#include "runtime/openvm/segments/native_meter.h"
#include "runtime/snapshot.h"
#include "tools/commands/compare.h"
#include "tools/commands/session.h"

namespace precast::testing {
namespace {

using aotc::Session;
using runtime::Instance;
using runtime::RunResult;

constexpr uint64_t kMaxLimit = 20'000;

int NullDevice() {
  static const int fd = [] {
    const int opened = open("/dev/null", O_RDWR | O_CLOEXEC);
    CHECK_GE(opened, 0);
    return opened;
  }();
  return fd;
}

absl::StatusOr<std::unique_ptr<Instance>> Start(const Session& session) {
  runtime::LinuxHostOptions host;
  host.arguments = {"random"};
  host.stdin_fd = host.stdout_fd = host.stderr_fd = NullDevice();
  host.stack_size = 64 << 10;  // all of memory is compared, so there should be little
  if (!session.is_openvm()) return session.Start(std::move(host));
  runtime::OpenVmHostOptions openvm;
  openvm.inputs = {
      {1, 2, 3, 4, 5}, std::vector<uint8_t>(100, 0xa5), {}, std::vector<uint8_t>(33, 1)};
  openvm.stdout_fd = NullDevice();
  return session.StartOpenVm(std::move(openvm));
}

struct Side {
  std::string name;
  std::unique_ptr<Instance> instance;
  RunResult result;
};

absl::Status Compare(const Side& oracle, const Side& side) {
  std::optional<std::string> difference =
      aotc::Difference(oracle.name.c_str(), *oracle.instance, oracle.result, side.name.c_str(),
                       *side.instance, side.result);
  if (!difference) {
    difference = aotc::MemoryDifference(oracle.name.c_str(), *oracle.instance, side.name.c_str(),
                                        *side.instance);
  }
  if (!difference) {
    absl::StatusOr<std::string> a = oracle.instance->host().SaveState();
    absl::StatusOr<std::string> b = side.instance->host().SaveState();
    if (a.ok() != b.ok() || (a.ok() && *a != *b)) difference = "the host's state";
  }
  if (!difference) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("different:\n", *difference));
}

// Runs in random slices, now and then through a snapshot, until `limit` instructions have retired.
absl::Status RunInSlices(const Session& session, uint64_t limit, std::mt19937_64& random,
                         Side& side) {
  for (;;) {
    const uint64_t left = limit - side.instance->retired();
    // Short slices as likely as long ones.
    const uint64_t slice = std::min(left, 1 + random() % (uint64_t{1} << (random() % 12)));
    const uint64_t before = side.instance->retired();
    side.result = side.instance->Run(static_cast<int64_t>(slice));
    if (side.result.reason != RunResult::Reason::kSuspended) return absl::OkStatus();
    if (side.instance->retired() != before + slice) {
      return absl::InternalError(absl::StrCat("suspended after ", side.instance->retired() - before,
                                              " instructions, expected ", slice));
    }
    if (side.instance->retired() == limit) return absl::OkStatus();
    if (random() % 16 != 0) continue;
    absl::StatusOr<std::string> snapshot = runtime::EncodeSnapshot(*side.instance);
    if (!snapshot.ok()) return snapshot.status();
    side.instance.reset();
    absl::StatusOr<std::unique_ptr<Instance>> instance = Start(session);
    if (!instance.ok()) return instance.status();
    side.instance = *std::move(instance);
    const auto* bytes = reinterpret_cast<const uint8_t*>(snapshot->data());
    absl::Status restored = runtime::RestoreSnapshot({bytes, snapshot->size()}, *side.instance);
    if (!restored.ok()) return restored;
  }
}

// What random OpenVM programs use: 32- and 48-byte fields, primes of each kind, one that is no
// prime.
openvm::Config Machine() {
  openvm::Config config;
  config.memory_bits = 19;
  auto number = [](const char* text) { return *openvm::ParseNumber(text); };
  const openvm::Number secp256k1 =
      number("115792089237316195423570985008687907853269984665640564039457584007908834671663");
  const openvm::Number bn254 =
      number("21888242871839275222246405745257275088696311157297823662689037894645226208583");
  const openvm::Number bls12_381 = number(
      "40024095552216673934177898257359041565568828199390078853320581361240316504908378644426876291"
      "29"
      "015664037894272559787");
  config.moduli = {secp256k1, number("97"), bls12_381};
  config.fp2_moduli = {bn254};
  config.curves = {{"K", secp256k1, secp256k1, {}, {7}}};
  return config;
}

absl::Status Check(absl::Span<const uint8_t> program, uint64_t seed, aotc::SessionOptions options,
                   bool check, DifferentialCounts& counts) {
  // Other numbers than those that made the program.
  std::mt19937_64 random(seed ^ 0x9e3779b97f4a7c15);
  const uint64_t limit = 1 + random() % kMaxLimit;

  options.threads = 1;
  options.check = check;
  options.interpret = true;
  absl::StatusOr<Session> interpreted = Session::OpenProgram(program, options);
  if (!interpreted.ok()) return interpreted.status();
  Side oracle{"interpreted", nullptr, {}};
  absl::StatusOr<std::unique_ptr<Instance>> instance = Start(*interpreted);
  if (!instance.ok()) return instance.status();
  oracle.instance = *std::move(instance);
  oracle.result = oracle.instance->Run(static_cast<int64_t>(limit));

  options.interpret = false;
  // Half of the programs for the processor at hand.
  if (seed % 2 == 1) options.cpu_features = format::HostCpuFeatures() & format::kX86_64V3;
  for (int opt_level : {0, 1, 2}) {
    options.opt_level = opt_level;
    absl::StatusOr<Session> native = Session::OpenProgram(program, options);
    if (!native.ok()) return native.status();
    for (bool sliced : {false, true}) {
      if (sliced && opt_level == 0) continue;
      Side side{absl::StrCat("-O", opt_level, sliced ? " in slices" : ""), nullptr, {}};
      absl::StatusOr<std::unique_ptr<Instance>> started = Start(*native);
      if (!started.ok()) return started.status();
      side.instance = *std::move(started);
      if (sliced) {
        if (absl::Status s = RunInSlices(*native, limit, random, side); !s.ok()) return s;
      } else {
        side.result = side.instance->Run(static_cast<int64_t>(limit));
      }
      if (absl::Status s = Compare(oracle, side); !s.ok()) return s;
    }
  }
  ++counts.programs;
  counts.instructions += oracle.instance->retired();
  counts.exited += oracle.result.reason == RunResult::Reason::kExited ? 1 : 0;
  counts.trapped += oracle.result.reason == RunResult::Reason::kTrapped ? 1 : 0;
  counts.suspended += oracle.result.reason == RunResult::Reason::kSuspended ? 1 : 0;
  return absl::OkStatus();
}

// -- metered runs: native code that counts rows against meters that watch the interpreter

runtime::CountedMemory MemoryOf(Instance& instance) {
  return {instance.memory().base(), instance.host().memory_bits()};
}

// Limits so small that there are many segments.
openvm::MeteringConfig SmallMetering(std::mt19937_64& random) {
  openvm::MeteringConfig config = openvm::DefaultMetering(Machine());
  config.max_height_bits = 7 + static_cast<uint32_t>(random() % 10);
  constexpr uint32_t kIntervals[] = {1000, 100, 37, 1};
  config.check_interval = kIntervals[random() % 4];
  runtime::SetProgramHeight(1 + random() % 1000, config);
  return config;
}

std::string SegmentsText(const openvm::MeteringConfig& config,
                         const std::vector<openvm::Segment>& segments) {
  std::string text;
  for (const openvm::Segment& s : segments) {
    absl::StrAppend(&text, s.first_instruction, "+", s.instructions, ":");
    for (size_t i = 0; i < s.heights.size(); ++i) {
      if (s.heights[i] != 0) absl::StrAppend(&text, " ", config.chips[i].name, "=", s.heights[i]);
    }
    text += "\n";
  }
  return text;
}

struct MeteredSide {
  std::unique_ptr<Instance> instance;
  RunResult result;
  std::vector<openvm::Segment> segments;
  uint64_t cost = 0;
};

// `slices`: stops at random places and goes on with other meters.
absl::StatusOr<MeteredSide> RunMetered(const Session& session, const openvm::MeteringConfig& config,
                                       uint64_t limit, std::mt19937_64* slices) {
  const openvm::Registry& registry = openvm::Registry::Global();
  MeteredSide side;
  absl::StatusOr<std::unique_ptr<Instance>> instance = Start(session);
  if (!instance.ok()) return instance.status();
  side.instance = *std::move(instance);
  std::string state;
  do {
    const uint64_t left = limit - side.instance->retired();
    const uint64_t slice =
        slices == nullptr ? left
                          : std::min(left, 1 + (*slices)() % (uint64_t{1} << ((*slices)() % 14)));
    runtime::Meter meter(config, registry, MemoryOf(*side.instance));
    if (!state.empty()) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(state.data());
      if (absl::Status s = meter.RestoreState({bytes, state.size()}); !s.ok()) return s;
    }
    if (side.instance->counts_rows()) {
      side.result = runtime::NativeMeter(*side.instance, meter, config, registry)
                        .Run(static_cast<int64_t>(slice));
    } else {
      side.instance->interpreter().SetObserver(&meter);
      side.result = side.instance->Run(static_cast<int64_t>(slice));
      side.instance->interpreter().SetObserver(nullptr);
    }
    state = meter.SaveState();
    // The segment at hand is compared, too.
    if (side.result.reason != RunResult::Reason::kTrapped) meter.Finish();
    side.segments = meter.segments();
  } while (side.result.reason == RunResult::Reason::kSuspended && side.instance->retired() < limit);
  return side;
}

absl::StatusOr<MeteredSide> RunCost(const Session& session, const openvm::MeteringConfig& config,
                                    uint64_t limit, uint64_t max_cost) {
  MeteredSide side;
  absl::StatusOr<std::unique_ptr<Instance>> instance = Start(session);
  if (!instance.ok()) return instance.status();
  side.instance = *std::move(instance);
  const openvm::Registry& registry = openvm::Registry::Global();
  runtime::CostMeter meter(config, registry, MemoryOf(*side.instance), max_cost);
  if (side.instance->counts_rows()) {
    side.result = runtime::NativeCostMeter(*side.instance, meter, config, registry)
                      .Run(static_cast<int64_t>(limit));
  } else {
    side.instance->interpreter().SetObserver(&meter);
    side.result = side.instance->Run(static_cast<int64_t>(limit));
    side.instance->interpreter().SetObserver(nullptr);
  }
  side.cost = meter.cost();
  return side;
}

absl::Status CompareMetered(const std::string& name, const openvm::MeteringConfig& config,
                            MeteredSide& oracle, MeteredSide& side) {
  std::optional<std::string> difference = aotc::Difference(
      "interpreted", *oracle.instance, oracle.result, name.c_str(), *side.instance, side.result);
  if (!difference) {
    difference =
        aotc::MemoryDifference("interpreted", *oracle.instance, name.c_str(), *side.instance);
  }
  if (!difference && *oracle.instance->host().SaveState() != *side.instance->host().SaveState())
    difference = "the host's state";
  if (!difference && oracle.cost != side.cost)
    difference = absl::StrCat("cost: interpreted ", oracle.cost, ", ", name, " ", side.cost);
  if (!difference && oracle.segments != side.segments) {
    difference = absl::StrCat("segments: interpreted\n", SegmentsText(config, oracle.segments),
                              name, "\n", SegmentsText(config, side.segments));
  }
  if (!difference) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(name, ", different:\n", *difference));
}

absl::Status CheckMetered(absl::Span<const uint8_t> program, uint64_t seed,
                          aotc::SessionOptions options, bool check) {
  std::mt19937_64 random(seed ^ 0x2545f4914f6cdd1d);
  const uint64_t limit = 1 + random() % kMaxLimit;
  const openvm::MeteringConfig config = SmallMetering(random);
  options.threads = 1;
  options.check = check;
  options.interpret = true;
  absl::StatusOr<Session> interpreted = Session::OpenProgram(program, options);
  if (!interpreted.ok()) return interpreted.status();
  absl::StatusOr<MeteredSide> oracle = RunMetered(*interpreted, config, limit, nullptr);
  if (!oracle.ok()) return oracle.status();
  absl::StatusOr<MeteredSide> all = RunCost(*interpreted, config, limit, UINT64_MAX);
  if (!all.ok()) return all.status();
  const uint64_t max_cost = all->cost == 0 ? 0 : random() % (2 * all->cost);
  absl::StatusOr<MeteredSide> cost = RunCost(*interpreted, config, limit, max_cost);
  if (!cost.ok()) return cost.status();

  options.interpret = false;
  options.count_rows = true;
  for (int opt_level : {0, 1, 2}) {
    options.opt_level = opt_level;
    absl::StatusOr<Session> native = Session::OpenProgram(program, options);
    if (!native.ok()) return native.status();
    const std::string name = absl::StrCat("-O", opt_level, " metered");
    absl::StatusOr<MeteredSide> side = RunMetered(*native, config, limit, nullptr);
    if (!side.ok()) return side.status();
    if (absl::Status s = CompareMetered(name, config, *oracle, *side); !s.ok()) return s;
    side = RunMetered(*native, config, limit, &random);
    if (!side.ok()) return side.status();
    if (absl::Status s = CompareMetered(name + " in slices", config, *oracle, *side); !s.ok())
      return s;
    side = RunCost(*native, config, limit, max_cost);
    if (!side.ok()) return side.status();
    if (absl::Status s = CompareMetered(name + " cost", config, *cost, *side); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSeed(uint64_t seed, bool check, DifferentialCounts& counts) {
  return Check(riscv::testing::RandomProgram(seed), seed, {}, check, counts);
}

absl::Status CheckOpenVmSeed(uint64_t seed, bool check, DifferentialCounts& counts) {
  aotc::SessionOptions options;
  options.openvm_config = Machine();
  const std::vector<uint8_t> program = riscv::testing::RandomOpenVmProgram(seed);
  if (absl::Status s = CheckMetered(program, seed, options, check); !s.ok()) return s;
  return Check(program, seed, options, check, counts);
}

}  // namespace precast::testing
