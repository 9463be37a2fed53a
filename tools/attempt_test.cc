// Parts of a metered run that are undone: registers, memory, streams and marks of pages are then
// those of a guest that never went there, whether what pages held was kept or is known from the
// program.
#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "openvm/extension.h"
#include "openvm/metering.h"
#include "openvm/toml.h"
#include "runtime/openvm/host.h"
#include "runtime/openvm/segments/native_meter.h"
#include "tools/commands/compare.h"
#include "tools/commands/io.h"
#include "tools/commands/session.h"

namespace precast {
namespace {

using aotc::Session;
using runtime::Attempt;
using runtime::Instance;
using runtime::RunResult;

struct Case {
  const char* guest;
  int opt_level;
  int64_t before;   // instructions executed for good
  int64_t attempt;  // and in vain
};

class AttemptTest : public ::testing::TestWithParam<Case> {
 protected:
  AttemptTest() : session_(OpenSession()), config_(openvm::DefaultMetering(openvm::Config{})) {}

  static Session OpenSession() {
    aotc::SessionOptions options;
    options.opt_level = GetParam().opt_level;
    options.count_rows = true;
    const absl::StatusOr<std::vector<uint8_t>> text =
        aotc::ReadFile("testdata/openvm/machine.toml");
    EXPECT_TRUE(text.ok()) << text.status();
    absl::StatusOr<openvm::Config> machine =
        openvm::ReadConfig({reinterpret_cast<const char*>(text->data()), text->size()});
    EXPECT_TRUE(machine.ok()) << machine.status();
    options.openvm_config = *std::move(machine);
    absl::StatusOr<Session> session =
        Session::Open(absl::StrCat("testdata/openvm/", GetParam().guest, ".elf"), options);
    EXPECT_TRUE(session.ok()) << session.status();
    return *std::move(session);
  }
  std::unique_ptr<Instance> Start() const {
    runtime::OpenVmHostOptions host;
    host.inputs = {{1, 2, 3}, std::vector<uint8_t>(1000, 7)};
    host.stdout_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    absl::StatusOr<std::unique_ptr<Instance>> instance = session_.StartOpenVm(std::move(host));
    EXPECT_TRUE(instance.ok()) << instance.status();
    return *std::move(instance);
  }
  static void ExpectEqual(Instance& expected, Instance& actual, const RunResult& expected_result,
                          const RunResult& actual_result) {
    EXPECT_EQ(
        aotc::Difference("straight", expected, expected_result, "undone", actual, actual_result)
            .value_or(""),
        "");
    EXPECT_EQ(aotc::MemoryDifference("straight", expected, "undone", actual).value_or(""), "");
    EXPECT_EQ(*expected.host().SaveState(), *actual.host().SaveState());
  }
  static uint64_t Marks(Instance& instance) {
    const uint8_t* const marks = instance.memory().page_marks();
    const uint64_t pages = uint64_t{1} << (instance.host().memory_bits() - abi::kMarkedPageBits);
    return std::accumulate(marks, marks + pages, uint64_t{0});
  }

  const Session session_;
  const openvm::MeteringConfig config_;
};

TEST_P(AttemptTest, RolledBackIsNothing) {
  const std::unique_ptr<Instance> straight = Start(), undone = Start();
  RunResult expected, actual;
  if (GetParam().before != 0) expected = straight->Run(GetParam().before);

  Attempt attempt(*undone, config_, openvm::Registry::Global());
  if (GetParam().before != 0) {
    attempt.Begin();
    actual = attempt.Run(GetParam().before, 1, 0);
    attempt.Commit();
  }
  for (int64_t limit : {GetParam().attempt, GetParam().attempt / 3}) {
    attempt.Begin();
    EXPECT_EQ(attempt.keeps(), GetParam().before != 0);
    ASSERT_NE(attempt.Run(limit, 1, 0).reason, RunResult::Reason::kFailed);
    EXPECT_GT(attempt.instructions(), 0u);
    EXPECT_FALSE(attempt.Pages().empty());
    EXPECT_GT(Marks(*undone), 0u);
    attempt.RollBack();
    EXPECT_EQ(Marks(*undone), 0u);
    ExpectEqual(*straight, *undone, expected, actual);
  }

  attempt.Begin();
  actual = attempt.Run(Instance::kUnlimited, 1, 0);
  attempt.Commit();
  expected = straight->Run();
  EXPECT_EQ(expected.reason, RunResult::Reason::kExited);
  ExpectEqual(*straight, *undone, expected, actual);
}

// What is counted does not depend on what was undone before.
TEST_P(AttemptTest, CountsAreThoseOfAFirstTry) {
  const std::unique_ptr<Instance> first = Start(), second = Start();
  Attempt once(*first, config_, openvm::Registry::Global());
  once.Begin();
  once.Run(GetParam().attempt, 1, 0);
  Attempt again(*second, config_, openvm::Registry::Global());
  again.Begin();
  again.Run(GetParam().attempt / 2, 1, 0);
  again.RollBack();
  again.Begin();
  again.Run(GetParam().attempt, 1, 0);
  EXPECT_EQ(again.rows(), once.rows());
  std::vector<uint32_t> expected = once.Pages(), actual = again.Pages();
  std::sort(expected.begin(), expected.end());
  std::sort(actual.begin(), actual.end());
  EXPECT_EQ(actual, expected);
  once.Commit();
  again.Commit();
}

INSTANTIATE_TEST_SUITE_P(
    Guests, AttemptTest,
    ::testing::Values(Case{"touches", 0, 0, 20'000}, Case{"touches", 2, 0, 20'000},
                      Case{"touches", 1, 5'000, 30'000}, Case{"touches", 2, 7'777, 50'000},
                      Case{"io", 2, 0, 3'000}, Case{"io", 0, 500, 2'500},
                      Case{"io", 2, 501, 2'000}),
    [](const ::testing::TestParamInfo<Case>& info) {
      return absl::StrCat(info.param.guest, "O", info.param.opt_level, "After", info.param.before);
    });

}  // namespace
}  // namespace precast
