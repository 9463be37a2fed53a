// The field of order p^12 that pairings take their values in, for both pairing curves: the
// arithmetic under pairing.cc, in a file of its own because it is one subject.
#ifndef PRECAST_OPENVM_PRIMITIVES_EXTENSION_TOWER_H_
#define PRECAST_OPENVM_PRIMITIVES_EXTENSION_TOWER_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "openvm/primitives/montgomery.h"

namespace precast::openvm {

// c0 + c1·u, u^2 = -1; coordinates in Montgomery form.
template <int n>
struct Fp2 {
  Limbs<n> c0, c1;
  friend bool operator==(const Fp2& a, const Fp2& b) { return a.c0 == b.c0 && a.c1 == b.c1; }
  bool IsZero() const { return c0.IsZero() && c1.IsZero(); }
};

// c[0] + c[1]·v + c[2]·v^2, v^3 = xi.
template <int n>
struct Fp6 {
  Fp2<n> c[3];
  friend bool operator==(const Fp6& a, const Fp6& b) {
    return a.c[0] == b.c[0] && a.c[1] == b.c[1] && a.c[2] == b.c[2];
  }
};

// even + odd·w, w^2 = v. The coefficient of w^i is even.c[i / 2] or odd.c[i / 2].
template <int n>
struct Fp12 {
  Fp6<n> even, odd;
  friend bool operator==(const Fp12& a, const Fp12& b) {
    return a.even == b.even && a.odd == b.odd;
  }
  Fp2<n>& Coefficient(int i) { return i % 2 == 0 ? even.c[i / 2] : odd.c[i / 2]; }
  const Fp2<n>& Coefficient(int i) const { return i % 2 == 0 ? even.c[i / 2] : odd.c[i / 2]; }
};

// Arithmetic in Fp, Fp2, Fp6 and Fp12 = Fp2[w]/(w^6 - xi), xi = xi0 + u.
template <int n>
class ExtensionTower {
 public:
  using Number = Limbs<n>;

  // `frobenius_exponent` is (p - 1)/6. Requires that xi is neither a square nor a cube in Fp2, and
  // 1 <= xi0 <= 15.
  ExtensionTower(const Number& p, const Number& frobenius_exponent, int xi0) : ring_(p), xi0_(xi0) {
    Number xi0_form = {};
    for (int i = 0; i < xi0; ++i) xi0_form = ring_.Add(xi0_form, ring_.one());
    const Fp2<n> base = Power({xi0_form, ring_.one()}, frobenius_exponent);
    gamma_[0] = One();
    for (int i = 1; i < 6; ++i) gamma_[i] = Mul(gamma_[i - 1], base);
  }

  const MontgomeryRing<n>& ring() const { return ring_; }
  // xi^(i·(p - 1)/6) for i < 6.
  const Fp2<n>& gamma(int i) const { return gamma_[i]; }

  // Fp2.
  Fp2<n> One() const { return {ring_.one(), {}}; }
  Fp2<n> Add(const Fp2<n>& a, const Fp2<n>& b) const {
    return {ring_.Add(a.c0, b.c0), ring_.Add(a.c1, b.c1)};
  }
  Fp2<n> Sub(const Fp2<n>& a, const Fp2<n>& b) const {
    return {ring_.Sub(a.c0, b.c0), ring_.Sub(a.c1, b.c1)};
  }
  Fp2<n> Double(const Fp2<n>& a) const { return Add(a, a); }
  Fp2<n> Negate(const Fp2<n>& a) const { return {ring_.Negate(a.c0), ring_.Negate(a.c1)}; }
  Fp2<n> Conjugate(const Fp2<n>& a) const { return {a.c0, ring_.Negate(a.c1)}; }
  Fp2<n> Mul(const Fp2<n>& a, const Fp2<n>& b) const {
    const Number low = ring_.Mul(a.c0, b.c0);
    const Number high = ring_.Mul(a.c1, b.c1);
    const Number cross = ring_.Mul(ring_.Add(a.c0, a.c1), ring_.Add(b.c0, b.c1));
    return {ring_.Sub(low, high), ring_.Sub(ring_.Sub(cross, low), high)};
  }
  Fp2<n> Square(const Fp2<n>& a) const {
    const Number cross = ring_.Mul(a.c0, a.c1);
    return {ring_.Mul(ring_.Add(a.c0, a.c1), ring_.Sub(a.c0, a.c1)), ring_.Double(cross)};
  }
  Fp2<n> MulBase(const Fp2<n>& a, const Number& b) const {
    return {ring_.Mul(a.c0, b), ring_.Mul(a.c1, b)};
  }
  Fp2<n> MulXi(const Fp2<n>& a) const {
    return {ring_.Sub(MulXi0(a.c0), a.c1), ring_.Add(MulXi0(a.c1), a.c0)};
  }
  Number Norm(const Fp2<n>& a) const { return ring_.Add(ring_.Square(a.c0), ring_.Square(a.c1)); }
  // False for zero.
  [[nodiscard]] bool Invert(const Fp2<n>& a, Fp2<n>& out) const {
    Number inverse;
    if (!ring_.InvertMontgomery(Norm(a), inverse)) return false;
    out = MulBase(Conjugate(a), inverse);
    return true;
  }
  Fp2<n> Power(const Fp2<n>& base, const Number& exponent) const {
    Fp2<n> result = One();
    for (int i = exponent.BitWidth() - 1; i >= 0; --i) {
      result = Square(result);
      if (exponent.Bit(i)) result = Mul(result, base);
    }
    return result;
  }

