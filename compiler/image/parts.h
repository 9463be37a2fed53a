// Large sections are made in parts, at whatever byte these begin.
#ifndef PRECAST_COMPILER_IMAGE_PARTS_H_
#define PRECAST_COMPILER_IMAGE_PARTS_H_

#include <cstdint>
#include <cstring>

#include "absl/types/span.h"

namespace precast::image {

// The 4 bytes of `value` at `at`, as far as they are in `out`, which begins at `begin`.
inline void PutInPart(uint64_t begin, absl::Span<uint8_t> out, uint64_t at, uint32_t value) {
  if (at >= begin && at + 4 <= begin + out.size()) {
    std::memcpy(out.data() + (at - begin), &value, 4);
    return;
  }
  for (uint64_t i = 0; i < 4; ++i) {
    if (at + i >= begin && at + i < begin + out.size()) {
      out[at + i - begin] = static_cast<uint8_t>(value >> (8 * i));
    }
  }
}

}  // namespace precast::image

#endif  // PRECAST_COMPILER_IMAGE_PARTS_H_
