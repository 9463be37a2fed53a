#include "compiler/riscv/testing/assembler.h"

#include <random>

#include "compiler/riscv/decoder.h"
#include "gtest/gtest.h"

namespace precast::riscv::testing {
namespace {

// Every word that decodes is what its decoded form encodes to (fence operands aside, which decoding
// drops).
TEST(Assembler, EncodeInvertsDecode) {
  std::mt19937 random(1);
  int decoded = 0;
  for (int i = 0; i < 2000000; ++i) {
    const uint32_t word = static_cast<uint32_t>(random()) | 3;
    const Instruction in = Decode(word);
    if (in.op == Op::kIllegal || in.op == Op::kFence || in.op == Op::kFenceI) continue;
    ++decoded;
    ASSERT_EQ(Encode(in), word) << Disassemble(word, 0);
  }
  EXPECT_GT(decoded, 100000);
}

}  // namespace
}  // namespace precast::riscv::testing
