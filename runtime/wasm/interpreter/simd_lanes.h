// Loops over the lanes of vectors, for the tables of vector instructions.
#ifndef PRECAST_RUNTIME_WASM_INTERPRETER_SIMD_LANES_H_
#define PRECAST_RUNTIME_WASM_INTERPRETER_SIMD_LANES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "runtime/wasm/interpreter/slot.h"

namespace precast::runtime::wasm::interpreter {

template <typename T>
using Lanes = std::array<T, 16 / sizeof(T)>;

template <typename T>
Lanes<T> GetLanes(const Slot& slot) {
  return Get<Lanes<T>>(slot);
}

// Lane by lane: s[0] = f(s[0]), s[0] = f(s[0], s[1]), s[0] = f(s[0], s[1], s[2]).
template <typename T, typename F>
void Map1(Slot* s, F f) {
  auto a = GetLanes<T>(s[0]);
  for (T& x : a) x = static_cast<T>(f(x));
  Put(s[0], a);
}
template <typename T, typename F>
void Map2(Slot* s, F f) {
  auto a = GetLanes<T>(s[0]);
  const auto b = GetLanes<T>(s[1]);
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<T>(f(a[i], b[i]));
  Put(s[0], a);
}
template <typename T, typename F>
void Map3(Slot* s, F f) {
  auto a = GetLanes<T>(s[0]);
  const auto b = GetLanes<T>(s[1]);
  const auto c = GetLanes<T>(s[2]);
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<T>(f(a[i], b[i], c[i]));
  Put(s[0], a);
}

template <size_t kBytes>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
  using Type = uint8_t;
};
template <>
struct UnsignedOf<2> {
  using Type = uint16_t;
};
template <>
struct UnsignedOf<4> {
  using Type = uint32_t;
};
template <>
struct UnsignedOf<8> {
  using Type = uint64_t;
};

// Lanes of all ones where the predicate holds.
template <typename T, typename F>
void Compare(Slot* s, F f) {
  using U = typename UnsignedOf<sizeof(T)>::Type;
  const auto a = GetLanes<T>(s[0]);
  const auto b = GetLanes<T>(s[1]);
  Lanes<U> r;
  for (size_t i = 0; i < a.size(); ++i) r[i] = f(a[i], b[i]) ? static_cast<U>(~U{0}) : U{0};
  Put(s[0], r);
}

template <typename T>
void Splat(Slot* s, T value) {
  Lanes<T> r;
  r.fill(value);
  Put(s[0], r);
}

template <typename T>
void Replace(Slot* s, uint32_t lane, T value) {
  auto a = GetLanes<T>(s[0]);
  a[lane] = value;
  Put(s[0], a);
}

template <typename T>
void AllTrue(Slot* s) {
  uint32_t all = 1;
  for (const T x : GetLanes<T>(s[0])) all &= x != 0;
  Put(s[0], all);
}
template <typename T>
void Bitmask(Slot* s) {
  const auto a = GetLanes<T>(s[0]);
  uint32_t mask = 0;
  for (size_t i = 0; i < a.size(); ++i) mask |= uint32_t{a[i] < 0} << i;
  Put(s[0], mask);
}

// The nearest value of T.
template <typename T>
T Saturate(int64_t value) {
  constexpr int64_t kMin = std::numeric_limits<T>::min(), kMax = std::numeric_limits<T>::max();
  return static_cast<T>(value < kMin ? kMin : value > kMax ? kMax : value);
}
template <typename Wide, typename Narrow>
void NarrowLanes(Slot* s) {
  const auto a = GetLanes<Wide>(s[0]);
  const auto b = GetLanes<Wide>(s[1]);
  Lanes<Narrow> r;
  for (size_t i = 0; i < a.size(); ++i) {
    r[i] = Saturate<Narrow>(a[i]);
    r[i + a.size()] = Saturate<Narrow>(b[i]);
  }
  Put(s[0], r);
}

enum class Half : bool { kLow, kHigh };

template <typename Narrow, typename Wide>
void Extend(Slot* s, Half half) {
  const auto a = GetLanes<Narrow>(s[0]);
  Lanes<Wide> r;
  for (size_t i = 0; i < r.size(); ++i) r[i] = a[i + (half == Half::kHigh ? r.size() : 0)];
  Put(s[0], r);
}
// The products fit, except for 32 by 32 unsigned bits, where Wide is unsigned.
template <typename Narrow, typename Wide>
void ExtendMultiply(Slot* s, Half half) {
  Extend<Narrow, Wide>(&s[0], half);
  Extend<Narrow, Wide>(&s[1], half);
  Map2<Wide>(s, [](Wide a, Wide b) {
    if constexpr (sizeof(Wide) < 8) {
      return static_cast<Wide>(int64_t{a} * int64_t{b});
    } else {
      return static_cast<Wide>(a * b);
    }
  });
}
template <typename Narrow, typename Wide>
void ExtendAddPairs(Slot* s) {
  const auto a = GetLanes<Narrow>(s[0]);
  Lanes<Wide> r;
  for (size_t i = 0; i < r.size(); ++i)
    r[i] = static_cast<Wide>(Wide{a[2 * i]} + Wide{a[2 * i + 1]});
  Put(s[0], r);
}

// Shift amounts count modulo the lane width. T's signedness says which shift to the right it is.
template <typename T>
void ShiftLeft(Slot* s) {
  const uint32_t n = Get<uint32_t>(s[1]) % (sizeof(T) * 8);
  Map1<T>(s, [n](T a) { return static_cast<uint64_t>(a) << n; });
}
template <typename T>
void ShiftRight(Slot* s) {
  const uint32_t n = Get<uint32_t>(s[1]) % (sizeof(T) * 8);
  Map1<T>(s, [n](T a) { return static_cast<T>(a >> n); });
}

}  // namespace precast::runtime::wasm::interpreter

#endif  // PRECAST_RUNTIME_WASM_INTERPRETER_SIMD_LANES_H_
