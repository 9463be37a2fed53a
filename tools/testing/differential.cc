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
#include "runtime/instance.h"
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
  return session.Start(std::move(host));
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

}  // namespace

absl::Status CheckSeed(uint64_t seed, bool check, DifferentialCounts& counts) {
  const std::vector<uint8_t> program = riscv::testing::RandomProgram(seed);
  // Other numbers than those that made the program.
  std::mt19937_64 random(seed ^ 0x9e3779b97f4a7c15);
  const uint64_t limit = 1 + random() % kMaxLimit;

  aotc::SessionOptions options;
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

}  // namespace precast::testing
