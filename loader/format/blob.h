// The blob: all records and strings of an image that are neither code nor tables, one after the
// other, found by their offset. Equal items are stored once. Offset 0 is reserved (a zero byte), so
// that 0 can mean "none".
#ifndef PRECAST_LOADER_FORMAT_BLOB_H_
#define PRECAST_LOADER_FORMAT_BLOB_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "loader/format/varint.h"

namespace precast::format {

// Items get their offsets in the order they are added: deterministic if the calls are.
class BlobBuilder {
 public:
  // Room for about that much, so that nothing moves while it is added.
  void Reserve(size_t bytes, size_t items) {
    bytes_.reserve(bytes);
    items_.reserve(items);
  }
  // Offset of an item with these bytes, which is not 0. An equal item added before is reused if it
  // is aligned as asked for. `alignment` is a power of two; the blob itself must be aligned as its
  // strictest item.
  uint32_t Add(absl::Span<const uint8_t> bytes, uint32_t alignment = 1);
  // Length, then the characters: read with BlobReader::StringAt.
  uint32_t AddString(std::string_view text);

  absl::Span<const uint8_t> bytes() const { return bytes_; }
  // Bytes that were asked for and found already there.
  uint64_t bytes_saved() const { return bytes_saved_; }

 private:
  std::vector<uint8_t> bytes_ = {0};
  struct Item {
    uint32_t offset;
    uint32_t size;
  };
  // By hash of the contents; items with the same hash are chained through successive probes (see
  // Add).
  absl::flat_hash_map<uint64_t, Item> items_;
  uint64_t bytes_saved_ = 0;
};

// Safe on any bytes. `bytes` must outlive it.
class BlobReader {
 public:
  BlobReader() = default;
  explicit BlobReader(absl::Span<const uint8_t> bytes) : bytes_(bytes) {}

  // Reader of what begins at `offset`, up to the end of the blob; nothing if the offset is 0 or
  // outside.
  std::optional<ByteReader> At(uint32_t offset) const {
    if (offset == 0 || offset >= bytes_.size()) return std::nullopt;
    return ByteReader(bytes_.subspan(offset));
  }
  std::optional<std::string_view> StringAt(uint32_t offset) const {
    std::optional<ByteReader> reader = At(offset);
    if (!reader) return std::nullopt;
    const std::string_view text = reader->String();
    if (!reader->ok()) return std::nullopt;
    return text;
  }
  size_t size() const { return bytes_.size(); }

 private:
  absl::Span<const uint8_t> bytes_;
};

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_BLOB_H_
