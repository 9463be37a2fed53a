#include "openvm/primitives/weierstrass.h"

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace precast::openvm {
namespace {

template <int n>
Limbs<n> FirstLimbs(const Limbs<6>& wide) {
  Limbs<n> result;
  std::memcpy(result.limb, wide.limb, sizeof(result.limb));
  return result;
}

// The third point of the line of slope `lambda` through (x1, y1) and a point at x2, mirrored.
template <int n>
void StoreThirdPoint(const MontgomeryRing<n>& ring, uint8_t* out, const Limbs<n>& lambda,
                     const Limbs<n>& x1, const Limbs<n>& y1, const Limbs<n>& x2) {
  const Limbs<n> lambda_form = ring.ToMontgomery(lambda);
  const Limbs<n> x3 = ring.Sub(ring.Sub(ring.Mul(lambda_form, lambda), x1), x2);
  const Limbs<n> y3 = ring.Sub(ring.Mul(lambda_form, ring.Sub(x1, x3)), y1);
  x3.Store(out);
  y3.Store(out + 8 * n);
}

}  // namespace

absl::StatusOr<WeierstrassCurve> WeierstrassCurve::Create(const ModularField& field,
                                                          absl::Span<const uint8_t> a) {
  size_t size = a.size();
  while (size > 0 && a[size - 1] == 0) --size;
  uint8_t bytes[48] = {};
  bool reduced = size <= field.bytes();
  if (reduced) {
    if (size > 0) std::memcpy(bytes, a.data(), size);
    reduced = field.Visit([&bytes]<int n>(const MontgomeryRing<n>& ring) {
      return Limbs<n>::Load(bytes) < ring.modulus();
    });
  }
  if (!reduced) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "curve coefficient a: a number of %u bytes; expected one less than the modulus", size));
  }
  return WeierstrassCurve(field, Limbs<6>::Load(bytes));
}

ArithmeticFault WeierstrassCurve::AddNe(uint8_t* out, const uint8_t* p, const uint8_t* q) const {
  return field_.Visit([=]<int n>(const MontgomeryRing<n>& ring) {
    const Limbs<n> x1 = ring.Reduce(Limbs<n>::Load(p));
    const Limbs<n> y1 = ring.Reduce(Limbs<n>::Load(p + 8 * n));
    const Limbs<n> x2 = ring.Reduce(Limbs<n>::Load(q));
    const Limbs<n> y2 = ring.Reduce(Limbs<n>::Load(q + 8 * n));
    Limbs<n> inverse;
    if (!ring.Invert(ring.Sub(x2, x1), inverse)) return ArithmeticFault::kNotInvertible;
    const Limbs<n> lambda = ring.Mul(ring.ToMontgomery(ring.Sub(y2, y1)), inverse);
    StoreThirdPoint(ring, out, lambda, x1, y1, x2);
    return ArithmeticFault::kNone;
  });
}

ArithmeticFault WeierstrassCurve::Double(uint8_t* out, const uint8_t* p) const {
  return field_.Visit([=, this]<int n>(const MontgomeryRing<n>& ring) {
    const Limbs<n> x = ring.Reduce(Limbs<n>::Load(p));
    const Limbs<n> y = ring.Reduce(Limbs<n>::Load(p + 8 * n));
    Limbs<n> inverse;
    if (!ring.Invert(ring.Double(y), inverse)) return ArithmeticFault::kNotInvertible;
    const Limbs<n> square = ring.Mul(ring.ToMontgomery(x), x);
    const Limbs<n> numerator = ring.Add(ring.Add(ring.Double(square), square), FirstLimbs<n>(a_));
    const Limbs<n> lambda = ring.Mul(ring.ToMontgomery(numerator), inverse);
    StoreThirdPoint(ring, out, lambda, x, y, x);
    return ArithmeticFault::kNone;
  });
}

ArithmeticFault WeierstrassCurve::SetupAddNe(uint8_t* out, const uint8_t* p,
                                             const uint8_t* q) const {
  if (!field_.IsModulus(p)) return ArithmeticFault::kWrongModulus;
  return AddNe(out, p, q);
}

ArithmeticFault WeierstrassCurve::SetupDouble(uint8_t* out, const uint8_t* p) const {
  if (!field_.IsModulus(p)) return ArithmeticFault::kWrongModulus;
  return field_.Visit([=, this]<int n>(const MontgomeryRing<n>& ring) {
    const Limbs<n> a = FirstLimbs<n>(a_);
    if (!(Limbs<n>::Load(p + 8 * n) == a)) return ArithmeticFault::kWrongCoefficient;
    // lambda = (3·0 + a)/1.
    StoreThirdPoint(ring, out, a, Limbs<n>{}, a, Limbs<n>{});
    return ArithmeticFault::kNone;
  });
}

}  // namespace precast::openvm
