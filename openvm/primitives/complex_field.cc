#include "openvm/primitives/complex_field.h"

namespace precast::openvm {

void ComplexAdd(const ModularField& field, uint8_t* out, const uint8_t* a, const uint8_t* b) {
  field.Visit([=]<int n>(const MontgomeryRing<n>& ring) {
    const auto load = [&ring](const uint8_t* bytes) { return ring.Reduce(Limbs<n>::Load(bytes)); };
    const Limbs<n> c0 = ring.Add(load(a), load(b));
    const Limbs<n> c1 = ring.Add(load(a + 8 * n), load(b + 8 * n));
    c0.Store(out);
    c1.Store(out + 8 * n);
  });
}

void ComplexSub(const ModularField& field, uint8_t* out, const uint8_t* a, const uint8_t* b) {
  field.Visit([=]<int n>(const MontgomeryRing<n>& ring) {
    const auto load = [&ring](const uint8_t* bytes) { return ring.Reduce(Limbs<n>::Load(bytes)); };
    const Limbs<n> c0 = ring.Sub(load(a), load(b));
    const Limbs<n> c1 = ring.Sub(load(a + 8 * n), load(b + 8 * n));
    c0.Store(out);
    c1.Store(out + 8 * n);
  });
}

void ComplexMul(const ModularField& field, uint8_t* out, const uint8_t* a, const uint8_t* b) {
  field.Visit([=]<int n>(const MontgomeryRing<n>& ring) {
    const Limbs<n> a0 = ring.ToMontgomery(Limbs<n>::Load(a));
    const Limbs<n> a1 = ring.ToMontgomery(Limbs<n>::Load(a + 8 * n));
    const Limbs<n> b0 = Limbs<n>::Load(b);
    const Limbs<n> b1 = Limbs<n>::Load(b + 8 * n);
    const Limbs<n> c0 = ring.Sub(ring.Mul(a0, b0), ring.Mul(a1, b1));
    const Limbs<n> c1 = ring.Add(ring.Mul(a0, b1), ring.Mul(a1, b0));
    c0.Store(out);
    c1.Store(out + 8 * n);
  });
}

ArithmeticFault ComplexDiv(const ModularField& field, uint8_t* out, const uint8_t* a,
                           const uint8_t* b) {
  return field.Visit([=]<int n>(const MontgomeryRing<n>& ring) {
    const Limbs<n> a0 = Limbs<n>::Load(a);
    const Limbs<n> a1 = Limbs<n>::Load(a + 8 * n);
    const Limbs<n> b0 = Limbs<n>::Load(b);
    const Limbs<n> b1 = Limbs<n>::Load(b + 8 * n);
    const Limbs<n> b0_form = ring.ToMontgomery(b0);
    const Limbs<n> b1_form = ring.ToMontgomery(b1);
    const Limbs<n> norm = ring.Add(ring.Mul(b0_form, b0), ring.Mul(b1_form, b1));
    Limbs<n> inverse;
    if (!ring.Invert(norm, inverse)) return ArithmeticFault::kNotInvertible;
    const Limbs<n> factor = ring.ToMontgomery(inverse);
    const Limbs<n> c0 = ring.Add(ring.Mul(b0_form, a0), ring.Mul(b1_form, a1));
    const Limbs<n> c1 = ring.Sub(ring.Mul(b0_form, a1), ring.Mul(b1_form, a0));
    ring.Mul(factor, c0).Store(out);
    ring.Mul(factor, c1).Store(out + 8 * n);
    return ArithmeticFault::kNone;
  });
}

ArithmeticFault ComplexSetup(const ModularField& field, uint8_t* out, const uint8_t* a) {
  if (!field.IsModulus(a)) return ArithmeticFault::kWrongModulus;
  field.Visit([=]<int n>(const MontgomeryRing<n>& ring) {
    const Limbs<n> c1 = ring.Reduce(Limbs<n>::Load(a + 8 * n));
    Limbs<n>{}.Store(out);
    c1.Store(out + 8 * n);
  });
  return ArithmeticFault::kNone;
}

}  // namespace precast::openvm
