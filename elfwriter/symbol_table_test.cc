// Exact bytes and order of symbols.

#include "elfwriter/symbol_table.h"

#include <elf.h>

#include "elfwriter/data_section.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::elfwriter {
namespace {

using ::testing::ElementsAreArray;

std::vector<uint8_t> BytesOf(const Section& section) {
  std::vector<uint8_t> out(section.Size());
  section.WriteTo(absl::MakeSpan(out));
  return out;
}

TEST(SymbolTable, WithoutSymbolsThereIsTheNullSymbol) {
  StringTable strings({.name = ".strtab"});
  SymbolTable table({.name = ".symtab"}, &strings);
  EXPECT_THAT(BytesOf(table), ElementsAreArray(std::vector<uint8_t>(24)));
  EXPECT_EQ(table.HeaderInfo(), 1u);
  EXPECT_EQ(table.link(), &strings);
  EXPECT_EQ(table.entry_size(), 24u);
}

TEST(SymbolTable, LocalsComeFirst) {
  StringTable strings({.name = ".strtab"});
  SymbolTable table({.name = ".symtab"}, &strings);
  DataSection text({.name = ".text"});
  text.SetOwned(std::vector<uint8_t>(0x20));
  table.Add("g", {.binding = SymbolBinding::kGlobal,
                  .type = SymbolType::kObject,
                  .visibility = SymbolVisibility::kProtected,
                  .section = &text,
                  .value = 0x10,
                  .size = 8});
  table.Add("l", {.type = SymbolType::kFunction, .value = 0x1122334455667788});
  text.Place(5, 0x1000, 0x1000);
  EXPECT_EQ(table.HeaderInfo(), 2u);
  std::vector<uint8_t> expected(24);
  const std::vector<uint8_t> local = {3,    0,    0,    0,    0x02, 0,    0xf1, 0xff,
                                      0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,
                                      0,    0,    0,    0,    0,    0,    0,    0};
  const std::vector<uint8_t> global = {1, 0, 0, 0, 0x11, 3, 5, 0, 0x10, 0x10, 0, 0,
                                       0, 0, 0, 0, 8,    0, 0, 0, 0,    0,    0, 0};
  expected.insert(expected.end(), local.begin(), local.end());
  expected.insert(expected.end(), global.begin(), global.end());
  EXPECT_THAT(BytesOf(table), ElementsAreArray(expected));
}

TEST(SymbolTable, GlobalsCanBeReordered) {
  StringTable strings({.name = ".dynstr"});
  SymbolTable table({.name = ".dynsym"}, &strings);
  for (const char* name : {"a", "b", "c"}) {
    table.Add(name, {.binding = SymbolBinding::kGlobal});
  }
  table.ReorderGlobals({2, 0, 1});
  EXPECT_EQ(strings.Get(table.globals()[0].name_offset), "c");
  EXPECT_EQ(strings.Get(table.globals()[1].name_offset), "a");
  EXPECT_EQ(strings.Get(table.globals()[2].name_offset), "b");
}

TEST(SymbolTableDeathTest, BytesNeedPlaces) {
  StringTable strings({.name = ".strtab"});
  SymbolTable table({.name = ".symtab"}, &strings);
  DataSection text({.name = ".text"});
  table.Add("f", {.section = &text});
  EXPECT_DEATH(BytesOf(table), "\\.text: address read before layout");
}

}  // namespace
}  // namespace precast::elfwriter
