#include "loader/format/offset_table.h"

#include <algorithm>
#include <bit>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "loader/format/varint.h"

namespace precast::format {
namespace {

constexpr uint8_t kAscending = 1;

absl::Status Mismatch(const char* field, int offset, uint64_t expected, uint64_t actual) {
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": expected ", expected, ", actual ", actual, " (offset ", offset, ")"));
}

}  // namespace

std::vector<uint8_t> EncodeOffsetTable(absl::Span<const uint32_t> entries) {
  uint32_t all_bits = 0;
  for (uint32_t entry : entries) all_bits |= entry;
  const int shift = all_bits == 0 ? 0 : std::countr_zero(all_bits);
  const bool ascending = std::is_sorted(entries.begin(), entries.end());

  std::vector<uint32_t> groups;
  ByteWriter data;
  for (size_t i = 0; i < entries.size(); ++i) {
    const uint32_t value = entries[i] >> shift;
    if (i % OffsetTable::kGroupSize == 0) {
      groups.push_back(static_cast<uint32_t>(data.size()));
      data.Varint(value);
    } else {
      const uint32_t difference = value - (entries[i - 1] >> shift);
      if (ascending) {
        data.Varint(difference);
      } else {
        data.Signed(static_cast<int32_t>(difference));
      }
    }
  }

  const bool wide = data.size() > 0xffff;
  ByteWriter table;
  table.Le32(static_cast<uint32_t>(entries.size()));
  table.Byte(OffsetTable::kGroupBits);
  table.Byte(wide ? 4 : 2);
  table.Byte(ascending ? kAscending : 0);
  table.Byte(static_cast<uint8_t>(shift));
  table.Le32(static_cast<uint32_t>(data.size()));
  for (uint32_t group : groups) {
    if (wide) {
      table.Le32(group);
    } else {
      table.Le16(static_cast<uint16_t>(group));
    }
  }
  table.Bytes(data.bytes());
  return table.Take();
}

absl::StatusOr<OffsetTable> OffsetTable::Parse(absl::Span<const uint8_t> bytes) {
  if (bytes.size() < kHeaderSize) {
    return absl::InvalidArgumentError(absl::StrCat("size: expected at least ", kHeaderSize,
                                                   ", actual ", bytes.size(), " (offset 0)"));
  }
  OffsetTable table;
  table.count_ = LoadLe32(bytes.data());
  table.index_width_ = bytes[5];
  table.ascending_ = (bytes[6] & kAscending) != 0;
  table.shift_ = bytes[7];
  const uint32_t data_size = LoadLe32(bytes.data() + 8);
  if (bytes[4] != kGroupBits) return Mismatch("group_bits", 4, kGroupBits, bytes[4]);
  const uint32_t width = data_size > 0xffff ? 4 : 2;
  if (table.index_width_ != width) return Mismatch("index_width", 5, width, table.index_width_);
  if ((bytes[6] & ~kAscending) != 0) return Mismatch("flags", 6, kAscending, bytes[6]);
  if (table.shift_ > 31) return Mismatch("shift", 7, 31, table.shift_);
  const uint64_t groups = (uint64_t{table.count_} + kGroupSize - 1) / kGroupSize;
  const uint64_t index_size = groups * width;
  if (kHeaderSize + index_size + data_size != bytes.size()) {
    return Mismatch("size", 0, kHeaderSize + index_size + data_size, bytes.size());
  }
  // Every entry takes a byte at least: bounds what a hostile count can make a caller allocate.
  if (table.count_ > data_size) return Mismatch("data_size", 8, table.count_, data_size);
  table.index_ = bytes.subspan(kHeaderSize, index_size);
  table.data_ = bytes.subspan(kHeaderSize + index_size);
  return table;
}

uint32_t OffsetTable::DecodeGroup(uint32_t group, uint32_t out[kGroupSize]) const {
  const uint8_t* entry = index_.data() + size_t{group} * index_width_;
  const uint32_t start = index_width_ == 2 ? LoadLe16(entry) : LoadLe32(entry);
  if (start >= data_.size()) return 0;
  ByteReader reader(data_.subspan(start));
  const uint32_t size = std::min(kGroupSize, count_ - group * kGroupSize);
  uint32_t value = reader.Varint();
  for (uint32_t i = 0;; ++i) {
    out[i] = value << shift_;
    if (i + 1 == size) break;
    value += ascending_ ? reader.Varint() : static_cast<uint32_t>(reader.Signed());
  }
  return reader.ok() ? size : 0;
}

std::optional<uint32_t> OffsetTable::Get(uint32_t index) const {
  if (index >= count_) return std::nullopt;
  uint32_t entries[kGroupSize];
  if (DecodeGroup(index >> kGroupBits, entries) == 0) return std::nullopt;
  return entries[index % kGroupSize];
}

std::optional<uint32_t> OffsetTable::FindLast(uint32_t value) const {
  if (!ascending_) return std::nullopt;
  // Groups before `low` begin at or below `value`; groups from `high` on begin above it.
  uint32_t low = 0;
  uint32_t high = group_count();
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    const std::optional<uint32_t> first = Get(middle << kGroupBits);
    if (!first) return std::nullopt;
    if (*first <= value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return std::nullopt;
  uint32_t entries[kGroupSize];
  const uint32_t size = DecodeGroup(low - 1, entries);
  for (uint32_t i = size; i > 0; --i) {
    if (entries[i - 1] <= value) return ((low - 1) << kGroupBits) + i - 1;
  }
  return std::nullopt;
}

std::optional<std::vector<uint32_t>> OffsetTable::DecodeAll() const {
  std::vector<uint32_t> result;
  result.reserve(count_);
  uint32_t entries[kGroupSize];
  for (uint32_t group = 0; group < group_count(); ++group) {
    const uint32_t size = DecodeGroup(group, entries);
    if (size == 0) return std::nullopt;
    result.insert(result.end(), entries, entries + size);
  }
  return result;
}

}  // namespace precast::format
