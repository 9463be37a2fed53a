// The curves that the pairing extension knows.
#ifndef PRECAST_OPENVM_PAIRING_CURVE_H_
#define PRECAST_OPENVM_PAIRING_CURVE_H_

#include <cstdint>

namespace precast::openvm {

// Numbers as in the instruction: funct7 / 16.
enum class PairingCurve : uint8_t { kBn254 = 0, kBls12_381 = 1 };

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PAIRING_CURVE_H_
