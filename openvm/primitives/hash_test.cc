// Keccak, SHA-2 and the random stream against hashlib and published values.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "openvm/primitives/chacha12.h"
#include "openvm/primitives/keccak.h"
#include "openvm/primitives/sha2.h"
#include "openvm/primitives/testing/vectors.h"

namespace precast::openvm {
namespace {

std::string Hex(absl::Span<const uint8_t> bytes) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::string Sha3(absl::Span<const uint8_t> message) {
  constexpr size_t kRate = 136;
  uint8_t state[kKeccakStateBytes] = {};
  while (message.size() >= kRate) {
    KeccakXorIn(state, message.data(), kRate);
    KeccakF1600(state);
    message.remove_prefix(kRate);
  }
  uint8_t last[kRate] = {};
  if (!message.empty()) std::memcpy(last, message.data(), message.size());
  last[message.size()] ^= 0x06;
  last[kRate - 1] ^= 0x80;
  KeccakXorIn(state, last, kRate);
  KeccakF1600(state);
  return Hex(absl::MakeSpan(state, 32));
}

// FIPS 180-4, 5.1 and 6: padding, then blocks; words of the digest are big-endian, those of the
// state little-endian.
template <typename Word, typename Compress>
std::string Sha2(absl::Span<const uint8_t> message, const Word (&initial)[8], Compress compress) {
  constexpr size_t kBlock = 16 * sizeof(Word);
  std::vector<uint8_t> padded(message.begin(), message.end());
  padded.push_back(0x80);
  // The length has two words, of which only the last 64 bits are in use.
  while (padded.size() % kBlock != kBlock - 2 * sizeof(Word)) padded.push_back(0);
  padded.resize(padded.size() + 2 * sizeof(Word) - 8);
  for (int i = 7; i >= 0; --i) {
    padded.push_back(static_cast<uint8_t>(uint64_t{message.size()} * 8 >> (8 * i)));
  }
  uint8_t state[8 * sizeof(Word)];
  std::memcpy(state, initial, sizeof(state));
  for (size_t i = 0; i < padded.size(); i += kBlock) compress(state, state, padded.data() + i);
  for (size_t i = 0; i < sizeof(state); i += sizeof(Word)) {
    std::reverse(state + i, state + i + sizeof(Word));
  }
  return Hex(state);
}

constexpr uint32_t kSha256Initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
constexpr uint64_t kSha512Initial[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                        0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                        0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

TEST(HashTest, AgreesWithHashlib) {
  for (const HashVector& v : kHashVectors) {
    const std::vector<uint8_t> message = Bytes(v.message);
    EXPECT_EQ(Sha3(message), v.sha3_256) << v.message;
    EXPECT_EQ(Sha2(message, kSha256Initial, Sha256Compress), v.sha256) << v.message;
    EXPECT_EQ(Sha2(message, kSha512Initial, Sha512Compress), v.sha512) << v.message;
  }
}

// The first two lanes of Keccak-f[1600] of zeros (the Keccak team's
// KeccakF-1600-IntermediateValues.txt).
TEST(HashTest, KeccakOfZeros) {
  uint8_t state[kKeccakStateBytes] = {};
  KeccakF1600(state);
  EXPECT_EQ(Hex(absl::MakeSpan(state, 16)), "e7dde140798f25f18a47c033f9ccd584");
}

TEST(HashTest, CompressionMayWorkInPlaceOfItsBlock) {
  uint8_t block[128];
  for (size_t i = 0; i < sizeof(block); ++i) block[i] = static_cast<uint8_t>(3 * i + 1);
  uint8_t state[64];
  for (size_t i = 0; i < sizeof(state); ++i) state[i] = static_cast<uint8_t>(7 * i);
  uint8_t expected[64];
  uint8_t buffer[128];
  Sha256Compress(expected, state, block);
  std::memcpy(buffer, block, sizeof(block));
  Sha256Compress(buffer + 5, state, buffer);
  EXPECT_EQ(std::memcmp(buffer + 5, expected, 32), 0);
  Sha512Compress(expected, state, block);
  std::memcpy(buffer, block, sizeof(block));
  Sha512Compress(buffer + 5, state, buffer);
  EXPECT_EQ(std::memcmp(buffer + 5, expected, 64), 0);
}

TEST(HashTest, XorInReadsBothFirst) {
  for (const int distance : {-136, -40, -5, -1, 0, 1, 7, 40, 136}) {
    uint8_t bytes[600];
    for (size_t i = 0; i < sizeof(bytes); ++i) bytes[i] = static_cast<uint8_t>(i * i + i / 3);
    uint8_t expected[136];
    for (int i = 0; i < 136; ++i) {
      expected[i] = static_cast<uint8_t>(bytes[200 + i] ^ bytes[200 + distance + i]);
    }
    KeccakXorIn(bytes + 200, bytes + 200 + distance, 136);
    EXPECT_EQ(std::memcmp(bytes + 200, expected, sizeof(expected)), 0) << distance;
  }
}

TEST(HashTest, RandomStream) {
  const uint8_t seed[32] = {};
  ChaCha12Rng rng(seed);
  uint8_t bytes[80];
  rng.FillBytes(bytes);
  EXPECT_EQ(Hex(bytes), kStdRngBytes);
  // ECRYPT's ChaCha test vectors (TC1, 256-bit key, 12 rounds).
  EXPECT_EQ(Hex(absl::MakeSpan(bytes, 32)),
            "9bf49a6a0755f953811fce125f2683d50429c3bb49e074147e0089a52eae155f");
  // A call takes whole words.
  ChaCha12Rng words(seed);
  uint8_t five[5];
  words.FillBytes(five);
  EXPECT_EQ(std::memcmp(five, bytes, 5), 0);
  words.FillBytes(five);
  EXPECT_EQ(std::memcmp(five, bytes + 8, 5), 0);
}

}  // namespace
}  // namespace precast::openvm
