#include "loader/format/cpu_features.h"

#include <gtest/gtest.h>

namespace precast::format {
namespace {

TEST(CpuFeatures, Names) {
  EXPECT_EQ(CpuFeaturesToString(0), "none");
  EXPECT_EQ(CpuFeaturesToString(static_cast<uint64_t>(CpuFeature::kBmi2) |
                                static_cast<uint64_t>(CpuFeature::kPopcnt) | uint64_t{1} << 63),
            "popcnt,bmi2,bit63");
}

TEST(CpuFeatures, Levels) {
  EXPECT_EQ(CpuFeaturesOf("x86-64"), 0u);
  EXPECT_EQ(CpuFeaturesOf("x86-64-v2"), kX86_64V2);
  EXPECT_EQ(CpuFeaturesOf("x86-64-v3"), kX86_64V3);
  EXPECT_EQ(CpuFeaturesOf("native"), HostCpuFeatures() & kX86_64V3);
  EXPECT_EQ(CpuFeaturesOf("x86-64-v9"), std::nullopt);
  EXPECT_EQ(kX86_64V3 & kX86_64V2, kX86_64V2);
}

// The compiler's own view of the machine, where it has one.
TEST(CpuFeatures, AgreesWithTheCompilersDetection) {
  const uint64_t host = HostCpuFeatures();
  const auto has = [host](CpuFeature feature) {
    return (host & static_cast<uint64_t>(feature)) != 0;
  };
  EXPECT_EQ(has(CpuFeature::kSse3), __builtin_cpu_supports("sse3") != 0);
  EXPECT_EQ(has(CpuFeature::kSsse3), __builtin_cpu_supports("ssse3") != 0);
  EXPECT_EQ(has(CpuFeature::kSse42), __builtin_cpu_supports("sse4.2") != 0);
  EXPECT_EQ(has(CpuFeature::kPopcnt), __builtin_cpu_supports("popcnt") != 0);
  EXPECT_EQ(has(CpuFeature::kBmi1), __builtin_cpu_supports("bmi") != 0);
  EXPECT_EQ(has(CpuFeature::kBmi2), __builtin_cpu_supports("bmi2") != 0);
  EXPECT_EQ(has(CpuFeature::kAvx), __builtin_cpu_supports("avx") != 0);
  EXPECT_EQ(has(CpuFeature::kAvx2), __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ(has(CpuFeature::kFma), __builtin_cpu_supports("fma") != 0);
}

}  // namespace
}  // namespace precast::format
