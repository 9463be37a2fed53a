#include "compiler/riscv/elf_reader.h"

#include <elf.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "compiler/riscv/control_flow.h"
#include "compiler/riscv/testing/assembler.h"
#include "gtest/gtest.h"
#include "loader/format/sha256.h"

namespace precast::riscv {
namespace {

using Bytes = std::vector<uint8_t>;
using guest::Program;

constexpr uint32_t kNop = 0x13;
constexpr uint32_t kRet = 0x8067;

// An ELF file made piece by piece. Headers come first, then what is appended.
class ElfFile {
 public:
  explicit ElfFile(uint32_t num_headers, uint32_t entry = testing::kCodeBase) {
    std::memcpy(header_.e_ident, ELFMAG, SELFMAG);
    header_.e_ident[EI_CLASS] = ELFCLASS32;
    header_.e_ident[EI_DATA] = ELFDATA2LSB;
    header_.e_ident[EI_VERSION] = EV_CURRENT;
    header_.e_type = ET_EXEC;
    header_.e_machine = EM_RISCV;
    header_.e_version = EV_CURRENT;
    header_.e_entry = entry;
    header_.e_phoff = sizeof header_;
    header_.e_ehsize = sizeof header_;
    header_.e_phentsize = sizeof(Elf32_Phdr);
    header_.e_phnum = static_cast<uint16_t>(num_headers);
    bytes_.resize(sizeof header_ + num_headers * sizeof(Elf32_Phdr));
  }

  Elf32_Ehdr& header() { return header_; }

  uint32_t Append(const void* data, size_t size) {
    const uint32_t at = static_cast<uint32_t>(bytes_.size());
    const uint8_t* begin = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), begin, begin + size);
    return at;
  }
  template <typename T>
  uint32_t Append(const std::vector<T>& data) {
    return Append(data.data(), data.size() * sizeof(T));
  }

  // Program header number `i`, of contents appended before.
  void Load(uint32_t i, uint32_t flags, uint32_t address, uint32_t offset, uint32_t filesz,
            uint32_t memsz) {
    const Elf32_Phdr ph = {PT_LOAD, offset, address, address, filesz, memsz, flags, 4096};
    std::memcpy(bytes_.data() + sizeof header_ + i * sizeof ph, &ph, sizeof ph);
  }

  void Sections(const std::vector<Elf32_Shdr>& sections) {
    header_.e_shentsize = sizeof(Elf32_Shdr);
    header_.e_shnum = static_cast<uint16_t>(sections.size());
    header_.e_shoff = Append(sections);
  }

  Bytes Finish() {
    std::memcpy(bytes_.data(), &header_, sizeof header_);
    return bytes_;
  }

 private:
  Elf32_Ehdr header_ = {};
  Bytes bytes_;
};

Bytes Valid() { return testing::MakeElf({kNop, kRet}, {1, 2, 3}); }

template <typename T>
Bytes With(Bytes file, size_t offset, T value) {
  std::memcpy(file.data() + offset, &value, sizeof value);
  return file;
}
size_t PhField(uint32_t i, size_t field) {
  return sizeof(Elf32_Ehdr) + i * sizeof(Elf32_Phdr) + field;
}

Bytes ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

