#include "runtime/openvm/random.h"

#include <array>
#include <vector>

#include "gtest/gtest.h"

namespace precast::runtime {
namespace {

TEST(StdRng, ContinuesFromAPosition) {
  StdRng a(7), b(7);
  std::vector<uint32_t> words;
  for (int i = 0; i < 100; ++i) words.push_back(a.NextU32());
  b.set_position(50);
  for (int i = 50; i < 100; ++i) EXPECT_EQ(b.NextU32(), words[i]);
  EXPECT_EQ(a.position(), 100u);
  std::vector<uint8_t> bytes(100);
  StdRng(7).FillBytes(absl::MakeSpan(bytes));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(bytes[i], words[i] & 0xff);
}

// The values that rand's own test of StdRng expects (rand 0.8 and 0.9, src/rngs/std.rs).
TEST(StdRng, IsThatOfRust) {
  StdRng rng(std::array<uint32_t, 8>{1, 23, 456, 7890});
  auto next_u64 = [&] {
    const uint64_t low = rng.NextU32();
    return low | uint64_t{rng.NextU32()} << 32;
  };
  EXPECT_EQ(next_u64(), 10719222850664546238u);
}

TEST(StdRng, SeedsDiffer) { EXPECT_NE(StdRng(0).NextU32(), StdRng(1).NextU32()); }

}  // namespace
}  // namespace precast::runtime
