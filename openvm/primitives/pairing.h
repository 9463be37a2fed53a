// The pairing hint of OpenVM (`hint_final_exp`): a multi-Miller loop, and what lets a guest check
// without a final exponentiation that the product of pairings is one (Novakovic and Eagen, eprint
// 2024/640).
#ifndef PRECAST_OPENVM_PRIMITIVES_PAIRING_H_
#define PRECAST_OPENVM_PRIMITIVES_PAIRING_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "openvm/pairing_curve.h"
#include "openvm/primitives/arithmetic_fault.h"

namespace precast::openvm {

// 32 or 48.
constexpr size_t PairingCoordinateBytes(PairingCurve curve) {
  return curve == PairingCurve::kBn254 ? 32 : 48;
}
// A point of G1 is x, y; one of G2 x.c0, x.c1, y.c0, y.c1; all little-endian.
constexpr size_t PairingG1Bytes(PairingCurve curve) { return 2 * PairingCoordinateBytes(curve); }
constexpr size_t PairingG2Bytes(PairingCurve curve) { return 4 * PairingCoordinateBytes(curve); }
// Two elements of Fp12.
constexpr size_t PairingHintBytes(PairingCurve curve) {
  return 2 * 12 * PairingCoordinateBytes(curve);
}

// Writes what `hint_final_exp` makes the hint stream, PairingHintBytes(curve) bytes: the witness c
// and the factor u (BN254) or s (BLS12-381), each as the coefficients of w^0 … w^5 of Fp12 =
// Fp2[w]/(w^6 - xi), each of those as c0, c1, little-endian. With f the Miller loop of all pairs:
//   BN254:     f · u = c^(6x + 2 + p^3 - p^2 + p) where the pairing is one
//   BLS12-381: f · s = c^(p - x)                  likewise
// and otherwise what the same formulas give, which is as much part of the contract
// (extensions/pairing/circuit/src/pairing_extension.rs, `hint_pairing`, and
// extensions/pairing/guest/src/halo2curves_shims/{bn254,bls12_381}/{miller_loop,final_exp}.rs of
// openvm-org/openvm).
//
// Pairs with a point (0, 0) count as infinity and are left out. Points need not be on the curve.
// Faults: kLengthsDiffer, kNotCanonical, kNoPairs (no points at all; in OpenVM a failed assertion),
// and kNotInvertible where the Miller loop would divide by zero, which it does not for points of
// the groups. Cost: a few milliseconds, mostly independent of the number of pairs.
//
// Requires that the sizes of `g1` and `g2` are multiples of PairingG1Bytes and PairingG2Bytes.
ArithmeticFault PairingFinalExpHint(PairingCurve curve, absl::Span<const uint8_t> g1,
                                    absl::Span<const uint8_t> g2, absl::Span<uint8_t> out);

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_PAIRING_H_
