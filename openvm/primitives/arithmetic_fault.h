// Why an arithmetic instruction of OpenVM fails. An enumeration and not a status, because these
// primitives run in the guest's inner loops; the executor makes an error with the program counter
// of it.
#ifndef PRECAST_OPENVM_PRIMITIVES_ARITHMETIC_FAULT_H_
#define PRECAST_OPENVM_PRIMITIVES_ARITHMETIC_FAULT_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace precast::openvm {

// Where one is returned, nothing was written.
enum class [[nodiscard]] ArithmeticFault : uint8_t{
    kNone,
    kNotInvertible,  // a divisor that is zero, or not coprime to the modulus; equal x in sw_add_ne
    kWrongModulus,   // a setup's first number is not the modulus
    kWrongCoefficient,  // a setup's second number is not the curve's coefficient a
    kNoNonResidue,      // a modulus that is no prime: none found
    kNoSquareRoot,      // a modulus that is no prime: neither x nor x·nonresidue has a root
    kNotCanonical,      // a coordinate that is not less than the modulus
    kNoPairs,           // a pairing of no points
    kLengthsDiffer,     // a pairing of lists that are not equally long
};

constexpr absl::string_view ArithmeticFaultName(ArithmeticFault fault) {
  switch (fault) {
    case ArithmeticFault::kNone:
      return "none";
    case ArithmeticFault::kNotInvertible:
      return "divisor not invertible";
    case ArithmeticFault::kWrongModulus:
      return "setup with another modulus";
    case ArithmeticFault::kWrongCoefficient:
      return "setup with another coefficient a";
    case ArithmeticFault::kNoNonResidue:
      return "no quadratic nonresidue found";
    case ArithmeticFault::kNoSquareRoot:
      return "no square root";
    case ArithmeticFault::kNotCanonical:
      return "coordinate not less than the modulus";
    case ArithmeticFault::kNoPairs:
      return "no pairs of points";
    case ArithmeticFault::kLengthsDiffer:
      return "lists of points differ in length";
  }
  return "unknown";
}

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_ARITHMETIC_FAULT_H_
