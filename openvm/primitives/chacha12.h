// The random stream with which OpenVM picks quadratic nonresidues, so that `hint_non_qr` and `hint_sqrt` write
// the very bytes that OpenVM writes.
#ifndef PRECAST_OPENVM_PRIMITIVES_CHACHA12_H_
#define PRECAST_OPENVM_PRIMITIVES_CHACHA12_H_

#include <cstdint>

#include "absl/types/span.h"

namespace precast::openvm {

// ChaCha with 12 rounds, key `seed`, 64-bit counter from 0 and nonce 0: `StdRng::from_seed(seed)` of the Rust
// crate rand 0.9 (rand_chacha 0.9, `ChaCha12Rng`).
class ChaCha12Rng {
 public:
  explicit ChaCha12Rng(const uint8_t (&seed)[32]);

  // The next bytes of the stream. As `BlockRng::fill_bytes`, consumes whole 32-bit words: what a call
  // leaves of its last word is dropped.
  void FillBytes(absl::Span<uint8_t> bytes);

 private:
  void NextBlock();

  uint32_t key_[8];
  uint64_t counter_ = 0;
  uint32_t block_[16];
  int used_ = 16;  // words of block_
};

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_CHACHA12_H_
