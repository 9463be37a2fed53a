// Lanes of vectors, for the files of simd_reference.
#ifndef PRECAST_COMPILER_X64_SIMD_REFERENCE_LANES_H_
#define PRECAST_COMPILER_X64_SIMD_REFERENCE_LANES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "compiler/ir/ir.h"
#include "compiler/x64/simd_reference.h"

namespace precast::x64::testing {

using ir::V128;

template <typename T>
constexpr size_t kLanes = 16 / sizeof(T);
template <typename T>
using Lanes = std::array<T, kLanes<T>>;

template <typename T>
Lanes<T> Get(const V128& v) {
  Lanes<T> lanes;
  std::memcpy(lanes.data(), v.data(), 16);
  return lanes;
}
template <typename T>
V128 Make(const Lanes<T>& lanes) {
  V128 v;
  std::memcpy(v.data(), lanes.data(), 16);
  return v;
}
template <typename T>
T Scalar(const V128& v) {
  return Get<T>(v)[0];
}
template <typename T>
V128 FromScalar(T value) {
  V128 v{};
  std::memcpy(v.data(), &value, sizeof(T));
  return v;
}

// f on each lane, or each pair of lanes; lanes of R.
template <typename T, typename R = T, typename F>
V128 Map(const V128& a, F f) {
  static_assert(sizeof(T) == sizeof(R));
  const Lanes<T> x = Get<T>(a);
  Lanes<R> r;
  for (size_t k = 0; k < kLanes<T>; ++k) r[k] = f(x[k]);
  return Make<R>(r);
}
template <typename T, typename R = T, typename F>
V128 Map(const V128& a, const V128& b, F f) {
  static_assert(sizeof(T) == sizeof(R));
  const Lanes<T> x = Get<T>(a), y = Get<T>(b);
  Lanes<R> r;
  for (size_t k = 0; k < kLanes<T>; ++k) r[k] = f(x[k], y[k]);
  return Make<R>(r);
}

// Lanes of all ones where f holds.
template <typename T, typename F>
V128 Compare(const V128& a, const V128& b, F f) {
  using Bits = std::conditional_t<
      sizeof(T) == 1, uint8_t,
      std::conditional_t<sizeof(T) == 2, uint16_t,
                         std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>>;
  return Map<T, Bits>(a, b,
                      [&](T x, T y) { return static_cast<Bits>(f(x, y) ? ~Bits{0} : Bits{0}); });
}

// SimdReference for operations on floating-point lanes.
SimdExpectation FloatReference(ir::SimdOp op, const V128& a, const V128& b, const V128& c);

}  // namespace precast::x64::testing

#endif  // PRECAST_COMPILER_X64_SIMD_REFERENCE_LANES_H_
