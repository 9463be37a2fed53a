// State slots of WebAssembly code. At a site in a loop whose fuel was charged before it, for all of
// its rounds, they say what has been charged for rounds that have not begun (docs/wasm_lifting.md).
// Part of the ABI fingerprint.
#ifndef PRECAST_RUNTIME_ABI_ROUND_SLOTS_H_
#define PRECAST_RUNTIME_ABI_ROUND_SLOTS_H_

#include <cstdint>

namespace precast::abi {

inline constexpr uint8_t kSlotCounter = 64;    // what the loop's counter is in this round
inline constexpr uint8_t kSlotBound = 65;      // what it will be after the last round
inline constexpr uint8_t kSlotStep = 66;       // what it grows by in each round: signed, not 0
inline constexpr uint8_t kSlotRoundCost = 67;  // fuel of a round

constexpr bool IsRoundSlot(uint8_t slot) { return slot >= kSlotCounter && slot <= kSlotRoundCost; }

// Fuel of the rounds after this one. All numbers of counters are modulo 2^32; a counter that is the
// bound has gone all the way around. Any numbers may come (from a damaged table).
constexpr int64_t FuelOfRoundsLeft(uint32_t counter, uint32_t bound, uint32_t step, uint32_t cost) {
  const bool down = (step >> 31) != 0;
  const uint32_t size = down ? 0 - step : step;
  if (size == 0) return 0;
  const uint32_t distance = (down ? counter - bound : bound - counter) - size;
  return static_cast<int64_t>(distance / size) * static_cast<int64_t>(cost & 0x7fffffff);
}

}  // namespace precast::abi

#endif  // PRECAST_RUNTIME_ABI_ROUND_SLOTS_H_
