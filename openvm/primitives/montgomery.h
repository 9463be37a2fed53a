// Arithmetic modulo an odd number of up to 256 or 384 bits: what the modular, Fp2, curve and
// pairing primitives are made of. Own code: a guest names any modulus it likes, and the libraries
// that take one at run time (GMP, OpenSSL) need their own configure step and allocate; constant
// time is not needed.
#ifndef PRECAST_OPENVM_PRIMITIVES_MONTGOMERY_H_
#define PRECAST_OPENVM_PRIMITIVES_MONTGOMERY_H_

#include <immintrin.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace precast::openvm {

static_assert(std::endian::native == std::endian::little);

// A number of n 64-bit limbs, least significant first.
template <int n>
struct Limbs {
  uint64_t limb[n];

  static Limbs Load(const uint8_t* bytes) {
    Limbs result;
    std::memcpy(result.limb, bytes, 8 * n);
    return result;
  }
  void Store(uint8_t* bytes) const { std::memcpy(bytes, limb, 8 * n); }

  bool IsZero() const {
    uint64_t all = 0;
    for (int i = 0; i < n; ++i) all |= limb[i];
    return all == 0;
  }
  bool Bit(int i) const { return (limb[i / 64] >> (i % 64) & 1) != 0; }
  int BitWidth() const {
    for (int i = n - 1; i >= 0; --i) {
      if (limb[i] != 0) return 64 * i + std::bit_width(limb[i]);
    }
    return 0;
  }
  friend bool operator==(const Limbs& a, const Limbs& b) {
    uint64_t difference = 0;
    for (int i = 0; i < n; ++i) difference |= a.limb[i] ^ b.limb[i];
    return difference == 0;
  }
  friend bool operator<(const Limbs& a, const Limbs& b) {
    for (int i = n - 1; i >= 0; --i) {
      if (a.limb[i] != b.limb[i]) return a.limb[i] < b.limb[i];
    }
    return false;
  }
};

// out = a + b; the carry.
template <int n>
inline uint8_t AddLimbs(Limbs<n>& out, const Limbs<n>& a, const Limbs<n>& b) {
  uint8_t carry = 0;
#pragma GCC unroll 6
  for (int i = 0; i < n; ++i) {
    unsigned long long sum;
    carry = _addcarry_u64(carry, a.limb[i], b.limb[i], &sum);
    out.limb[i] = sum;
  }
  return carry;
}

// out = a - b; the borrow.
template <int n>
inline uint8_t SubLimbs(Limbs<n>& out, const Limbs<n>& a, const Limbs<n>& b) {
  uint8_t borrow = 0;
#pragma GCC unroll 6
  for (int i = 0; i < n; ++i) {
    unsigned long long difference;
    borrow = _subborrow_u64(borrow, a.limb[i], b.limb[i], &difference);
    out.limb[i] = difference;
  }
  return borrow;
}

// Whether the machine has MULX, ADCX and ADOX.
bool HasFastCarryChains();

// The ring of integers modulo an odd m, 3 <= m < R = 2^(64n), precomputed. Cheap to copy,
// immutable.
//
// "Reduced" means less than m; "in Montgomery form", x·R mod m. All results are reduced. Arguments
// must be reduced, except where a comment says otherwise.
template <int n>
class MontgomeryRing {
 public:
  using Number = Limbs<n>;

  // Requires an odd modulus >= 3. Portable: without the assembly, for comparison in tests.
  explicit MontgomeryRing(const Number& modulus, bool portable = false);

  const Number& modulus() const { return modulus_; }
  // 1 in Montgomery form.
  const Number& one() const { return one_; }

  Number Add(const Number& a, const Number& b) const {
    Number sum, reduced;
    const uint8_t carry = AddLimbs(sum, a, b);
    const uint8_t borrow = SubLimbs(reduced, sum, modulus_);
    return Select(carry < borrow, sum, reduced);
  }
  Number Sub(const Number& a, const Number& b) const {
    Number difference, wrapped;
    const uint8_t borrow = SubLimbs(difference, a, b);
    AddLimbs(wrapped, difference, modulus_);
    return Select(borrow != 0, wrapped, difference);
  }
  Number Negate(const Number& a) const { return Sub(Number{}, a); }
  Number Double(const Number& a) const { return Add(a, a); }

  // a·b/R mod m. One of the two need not be reduced.
  Number Mul(const Number& a, const Number& b) const {
    Number result;
    mul_(result.limb, a.limb, b.limb, modulus_.limb);
    return result;
  }
  Number Square(const Number& a) const { return Mul(a, a); }

  // Any x, not only reduced ones.
  Number ToMontgomery(const Number& x) const { return Mul(x, r2_); }
  Number FromMontgomery(const Number& x) const { return Mul(x, Number{1}); }
  Number Reduce(const Number& x) const {
    return x < modulus_ ? x : FromMontgomery(ToMontgomery(x));
  }

  // x^-1 mod m, both as they are, not in Montgomery form; false, and `out` untouched, when x and m
  // have a common divisor (0 has).
  bool Invert(const Number& x, Number& out) const;
  // The same, both in Montgomery form.
  bool InvertMontgomery(const Number& x, Number& out) const {
    Number inverse;
    if (!Invert(x, inverse)) return false;
    out = Mul(inverse, r3_);
    return true;
  }

  // base^exponent, base and result in Montgomery form.
  Number Power(const Number& base, const Number& exponent) const;

 private:
  // Limbs of 62 bits with room for a sign and a factor of 2.
  static constexpr int kLimbs62 = (64 * n + 2 + 61) / 62;

  static Number Select(bool first, const Number& a, const Number& b) {
    Number result;
    const uint64_t mask = first ? ~uint64_t{0} : 0;
#pragma GCC unroll 6
    for (int i = 0; i < n; ++i) result.limb[i] = b.limb[i] ^ (mask & (a.limb[i] ^ b.limb[i]));
    return result;
  }

  using MulFunction = void (*)(uint64_t* out, const uint64_t* a, const uint64_t* b,
                               const uint64_t* modulus_and_inverse);

  // The assembly reads these two as one array.
  Number modulus_;
  uint64_t negated_inverse_;  // -m^-1 mod 2^64
  MulFunction mul_;
  Number one_;          // R mod m
  Number r2_;           // R^2 mod m
  Number r3_;           // R^3 mod m
  uint64_t inverse62_;  // m^-1 mod 2^62
};

extern template class MontgomeryRing<4>;
extern template class MontgomeryRing<6>;

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_MONTGOMERY_H_
