// Wasm: what instantiation would otherwise gather from all over a module, so that it takes no
// longer for a large one: which functions can be referred to, and what element segments refer to.
// Two tables of fixed-size fields, u32 little-endian, which are read where they are needed.
//
// Declared functions are those defined ones that have a FunctionRecord
// (runtime/abi/wasm_context.h), ascending. Entry i has the record behind those of the imported
// functions and of the i declared functions before it:
//
//   0   function             index in the module
//   4   type                 index of its type
//
// Element functions, for each element segment of the module in order:
//
//   0   segment_count
//   4   segments, 8 bytes    end: offset in the module of the first byte behind the segment
//                            behind: records of this segment and of all before it
//   ..  records              numbers of FunctionRecords: of the elements of those segments that
//   list functions. Those
//                            that have expressions instead have none.
#ifndef PRECAST_LOADER_FORMAT_FUNCTION_REFERENCES_H_
#define PRECAST_LOADER_FORMAT_FUNCTION_REFERENCES_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace precast::format {

struct DeclaredFunction {
  uint32_t function;
  uint32_t type;

  friend bool operator==(const DeclaredFunction&, const DeclaredFunction&) = default;
};

std::vector<uint8_t> EncodeDeclaredFunctions(absl::Span<const DeclaredFunction> functions);

// A view of an encoded table, which must outlive it. Safe on any bytes.
class DeclaredFunctions {
 public:
  DeclaredFunctions() = default;
  // Checks the size alone.
  static absl::StatusOr<DeclaredFunctions> Parse(absl::Span<const uint8_t> bytes);

  uint32_t count() const { return static_cast<uint32_t>(bytes_.size() / kEntrySize); }
  // Entry `i` < count().
  DeclaredFunction Get(uint32_t i) const;
  // The entry of a function, if it has one; logarithmic.
  std::optional<uint32_t> Find(uint32_t function) const;
  bool IsAscending() const;

 private:
  static constexpr uint32_t kEntrySize = 8;
  absl::Span<const uint8_t> bytes_;
};

struct ElementSegmentRecords {
  uint32_t end;
  std::vector<uint32_t> records;

  friend bool operator==(const ElementSegmentRecords&, const ElementSegmentRecords&) = default;
};

// Empty if there are no segments.
std::vector<uint8_t> EncodeElementFunctions(absl::Span<const ElementSegmentRecords> segments);

// A view of an encoded table, which must outlive it. Safe on any bytes.
class ElementFunctions {
 public:
  ElementFunctions() = default;
  // Checks that the segments' records, as the last segment says, fill `bytes`.
  static absl::StatusOr<ElementFunctions> Parse(absl::Span<const uint8_t> bytes);

  struct Segment {
    uint32_t end;
    uint32_t first, count;  // of its records
  };

  uint32_t segment_count() const { return segment_count_; }
  uint32_t record_count() const { return static_cast<uint32_t>(records_.size() / 4); }
  // Nothing if there is none, or its records are not among those of the table.
  std::optional<Segment> SegmentAt(uint32_t i) const;
  // The bytes of `count` records; `first` and `count` as SegmentAt has said, or less.
  absl::Span<const uint8_t> Records(uint32_t first, uint32_t count) const {
    return records_.subspan(size_t{4} * first, size_t{4} * count);
  }

 private:
  uint32_t segment_count_ = 0;
  absl::Span<const uint8_t> segments_, records_;
};

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_FUNCTION_REFERENCES_H_