  // Fp6.
  Fp6<n> Add(const Fp6<n>& a, const Fp6<n>& b) const {
    return {{Add(a.c[0], b.c[0]), Add(a.c[1], b.c[1]), Add(a.c[2], b.c[2])}};
  }
  Fp6<n> Sub(const Fp6<n>& a, const Fp6<n>& b) const {
    return {{Sub(a.c[0], b.c[0]), Sub(a.c[1], b.c[1]), Sub(a.c[2], b.c[2])}};
  }
  Fp6<n> Negate(const Fp6<n>& a) const {
    return {{Negate(a.c[0]), Negate(a.c[1]), Negate(a.c[2])}};
  }
  Fp6<n> MulV(const Fp6<n>& a) const { return {{MulXi(a.c[2]), a.c[0], a.c[1]}}; }
  Fp6<n> Mul(const Fp6<n>& a, const Fp6<n>& b) const {
    const Fp2<n> m0 = Mul(a.c[0], b.c[0]);
    const Fp2<n> m1 = Mul(a.c[1], b.c[1]);
    const Fp2<n> m2 = Mul(a.c[2], b.c[2]);
    const auto cross = [&](int i, int j, const Fp2<n>& mi, const Fp2<n>& mj) {
      return Sub(Sub(Mul(Add(a.c[i], a.c[j]), Add(b.c[i], b.c[j])), mi), mj);
    };
    return {{Add(m0, MulXi(cross(1, 2, m1, m2))), Add(cross(0, 1, m0, m1), MulXi(m2)),
             Add(cross(0, 2, m0, m2), m1)}};
  }
  // The norm to Fp2, and the inverse times that norm.
  Fp2<n> NormAndAdjugate(const Fp6<n>& a, Fp6<n>& adjugate) const {
    adjugate.c[0] = Sub(Square(a.c[0]), MulXi(Mul(a.c[1], a.c[2])));
    adjugate.c[1] = Sub(MulXi(Square(a.c[2])), Mul(a.c[0], a.c[1]));
    adjugate.c[2] = Sub(Square(a.c[1]), Mul(a.c[0], a.c[2]));
    return Add(Mul(a.c[0], adjugate.c[0]),
               MulXi(Add(Mul(a.c[2], adjugate.c[1]), Mul(a.c[1], adjugate.c[2]))));
  }

  // Fp12.
  Fp12<n> One12() const {
    Fp12<n> one = {};
    one.even.c[0] = One();
    return one;
  }
  Fp12<n> Mul(const Fp12<n>& a, const Fp12<n>& b) const {
    const Fp6<n> even = Mul(a.even, b.even);
    const Fp6<n> odd = Mul(a.odd, b.odd);
    const Fp6<n> cross = Mul(Add(a.even, a.odd), Add(b.even, b.odd));
    return {Add(even, MulV(odd)), Sub(Sub(cross, even), odd)};
  }
  Fp12<n> Square(const Fp12<n>& a) const {
    // (e + o·w)^2 = (e + o)(e + v·o) - e·o - v·e·o + 2·e·o·w.
    const Fp6<n> product = Mul(a.even, a.odd);
    const Fp6<n> sum = Mul(Add(a.even, a.odd), Add(a.even, MulV(a.odd)));
    return {Sub(Sub(sum, product), MulV(product)), Add(product, product)};
  }
  // Over Fp6: w to -w; the same as raising to p^6.
  Fp12<n> Conjugate(const Fp12<n>& a) const { return {a.even, Negate(a.odd)}; }
  // f · (x0 + x1·w^i + x2·w^j), where x0 is in Fp2 or, as nullptr, 1.
  Fp12<n> MulSparse(const Fp12<n>& f, const Fp2<n>* x0, int i, const Fp2<n>& x1, int j,
                    const Fp2<n>* x2) const {
    Fp12<n> result;
    for (int k = 0; k < 6; ++k) {
      const Fp2<n>& own = f.Coefficient(k);
      result.Coefficient(k) = x0 == nullptr ? own : Mul(own, *x0);
    }
    const auto accumulate = [&](int shift, const Fp2<n>* x) {
      for (int k = 0; k < 6; ++k) {
        Fp2<n> term = x == nullptr ? f.Coefficient(k) : Mul(f.Coefficient(k), *x);
        const int power = k + shift;
        if (power >= 6) term = MulXi(term);
        Fp2<n>& target = result.Coefficient(power % 6);
        target = Add(target, term);
      }
    };
    accumulate(i, &x1);
    accumulate(j, x2);
    return result;
  }
  // Raising to p.
  Fp12<n> Frobenius(const Fp12<n>& a) const {
    Fp12<n> result;
    for (int i = 0; i < 6; ++i) {
      result.Coefficient(i) = Mul(Conjugate(a.Coefficient(i)), gamma_[i]);
    }
    return result;
  }
  // False for zero.
  [[nodiscard]] bool Invert(const Fp12<n>& a, Fp12<n>& out) const {
    Fp6<n> inverse;
    Fp2<n> scale;
    if (!Invert(NormAndAdjugate(NormToFp6(a), inverse), scale)) return false;
    for (Fp2<n>& c : inverse.c) c = Mul(c, scale);
    out = {Mul(a.even, inverse), Negate(Mul(a.odd, inverse))};
    return true;
  }
  // The norm to Fp: a^((p^12 - 1)/(p - 1)).
  Number Norm(const Fp12<n>& a) const {
    Fp6<n> adjugate;
    return Norm(NormAndAdjugate(NormToFp6(a), adjugate));
  }
  Fp12<n> Power(const Fp12<n>& base, uint64_t exponent) const {
    Fp12<n> result = One12();
    for (int i = static_cast<int>(std::bit_width(exponent)) - 1; i >= 0; --i) {
      result = Square(result);
      if ((exponent >> i & 1) != 0) result = Mul(result, base);
    }
    return result;
  }

