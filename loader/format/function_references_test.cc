#include "loader/format/function_references.h"

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "loader/format/varint.h"

namespace precast::format {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint32_t> RecordsOf(const ElementFunctions& table,
                                const ElementFunctions::Segment& segment) {
  std::vector<uint32_t> records;
  const absl::Span<const uint8_t> bytes = table.Records(segment.first, segment.count);
  for (size_t i = 0; i < bytes.size(); i += 4) records.push_back(LoadLe32(bytes.data() + i));
  return records;
}

TEST(DeclaredFunctionsTest, FindsWhatWasEncoded) {
  const std::vector<uint8_t> bytes = EncodeDeclaredFunctions({{3, 0}, {4, 70000}, {900000, 1}});
  const absl::StatusOr<DeclaredFunctions> table = DeclaredFunctions::Parse(bytes);
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_EQ(table->count(), 3u);
  EXPECT_EQ(table->Get(1), (DeclaredFunction{4, 70000}));
  EXPECT_EQ(table->Find(3), 0u);
  EXPECT_EQ(table->Find(900000), 2u);
  for (uint32_t other : {0u, 2u, 5u, 899999u, 900001u}) EXPECT_EQ(table->Find(other), std::nullopt);
  EXPECT_TRUE(table->IsAscending());
}

TEST(DeclaredFunctionsTest, EmptyAndDamaged) {
  EXPECT_EQ(DeclaredFunctions::Parse({})->count(), 0u);
  EXPECT_EQ(DeclaredFunctions::Parse({})->Find(0), std::nullopt);
  std::vector<uint8_t> bytes = EncodeDeclaredFunctions({{4, 0}, {4, 1}});
  EXPECT_FALSE(DeclaredFunctions::Parse(bytes)->IsAscending());
  bytes.pop_back();
  EXPECT_FALSE(DeclaredFunctions::Parse(bytes).ok());
}

TEST(ElementFunctionsTest, HasWhatWasEncoded) {
  EXPECT_THAT(EncodeElementFunctions({}), IsEmpty());
  EXPECT_EQ(ElementFunctions::Parse({})->segment_count(), 0u);
  const std::vector<uint8_t> bytes = EncodeElementFunctions({{.end = 20, .records = {7, 7, 1}},
                                                             {.end = 30, .records = {}},
                                                             {.end = 40, .records = {80000}}});
  const absl::StatusOr<ElementFunctions> table = ElementFunctions::Parse(bytes);
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_EQ(table->segment_count(), 3u);
  EXPECT_THAT(RecordsOf(*table, *table->SegmentAt(0)), ElementsAre(7, 7, 1));
  EXPECT_THAT(RecordsOf(*table, *table->SegmentAt(1)), IsEmpty());
  EXPECT_THAT(RecordsOf(*table, *table->SegmentAt(2)), ElementsAre(80000));
  EXPECT_EQ(table->SegmentAt(2)->end, 40u);
  EXPECT_FALSE(table->SegmentAt(3).has_value());
}

TEST(ElementFunctionsTest, StaysInsideOfDamagedTables) {
  const std::vector<uint8_t> original = EncodeElementFunctions(
      {{.end = 20, .records = {7, 7, 1}}, {.end = 30, .records = {}}, {.end = 40, .records = {8}}});
  for (size_t size = 1; size < original.size(); ++size)
    EXPECT_FALSE(ElementFunctions::Parse(absl::MakeConstSpan(original).first(size)).ok()) << size;
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::vector<uint8_t> bytes = original;
    for (uint32_t k = 0; k < 1 + random() % 3; ++k)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random() % 8);
    const absl::StatusOr<ElementFunctions> table = ElementFunctions::Parse(bytes);
    if (!table.ok()) continue;
    for (uint32_t s = 0; s < table->segment_count(); ++s) {
      if (const auto segment = table->SegmentAt(s)) RecordsOf(*table, *segment);
    }
  }
}

}  // namespace
}  // namespace precast::format
