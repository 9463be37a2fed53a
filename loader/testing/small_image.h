// A small image with one of everything, made by the real image builder from hand-written machine
// code: direct calls, GOT and PLT calls, sites of several kinds, constants, guest memory. For tests
// of the loader.
#ifndef PRECAST_LOADER_TESTING_SMALL_IMAGE_H_
#define PRECAST_LOADER_TESTING_SMALL_IMAGE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "loader/format/guid.h"

namespace precast::loader {

// Guest pcs of the functions' entries. All return a number in eax and take nothing.
inline constexpr uint32_t kAnswerPc = 0x10000;    // 42, through a direct call
inline constexpr uint32_t kFortyOnePc = 0x10010;  // 41
inline constexpr uint32_t kGotPc = 0x10020;  // what callback DispatchMiss returns, through the GOT
inline constexpr uint32_t kPltPc = 0x10030;  // what callback HostCall returns, through the PLT
inline constexpr uint32_t kConstantPc = 0x10040;  // 0x12345678, from read-only data
inline constexpr uint32_t kEntryPcs[] = {kAnswerPc, kFortyOnePc, kGotPc, kPltPc, kConstantPc};

// Of the program the image is made from.
format::Guid SmallProgramGuid();

// The image's bytes. `unpaid_access`: a site says of a memory access that a charge comes behind it,
// which only images of WebAssembly may say.
std::vector<uint8_t> MakeSmallImage(bool unpaid_access = false);

// The same for WebAssembly: a module with a memory that is initialized, and two functions; entered
// at their bodies' offsets in the module's bytes.
inline constexpr uint32_t kWasmAnswerPc = 50;
inline constexpr uint32_t kWasmFortyOnePc = 58;
absl::Span<const uint8_t> SmallWasmModule();
// `pages` of 4096 bytes are initialized.
std::vector<uint8_t> MakeSmallWasmImage(uint32_t pages = 1);

// Gives altered bytes the digest they need to be looked at further. Does nothing if the bytes are
// not an image enough to have one.
void FixDigest(std::vector<uint8_t>& image);

// Offset of AotFileInfo in an undamaged image.
uint32_t InfoOffset(absl::Span<const uint8_t> image);

}  // namespace precast::loader

#endif  // PRECAST_LOADER_TESTING_SMALL_IMAGE_H_
