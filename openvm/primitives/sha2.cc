#include "openvm/primitives/sha2.h"

#include <bit>
#include <cstring>

#include "loader/format/sha256.h"

namespace precast::openvm {
namespace {

static_assert(std::endian::native == std::endian::little);

// FIPS 180-4, 4.2.3: fractional parts of the cube roots of the first 80 primes.
constexpr uint64_t kRoundConstants[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

__attribute__((always_inline)) inline uint64_t LoadBigEndian(const uint8_t* p) {
  uint64_t value;
  std::memcpy(&value, p, sizeof(value));
  return __builtin_bswap64(value);
}

}  // namespace

void Sha256Compress(uint8_t out[kSha256StateBytes], const uint8_t state[kSha256StateBytes],
                    const uint8_t block[kSha256BlockBytes]) {
  static const format::Sha256::BlockFunction compress =
      format::Sha256::CompressionFunction(format::Sha256::Implementation::kBest);
  uint32_t words[8];
  std::memcpy(words, state, sizeof(words));
  compress(words, block, 1);
  std::memcpy(out, words, sizeof(words));
}

void Sha512Compress(uint8_t out[kSha512StateBytes], const uint8_t state[kSha512StateBytes],
                    const uint8_t block[kSha512BlockBytes]) {
  uint64_t words[8];
  std::memcpy(words, state, sizeof(words));
  uint64_t w[16];
  for (int i = 0; i < 16; ++i) w[i] = LoadBigEndian(block + 8 * i);
  uint64_t a = words[0], b = words[1], c = words[2], d = words[3];
  uint64_t e = words[4], f = words[5], g = words[6], h = words[7];
  // h takes the new `a`, d the new `e`; the caller passes the variables rotated by one.
  const auto round = [](uint64_t a, uint64_t b, uint64_t c, uint64_t & d, uint64_t e, uint64_t f,
                        uint64_t g, uint64_t & h, uint64_t kw) __attribute__((always_inline)) {
    const uint64_t s1 = std::rotr(e, 14) ^ std::rotr(e, 18) ^ std::rotr(e, 41);
    const uint64_t t1 = h + s1 + (g ^ (e & (f ^ g))) + kw;
    const uint64_t s0 = std::rotr(a, 28) ^ std::rotr(a, 34) ^ std::rotr(a, 39);
    d += t1;
    h = t1 + s0 + ((a & b) | (c & (a | b)));
  };
  for (int t = 0; t < 80; t += 16) {
    if (t > 0) {
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) {
        const uint64_t x = w[(i + 1) & 15];
        const uint64_t y = w[(i + 14) & 15];
        w[i] += w[(i + 9) & 15] + (std::rotr(x, 1) ^ std::rotr(x, 8) ^ x >> 7) +
                (std::rotr(y, 19) ^ std::rotr(y, 61) ^ y >> 6);
      }
    }
    const uint64_t* const k = kRoundConstants + t;
#pragma GCC unroll 2
    for (int i = 0; i < 16; i += 8) {
      round(a, b, c, d, e, f, g, h, k[i] + w[i]);
      round(h, a, b, c, d, e, f, g, k[i + 1] + w[i + 1]);
      round(g, h, a, b, c, d, e, f, k[i + 2] + w[i + 2]);
      round(f, g, h, a, b, c, d, e, k[i + 3] + w[i + 3]);
      round(e, f, g, h, a, b, c, d, k[i + 4] + w[i + 4]);
      round(d, e, f, g, h, a, b, c, k[i + 5] + w[i + 5]);
      round(c, d, e, f, g, h, a, b, k[i + 6] + w[i + 6]);
      round(b, c, d, e, f, g, h, a, k[i + 7] + w[i + 7]);
    }
  }
  words[0] += a, words[1] += b, words[2] += c, words[3] += d;
  words[4] += e, words[5] += f, words[6] += g, words[7] += h;
  std::memcpy(out, words, sizeof(words));
}

}  // namespace precast::openvm
