// See division.h.
#include "compiler/x64/division.h"

#include "absl/log/check.h"
#include "absl/numeric/bits.h"

namespace precast::x64 {

UnsignedMagic MagicUnsigned(uint32_t d) {
  DCHECK(!absl::has_single_bit(d) && d != 0);
  // The smallest shift for which m = ceil(2^(32+shift) / d) is close enough: m*d - 2^(32+shift) <=
  // 2^shift.
  const uint32_t max_shift = static_cast<uint32_t>(absl::bit_width(d));
  for (uint32_t shift = 0; shift < max_shift; ++shift) {
    const uint64_t power = uint64_t{1} << (32 + shift);
    const uint64_t m = power / d + 1;  // d does not divide a power of two
    if (m <= 0xffffffffu && m * d - power <= uint64_t{1} << shift) {
      return {static_cast<uint32_t>(m), static_cast<uint8_t>(shift), false};
    }
  }
  // m has 33 bits at shift = ceil(log2 d); its top bit is the added n. 2^(32+shift) may be 2^64, so
  // the lower 32 bits are computed as floor(2^32 * (2^shift - d) / d) + 1.
  const uint64_t low = (((uint64_t{1} << max_shift) - d) << 32) / d + 1;
  return {static_cast<uint32_t>(low), static_cast<uint8_t>(max_shift), true};
}

SignedMagic MagicSigned(int32_t d) {
  DCHECK(d < -1 || d > 1);
  constexpr uint32_t kTwo31 = 0x80000000u;
  const uint32_t bits = static_cast<uint32_t>(d);
  const uint32_t ad = d < 0 ? 0u - bits : bits;
  const uint32_t t = kTwo31 + (bits >> 31);
  const uint32_t anc = t - 1 - t % ad;
  uint32_t p = 31;
  uint32_t q1 = kTwo31 / anc, r1 = kTwo31 - q1 * anc;
  uint32_t q2 = kTwo31 / ad, r2 = kTwo31 - q2 * ad;
  uint32_t delta;
  do {
    ++p;
    q1 *= 2;
    r1 *= 2;
    if (r1 >= anc) {
      ++q1;
      r1 -= anc;
    }
    q2 *= 2;
    r2 *= 2;
    if (r2 >= ad) {
      ++q2;
      r2 -= ad;
    }
    delta = ad - r2;
  } while (q1 < delta || (q1 == delta && r1 == 0));
  const uint32_t m = q2 + 1;
  return {static_cast<int32_t>(d < 0 ? 0u - m : m), static_cast<uint8_t>(p - 32)};
}

}  // namespace precast::x64
