#include "openvm/primitives/montgomery.h"

#include <algorithm>

#include "absl/log/check.h"
#include "loader/format/cpu_features.h"

extern "C" {
void precast_montgomery_mul4(uint64_t* out, const uint64_t* a, const uint64_t* b,
                             const uint64_t* modulus_and_inverse);
void precast_montgomery_mul6(uint64_t* out, const uint64_t* a, const uint64_t* b,
                             const uint64_t* modulus_and_inverse);
}

namespace precast::openvm {
namespace {

using uint128_t = unsigned __int128;
using int128_t = __int128;

// Montgomery multiplication, row by row (CIOS), as montgomery_x64.S does it.
template <int n>
void MulPortable(uint64_t* out, const uint64_t* a, const uint64_t* b,
                 const uint64_t* modulus_and_inverse) {
  const uint64_t* const m = modulus_and_inverse;
  uint64_t t[n + 2] = {};
  for (int i = 0; i < n; ++i) {
    uint64_t carry = 0;
    for (int j = 0; j < n; ++j) {
      const uint128_t s = static_cast<uint128_t>(a[i]) * b[j] + t[j] + carry;
      t[j] = static_cast<uint64_t>(s);
      carry = static_cast<uint64_t>(s >> 64);
    }
    const uint128_t top = static_cast<uint128_t>(t[n]) + carry;
    t[n] = static_cast<uint64_t>(top);
    t[n + 1] = static_cast<uint64_t>(top >> 64);
    const uint64_t k = t[0] * m[n];
    carry = static_cast<uint64_t>((static_cast<uint128_t>(k) * m[0] + t[0]) >> 64);
    for (int j = 1; j < n; ++j) {
      const uint128_t s = static_cast<uint128_t>(k) * m[j] + t[j] + carry;
      t[j - 1] = static_cast<uint64_t>(s);
      carry = static_cast<uint64_t>(s >> 64);
    }
    const uint128_t last = static_cast<uint128_t>(t[n]) + carry;
    t[n - 1] = static_cast<uint64_t>(last);
    t[n] = t[n + 1] + static_cast<uint64_t>(last >> 64);
  }
  Limbs<n> sum, modulus, reduced;
  std::memcpy(sum.limb, t, sizeof(sum.limb));
  std::memcpy(modulus.limb, m, sizeof(modulus.limb));
  const uint8_t borrow = SubLimbs(reduced, sum, modulus);
  std::memcpy(out, t[n] < borrow ? sum.limb : reduced.limb, sizeof(sum.limb));
}

// x^-1 mod 2^64 for odd x: each step doubles the bits that are right, from 3.
uint64_t InverseModulo64(uint64_t x) {
  uint64_t inverse = x;
  for (int i = 0; i < 5; ++i) inverse *= 2 - x * inverse;
  return inverse;
}

// Modular inversion by division steps: Bernstein and Yang, "Fast constant-time gcd computation and
// modular inversion" (2019), in the variable-time shape with 62 steps at once that libsecp256k1
// describes in doc/safegcd_implementation.md. Numbers are signed and have limbs of 62 bits; all
// limbs but the last are in [0, 2^62).

constexpr uint64_t kMask62 = ~uint64_t{0} >> 2;

// 2^62 times what 62 division steps do to (f, g): (u v; q r).
struct Transition {
  int64_t u, v, q, r;
};

// `eta` is minus the paper's delta; `f` odd.
int64_t DivisionSteps62(int64_t eta, uint64_t f, uint64_t g, Transition& out) {
  uint64_t u = 1, v = 0, q = 0, r = 1;
  int left = 62;
  while (true) {
    const int zeros = std::countr_zero(g | ~uint64_t{0} << left);
    g >>= zeros;
    u <<= zeros;
    v <<= zeros;
    eta -= zeros;
    left -= zeros;
    if (left == 0) break;
    uint64_t w;
    if (eta < 0) {
      eta = -eta;
      uint64_t old = f;
      f = g, g = -old;
      old = u;
      u = q, q = -old;
      old = v;
      v = r, r = -old;
      // A multiple of f that cancels up to 6 bits of g at once.
      const int limit = static_cast<int>(std::min<int64_t>(eta + 1, left));
      w = (f * g * (f * f - 2)) & (~uint64_t{0} >> (64 - limit)) & 63;
    } else {
      // Up to 4 bits.
      const int limit = static_cast<int>(std::min<int64_t>(eta + 1, left));
      w = f + (((f + 1) & 4) << 1);
      w = (-w * g) & (~uint64_t{0} >> (64 - limit)) & 15;
    }
    g += f * w;
    q += u * w;
    r += v * w;
  }
  out = {static_cast<int64_t>(u), static_cast<int64_t>(v), static_cast<int64_t>(q),
         static_cast<int64_t>(r)};
  return eta;
}

template <int k>
struct Signed62 {
  int64_t limb[k];
};

template <int k, int n>
Signed62<k> ToSigned62(const Limbs<n>& x) {
  Signed62<k> result = {};
  for (int i = 0; i < k; ++i) {
    const int bit = 62 * i;
    if (bit / 64 >= n) break;
    uint64_t value = x.limb[bit / 64] >> (bit % 64);
    if (bit % 64 > 2 && bit / 64 + 1 < n) value |= x.limb[bit / 64 + 1] << (64 - bit % 64);
    result.limb[i] = static_cast<int64_t>(value & kMask62);
  }
  return result;
}

// (d, e) := t·(d, e)/2^62 mod m, kept in (-2m, m).
template <int k>
void UpdateDe(Signed62<k>& d, Signed62<k>& e, const Transition& t, const Signed62<k>& modulus,
              uint64_t inverse62) {
  const int64_t d_sign = d.limb[k - 1] >> 63;
  const int64_t e_sign = e.limb[k - 1] >> 63;
  int64_t md = (t.u & d_sign) + (t.v & e_sign);
  int64_t me = (t.q & d_sign) + (t.r & e_sign);
  int128_t cd = static_cast<int128_t>(t.u) * d.limb[0] + static_cast<int128_t>(t.v) * e.limb[0];
  int128_t ce = static_cast<int128_t>(t.q) * d.limb[0] + static_cast<int128_t>(t.r) * e.limb[0];
  // Multiples of m that make the low 62 bits vanish.
  md -= static_cast<int64_t>((inverse62 * static_cast<uint64_t>(cd) + static_cast<uint64_t>(md)) &
                             kMask62);
  me -= static_cast<int64_t>((inverse62 * static_cast<uint64_t>(ce) + static_cast<uint64_t>(me)) &
                             kMask62);
  cd += static_cast<int128_t>(modulus.limb[0]) * md;
  ce += static_cast<int128_t>(modulus.limb[0]) * me;
  cd >>= 62;
  ce >>= 62;
#pragma GCC unroll 8
  for (int i = 1; i < k; ++i) {
    cd += static_cast<int128_t>(t.u) * d.limb[i] + static_cast<int128_t>(t.v) * e.limb[i] +
          static_cast<int128_t>(modulus.limb[i]) * md;
    ce += static_cast<int128_t>(t.q) * d.limb[i] + static_cast<int128_t>(t.r) * e.limb[i] +
          static_cast<int128_t>(modulus.limb[i]) * me;
    d.limb[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(cd) & kMask62);
    e.limb[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(ce) & kMask62);
    cd >>= 62;
    ce >>= 62;
  }
  d.limb[k - 1] = static_cast<int64_t>(cd);
  e.limb[k - 1] = static_cast<int64_t>(ce);
}

// (f, g) := t·(f, g)/2^62, exactly; only the first `length` limbs are in use.
template <int k>
void UpdateFg(int length, Signed62<k>& f, Signed62<k>& g, const Transition& t) {
  int128_t cf = static_cast<int128_t>(t.u) * f.limb[0] + static_cast<int128_t>(t.v) * g.limb[0];
  int128_t cg = static_cast<int128_t>(t.q) * f.limb[0] + static_cast<int128_t>(t.r) * g.limb[0];
  cf >>= 62;
  cg >>= 62;
  for (int i = 1; i < length; ++i) {
    cf += static_cast<int128_t>(t.u) * f.limb[i] + static_cast<int128_t>(t.v) * g.limb[i];
    cg += static_cast<int128_t>(t.q) * f.limb[i] + static_cast<int128_t>(t.r) * g.limb[i];
    f.limb[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(cf) & kMask62);
    g.limb[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(cg) & kMask62);
    cf >>= 62;
    cg >>= 62;
  }
  f.limb[length - 1] = static_cast<int64_t>(cf);
  g.limb[length - 1] = static_cast<int64_t>(cg);
}

// x += m; limbs back in range.
template <int k>
void AddModulus(Signed62<k>& x, const Signed62<k>& modulus) {
  int64_t carry = 0;
  for (int i = 0; i < k; ++i) {
    carry += x.limb[i] + modulus.limb[i];
    x.limb[i] = i < k - 1 ? carry & static_cast<int64_t>(kMask62) : carry;
    carry >>= 62;
  }
}

// x = -x, of `length` limbs.
template <int k>
void NegateSigned(int length, Signed62<k>& x) {
  int64_t carry = 0;
  for (int i = 0; i < length; ++i) {
    carry -= x.limb[i];
    x.limb[i] = i < length - 1 ? carry & static_cast<int64_t>(kMask62) : carry;
    carry >>= 62;
  }
}

}  // namespace

bool HasFastCarryChains() {
  constexpr uint64_t kNeeded = static_cast<uint64_t>(format::CpuFeature::kBmi2) |
                               static_cast<uint64_t>(format::CpuFeature::kAdx);
  static const bool has = (format::HostCpuFeatures() & kNeeded) == kNeeded;
  return has;
}

template <int n>
MontgomeryRing<n>::MontgomeryRing(const Number& modulus, bool portable) : modulus_(modulus) {
  static_assert(n == 4 || n == 6);
  CHECK(modulus.limb[0] % 2 == 1 && modulus.BitWidth() >= 2);
  negated_inverse_ = -InverseModulo64(modulus.limb[0]);
  inverse62_ = InverseModulo64(modulus.limb[0]) & kMask62;
  mul_ = MulPortable<n>;
  if (!portable && HasFastCarryChains()) {
    mul_ = n == 4 ? precast_montgomery_mul4 : precast_montgomery_mul6;
  }
  Number power = {1};  // reduced, as m >= 3
  for (int i = 0; i < 64 * n; ++i) power = Double(power);
  one_ = power;
  for (int i = 0; i < 64 * n; ++i) power = Double(power);
  r2_ = power;
  r3_ = Mul(r2_, r2_);
}

template <int n>
bool MontgomeryRing<n>::Invert(const Number& x, Number& out) const {
  constexpr int k = kLimbs62;
  const Signed62<k> modulus = ToSigned62<k>(modulus_);
  Signed62<k> d = {};
  Signed62<k> e = {{1}};
  Signed62<k> f = modulus;
  Signed62<k> g = ToSigned62<k>(x);
  int length = k;
  int64_t eta = -1;
  while (true) {
    Transition t;
    eta =
        DivisionSteps62(eta, static_cast<uint64_t>(f.limb[0]), static_cast<uint64_t>(g.limb[0]), t);
    UpdateDe(d, e, t, modulus, inverse62_);
    UpdateFg(length, f, g, t);
    int64_t rest = 0;
    for (int i = 0; i < length; ++i) rest |= g.limb[i];
    if (rest == 0) break;
    // Drop a last limb that is only sign in both.
    const int64_t f_top = f.limb[length - 1];
    const int64_t g_top = g.limb[length - 1];
    if (length > 1 && (f_top ^ f_top >> 63) == 0 && (g_top ^ g_top >> 63) == 0) {
      f.limb[length - 2] |= static_cast<int64_t>(static_cast<uint64_t>(f_top) << 62);
      g.limb[length - 2] |= static_cast<int64_t>(static_cast<uint64_t>(g_top) << 62);
      --length;
    }
  }
  // f = ±gcd(x, m), and d·x = f mod m.
  const bool negative = f.limb[length - 1] < 0;
  if (negative) NegateSigned(length, f);
  int64_t difference = f.limb[0] ^ 1;
  for (int i = 1; i < length; ++i) difference |= f.limb[i];
  if (difference != 0) return false;
  if (d.limb[k - 1] < 0) AddModulus(d, modulus);
  if (negative) NegateSigned(k, d);
  if (d.limb[k - 1] < 0) AddModulus(d, modulus);
  Number result = {};
  for (int i = 0; i < k; ++i) {
    const int bit = 62 * i;
    if (bit / 64 >= n) break;
    const uint64_t value = static_cast<uint64_t>(d.limb[i]);
    result.limb[bit / 64] |= value << (bit % 64);
    if (bit % 64 > 2 && bit / 64 + 1 < n) result.limb[bit / 64 + 1] |= value >> (64 - bit % 64);
  }
  out = result;
  return true;
}

template <int n>
typename MontgomeryRing<n>::Number MontgomeryRing<n>::Power(const Number& base,
                                                            const Number& exponent) const {
  // Windows of 4 bits from the top.
  Number powers[16];
  powers[0] = one_;
  for (int i = 1; i < 16; ++i) powers[i] = Mul(powers[i - 1], base);
  Number result = one_;
  for (int window = (exponent.BitWidth() + 3) / 4 - 1; window >= 0; --window) {
    for (int i = 0; i < 4; ++i) result = Square(result);
    const unsigned digit = exponent.limb[window / 16] >> (window % 16 * 4) & 15;
    if (digit != 0) result = Mul(result, powers[digit]);
  }
  return result;
}

template class MontgomeryRing<4>;
template class MontgomeryRing<6>;

}  // namespace precast::openvm
