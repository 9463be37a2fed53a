// Byte order and LEB128, with the examples of the DWARF standard.

#include "elfwriter/little_endian.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::elfwriter {
namespace {

using ::testing::ElementsAre;

std::vector<uint8_t> Uleb(uint64_t value) {
  std::vector<uint8_t> out;
  AppendUleb128(value, out);
  return out;
}

std::vector<uint8_t> Sleb(int64_t value) {
  std::vector<uint8_t> out;
  AppendSleb128(value, out);
  return out;
}

TEST(LittleEndian, Store) {
  uint8_t bytes[5] = {};
  StoreLittleEndian<4>(bytes + 1, 0x12345678);
  EXPECT_THAT(bytes, ElementsAre(0, 0x78, 0x56, 0x34, 0x12));
}

// DWARF 5, table 7.7.
TEST(LittleEndian, Uleb128AsInTheStandard) {
  EXPECT_THAT(Uleb(0), ElementsAre(0));
  EXPECT_THAT(Uleb(2), ElementsAre(2));
  EXPECT_THAT(Uleb(127), ElementsAre(127));
  EXPECT_THAT(Uleb(128), ElementsAre(0x80, 1));
  EXPECT_THAT(Uleb(12857), ElementsAre(57 + 0x80, 100));
  EXPECT_EQ(Uleb(std::numeric_limits<uint64_t>::max()).size(), 10u);
}

// DWARF 5, table 7.8.
TEST(LittleEndian, Sleb128AsInTheStandard) {
  EXPECT_THAT(Sleb(2), ElementsAre(2));
  EXPECT_THAT(Sleb(-2), ElementsAre(0x7e));
  EXPECT_THAT(Sleb(63), ElementsAre(0x3f));
  EXPECT_THAT(Sleb(64), ElementsAre(0xc0, 0));
  EXPECT_THAT(Sleb(-64), ElementsAre(0x40));
  EXPECT_THAT(Sleb(127), ElementsAre(0xff, 0));
  EXPECT_THAT(Sleb(-127), ElementsAre(0x81, 0x7f));
  EXPECT_THAT(Sleb(-129), ElementsAre(0xff, 0x7e));
  EXPECT_EQ(Sleb(std::numeric_limits<int64_t>::min()).size(), 10u);
}

TEST(SpanWriter, WritesInOrder) {
  std::vector<uint8_t> out(18, 0xee);
  SpanWriter writer(absl::MakeSpan(out));
  writer.U8(1).U16(0x0203).U32(0x04050607).U64(0x08090a0b0c0d0e0f).Skip(1).Text("x");
  EXPECT_THAT(out, ElementsAre(1, 3, 2, 7, 6, 5, 4, 15, 14, 13, 12, 11, 10, 9, 8, 0xee, 'x', 0xee));
  EXPECT_EQ(writer.remaining(), 1u);
}

TEST(SpanWriterDeathTest, RunningOverTheEnd) {
  std::vector<uint8_t> out(3);
  EXPECT_DEATH(SpanWriter(absl::MakeSpan(out)).U32(0), "remaining");
}

}  // namespace
}  // namespace precast::elfwriter
