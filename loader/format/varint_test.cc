// Round trips, sizes at the boundaries, and reads of arbitrary bytes.
#include "loader/format/varint.h"

#include <gtest/gtest.h>

#include <random>

namespace precast::format {
namespace {

size_t SizeOf(uint32_t value) {
  ByteWriter writer;
  writer.Varint(value);
  return writer.size();
}

TEST(Varint, SizesAtBoundaries) {
  EXPECT_EQ(SizeOf(0), 1u);
  EXPECT_EQ(SizeOf(127), 1u);
  EXPECT_EQ(SizeOf(128), 2u);
  EXPECT_EQ(SizeOf(0x3fff), 2u);
  EXPECT_EQ(SizeOf(0x4000), 4u);
  EXPECT_EQ(SizeOf(0x1fffffff), 4u);
  EXPECT_EQ(SizeOf(0x20000000), 5u);
  EXPECT_EQ(SizeOf(0xffffffff), 5u);
}

TEST(Varint, RoundTrips) {
  std::mt19937_64 random(1);
  ByteWriter writer;
  std::vector<uint32_t> values;
  for (int i = 0; i < 100000; ++i) {
    values.push_back(static_cast<uint32_t>(random()) >> (random() % 32));
    writer.Varint(values.back());
    writer.Signed(static_cast<int32_t>(values.back()));
  }
  ByteReader reader(writer.bytes());
  for (uint32_t value : values) {
    ASSERT_EQ(reader.Varint(), value);
    ASSERT_EQ(reader.Signed(), static_cast<int32_t>(value));
  }
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(ZigZag, SmallNumbersAreSmall) {
  EXPECT_EQ(ZigZag(0), 0u);
  EXPECT_EQ(ZigZag(-1), 1u);
  EXPECT_EQ(ZigZag(1), 2u);
  EXPECT_EQ(ZigZag(INT32_MIN), 0xffffffffu);
  EXPECT_EQ(UnZigZag(0xffffffff), INT32_MIN);
  EXPECT_EQ(UnZigZag(0xfffffffe), INT32_MAX);
}

TEST(ByteReader, TruncatedNumbersFail) {
  for (uint32_t value : {0u, 128u, 0x4000u, 0x20000000u}) {
    ByteWriter writer;
    writer.Varint(value);
    for (size_t size = 0; size < writer.size(); ++size) {
      ByteReader reader(writer.bytes().subspan(0, size));
      EXPECT_EQ(reader.Varint(), 0u);
      EXPECT_FALSE(reader.ok());
      EXPECT_EQ(reader.Byte(), 0u);
    }
  }
}

TEST(ByteReader, ReservedFirstBytesFail) {
  for (int first = 0xe0; first < 0xff; ++first) {
    const uint8_t bytes[5] = {static_cast<uint8_t>(first)};
    ByteReader reader(bytes);
    reader.Varint();
    EXPECT_FALSE(reader.ok()) << first;
  }
}

TEST(ByteReader, CountIsBoundedByWhatIsThere) {
  ByteWriter writer;
  writer.Varint(3);
  writer.Bytes({1, 2, 3, 4, 5});
  EXPECT_EQ(ByteReader(writer.bytes()).Count(), 3u);
  ByteReader reader(writer.bytes());
  EXPECT_EQ(reader.Count(2), 0u);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, Strings) {
  ByteWriter writer;
  writer.String("");
  writer.String("precast");
  ByteReader reader(writer.bytes());
  EXPECT_EQ(reader.String(), "");
  EXPECT_EQ(reader.String(), "precast");
  EXPECT_TRUE(reader.ok());
  ByteReader truncated(writer.bytes().subspan(1, 5));
  EXPECT_EQ(truncated.String(), "");
  EXPECT_FALSE(truncated.ok());
}

}  // namespace
}  // namespace precast::format
