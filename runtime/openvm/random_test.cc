#include "runtime/openvm/random.h"

#include <cstring>
#include <vector>

#include "gtest/gtest.h"

namespace precast::runtime {
namespace {

TEST(Random, ContinuesFromAPosition) {
  openvm::ChaCha12Rng a = RandomFromSeed(7), b = RandomFromSeed(7);
  std::vector<uint32_t> words;
  for (int i = 0; i < 100; ++i) words.push_back(a.NextWord());
  b.set_position(50);
  for (int i = 50; i < 100; ++i) EXPECT_EQ(b.NextWord(), words[i]);
  EXPECT_EQ(a.position(), 100u);
  std::vector<uint8_t> bytes(100);
  openvm::ChaCha12Rng c = RandomFromSeed(7);
  FillRandom(c, absl::MakeSpan(bytes));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(bytes[i], words[i] & 0xff);
}

// The values that rand's own test of StdRng expects (rand 0.8 and 0.9, src/rngs/std.rs).
TEST(Random, IsThatOfRust) {
  const uint32_t words[8] = {1, 23, 456, 7890};
  uint8_t key[32];
  std::memcpy(key, words, sizeof(key));
  openvm::ChaCha12Rng rng(key);
  auto next_u64 = [&] {
    const uint64_t low = rng.NextWord();
    return low | uint64_t{rng.NextWord()} << 32;
  };
  EXPECT_EQ(next_u64(), 10719222850664546238u);
}

TEST(Random, SeedsDiffer) { EXPECT_NE(RandomFromSeed(0).NextWord(), RandomFromSeed(1).NextWord()); }

}  // namespace
}  // namespace precast::runtime
