// The complex-extension instructions of OpenVM (`addcomplex` … `setupcomplex`): Fp2 = Fp[u]/(u^2 +
// 1).
#ifndef PRECAST_OPENVM_PRIMITIVES_COMPLEX_FIELD_H_
#define PRECAST_OPENVM_PRIMITIVES_COMPLEX_FIELD_H_

#include <cstddef>
#include <cstdint>

#include "openvm/primitives/arithmetic_fault.h"
#include "openvm/primitives/modular.h"

namespace precast::openvm {

// An element c0 + c1·u is c0 and then c1, each of field.bytes() bytes, reduced or not; results are
// reduced (extensions/algebra/circuit/src/fp2_chip/ and fields.rs of openvm-org/openvm). `out` may
// overlap the operands in any way.
inline size_t ComplexBytes(const ModularField& field) { return 2 * field.bytes(); }

void ComplexAdd(const ModularField& field, uint8_t* out, const uint8_t* a, const uint8_t* b);
void ComplexSub(const ModularField& field, uint8_t* out, const uint8_t* a, const uint8_t* b);
void ComplexMul(const ModularField& field, uint8_t* out, const uint8_t* a, const uint8_t* b);
// kNotInvertible where b.c0^2 + b.c1^2 has no inverse, 0/0 included.
ArithmeticFault ComplexDiv(const ModularField& field, uint8_t* out, const uint8_t* a,
                           const uint8_t* b);
// `setupcomplex`, of add/sub and of mul/div alike: a.c0 must be the modulus; writes a, reduced: 0 +
// (c1 mod m)·u.
ArithmeticFault ComplexSetup(const ModularField& field, uint8_t* out, const uint8_t* a);

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_COMPLEX_FIELD_H_