double SecondsOf(const Bytes& file) {
  const auto start = std::chrono::steady_clock::now();
  if (absl::StatusOr<Program> program = ReadElf(file); program.ok()) {
    const Code code(*program);
    RecoverControlFlow(*program, code);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Much more than is needed even with sanitizers on a loaded machine; what is quadratic takes
// minutes.
constexpr double kPatience = 20;

TEST(ReadElf, ReadsAProgram) {
  const Bytes file = Valid();
  EXPECT_TRUE(LooksLikeRiscVElf(file));
  absl::StatusOr<Program> program = ReadElf(file);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(program->kind, guest::Kind::kRiscV32);
  EXPECT_EQ(program->entry, testing::kCodeBase);
  EXPECT_EQ(program->initial_brk, testing::kDataBase + 12);
  EXPECT_EQ(program->phdr_address, 0u);
  const auto digest = format::Sha256::Hash(file);
  EXPECT_TRUE(std::equal(program->guid.begin(), program->guid.end(), digest.begin()));
  ASSERT_EQ(program->segments.size(), 2u);
  const guest::Segment& code = program->segments[0];
  EXPECT_EQ(code.address, testing::kCodeBase);
  EXPECT_EQ(code.size, 4096u);
  EXPECT_EQ(code.data.size(), 4096u);
  EXPECT_EQ(code.data[4], 0x67);
  EXPECT_TRUE(code.readable && code.executable && !code.writable);
  const guest::Segment& data = program->segments[1];
  EXPECT_EQ(data.data[8], 3);
  EXPECT_TRUE(data.readable && data.writable && !data.executable);
  ASSERT_EQ(program->code.size(), 1u);
  EXPECT_EQ(program->code[0].begin, testing::kCodeBase);
  EXPECT_EQ(program->code[0].end, testing::kCodeBase + 8);
  EXPECT_FALSE(program->code_hint_is_exact);
}

TEST(ReadElf, NamesTheFaultyField) {
  const Bytes valid = Valid();
  struct Case {
    Bytes file;
    std::string_view field, offset, expected, actual;
  };
  const std::vector<Case> cases = {
      {{}, "header", "0x0", "52 bytes", "a shorter file"},
      {With(valid, 1, 'X'), "magic", "0x0", "7f 45 4c 46", "other"},
      {With<uint8_t>(valid, EI_CLASS, 2), "EI_CLASS", "0x4", "1", "2"},
      {With<uint8_t>(valid, EI_DATA, 2), "EI_DATA", "0x5", "1", "2"},
      {With<uint16_t>(valid, 18, 62), "e_machine", "0x12", "243", "62"},
      {With<uint16_t>(valid, 16, 3), "e_type", "0x10", "2", "3"},
      {With<uint32_t>(valid, 36, 1), "e_flags", "0x24", "rv32im", "compressed"},
      {With<uint32_t>(valid, 36, 4), "e_flags", "0x24", "rv32im", "hard-float"},
      {With<uint32_t>(valid, 36, 8), "e_flags", "0x24", "rv32im", "RVE"},
      {With<uint16_t>(valid, 42, 33), "e_phentsize", "0x2a", "32", "33"},
      {With<uint16_t>(valid, 44, 0), "e_phnum", "0x2c", "1", "0"},
      {With<uint16_t>(valid, 44, 65535), "e_phnum", "0x2c", "65534", "65535"},
      {With<uint32_t>(valid, 28, 0xfffffff0), "program header", "0xfffffff0", "32 bytes", "end"},
      {With<uint32_t>(valid, PhField(0, 0), PT_INTERP), "p_type", "0x34", "static", "PT_INTERP"},
      {With<uint32_t>(valid, PhField(1, 0), PT_DYNAMIC), "p_type", "0x54", "static", "PT_DYNAMIC"},
      {With<uint32_t>(valid, PhField(0, 16), 9), "p_filesz", "0x44", "0x8", "0x9"},
      {With<uint32_t>(valid, PhField(0, 4), 1 << 20), "p_offset", "0x38", "inside", "0x100000"},
      {With<uint32_t>(valid, PhField(1, 8), 0xfffffff8), "p_vaddr", "0x5c", "2^32", "0xfffffff8"},
      {With<uint32_t>(valid, PhField(1, 8), testing::kCodeBase + 4), "p_vaddr", "0x5c",
       "at least 0x10008", "0x10004"},
      {With<uint32_t>(valid, PhField(0, 24), PF_R), "program headers", "0x34", "executable",
       "none"},
      {With<uint32_t>(valid, 24, 0x10008), "e_entry", "0x18", "executable segment", "0x10008"},
      {With<uint32_t>(valid, 24, 0x10002), "e_entry", "0x18", "multiple of 4", "0x10002"},
      {With<uint32_t>(With<uint32_t>(valid, PhField(0, 0), PT_NOTE), PhField(1, 0), PT_NULL),
       "program headers", "0x34", "PT_LOAD", "none"},
  };
  for (const Case& c : cases) {
    const absl::Status status = ReadElf(c.file).status();
    ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.field << " " << c.actual;
    for (std::string_view part : {c.field, c.offset, c.expected, c.actual})
      EXPECT_TRUE(absl::StrContains(status.message(), part)) << part << " not in " << status;
  }
  EXPECT_FALSE(LooksLikeRiscVElf(cases[1].file));
  EXPECT_FALSE(LooksLikeRiscVElf(cases[4].file));
}

TEST(ReadElf, SegmentsMayNotShareBytesOfTheFile) {
  ElfFile elf(3);
  const uint32_t code = elf.Append(std::vector<uint32_t>(1024, kNop));
  elf.Load(0, PF_X, 0x10000, code, 4096, 4096);
  elf.Load(1, PF_R, 0x20000, code, 4096, 4096);
  elf.Load(2, PF_R, 0x30000, code, 4096, 4096);
  const absl::Status status = ReadElf(elf.Finish()).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "p_filesz (file offset 0x64)")) << status;
}

