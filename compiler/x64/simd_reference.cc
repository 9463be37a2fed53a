#include "compiler/x64/simd_reference.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "compiler/x64/simd_reference_lanes.h"

namespace precast::x64::testing {
namespace {

using ir::SimdOp;

using I8 = int8_t;
using I16 = int16_t;
using I32 = int32_t;
using I64 = int64_t;
using U8 = uint8_t;
using U16 = uint16_t;
using U32 = uint32_t;
using U64 = uint64_t;

template <typename T>
V128 Replace(const V128& a, uint8_t lane, T value) {
  Lanes<T> lanes = Get<T>(a);
  lanes[lane] = value;
  return Make<T>(lanes);
}
template <typename T>
V128 Splat(T value) {
  Lanes<T> lanes;
  lanes.fill(value);
  return Make<T>(lanes);
}

// Integer arithmetic modulo 2^width: through 64 unsigned bits.
template <typename T>
T Wrap(uint64_t value) {
  return static_cast<T>(value);
}
template <typename T>
uint64_t Wide(T value) {
  return static_cast<uint64_t>(static_cast<int64_t>(value));
}
template <typename T>
V128 Add(const V128& a, const V128& b) {
  return Map<T>(a, b, [](T x, T y) { return Wrap<T>(Wide(x) + Wide(y)); });
}
template <typename T>
V128 Sub(const V128& a, const V128& b) {
  return Map<T>(a, b, [](T x, T y) { return Wrap<T>(Wide(x) - Wide(y)); });
}
template <typename T>
V128 Mul(const V128& a, const V128& b) {
  return Map<T>(a, b, [](T x, T y) { return Wrap<T>(Wide(x) * Wide(y)); });
}
template <typename T>
V128 Neg(const V128& a) {
  return Map<T>(a, [](T x) { return Wrap<T>(0 - Wide(x)); });
}
template <typename T>
V128 Abs(const V128& a) {
  return Map<T>(a, [](T x) { return x < 0 ? Wrap<T>(0 - Wide(x)) : x; });
}
template <typename T>
T Saturate(int64_t value) {
  if (value < std::numeric_limits<T>::min()) return std::numeric_limits<T>::min();
  if (value > std::numeric_limits<T>::max()) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}
template <typename T>
V128 AddSat(const V128& a, const V128& b) {
  return Map<T>(a, b, [](T x, T y) { return Saturate<T>(int64_t{x} + y); });
}
template <typename T>
V128 SubSat(const V128& a, const V128& b) {
  return Map<T>(a, b, [](T x, T y) { return Saturate<T>(int64_t{x} - y); });
}
template <typename T>
V128 Min(const V128& a, const V128& b) {
  return Map<T>(a, b, [](T x, T y) { return x < y ? x : y; });
}
template <typename T>
V128 Max(const V128& a, const V128& b) {
  return Map<T>(a, b, [](T x, T y) { return x > y ? x : y; });
}
template <typename T>
V128 Avgr(const V128& a, const V128& b) {
  return Map<T>(a, b, [](T x, T y) { return static_cast<T>((x + y + 1) / 2); });
}
template <typename T>
V128 Shl(const V128& a, const V128& amount) {
  const uint32_t n = Scalar<uint32_t>(amount) % (8 * sizeof(T));
  return Map<T>(a, [&](T x) { return Wrap<T>(uint64_t{x} << n); });
}
template <typename T>  // signed T: arithmetic
V128 Shr(const V128& a, const V128& amount) {
  const uint32_t n = Scalar<uint32_t>(amount) % (8 * sizeof(T));
  return Map<T>(a, [&](T x) { return static_cast<T>(x >> n); });
}
template <typename T>
V128 AllTrue(const V128& a) {
  uint32_t all = 1;
  for (T x : Get<T>(a)) all &= x != 0;
  return FromScalar(all);
}
template <typename T>  // signed T
V128 Bitmask(const V128& a) {
  uint32_t mask = 0;
  for (size_t k = 0; k < kLanes<T>; ++k) mask |= (Get<T>(a)[k] < 0 ? 1u : 0u) << k;
  return FromScalar(mask);
}
template <typename From, typename To>
V128 Narrow(const V128& a, const V128& b) {
  Lanes<To> r;
  for (size_t k = 0; k < kLanes<From>; ++k) {
    r[k] = Saturate<To>(Get<From>(a)[k]);
    r[kLanes<From> + k] = Saturate<To>(Get<From>(b)[k]);
  }
  return Make<To>(r);
}
template <typename From, typename To>
V128 Extend(const V128& a, bool high) {
  Lanes<To> r;
  for (size_t k = 0; k < kLanes<To>; ++k) r[k] = Get<From>(a)[k + (high ? kLanes<To> : 0)];
  return Make<To>(r);
}
template <typename From, typename To>
V128 Extmul(const V128& a, const V128& b, bool high) {
  return Mul<To>(Extend<From, To>(a, high), Extend<From, To>(b, high));
}
template <typename From, typename To>
V128 ExtaddPairwise(const V128& a) {
  Lanes<To> r;
  for (size_t k = 0; k < kLanes<To>; ++k) {
    r[k] = static_cast<To>(To{Get<From>(a)[2 * k]} + To{Get<From>(a)[2 * k + 1]});
  }
  return Make<To>(r);
}
// Products of neighbours, added modulo 2^width.
template <typename From, typename To>
V128 Dot(const V128& a, const V128& b) {
  Lanes<To> r;
  for (size_t k = 0; k < kLanes<To>; ++k) {
    r[k] = Wrap<To>(Wide(Get<From>(a)[2 * k]) * Wide(Get<From>(b)[2 * k]) +
                    Wide(Get<From>(a)[2 * k + 1]) * Wide(Get<From>(b)[2 * k + 1]));
  }
  return Make<To>(r);
}
V128 Q15Mulr(const V128& a, const V128& b) {
  return Map<int16_t>(a, b, [](int16_t x, int16_t y) {
    return Saturate<int16_t>((int64_t{x} * y + 0x4000) >> 15);
  });
}
V128 Swizzle(const V128& a, const V128& indices) {
  return Map<uint8_t>(indices, [&](uint8_t i) { return i < 16 ? a[i] : uint8_t{0}; });
}
V128 Bitselect(const V128& a, const V128& b, const V128& c) {
  V128 r;
  for (size_t k = 0; k < 16; ++k) r[k] = static_cast<uint8_t>((a[k] & c[k]) | (b[k] & ~c[k]));
  return r;
}

}  // namespace

SimdExpectation SimdReference(SimdOp op, absl::Span<const V128> operands, uint8_t lane) {
  const V128 a = operands[0];
  const V128 b = operands.size() > 1 ? operands[1] : V128{};
  const V128 c = operands.size() > 2 ? operands[2] : V128{};
  switch (op) {
    // -- lanes
    case SimdOp::kI8x16Splat:
      return {Splat(Scalar<uint8_t>(a))};
    case SimdOp::kI16x8Splat:
      return {Splat(Scalar<uint16_t>(a))};
    case SimdOp::kI32x4Splat:
    case SimdOp::kF32x4Splat:
      return {Splat(Scalar<uint32_t>(a))};
    case SimdOp::kI64x2Splat:
    case SimdOp::kF64x2Splat:
      return {Splat(Scalar<uint64_t>(a))};
    case SimdOp::kI8x16ExtractLaneS:
      return {FromScalar(int32_t{Get<int8_t>(a)[lane]})};
    case SimdOp::kI8x16ExtractLaneU:
      return {FromScalar(uint32_t{Get<uint8_t>(a)[lane]})};
    case SimdOp::kI16x8ExtractLaneS:
      return {FromScalar(int32_t{Get<int16_t>(a)[lane]})};
    case SimdOp::kI16x8ExtractLaneU:
      return {FromScalar(uint32_t{Get<uint16_t>(a)[lane]})};
    case SimdOp::kI32x4ExtractLane:
    case SimdOp::kF32x4ExtractLane:
      return {FromScalar(Get<uint32_t>(a)[lane])};
    case SimdOp::kI64x2ExtractLane:
    case SimdOp::kF64x2ExtractLane:
      return {FromScalar(Get<uint64_t>(a)[lane])};
    case SimdOp::kI8x16ReplaceLane:
      return {Replace(a, lane, Scalar<uint8_t>(b))};
    case SimdOp::kI16x8ReplaceLane:
      return {Replace(a, lane, Scalar<uint16_t>(b))};
    case SimdOp::kI32x4ReplaceLane:
    case SimdOp::kF32x4ReplaceLane:
      return {Replace(a, lane, Scalar<uint32_t>(b))};
    case SimdOp::kI64x2ReplaceLane:
    case SimdOp::kF64x2ReplaceLane:
      return {Replace(a, lane, Scalar<uint64_t>(b))};
    case SimdOp::kI8x16Swizzle:
    case SimdOp::kI8x16RelaxedSwizzle:
      return {Swizzle(a, b)};
    case SimdOp::kI32x4Low:
      return {FromScalar(Scalar<uint32_t>(a))};
    case SimdOp::kI64x2Low:
      return {FromScalar(Scalar<uint64_t>(a))};

// -- comparison
#define COMPARE(Shape, Suffix, T, relation) \
  case SimdOp::k##Shape##Suffix:            \
    return {Compare<T>(a, b, [](T x, T y) { return x relation y; })};
#define COMPARE_INT(Shape, S, U) \
  COMPARE(Shape, Eq, U, ==)      \
  COMPARE(Shape, Ne, U, !=)      \
  COMPARE(Shape, LtS, S, <)      \
  COMPARE(Shape, GtS, S, >)      \
  COMPARE(Shape, LeS, S, <=)     \
  COMPARE(Shape, GeS, S, >=)
#define COMPARE_UNSIGNED(Shape, U) \
  COMPARE(Shape, LtU, U, <)        \
  COMPARE(Shape, GtU, U, >)        \
  COMPARE(Shape, LeU, U, <=)       \
  COMPARE(Shape, GeU, U, >=)
      COMPARE_INT(I8x16, int8_t, uint8_t)
      COMPARE_INT(I16x8, int16_t, uint16_t)
      COMPARE_INT(I32x4, int32_t, uint32_t)
      COMPARE_INT(I64x2, int64_t, uint64_t)
      COMPARE_UNSIGNED(I8x16, uint8_t)
      COMPARE_UNSIGNED(I16x8, uint16_t)
      COMPARE_UNSIGNED(I32x4, uint32_t)
#undef COMPARE
#undef COMPARE_INT
#undef COMPARE_UNSIGNED

    // -- bitwise
    case SimdOp::kV128Not:
      return {Map<uint64_t>(a, [](uint64_t x) { return ~x; })};
    case SimdOp::kV128And:
      return {Map<uint64_t>(a, b, [](uint64_t x, uint64_t y) { return x & y; })};
    case SimdOp::kV128Andnot:
      return {Map<uint64_t>(a, b, [](uint64_t x, uint64_t y) { return x & ~y; })};
    case SimdOp::kV128Or:
      return {Map<uint64_t>(a, b, [](uint64_t x, uint64_t y) { return x | y; })};
    case SimdOp::kV128Xor:
      return {Map<uint64_t>(a, b, [](uint64_t x, uint64_t y) { return x ^ y; })};
    case SimdOp::kV128Bitselect:
    case SimdOp::kI8x16RelaxedLaneselect:
    case SimdOp::kI16x8RelaxedLaneselect:
    case SimdOp::kI32x4RelaxedLaneselect:
    case SimdOp::kI64x2RelaxedLaneselect:
      return {Bitselect(a, b, c)};
    case SimdOp::kV128AnyTrue:
      return {FromScalar<uint32_t>(a != V128{} ? 1 : 0)};
    case SimdOp::kI8x16Popcnt:
      return {Map<uint8_t>(a, [](uint8_t x) {
        int count = 0;
        for (int k = 0; k < 8; ++k) count += x >> k & 1;
        return static_cast<uint8_t>(count);
      })};

// -- integer lanes
#define EACH_INT(Shape, S, U)     \
  case SimdOp::k##Shape##Abs:     \
    return {Abs<S>(a)};           \
  case SimdOp::k##Shape##Neg:     \
    return {Neg<S>(a)};           \
  case SimdOp::k##Shape##AllTrue: \
    return {AllTrue<U>(a)};       \
  case SimdOp::k##Shape##Bitmask: \
    return {Bitmask<S>(a)};       \
  case SimdOp::k##Shape##Shl:     \
    return {Shl<U>(a, b)};        \
  case SimdOp::k##Shape##ShrS:    \
    return {Shr<S>(a, b)};        \
  case SimdOp::k##Shape##ShrU:    \
    return {Shr<U>(a, b)};        \
  case SimdOp::k##Shape##Add:     \
    return {Add<U>(a, b)};        \
  case SimdOp::k##Shape##Sub:     \
    return {Sub<U>(a, b)};
#define SATURATING(Shape, S, U)   \
  case SimdOp::k##Shape##AddSatS: \
    return {AddSat<S>(a, b)};     \
  case SimdOp::k##Shape##AddSatU: \
    return {AddSat<U>(a, b)};     \
  case SimdOp::k##Shape##SubSatS: \
    return {SubSat<S>(a, b)};     \
  case SimdOp::k##Shape##SubSatU: \
    return {SubSat<U>(a, b)};     \
  case SimdOp::k##Shape##AvgrU:   \
    return {Avgr<U>(a, b)};
#define MINMAX(Shape, S, U)    \
  case SimdOp::k##Shape##MinS: \
    return {Min<S>(a, b)};     \
  case SimdOp::k##Shape##MinU: \
    return {Min<U>(a, b)};     \
  case SimdOp::k##Shape##MaxS: \
    return {Max<S>(a, b)};     \
  case SimdOp::k##Shape##MaxU: \
    return {Max<U>(a, b)};
      EACH_INT(I8x16, int8_t, uint8_t)
      EACH_INT(I16x8, int16_t, uint16_t)
      EACH_INT(I32x4, int32_t, uint32_t)
      EACH_INT(I64x2, int64_t, uint64_t)
      SATURATING(I8x16, int8_t, uint8_t)
      SATURATING(I16x8, int16_t, uint16_t)
      MINMAX(I8x16, int8_t, uint8_t)
      MINMAX(I16x8, int16_t, uint16_t)
      MINMAX(I32x4, int32_t, uint32_t)
#undef EACH_INT
#undef SATURATING
#undef MINMAX
    case SimdOp::kI8x16NarrowI16x8S:
      return {Narrow<int16_t, int8_t>(a, b)};
    case SimdOp::kI8x16NarrowI16x8U:
      return {Narrow<int16_t, uint8_t>(a, b)};
    case SimdOp::kI16x8NarrowI32x4S:
      return {Narrow<int32_t, int16_t>(a, b)};
    case SimdOp::kI16x8NarrowI32x4U:
      return {Narrow<int32_t, uint16_t>(a, b)};
    case SimdOp::kI16x8Mul:
      return {Mul<uint16_t>(a, b)};
    case SimdOp::kI32x4Mul:
      return {Mul<uint32_t>(a, b)};
    case SimdOp::kI64x2Mul:
      return {Mul<uint64_t>(a, b)};
    case SimdOp::kI16x8Q15mulrSatS:
    case SimdOp::kI16x8RelaxedQ15mulrS:
      return {Q15Mulr(a, b)};
    case SimdOp::kI32x4DotI16x8S:
      return {Dot<int16_t, int32_t>(a, b)};
    case SimdOp::kI16x8ExtaddPairwiseI8x16S:
      return {ExtaddPairwise<int8_t, int16_t>(a)};
    case SimdOp::kI16x8ExtaddPairwiseI8x16U:
      return {ExtaddPairwise<uint8_t, uint16_t>(a)};
    case SimdOp::kI32x4ExtaddPairwiseI16x8S:
      return {ExtaddPairwise<int16_t, int32_t>(a)};
    case SimdOp::kI32x4ExtaddPairwiseI16x8U:
      return {ExtaddPairwise<uint16_t, uint32_t>(a)};

#define EXTEND(Name, high, Signed, ToSigned, Unsigned, ToUnsigned) \
  case SimdOp::k##Name##S:                                         \
    return {Extend<Signed, ToSigned>(a, high)};                    \
  case SimdOp::k##Name##U:                                         \
    return {Extend<Unsigned, ToUnsigned>(a, high)};
#define EXTMUL(Name, high, Signed, ToSigned, Unsigned, ToUnsigned) \
  case SimdOp::k##Name##S:                                         \
    return {Extmul<Signed, ToSigned>(a, b, high)};                 \
  case SimdOp::k##Name##U:                                         \
    return {Extmul<Unsigned, ToUnsigned>(a, b, high)};
      EXTEND(I16x8ExtendLowI8x16, false, I8, I16, U8, U16)
      EXTEND(I16x8ExtendHighI8x16, true, I8, I16, U8, U16)
      EXTEND(I32x4ExtendLowI16x8, false, I16, I32, U16, U32)
      EXTEND(I32x4ExtendHighI16x8, true, I16, I32, U16, U32)
      EXTEND(I64x2ExtendLowI32x4, false, I32, I64, U32, U64)
      EXTEND(I64x2ExtendHighI32x4, true, I32, I64, U32, U64)
      EXTMUL(I16x8ExtmulLowI8x16, false, I8, I16, U8, U16)
      EXTMUL(I16x8ExtmulHighI8x16, true, I8, I16, U8, U16)
      EXTMUL(I32x4ExtmulLowI16x8, false, I16, I32, U16, U32)
      EXTMUL(I32x4ExtmulHighI16x8, true, I16, I32, U16, U32)
      EXTMUL(I64x2ExtmulLowI32x4, false, I32, I64, U32, U64)
      EXTMUL(I64x2ExtmulHighI32x4, true, I32, I64, U32, U64)
#undef EXTEND
#undef EXTMUL

    // -- relaxed dot products
    case SimdOp::kI16x8RelaxedDotI8x16I7x16S:
      return {Dot<int8_t, int16_t>(a, b)};
    case SimdOp::kI32x4RelaxedDotI8x16I7x16AddS:
      return {Add<uint32_t>(ExtaddPairwise<int16_t, int32_t>(Dot<int8_t, int16_t>(a, b)), c)};
    default:
      return FloatReference(op, a, b, c);
  }
}

std::string ToString(const V128& v) {
  std::string text;
  for (uint8_t byte : v) absl::StrAppend(&text, absl::Hex(byte, absl::kZeroPad2));
  return text;
}

}  // namespace precast::x64::testing
