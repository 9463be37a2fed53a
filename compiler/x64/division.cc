// See division.h.
#include "compiler/x64/division.h"

#include <limits>
#include <type_traits>

#include "absl/log/check.h"
#include "absl/numeric/bits.h"

namespace precast::x64 {
namespace {

// `Wide` has twice the bits of `Unsigned`.
template <typename Unsigned, typename Wide>
UnsignedMagic<Unsigned> Compute(Unsigned d) {
  DCHECK(!absl::has_single_bit(d) && d != 0);
  constexpr uint32_t kBits = std::numeric_limits<Unsigned>::digits;
  // The smallest shift for which m = ceil(2^(w+shift) / d) is close enough: m*d - 2^(w+shift) <=
  // 2^shift.
  const uint32_t max_shift = static_cast<uint32_t>(absl::bit_width(d));
  for (uint32_t shift = 0; shift < max_shift; ++shift) {
    const Wide power = Wide{1} << (kBits + shift);
    const Wide m = power / d + 1;  // d does not divide a power of two
    if (m <= std::numeric_limits<Unsigned>::max() && m * d - power <= Wide{1} << shift) {
      return {static_cast<Unsigned>(m), static_cast<uint8_t>(shift), false};
    }
  }
  // m has w+1 bits at shift = ceil(log2 d); its top bit is the added n. 2^(w+shift) may be too
  // wide, so the lower bits are computed as floor(2^w * (2^shift - d) / d) + 1.
  const Wide low = (((Wide{1} << max_shift) - d) << kBits) / d + 1;
  return {static_cast<Unsigned>(low), static_cast<uint8_t>(max_shift), true};
}

template <typename Signed>
SignedMagic<Signed> ComputeSigned(Signed d) {
  DCHECK(d < -1 || d > 1);
  using Unsigned = std::make_unsigned_t<Signed>;
  constexpr uint32_t kBits = std::numeric_limits<Unsigned>::digits;
  constexpr Unsigned kTop = Unsigned{1} << (kBits - 1);
  const Unsigned bits = static_cast<Unsigned>(d);
  const Unsigned ad = d < 0 ? Unsigned{0} - bits : bits;
  const Unsigned t = kTop + (bits >> (kBits - 1));
  const Unsigned anc = t - 1 - t % ad;
  uint32_t p = kBits - 1;
  Unsigned q1 = kTop / anc, r1 = kTop - q1 * anc;
  Unsigned q2 = kTop / ad, r2 = kTop - q2 * ad;
  Unsigned delta;
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
  const Unsigned m = q2 + 1;
  return {static_cast<Signed>(d < 0 ? Unsigned{0} - m : m), static_cast<uint8_t>(p - kBits)};
}

}  // namespace

UnsignedMagic<uint32_t> MagicUnsigned(uint32_t d) { return Compute<uint32_t, uint64_t>(d); }

UnsignedMagic<uint64_t> MagicUnsigned(uint64_t d) {
  __extension__ using Wide = unsigned __int128;
  return Compute<uint64_t, Wide>(d);
}

SignedMagic<int32_t> MagicSigned(int32_t d) { return ComputeSigned(d); }
SignedMagic<int64_t> MagicSigned(int64_t d) { return ComputeSigned(d); }

}  // namespace precast::x64