TEST(ReadElf, APageSharedByTwoSegmentsHasBothContentsAndPermissions) {
  ElfFile elf(2, 0x10000);
  const uint32_t text = elf.Append(std::vector<uint32_t>(1025, kNop));  // a page and a word
  const uint32_t data = elf.Append(std::vector<uint8_t>(5000, 0xdd));
  elf.Load(0, PF_R | PF_X, 0x10000, text, 4100, 4100);
  elf.Load(1, PF_W, 0x11800, data, 5000, 9000);
  absl::StatusOr<Program> program = ReadElf(elf.Finish());
  ASSERT_TRUE(program.ok()) << program.status();
  ASSERT_EQ(program->segments.size(), 3u);
  const auto& [first, shared, last] =
      std::tie(program->segments[0], program->segments[1], program->segments[2]);
  EXPECT_EQ(first.address, 0x10000u);
  EXPECT_EQ(first.size, 4096u);
  EXPECT_FALSE(first.writable);
  EXPECT_EQ(shared.address, 0x11000u);
  EXPECT_EQ(shared.size, 4096u);
  EXPECT_TRUE(shared.readable && shared.writable && shared.executable);
  EXPECT_EQ(shared.data[0], 0x13);
  EXPECT_EQ(shared.data[4], 0);
  EXPECT_EQ(shared.data[0x7ff], 0);
  EXPECT_EQ(shared.data[0x800], 0xdd);
  EXPECT_EQ(last.address, 0x12000u);
  EXPECT_EQ(last.size, 0x2000u);
  EXPECT_EQ(last.data.size(), 4096u);
  EXPECT_TRUE(last.readable && last.writable && !last.executable);
  EXPECT_EQ(last.data[5000 - 0x800 - 1], 0xdd);
  EXPECT_EQ(last.data[5000 - 0x800], 0);
}

TEST(ReadElf, ManySegmentsInOnePage) {
  ElfFile elf(8, 0x10000);
  for (uint32_t i = 0; i < 8; ++i) {
    const uint32_t at = elf.Append(std::vector<uint32_t>(1, i == 0 ? kRet : i));
    elf.Load(i, i == 0 ? PF_X : i == 7 ? PF_W : PF_R, 0x10000 + 16 * i, at, 4, 8);
  }
  absl::StatusOr<Program> program = ReadElf(elf.Finish());
  ASSERT_TRUE(program.ok()) << program.status();
  ASSERT_EQ(program->segments.size(), 1u);
  EXPECT_TRUE(program->segments[0].writable && program->segments[0].executable);
  for (uint32_t i = 1; i < 8; ++i) EXPECT_EQ(program->segments[0].data[16 * i], i);
}

TEST(ReadElf, TheEndsOfTheAddressSpace) {
  ElfFile elf(2, 0);
  const uint32_t low = elf.Append(std::vector<uint32_t>{kRet, kRet});
  const uint32_t high = elf.Append(std::vector<uint32_t>(1024, kNop));
  elf.Load(0, PF_X, 0, low, 8, 8);
  elf.Load(1, PF_X, 0xfffff000, high, 4096, 4096);
  absl::StatusOr<Program> program = ReadElf(elf.Finish());
  ASSERT_TRUE(program.ok()) << program.status();
  ASSERT_EQ(program->segments.size(), 2u);
  EXPECT_EQ(program->segments[0].address, 0u);
  EXPECT_EQ(program->segments[1].address + program->segments[1].size, uint64_t{1} << 32);
  const Code code(*program);
  EXPECT_TRUE(code.Contains(0));
  EXPECT_TRUE(code.Contains(0xfffffff8));
  EXPECT_FALSE(code.Contains(0xfffffffc));  // an end of 2^32 cannot be said
  EXPECT_FALSE(code.Contains(0xfffffffe));
  EXPECT_EQ(code.PcOf(code.IndexOf(0xfffffff8)), 0xfffffff8u);
}

