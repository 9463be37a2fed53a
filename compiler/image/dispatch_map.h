// The dispatch table, through which indirect jumps of RISC-V guests find native code.
#ifndef PRECAST_COMPILER_IMAGE_DISPATCH_MAP_H_
#define PRECAST_COMPILER_IMAGE_DISPATCH_MAP_H_

#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"

namespace precast::image {

// RISC-V: the guest pcs that the dispatch table covers: `count` instructions from `base` on.
struct DispatchRange {
  uint32_t base = 0;
  uint32_t count = 0;
};
// The range for these entries (ascending). Code spread over more than the table may cover leaves
// entries out: these are reached by direct calls only, indirect jumps to them are interpreted.
DispatchRange CoverEntries(absl::Span<const uint32_t> entries);

// The dispatch table while the image is made: which instructions have an entry, and where its code
// is in .text. The table itself, of which one word in thirty is not zero, is made when it is
// written.
class DispatchMap {
 public:
  // Two entries at one place, or entries in descending order, are bugs of the caller.
  explicit DispatchMap(DispatchRange range)
      : range_(range), bits_((range.count + 63) / 64), rank_(bits_.size()) {}

  bool Covers(uint32_t pc) const {
    return pc >= range_.base && (pc - range_.base) / kInstructionBytes < range_.count;
  }
  // First all entries are marked, each once; false if one was before. Then they get their code.
  bool Mark(uint32_t pc) {
    const uint32_t i = IndexOf(pc);
    const bool is_new = !IsMarked(i);
    bits_[i / 64] |= uint64_t{1} << (i % 64);
    return is_new;
  }
  void FinishMarks();
  void SetCode(uint32_t pc, uint32_t code) { code_[Rank(IndexOf(pc))] = code; }

  std::optional<uint32_t> CodeAt(uint32_t pc) const {
    const uint32_t i = IndexOf(pc);
    if (!IsMarked(i)) return std::nullopt;
    return code_[Rank(i)];
  }
  // Bytes of the table from `begin` on, if .text is `distance` behind the table's begin.
  void Write(uint64_t begin, absl::Span<uint8_t> out, uint32_t distance) const;

 private:
  static constexpr uint32_t kInstructionBytes = 4;

  uint32_t IndexOf(uint32_t pc) const { return (pc - range_.base) / kInstructionBytes; }
  bool IsMarked(uint32_t i) const { return (bits_[i / 64] >> (i % 64) & 1) != 0; }
  uint32_t Rank(uint32_t i) const {
    const uint64_t below = bits_[i / 64] & ((uint64_t{1} << (i % 64)) - 1);
    return rank_[i / 64] + static_cast<uint32_t>(std::popcount(below));
  }

  DispatchRange range_;
  std::vector<uint64_t> bits_;  // by instruction
  std::vector<uint32_t> rank_;  // marks before each word of bits_
  std::vector<uint32_t> code_;  // by number of the mark
};

}  // namespace precast::image

#endif  // PRECAST_COMPILER_IMAGE_DISPATCH_MAP_H_
