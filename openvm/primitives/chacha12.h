// The random stream of Rust's `StdRng`, with which OpenVM picks quadratic nonresidues and answers
// `hintrandom`, so that a guest finds the very bytes here that it finds there.
#ifndef PRECAST_OPENVM_PRIMITIVES_CHACHA12_H_
#define PRECAST_OPENVM_PRIMITIVES_CHACHA12_H_

#include <cstdint>

#include "absl/types/span.h"

namespace precast::openvm {

// ChaCha with 12 rounds, key `seed`, 64-bit counter from 0 and nonce 0: `StdRng::from_seed(seed)`
// of the Rust crate rand 0.9 (rand_chacha 0.9, `ChaCha12Rng`).
class ChaCha12Rng {
 public:
  explicit ChaCha12Rng(const uint8_t (&seed)[32]);

  // The next 32-bit word.
  uint32_t NextWord();

  // The next bytes of the stream. As `BlockRng::fill_bytes`, consumes whole 32-bit words: what a
  // call leaves of its last word is dropped.
  void FillBytes(absl::Span<uint8_t> bytes);

  // Words taken so far; setting it continues from there.
  uint64_t position() const { return position_; }
  void set_position(uint64_t position) { position_ = position; }

 private:
  static constexpr uint64_t kNoBlock = UINT64_MAX;  // position() / 16 is less

  void MakeBlock(uint64_t number);

  uint32_t key_[8];
  uint64_t position_ = 0;
  uint64_t number_ = kNoBlock;  // of the block in block_
  uint32_t block_[16];
};

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_PRIMITIVES_CHACHA12_H_
