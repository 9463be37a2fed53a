// The guests of testdata/openvm, interpreted and at every level: exit codes, errors, public values,
// and that native code equals the interpreter in every way it can be looked at.
#include <fcntl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "openvm/toml.h"
#include "runtime/openvm/error.h"
#include "runtime/openvm/host.h"
#include "tools/commands/compare.h"
#include "tools/commands/io.h"
#include "tools/commands/session.h"

namespace precast {
namespace {

using aotc::Session;
using runtime::OpenVmErrorKind;
using runtime::RunResult;
using Bytes = std::vector<uint8_t>;

constexpr char kGuests[] = "testdata/openvm/";

struct GuestRun {
  std::unique_ptr<runtime::Instance> instance;
  RunResult result;
  const runtime::OpenVmHost& host() const {
    return static_cast<const runtime::OpenVmHost&>(std::as_const(*instance).host());
  }
};

openvm::Config Machine() {
  const absl::StatusOr<Bytes> text = aotc::ReadFile(absl::StrCat(kGuests, "machine.toml"));
  EXPECT_TRUE(text.ok()) << text.status();
  absl::StatusOr<openvm::Config> config =
      openvm::ReadConfig({reinterpret_cast<const char*>(text->data()), text->size()});
  EXPECT_TRUE(config.ok()) << config.status();
  return *std::move(config);
}

// Level -1: interpreted.
GuestRun RunGuest(const std::string& name, int level, std::vector<Bytes> inputs,
                  std::optional<openvm::Config> config, int64_t limit) {
  aotc::SessionOptions options;
  options.interpret = level < 0;
  options.opt_level = level < 0 ? 1 : level;
  options.check = true;
  options.openvm_config = std::move(config);
  absl::StatusOr<Session> session = Session::Open(absl::StrCat(kGuests, name, ".elf"), options);
  EXPECT_TRUE(session.ok()) << session.status();
  EXPECT_TRUE(session->is_openvm());
  runtime::OpenVmHostOptions host;
  host.inputs = std::move(inputs);
  host.stdout_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  absl::StatusOr<std::unique_ptr<runtime::Instance>> instance =
      session->StartOpenVm(std::move(host));
  EXPECT_TRUE(instance.ok()) << instance.status();
  GuestRun run{*std::move(instance), {}};
  run.result = run.instance->Run(limit);
  return run;
}

// In every way; returns the interpreter's run.
GuestRun RunEverywhere(const std::string& name, const std::vector<Bytes>& inputs,
                       const std::optional<openvm::Config>& config, int64_t limit = 1'000'000) {
  GuestRun oracle = RunGuest(name, -1, inputs, config, limit);
  for (int level : {0, 1, 2}) {
    const GuestRun native = RunGuest(name, level, inputs, config, limit);
    const std::string side = absl::StrCat("-O", level);
    EXPECT_EQ(aotc::Difference("interpreted", *oracle.instance, oracle.result, side.c_str(),
                               *native.instance, native.result),
              std::nullopt);
    EXPECT_EQ(native.host().public_values(), oracle.host().public_values()) << side;
    EXPECT_EQ(native.host().state().hint_left(), oracle.host().state().hint_left()) << side;
  }
  return oracle;
}

TEST(OpenVmGuests, Arithmetic) {
  const GuestRun run = RunEverywhere("arithmetic", {}, Machine());
  ASSERT_EQ(run.result.reason, RunResult::Reason::kExited);
  EXPECT_EQ(run.result.exit_code, 0u)
      << "vector " << static_cast<int>(run.host().public_values()[0]);
  EXPECT_EQ(run.host().public_values()[4], 0x0d);
}

TEST(OpenVmGuests, InputsAndHints) {
  Bytes text(1000);
  uint32_t sum = 0;
  for (size_t i = 0; i < text.size(); ++i) sum += text[i] = static_cast<uint8_t>(i * 7);
  const GuestRun run = RunEverywhere("io", {{'h', 'e', 'l', 'l', 'o'}, text}, Machine());
  ASSERT_EQ(run.result.reason, RunResult::Reason::kExited);
  sum += 'h' + 'e' + 'l' + 'l' + 'o';
  const absl::Span<const uint8_t> values = run.host().public_values();
  EXPECT_EQ(values[0] | values[1] << 8 | values[2] << 16, static_cast<int>(sum));
}

TEST(OpenVmGuests, ModuliOfTheSection) {
  const GuestRun run = RunEverywhere("section", {}, std::nullopt);
  EXPECT_EQ(run.result.reason, RunResult::Reason::kExited);
  EXPECT_EQ(run.result.exit_code, 0u);
  EXPECT_EQ(run.host().config().moduli, (std::vector<openvm::Number>{{0xf1, 0xff}, {97}}));
}

TEST(OpenVmGuests, EveryError) {
  struct Case {
    uint8_t which;
    OpenVmErrorKind kind;
    uint32_t value;  // address or exit code
  };
  using Kind = OpenVmErrorKind;
  const Case cases[] = {
      {2, Kind::kAddressOutOfRange, 0x20000000},
      {3, Kind::kAddressOutOfRange, 0xffffffff},
      {5, Kind::kInvalidOperand, 0},
      {6, Kind::kInvalidOperand, 1024},
      {7, Kind::kPublicValueIndexOutOfBounds, 64},
      {8, Kind::kMisalignedAccess, 2},
      {9, Kind::kInputExhausted, 0},
      {10, Kind::kInvalidOperand, 6},
      {11, Kind::kInvalidOperand, 140},
      {12, Kind::kAddressOutOfRange, 0x20000000},
      {13, Kind::kDisabledOperation, 0},
      {14, Kind::kNotInvertible, 0},
      {15, Kind::kSetupMismatch, 0},
      {16, Kind::kNotInvertible, 0},
      {18, Kind::kPcNotFound, 0x400000},
      {19, Kind::kFailedWithExitCode, 2},
      {20, Kind::kFailedWithExitCode, 2},
      {21, Kind::kFailedWithExitCode, 7},
      {22, Kind::kDidNotTerminate, 0},
      {23, Kind::kInvalidOperand, 0},
      {24, Kind::kDisabledOperation, 0},
      {25, Kind::kPcNotFound, 0x10002},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(static_cast<int>(c.which));
    const GuestRun run = RunEverywhere("errors", {{c.which, 0, 0, 0}}, Machine(), 100'000);
    const std::optional<runtime::OpenVmError> error = OpenVmErrorOf(*run.instance, run.result);
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->kind, c.kind) << OpenVmErrorName(error->kind);
    EXPECT_EQ(c.kind == Kind::kFailedWithExitCode ? error->exit_code : error->address, c.value);
    EXPECT_EQ(error->instructions, run.instance->retired());
  }
  for (uint8_t which : {0, 1, 4, 17}) {
    SCOPED_TRACE(static_cast<int>(which));
    const GuestRun run = RunEverywhere("errors", {{which, 0, 0, 0}}, Machine());
    const std::optional<runtime::OpenVmError> error = OpenVmErrorOf(*run.instance, run.result);
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->kind, which < 2    ? Kind::kMisalignedAccess
                           : which == 4 ? Kind::kHintOutOfBounds
                                        : Kind::kInvalidInstruction);
  }
}

}  // namespace
}  // namespace precast
