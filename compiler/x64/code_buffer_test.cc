#include "compiler/x64/code_buffer.h"

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace precast::x64 {
namespace {

// Jump sizes at the edges of rel8, forwards and backwards.
TEST(CodeBufferTest, ShortAndLong) {
  for (size_t gap : {0, 126, 127, 128, 129, 300}) {
    CodeBuffer b;
    const Label end = b.NewLabel();
    b.Jump(end);
    b.code().Nop(gap);
    b.Bind(end);
    const std::vector<uint8_t> code = b.Finish();
    EXPECT_EQ(code.size(), gap + (gap <= 127 ? 2 : 5)) << gap;
    EXPECT_EQ(b.Offset(end), code.size());
  }
  for (size_t gap : {0, 125, 126, 127, 300}) {
    CodeBuffer b;
    const Label start = b.NewLabel();
    b.Bind(start);
    b.code().Nop(gap);
    b.Jump(Cond::kL, start);
    const std::vector<uint8_t> code = b.Finish();
    EXPECT_EQ(code.size(), gap + (gap <= 126 ? 2 : 6)) << gap;
  }
}

TEST(CodeBufferTest, CallsReachFourBytesFar) {
  CodeBuffer b;
  const Label end = b.NewLabel();
  b.Call(end);
  b.code().Nop(3);
  b.Bind(end);
  b.Call(end);
  const std::vector<uint8_t> code = b.Finish();
  EXPECT_EQ(b.Offset(end), 8u);
  const std::vector<uint8_t> ahead(code.begin(), code.begin() + 5);
  const std::vector<uint8_t> back(code.begin() + 8, code.end());
  EXPECT_EQ(ahead, (std::vector<uint8_t>{0xe8, 3, 0, 0, 0}));
  EXPECT_EQ(back, (std::vector<uint8_t>{0xe8, 0xfb, 0xff, 0xff, 0xff}));
}

// A loop lies in one line if it can, and does not end in the first bytes of one.
TEST(CodeBufferTest, LoopsEndWithinLines) {
  for (size_t before : {0, 1, 16, 40, 63}) {
    for (size_t body : {10, 50, 62, 63, 64, 70, 77, 78, 100, 130, 200, 250, 300}) {
      CodeBuffer b;
      b.code().Nop(before);
      const Label head = b.NewLabel();
      b.AlignLoop(head);
      b.Bind(head);
      b.code().Nop(body);
      b.Jump(Cond::kL, head);
      const CodePosition end = b.Here();
      b.Finish();
      const uint32_t length = b.Offset(end) - b.Offset(head);
      EXPECT_EQ(b.Offset(head) % 16, 0u) << before << " " << body;
      EXPECT_LT(b.Offset(head), before + 64) << before << " " << body;
      EXPECT_EQ(b.needs_line(), length > 16 && length <= CodeBuffer::kMaxLoop)
          << before << " " << body;
      if (length <= CodeBuffer::kLine) {
        EXPECT_EQ(b.Offset(head) / CodeBuffer::kLine, (b.Offset(end) - 1) / CodeBuffer::kLine)
            << before << " " << body;
      } else if (b.needs_line()) {
        EXPECT_GE((b.Offset(end) - 1) % CodeBuffer::kLine, 15u) << before << " " << body;
      }
    }
  }
}

// Many jumps whose sizes depend on one another, with paddings: every jump arrives.
TEST(CodeBufferTest, Random) {
  std::mt19937 rng(1);
  for (int round = 0; round < 200; ++round) {
    CodeBuffer b;
    struct Jump {
      CodePosition at;
      Label label;
      bool conditional;
    };
    std::vector<Label> labels;
    std::vector<CodePosition> aligned;
    for (int i = 0; i < 60; ++i) labels.push_back(b.NewLabel());
    std::vector<Jump> jumps;
    for (Label label : labels) {
      if (rng() % 4 == 0) {
        b.Align(16);
        aligned.push_back(b.Here());
      }
      b.Bind(label);
      b.code().Nop(rng() % 30);
      for (uint32_t k = rng() % 3; k > 0; --k) {
        const Label target = labels[rng() % labels.size()];
        const bool conditional = rng() % 2 == 0;
        jumps.push_back({b.Here(), target, conditional});
        if (conditional) {
          b.Jump(Cond::kE, target);
        } else {
          b.Jump(target);
        }
      }
    }
    const std::vector<uint8_t> code = b.Finish();
    for (const CodePosition& p : aligned) EXPECT_EQ(b.Offset(p) % 16, 0u);
    for (const Jump& j : jumps) {
      uint32_t at = b.Offset(j.at);
      int32_t distance;
      if (code[at] == (j.conditional ? 0x74 : 0xeb)) {
        distance = static_cast<int8_t>(code[at + 1]);
        at += 2;
      } else {
        if (j.conditional) {
          ASSERT_EQ(code[at++], 0x0f);
        }
        ASSERT_EQ(code[at], j.conditional ? 0x84 : 0xe9);
        std::memcpy(&distance, &code[at + 1], 4);
        at += 5;
      }
      EXPECT_EQ(at + static_cast<uint32_t>(distance), b.Offset(j.label));
    }
  }
}

}  // namespace
}  // namespace precast::x64
