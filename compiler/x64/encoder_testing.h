// What the tests of the encoder share: code is decoded by Zydis and compared with the assembly it
// stands for.
#ifndef PRECAST_COMPILER_X64_ENCODER_TESTING_H_
#define PRECAST_COMPILER_X64_ENCODER_TESTING_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/x64/disassembler.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/vector_op.h"
#include "gtest/gtest.h"

namespace precast::x64 {

inline constexpr VectorOp kAllVectorOps[] = {
#define PRECAST_VECTOR_OP(Name, ...) VectorOp::k##Name,
#define PRECAST_VECTOR_OP_IMM(Name, ...) VectorOp::k##Name,
#define PRECAST_VECTOR_OP_SHIFT(Name, ...) VectorOp::k##Name,
#include "compiler/x64/vector_op.def"
#undef PRECAST_VECTOR_OP
#undef PRECAST_VECTOR_OP_IMM
#undef PRECAST_VECTOR_OP_SHIFT
};

inline std::string Name(Xmm r) { return absl::StrCat("xmm", Number(r)); }
inline std::string Name(Width w, Reg r) {
  static constexpr const char* kNames[4][16] = {
      {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b",
       "r13b", "r14b", "r15b"},
      {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w",
       "r14w", "r15w"},
      {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d",
       "r13d", "r14d", "r15d"},
      {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
       "r13", "r14", "r15"}};
  return kNames[static_cast<int>(w)][Number(r)];
}
// Where lanes of 8 and 16 bits travel in 32.
inline std::string NameForLane(Width w, Reg r) {
  return Name(w == Width::k64 ? Width::k64 : Width::k32, r);
}

// Memory operands with the text that EncoderTest has for them.
inline std::vector<std::pair<Mem, std::string>> Mems() {
  return {
      {Mem::At(Reg::rax), "[rax]"},
      {Mem::At(Reg::rsp, 16), "[rsp+0x10]"},
      {Mem::At(Reg::rsp, 0x1230), "[rsp+0x1230]"},
      {Mem::At(Reg::rbp), "[rbp]"},
      {Mem::At(Reg::r13, -8), "[r13-0x8]"},
      {Mem::At(Reg::r12), "[r12]"},
      {Mem::At(Reg::r12, 0x1230), "[r12+0x1230]"},
      {Mem::At(Reg::r14, Reg::rcx, 1, 4), "[r14+rcx+0x4]"},
      {Mem::At(Reg::rbx, Reg::r15, 8, -0x12345678), "[rbx+r15*8-0x12345678]"},
      {Mem::Scaled(Reg::r9, 4, 0x10), "[r9*4+0x10]"},
  };
}

// Compares what `e_` has made with what was expected of it, line by line, without the sizes of
// memory operands.
class EncoderTest : public ::testing::Test {
 protected:
  void Expect(const std::string& text) { expected_.push_back(text); }
  void TearDown() override {
    const std::vector<DisassembledLine> lines = Disassemble(e_.Take(), 0);
    ASSERT_EQ(lines.size(), expected_.size());
    for (size_t i = 0; i < lines.size(); ++i) {
      ASSERT_TRUE(lines[i].valid) << i << ": " << expected_[i];
      std::string text = lines[i].text;
      for (const char* part :
           {"byte ptr ", "xmmword ptr ", "qword ptr ", "dword ptr ", "word ptr ", "*1"}) {
        for (size_t at; (at = text.find(part)) != std::string::npos;) {
          text.erase(at, std::string(part).size());
        }
      }
      ASSERT_EQ(text, expected_[i]) << i;
    }
  }
  Encoder e_;
  std::vector<std::string> expected_;
};

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_ENCODER_TESTING_H_
