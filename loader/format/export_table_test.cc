#include "loader/format/export_table.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/str_cat.h"

namespace precast::format {
namespace {

TEST(ExportTable, Empty) {
  BlobBuilder blob;
  const BlobReader reader(blob.bytes());
  const std::vector<uint8_t> bytes = EncodeExportTable({}, reader);
  absl::StatusOr<ExportTable> table = ExportTable::Parse(bytes, reader);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->count(), 0u);
  EXPECT_FALSE(table->Find("main", ExportKind::kFunction));
}

TEST(ExportTable, FindsEveryNameAndNoOther) {
  for (int count : {1, 2, 3, 17, 1000}) {
    BlobBuilder blob;
    std::vector<Export> exports;
    for (int i = 0; i < count; ++i) {
      exports.push_back({blob.AddString(absl::StrCat("name", i)), ExportKind::kFunction,
                         static_cast<uint32_t>(i)});
    }
    const BlobReader reader(blob.bytes());
    const std::vector<uint8_t> bytes = EncodeExportTable(exports, reader);
    absl::StatusOr<ExportTable> table = ExportTable::Parse(bytes, reader);
    ASSERT_TRUE(table.ok()) << table.status();
    for (int i = 0; i < count; ++i) {
      const std::string name = absl::StrCat("name", i);
      const std::optional<Export> found = table->Find(name, ExportKind::kFunction);
      ASSERT_TRUE(found) << name;
      EXPECT_EQ(found->index, static_cast<uint32_t>(i));
      EXPECT_EQ(table->NameOf(*found), name);
      EXPECT_FALSE(table->Find(name, ExportKind::kMemory));
    }
    EXPECT_FALSE(table->Find("other", ExportKind::kFunction));
  }
}

TEST(ExportTable, HostileBytes) {
  BlobBuilder blob;
  std::vector<Export> exports;
  for (uint32_t i = 0; i < 20; ++i) {
    exports.push_back({blob.AddString(absl::StrCat("f", i)), ExportKind::kFunction, i});
  }
  const BlobReader reader(blob.bytes());
  const std::vector<uint8_t> good = EncodeExportTable(exports, reader);
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    std::vector<uint8_t> bytes = good;
    bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    bytes[random() % 16] ^= static_cast<uint8_t>(random() % 4 == 0 ? random() : 0);
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    absl::StatusOr<ExportTable> table = ExportTable::Parse(bytes, reader);
    if (!table.ok()) continue;
    table->Find("f7", ExportKind::kFunction);
    const std::optional<Export> entry = table->Get(static_cast<uint32_t>(random() % 24));
    if (entry) table->NameOf(*entry);
  }
}

}  // namespace
}  // namespace precast::format
