#include "compiler/riscv/decoder.h"

#include <cstdint>
#include <cstring>
#include <iterator>
#include <vector>

#include "gtest/gtest.h"

namespace precast::riscv {
namespace {

TEST(Decoder, PrintsKnownWords) {
  EXPECT_EQ(Disassemble(0x00c10513, 0), "addi a0, sp, 12");
  EXPECT_EQ(Disassemble(0xffc12503, 0), "lw a0, -4(sp)");
  EXPECT_EQ(Disassemble(0xfea12e23, 0), "sw a0, -4(sp)");
  EXPECT_EQ(Disassemble(0x000107b7, 0), "lui a5, 0x10");
  EXPECT_EQ(Disassemble(0xffdff06f, 0x1000), "jal zero, 0xffc");
  EXPECT_EQ(Disassemble(0xfe0518e3, 0x1010), "bne a0, zero, 0x1000");
  EXPECT_EQ(Disassemble(0x00008067, 0), "jalr zero, 0(ra)");
  EXPECT_EQ(Disassemble(0x4057d793, 0), "srai a5, a5, 5");
  EXPECT_EQ(Disassemble(0x02b55533, 0), "divu a0, a0, a1");
  EXPECT_EQ(Disassemble(0x00000073, 0), "ecall");
  EXPECT_EQ(Disassemble(0x00100073, 0), "ebreak");
  EXPECT_EQ(Disassemble(0x0ff0000f, 0), "fence");
}

TEST(Decoder, FastHelpersAreADialect) {
  EXPECT_EQ(Decode(0x0000008b).op, Op::kIllegal);
  EXPECT_EQ(Decode(0x0000008b, Dialect::kFastHelpers).op, Op::kHelper);
  EXPECT_EQ(Disassemble(0x0020008b, 0, Dialect::kFastHelpers), "helper ra, __muldf3");
  EXPECT_EQ(Disassemble(0x0020008b, 0), ".word 0x0020008b");
  EXPECT_EQ(Decode(0xfff0008b, Dialect::kFastHelpers).op, Op::kIllegal);  // no such helper
  EXPECT_EQ(Decode(0x0000010b, Dialect::kFastHelpers).op, Op::kIllegal);  // rd is not ra
}

TEST(Decoder, RejectsWhatIsNotRv32im) {
  EXPECT_EQ(Decode(0x00000000).op, Op::kIllegal);
  EXPECT_EQ(Decode(0xffffffff).op, Op::kIllegal);
  EXPECT_EQ(Decode(0x00200073).op, Op::kIllegal);  // uret
  EXPECT_EQ(Decode(0xc0002573).op, Op::kIllegal);  // csrrs a0, cycle, zero
  EXPECT_EQ(Decode(0x02001013).op, Op::kIllegal);  // slli with a 6-bit amount
  EXPECT_EQ(Decode(0x00003003).op, Op::kIllegal);  // ld
  EXPECT_EQ(Decode(0x00004501).op, Op::kIllegal);  // compressed
}

// The bucketed search finds what a plain search of the table finds.
TEST(Decoder, AgreesWithTheTableOnRandomWords) {
  struct Row {
    Op op;
    uint32_t match, mask;
  };
  constexpr Row kRows[] = {
#define PRECAST_RV_OP(Name, mnemonic, match, mask, format) {Op::k##Name, match, mask},
#include "compiler/riscv/opcodes.def"
#undef PRECAST_RV_OP
  };
  uint64_t state = 1;
  for (int i = 0; i < 1000000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    uint32_t word = static_cast<uint32_t>(state >> 32);
    if (i % 2 == 0)
      word = (word & ~kRows[i / 2 % std::size(kRows)].mask) | kRows[i / 2 % std::size(kRows)].match;
    Op expected = Op::kIllegal;
    for (const Row& row : kRows) {
      if ((word & row.mask) == row.match) expected = row.op;
    }
    ASSERT_EQ(Decode(word).op, expected) << std::hex << word;
  }
}

TEST(Decoder, ManyWordsAreDecodedLikeOne) {
  constexpr uint32_t kMatches[] = {
#define PRECAST_RV_OP(Name, mnemonic, match, mask, format) match,
#include "compiler/riscv/opcodes.def"
#undef PRECAST_RV_OP
      0x0000000b, 0x0000002b, 0x0000007b, 0x00000073, 0x00001073, 0x0020008b};
  std::vector<uint32_t> words;
  uint64_t state = 7;
  for (size_t i = 0; i < 300'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    // What is random is everything, the operands, or a few bits.
    const uint32_t random = static_cast<uint32_t>(state >> 32);
    const uint32_t bits = i % 3 == 0 ? ~0u : i % 3 == 1 ? 0x01ff8f80 : random >> 27 << (i % 31);
    words.push_back(kMatches[i % std::size(kMatches)] ^ (random & bits));
  }
  for (Dialect dialect : {Dialect::kBase, Dialect::kFastHelpers, Dialect::kOpenVm}) {
    std::vector<Instruction> all(words.size());
    DecodeAll(reinterpret_cast<const uint8_t*>(words.data()), words.size(), dialect, all.data());
    for (size_t i = 0; i < words.size(); ++i) {
      const Instruction one = Decode(words[i], dialect);
      ASSERT_EQ(std::memcmp(&all[i], &one, sizeof one), 0) << std::hex << words[i];
    }
  }
}

TEST(Decoder, ImmediatesCoverTheirRange) {
  for (int32_t imm = -4096; imm < 4096; imm += 2) {
    uint32_t u = static_cast<uint32_t>(imm);
    uint32_t word = 0x63 | ((u >> 12) & 1) << 31 | ((u >> 5) & 0x3f) << 25 | ((u >> 1) & 0xf) << 8 |
                    ((u >> 11) & 1) << 7;
    ASSERT_EQ(Decode(word).imm, imm);
  }
  for (int32_t imm = -(1 << 20); imm < (1 << 20); imm += 254) {
    uint32_t u = static_cast<uint32_t>(imm);
    uint32_t word = 0x6f | ((u >> 20) & 1) << 31 | ((u >> 1) & 0x3ff) << 21 |
                    ((u >> 11) & 1) << 20 | ((u >> 12) & 0xff) << 12;
    ASSERT_EQ(Decode(word).imm, imm);
  }
  for (int32_t imm = -2048; imm < 2048; ++imm) {
    uint32_t u = static_cast<uint32_t>(imm);
    ASSERT_EQ(Decode(0x23 | (u & 31) << 7 | ((u >> 5) & 0x7f) << 25).imm, imm);
    ASSERT_EQ(Decode(0x13 | u << 20).imm, imm);
  }
}

}  // namespace
}  // namespace precast::riscv
