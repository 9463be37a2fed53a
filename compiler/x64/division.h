// Division by a constant as a multiplication. Source: H. S. Warren, "Hacker's Delight", 2nd ed.,
// chapter 10.
#ifndef PRECAST_COMPILER_X64_DIVISION_H_
#define PRECAST_COMPILER_X64_DIVISION_H_

#include <cstdint>

namespace precast::x64 {

// n / d for unsigned 32-bit n: if not `add`, (n * multiplier) >> (32 + shift); else with
// t = (n * multiplier) >> 32: (((n - t) >> 1) + t) >> (shift - 1).
struct UnsignedMagic {
  uint32_t multiplier;
  uint8_t shift;
  bool add;
};
// `d` is not a power of two (hence at least 3).
UnsignedMagic MagicUnsigned(uint32_t d);

// n / d for signed 32-bit n: q = high half of n * multiplier; q += n if d > 0 > multiplier; q -= n
// if d < 0 < multiplier; q >>= shift (arithmetic); q += sign bit of q.
struct SignedMagic {
  int32_t multiplier;
  uint8_t shift;
};
// `d` is not -1, 0, 1.
SignedMagic MagicSigned(int32_t d);

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_DIVISION_H_
