#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "absl/log/check.h"
#include "compiler/x64/simd_reference.h"
#include "compiler/x64/simd_reference_lanes.h"

namespace precast::x64::testing {
namespace {

using ir::SimdOp;

template <typename T>
struct Format;
template <>
struct Format<float> {
  using Bits = uint32_t;
  static constexpr Bits kSign = 0x80000000, kCanonical = 0x7fc00000;
  static constexpr NanLanes kNans = NanLanes::kF32;
};
template <>
struct Format<double> {
  using Bits = uint64_t;
  static constexpr Bits kSign = 0x8000000000000000, kCanonical = 0x7ff8000000000000;
  static constexpr NanLanes kNans = NanLanes::kF64;
};
template <typename T>
typename Format<T>::Bits BitsOf(T value) {
  typename Format<T>::Bits bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
template <typename T>
T FromBits(typename Format<T>::Bits bits) {
  T value;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}

// Section 4.3.3, "NaN propagation": canonical if all NaN operands are, else any quiet one.
template <typename To, typename... From>
To NanOf(From... operands) {
  const bool canonical = ((!std::isnan(operands) ||
                           (BitsOf(operands) & ~Format<From>::kSign) == Format<From>::kCanonical) &&
                          ...);
  using Bits = typename Format<To>::Bits;
  return FromBits<To>(canonical ? Format<To>::kCanonical : ~Bits{0});
}

template <typename T, typename F>
SimdExpectation MapFloat(const V128& a, F f) {
  return {Map<T>(a, [&](T x) { return std::isnan(x) || std::isnan(f(x)) ? NanOf<T>(x) : f(x); }),
          Format<T>::kNans};
}
template <typename T, typename F>
SimdExpectation MapFloat(const V128& a, const V128& b, F f) {
  return {Map<T>(a, b,
                 [&](T x, T y) {
                   const T r = f(x, y);
                   return std::isnan(x) || std::isnan(y) || std::isnan(r) ? NanOf<T>(x, y) : r;
                 }),
          Format<T>::kNans};
}
template <typename T>
SimdExpectation MulAdd(const V128& a, const V128& b, const V128& c, bool negate) {
  Lanes<T> r;
  for (size_t k = 0; k < kLanes<T>; ++k) {
    const T x = Get<T>(a)[k], y = Get<T>(b)[k], z = Get<T>(c)[k];
    volatile T product = x * y;  // rounded, whatever the compiler would like to do
    const T sum = (negate ? -product : product) + z;
    r[k] = std::isnan(sum) ? NanOf<T>(x, y, z) : sum;
  }
  return {Make<T>(r), Format<T>::kNans};
}
template <typename T>
T FloatMin(T x, T y) {
  if (x == 0 && y == 0) return std::signbit(x) ? x : y;
  return x < y ? x : y;
}
template <typename T>
T FloatMax(T x, T y) {
  if (x == 0 && y == 0) return std::signbit(x) ? y : x;
  return x > y ? x : y;
}
template <typename T>
V128 ClearSign(const V128& a) {
  using Bits = typename Format<T>::Bits;
  return Map<Bits>(a, [](Bits x) { return x & ~Format<T>::kSign; });
}
template <typename T>
V128 FlipSign(const V128& a) {
  using Bits = typename Format<T>::Bits;
  return Map<Bits>(a, [](Bits x) { return x ^ Format<T>::kSign; });
}
// Bits, because NaN operands come through as they are.
template <typename T>
V128 Pmin(const V128& a, const V128& b) {
  using Bits = typename Format<T>::Bits;
  return Map<Bits>(a, b, [](Bits x, Bits y) { return FromBits<T>(y) < FromBits<T>(x) ? y : x; });
}
template <typename T>
V128 Pmax(const V128& a, const V128& b) {
  using Bits = typename Format<T>::Bits;
  return Map<Bits>(a, b, [](Bits x, Bits y) { return FromBits<T>(x) < FromBits<T>(y) ? y : x; });
}
template <typename Int>
Int TruncSat(double x) {
  if (std::isnan(x)) return 0;
  x = std::trunc(x);
  if (x < static_cast<double>(std::numeric_limits<Int>::min()))
    return std::numeric_limits<Int>::min();
  if (x > static_cast<double>(std::numeric_limits<Int>::max()))
    return std::numeric_limits<Int>::max();
  return static_cast<Int>(x);
}
template <typename Int>
V128 TruncF32(const V128& a) {
  return Map<float, Int>(a, [](float x) { return TruncSat<Int>(double{x}); });
}
template <typename Int>
V128 TruncF64(const V128& a) {
  Lanes<Int> r{};
  for (size_t k = 0; k < 2; ++k) r[k] = TruncSat<Int>(Get<double>(a)[k]);
  return Make<Int>(r);
}
template <typename Int>
V128 ConvertLow(const V128& a) {
  Lanes<double> r;
  for (size_t k = 0; k < 2; ++k) r[k] = static_cast<double>(Get<Int>(a)[k]);
  return Make<double>(r);
}
SimdExpectation Demote(const V128& a) {
  Lanes<float> r{};
  for (size_t k = 0; k < 2; ++k) {
    const double x = Get<double>(a)[k];
    r[k] = std::isnan(x) ? NanOf<float>(x) : static_cast<float>(x);
  }
  return {Make<float>(r), NanLanes::kF32};
}
SimdExpectation Promote(const V128& a) {
  Lanes<double> r;
  for (size_t k = 0; k < 2; ++k) {
    const float x = Get<float>(a)[k];
    r[k] = std::isnan(x) ? NanOf<double>(x) : static_cast<double>(x);
  }
  return {Make<double>(r), NanLanes::kF64};
}

template <typename T>
bool MatchesFloat(const V128& expected, const V128& actual) {
  using Bits = typename Format<T>::Bits;
  using F = Format<T>;
  for (size_t k = 0; k < kLanes<T>; ++k) {
    const Bits e = Get<Bits>(expected)[k], a = Get<Bits>(actual)[k];
    if (!std::isnan(FromBits<T>(e))) {
      if (e != a) return false;
    } else if (e == F::kCanonical) {
      if ((a & ~F::kSign) != F::kCanonical) return false;
    } else {
      if ((a & F::kCanonical) != F::kCanonical) return false;
    }
  }
  return true;
}

}  // namespace

SimdExpectation FloatReference(SimdOp op, const V128& a, const V128& b, const V128& c) {
  switch (op) {
#define COMPARE(Shape, Suffix, T, relation) \
  case SimdOp::k##Shape##Suffix:            \
    return {Compare<T>(a, b, [](T x, T y) { return x relation y; })};
#define COMPARE_FLOAT(Shape, T) \
  COMPARE(Shape, Eq, T, ==)     \
  COMPARE(Shape, Ne, T, !=)     \
  COMPARE(Shape, Lt, T, <)      \
  COMPARE(Shape, Gt, T, >)      \
  COMPARE(Shape, Le, T, <=)     \
  COMPARE(Shape, Ge, T, >=)
    COMPARE_FLOAT(F32x4, float)
    COMPARE_FLOAT(F64x2, double)
#undef COMPARE
#undef COMPARE_FLOAT

// -- floating-point lanes
#define FLOAT(Shape, T)                                           \
  case SimdOp::k##Shape##Ceil:                                    \
    return MapFloat<T>(a, [](T x) { return std::ceil(x); });      \
  case SimdOp::k##Shape##Floor:                                   \
    return MapFloat<T>(a, [](T x) { return std::floor(x); });     \
  case SimdOp::k##Shape##Trunc:                                   \
    return MapFloat<T>(a, [](T x) { return std::trunc(x); });     \
  case SimdOp::k##Shape##Nearest:                                 \
    return MapFloat<T>(a, [](T x) { return std::nearbyint(x); }); \
  case SimdOp::k##Shape##Sqrt:                                    \
    return MapFloat<T>(a, [](T x) { return std::sqrt(x); });      \
  case SimdOp::k##Shape##Abs:                                     \
    return {ClearSign<T>(a)};                                     \
  case SimdOp::k##Shape##Neg:                                     \
    return {FlipSign<T>(a)};                                      \
  case SimdOp::k##Shape##Add:                                     \
    return MapFloat<T>(a, b, [](T x, T y) { return x + y; });     \
  case SimdOp::k##Shape##Sub:                                     \
    return MapFloat<T>(a, b, [](T x, T y) { return x - y; });     \
  case SimdOp::k##Shape##Mul:                                     \
    return MapFloat<T>(a, b, [](T x, T y) { return x * y; });     \
  case SimdOp::k##Shape##Div:                                     \
    return MapFloat<T>(a, b, [](T x, T y) { return x / y; });     \
  case SimdOp::k##Shape##Min:                                     \
  case SimdOp::k##Shape##RelaxedMin:                              \
    return MapFloat<T>(a, b, FloatMin<T>);                        \
  case SimdOp::k##Shape##Max:                                     \
  case SimdOp::k##Shape##RelaxedMax:                              \
    return MapFloat<T>(a, b, FloatMax<T>);                        \
  case SimdOp::k##Shape##Pmin:                                    \
    return {Pmin<T>(a, b)};                                       \
  case SimdOp::k##Shape##Pmax:                                    \
    return {Pmax<T>(a, b)};                                       \
  case SimdOp::k##Shape##RelaxedMadd:                             \
    return MulAdd<T>(a, b, c, false);                             \
  case SimdOp::k##Shape##RelaxedNmadd:                            \
    return MulAdd<T>(a, b, c, true);
    FLOAT(F32x4, float)
    FLOAT(F64x2, double)
#undef FLOAT

    // -- conversions
    case SimdOp::kI32x4TruncSatF32x4S:
    case SimdOp::kI32x4RelaxedTruncF32x4S:
      return {TruncF32<int32_t>(a)};
    case SimdOp::kI32x4TruncSatF32x4U:
    case SimdOp::kI32x4RelaxedTruncF32x4U:
      return {TruncF32<uint32_t>(a)};
    case SimdOp::kI32x4TruncSatF64x2SZero:
    case SimdOp::kI32x4RelaxedTruncF64x2SZero:
      return {TruncF64<int32_t>(a)};
    case SimdOp::kI32x4TruncSatF64x2UZero:
    case SimdOp::kI32x4RelaxedTruncF64x2UZero:
      return {TruncF64<uint32_t>(a)};
    case SimdOp::kF32x4ConvertI32x4S:
      return {Map<int32_t, float>(a, [](int32_t x) { return static_cast<float>(x); })};
    case SimdOp::kF32x4ConvertI32x4U:
      return {Map<uint32_t, float>(a, [](uint32_t x) { return static_cast<float>(x); })};
    case SimdOp::kF64x2ConvertLowI32x4S:
      return {ConvertLow<int32_t>(a)};
    case SimdOp::kF64x2ConvertLowI32x4U:
      return {ConvertLow<uint32_t>(a)};
    case SimdOp::kF32x4DemoteF64x2Zero:
      return Demote(a);
    case SimdOp::kF64x2PromoteLowF32x4:
      return Promote(a);

    default:
      CHECK(false) << "no operation on floating-point lanes: " << ir::Info(op).text;
      return {};
  }
}

bool Matches(const SimdExpectation& expected, const V128& actual) {
  switch (expected.nans) {
    case NanLanes::kExact:
      return expected.value == actual;
    case NanLanes::kF32:
      return MatchesFloat<float>(expected.value, actual);
    case NanLanes::kF64:
      return MatchesFloat<double>(expected.value, actual);
  }
  return false;
}

}  // namespace precast::x64::testing
