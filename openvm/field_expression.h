// What the core of a chip that computes modulo a prime costs a prover: columns and bus messages.
// They depend on the prime, because a quotient has as many limbs as its greatest value needs.
//
// Source of fact: openvm-org/openvm f6595e3a66,
// crates/circuits/mod-builder/src/{builder,field_variable, symbolic_expr}.rs, and the expressions
// of extensions/{algebra,ecc}/circuit.
#ifndef PRECAST_OPENVM_FIELD_EXPRESSION_H_
#define PRECAST_OPENVM_FIELD_EXPRESSION_H_

#include <cstdint>

#include "openvm/config.h"

namespace precast::openvm {

struct FieldExpressionCost {
  uint32_t columns = 0;
  uint32_t interactions = 0;  // range checks, all of them
  friend bool operator==(const FieldExpressionCost&, const FieldExpressionCost&) = default;
};

// With FieldBytes(modulus) limbs of eight bits. Zero for modulus 0, which no machine has.
FieldExpressionCost ModularAddSubCost(const Number& modulus);
FieldExpressionCost ModularMulDivCost(const Number& modulus);
FieldExpressionCost Fp2AddSubCost(const Number& modulus);
FieldExpressionCost Fp2MulDivCost(const Number& modulus);
FieldExpressionCost EcAddNeCost(const Number& modulus);
// `a` of y² = x³ + a·x + b.
FieldExpressionCost EcDoubleCost(const Number& modulus, const Number& a);

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_FIELD_EXPRESSION_H_
