// See dispatch_map.h.
#include "compiler/image/dispatch_map.h"

#include <algorithm>
#include <cstddef>

#include "compiler/image/parts.h"

namespace precast::image {
namespace {

constexpr uint32_t kMaxDispatchCount = 1 << 22;
constexpr uint32_t kInstructionBytes = 4;

}  // namespace

DispatchRange CoverEntries(absl::Span<const uint32_t> entries) {
  // The window of at most kMaxDispatchCount instructions that holds the most entries.
  DispatchRange best;
  size_t most = 0, first = 0;
  for (size_t last = 0; last < entries.size(); ++last) {
    while ((entries[last] - entries[first]) / kInstructionBytes >= kMaxDispatchCount) ++first;
    if (last - first + 1 <= most) continue;
    most = last - first + 1;
    best = {entries[first], (entries[last] - entries[first]) / kInstructionBytes + 1};
  }
  return best;
}

void DispatchMap::FinishMarks() {
  uint32_t count = 0;
  for (size_t word = 0; word < bits_.size(); ++word) {
    rank_[word] = count;
    count += static_cast<uint32_t>(std::popcount(bits_[word]));
  }
  code_.resize(count);
}

void DispatchMap::Write(uint64_t begin, absl::Span<uint8_t> out, uint32_t distance) const {
  std::fill(out.begin(), out.end(), 0);
  const uint64_t end = begin + out.size();
  const uint32_t last = static_cast<uint32_t>((end + 3) / 4);
  for (uint32_t i = static_cast<uint32_t>(begin / 4); i < last;) {
    const uint64_t rest = bits_[i / 64] >> (i % 64);
    if (rest == 0) {
      i = (i / 64 + 1) * 64;
      continue;
    }
    i += static_cast<uint32_t>(std::countr_zero(rest));
    if (i >= last) break;
    PutInPart(begin, out, 4 * uint64_t{i}, code_[Rank(i)] + distance);
    ++i;
  }
}

}  // namespace precast::image
