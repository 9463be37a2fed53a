#include "loader/format/function_references.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "loader/format/varint.h"

namespace precast::format {
namespace {

constexpr uint32_t kHeaderSize = 4;
constexpr uint32_t kSegmentSize = 8;

void Append(std::vector<uint8_t>& bytes, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<uint8_t>(value >> shift));
}

}  // namespace

std::vector<uint8_t> EncodeDeclaredFunctions(absl::Span<const DeclaredFunction> functions) {
  std::vector<uint8_t> bytes;
  bytes.reserve(8 * functions.size());
  for (const DeclaredFunction& f : functions) {
    Append(bytes, f.function);
    Append(bytes, f.type);
  }
  return bytes;
}

absl::StatusOr<DeclaredFunctions> DeclaredFunctions::Parse(absl::Span<const uint8_t> bytes) {
  if (bytes.size() % kEntrySize != 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("size: expected a multiple of %d, actual %d", kEntrySize, bytes.size()));
  }
  DeclaredFunctions table;
  table.bytes_ = bytes;
  return table;
}

DeclaredFunction DeclaredFunctions::Get(uint32_t i) const {
  const uint8_t* entry = bytes_.data() + size_t{kEntrySize} * i;
  return {.function = LoadLe32(entry), .type = LoadLe32(entry + 4)};
}

std::optional<uint32_t> DeclaredFunctions::Find(uint32_t function) const {
  uint32_t low = 0, high = count();
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (Get(middle).function < function) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == count() || Get(low).function != function) return std::nullopt;
  return low;
}

bool DeclaredFunctions::IsAscending() const {
  for (uint32_t i = 1; i < count(); ++i) {
    if (Get(i - 1).function >= Get(i).function) return false;
  }
  return true;
}

std::vector<uint8_t> EncodeElementFunctions(absl::Span<const ElementSegmentRecords> segments) {
  std::vector<uint8_t> bytes;
  if (segments.empty()) return bytes;
  Append(bytes, static_cast<uint32_t>(segments.size()));
  uint32_t behind = 0;
  for (const ElementSegmentRecords& segment : segments) {
    behind += static_cast<uint32_t>(segment.records.size());
    Append(bytes, segment.end);
    Append(bytes, behind);
  }
  bytes.reserve(bytes.size() + size_t{4} * behind);
  for (const ElementSegmentRecords& segment : segments) {
    for (uint32_t record : segment.records) Append(bytes, record);
  }
  return bytes;
}

absl::StatusOr<ElementFunctions> ElementFunctions::Parse(absl::Span<const uint8_t> bytes) {
  ElementFunctions table;
  if (bytes.empty()) return table;
  if (bytes.size() < kHeaderSize) {
    return absl::InvalidArgumentError(
        absl::StrFormat("size: expected at least %d, actual %d", kHeaderSize, bytes.size()));
  }
  table.segment_count_ = LoadLe32(bytes.data());
  const absl::Span<const uint8_t> rest = bytes.subspan(kHeaderSize);
  if (table.segment_count_ == 0 || table.segment_count_ > rest.size() / kSegmentSize) {
    return absl::InvalidArgumentError(
        absl::StrFormat("segment_count, offset 0: expected 1..%d, actual %d",
                        rest.size() / kSegmentSize, table.segment_count_));
  }
  table.segments_ = rest.first(size_t{kSegmentSize} * table.segment_count_);
  table.records_ = rest.subspan(table.segments_.size());
  const uint32_t behind = LoadLe32(table.segments_.end() - 4);
  if (table.records_.size() != uint64_t{4} * behind) {
    return absl::InvalidArgumentError(absl::StrFormat("size: expected %d records, actual %d bytes",
                                                      behind, table.records_.size()));
  }
  return table;
}

std::optional<ElementFunctions::Segment> ElementFunctions::SegmentAt(uint32_t i) const {
  if (i >= segment_count_) return std::nullopt;
  const uint8_t* segment = segments_.data() + size_t{kSegmentSize} * i;
  const uint32_t first = i == 0 ? 0 : LoadLe32(segment - 4);
  const uint32_t behind = LoadLe32(segment + 4);
  if (first > behind || behind > record_count()) return std::nullopt;
  return Segment{.end = LoadLe32(segment), .first = first, .count = behind - first};
}

}  // namespace precast::format
