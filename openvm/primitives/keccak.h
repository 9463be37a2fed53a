// The Keccak instructions of OpenVM: `keccakf` and `xorin`. Own code: Debian has no small Keccak
// library in source, and one permutation is two hundred lines less than a sponge library with its
// build.
#ifndef PRECAST_OPENVM_PRIMITIVES_KECCAK_H_
#define PRECAST_OPENVM_PRIMITIVES_KECCAK_H_

#include <cstddef>
#include <cstdint>

namespace precast::openvm {

inline constexpr size_t kKeccakStateBytes = 200;

// Keccak-f[1600] (FIPS 202, 3.3: 24 rounds) in place. Lane (x, y) is the little-endian 64-bit word
// at byte 8·(5y + x), as in extensions/keccak256/circuit/src/keccakf_op/mod.rs of
// openvm-org/openvm.
void KeccakF1600(uint8_t state[kKeccakStateBytes]);

// buffer[i] ^= input[i] for i < size (`xorin`: rd = buffer, rs1 = input, rs2 = size). The two may
// overlap: the result is that of reading both first, as
// extensions/keccak256/circuit/src/xorin/execution.rs of openvm-org/openvm does. There a size that
// is no multiple of 4 is rounded up to one; that is the caller's to do, as is a limit to the size.
void KeccakXorIn(uint8_t* buffer, const uint8_t* input, size_t size);

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_KECCAK_H_
