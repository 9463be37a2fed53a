#include "openvm/primitives/keccak.h"

#include <bit>
#include <cstring>

#include "loader/format/cpu_features.h"

namespace precast::openvm {
namespace {

static_assert(std::endian::native == std::endian::little);

// FIPS 202, 3.2.5.
constexpr uint64_t kRoundConstants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

// One round from the lanes a[] to the lanes e[]: theta, rho, pi, chi, iota. Each row of the result
// takes the five lanes that pi brings there, rotated by rho.
#define PRECAST_KECCAK_ROW(e, y, a, i0, r0, i1, r1, i2, r2, i3, r3, i4, r4, x0, x1, x2, x3, x4) \
  do {                                                                                          \
    const uint64_t b0 = std::rotl(a[i0] ^ d[x0], r0);                                           \
    const uint64_t b1 = std::rotl(a[i1] ^ d[x1], r1);                                           \
    const uint64_t b2 = std::rotl(a[i2] ^ d[x2], r2);                                           \
    const uint64_t b3 = std::rotl(a[i3] ^ d[x3], r3);                                           \
    const uint64_t b4 = std::rotl(a[i4] ^ d[x4], r4);                                           \
    e[5 * y + 0] = b0 ^ (~b1 & b2);                                                             \
    e[5 * y + 1] = b1 ^ (~b2 & b3);                                                             \
    e[5 * y + 2] = b2 ^ (~b3 & b4);                                                             \
    e[5 * y + 3] = b3 ^ (~b4 & b0);                                                             \
    e[5 * y + 4] = b4 ^ (~b0 & b1);                                                             \
  } while (false)

__attribute__((always_inline)) inline void Round(const uint64_t a[25], uint64_t e[25],
                                                 uint64_t constant) {
  const uint64_t c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
  const uint64_t c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
  const uint64_t c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
  const uint64_t c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
  const uint64_t c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
  const uint64_t d[5] = {c4 ^ std::rotl(c1, 1), c0 ^ std::rotl(c2, 1), c1 ^ std::rotl(c3, 1),
                         c2 ^ std::rotl(c4, 1), c3 ^ std::rotl(c0, 1)};
  PRECAST_KECCAK_ROW(e, 0, a, 0, 0, 6, 44, 12, 43, 18, 21, 24, 14, 0, 1, 2, 3, 4);
  e[0] ^= constant;
  PRECAST_KECCAK_ROW(e, 1, a, 3, 28, 9, 20, 10, 3, 16, 45, 22, 61, 3, 4, 0, 1, 2);
  PRECAST_KECCAK_ROW(e, 2, a, 1, 1, 7, 6, 13, 25, 19, 8, 20, 18, 1, 2, 3, 4, 0);
  PRECAST_KECCAK_ROW(e, 3, a, 4, 27, 5, 36, 11, 10, 17, 15, 23, 56, 4, 0, 1, 2, 3);
  PRECAST_KECCAK_ROW(e, 4, a, 2, 62, 8, 55, 14, 39, 15, 41, 21, 2, 2, 3, 4, 0, 1);
}

#undef PRECAST_KECCAK_ROW

__attribute__((always_inline)) inline void Permute(uint8_t bytes[kKeccakStateBytes]) {
  uint64_t a[25];
  uint64_t e[25];
  std::memcpy(a, bytes, sizeof(a));
  for (int round = 0; round < 24; round += 2) {
    Round(a, e, kRoundConstants[round]);
    Round(e, a, kRoundConstants[round + 1]);
  }
  std::memcpy(bytes, a, sizeof(a));
}

void PermutePortable(uint8_t bytes[kKeccakStateBytes]) { Permute(bytes); }

// ANDN and RORX save a third of the moves.
__attribute__((target("bmi,bmi2"))) void PermuteBmi(uint8_t bytes[kKeccakStateBytes]) {
  Permute(bytes);
}

bool HasBmi() {
  constexpr uint64_t kNeeded = static_cast<uint64_t>(format::CpuFeature::kBmi1) |
                               static_cast<uint64_t>(format::CpuFeature::kBmi2);
  return (format::HostCpuFeatures() & kNeeded) == kNeeded;
}

}  // namespace

void KeccakF1600(uint8_t state[kKeccakStateBytes]) {
  static const auto permute = HasBmi() ? PermuteBmi : PermutePortable;
  permute(state);
}

void KeccakXorIn(uint8_t* buffer, const uint8_t* input, size_t size) {
  // Where `input` begins before `buffer` and reaches into it, a byte must be read before it is
  // written, so the last one comes first.
  const uintptr_t distance =
      reinterpret_cast<uintptr_t>(buffer) - reinterpret_cast<uintptr_t>(input);
  if (distance == 0 || distance >= size) {
    size_t i = 0;
    // Never a word that reaches into bytes already written: `input` is at a distance of 0, of
    // `size` or more, or ahead, where what was written lies behind.
    for (; i + 8 <= size; i += 8) {
      uint64_t a, b;
      std::memcpy(&a, buffer + i, 8);
      std::memcpy(&b, input + i, 8);
      a ^= b;
      std::memcpy(buffer + i, &a, 8);
    }
    for (; i < size; ++i) buffer[i] = static_cast<uint8_t>(buffer[i] ^ input[i]);
  } else {
    for (size_t i = size; i-- > 0;) buffer[i] = static_cast<uint8_t>(buffer[i] ^ input[i]);
  }
}

}  // namespace precast::openvm
