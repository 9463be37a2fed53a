// Every vector instruction, over all registers and the special forms of memory operands, decoded by
// Zydis and compared with the assembly it stands for.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/encoder_testing.h"
#include "compiler/x64/vector_op.h"
#include "gtest/gtest.h"

namespace precast::x64 {
namespace {

std::string Text(uint8_t imm) { return absl::StrCat("0x", absl::Hex(imm)); }

std::vector<Xmm> Xmms() {
  std::vector<Xmm> regs;
  for (int i = 0; i < 16; ++i) regs.push_back(static_cast<Xmm>(i));
  return regs;
}
std::vector<Reg> Regs() {
  std::vector<Reg> regs;
  for (int i = 0; i < 16; ++i) regs.push_back(static_cast<Reg>(i));
  return regs;
}

using EncoderVectorTest = EncoderTest;

TEST_F(EncoderVectorTest, Registers) {
  for (VectorOp op : kAllVectorOps) {
    const VectorOpInfo& info = Info(op);
    for (Xmm a : Xmms()) {
      if (info.form == VectorForm::kShiftImm) {
        e_.VectorShift(op, a, a, 13);
        Expect(absl::StrCat(info.text, " ", Name(a), ", ", Text(13)));
        continue;
      }
      for (Xmm b : Xmms()) {
        const std::string text = absl::StrCat(info.text, " ", Name(a), ", ", Name(b));
        if (info.form == VectorForm::kTwo) {
          e_.Vector(op, a, a, b);
          Expect(text);
        } else {
          e_.Vector(op, a, a, b, 3);
          Expect(absl::StrCat(text, ", ", Text(3)));
        }
      }
    }
  }
}

TEST_F(EncoderVectorTest, Memory) {
  for (VectorOp op : kAllVectorOps) {
    const VectorOpInfo& info = Info(op);
    if (info.form == VectorForm::kShiftImm || op == VectorOp::kMovsd) continue;
    for (Xmm a : Xmms()) {
      for (const auto& [mem, mem_text] : Mems()) {
        const std::string text = absl::StrCat(info.text, " ", Name(a), ", ", mem_text);
        if (info.form == VectorForm::kTwo) {
          e_.Vector(op, a, a, mem);
          Expect(text);
        } else {
          e_.Vector(op, a, a, mem, 0x5);
          Expect(absl::StrCat(text, ", ", Text(5)));
        }
      }
    }
  }
}

// The displacement is where rip_field() says, also with an immediate after it.
TEST_F(EncoderVectorTest, RipRelative) {
  e_.Vector(VectorOp::kPaddb, Xmm::xmm9, Xmm::xmm9, Mem::Rip());
  EXPECT_EQ(e_.rip_field() + 4, e_.size());
  Expect("paddb xmm9, [0x9]");
  e_.Vector(VectorOp::kPshufd, Xmm::xmm0, Xmm::xmm0, Mem::Rip(), 0x4e);
  EXPECT_EQ(e_.rip_field() + 5, e_.size());
  Expect("pshufd xmm0, [0x12], 0x4e");
}

TEST_F(EncoderVectorTest, GeneralRegisters) {
  for (Xmm x : Xmms()) {
    for (Reg r : Regs()) {
      const std::pair<Width, const char*> lanes[] = {
          {Width::k8, "b"}, {Width::k16, "w"}, {Width::k32, "d"}, {Width::k64, "q"}};
      for (const auto& [w, suffix] : lanes) {
        e_.InsertLane(w, x, x, r, 1);
        Expect(absl::StrCat("pinsr", suffix, " ", Name(x), ", ", NameForLane(w, r), ", ", Text(1)));
        e_.ExtractLane(w, r, x, 1);
        Expect(absl::StrCat("pextr", suffix, " ", NameForLane(w, r), ", ", Name(x), ", ", Text(1)));
      }
      const std::string operands = absl::StrCat(" ", Name(Width::k32, r), ", ", Name(x));
      e_.SignMask(Width::k8, r, x);
      Expect("pmovmskb" + operands);
      e_.SignMask(Width::k32, r, x);
      Expect("movmskps" + operands);
      e_.SignMask(Width::k64, r, x);
      Expect("movmskpd" + operands);
    }
  }
}

}  // namespace
}  // namespace precast::x64