TEST(ReadElf, ZeroMemoryTakesNoSpace) {
  ElfFile elf(2, 0x10000);
  const uint32_t text = elf.Append(std::vector<uint32_t>{kRet});
  elf.Load(0, PF_X, 0x10000, text, 4, 0x7fff0000);
  elf.Load(1, PF_W, 0x80000000, text, 0, 0x80000000);
  absl::StatusOr<Program> program = ReadElf(elf.Finish());
  ASSERT_TRUE(program.ok()) << program.status();
  ASSERT_EQ(program->segments.size(), 2u);
  EXPECT_EQ(program->segments[0].data.size(), 4096u);
  EXPECT_EQ(program->segments[0].size, 0x7fff0000u);
  EXPECT_EQ(program->segments[1].data.size(), 0u);
  EXPECT_EQ(program->segments[1].size, 0x80000000u);
  EXPECT_EQ(Code(*program).size(), 1024u);
}

// -- sections and symbols

// A program of ten words with the given sections (after one of the code and a string table) and
// symbols.
Bytes WithSymbols(std::string_view names, const std::vector<Elf32_Sym>& symbols) {
  ElfFile elf(1);
  const uint32_t text = elf.Append(std::vector<uint32_t>(10, kRet));
  elf.Load(0, PF_R | PF_X, testing::kCodeBase, text, 40, 40);
  const uint32_t strings = elf.Append(names.data(), names.size());
  const uint32_t table = elf.Append(symbols);
  std::vector<Elf32_Shdr> sections(4);
  sections[1].sh_type = SHT_PROGBITS;
  sections[1].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  sections[1].sh_addr = testing::kCodeBase + 2;
  sections[1].sh_size = 17;
  sections[2].sh_type = SHT_STRTAB;
  sections[2].sh_offset = strings;
  sections[2].sh_size = static_cast<uint32_t>(names.size());
  sections[3].sh_type = SHT_SYMTAB;
  sections[3].sh_offset = table;
  sections[3].sh_size = static_cast<uint32_t>(symbols.size() * sizeof(Elf32_Sym));
  sections[3].sh_link = 2;
  elf.Sections(sections);
  return elf.Finish();
}

Elf32_Sym Symbol(uint32_t name, uint32_t address, int type) {
  return {name, address, 4, static_cast<unsigned char>(ELF32_ST_INFO(STB_GLOBAL, type)), 0, 1};
}

TEST(ReadElf, ReadsSymbolsAndExecutableSections) {
  using namespace std::string_view_literals;
  absl::StatusOr<Program> program = ReadElf(
      WithSymbols("\0main\0obj\0$x\0"sv,
                  {Symbol(0, 0, 0), Symbol(6, 0x10010, STT_OBJECT), Symbol(1, 0x10004, STT_FUNC),
                   Symbol(10, 0x10000, STT_NOTYPE), Symbol(1, 0x10008, STT_FILE),
                   Symbol(99, 0x10008, STT_FUNC), Symbol(0xffffffff, 0x10008, STT_FUNC)}));
  ASSERT_TRUE(program.ok()) << program.status();
  ASSERT_EQ(program->symbols.size(), 2u);
  EXPECT_EQ(program->symbols[0].name, "main");
  EXPECT_EQ(program->symbols[0].address, 0x10004u);
  EXPECT_TRUE(program->symbols[0].is_function);
  EXPECT_EQ(program->symbols[1].name, "obj");
  EXPECT_FALSE(program->symbols[1].is_function);
  EXPECT_TRUE(program->code_hint_is_exact);
  ASSERT_EQ(program->code_hint.size(), 1u);
  EXPECT_EQ(program->code_hint[0].begin, testing::kCodeBase + 4);
  EXPECT_EQ(program->code_hint[0].end, testing::kCodeBase + 16);
}

