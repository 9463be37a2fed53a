#include "openvm/counted_rows.h"

#include <cstdint>
#include <numeric>

#include "gtest/gtest.h"
#include "openvm/metering.h"

namespace precast::openvm {
namespace {

uint32_t SumOf(const CountedRows& rows) { return std::accumulate(rows.begin(), rows.end(), 0u); }

// What is not in a lane is taken for a row of kUncountedChip.
TEST(CountedRows, EachInstructionHasOneRow) {
  for (uint32_t opcode : {0x37u, 0x17u, 0x6fu, 0x67u, 0x63u, 0x03u, 0x23u, 0x13u, 0x33u, 0x0fu}) {
    for (uint32_t funct3 = 0; funct3 < 8; ++funct3) {
      for (uint32_t funct7 : {0u, 1u, 0x20u}) {
        for (uint32_t rd : {0u, 5u}) {
          const uint32_t word = funct7 << 25 | funct3 << 12 | rd << 7 | opcode;
          CountedRows rows = {};
          AddBaseRows(word, rows);
          EXPECT_EQ(SumOf(rows), ChipOfBaseInstruction(word) == kUncountedChip ? 0u : 1u) << word;
        }
      }
    }
  }
}

TEST(CountedRows, CustomInstructionsOfOneConstantRow) {
  static constexpr ChipRows kOne[] = {{"BaseAlu256"}};
  static constexpr ChipRows kTwo[] = {{"BaseAlu256"}, {"LessThan256"}};
  static constexpr ChipRows kThrice[] = {{"BaseAlu256", 3}};
  static constexpr ChipRows kOther[] = {{"BaseAlu"}};
  CountedRows rows = {};
  EXPECT_TRUE(AddCustomRows({.rows = kOne}, rows));
  EXPECT_EQ(SumOf(rows), 1u);
  EXPECT_FALSE(AddCustomRows({.rows = kTwo}, rows));
  EXPECT_FALSE(AddCustomRows({.rows = kThrice}, rows));
  EXPECT_FALSE(AddCustomRows({.rows = kOther}, rows));
  EXPECT_FALSE(AddCustomRows({}, rows));
  EXPECT_EQ(SumOf(rows), 1u);
}

}  // namespace
}  // namespace precast::openvm
