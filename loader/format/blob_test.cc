#include "loader/format/blob.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace precast::format {
namespace {

TEST(Blob, OffsetZeroIsReserved) {
  BlobBuilder builder;
  EXPECT_EQ(builder.bytes().size(), 1u);
  EXPECT_NE(builder.Add({}), 0u);
  EXPECT_NE(builder.AddString(""), 0u);
  BlobReader reader(builder.bytes());
  EXPECT_FALSE(reader.At(0));
  EXPECT_FALSE(reader.At(static_cast<uint32_t>(reader.size())));
}

TEST(Blob, EqualItemsAreStoredOnce) {
  BlobBuilder builder;
  const uint32_t a = builder.AddString("one");
  const uint32_t b = builder.AddString("two");
  const size_t size = builder.bytes().size();
  EXPECT_EQ(builder.AddString("one"), a);
  EXPECT_EQ(builder.AddString("two"), b);
  EXPECT_EQ(builder.bytes().size(), size);
  EXPECT_EQ(builder.bytes_saved(), 8u);
  BlobReader reader(builder.bytes());
  EXPECT_EQ(reader.StringAt(a), "one");
  EXPECT_EQ(reader.StringAt(b), "two");
}

TEST(Blob, AlignmentIsKept) {
  BlobBuilder builder;
  const uint8_t item[] = {1, 2, 3};
  const uint32_t unaligned = builder.Add(item);
  const uint32_t aligned = builder.Add(item, 16);
  EXPECT_NE(unaligned, aligned);
  EXPECT_EQ(aligned % 16, 0u);
  EXPECT_EQ(builder.Add(item, 16), aligned);
}

TEST(Blob, RandomItemsRoundTrip) {
  std::mt19937_64 random(1);
  BlobBuilder builder;
  std::map<std::string, uint32_t> offsets;
  for (int i = 0; i < 20000; ++i) {
    std::string item(random() % 6, '\0');
    for (char& c : item) c = static_cast<char>('a' + random() % 4);
    const uint32_t offset = builder.AddString(item);
    const auto [it, inserted] = offsets.emplace(item, offset);
    EXPECT_EQ(it->second, offset);
  }
  BlobReader reader(builder.bytes());
  for (const auto& [item, offset] : offsets) EXPECT_EQ(reader.StringAt(offset), item);
}

TEST(Blob, StringBeyondTheEndIsNothing) {
  const uint8_t bytes[] = {0, 200, 3, 'a', 'b'};
  BlobReader reader(bytes);
  EXPECT_FALSE(reader.StringAt(1));
  EXPECT_FALSE(reader.StringAt(2));
  EXPECT_FALSE(reader.StringAt(100));
}

}  // namespace
}  // namespace precast::format
