// Whole objects, read back by the reader that shares no code with the writer.

#include "elfwriter/object.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "elfwriter/elf_reader.h"
#include "elfwriter/sample_object.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::elfwriter {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

template <typename T>
T Load(absl::Span<const uint8_t> bytes, size_t offset) {
  T value{};
  EXPECT_LE(offset + sizeof(T), bytes.size());
  if (offset + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

ReadElf Read(const Object& object) {
  auto elf = ParseElf(object.Write());
  EXPECT_TRUE(elf.ok()) << elf.status();
  return elf.ok() ? *std::move(elf) : ReadElf{};
}

// What must hold for every object: the invariants of the layout and of ELF.
void CheckInvariants(const Object& object) {
  const ReadElf elf = Read(object);
  uint64_t previous_end = 0;
  uint64_t previous_file_end = 0;
  const Elf64_Phdr* writable = nullptr;
  const Elf64_Phdr* relro = nullptr;
  for (const Elf64_Phdr& header : elf.program_headers) {
    if (header.p_type == PT_GNU_RELRO) relro = &header;
    if (header.p_type == PT_GNU_STACK) {
      EXPECT_EQ(header.p_flags, uint32_t{PF_R | PF_W});
    }
    EXPECT_FALSE((header.p_flags & PF_W) != 0 && (header.p_flags & PF_X) != 0);
    if (header.p_type != PT_LOAD) continue;
    EXPECT_EQ(header.p_align, kPageSize);
    EXPECT_EQ(header.p_vaddr % kPageSize, 0u);
    EXPECT_EQ(header.p_offset % kPageSize, 0u);
    EXPECT_GE(header.p_vaddr, previous_end);
    EXPECT_GE(header.p_offset, previous_file_end);
    EXPECT_GT(header.p_memsz, 0u);
    EXPECT_GE(header.p_memsz, header.p_filesz);
    previous_end = AlignUp(header.p_vaddr + header.p_memsz, kPageSize);
    previous_file_end = header.p_offset + header.p_filesz;
    if ((header.p_flags & PF_W) != 0) writable = &header;
  }
  EXPECT_EQ(object.MemorySize(), previous_end);
  ASSERT_NE(writable, nullptr);
  ASSERT_NE(relro, nullptr);
  EXPECT_EQ(relro->p_vaddr, writable->p_vaddr);
  EXPECT_EQ(relro->p_memsz % kPageSize, 0u);
  EXPECT_LE(relro->p_memsz, writable->p_filesz);

  for (const ReadSection& section : elf.sections) {
    const Elf64_Shdr& header = section.header;
    EXPECT_NE(header.sh_type, uint32_t{SHT_RELA});
    EXPECT_NE(header.sh_type, uint32_t{SHT_REL});
    if ((header.sh_flags & SHF_ALLOC) == 0 || header.sh_size == 0) continue;
    bool is_mapped = false;
    for (const Elf64_Phdr& load : elf.program_headers) {
      if (load.p_type != PT_LOAD || header.sh_addr < load.p_vaddr ||
          header.sh_addr + header.sh_size > load.p_vaddr + load.p_memsz) {
        continue;
      }
      is_mapped = true;
      if (header.sh_type != SHT_NOBITS) {
        EXPECT_EQ(header.sh_addr - load.p_vaddr, header.sh_offset - load.p_offset) << section.name;
      }
      EXPECT_EQ((header.sh_flags & SHF_WRITE) != 0, (load.p_flags & PF_W) != 0) << section.name;
      EXPECT_EQ((header.sh_flags & SHF_EXECINSTR) != 0, (load.p_flags & PF_X) != 0) << section.name;
    }
    EXPECT_TRUE(is_mapped) << section.name;
    if (header.sh_addralign != 0) {
      EXPECT_EQ(header.sh_addr % header.sh_addralign, 0u);
    }
  }
  // .symtab has everything that .dynsym has.
  for (const ReadSymbol& exported : elf.dynsym) {
    bool found = false;
    for (size_t i = elf.symbols.size(); i-- > 0 && !found;) {
      found = elf.symbols[i].name == exported.name &&
              elf.symbols[i].entry.st_value == exported.entry.st_value;
    }
    EXPECT_TRUE(found) << exported.name;
  }
}

TEST(Object, EmptyObject) {
  Object object;
  object.Layout();
  CheckInvariants(object);
  const ReadElf elf = Read(object);
  EXPECT_TRUE(elf.symbols.empty());
  EXPECT_TRUE(elf.dynsym.empty());
  EXPECT_EQ(elf.Find(".eh_frame"), nullptr);
  EXPECT_EQ(elf.Find(".note.gnu.build-id"), nullptr);
  std::vector<uint32_t> types;
  for (const Elf64_Phdr& header : elf.program_headers) types.push_back(header.p_type);
  EXPECT_THAT(types, ElementsAre(PT_LOAD, PT_LOAD, PT_DYNAMIC, PT_GNU_STACK, PT_GNU_RELRO));
}

TEST(Object, SectionsAreInTheOrderOfTheirSegments) {
  const auto object = MakeSampleObject({.with_zero_fill = true, .with_note = true});
  CheckInvariants(*object);
  std::vector<std::string> names;
  for (const ReadSection& section : Read(*object).sections) names.push_back(section.name);
  EXPECT_THAT(
      names, ElementsAre("", ".note.gnu.build-id", ".note.gnu.gold-version", ".gnu.hash", ".dynsym",
                         ".dynstr", ".rodata", ".eh_frame_hdr", ".eh_frame", ".text", ".plt",
                         ".dynamic", ".got", ".got.plt", ".bss", ".guest.data", ".debug_sample",
                         ".symtab", ".strtab", ".shstrtab"));
}

TEST(Object, AddressesEqualFileOffsets) {
  const auto object = MakeSampleObject();
  for (const Section* section : object->sections()) {
    if (section->is_allocated()) {
      EXPECT_EQ(section->address(), section->file_offset());
    }
  }
}

TEST(Object, CopyOnWriteDataIsFollowedByZerosToTheEndOfItsPage) {
  const auto object = MakeSampleObject();
  const std::vector<uint8_t> file = object->Write();
  const ReadElf elf = Read(*object);
  const ReadSection* data = elf.Find(".guest.data");
  ASSERT_NE(data, nullptr);
  EXPECT_EQ(data->header.sh_offset % kPageSize, 0u);
  ASSERT_GE(file.size(), data->header.sh_offset + kPageSize);
  for (uint64_t i = data->header.sh_size; i < kPageSize; ++i) {
    ASSERT_EQ(file[data->header.sh_offset + i], 0);
  }
}

TEST(Object, FixupsAreResolved) {
  const auto object = MakeSampleObject();
  const ReadElf elf = Read(*object);
  const auto address = [&elf](absl::string_view name) { return elf.Find(name)->header.sh_addr; };
  const std::vector<uint8_t>& info = elf.Find(".rodata")->bytes;
  EXPECT_EQ(Load<uint32_t>(info, kSampleTextOffset), address(".text"));
  EXPECT_EQ(Load<uint32_t>(info, kSampleEhFrameOffset), address(".eh_frame"));
  EXPECT_EQ(Load<uint64_t>(info, kSampleGuestDataOffset), address(".guest.data"));
  EXPECT_EQ(Load<int32_t>(info, kSampleDynamicOffset) + address(".rodata") + kSampleDynamicOffset,
            address(".dynamic"));
  EXPECT_EQ(Load<int64_t>(info, kSampleSelfOffset), -int64_t{kSampleSelfOffset});
  const std::vector<uint8_t>& text = elf.Find(".text")->bytes;
  EXPECT_EQ(address(".text") + 7 + Load<uint32_t>(text, kSampleReadGot + 3) + kSampleReadGot,
            address(".got") + 8);
  EXPECT_EQ(Load<uint64_t>(elf.Find(".debug_sample")->bytes, 0),
            address(".text") + kSampleCallBack);
}

TEST(Object, BytesAreDeterministic) {
  const SampleOptions options = {.numbered_functions = 500, .export_numbered = true};
  EXPECT_EQ(MakeSampleObject(options)->Write(), MakeSampleObject(options)->Write());
  const auto object = MakeSampleObject(options);
  EXPECT_EQ(object->Write(), object->Write());
}

TEST(Object, TenThousandSymbols) {
  const auto object = MakeSampleObject({.numbered_functions = 10000, .export_numbered = true});
  const ReadElf elf = Read(*object);
  EXPECT_EQ(elf.dynsym.size(), 10001u);
  const ReadSection* symtab = elf.Find(".symtab");
  ASSERT_NE(symtab, nullptr);
  EXPECT_EQ(elf.symbols.size(), 10001u + 7);
  EXPECT_EQ(symtab->header.sh_info, 8u);
  for (size_t i = 0; i < elf.symbols.size(); ++i) {
    EXPECT_EQ(ELF64_ST_BIND(elf.symbols[i].entry.st_info), i < 7 ? STB_LOCAL : STB_GLOBAL);
  }
}

TEST(Object, EmptySectionsAndEmptySegments) {
  const auto object = MakeMinimalObject();
  CheckInvariants(*object);
  const ReadElf elf = Read(*object);
  EXPECT_EQ(elf.Find(".text"), nullptr);
  EXPECT_EQ(elf.Find(".guest.data"), nullptr);
  EXPECT_NE(elf.Find(".got"), nullptr);
  EXPECT_EQ(Load<uint32_t>(elf.Find(".rodata")->bytes, kSampleTextOffset), object->MemorySize());
  ASSERT_EQ(elf.symbols.size(), 2u);
  EXPECT_EQ(elf.symbols[0].name, "no_code");
  EXPECT_EQ(elf.symbols[0].section, "ABS");
  size_t loads = 0;
  for (const Elf64_Phdr& header : elf.program_headers) loads += header.p_type == PT_LOAD ? 1 : 0;
  EXPECT_EQ(loads, 2u);
  CheckInvariants(*MakeSampleObject({.with_empty_sections = true}));
}

TEST(Object, ContentsMayBeFilledInAfterLayout) {
  Object object({.build_id = {1, 2, 3, 4}});
  const SectionId rodata = object.AddSection({.name = ".rodata"}, {1, 2, 3, 4, 5, 6, 7, 8});
  const SectionId text = object.AddSection({.name = ".text", .segment = Segment::kText}, {0xc3});
  object.Layout();
  object.MutableContents(rodata)[0] = static_cast<uint8_t>(object.AddressOf(text) >> 8);
  object.SetBuildId(std::vector<uint8_t>{9, 8, 7, 6});
  const std::vector<uint8_t> file = object.Write();
  EXPECT_EQ(file[object.FileOffsetOf(rodata)], 0x10);
  EXPECT_EQ(Load<uint32_t>(Read(object).Find(".note.gnu.build-id")->bytes, 16), 0x06070809u);
}

TEST(Object, SymbolsOfEveryKind) {
  Object object;
  const SectionId data =
      object.AddSection({.name = ".data", .segment = Segment::kData}, std::vector<uint8_t>(16));
  object.AddSymbol({.name = "weak", .section = data, .binding = SymbolBinding::kWeak});
  object.AddSymbol({.name = "protected",
                    .section = data,
                    .value = 16,  // The end of a section is a place, too.
                    .binding = SymbolBinding::kGlobal,
                    .visibility = SymbolVisibility::kProtected});
  object.AddSymbol({.name = "hidden", .section = data, .visibility = SymbolVisibility::kHidden});
  object.AddSymbol({.name = "same", .section = data});
  object.AddSymbol({.name = "same", .section = data, .value = 1});
  object.AddSymbol({.name = "absolute", .value = 0x123456789abcdef0});
  object.Layout();
  CheckInvariants(object);
  const ReadElf elf = Read(object);
  EXPECT_EQ(elf.symbols.size(), 6u);
  EXPECT_EQ(elf.dynsym.size(), 2u);
  EXPECT_EQ(elf.symbols[3].section, "ABS");
  EXPECT_EQ(elf.symbols[3].entry.st_value, 0x123456789abcdef0u);
  EXPECT_EQ(elf.symbols[4].name, "weak");
  EXPECT_EQ(elf.symbols[5].entry.st_other, STV_PROTECTED);
}

TEST(Object, RandomObjectsKeepTheInvariants) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Object object({.soname = round % 2 == 0 ? "" : "x.so",
                   .build_id = std::vector<uint8_t>(random() % 3 * 10)});
    std::vector<std::pair<SectionId, std::vector<uint8_t>>> expected;
    const uint32_t count = random() % 12;
    for (uint32_t i = 0; i < count; ++i) {
      const auto segment = static_cast<Segment>(random() % 6);
      std::vector<uint8_t> bytes(random() % 4 == 0 ? 0 : random() % 9000);
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
      const SectionId id = object.AddSection({.name = absl::StrCat(".s", i),
                                              .segment = segment,
                                              .alignment = uint64_t{1} << (random() % 13)},
                                             bytes);
      const uint64_t at = bytes.empty() ? 0 : random() % bytes.size();
      object.AddSymbol({.name = absl::StrCat("symbol", random() % 20),
                        .section = id,
                        .value = at,
                        .type = SymbolType::kObject});
      expected.emplace_back(id, std::move(bytes));
    }
    if (random() % 3 == 0) {
      object.SetZeroFill(object.AddSection({.name = ".bss", .segment = Segment::kData}),
                         random() % 10000);
    }
    object.Layout();
    CheckInvariants(object);
    const std::vector<uint8_t> file = object.Write();
    for (const auto& [id, bytes] : expected) {
      ASSERT_LE(object.FileOffsetOf(id) + bytes.size(), file.size());
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(),
                             file.begin() + static_cast<ptrdiff_t>(object.FileOffsetOf(id))));
    }
  }
}

