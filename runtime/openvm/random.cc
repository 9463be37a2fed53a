#include "runtime/openvm/random.h"

#include <bit>

namespace precast::runtime {

StdRng::StdRng(uint64_t seed) {
  // PCG32 fills the key.
  for (uint32_t& word : key_) {
    seed = seed * 6364136223846793005u + 11634580027462260723u;
    const auto shifted = static_cast<uint32_t>(((seed >> 18) ^ seed) >> 27);
    word = std::rotr(shifted, static_cast<int>(seed >> 59));
  }
}

void StdRng::MakeBlock(uint64_t number) {
  const std::array<uint32_t, 16> start = {0x61707865,
                                          0x3320646e,
                                          0x79622d32,
                                          0x6b206574,
                                          key_[0],
                                          key_[1],
                                          key_[2],
                                          key_[3],
                                          key_[4],
                                          key_[5],
                                          key_[6],
                                          key_[7],
                                          static_cast<uint32_t>(number),
                                          static_cast<uint32_t>(number >> 32),
                                          0,
                                          0};
  words_ = start;
  auto quarter = [this](int a, int b, int c, int d) {
    auto& w = words_;
    w[a] += w[b], w[d] = std::rotl(w[d] ^ w[a], 16);
    w[c] += w[d], w[b] = std::rotl(w[b] ^ w[c], 12);
    w[a] += w[b], w[d] = std::rotl(w[d] ^ w[a], 8);
    w[c] += w[d], w[b] = std::rotl(w[b] ^ w[c], 7);
  };
  for (int round = 0; round < 12; round += 2) {
    for (int i = 0; i < 4; ++i) quarter(i, 4 + i, 8 + i, 12 + i);
    for (int i = 0; i < 4; ++i) quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
  }
  for (int i = 0; i < 16; ++i) words_[i] += start[i];
  block_ = number;
}

uint32_t StdRng::NextU32() {
  if (block_ != position_ / 16) MakeBlock(position_ / 16);
  return words_[position_++ % 16];
}

void StdRng::FillBytes(absl::Span<uint8_t> out) {
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(NextU32());
}

}  // namespace precast::runtime
