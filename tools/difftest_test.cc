// A small run of the differential test, for every change; //tools:difftest runs as many programs as
// one has time for.
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tools/testing/differential.h"

namespace precast::testing {
namespace {

constexpr int kPrograms = 2000;
constexpr int kModules = 400;
constexpr int kGroups = 40;  // so that shards have something to share

class DifferentialTest : public ::testing::TestWithParam<int> {};

TEST_P(DifferentialTest, InterpretedAndNativeAgree) {
  DifferentialCounts counts;
  for (int i = 0; i < kPrograms / kGroups; ++i) {
    const uint64_t seed = static_cast<uint64_t>(GetParam() * (kPrograms / kGroups) + i);
    const absl::Status status = CheckSeed(seed, /*check=*/true, counts);
    ASSERT_TRUE(status.ok()) << status << "\nbazel run //tools:difftest -- --seed=" << seed;
  }
  EXPECT_GT(counts.instructions, 0u);
}

TEST_P(DifferentialTest, WebAssemblyInterpretedAndNativeAgree) {
  DifferentialCounts counts;
  for (int i = 0; i < kModules / kGroups; ++i) {
    const uint64_t seed = static_cast<uint64_t>(GetParam() * (kModules / kGroups) + i);
    const absl::Status status = CheckWasmSeed(seed, /*check=*/true, counts);
    ASSERT_TRUE(status.ok()) << status
                             << "\nbazel run //tools:difftest -- --guest=wasm --seed=" << seed;
  }
  EXPECT_GT(counts.instructions, 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, DifferentialTest, ::testing::Range(0, kGroups));

}  // namespace
}  // namespace precast::testing
