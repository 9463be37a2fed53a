// From what an arithmetic primitive says to the trap that its instruction takes.
#ifndef PRECAST_OPENVM_EXTENSIONS_FAULTS_H_
#define PRECAST_OPENVM_EXTENSIONS_FAULTS_H_

#include "openvm/machine.h"
#include "openvm/primitives/arithmetic_fault.h"

namespace precast::openvm {

// For `return Finish(…, m)` at the end of an executor.
inline bool Finish(ArithmeticFault fault, Machine& m) {
  switch (fault) {
    case ArithmeticFault::kNone:
      return true;
    case ArithmeticFault::kNotInvertible:
      return m.Fail(abi::TrapCode::kNotInvertible);
    case ArithmeticFault::kWrongModulus:
    case ArithmeticFault::kWrongCoefficient:
      return m.Fail(abi::TrapCode::kSetupMismatch);
    case ArithmeticFault::kNoNonResidue:
    case ArithmeticFault::kNoSquareRoot:
    case ArithmeticFault::kNotCanonical:
    case ArithmeticFault::kNoPairs:
    case ArithmeticFault::kLengthsDiffer:
      return m.Fail(abi::TrapCode::kInvalidOperand);
  }
  return m.Fail(abi::TrapCode::kInvalidOperand);
}

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_EXTENSIONS_FAULTS_H_
