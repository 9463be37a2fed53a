#include "tools/bench/stats.h"

#include <optional>

#include "gtest/gtest.h"

namespace precast::bench {
namespace {

TEST(Stats, MedianOfOddAndEvenNumbers) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(Median({7}), 7);
  EXPECT_EQ(Median({}), std::nullopt);
}

TEST(Stats, AMedianDoesNotSeeOneSlowRun) { EXPECT_EQ(Median({1.0, 1.1, 90.0}), 1.1); }

TEST(Stats, QuantilesLieBetweenValues) {
  EXPECT_EQ(Quantile({0, 10}, 0.1), 1);
  EXPECT_EQ(Quantile({0, 10}, 1), 10);
  EXPECT_EQ(Quantile({0, 10}, 7), 10);
  EXPECT_EQ(Quantile({0, 10}, -7), 0);
}

TEST(Stats, SpreadIsRelativeToTheMedian) {
  EXPECT_DOUBLE_EQ(*Spread({1, 2, 3}), 1.0);
  EXPECT_EQ(Spread({2}), std::nullopt);
  EXPECT_EQ(Spread({0, 0}), std::nullopt);
}

TEST(Stats, GeometricMean) {
  EXPECT_DOUBLE_EQ(*GeometricMean({1, 4}), 2);
  EXPECT_DOUBLE_EQ(*GeometricMean({0.5, 2}), 1);
  EXPECT_EQ(GeometricMean({}), std::nullopt);
  EXPECT_EQ(GeometricMean({1, 0}), std::nullopt);
  EXPECT_EQ(GeometricMean({1, -1}), std::nullopt);
}

TEST(Stats, RatioNeedsBothSides) {
  EXPECT_EQ(Ratio(3, 2), 1.5);
  EXPECT_EQ(Ratio(std::nullopt, 2), std::nullopt);
  EXPECT_EQ(Ratio(3, std::nullopt), std::nullopt);
  EXPECT_EQ(Ratio(3, 0), std::nullopt);
}

}  // namespace
}  // namespace precast::bench
