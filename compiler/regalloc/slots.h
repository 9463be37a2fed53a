// Spill slots: which values share which.
#ifndef PRECAST_COMPILER_REGALLOC_SLOTS_H_
#define PRECAST_COMPILER_REGALLOC_SLOTS_H_

#include <cstdint>
#include <vector>

#include "compiler/regalloc/bundles.h"
#include "compiler/regalloc/intervals.h"
#include "compiler/regalloc/linear_scan.h"
#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

inline constexpr uint32_t kNoSlot = ~uint32_t{0};

struct Slots {
  // Slot within the vreg's class, or kNoSlot if it is never in memory.
  std::vector<uint32_t> of_vreg;
  uint32_t count[kNumClasses] = {0, 0};
  std::vector<bool> int_wide;  // by int slot: see Solution::int_slot_wide
};

// Two values that are ever live at the same time get different slots; the spilled members of a
// bundle share one. A slot is for wide bundles, those with a wide member, or for others.
Slots AssignSlots(const Problem& problem, const Intervals& intervals, const Bundles& bundles,
                  const Assignment& assignment);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_SLOTS_H_