TEST(ReadElf, DamagedTablesAreIgnored) {
  const Bytes file = WithSymbols(std::string_view("\0main", 5), {Symbol(1, 0x10004, STT_FUNC)});
  Elf32_Ehdr header;
  std::memcpy(&header, file.data(), sizeof header);
  auto field = [&](uint32_t section, size_t at) {
    return header.e_shoff + section * sizeof(Elf32_Shdr) + at;
  };
  ASSERT_EQ(ReadElf(file)->symbols.size(), 1u);
  EXPECT_EQ(ReadElf(file)->symbols[0].name, "main");  // a string that the table's end cuts off
  const std::vector<Bytes> damaged = {
      With<uint32_t>(file, offsetof(Elf32_Ehdr, e_shoff), 0xffffff00),
      With<uint16_t>(file, offsetof(Elf32_Ehdr, e_shnum), 60000),
      With<uint16_t>(file, offsetof(Elf32_Ehdr, e_shentsize), 1),
      With<uint32_t>(file, field(3, offsetof(Elf32_Shdr, sh_link)), 4),
      With<uint32_t>(file, field(3, offsetof(Elf32_Shdr, sh_link)), 0),
      With<uint32_t>(file, field(3, offsetof(Elf32_Shdr, sh_size)), 0x7fffffff),
      With<uint32_t>(file, field(3, offsetof(Elf32_Shdr, sh_offset)), 0xfffffff0),
      With<uint32_t>(file, field(2, offsetof(Elf32_Shdr, sh_offset)), 0xfffffff0),
      With<uint32_t>(file, field(2, offsetof(Elf32_Shdr, sh_size)), 0xfffffff0),
      With<uint32_t>(file, field(2, offsetof(Elf32_Shdr, sh_size)), 1),
  };
  for (size_t i = 0; i < damaged.size(); ++i) {
    absl::StatusOr<Program> program = ReadElf(damaged[i]);
    ASSERT_TRUE(program.ok()) << i << ": " << program.status();
    EXPECT_TRUE(program->symbols.empty()) << i;
  }
}

// -- hostile files

TEST(ReadElf, NamesDoNotMultiplyTheFile) {
  const std::string names = std::string(1, '\0') + std::string(1 << 18, 'n');
  std::vector<Elf32_Sym> symbols;
  for (uint32_t i = 0; i < 100000; ++i) symbols.push_back(Symbol(1 + i % 1000, 0x10004, STT_FUNC));
  const Bytes file = WithSymbols(names, symbols);
  absl::StatusOr<Program> program = ReadElf(file);
  ASSERT_TRUE(program.ok()) << program.status();
  size_t size = 0;
  for (const guest::Symbol& symbol : program->symbols) size += symbol.name.size();
  EXPECT_LE(size, file.size());
  EXPECT_LT(SecondsOf(file), kPatience);
}

TEST(ReadElf, ManySectionsAndSymbolTables) {
  ElfFile elf(1);
  const uint32_t text = elf.Append(std::vector<uint32_t>(1024, kRet));
  elf.Load(0, PF_R | PF_X, testing::kCodeBase, text, 4096, 4096);
  const uint32_t table = elf.Append(std::vector<Elf32_Sym>(20000, Symbol(1, 0x10004, STT_FUNC)));
  std::vector<Elf32_Shdr> sections(65000);
  for (Elf32_Shdr& s : sections) {
    s.sh_type = SHT_SYMTAB;
    s.sh_offset = table;
    s.sh_size = 20000 * sizeof(Elf32_Sym);
  }
  elf.Sections(sections);
  EXPECT_LT(SecondsOf(elf.Finish()), kPatience);
}

