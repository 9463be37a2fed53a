// The elliptic-curve instructions of OpenVM (`sw_add_ne`, `sw_double`, `setup`) for one curve
// y^2 = x^3 + a·x + b of the guest's `.openvm` section, in affine coordinates.
#ifndef PRECAST_OPENVM_PRIMITIVES_WEIERSTRASS_H_
#define PRECAST_OPENVM_PRIMITIVES_WEIERSTRASS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "openvm/primitives/arithmetic_fault.h"
#include "openvm/primitives/modular.h"

namespace precast::openvm {

// A point is x and then y, each of field().bytes() bytes, little-endian. Operands need be neither
// reduced nor on the curve: the instructions are their formulas
// (extensions/ecc/circuit/src/weierstrass_chip/curves.rs of openvm-org/openvm), which never use b.
// Results are reduced. `out` may overlap the operands in any way.
class WeierstrassCurve {
 public:
  // `a` as little-endian bytes. InvalidArgument when it is not less than the modulus.
  static absl::StatusOr<WeierstrassCurve> Create(const ModularField& field,
                                                 absl::Span<const uint8_t> a);

  const ModularField& field() const { return field_; }
  size_t point_bytes() const { return 2 * field_.bytes(); }

  // `sw_add_ne`: p + q. kNotInvertible when the x are equal modulo m.
  ArithmeticFault AddNe(uint8_t* out, const uint8_t* p, const uint8_t* q) const;
  // `sw_double`: 2p. kNotInvertible when y is 0 modulo m.
  ArithmeticFault Double(uint8_t* out, const uint8_t* p) const;

  // `setup` with an rs2 field other than 0: p.x must be the modulus; then writes what AddNe does
  // for (0, p.y) and q, with its fault too (weierstrass_chip/add_ne/execution.rs).
  ArithmeticFault SetupAddNe(uint8_t* out, const uint8_t* p, const uint8_t* q) const;
  // `setup` with an rs2 field of 0: p must be (modulus, a); then writes (a^2, -a^3 - a), the
  // doubling formula at x = 0, y = a with 1 for its denominator (weierstrass_chip/double/mod.rs and
  // execution.rs).
  ArithmeticFault SetupDouble(uint8_t* out, const uint8_t* p) const;

 private:
  WeierstrassCurve(const ModularField& field, const Limbs<6>& a) : field_(field), a_(a) {}

  ModularField field_;
  Limbs<6> a_;  // 4 limbs in use with a field of 32 bytes
};

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_WEIERSTRASS_H_
