// The export table: from a name to what the image offers under it. A hash table in two arrays, so
// that a lookup reads one bucket whatever the size of the image, and building it needs no luck.
//
// Layout, all u32 little-endian:
//
//   0   bucket_count         a power of two, at least 1
//   4   entry_count
//   8   bucket starts        bucket_count + 1 numbers: entries of bucket b are
//                            [start[b], start[b + 1])
//   ..  entries, 16 bytes    hash, blob offset of the name (a string of blob.h), kind, index
//
// The bucket is hash & (bucket_count - 1); within a bucket, entries are in the order they were
// given.
#ifndef PRECAST_LOADER_FORMAT_EXPORT_TABLE_H_
#define PRECAST_LOADER_FORMAT_EXPORT_TABLE_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "loader/format/blob.h"

namespace precast::format {

enum class ExportKind : uint32_t {
  kFunction = 1,
  kTable = 2,
  kMemory = 3,
  kGlobal = 4,
  kImportedFunction = 5,  // Wasm: a function that the module itself imports
};

struct Export {
  uint32_t name;  // blob offset of a string
  ExportKind kind;
  // Function: in the function table. Others: in the module's index space of that kind.
  uint32_t index;
};

// 32-bit FNV-1a of the name's bytes.
uint32_t ExportHash(std::string_view name);

// `blob` must hold the names already. Of several entries of one name and kind, lookup finds the
// first.
std::vector<uint8_t> EncodeExportTable(absl::Span<const Export> exports, const BlobReader& blob);

// A view of an encoded table and the blob, which must outlive it. Safe on any bytes.
class ExportTable {
 public:
  ExportTable() = default;
  // Checks counts, size and that bucket starts ascend to entry_count. Names are checked when read.
  static absl::StatusOr<ExportTable> Parse(absl::Span<const uint8_t> bytes, const BlobReader& blob);

  uint32_t count() const { return entry_count_; }
  std::optional<Export> Find(std::string_view name, ExportKind kind) const;
  // Entry `i` in table order; nothing if out of range or of unknown kind.
  std::optional<Export> Get(uint32_t i) const;
  std::optional<std::string_view> NameOf(const Export& entry) const {
    return blob_.StringAt(entry.name);
  }

 private:
  uint32_t bucket_count_ = 0;
  uint32_t entry_count_ = 0;
  absl::Span<const uint8_t> starts_;
  absl::Span<const uint8_t> entries_;
  BlobReader blob_;
};

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_EXPORT_TABLE_H_