  // An exponent as its 12 digits in base p, each as signed odd digits of at most 15 (width-5 NAF).
  class Exponent {
   public:
    explicit Exponent(const Number (&digits)[12]) {
      for (int k = 0; k < 12; ++k) {
        Number rest = digits[k];
        for (size_t position = 0; !rest.IsZero(); ++position) {
          if (positions_.size() <= position) positions_.push_back({});
          if (rest.limb[0] % 2 == 1) {
            const int digit = static_cast<int>(rest.limb[0] & 31);
            const int signed_digit = digit < 16 ? digit : digit - 32;
            positions_[position].digit[k] = static_cast<int8_t>(signed_digit);
            // No carry out of the top: p leaves two bits free there.
            if (signed_digit > 0) {
              SubLimbs(rest, rest, Number{static_cast<uint64_t>(signed_digit)});
            } else {
              AddLimbs(rest, rest, Number{static_cast<uint64_t>(-signed_digit)});
            }
          }
          for (int i = 0; i < n; ++i) {
            rest.limb[i] = rest.limb[i] >> 1 | (i + 1 < n ? rest.limb[i + 1] << 63 : 0);
          }
        }
      }
    }

   private:
    friend class ExtensionTower;
    struct Digits {
      int8_t digit[12] = {};
    };
    std::vector<Digits> positions_;  // of 2^0, 2^1, …
  };

  // What powers of one element with large exponents share.
  class PowerTable {
   public:
    // False for a base of zero.
    [[nodiscard]] bool Build(const ExtensionTower& tower, const Fp12<n>& base) {
      Fp12<n> inverse;
      if (!tower.Invert(base, inverse)) return false;
      powers_.resize(12 * 16);
      Fill(tower, base, 0);
      Fill(tower, inverse, 8);
      return true;
    }

   private:
    friend class ExtensionTower;
    void Fill(const ExtensionTower& tower, const Fp12<n>& base, int offset) {
      const Fp12<n> square = tower.Square(base);
      powers_[offset] = base;
      for (int i = 1; i < 8; ++i) {
        powers_[offset + i] = tower.Mul(powers_[offset + i - 1], square);
      }
      for (int k = 1; k < 12; ++k) {
        for (int i = offset; i < offset + 8; ++i) {
          powers_[16 * k + i] = tower.Frobenius(powers_[16 * (k - 1) + i]);
        }
      }
    }
    // At 16k + i: base^((2i + 1)·p^k) for i < 8, base^-((2(i - 8) + 1)·p^k) above.
    std::vector<Fp12<n>> powers_;
  };

  Fp12<n> Power(const PowerTable& table, const Exponent& exponent) const {
    Fp12<n> result = One12();
    for (size_t position = exponent.positions_.size(); position-- > 0;) {
      result = Square(result);
      for (int k = 0; k < 12; ++k) {
        const int digit = exponent.positions_[position].digit[k];
        if (digit == 0) continue;
        const int index = 16 * k + (digit > 0 ? digit / 2 : 8 + -digit / 2);
        result = Mul(result, table.powers_[static_cast<size_t>(index)]);
      }
    }
    return result;
  }

 private:
  Number MulXi0(const Number& a) const {
    Number result = a;
    for (int bit = static_cast<int>(std::bit_width(static_cast<unsigned>(xi0_))) - 2; bit >= 0;
         --bit) {
      result = ring_.Double(result);
      if ((xi0_ >> bit & 1) != 0) result = ring_.Add(result, a);
    }
    return result;
  }
  Fp6<n> NormToFp6(const Fp12<n>& a) const {
    return Sub(Mul(a.even, a.even), MulV(Mul(a.odd, a.odd)));
  }

  MontgomeryRing<n> ring_;
  int xi0_;
  Fp2<n> gamma_[6];
};

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_EXTENSION_TOWER_H_
