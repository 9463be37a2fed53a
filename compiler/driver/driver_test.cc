#include "compiler/driver/driver.h"

#include <algorithm>
#include <cstdlib>
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
#include "compiler/riscv/elf_reader.h"
#include "compiler/riscv/testing/assembler.h"
#include "compiler/riscv/testing/assembly_text.h"
#include "compiler/riscv/testing/random_program.h"
#include "gtest/gtest.h"
#include "loader/image_check.h"

namespace precast::driver {
namespace {

using Bytes = std::vector<uint8_t>;
using riscv::testing::Assemble;
using riscv::testing::MakeElf;

Bytes ReadWholeFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Bytes bytes(std::istreambuf_iterator<char>(file), {});
  EXPECT_FALSE(bytes.empty()) << path;
  return bytes;
}

Bytes Guest(std::string_view name) {
  return ReadWholeFile(absl::StrCat("testdata/prebuilt/", name, ".elf"));
}

Bytes MustCompile(const Bytes& file, const CompileOptions& options) {
  absl::StatusOr<CompileResult> result = Compile(file, options);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? result->image : Bytes{};
}

// Random words as code, with some of their addresses in data so that more of them is found.
Bytes RandomCode(uint64_t seed, size_t size, uint32_t base = riscv::testing::kCodeBase) {
  std::mt19937_64 random(seed);
  std::vector<uint32_t> data;
  for (size_t i = 0; i < 2 + size / 8; ++i)
    data.push_back(base + 4 * static_cast<uint32_t>(random() % size));
  return MakeElf(riscv::testing::RandomWords(seed, size), data);
}

// Compiles with all checks on, and has the loader check all of the image.
void CompileAndCheck(const Bytes& file, int opt_level, loader::ImageView* view, Bytes* image) {
  *image = MustCompile(file, {.opt_level = opt_level, .threads = 1, .check = true});
  const loader::CheckReport report = loader::CheckImage(*image, {.deep = true}, view);
  ASSERT_TRUE(report.ToStatus().ok()) << report.ToStatus();
}

TEST(Compile, RejectsWhatIsNoProgram) {
  EXPECT_EQ(Compile({}, {}).status().code(), absl::StatusCode::kInvalidArgument);
  const Bytes text = {'h', 'e', 'l', 'l', 'o'};
  EXPECT_TRUE(absl::StrContains(Compile(text, {}).status().message(), "expected a RISC-V ELF"));
  EXPECT_FALSE(Compile(Assemble("ebreak"), {.canonical_nans = true}).ok());
  Bytes faulty = Assemble("ebreak");
  faulty[24] = 3;
  EXPECT_TRUE(absl::StrContains(Compile(faulty, {}).status().message(), "e_entry"));
  EXPECT_FALSE(CompileToAssembly(faulty, {}).ok());
  EXPECT_FALSE(CompileToIr(faulty, {}).ok());
}

TEST(Compile, TheSameBytesOnAnyNumberOfThreads) {
  for (std::string_view name : {"cplusplus", "switches", "isa_jalr"}) {
    const Bytes file = Guest(name);
    for (int level : {0, 1, 2}) {
      const Bytes once = MustCompile(file, {.opt_level = level, .threads = 1});
      EXPECT_EQ(once, MustCompile(file, {.opt_level = level, .threads = 1})) << name;
      EXPECT_EQ(once, MustCompile(file, {.opt_level = level, .threads = 4})) << name;
      EXPECT_EQ(once, MustCompile(file, {.opt_level = level, .threads = 4, .check = true}));
    }
  }
}

TEST(Compile, ReportsProgressAndStatistics) {
  size_t calls = 0, last = 0, regions = 0;
  CompileOptions options{.threads = 3};
  options.progress = [&](size_t done, size_t total) {
    EXPECT_EQ(done, ++calls);
    last = done;
    regions = total;
  };
  const absl::StatusOr<CompileResult> result = Compile(Guest("hello"), options);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(last, regions);
  EXPECT_EQ(result->stats.regions, regions);
  EXPECT_GT(regions, 10u);
  EXPECT_GT(result->stats.guest_instructions, 1000u);
  EXPECT_GT(result->stats.ir_instructions, result->stats.guest_instructions / 2);
  EXPECT_GT(result->stats.code_bytes, 4 * result->stats.guest_instructions / 2);
  EXPECT_EQ(result->stats.image_bytes, result->image.size());
  EXPECT_GT(result->stats.seconds, 0);
}

TEST(Compile, OtherOutputForms) {
  const Bytes file = Assemble("jal ra, f\nebreak\nf: addi a0, a0, 1\njalr zero, 0(ra)");
  const absl::StatusOr<std::string> ir = CompileToIr(file, {});
  ASSERT_TRUE(ir.ok());
  EXPECT_TRUE(absl::StrContains(*ir, "function \"fn_00010000\""));
  EXPECT_TRUE(absl::StrContains(*ir, "function \"fn_00010008\""));
  EXPECT_EQ(*ir, *CompileToIr(file, {.threads = 4}));
  EXPECT_NE(*ir, *CompileToIr(file, {.opt_level = 0}));
  EXPECT_TRUE(CompileToAssembly(file, {}).ok());
}

// -- whole programs, small and odd

// Every entry that recovery finds is found in the image, at every level.
void ExpectAllEntries(const Bytes& file) {
  const absl::StatusOr<guest::Program> program = riscv::ReadElf(file);
  ASSERT_TRUE(program.ok()) << program.status();
  const riscv::Code code(*program);
  const riscv::ControlFlow flow = riscv::RecoverControlFlow(*program, code);
  for (int level : {0, 1, 2}) {
    loader::ImageView view;
    Bytes image;
    ASSERT_NO_FATAL_FAILURE(CompileAndCheck(file, level, &view, &image));
    EXPECT_EQ(view.metadata.entry_pc, program->entry);
    EXPECT_EQ(view.functions.count(), flow.regions.size());
    for (const riscv::Region& region : flow.regions) {
      const auto exported = view.exports.Find(region.name, format::ExportKind::kFunction);
      EXPECT_TRUE(exported) << region.name;
      for (uint32_t pc : region.entries) EXPECT_TRUE(view.FindEntry(pc)) << pc;
    }
  }
}

TEST(OddPrograms, OneInstruction) {
  for (std::string_view text : {"ebreak", "ecall", "jalr zero, 0(ra)", "jal zero, .", "jal ra, .",
                                "addi a0, a0, 1", ".word 0", "beq a0, a1, .", "jalr a0, 0(a0)",
                                "lw zero, 0(zero)", "jal zero, .-4", "jal zero, .+2"}) {
    SCOPED_TRACE(text);
    ExpectAllEntries(Assemble(text));
  }
}

// A copy of `file` with its code segment, and the entry, at another address.
Bytes At(Bytes file, uint32_t address) {
  std::memcpy(file.data() + 24, &address, 4);
  std::memcpy(file.data() + 52 + 8, &address, 4);
  return file;
}

TEST(OddPrograms, AtTheEndsOfTheAddressSpace) {
  const Bytes file = Assemble(R"(
          jal ra, f
    loop: addi a0, a0, -1
          bne a0, zero, loop
          jal zero, .-1024
    f:    auipc t0, 0
          jalr ra, 4(t0)
          beq a0, a1, .+2048
  )");
  for (uint32_t address : {0u, 0x1000u, 0x7ffff000u, 0xfffff000u, 0xffffffe0u, 0xffffffe4u}) {
    SCOPED_TRACE(address);
    ExpectAllEntries(At(file, address));
  }
}

TEST(OddPrograms, AllOfTheLastPage) {
  ExpectAllEntries(At(RandomCode(1, 1024, 0xfffff000), 0xfffff000));
}

TEST(OddPrograms, NoCodeInTheFile) {
  // The executable segment is zero memory: there is nothing to compile.
  Bytes file = Assemble("ebreak");
  const uint32_t sizes[] = {0, 4096};
  std::memcpy(file.data() + 52 + 16, sizes, 8);
  ExpectAllEntries(file);
}

TEST(OddPrograms, NamesOfAnyKind) {
  // One function per name, five words apart from sections.
  const std::vector<std::string> names = {"plain",
                                          "with space",
                                          "quote\"quote",
                                          "back\\slash",
                                          "new\nline",
                                          "tab\t",
                                          "\x01\x7f",
                                          "\xff\xfe not utf-8",
                                          "\xc3\xa4\xe2\x82\xac",
                                          "semi;colon # hash /* comment */",
                                          "%s%n",
                                          "plain",
                                          "aot_file_info",
                                          "main@plt",
                                          ".text",
                                          std::string(70000, 'x')};
  const uint32_t count = static_cast<uint32_t>(names.size());
  Bytes file = MakeElf(std::vector<uint32_t>(count, 0x8067), {});
  auto append = [&](const void* data, size_t size) {
    const uint32_t at = static_cast<uint32_t>(file.size());
    const uint8_t* begin = static_cast<const uint8_t*>(data);
    file.insert(file.end(), begin, begin + size);
    return at;
  };
  std::string strings(1, '\0');
  std::vector<uint32_t> symbols, sections(30);  // Elf32_Sym of 4 words, Elf32_Shdr of 10
  for (uint32_t i = 0; i < count; ++i) {
    symbols.insert(symbols.end(), {static_cast<uint32_t>(strings.size()),
                                   riscv::testing::kCodeBase + 4 * i, 4, 0x00010012});
    strings += names[i] + '\0';
  }
  sections[11] = 3;  // SHT_STRTAB
  sections[14] = append(strings.data(), strings.size());
  sections[15] = static_cast<uint32_t>(strings.size());
  sections[21] = 2;  // SHT_SYMTAB
  sections[24] = append(symbols.data(), 4 * symbols.size());
  sections[25] = static_cast<uint32_t>(4 * symbols.size());
  sections[26] = 1;
  const uint32_t at = append(sections.data(), 4 * sections.size());
  std::memcpy(file.data() + 32, &at, 4);
  const uint16_t entry_size = 40, entries = 3;
  std::memcpy(file.data() + 46, &entry_size, 2);
  std::memcpy(file.data() + 48, &entries, 2);
  ASSERT_EQ(ReadProgram(file)->symbols.size(), names.size());
  ExpectAllEntries(file);
  EXPECT_TRUE(CompileToAssembly(file, {}).ok());
  EXPECT_TRUE(CompileToIr(file, {}).ok());
}

TEST(OddPrograms, CodeFarApart) {
  // Two segments of code, 3 GiB apart: the dispatch table covers one.
  Bytes file = Assemble("jal ra, .+8\nebreak\njalr zero, 0(ra)\n.data\n.word 0x8067");
  const uint32_t far = 0xd0000000, flags = 5;
  std::memcpy(file.data() + 52 + 32 + 8, &far, 4);
  std::memcpy(file.data() + 52 + 32 + 24, &flags, 4);
  for (int level : {0, 1, 2}) {
    loader::ImageView view;
    Bytes image;
    ASSERT_NO_FATAL_FAILURE(CompileAndCheck(file, level, &view, &image));
    EXPECT_TRUE(view.FindEntry(0x10000));
    EXPECT_LT(image.size(), size_t{1} << 20);
  }
}

// -- fuzzing: whatever the words, compilation gives an image that the loader takes

TEST(Fuzz, RandomWords) {
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    const size_t size = 1 + seed % 97;
    const Bytes file = RandomCode(seed, size);
    for (int level : {0, 1, 2}) {
      loader::ImageView view;
      Bytes image;
      ASSERT_NO_FATAL_FAILURE(CompileAndCheck(file, level, &view, &image));
    }
  }
}

