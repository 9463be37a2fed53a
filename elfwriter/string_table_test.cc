// Strings are stored once and found where the table says.

#include "elfwriter/string_table.h"

#include <map>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace precast::elfwriter {
namespace {

std::string BytesOf(const StringTable& table) {
  std::vector<uint8_t> out(table.Size());
  table.WriteTo(absl::MakeSpan(out));
  return std::string(out.begin(), out.end());
}

TEST(StringTable, EmptyTableIsOneNul) {
  StringTable table({.name = ".strtab"});
  EXPECT_EQ(BytesOf(table), std::string(1, '\0'));
  EXPECT_EQ(table.Add(""), 0u);
  EXPECT_EQ(table.Size(), 1u);
}

TEST(StringTable, StringsAreStoredOnce) {
  StringTable table({.name = ".strtab"});
  EXPECT_EQ(table.Add("foo"), 1u);
  EXPECT_EQ(table.Add("foobar"), 5u);
  EXPECT_EQ(table.Add("fo"), 12u);
  EXPECT_EQ(table.Add("foo"), 1u);
  EXPECT_EQ(table.Add("foobar"), 5u);
  EXPECT_EQ(BytesOf(table), std::string("\0foo\0foobar\0fo\0", 15));
}

TEST(StringTable, ViewIntoTheTableItselfMayBeAdded) {
  StringTable table({.name = ".strtab"});
  const uint32_t offset = table.Add("text");
  EXPECT_EQ(table.Add(table.Get(offset)), offset);
}

TEST(StringTable, ManyRandomStrings) {
  std::mt19937 random(1);
  StringTable table({.name = ".strtab"});
  std::map<std::string, uint32_t> offsets;
  for (int i = 0; i < 20000; ++i) {
    std::string text = absl::StrCat("f", random() % 10000);
    if (random() % 4 == 0) text.append(random() % 300, static_cast<char>(1 + random() % 255));
    const uint32_t offset = table.Add(text);
    const auto [at, is_new] = offsets.emplace(text, offset);
    EXPECT_EQ(at->second, offset) << text;
  }
  size_t size = 1;
  const std::string bytes = BytesOf(table);
  for (const auto& [text, offset] : offsets) {
    EXPECT_EQ(table.Get(offset), text);
    EXPECT_EQ(std::string(bytes.c_str() + offset), text);
    size += text.size() + 1;
  }
  EXPECT_EQ(table.Size(), size);
}

TEST(StringTableDeathTest, Misuse) {
  StringTable table({.name = ".strtab"});
  EXPECT_DEATH(table.Add(absl::string_view("a\0b", 3)), "NUL");
  table.Add("old");
  table.Place(1, 0, 0);
  EXPECT_DEATH(table.Add("new"), "changed after layout");
  EXPECT_EQ(table.Add("old"), 1u);
}

}  // namespace
}  // namespace precast::elfwriter
