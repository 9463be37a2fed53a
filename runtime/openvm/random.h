// The random bytes that `hintrandom` gives: those of Rust's rand::rngs::StdRng (ChaCha with 12 rounds) made by
// seed_from_u64, so that a guest sees here what it sees under OpenVM.
//
// Source of fact: RFC 8439 (the ChaCha block function); rand_core, SeedableRng::seed_from_u64; rand_chacha.
#ifndef PRECAST_RUNTIME_OPENVM_RANDOM_H_
#define PRECAST_RUNTIME_OPENVM_RANDOM_H_

#include <array>
#include <cstdint>

#include "absl/types/span.h"

namespace precast::runtime {

class StdRng {
 public:
  // SeedableRng::seed_from_u64.
  explicit StdRng(uint64_t seed);
  // SeedableRng::from_seed, as little-endian words.
  explicit StdRng(const std::array<uint32_t, 8>& key) : key_(key) {}

  uint32_t NextU32();
  // One byte per word, its lowest: as `rng.random::<u8>()`.
  void FillBytes(absl::Span<uint8_t> out);

  // Words taken so far; setting it continues from there.
  uint64_t position() const { return position_; }
  void set_position(uint64_t position) { position_ = position, block_ = UINT64_MAX; }

 private:
  void MakeBlock(uint64_t number);

  std::array<uint32_t, 8> key_;
  uint64_t position_ = 0;
  uint64_t block_ = UINT64_MAX;  // number of the block in words_
  std::array<uint32_t, 16> words_ = {};
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_RANDOM_H_