TEST(Fuzz, RandomPrograms) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    const Bytes file = riscv::testing::RandomProgram(seed);
    for (int level : {0, 1, 2}) {
      loader::ImageView view;
      Bytes image;
      ASSERT_NO_FATAL_FAILURE(CompileAndCheck(file, level, &view, &image));
    }
  }
}

TEST(Fuzz, LargeFunctions) {
  // Many blocks, many values, branches to everywhere.
  const Bytes file = RandomCode(7, 2000);
  for (int level : {0, 1, 2}) {
    loader::ImageView view;
    Bytes image;
    ASSERT_NO_FATAL_FAILURE(CompileAndCheck(file, level, &view, &image));
  }
}

// -- guests

class Guests : public ::testing::TestWithParam<std::string> {};

TEST_P(Guests, CompileWithChecks) {
  const Bytes file = Guest(GetParam());
  for (int level : {0, 1, 2}) {
    loader::ImageView view;
    Bytes image;
    ASSERT_NO_FATAL_FAILURE(CompileAndCheck(file, level, &view, &image));
  }
}

std::vector<std::string> GuestNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("testdata/prebuilt")) {
    // The same program at another size, or too large for the checks: big100k is for benchmarks.
    const std::string name = entry.path().stem();
    if (name.starts_with("bench_small_") || name == "big100k") continue;
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Prebuilt, Guests, ::testing::ValuesIn(GuestNames()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace precast::driver
