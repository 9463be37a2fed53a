// The libgcc functions as hardware arithmetic. Bit for bit what libgcc for RISC-V computes, but for
// 64-bit division by
// 0. Floating point is soft-fp:
// round to nearest even, subnormal numbers, one NaN (0x7ff8…, 0x7fc0…) for all but
// __extendsfdf2. Conversions to
// integers saturate; a NaN counts as infinite with its sign.
#include "runtime/interpreter/helpers.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace precast::runtime {
namespace {

uint64_t Join(const uint32_t* a) { return uint64_t{a[1]} << 32 | a[0]; }
double Df(const uint32_t* a) { return std::bit_cast<double>(Join(a)); }
float Sf(const uint32_t* a) { return std::bit_cast<float>(*a); }

void Put(uint32_t* a, uint64_t v) {
  a[0] = static_cast<uint32_t>(v);
  a[1] = static_cast<uint32_t>(v >> 32);
}
void Put(uint32_t* a, double v) {
  Put(a, std::isnan(v) ? uint64_t{0x7ff8000000000000} : std::bit_cast<uint64_t>(v));
}
void Put(uint32_t* a, float v) { a[0] = std::isnan(v) ? 0x7fc00000 : std::bit_cast<uint32_t>(v); }

// -1, 0 or 1; `unordered` if an operand is NaN.
template <typename T>
uint32_t Compare(T x, T y, int unordered) {
  if (std::isnan(x) || std::isnan(y)) return static_cast<uint32_t>(unordered);
  return static_cast<uint32_t>((x > y) - (x < y));
}

template <typename T>
uint32_t ToSigned(T x) {
  if (x > T(-2147483649.0) && x < T(2147483648.0)) {
    return static_cast<uint32_t>(static_cast<int32_t>(x));
  }
  return std::signbit(x) ? 0x80000000 : 0x7fffffff;
}
template <typename T>
uint32_t ToUnsigned(T x) {
  if (x > T(-1.0) && x < T(4294967296.0)) return static_cast<uint32_t>(static_cast<int64_t>(x));
  return std::signbit(x) ? 0 : 0xffffffff;
}

// As RISC-V's div and rem, for 64 bits.
struct Division {
  uint64_t quotient, remainder;
};
Division Divide(uint64_t x, uint64_t y) {
  if (y == 0) return {~uint64_t{0}, x};
  if (y == ~uint64_t{0}) return {uint64_t{0} - x, 0};
  return {static_cast<uint64_t>(static_cast<int64_t>(x) / static_cast<int64_t>(y)),
          static_cast<uint64_t>(static_cast<int64_t>(x) % static_cast<int64_t>(y))};
}

// 0, 1 or 2: less, equal, greater.
template <typename T>
uint32_t Order(T x, T y) {
  return x < y ? 0 : x == y ? 1 : 2;
}

}  // namespace

void RunHelper(abi::Helper helper, uint32_t* a) {
  using abi::Helper;
  switch (helper) {
    case Helper::kAddDf:
      return Put(a, Df(a) + Df(a + 2));
    case Helper::kSubDf:
      return Put(a, Df(a) - Df(a + 2));
    case Helper::kMulDf:
      return Put(a, Df(a) * Df(a + 2));
    case Helper::kDivDf:
      return Put(a, Df(a) / Df(a + 2));
    case Helper::kAddSf:
      return Put(a, Sf(a) + Sf(a + 1));
    case Helper::kSubSf:
      return Put(a, Sf(a) - Sf(a + 1));
    case Helper::kMulSf:
      return Put(a, Sf(a) * Sf(a + 1));
    case Helper::kDivSf:
      return Put(a, Sf(a) / Sf(a + 1));
    case Helper::kEqDf:
    case Helper::kNeDf:
      a[0] = Df(a) == Df(a + 2) ? 0 : 1;
      return;
    case Helper::kLtDf:
    case Helper::kLeDf:
      a[0] = Compare(Df(a), Df(a + 2), 2);
      return;
    case Helper::kGtDf:
    case Helper::kGeDf:
      a[0] = Compare(Df(a), Df(a + 2), -2);
      return;
    case Helper::kUnordDf:
      a[0] = std::isnan(Df(a)) || std::isnan(Df(a + 2)) ? 1 : 0;
      return;
    case Helper::kEqSf:
    case Helper::kNeSf:
      a[0] = Sf(a) == Sf(a + 1) ? 0 : 1;
      return;
    case Helper::kLtSf:
    case Helper::kLeSf:
      a[0] = Compare(Sf(a), Sf(a + 1), 2);
      return;
    case Helper::kGtSf:
    case Helper::kGeSf:
      a[0] = Compare(Sf(a), Sf(a + 1), -2);
      return;
    case Helper::kUnordSf:
      a[0] = std::isnan(Sf(a)) || std::isnan(Sf(a + 1)) ? 1 : 0;
      return;
    case Helper::kFixDfSi:
      a[0] = ToSigned(Df(a));
      return;
    case Helper::kFixunsDfSi:
      a[0] = ToUnsigned(Df(a));
      return;
    case Helper::kFloatSiDf:
      return Put(a, static_cast<double>(static_cast<int32_t>(a[0])));
    case Helper::kFloatunSiDf:
      return Put(a, static_cast<double>(a[0]));
    case Helper::kFloatDiDf:
      return Put(a, static_cast<double>(static_cast<int64_t>(Join(a))));
    case Helper::kFloatunDiDf:
      return Put(a, static_cast<double>(Join(a)));
    case Helper::kFixSfSi:
      // Every float below 2^31 that is not below -2^31 fits.
      a[0] = ToSigned(static_cast<double>(Sf(a)));
      return;
    case Helper::kFixunsSfSi:
      a[0] = ToUnsigned(static_cast<double>(Sf(a)));
      return;
    case Helper::kFloatSiSf:
      return Put(a, static_cast<float>(static_cast<int32_t>(a[0])));
    case Helper::kFloatunSiSf:
      return Put(a, static_cast<float>(a[0]));
    case Helper::kExtendSfDf:
      // Keeps sign and payload of a NaN, and makes it quiet, as the processor does.
      return Put(a, std::bit_cast<uint64_t>(static_cast<double>(Sf(a))));
    case Helper::kTruncDfSf:
      return Put(a, static_cast<float>(Df(a)));
    case Helper::kMulDi:
      return Put(a, Join(a) * Join(a + 2));
    case Helper::kDivDi:
      return Put(a, Divide(Join(a), Join(a + 2)).quotient);
    case Helper::kModDi:
      return Put(a, Divide(Join(a), Join(a + 2)).remainder);
    case Helper::kUdivDi:
      return Put(a, Join(a + 2) != 0 ? Join(a) / Join(a + 2) : ~uint64_t{0});
    case Helper::kUmodDi:
      return Put(a, Join(a + 2) != 0 ? Join(a) % Join(a + 2) : Join(a));
    case Helper::kCmpDi:
      a[0] = Order(static_cast<int64_t>(Join(a)), static_cast<int64_t>(Join(a + 2)));
      return;
    case Helper::kUcmpDi:
      a[0] = Order(Join(a), Join(a + 2));
      return;
    case Helper::kClzSi:
      a[0] = static_cast<uint32_t>(std::countl_zero(a[0]));
      return;
    case Helper::kClzDi:
      a[0] = static_cast<uint32_t>(std::countl_zero(Join(a)));
      return;
  }
}

}  // namespace precast::runtime
