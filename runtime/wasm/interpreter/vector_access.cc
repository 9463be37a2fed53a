// Table of the vector instructions that access memory.

#include "runtime/wasm/interpreter/vector_access.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>

#include "runtime/wasm/interpreter/simd_lanes.h"

namespace precast::runtime::wasm::interpreter {
namespace {

void Load(uint8_t* memory, Slot* slots, uint32_t) { std::memcpy(slots[0].bytes, memory, 16); }
void Store(uint8_t* memory, Slot* slots, uint32_t) { std::memcpy(memory, slots[1].bytes, 16); }

template <typename Narrow, typename Wide>
void LoadExtend(uint8_t* memory, Slot* slots, uint32_t) {
  std::memcpy(slots[0].bytes, memory, 8);
  std::memset(slots[0].bytes + 8, 0, 8);
  Extend<Narrow, Wide>(slots, Half::kLow);
}

template <typename T>
void LoadSplat(uint8_t* memory, Slot* slots, uint32_t) {
  T value;
  std::memcpy(&value, memory, sizeof value);
  Splat(slots, value);
}

template <size_t kBytes>
void LoadZero(uint8_t* memory, Slot* slots, uint32_t) {
  Slot result = {};
  std::memcpy(result.bytes, memory, kBytes);
  slots[0] = result;
}

template <size_t kBytes>
void LoadLane(uint8_t* memory, Slot* slots, uint32_t lane) {
  slots[0] = slots[1];
  std::memcpy(slots[0].bytes + lane * kBytes, memory, kBytes);
}

template <size_t kBytes>
void StoreLane(uint8_t* memory, Slot* slots, uint32_t lane) {
  std::memcpy(memory, slots[1].bytes + lane * kBytes, kBytes);
}

constexpr VectorAccess kTable[] = {
    {0x00, 16, false, false, Load},
    {0x01, 8, false, false, LoadExtend<int8_t, int16_t>},
    {0x02, 8, false, false, LoadExtend<uint8_t, uint16_t>},
    {0x03, 8, false, false, LoadExtend<int16_t, int32_t>},
    {0x04, 8, false, false, LoadExtend<uint16_t, uint32_t>},
    {0x05, 8, false, false, LoadExtend<int32_t, int64_t>},
    {0x06, 8, false, false, LoadExtend<uint32_t, uint64_t>},
    {0x07, 1, false, false, LoadSplat<uint8_t>},
    {0x08, 2, false, false, LoadSplat<uint16_t>},
    {0x09, 4, false, false, LoadSplat<uint32_t>},
    {0x0a, 8, false, false, LoadSplat<uint64_t>},
    {0x0b, 16, true, false, Store},
    {0x54, 1, false, true, LoadLane<1>},
    {0x55, 2, false, true, LoadLane<2>},
    {0x56, 4, false, true, LoadLane<4>},
    {0x57, 8, false, true, LoadLane<8>},
    {0x58, 1, true, true, StoreLane<1>},
    {0x59, 2, true, true, StoreLane<2>},
    {0x5a, 4, true, true, StoreLane<4>},
    {0x5b, 8, true, true, StoreLane<8>},
    {0x5c, 4, false, false, LoadZero<4>},
    {0x5d, 8, false, false, LoadZero<8>},
};

}  // namespace

std::optional<uint8_t> FindVectorAccess(uint32_t number) {
  for (size_t i = 0; i < std::size(kTable); ++i) {
    if (kTable[i].number == number) return static_cast<uint8_t>(i);
  }
  return std::nullopt;
}

const VectorAccess& VectorAccessAt(uint8_t position) { return kTable[position]; }

}  // namespace precast::runtime::wasm::interpreter
