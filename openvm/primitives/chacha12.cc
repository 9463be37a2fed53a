#include "openvm/primitives/chacha12.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace precast::openvm {
namespace {

static_assert(std::endian::native == std::endian::little);

void QuarterRound(uint32_t& a, uint32_t& b, uint32_t& c, uint32_t& d) {
  a += b, d = std::rotl(d ^ a, 16);
  c += d, b = std::rotl(b ^ c, 12);
  a += b, d = std::rotl(d ^ a, 8);
  c += d, b = std::rotl(b ^ c, 7);
}

}  // namespace

ChaCha12Rng::ChaCha12Rng(const uint8_t (&seed)[32]) { std::memcpy(key_, seed, sizeof(key_)); }

void ChaCha12Rng::MakeBlock(uint64_t number) {
  uint32_t input[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};  // "expand 32-byte k"
  std::memcpy(input + 4, key_, sizeof(key_));
  std::memcpy(input + 12, &number, sizeof(number));
  uint32_t x[16];
  std::memcpy(x, input, sizeof(x));
  for (int round = 0; round < 12; round += 2) {
    for (int i = 0; i < 4; ++i) QuarterRound(x[i], x[4 + i], x[8 + i], x[12 + i]);
    for (int i = 0; i < 4; ++i) {
      QuarterRound(x[i], x[4 + (i + 1) % 4], x[8 + (i + 2) % 4], x[12 + (i + 3) % 4]);
    }
  }
  for (int i = 0; i < 16; ++i) block_[i] = x[i] + input[i];
  number_ = number;
}

uint32_t ChaCha12Rng::NextWord() {
  if (number_ != position_ / 16) MakeBlock(position_ / 16);
  return block_[position_++ % 16];
}

void ChaCha12Rng::FillBytes(absl::Span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const uint32_t word = NextWord();
    const size_t size = std::min<size_t>(bytes.size(), 4);
    std::memcpy(bytes.data(), &word, size);
    bytes.remove_prefix(size);
  }
}

}  // namespace precast::openvm
