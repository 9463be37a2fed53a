#include "compiler/x64/division.h"

#include <cstdint>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"

namespace precast::x64 {
namespace {

__extension__ using Wide = __int128;
__extension__ using UnsignedWide = unsigned __int128;

template <typename Unsigned>
constexpr int kBits = std::numeric_limits<Unsigned>::digits;

template <typename Unsigned>
Unsigned Divide(const UnsignedMagic<Unsigned>& magic, Unsigned n) {
  const UnsignedWide product = UnsignedWide{n} * magic.multiplier;
  if (!magic.add) return static_cast<Unsigned>(product >> (kBits<Unsigned> + magic.shift));
  const Unsigned t = static_cast<Unsigned>(product >> kBits<Unsigned>);
  return (((n - t) >> 1) + t) >> (magic.shift - 1);
}

template <typename Signed>
Signed Divide(const SignedMagic<Signed>& magic, Signed n, Signed d) {
  using Unsigned = std::make_unsigned_t<Signed>;
  const Wide product = Wide{n} * magic.multiplier;
  Unsigned q = static_cast<Unsigned>(static_cast<UnsignedWide>(product) >> kBits<Unsigned>);
  if (d > 0 && magic.multiplier < 0) q += static_cast<Unsigned>(n);
  if (d < 0 && magic.multiplier > 0) q -= static_cast<Unsigned>(n);
  q = static_cast<Unsigned>(static_cast<Signed>(q) >> magic.shift);
  return static_cast<Signed>(q + (q >> (kBits<Unsigned> - 1)));
}

// Dividends around every multiple of interest: where a wrong multiplier shows first.
template <typename Unsigned>
std::vector<Unsigned> Dividends(Unsigned d, std::mt19937_64& rng) {
  constexpr Unsigned kTop = Unsigned{1} << (kBits<Unsigned> - 1);
  constexpr Unsigned kMax = std::numeric_limits<Unsigned>::max();
  std::vector<Unsigned> v = {0, 1, d - 1, d, d + 1, kTop - 1, kTop, kTop + 1, kMax};
  const Unsigned largest = kMax / d * d;
  for (Unsigned k : {largest - 1, largest, largest + 1}) v.push_back(k);
  for (int i = 0; i < 8; ++i) v.push_back(static_cast<Unsigned>(rng()));
  return v;
}

template <typename Unsigned>
void TestUnsigned() {
  std::mt19937_64 rng(1);
  for (int i = 0; i < 200000; ++i) {
    Unsigned d = i < 20000 ? static_cast<Unsigned>(i)
                           : static_cast<Unsigned>(rng()) >> (rng() % (kBits<Unsigned> - 1));
    if (i > 100000 && i < 120000) d = Unsigned{0} - static_cast<Unsigned>(i - 100000);
    if (d == 0 || (d & (d - 1)) == 0) continue;
    const UnsignedMagic<Unsigned> magic = MagicUnsigned(d);
    for (Unsigned n : Dividends(d, rng)) ASSERT_EQ(Divide(magic, n), n / d) << n << " / " << d;
  }
}

template <typename Signed>
void TestSigned() {
  using Unsigned = std::make_unsigned_t<Signed>;
  std::mt19937_64 rng(2);
  for (int i = 0; i < 200000; ++i) {
    Signed d =
        i < 20000 ? i - 10000 : static_cast<Signed>(rng()) >> (rng() % (kBits<Unsigned> - 1));
    if (i == 20000) d = std::numeric_limits<Signed>::min();
    if (d >= -1 && d <= 1) continue;
    const SignedMagic<Signed> magic = MagicSigned(d);
    for (Unsigned bits : Dividends(static_cast<Unsigned>(d), rng)) {
      const Signed n = static_cast<Signed>(bits);
      ASSERT_EQ(Divide(magic, n, d), n / d) << n << " / " << d;
    }
  }
}

TEST(DivisionTest, Unsigned32) { TestUnsigned<uint32_t>(); }
TEST(DivisionTest, Unsigned64) { TestUnsigned<uint64_t>(); }
TEST(DivisionTest, Signed32) { TestSigned<int32_t>(); }
TEST(DivisionTest, Signed64) { TestSigned<int64_t>(); }

}  // namespace
}  // namespace precast::x64
