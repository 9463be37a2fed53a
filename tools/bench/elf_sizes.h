// How many bytes of an ELF file are code, and how many are tables.
#ifndef PRECAST_TOOLS_BENCH_ELF_SIZES_H_
#define PRECAST_TOOLS_BENCH_ELF_SIZES_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace precast::bench {

struct ElfSizes {
  uint64_t file = 0;
  uint64_t text = 0;  // .text and .plt
  uint64_t tables =
      0;  // .rodata, .eh_frame, .eh_frame_hdr: what the loader and runtime need to know about the code
  uint64_t guest = 0;  // .guest.*: initial memory, and of WebAssembly the module
};

// Little-endian ELF64 and ELF32, by section headers. An error if it is anything else or damaged.
absl::StatusOr<ElfSizes> ReadElfSizes(absl::Span<const uint8_t> file);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_ELF_SIZES_H_
