#include "openvm/primitives/montgomery.h"

#include <random>

#include "gtest/gtest.h"

namespace precast::openvm {
namespace {

template <typename T>
class MontgomeryTest : public testing::Test {};

template <int limbs>
struct Size {
  static constexpr int n = limbs;
};
using Sizes = testing::Types<Size<4>, Size<6>>;
TYPED_TEST_SUITE(MontgomeryTest, Sizes);

template <int n>
Limbs<n> Random(std::mt19937_64& random) {
  Limbs<n> result;
  for (uint64_t& limb : result.limb) {
    const uint64_t kind = random() % 8;
    limb = kind == 0 ? 0 : kind == 1 ? ~uint64_t{0} : random();
  }
  return result;
}

template <int n>
Limbs<n> RandomModulus(std::mt19937_64& random) {
  Limbs<n> result = Random<n>(random);
  const int limbs = static_cast<int>(random() % n) + 1;
  for (int i = limbs; i < n; ++i) result.limb[i] = 0;
  result.limb[0] |= 3;
  return result;
}

// The assembly does the same as plain C++, also for a factor that is not reduced; and both are what
// the definition says, up to the constants that the ring computes with the same function.
TYPED_TEST(MontgomeryTest, AssemblyEqualsPortable) {
  constexpr int n = TypeParam::n;
  std::mt19937_64 random(n);
  for (int i = 0; i < 3000; ++i) {
    const Limbs<n> m = RandomModulus<n>(random);
    const MontgomeryRing<n> fast(m), portable(m, true);
    const Limbs<n> a = fast.Reduce(Random<n>(random));
    const Limbs<n> b = Random<n>(random);
    EXPECT_EQ(fast.Mul(a, b), portable.Mul(a, b));
    EXPECT_EQ(fast.Mul(b, a), portable.Mul(a, b));
    EXPECT_LT(fast.Mul(a, b), m);
    EXPECT_EQ(fast.one(), portable.one());
  }
}

TYPED_TEST(MontgomeryTest, RingLaws) {
  constexpr int n = TypeParam::n;
  std::mt19937_64 random(10 + n);
  for (int i = 0; i < 1000; ++i) {
    const MontgomeryRing<n> ring(RandomModulus<n>(random));
    const Limbs<n> a = ring.Reduce(Random<n>(random));
    const Limbs<n> b = ring.Reduce(Random<n>(random));
    const Limbs<n> c = ring.Reduce(Random<n>(random));
    EXPECT_EQ(ring.FromMontgomery(ring.ToMontgomery(a)), a);
    EXPECT_EQ(ring.Mul(a, ring.one()), a);
    EXPECT_EQ(ring.Sub(ring.Add(a, b), b), a);
    EXPECT_EQ(ring.Add(a, ring.Negate(a)), Limbs<n>{});
    EXPECT_EQ(ring.Mul(a, ring.Add(b, c)), ring.Add(ring.Mul(a, b), ring.Mul(a, c)));
    EXPECT_EQ(ring.Mul(ring.Mul(a, b), c), ring.Mul(a, ring.Mul(b, c)));
    EXPECT_LT(ring.Add(a, b), ring.modulus());
  }
}

// gcd by subtraction and halving; m odd.
template <int n>
bool Coprime(Limbs<n> a, Limbs<n> m) {
  const auto halve = [](Limbs<n>& x) {
    for (int i = 0; i < n; ++i) {
      x.limb[i] = x.limb[i] >> 1 | (i + 1 < n ? x.limb[i + 1] << 63 : 0);
    }
  };
  while (!a.IsZero()) {
    while (a.limb[0] % 2 == 0) halve(a);
    if (a < m) std::swap(a, m);
    SubLimbs(a, a, m);
  }
  return m == Limbs<n>{1};
}

TYPED_TEST(MontgomeryTest, Inversion) {
  constexpr int n = TypeParam::n;
  std::mt19937_64 random(20 + n);
  int inverted = 0;
  for (int i = 0; i < 2000; ++i) {
    const MontgomeryRing<n> ring(RandomModulus<n>(random));
    Limbs<n> x = Random<n>(random);
    if (i % 4 == 0) x = Limbs<n>{random() % 8};
    if (i % 4 == 1) SubLimbs(x, ring.modulus(), Limbs<n>{random() % 4});
    x = ring.Reduce(x);
    Limbs<n> inverse = {};
    const bool done = ring.Invert(x, inverse);
    ASSERT_EQ(done, Coprime(x, ring.modulus())) << i;
    if (!done) continue;
    ++inverted;
    EXPECT_LT(inverse, ring.modulus());
    EXPECT_EQ(ring.Mul(ring.ToMontgomery(x), inverse), Limbs<n>{1});
    const Limbs<n> form = ring.ToMontgomery(x);
    ASSERT_TRUE(ring.InvertMontgomery(form, inverse));
    EXPECT_EQ(ring.Mul(form, inverse), ring.one());
  }
  EXPECT_GT(inverted, 500);
}

TEST(MontgomeryPowerTest, Fermat) {
  const Limbs<4> p = {{0xffffffff00000001, 0, 0, 0}};
  const MontgomeryRing<4> ring(p);
  Limbs<4> exponent;
  SubLimbs(exponent, p, Limbs<4>{1});
  for (const uint64_t x : {uint64_t{1}, uint64_t{2}, uint64_t{12345678901234567}}) {
    EXPECT_EQ(ring.Power(ring.ToMontgomery(Limbs<4>{x}), exponent), ring.one());
  }
  EXPECT_EQ(ring.Power(ring.one(), Limbs<4>{}), ring.one());
  EXPECT_EQ(ring.Power(Limbs<4>{}, Limbs<4>{}), ring.one());
}

TEST(LimbsTest, Bits) {
  EXPECT_EQ(Limbs<4>{}.BitWidth(), 0);
  EXPECT_EQ((Limbs<4>{{0, 0, 1, 0}}.BitWidth()), 129);
  EXPECT_TRUE((Limbs<4>{{0, 2, 0, 0}}.Bit(65)));
  EXPECT_FALSE((Limbs<4>{{0, 2, 0, 0}}.Bit(64)));
}

}  // namespace
}  // namespace precast::openvm
