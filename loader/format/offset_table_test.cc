// Properties: what was encoded comes back, by index and by value; whatever bytes are read, every
// answer is in bounds and nothing crashes.
#include "loader/format/offset_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace precast::format {
namespace {

std::vector<uint32_t> RandomEntries(std::mt19937_64& random, size_t count, bool ascending) {
  std::vector<uint32_t> entries(count);
  const uint32_t alignment = 1u << (random() % 6);
  uint32_t value = 0;
  for (uint32_t& entry : entries) {
    if (ascending) {
      value += static_cast<uint32_t>(random() % 3000) * alignment;
      entry = value;
    } else {
      entry = static_cast<uint32_t>(random()) >> (random() % 32);
    }
  }
  return entries;
}

TEST(OffsetTable, RoundTrips) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 500; ++i) {
    const bool ascending = i % 2 == 0;
    const std::vector<uint32_t> entries = RandomEntries(random, random() % 2000, ascending);
    const std::vector<uint8_t> bytes = EncodeOffsetTable(entries);
    absl::StatusOr<OffsetTable> table = OffsetTable::Parse(bytes);
    ASSERT_TRUE(table.ok()) << table.status();
    ASSERT_EQ(table->count(), entries.size());
    EXPECT_EQ(table->DecodeAll(), entries);
    for (int j = 0; j < 50 && !entries.empty(); ++j) {
      const auto index = static_cast<uint32_t>(random() % entries.size());
      EXPECT_EQ(table->Get(index), entries[index]);
    }
    EXPECT_FALSE(table->Get(table->count()));
  }
}

TEST(OffsetTable, WideIndex) {
  std::vector<uint32_t> entries(60000);
  for (size_t i = 0; i < entries.size(); ++i) entries[i] = static_cast<uint32_t>(i * 1000 + i % 7);
  const std::vector<uint8_t> bytes = EncodeOffsetTable(entries);
  EXPECT_EQ(bytes[5], 4);
  absl::StatusOr<OffsetTable> table = OffsetTable::Parse(bytes);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->DecodeAll(), entries);
}

TEST(OffsetTable, FindLastAgreesWithPlainSearch) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 200; ++i) {
    const std::vector<uint32_t> entries = RandomEntries(random, random() % 300, true);
    const std::vector<uint8_t> bytes = EncodeOffsetTable(entries);
    absl::StatusOr<OffsetTable> table = OffsetTable::Parse(bytes);
    ASSERT_TRUE(table.ok()) << table.status();
    const uint32_t limit = entries.empty() ? 100 : entries.back() + 100;
    for (int j = 0; j < 100; ++j) {
      const auto value = static_cast<uint32_t>(random() % limit);
      const auto after = std::upper_bound(entries.begin(), entries.end(), value);
      std::optional<uint32_t> expected;
      if (after != entries.begin()) expected = static_cast<uint32_t>(after - entries.begin() - 1);
      EXPECT_EQ(table->FindLast(value), expected) << value;
    }
  }
}

TEST(OffsetTable, AlignedAscendingEntriesTakeOneByte) {
  std::vector<uint32_t> entries(16000);
  for (size_t i = 0; i < entries.size(); ++i) entries[i] = static_cast<uint32_t>(i) * 320;
  // 15 bytes of differences per group, up to 4 for the first entry, 2 of index.
  EXPECT_LT(EncodeOffsetTable(entries).size(), entries.size() * 21 / 16 + 16);
}

TEST(OffsetTable, DamageIsNamed) {
  const std::vector<uint8_t> good = EncodeOffsetTable({1, 2, 3});
  std::vector<uint8_t> bytes = good;
  bytes[4] = 3;
  EXPECT_EQ(OffsetTable::Parse(bytes).status().message(),
            "group_bits: expected 4, actual 3 (offset 4)");
  bytes = good;
  bytes.pop_back();
  EXPECT_FALSE(OffsetTable::Parse(bytes).ok());
  EXPECT_FALSE(OffsetTable::Parse({}).ok());
}

TEST(OffsetTable, HostileBytes) {
  std::mt19937_64 random(3);
  const std::vector<uint32_t> entries = RandomEntries(random, 100, true);
  const std::vector<uint8_t> good = EncodeOffsetTable(entries);
  for (int i = 0; i < 100000; ++i) {
    std::vector<uint8_t> bytes = good;
    for (uint64_t n = 1 + random() % 3; n > 0; --n) {
      // Half of the damage to the header, where it matters most.
      const size_t at = random() % (n % 2 == 0 ? size_t{12} : bytes.size());
      bytes[at] = static_cast<uint8_t>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    absl::StatusOr<OffsetTable> table = OffsetTable::Parse(bytes);
    if (!table.ok()) continue;
    ASSERT_LE(table->count(), bytes.size());
    table->Get(static_cast<uint32_t>(random()) % (table->count() + 1));
    const std::optional<uint32_t> found = table->FindLast(static_cast<uint32_t>(random() % 300000));
    if (found) {
      ASSERT_LT(*found, table->count());
    }
    const std::optional<std::vector<uint32_t>> all = table->DecodeAll();
    if (all) {
      ASSERT_EQ(all->size(), table->count());
    }
  }
}

}  // namespace
}  // namespace precast::format
