// Sections and what their owner puts into them.

#include "elfwriter/section.h"

#include <elf.h>

#include "elfwriter/data_section.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::elfwriter {
namespace {

using ::testing::ElementsAre;

std::vector<uint8_t> BytesOf(const Section& section) {
  std::vector<uint8_t> out(section.Size());
  section.WriteTo(absl::MakeSpan(out));
  return out;
}

TEST(Section, FlagsFollowFromTheSegment) {
  const auto flags = [](Segment segment) {
    return DataSection({.name = ".x", .segment = segment, .extra_flags = SHF_MERGE}).flags();
  };
  EXPECT_EQ(flags(Segment::kReadOnly), uint64_t{SHF_MERGE | SHF_ALLOC});
  EXPECT_EQ(flags(Segment::kText), uint64_t{SHF_MERGE | SHF_ALLOC | SHF_EXECINSTR});
  EXPECT_EQ(flags(Segment::kRelro), uint64_t{SHF_MERGE | SHF_ALLOC | SHF_WRITE});
  EXPECT_EQ(flags(Segment::kData), uint64_t{SHF_MERGE | SHF_ALLOC | SHF_WRITE});
  EXPECT_EQ(flags(Segment::kCopyOnWrite), uint64_t{SHF_MERGE | SHF_ALLOC});
  EXPECT_EQ(flags(Segment::kUnallocated), uint64_t{SHF_MERGE});
}

TEST(Section, PlaceIsReadableAfterwards) {
  DataSection section({.name = ".x", .alignment = 16});
  section.Place(3, 0x1010, 0x2010);
  EXPECT_EQ(section.index(), 3u);
  EXPECT_EQ(section.address(), 0x1010u);
  EXPECT_EQ(section.file_offset(), 0x2010u);
}

TEST(SectionDeathTest, ReadingTooEarly) {
  DataSection section({.name = ".x"});
  EXPECT_DEATH(section.address(), "\\.x: address read before layout");
  EXPECT_DEATH(section.index(), "before layout");
  EXPECT_DEATH(section.file_offset(), "before layout");
}

TEST(SectionDeathTest, ChangingTooLate) {
  DataSection section({.name = ".x"});
  section.Place(1, 0, 0);
  EXPECT_DEATH(section.Place(1, 0, 0), "changed after layout");
  EXPECT_DEATH(section.SetOwned({1}), "changed after layout");
  EXPECT_DEATH(section.SetView({}), "changed after layout");
  EXPECT_DEATH(section.SetZeroFill(1), "changed after layout");
}

TEST(SectionDeathTest, BadSpecs) {
  EXPECT_DEATH(DataSection({.name = ""}), "name");
  EXPECT_DEATH(DataSection({.name = ".x", .alignment = 0}), "\\.x");
  EXPECT_DEATH(DataSection({.name = ".x", .alignment = 24}), "\\.x");
  EXPECT_DEATH(DataSection({.name = ".x", .alignment = 2 * kPageSize}), "\\.x");
}

TEST(DataSection, OwnedBytesCanBeChangedAfterPlacing) {
  DataSection section({.name = ".x"});
  section.SetOwned({1, 2, 3});
  section.Place(1, 0, 0);
  section.mutable_bytes()[1] = 9;
  EXPECT_THAT(BytesOf(section), ElementsAre(1, 9, 3));
}

TEST(DataSection, View) {
  const std::vector<uint8_t> bytes = {4, 5};
  DataSection section({.name = ".x"});
  section.SetView(bytes);
  EXPECT_THAT(BytesOf(section), ElementsAre(4, 5));
}

TEST(DataSection, Writer) {
  DataSection section({.name = ".x"});
  section.SetWriter(3, [](uint64_t begin, absl::Span<uint8_t> out) {
    for (uint8_t& byte : out) byte = static_cast<uint8_t>(++begin);
  });
  EXPECT_THAT(BytesOf(section), ElementsAre(1, 2, 3));
  std::vector<uint8_t> part(1);
  section.WritePart(1, absl::MakeSpan(part));
  EXPECT_THAT(part, ElementsAre(2));
}

TEST(DataSection, ZeroFillHasSizeButNoBytes) {
  DataSection section({.name = ".x", .segment = Segment::kData});
  section.SetZeroFill(12345);
  EXPECT_EQ(section.Size(), 12345u);
  EXPECT_TRUE(section.is_nobits());
}

TEST(DataSection, CopyOnWriteIsPageAligned) {
  EXPECT_EQ(DataSection({.name = ".x", .segment = Segment::kCopyOnWrite}).alignment(), kPageSize);
}

TEST(DataSectionDeathTest, MutableBytesMustBeOwned) {
  DataSection section({.name = ".x"});
  section.SetView({});
  EXPECT_DEATH(section.mutable_bytes(), "not owned");
}

}  // namespace
}  // namespace precast::elfwriter
