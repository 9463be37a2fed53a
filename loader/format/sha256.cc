#include "loader/format/sha256.h"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/log/check.h"
#include "loader/format/x86_cpu.h"

namespace precast::format {
namespace {

// FIPS 180-4, 4.2.2: fractional parts of the cube roots of the first 64 primes.
alignas(16) constexpr uint32_t kRoundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void ProcessPortable(uint32_t state[8], const uint8_t* blocks, size_t count) {
  for (; count > 0; --count, blocks += 64) {
    uint32_t w[64];
    for (int i = 0; i < 16; ++i) {
      const uint8_t* p = blocks + 4 * i;
      w[i] = uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 | uint32_t{p[3]};
    }
    for (int i = 16; i < 64; ++i) {
      const uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ w[i - 15] >> 3;
      const uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ w[i - 2] >> 10;
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; ++i) {
      const uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kRoundConstants[i] + w[i];
      const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
}

// `kLanes` messages at once: each instruction waits for the one before, and two messages take
// turns. The state is kept as the instructions want it: ABEF and CDGH, high to low (Intel SDM,
// SHA256RNDS2).
template <int kLanes>
__attribute__((target("sha,sse4.1,ssse3"))) void ProcessLanes(uint32_t* const (&states)[kLanes],
                                                              const uint8_t* (&blocks)[kLanes],
                                                              size_t count) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i abef[kLanes], cdgh[kLanes];
#pragma GCC unroll 2
  for (int k = 0; k < kLanes; ++k) {
    __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(states[k]));       // DCBA
    __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(states[k] + 4));  // HGFE
    low = _mm_shuffle_epi32(low, 0xb1);                                               // CDAB
    high = _mm_shuffle_epi32(high, 0x1b);                                             // EFGH
    abef[k] = _mm_alignr_epi8(low, high, 8);
    cdgh[k] = _mm_blend_epi16(high, low, 0xf0);
  }
  for (; count > 0; --count) {
    __m128i abef_before[kLanes], cdgh_before[kLanes], w[kLanes][4];
#pragma GCC unroll 2
    for (int k = 0; k < kLanes; ++k) {
      abef_before[k] = abef[k];
      cdgh_before[k] = cdgh[k];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        const __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks[k] + 16 * i));
        w[k][i] = _mm_shuffle_epi8(raw, big_endian);
      }
      blocks[k] += 64;
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {  // four rounds each
      const __m128i c = _mm_load_si128(reinterpret_cast<const __m128i*>(kRoundConstants + 4 * i));
#pragma GCC unroll 2
      for (int k = 0; k < kLanes; ++k) {
        __m128i& now = w[k][i & 3];
        const __m128i last = w[k][(i + 3) & 3];
        if (i >= 4) {
          const __m128i middle = _mm_alignr_epi8(last, w[k][(i + 2) & 3], 4);  // w[t-7..t-4]
          const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(now, w[k][(i + 1) & 3]), middle);
          now = _mm_sha256msg2_epu32(sum, last);
        }
        const __m128i wk = _mm_add_epi32(now, c);
        cdgh[k] = _mm_sha256rnds2_epu32(cdgh[k], abef[k], wk);
        abef[k] = _mm_sha256rnds2_epu32(abef[k], cdgh[k], _mm_shuffle_epi32(wk, 0x0e));
      }
    }
#pragma GCC unroll 2
    for (int k = 0; k < kLanes; ++k) {
      abef[k] = _mm_add_epi32(abef[k], abef_before[k]);
      cdgh[k] = _mm_add_epi32(cdgh[k], cdgh_before[k]);
    }
  }
#pragma GCC unroll 2
  for (int k = 0; k < kLanes; ++k) {
    const __m128i feba = _mm_shuffle_epi32(abef[k], 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(cdgh[k], 0xb1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(states[k]), _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(states[k] + 4), _mm_alignr_epi8(dchg, feba, 8));
  }
}

void ProcessSha(uint32_t state[8], const uint8_t* blocks, size_t count) {
  uint32_t* const states[] = {state};
  const uint8_t* lanes[] = {blocks};
  ProcessLanes(states, lanes, count);
}

}  // namespace

bool HasShaExtensions() {
  return x86_cpu_active(x86_cpu_SSSE3) && x86_cpu_active(x86_cpu_SSE4_1) &&
         x86_cpu_active(x86_cpu_SHA);
}

Sha256::BlockFunction Sha256::CompressionFunction(Implementation implementation) {
  return implementation == Implementation::kBest && HasShaExtensions() ? ProcessSha
                                                                       : ProcessPortable;
}

Sha256::Sha256(Implementation implementation)
    : process_(CompressionFunction(implementation)),
      // FIPS 180-4, 5.3.3.
      state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {}

void Sha256::Update(absl::Span<const uint8_t> bytes) {
  if (bytes.empty()) return;
  length_ += bytes.size();
  if (buffered_ > 0) {
    const size_t taken = std::min(bytes.size(), sizeof(buffer_) - buffered_);
    std::memcpy(buffer_ + buffered_, bytes.data(), taken);
    buffered_ += taken;
    bytes.remove_prefix(taken);
    if (buffered_ < sizeof(buffer_)) return;
    process_(state_, buffer_, 1);
    buffered_ = 0;
  }
  const size_t blocks = bytes.size() / 64;
  process_(state_, bytes.data(), blocks);
  bytes.remove_prefix(blocks * 64);
  if (!bytes.empty()) std::memcpy(buffer_, bytes.data(), bytes.size());
  buffered_ = bytes.size();
}

Sha256Digest Sha256::Finish() {
  const uint64_t bits = length_ * 8;
  const uint8_t padding[64] = {0x80};
  Update(absl::MakeConstSpan(padding, 1 + (119 - length_ % 64) % 64));
  uint8_t length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
  Update(length);
  Sha256Digest digest;
  for (int i = 0; i < 32; ++i)
    digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

std::pair<Sha256Digest, Sha256Digest> Sha256::HashTwo(absl::Span<const uint8_t> a,
                                                      absl::Span<const uint8_t> b) {
  DCHECK_EQ(a.size(), b.size());
  Sha256 x, y;
  if (HasShaExtensions()) {
    uint32_t* const states[] = {x.state_, y.state_};
    const uint8_t* lanes[] = {a.data(), b.data()};
    const size_t whole = a.size() / 64 * 64;
    ProcessLanes(states, lanes, whole / 64);
    x.length_ = y.length_ = whole;
    a.remove_prefix(whole);
    b.remove_prefix(whole);
  }
  x.Update(a);
  y.Update(b);
  return {x.Finish(), y.Finish()};
}

Sha256Digest Sha256::Hash(absl::Span<const uint8_t> bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Finish();
}

}  // namespace precast::format
