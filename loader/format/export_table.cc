#include "loader/format/export_table.h"

#include <algorithm>
#include <bit>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "loader/format/varint.h"

namespace precast::format {
namespace {

constexpr uint64_t kHeaderSize = 8;
constexpr uint64_t kEntrySize = 16;

bool IsKnown(uint32_t kind) {
  return kind >= static_cast<uint32_t>(ExportKind::kFunction) &&
         kind <= static_cast<uint32_t>(ExportKind::kImportedFunction);
}

}  // namespace

uint32_t ExportHash(std::string_view name) {
  uint32_t hash = 0x811c9dc5;
  for (char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x01000193;
  return hash;
}

std::vector<uint8_t> EncodeExportTable(absl::Span<const Export> exports, const BlobReader& blob) {
  // About one entry per bucket.
  const auto buckets = static_cast<uint32_t>(std::bit_ceil(std::max<size_t>(exports.size(), 1)));
  struct Row {
    uint32_t hash;
    const Export* entry;
  };
  std::vector<Row> rows;
  rows.reserve(exports.size());
  for (const Export& entry : exports) {
    const std::optional<std::string_view> name = blob.StringAt(entry.name);
    CHECK(name.has_value()) << "export without a name in the blob: offset " << entry.name;
    rows.push_back({ExportHash(*name), &entry});
  }
  const auto bucket = [buckets](const Row& row) { return row.hash & (buckets - 1); };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const Row& a, const Row& b) { return bucket(a) < bucket(b); });

  ByteWriter writer;
  writer.Le32(buckets);
  writer.Le32(static_cast<uint32_t>(rows.size()));
  size_t next = 0;
  for (uint32_t b = 0; b < buckets; ++b) {
    writer.Le32(static_cast<uint32_t>(next));
    while (next < rows.size() && bucket(rows[next]) == b) ++next;
  }
  writer.Le32(static_cast<uint32_t>(next));
  for (const Row& row : rows) {
    writer.Le32(row.hash);
    writer.Le32(row.entry->name);
    writer.Le32(static_cast<uint32_t>(row.entry->kind));
    writer.Le32(row.entry->index);
  }
  return writer.Take();
}

absl::StatusOr<ExportTable> ExportTable::Parse(absl::Span<const uint8_t> bytes,
                                               const BlobReader& blob) {
  if (bytes.size() < kHeaderSize) {
    return absl::InvalidArgumentError(absl::StrCat("size: expected at least ", kHeaderSize,
                                                   ", actual ", bytes.size(), " (offset 0)"));
  }
  ExportTable table;
  table.blob_ = blob;
  table.bucket_count_ = LoadLe32(bytes.data());
  table.entry_count_ = LoadLe32(bytes.data() + 4);
  if (!std::has_single_bit(table.bucket_count_)) {
    return absl::InvalidArgumentError(absl::StrCat("bucket_count: expected a power of two, actual ",
                                                   table.bucket_count_, " (offset 0)"));
  }
  const uint64_t starts_size = 4 * (uint64_t{table.bucket_count_} + 1);
  const uint64_t size = kHeaderSize + starts_size + kEntrySize * table.entry_count_;
  if (size != bytes.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("size: expected ", size, ", actual ", bytes.size(), " (offset 0)"));
  }
  table.starts_ = bytes.subspan(kHeaderSize, starts_size);
  table.entries_ = bytes.subspan(kHeaderSize + starts_size);
  uint32_t previous = 0;
  for (uint64_t b = 0; b <= table.bucket_count_; ++b) {
    const uint32_t start = LoadLe32(table.starts_.data() + 4 * b);
    const bool is_end = b == table.bucket_count_;
    if (start < previous || start > table.entry_count_ || (is_end && start != table.entry_count_)) {
      return absl::InvalidArgumentError(absl::StrCat("bucket start ", b, ": expected ", previous,
                                                     "..", table.entry_count_, ", actual ", start,
                                                     " (offset ", kHeaderSize + 4 * b, ")"));
    }
    previous = start;
  }
  return table;
}

std::optional<Export> ExportTable::Find(std::string_view name, ExportKind kind) const {
  if (entry_count_ == 0) return std::nullopt;
  const uint32_t hash = ExportHash(name);
  const uint8_t* start = starts_.data() + size_t{4} * (hash & (bucket_count_ - 1));
  const uint32_t end = LoadLe32(start + 4);
  for (uint32_t i = LoadLe32(start); i < end; ++i) {
    if (LoadLe32(entries_.data() + kEntrySize * i) != hash) continue;
    const std::optional<Export> entry = Get(i);
    if (entry && entry->kind == kind && NameOf(*entry) == name) return entry;
  }
  return std::nullopt;
}

std::optional<Export> ExportTable::Get(uint32_t i) const {
  if (i >= entry_count_) return std::nullopt;
  const uint8_t* entry = entries_.data() + kEntrySize * i;
  const uint32_t kind = LoadLe32(entry + 8);
  if (!IsKnown(kind)) return std::nullopt;
  return Export{LoadLe32(entry + 4), static_cast<ExportKind>(kind), LoadLe32(entry + 12)};
}

}  // namespace precast::format
