// An object with one of everything, for tests and for trying the writer's output on other people's
// tools: code that runs, data that is reached through fixups, unwind information that is used.

#ifndef PRECAST_ELFWRITER_SAMPLE_OBJECT_H_
#define PRECAST_ELFWRITER_SAMPLE_OBJECT_H_

#include <cstdint>
#include <memory>

#include "elfwriter/object.h"

namespace precast::elfwriter {

struct SampleOptions {
  // Functions besides the fixed ones; each returns its number.
  uint32_t numbered_functions = 3;
  // Puts those into .dynsym too, as "number_<n>".
  bool export_numbered = false;
  // Adds a .bss.
  bool with_zero_fill = false;
  // Adds a note section besides the build-id.
  bool with_note = false;
  // Adds sections without contents, one of them in a segment of its own, with symbols in them.
  bool with_empty_sections = false;
};

// What the exported symbol "sample_info" points at, at these offsets.
inline constexpr uint64_t kSampleMagic = 0x1122334455667788;
inline constexpr uint32_t kSampleMagicOffset = 0;       // u64
inline constexpr uint32_t kSampleTextOffset = 8;        // u32: image-relative
inline constexpr uint32_t kSampleEhFrameOffset = 12;    // u32: image-relative
inline constexpr uint32_t kSampleGuestDataOffset = 16;  // u64: image-relative
inline constexpr uint32_t kSampleDynamicOffset = 24;    // i32: relative to the field
inline constexpr uint32_t kSampleTextSizeOffset = 28;   // u32
inline constexpr uint32_t kSampleSelfOffset = 32;       // i64: relative to the field, to its start
inline constexpr uint32_t kSampleEmptyOffset = 40;      // u32: image-relative, or 0 without
inline constexpr uint32_t kSampleInfoSize = 48;

// Offsets of the fixed functions in .text.
inline constexpr uint32_t kSampleReadMagic = 0;  // uint64_t(): the magic, from .rodata
inline constexpr uint32_t kSampleReadGot = 16;   // uint64_t(): the second slot of .got
inline constexpr uint32_t kSampleCallBack = 32;  // void(void (*f)(void*), void* p): f(p), framed
inline constexpr uint32_t kSampleCallPlt = 64;   // uint64_t(): through the PLT slot
inline constexpr uint32_t kSampleNumbered = 80;  // uint64_t(): n, 16 bytes each

// Values in .got's second slot and .guest.data's first bytes.
inline constexpr uint64_t kSampleGotValue = 0xfedcba9876543210;
inline constexpr char kSampleGuestData[] = "initial memory";

// The object, laid out.
std::unique_ptr<Object> MakeSampleObject(const SampleOptions& options = {});

// An object without code: "sample_info" in .rodata, and sections in segments that are all empty.
std::unique_ptr<Object> MakeMinimalObject();

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_SAMPLE_OBJECT_H_
