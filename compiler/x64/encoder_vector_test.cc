// Every vector instruction, over all registers and the special forms of memory operands, decoded by Zydis and
// compared with the assembly it stands for.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/x64/disassembler.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/vector_op.h"
#include "gtest/gtest.h"

namespace precast::x64 {
namespace {

const VectorOp kAll[] = {
#define PRECAST_VECTOR_OP(Name, ...) VectorOp::k##Name,
#define PRECAST_VECTOR_OP_IMM(Name, ...) VectorOp::k##Name,
#define PRECAST_VECTOR_OP_SHIFT(Name, ...) VectorOp::k##Name,
#include "compiler/x64/vector_op.def"
#undef PRECAST_VECTOR_OP
#undef PRECAST_VECTOR_OP_IMM
#undef PRECAST_VECTOR_OP_SHIFT
};

const char* const kNames64[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
const char* const kNames32[] = {"eax", "ecx", "edx",  "ebx",  "esp",  "ebp",  "esi",  "edi",
                                "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"};

std::string Name(Xmm r) { return absl::StrCat("xmm", Number(r)); }
std::string Name(Width w, Reg r) { return (w == Width::k64 ? kNames64 : kNames32)[Number(r)]; }
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

// Memory operands with the text that Zydis has for them.
std::vector<std::pair<Mem, std::string>> Mems() {
  return {
      {Mem::At(Reg::rax), "[rax]"},
      {Mem::At(Reg::rsp, 16), "[rsp+0x10]"},
      {Mem::At(Reg::rsp, 0x1230), "[rsp+0x1230]"},
      {Mem::At(Reg::rbp), "[rbp]"},
      {Mem::At(Reg::r13, -8), "[r13-0x8]"},
      {Mem::At(Reg::r12), "[r12]"},
      {Mem::At(Reg::r14, Reg::rcx, 1, 4), "[r14+rcx+0x4]"},
      {Mem::At(Reg::rbx, Reg::r15, 8, -0x12345678), "[rbx+r15*8-0x12345678]"},
      {Mem::Scaled(Reg::r9, 4, 0x10), "[r9*4+0x10]"},
  };
}

void Remove(std::string& text, const std::string& part) {
  for (size_t at; (at = text.find(part)) != std::string::npos;) text.erase(at, part.size());
}

class EncoderVectorTest : public ::testing::Test {
 protected:
  void Expect(const std::string& text) { expected_.push_back(text); }
  void TearDown() override {
    const std::vector<DisassembledLine> lines = Disassemble(e_.Take(), 0);
    ASSERT_EQ(lines.size(), expected_.size());
    for (size_t i = 0; i < lines.size(); ++i) {
      ASSERT_TRUE(lines[i].valid) << i << ": " << expected_[i];
      std::string text = lines[i].text;
      for (const char* size : {"xmmword ptr ", "qword ptr ", "dword ptr ", "word ptr "}) {
        Remove(text, size);
      }
      Remove(text, "*1");
      ASSERT_EQ(text, expected_[i]) << i;
    }
  }
  Encoder e_;
  std::vector<std::string> expected_;
};

TEST_F(EncoderVectorTest, Registers) {
  for (VectorOp op : kAll) {
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
  for (VectorOp op : kAll) {
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
        Expect(absl::StrCat("pinsr", suffix, " ", Name(x), ", ", Name(w, r), ", ", Text(1)));
        e_.ExtractLane(w, r, x, 1);
        Expect(absl::StrCat("pextr", suffix, " ", Name(w, r), ", ", Name(x), ", ", Text(1)));
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