TEST(ReadElf, TensOfThousandsOfSegmentsAndSections) {
  constexpr uint32_t kCount = 30000;
  ElfFile elf(kCount);
  // Each segment has a code address in it, each section covers all of them.
  const uint32_t words = elf.Append(std::vector<uint32_t>(kCount, testing::kCodeBase));
  for (uint32_t i = 0; i < kCount; ++i) {
    elf.Load(i, i % 2 == 0 ? PF_X : PF_W, testing::kCodeBase + i * 8192, words + 4 * i, 4, 4);
  }
  std::vector<Elf32_Shdr> sections(60000);
  for (Elf32_Shdr& s : sections) {
    s.sh_type = SHT_PROGBITS;
    s.sh_flags = SHF_EXECINSTR;
    s.sh_size = 0xffffffff;
  }
  elf.Sections(sections);
  const Bytes file = elf.Finish();
  absl::StatusOr<Program> program = ReadElf(file);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(program->segments.size(), kCount);
  EXPECT_EQ(program->code_hint.size(), kCount / 2);
  EXPECT_LT(SecondsOf(file), kPatience);
}

void ReadAndRecover(const Bytes& file) {
  absl::StatusOr<Program> program = ReadElf(file);
  if (!program.ok()) return;
  const Code code(*program);
  const ControlFlow flow = RecoverControlFlow(*program, code);
  for (const Region& region : flow.regions) {
    ASSERT_FALSE(region.entries.empty());
    for (uint32_t pc : region.entries) ASSERT_TRUE(region.FindBlock(pc));
  }
}

TEST(ReadElf, CutOffAnywhere) {
  const Bytes file =
      WithSymbols(std::string_view("\0main", 6), std::vector<Elf32_Sym>(4, Symbol(1, 0x10004, 2)));
  for (size_t size = 0; size <= file.size(); ++size)
    ReadAndRecover(Bytes(file.begin(), file.begin() + static_cast<ptrdiff_t>(size)));
}

TEST(ReadElf, MutatedFiles) {
  const Bytes small =
      WithSymbols(std::string_view("\0main", 6), std::vector<Elf32_Sym>(4, Symbol(1, 0x10004, 2)));
  const std::vector<Bytes> seeds = {small, ReadWholeFile("testdata/prebuilt/fault_ebreak.elf"),
                                    ReadWholeFile("testdata/prebuilt/fault_jump_data.elf")};
  std::mt19937 random(1);
  static constexpr uint32_t kValues[] = {0,          1,          2,          4,         0xffffffff,
                                         0x7fffffff, 0x80000000, 0xfffff000, 0xfffffffc};
  int accepted = 0;
  for (int i = 0; i < 60000; ++i) {
    Bytes file = seeds[i % seeds.size()];
    ASSERT_FALSE(file.empty());
    for (uint32_t changes = 1 + random() % 4; changes-- > 0;) {
      // Mostly headers: there most fields are.
      const size_t limit = random() % 4 != 0 ? 148 : file.size();
      const size_t at = random() % limit;
      const size_t word = std::min(at, file.size() - 4) / 4 * 4;
      switch (random() % 4) {
        case 0:
          file[at] = static_cast<uint8_t>(random());
          break;
        case 1:
          file[at] ^= static_cast<uint8_t>(1u << random() % 8);
          break;
        case 2:
          std::memcpy(file.data() + word, &kValues[random() % std::size(kValues)], 4);
          break;
        case 3: {
          const size_t from = random() % (file.size() / 4) * 4;
          std::memmove(file.data() + word, file.data() + from, 4);
        }
      }
    }
    accepted += ReadElf(file).ok();
    ASSERT_NO_FATAL_FAILURE(ReadAndRecover(file));
  }
  EXPECT_GT(accepted, 10000);
}

TEST(ReadElf, EveryPrebuiltGuest) {
  int count = 0;
  for (const auto& file : std::filesystem::directory_iterator("testdata/prebuilt")) {
    if (file.path().extension() != ".elf") continue;
    ++count;
    absl::StatusOr<Program> program = ReadElf(ReadWholeFile(file.path()));
    ASSERT_TRUE(program.ok()) << file.path() << program.status();
    for (size_t i = 1; i < program->segments.size(); ++i) {
      const guest::Segment& before = program->segments[i - 1];
      EXPECT_LE(before.address + before.size, program->segments[i].address) << file.path();
    }
  }
  EXPECT_GT(count, 100);
}

}  // namespace
}  // namespace precast::riscv