TEST(Object, PiecesAreTheWhole) {
  const std::unique_ptr<Object> object =
      MakeSampleObject({.with_note = true, .with_empty_sections = true});
  const std::vector<uint8_t> whole = object->Write();
  const PieceWriter writer(*object);
  for (size_t size : {1, 2, 3, 7, 64, 1000, 4096, 100'000}) {
    std::vector<uint8_t> file;
    std::vector<uint8_t> piece(size, 0xee);
    while (file.size() < whole.size()) {
      const auto out = absl::MakeSpan(piece).first(std::min(size, whole.size() - file.size()));
      writer.Write(file.size(), out);
      file.insert(file.end(), out.begin(), out.end());
    }
    EXPECT_EQ(file, whole) << size;
  }
}

TEST(ObjectDeathTest, TooEarlyAndTooLate) {
  Object object;
  const SectionId id = object.AddSection({.name = ".rodata"}, {1, 2, 3, 4});
  EXPECT_DEATH(object.AddressOf(id), "before layout");
  EXPECT_DEATH(object.FileSize(), "Layout");
  EXPECT_DEATH(object.Write(), "Layout");
  object.Layout();
  EXPECT_DEATH(object.Layout(), "after Layout");
  EXPECT_DEATH(object.AddSection({.name = ".x"}), "after Layout");
  EXPECT_DEATH(object.AddSymbol({.name = "x"}), "after Layout");
  EXPECT_DEATH(object.AddFixup({id, 0, FixupKind::kImageRelative32, id}), "after Layout");
  EXPECT_DEATH(object.SetContents(id, {}), "after layout");
}

TEST(ObjectDeathTest, BadReferences) {
  Object object;
  const SectionId id = object.AddSection({.name = ".rodata"}, {1, 2, 3, 4});
  const SectionId debug = object.AddSection({.name = ".debug_x", .segment = Segment::kUnallocated},
                                            std::vector<uint8_t>(8));
  const auto layout_with = [&](Fixup fixup) {
    object.AddFixup(fixup);
    object.Layout();
  };
  EXPECT_DEATH(layout_with({id, 1, FixupKind::kImageRelative32, id}), "\\.rodata");
  EXPECT_DEATH(layout_with({id, 0, FixupKind::kImageRelative64, id}), "\\.rodata");
  EXPECT_DEATH(layout_with({id, ~uint64_t{0}, FixupKind::kImageRelative32, id}), "\\.rodata");
  EXPECT_DEATH(layout_with({id, 0, FixupKind::kImageRelative32, debug}), "debug_x");
  EXPECT_DEATH(layout_with({debug, 0, FixupKind::kPcRelative32, id}), "debug_x");
  EXPECT_DEATH(layout_with({id, 0, FixupKind::kImageRelative32, object.eh_frame()}), "left out");
  EXPECT_DEATH(layout_with({object.dynsym(), 0, FixupKind::kImageRelative32, id}), "dynsym");
  EXPECT_DEATH(
      {
        object.AddSymbol({.name = "far", .section = id, .value = 5});
        object.Layout();
      },
      "far");
  EXPECT_DEATH(object.AddSymbol({.name = "h",
                                 .section = id,
                                 .binding = SymbolBinding::kGlobal,
                                 .visibility = SymbolVisibility::kHidden}),
               "h");
  EXPECT_DEATH(object.SetZeroFill(id, 5), "\\.rodata");
  EXPECT_DEATH(object.SetContents(object.dynamic(), {}), "made by the writer");
  EXPECT_DEATH(
      {
        object.AddSection({.name = ".rodata"});
        object.Layout();
      },
      "two sections named \\.rodata");
}

TEST(ObjectDeathTest, ValueThatDoesNotFit) {
  Object object;
  const SectionId id = object.AddSection({.name = ".rodata"}, {1, 2, 3, 4});
  object.AddFixup({id, 0, FixupKind::kImageRelative32, id, int64_t{1} << 32});
  object.Layout();
  EXPECT_DEATH(object.Write(), "rodata");
}

}  // namespace
}  // namespace precast::elfwriter
