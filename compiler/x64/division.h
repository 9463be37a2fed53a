// Division by a constant as a multiplication. Source: H. S. Warren, "Hacker's Delight", 2nd ed.,
// chapter 10.
#ifndef PRECAST_COMPILER_X64_DIVISION_H_
#define PRECAST_COMPILER_X64_DIVISION_H_

#include <cstdint>

namespace precast::x64 {

// n / d for unsigned n of w = 32 or 64 bits: if not `add`, (n * multiplier) >> (w + shift); else
// with t = (n * multiplier) >> w: (((n - t) >> 1) + t) >> (shift - 1).
template <typename Unsigned>
struct UnsignedMagic {
  Unsigned multiplier;
  uint8_t shift;
  bool add;
};
// `d` is not a power of two (hence at least 3).
UnsignedMagic<uint32_t> MagicUnsigned(uint32_t d);
UnsignedMagic<uint64_t> MagicUnsigned(uint64_t d);

// n / d for signed n: q = high half of n * multiplier; q += n if d > 0 > multiplier; q -= n
// if d < 0 < multiplier; q >>= shift (arithmetic); q += sign bit of q.
template <typename Signed>
struct SignedMagic {
  Signed multiplier;
  uint8_t shift;
};
// `d` is not -1, 0, 1.
SignedMagic<int32_t> MagicSigned(int32_t d);
SignedMagic<int64_t> MagicSigned(int64_t d);

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_DIVISION_H_
