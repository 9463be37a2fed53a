// Pages that have been marked on the way into a loop, before the loop's head has asked for fuel. If
// there is none, code is left there, without having touched them; whoever continues must not count
// them. No instruction has been charged between the marks and that place, and so it is known by the
// fuel register.
#ifndef PRECAST_RUNTIME_ABI_AHEAD_MARKS_H_
#define PRECAST_RUNTIME_ABI_AHEAD_MARKS_H_

#include <cstddef>
#include <cstdint>

#include "runtime/abi/meter_area.h"

namespace precast::abi {

// Bit of MeterArea::page: the page is marked ahead.
inline constexpr uint32_t kMarkedAhead = uint32_t{1} << 31;

// Behind MeterArea. Written by the callback MarkPage.
struct AheadMarks {
  int64_t fuel;  // when pages were marked ahead last
  TouchedPage*
      log;  // where their entries begin; all up to the log's end, if the fuel is still that
  PageContents* contents;  // and what is kept of them
};
inline constexpr int32_t kAheadMarks = kMeterArea + 64;
static_assert(sizeof(MeterArea) <= 64);
static_assert(offsetof(AheadMarks, fuel) == 0);
static_assert(offsetof(AheadMarks, log) == 8);
static_assert(offsetof(AheadMarks, contents) == 16);

}  // namespace precast::abi

#endif  // PRECAST_RUNTIME_ABI_AHEAD_MARKS_H_
