// What code that counts rows for an OpenVM prover shares with the runtime, beside VmContext
// (docs/openvm_segments.md): which pages it has touched, and how many rows of each chip it has
// added. It lies below the guest's memory, at fixed distances from its base, which is in a register
// anyway.
#ifndef PRECAST_RUNTIME_ABI_METER_AREA_H_
#define PRECAST_RUNTIME_ABI_METER_AREA_H_

#include <cstddef>
#include <cstdint>

namespace precast::abi {

// Pages of guest memory that are counted: 512 bytes.
inline constexpr int kMarkedPageBits = 9;

// Displacements from the host address of guest address 0. At kPageMarks: a byte for each page of
// the 32-bit address space, 0 if it has not been touched since the runtime last looked. Below that
// a MeterArea.
inline constexpr int32_t kPageMarksSize = int32_t{1} << (32 - kMarkedPageBits);
inline constexpr int32_t kMeterAreaSize = 4096;
inline constexpr int32_t kPageMarks = -(64 << 10) - kPageMarksSize;
inline constexpr int32_t kMeterArea = kPageMarks - kMeterAreaSize;

// An entry of the log of pages touched.
struct TouchedPage {
  uint32_t page;
  uint32_t kept;  // 1: what it held is kept; 0: it held zeros, or nothing is kept
};
// What a page held.
using PageContents = uint8_t[1 << kMarkedPageBits];

// The callback MarkPage reads `page`, marks it, and appends it to the log.
struct MeterArea {
  TouchedPage*
      log;  // where the next entry goes; there is room for all pages; null: nobody wants to know
  uint32_t pages;  // pages from this one on are outside of the guest's memory: nothing is done
  uint32_t page;   // operand of the callback
  PageContents*
      contents;  // where the next page that is kept goes; in the order of the log; null: none is kept
  uint32_t file_page;   // so many pages from this one on may be mapped from a file; the others
  uint32_t file_pages;  // are written before they are read, which costs one page fault, not two
};
static_assert(offsetof(MeterArea, log) == 0);
static_assert(offsetof(MeterArea, pages) == 8);
static_assert(offsetof(MeterArea, page) == 12);
static_assert(offsetof(MeterArea, contents) == 16);
static_assert(offsetof(MeterArea, file_page) == 24);
static_assert(offsetof(MeterArea, file_pages) == 28);
static_assert(sizeof(TouchedPage) == 8);

// Rows are counted in lanes of 32 bits of the vector registers kFirstRowRegister and up, which code
// that counts uses for nothing else; openvm::kCountedChips says which lane is which chip's.
inline constexpr int kRowRegisters = 5;
inline constexpr int kRowLanes = 4 * kRowRegisters;
inline constexpr int kFirstRowRegister = 10;
// Which lane counts what, as openvm::kCountedChips says; part of the fingerprint.
inline constexpr int kRowLanesVersion = 2;
// The lane of `jalr`, which code that has counted it may leave to the interpreter, which counts it
// again.
inline constexpr int kLeftLane = 7;

}  // namespace precast::abi

#endif  // PRECAST_RUNTIME_ABI_METER_AREA_H_
