// The pieces that are little more than a table: headers, notes, .dynamic.

#include "elfwriter/headers.h"

#include <elf.h>

#include "elfwriter/data_section.h"
#include "elfwriter/dynamic_section.h"
#include "elfwriter/note_section.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::elfwriter {
namespace {

using ::testing::ElementsAreArray;

template <typename Piece>
std::vector<uint8_t> BytesOf(const Piece& piece) {
  std::vector<uint8_t> out(piece.Size());
  piece.WriteTo(absl::MakeSpan(out));
  return out;
}

TEST(ElfHeader, ExactBytes) {
  ElfHeader header;
  header.program_header_count = 9;
  header.section_headers_offset = 0x5248;
  header.section_header_count = 18;
  header.section_names_index = 17;
  std::vector<uint8_t> out(ElfHeader::kSize);
  header.WriteTo(absl::MakeSpan(out));
  EXPECT_THAT(out, ElementsAreArray(std::vector<uint8_t>{
                       0x7f, 0x45, 0x4c, 0x46, 2,  1, 1,  0, 0,    0,    0,  0, 0,  0, 0,  0,  //
                       3,    0,    0x3e, 0,    1,  0, 0,  0, 0,    0,    0,  0, 0,  0, 0,  0,  //
                       64,   0,    0,    0,    0,  0, 0,  0, 0x48, 0x52, 0,  0, 0,  0, 0,  0,  //
                       0,    0,    0,    0,    64, 0, 56, 0, 9,    0,    64, 0, 18, 0, 17, 0,
                   }));
}

TEST(ProgramHeaderTable, ExactBytes) {
  ProgramHeaderTable table;
  table.SetCount(1);
  table.Add({.type = PT_LOAD,
             .flags = PF_R | PF_X,
             .offset = 0x1000,
             .address = 0x2000,
             .file_size = 0x30,
             .memory_size = 0x40,
             .alignment = 0x1000});
  EXPECT_THAT(BytesOf(table), ElementsAreArray(std::vector<uint8_t>{
                                  1,    0,    0, 0, 5, 0, 0, 0, 0,    0x10, 0, 0, 0, 0, 0, 0,  //
                                  0,    0x20, 0, 0, 0, 0, 0, 0, 0,    0x20, 0, 0, 0, 0, 0, 0,  //
                                  0x30, 0,    0, 0, 0, 0, 0, 0, 0x40, 0,    0, 0, 0, 0, 0, 0,  //
                                  0,    0x10, 0, 0, 0, 0, 0, 0,
                              }));
}

TEST(ProgramHeaderTableDeathTest, CountMustHold) {
  ProgramHeaderTable table;
  table.SetCount(2);
  table.Add({});
  EXPECT_DEATH(BytesOf(table), "count_");
}

TEST(SectionHeaderTable, ExactBytes) {
  StringTable names({.name = ".shstrtab"});
  DataSection got({.name = ".got", .segment = Segment::kRelro, .alignment = 8, .entry_size = 8});
  got.SetOwned(std::vector<uint8_t>(0x18));
  SectionHeaderTable table;
  table.Add(&got, names);
  EXPECT_EQ(table.count(), 2u);
  got.Place(1, 0x2070, 0x3070);
  std::vector<uint8_t> expected(64);
  const std::vector<uint8_t> header = {
      1,    0,    0, 0, 1, 0, 0, 0, 3,    0,    0, 0, 0, 0, 0, 0,  //
      0x70, 0x20, 0, 0, 0, 0, 0, 0, 0x70, 0x30, 0, 0, 0, 0, 0, 0,  //
      0x18, 0,    0, 0, 0, 0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0,  //
      8,    0,    0, 0, 0, 0, 0, 0, 8,    0,    0, 0, 0, 0, 0, 0};
  expected.insert(expected.end(), header.begin(), header.end());
  EXPECT_THAT(BytesOf(table), ElementsAreArray(expected));
}

TEST(NoteSection, BuildId) {
  const std::vector<uint8_t> id = {1, 2, 3, 4, 5};
  NoteSection note(".note.gnu.build-id", "GNU", NT_GNU_BUILD_ID, id);
  EXPECT_THAT(BytesOf(note),
              ElementsAreArray(std::vector<uint8_t>{4,   0,   0,   0, 5, 0, 0, 0, 3, 0, 0, 0,
                                                    'G', 'N', 'U', 0, 1, 2, 3, 4, 5, 0, 0, 0}));
  EXPECT_EQ(note.alignment(), 4u);
  EXPECT_EQ(note.type(), uint32_t{SHT_NOTE});
}

TEST(NoteSection, OwnerIsPadded) {
  NoteSection note(".note.x", "Owner", 0x01020304, {});
  EXPECT_THAT(BytesOf(note),
              ElementsAreArray(std::vector<uint8_t>{6, 0, 0,   0,   0,   0,   0,   0, 4, 3,
                                                    2, 1, 'O', 'w', 'n', 'e', 'r', 0, 0, 0}));
}

TEST(NoteSectionDeathTest, SizeIsFixedByLayout) {
  const std::vector<uint8_t> id = {1, 2, 3};
  NoteSection note(".note.x", "GNU", 3, id);
  note.Place(1, 0, 0);
  note.SetDescription(std::vector<uint8_t>{4, 5, 6});
  EXPECT_EQ(BytesOf(note)[16], 4);
  EXPECT_DEATH(note.SetDescription({}), "\\.note\\.x");
}

TEST(DynamicSection, ExactEntries) {
  DataSection hash({.name = ".gnu.hash"});
  DataSection strings({.name = ".dynstr"});
  DataSection symbols({.name = ".dynsym"});
  strings.SetOwned(std::vector<uint8_t>(0x17));
  hash.Place(1, 0x260, 0x260);
  symbols.Place(2, 0x288, 0x288);
  strings.Place(3, 0x2b8, 0x2b8);
  DynamicSection dynamic(hash, strings, symbols);
  EXPECT_EQ(dynamic.Size(), 6 * 16u);
  dynamic.set_soname(1);
  std::vector<uint8_t> expected;
  const auto entry = [&expected](uint64_t tag, uint64_t value) {
    for (const uint64_t word : {tag, value}) {
      for (int i = 0; i < 8; ++i) expected.push_back(static_cast<uint8_t>(word >> (8 * i)));
    }
  };
  entry(DT_SONAME, 1);
  entry(DT_GNU_HASH, 0x260);
  entry(DT_STRTAB, 0x2b8);
  entry(DT_SYMTAB, 0x288);
  entry(DT_STRSZ, 0x17);
  entry(DT_SYMENT, 24);
  entry(DT_NULL, 0);
  EXPECT_THAT(BytesOf(dynamic), ElementsAreArray(expected));
}

}  // namespace
}  // namespace precast::elfwriter
