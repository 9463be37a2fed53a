#include "runtime/openvm/random.h"

#include <bit>
#include <cstring>

namespace precast::runtime {

openvm::ChaCha12Rng RandomFromSeed(uint64_t seed) {
  // PCG32 fills the key.
  uint8_t key[32];
  for (int i = 0; i < 32; i += 4) {
    seed = seed * 6364136223846793005u + 11634580027462260723u;
    const auto shifted = static_cast<uint32_t>(((seed >> 18) ^ seed) >> 27);
    const uint32_t word = std::rotr(shifted, static_cast<int>(seed >> 59));
    std::memcpy(key + i, &word, sizeof(word));
  }
  return openvm::ChaCha12Rng(key);
}

void FillRandom(openvm::ChaCha12Rng& rng, absl::Span<uint8_t> out) {
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(rng.NextWord());
}

}  // namespace precast::runtime
