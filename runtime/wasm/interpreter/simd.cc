// Table of the vector instructions that touch no memory.

#include "runtime/wasm/interpreter/simd.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "runtime/wasm/interpreter/float.h"
#include "runtime/wasm/interpreter/simd_lanes.h"

namespace precast::runtime::wasm::interpreter {
namespace {

void Swizzle(Slot* s) {
  const auto a = GetLanes<uint8_t>(s[0]);
  Map2<uint8_t>(s, [&a](uint8_t, uint8_t i) { return i < 16 ? a[i] : 0; });
}

void Bitselect(Slot* s) {
  Map3<uint64_t>(s, [](uint64_t a, uint64_t b, uint64_t mask) { return (a & mask) | (b & ~mask); });
}

void AnyTrue(Slot* s) {
  const auto a = GetLanes<uint64_t>(s[0]);
  Put(s[0], uint32_t{(a[0] | a[1]) != 0});
}

// Only -32768 * -32768 twice leaves the range; it wraps.
void DotI16x8(Slot* s) {
  const auto a = GetLanes<int16_t>(s[0]);
  const auto b = GetLanes<int16_t>(s[1]);
  Lanes<uint32_t> r;
  for (size_t i = 0; i < r.size(); ++i) {
    r[i] =
        static_cast<uint32_t>(int64_t{a[2 * i]} * b[2 * i] + int64_t{a[2 * i + 1]} * b[2 * i + 1]);
  }
  Put(s[0], r);
}

// Both operands signed, sums wrap.
void DotI8x16(Slot* s) {
  const auto a = GetLanes<int8_t>(s[0]);
  const auto b = GetLanes<int8_t>(s[1]);
  Lanes<uint16_t> r;
  for (size_t i = 0; i < r.size(); ++i) {
    r[i] = static_cast<uint16_t>(a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1]);
  }
  Put(s[0], r);
}

void DotI8x16Add(Slot* s) {
  DotI8x16(s);
  ExtendAddPairs<int16_t, int32_t>(s);
  s[1] = s[2];
  Map2<uint32_t>(s, [](uint32_t a, uint32_t b) { return a + b; });
}

template <typename To, typename From>
To ToFloat(From a) {
  return static_cast<To>(a);
}

// As many of the low lanes as fit; the rest of the result is zero.
template <typename From, typename To, typename F>
void ConvertLow(Slot* s, F convert) {
  const auto a = GetLanes<From>(s[0]);
  Lanes<To> r = {};
  for (size_t i = 0; i < std::min(a.size(), r.size()); ++i) r[i] = convert(a[i]);
  Put(s[0], r);
}

constexpr uint32_t kNumOperations = 0x114;

constexpr std::array<SimdOperation, kNumOperations> MakeTable() {
  std::array<SimdOperation, kNumOperations> table = {};
#define COMPARE(op) [](auto a, auto b) { return a op b; }
#define MAP1(expression) [](auto a) { return expression; }
#define MAP2(expression) [](auto a, auto b) { return expression; }
#define MAP3(expression) [](auto a, auto b, auto c) { return expression; }
#define PRECAST_SIMD(Name, number, operands, result, lanes, float_lane, ...) \
  table[number] = {operands, result, lanes, float_lane,                      \
                   [](Slot* s, [[maybe_unused]] uint32_t lane) { __VA_ARGS__; }};
#include "runtime/wasm/interpreter/simd_float.def"
#include "runtime/wasm/interpreter/simd_integer.def"
#undef PRECAST_SIMD
#undef MAP3
#undef MAP2
#undef MAP1
#undef COMPARE
  return table;
}

constexpr std::array<SimdOperation, kNumOperations> kTable = MakeTable();

}  // namespace

const SimdOperation* FindSimdOperation(uint32_t number) {
  return number < kTable.size() && kTable[number].run != nullptr ? &kTable[number] : nullptr;
}

void Shuffle(Slot* slots, const uint8_t* lanes) {
  const auto a = GetLanes<uint8_t>(slots[0]);
  const auto b = GetLanes<uint8_t>(slots[1]);
  Lanes<uint8_t> r;
  for (size_t i = 0; i < r.size(); ++i) r[i] = lanes[i] < 16 ? a[lanes[i]] : b[lanes[i] % 16];
  Put(slots[0], r);
}

void MakeLanesCanonical(Slot& slot, uint32_t lane_bytes) {
  if (lane_bytes == 4) {
    Map1<float>(&slot, Canonical<float>);
  } else {
    Map1<double>(&slot, Canonical<double>);
  }
}

}  // namespace precast::runtime::wasm::interpreter
