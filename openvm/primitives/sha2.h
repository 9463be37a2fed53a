// The SHA-2 instructions of OpenVM: bare compression functions. SHA-256 is the code that images are
// hashed with (loader/format/sha256.h: SHA extensions where the machine has them); SHA-512 is plain
// C++.
#ifndef PRECAST_OPENVM_PRIMITIVES_SHA2_H_
#define PRECAST_OPENVM_PRIMITIVES_SHA2_H_

#include <cstddef>
#include <cstdint>

namespace precast::openvm {

inline constexpr size_t kSha256StateBytes = 32;
inline constexpr size_t kSha256BlockBytes = 64;
inline constexpr size_t kSha512StateBytes = 64;
inline constexpr size_t kSha512BlockBytes = 128;

// out := compress(state, block) (FIPS 180-4, 6.2.2 and 6.4.2). State words are little-endian in
// guest memory, a first, h last; the block is the message's bytes as they are, so its words are
// big-endian (extensions/sha2/circuit/src/sha2_chips/config.rs of openvm-org/openvm). Any of the
// three may overlap.
void Sha256Compress(uint8_t out[kSha256StateBytes], const uint8_t state[kSha256StateBytes],
                    const uint8_t block[kSha256BlockBytes]);
void Sha512Compress(uint8_t out[kSha512StateBytes], const uint8_t state[kSha512StateBytes],
                    const uint8_t block[kSha512BlockBytes]);

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_SHA2_H_
