// Offset tables: lists of 32-bit numbers, usually ascending, in little more than a byte each, with
// lookup by index in constant time. After Mono's AOT images, with three changes that make them
// smaller or safer: ascending tables store unsigned differences, a power of two common to all
// entries is divided out, and the decoder bounds every read.
//
// Layout, fields little-endian:
//
//   0   u32 count         entries
//   4   u8  group_bits    log2 of the entries per group: 4
//   5   u8  index_width   bytes of a group index entry: 2, or 4 if data_size > 0xffff
//   6   u8  flags         bit 0: ascending (differences are unsigned varints, otherwise zigzag)
//   7   u8  shift         entries are stored divided by 1 << shift
//   8   u32 data_size     bytes of group data
//   12  index             ceil(count / 16) entries: start of each group, relative to the group data
//   ..  group data        per group: first entry as a varint, then the difference to the one
//                         before, each
//
// A lookup reads one index entry and at most 16 varints (varint.h).
#ifndef PRECAST_LOADER_FORMAT_OFFSET_TABLE_H_
#define PRECAST_LOADER_FORMAT_OFFSET_TABLE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace precast::format {

std::vector<uint8_t> EncodeOffsetTable(absl::Span<const uint32_t> entries);

// A view of an encoded table, which must outlive it.
class OffsetTable {
 public:
  static constexpr uint32_t kHeaderSize = 12;
  static constexpr uint32_t kGroupBits = 4;
  static constexpr uint32_t kGroupSize = 1u << kGroupBits;

  // An empty table.
  OffsetTable() = default;
  // Checks the header, and that index and data fill `bytes` exactly. Group contents are checked
  // when read. The error says which field is wrong, its offset, and what was expected.
  static absl::StatusOr<OffsetTable> Parse(absl::Span<const uint8_t> bytes);

  uint32_t count() const { return count_; }
  bool ascending() const { return ascending_; }

  // Entry `index`; nothing if there is none or the group is damaged.
  std::optional<uint32_t> Get(uint32_t index) const;

  // In an ascending table, index of the last entry that is at most `value`; nothing if all are
  // greater or the table is damaged. Logarithmic in the number of groups.
  std::optional<uint32_t> FindLast(uint32_t value) const;

  // All entries, in one pass; nothing if any group is damaged.
  std::optional<std::vector<uint32_t>> DecodeAll() const;

 private:
  // Up to kGroupSize entries of a group into `out`; their number, 0 if damaged.
  uint32_t DecodeGroup(uint32_t group, uint32_t out[kGroupSize]) const;
  uint32_t group_count() const { return (count_ + (kGroupSize - 1)) >> kGroupBits; }

  uint32_t count_ = 0;
  uint32_t index_width_ = 2;
  uint32_t shift_ = 0;
  bool ascending_ = false;
  absl::Span<const uint8_t> index_;
  absl::Span<const uint8_t> data_;
};

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_OFFSET_TABLE_H_
