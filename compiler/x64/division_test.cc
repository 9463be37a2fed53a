#include "compiler/x64/division.h"

#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace precast::x64 {
namespace {

uint32_t Divide(const UnsignedMagic& magic, uint32_t n) {
  const uint64_t product = uint64_t{n} * magic.multiplier;
  if (!magic.add) return static_cast<uint32_t>(product >> (32 + magic.shift));
  const uint32_t t = static_cast<uint32_t>(product >> 32);
  return (((n - t) >> 1) + t) >> (magic.shift - 1);
}

int32_t Divide(const SignedMagic& magic, int32_t n, int32_t d) {
  const int64_t product = int64_t{n} * magic.multiplier;
  uint32_t q = static_cast<uint32_t>(static_cast<uint64_t>(product) >> 32);
  if (d > 0 && magic.multiplier < 0) q += static_cast<uint32_t>(n);
  if (d < 0 && magic.multiplier > 0) q -= static_cast<uint32_t>(n);
  q = static_cast<uint32_t>(static_cast<int32_t>(q) >> magic.shift);
  return static_cast<int32_t>(q + (q >> 31));
}

// Dividends around every multiple of interest: where a wrong multiplier shows first.
std::vector<uint32_t> Dividends(uint32_t d, std::mt19937& rng) {
  std::vector<uint32_t> v = {0, 1, d - 1, d, d + 1, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff};
  const uint32_t largest = 0xffffffffu / d * d;
  for (uint32_t k : {largest - 1, largest, largest + 1}) v.push_back(k);
  for (int i = 0; i < 8; ++i) v.push_back(rng());
  return v;
}

TEST(DivisionTest, Unsigned) {
  std::mt19937 rng(1);
  for (int i = 0; i < 200000; ++i) {
    uint32_t d = i < 20000 ? static_cast<uint32_t>(i) : rng() >> (rng() % 31);
    if (i > 100000 && i < 120000) d = 0u - static_cast<uint32_t>(i - 100000);
    if (d == 0 || (d & (d - 1)) == 0) continue;
    const UnsignedMagic magic = MagicUnsigned(d);
    for (uint32_t n : Dividends(d, rng)) ASSERT_EQ(Divide(magic, n), n / d) << n << " / " << d;
  }
}

TEST(DivisionTest, Signed) {
  std::mt19937 rng(2);
  for (int i = 0; i < 200000; ++i) {
    int32_t d = i < 20000 ? i - 10000 : static_cast<int32_t>(rng()) >> (rng() % 31);
    if (i == 20000) d = std::numeric_limits<int32_t>::min();
    if (d >= -1 && d <= 1) continue;
    const SignedMagic magic = MagicSigned(d);
    for (uint32_t bits : Dividends(static_cast<uint32_t>(d), rng)) {
      const int32_t n = static_cast<int32_t>(bits);
      ASSERT_EQ(Divide(magic, n, d), n / d) << n << " / " << d;
    }
  }
}

}  // namespace
}  // namespace precast::x64
