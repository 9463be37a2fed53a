// The table is looked up as glibc does it: every name is found, and no other.

#include "elfwriter/gnu_hash.h"

#include <cstring>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::elfwriter {
namespace {

using ::testing::ElementsAre;

template <typename T>
T Load(const std::vector<uint8_t>& bytes, size_t offset) {
  T value{};
  EXPECT_LE(offset + sizeof(T), bytes.size());
  if (offset + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

// A hash table and its symbols.
struct Table {
  StringTable strings{{.name = ".dynstr"}};
  SymbolTable symbols{{.name = ".dynsym"}, &strings};
  GnuHashSection hash{&symbols};
  std::vector<uint8_t> bytes;

  explicit Table(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      symbols.Add(name, {.binding = SymbolBinding::kGlobal});
    }
    hash.SortSymbols();
    bytes.resize(hash.Size());
    hash.WriteTo(absl::MakeSpan(bytes));
  }

  absl::string_view NameOf(uint32_t symbol) const {
    return strings.Get(symbols.globals()[symbol - 1].name_offset);
  }

  // Looks a name up as glibc's do_lookup_x does.
  std::optional<uint32_t> Find(const std::string& name) const {
    const auto bucket_count = Load<uint32_t>(bytes, 0);
    const auto first_symbol = Load<uint32_t>(bytes, 4);
    const auto bloom_words = Load<uint32_t>(bytes, 8);
    const auto bloom_shift = Load<uint32_t>(bytes, 12);
    const size_t buckets = 16 + size_t{8} * bloom_words;
    const size_t chains = buckets + size_t{4} * bucket_count;
    uint32_t hash = 5381;
    for (const char c : name) hash = (hash << 5) + hash + static_cast<unsigned char>(c);
    const auto word = Load<uint64_t>(bytes, 16 + size_t{8} * ((hash / 64) & (bloom_words - 1)));
    if (((word >> (hash % 64)) & (word >> ((hash >> bloom_shift) % 64)) & 1) == 0) return {};
    uint32_t symbol = Load<uint32_t>(bytes, buckets + size_t{4} * (hash % bucket_count));
    if (symbol == 0) return {};
    while (true) {
      const auto entry = Load<uint32_t>(bytes, chains + size_t{4} * (symbol - first_symbol));
      if (((entry ^ hash) >> 1) == 0 && NameOf(symbol) == name) return symbol;
      if ((entry & 1) != 0) return {};
      ++symbol;
    }
  }
};

// Computed from the definition by another program.
TEST(GnuHash, KnownValues) {
  EXPECT_EQ(GnuHash(""), 0x00001505u);
  EXPECT_EQ(GnuHash("printf"), 0x156b2bb8u);
  EXPECT_EQ(GnuHash("exit"), 0x7c967e3fu);
  EXPECT_EQ(GnuHash("syscall"), 0xbac212a0u);
  EXPECT_EQ(GnuHash("\xff"), 5381u * 33 + 255);
}

TEST(GnuHashSection, NoSymbols) {
  const Table table({});
  EXPECT_FALSE(table.Find("x").has_value());
  EXPECT_EQ(Load<uint32_t>(table.bytes, 4), 1u);
}

// As ld writes it for the same single symbol.
TEST(GnuHashSection, OneSymbolExactly) {
  const Table table({"exit"});  // Hash 0x7c967e3f: bucket 1, Bloom bits 63 and 56.
  EXPECT_THAT(table.bytes, ElementsAre(2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0,  //
                                       0, 0, 0, 0, 0, 0, 0, 0x81,                       //
                                       0, 0, 0, 0, 1, 0, 0, 0,                          //
                                       0x3f, 0x7e, 0x96, 0x7c));
}

class GnuHashSizes : public ::testing::TestWithParam<uint32_t> {};

TEST_P(GnuHashSizes, EveryNameIsFoundAndNoOther) {
  std::mt19937 random(GetParam());
  std::set<std::string> names;
  while (names.size() < GetParam()) names.insert(absl::StrCat("symbol_", random() % 1000000));
  const Table table({names.begin(), names.end()});
  for (const std::string& name : names) {
    const std::optional<uint32_t> symbol = table.Find(name);
    ASSERT_TRUE(symbol.has_value()) << name;
    EXPECT_EQ(table.NameOf(*symbol), name);
    EXPECT_FALSE(table.Find(name + "x").has_value());
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, GnuHashSizes,
                         ::testing::Values(1, 2, 3, 4, 5, 7, 8, 16, 17, 31, 32, 33, 100, 1000,
                                           10000));

TEST(GnuHashSection, CollidingNames) {
  // "Aa" and "BB" collide in most simple hashes; here pairs (c, d) and (c + 1, d - 33) do.
  std::vector<std::string> names;
  for (char c = 'A'; c < 'Z'; ++c) {
    names.push_back(std::string("x") + c + static_cast<char>('z'));
    names.push_back(std::string("x") + static_cast<char>(c + 1) + static_cast<char>('z' - 33));
  }
  const Table table(names);
  for (const std::string& name : names) EXPECT_TRUE(table.Find(name).has_value()) << name;
}

TEST(GnuHashSectionDeathTest, SymbolAddedTooLate) {
  StringTable strings({.name = ".dynstr"});
  SymbolTable symbols({.name = ".dynsym"}, &strings);
  GnuHashSection hash(&symbols);
  hash.SortSymbols();
  symbols.Add("late", {.binding = SymbolBinding::kGlobal});
  std::vector<uint8_t> out(hash.Size());
  EXPECT_DEATH(hash.WriteTo(absl::MakeSpan(out)), "after SortSymbols");
}

}  // namespace
}  // namespace precast::elfwriter
