// Floating-point arithmetic of WebAssembly (core specification, section 4.3.3) with the NaNs that
// x86's SSE gives, on any host: if the first operand is a NaN, the result is it, made quiet; else
// if the second is, it, made quiet; a NaN out of numbers is the default one, whose sign bit is set.
// min and max follow the rule of addition. Everything is spelt out, because a compiler may exchange
// the operands of + and *.
#ifndef PRECAST_RUNTIME_WASM_INTERPRETER_FLOAT_H_
#define PRECAST_RUNTIME_WASM_INTERPRETER_FLOAT_H_

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace precast::runtime::wasm::interpreter {

template <typename F>
using FloatBits = std::conditional_t<sizeof(F) == 4, uint32_t, uint64_t>;
template <typename F>
inline constexpr FloatBits<F> kQuietBit = FloatBits<F>{1} << (sizeof(F) == 4 ? 22 : 51);
template <typename F>
inline constexpr FloatBits<F> kSignBit = FloatBits<F>{1} << (sizeof(F) * 8 - 1);
// Exponent of all ones and the quiet bit.
template <typename F>
inline constexpr FloatBits<F> kCanonicalNan = sizeof(F) == 4
                                                  ? FloatBits<F>{0x7fc00000u}
                                                  : static_cast<FloatBits<F>>(0x7ff8000000000000u);

template <typename F>
FloatBits<F> BitsOf(F x) {
  return std::bit_cast<FloatBits<F>>(x);
}
template <typename F>
bool IsNan(F x) {
  return (BitsOf(x) & ~kSignBit<F>) > (kCanonicalNan<F> & ~kQuietBit<F>);
}
template <typename F>
F Quiet(F nan) {
  return std::bit_cast<F>(BitsOf(nan) | kQuietBit<F>);
}
template <typename F>
F Canonical(F x) {
  return IsNan(x) ? std::bit_cast<F>(kCanonicalNan<F>) : x;
}
// The result of an operation none of whose operands was a NaN.
template <typename F>
F OrDefaultNan(F x) {
  return IsNan(x) ? std::bit_cast<F>(kCanonicalNan<F> | kSignBit<F>) : x;
}

template <typename F, typename Op>
F FloatBinary(F a, F b, Op op) {
  if (IsNan(a)) return Quiet(a);
  if (IsNan(b)) return Quiet(b);
  return OrDefaultNan<F>(op(a, b));
}
template <typename F, typename Op>
F FloatUnary(F a, Op op) {
  return IsNan(a) ? Quiet(a) : OrDefaultNan<F>(op(a));
}

template <typename F>
F FloatAdd(F a, F b) {
  return FloatBinary(a, b, [](F x, F y) { return x + y; });
}
template <typename F>
F FloatSub(F a, F b) {
  return FloatBinary(a, b, [](F x, F y) { return x - y; });
}
template <typename F>
F FloatMul(F a, F b) {
  return FloatBinary(a, b, [](F x, F y) { return x * y; });
}
template <typename F>
F DivideNumbers(F x, F y) {
  // C++ leaves division by zero undefined, which sanitizers report.
  if (y != 0) return x / y;
  if (x == 0) return std::numeric_limits<F>::quiet_NaN();
  const F infinity = std::numeric_limits<F>::infinity();
  return std::signbit(x) == std::signbit(y) ? infinity : -infinity;
}
template <typename F>
F FloatDiv(F a, F b) {
  return FloatBinary(a, b, DivideNumbers<F>);
}
// -0 is less than +0.
template <typename F>
F FloatMin(F a, F b) {
  return FloatBinary(a, b, [](F x, F y) {
    return x == y ? std::bit_cast<F>(BitsOf(x) | BitsOf(y)) : x < y ? x : y;
  });
}
template <typename F>
F FloatMax(F a, F b) {
  return FloatBinary(a, b, [](F x, F y) {
    return x == y ? std::bit_cast<F>(BitsOf(x) & BitsOf(y)) : x < y ? y : x;
  });
}
template <typename F>
F FloatSqrt(F a) {
  return FloatUnary(a, [](F x) { return std::sqrt(x); });
}
template <typename F>
F FloatCeil(F a) {
  return FloatUnary(a, [](F x) { return std::ceil(x); });
}
template <typename F>
F FloatFloor(F a) {
  return FloatUnary(a, [](F x) { return std::floor(x); });
}
template <typename F>
F FloatTrunc(F a) {
  return FloatUnary(a, [](F x) { return std::trunc(x); });
}
// Ties to even: the rounding mode a process starts with.
template <typename F>
F FloatNearest(F a) {
  return FloatUnary(a, [](F x) { return std::nearbyint(x); });
}
template <typename F>
F FloatAbs(F a) {
  return std::bit_cast<F>(BitsOf(a) & ~kSignBit<F>);
}
template <typename F>
F FloatNeg(F a) {
  return std::bit_cast<F>(BitsOf(a) ^ kSignBit<F>);
}
template <typename F>
F FloatCopysign(F a, F sign) {
  return std::bit_cast<F>((BitsOf(a) & ~kSignBit<F>) | (BitsOf(sign) & kSignBit<F>));
}
// Of a NaN, the sign and the upper bits of the payload remain.
inline float FloatDemote(double a) {
  if (!IsNan(a)) return static_cast<float>(a);
  const uint64_t bits = BitsOf(a);
  return std::bit_cast<float>(static_cast<uint32_t>(bits >> 32 & 0x80000000u) | 0x7fc00000u |
                              static_cast<uint32_t>(bits >> 29 & 0x3fffffu));
}
inline double FloatPromote(float a) {
  if (!IsNan(a)) return a;
  const uint64_t bits = BitsOf(a);
  return std::bit_cast<double>((bits & 0x80000000u) << 32 | uint64_t{0x7ff8} << 48 |
                               (bits & 0x3fffffu) << 29);
}
template <typename F>
F PseudoMin(F a, F b) {
  return b < a ? b : a;
}
template <typename F>
F PseudoMax(F a, F b) {
  return a < b ? b : a;
}

// Whether `a`, not a NaN, cut off toward zero is an I.
template <typename I, typename F>
bool Fits(F a) {
  // Powers of two: exact in every F.
  const F end = std::ldexp(F{1}, std::numeric_limits<I>::digits);
  if constexpr (std::is_signed_v<I>) {
    return a < end && std::trunc(a) >= -end;
  } else {
    return a < end && a > F{-1};
  }
}
template <typename I, typename F>
I TruncSat(F a) {
  if (IsNan(a)) return 0;
  if (Fits<I>(a)) return static_cast<I>(a);
  return a < 0 ? std::numeric_limits<I>::min() : std::numeric_limits<I>::max();
}

}  // namespace precast::runtime::wasm::interpreter

#endif  // PRECAST_RUNTIME_WASM_INTERPRETER_FLOAT_H_
