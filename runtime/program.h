// What the runtime needs to know of a guest program. It comes from a loaded image, or straight from
// a guest file when there is no image (interpreter only): the runtime does not care which.
#ifndef PRECAST_RUNTIME_PROGRAM_H_
#define PRECAST_RUNTIME_PROGRAM_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "loader/image.h"

namespace precast::runtime {

inline constexpr uint32_t kPageSize = 4096;

// A part of the guest's initial memory.
struct ProgramSegment {
  uint32_t address = 0;  // a multiple of kPageSize
  uint64_t size = 0;     // bytes, a multiple of kPageSize; what `data` does not cover is zero
  absl::Span<const uint8_t> data;
  // When not -1: `data` is also found there, from `file_offset` on (a multiple of kPageSize), and
  // whole pages of it may be mapped copy-on-write. Not owned.
  int fd = -1;
  uint64_t file_offset = 0;
  bool readable = false, writable = false, executable = false;
};

// Instructions may be fetched from [begin, end).
struct ProgramCodeRange {
  uint32_t begin = 0;
  uint32_t end = 0;
};

struct ProgramImage {
  std::vector<ProgramSegment> segments;
  std::vector<ProgramCodeRange> code_ranges;  // ascending, not overlapping
  uint32_t entry_pc = 0;
  uint32_t initial_brk = 0;   // where the heap begins; 0: the program has none
  uint32_t phdr_address = 0;  // for AT_PHDR; 0 when the program headers are not in memory
  uint32_t phdr_count = 0;
  std::array<uint8_t, 16> guid = {};  // program GUID
  // As format::Metadata has them: empty unless this is an OpenVM guest.
  std::string machine;
  std::vector<std::string> extensions;
  // Keeps alive what the segments' `data` and `fd` refer to. May be empty when the caller does so.
  std::shared_ptr<const void> owner;

  bool IsCode(uint32_t pc) const;
};

// Checks what the rest of the runtime relies on: alignment, order, no overlap, everything below
// 2^32.
absl::Status Validate(const ProgramImage& program);

// The program of a loaded image; keeps the image alive.
ProgramImage ProgramOf(std::shared_ptr<const loader::Image> image);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_PROGRAM_H_
