// Every emitter, over all registers and the special forms of memory operands, decoded by Zydis and
// compared with the assembly it stands for.
#include "compiler/x64/encoder.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/x64/disassembler.h"
#include "gtest/gtest.h"

namespace precast::x64 {
namespace {

const char* const kNames64[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
const char* const kNames32[] = {"eax", "ecx", "edx",  "ebx",  "esp",  "ebp",  "esi",  "edi",
                                "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"};
const char* const kNames16[] = {"ax",  "cx",  "dx",   "bx",   "sp",   "bp",   "si",   "di",
                                "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w"};
const char* const kNames8[] = {"al",  "cl",  "dl",   "bl",   "spl",  "bpl",  "sil",  "dil",
                               "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"};
const char* const kConds[] = {"o", "no", "b", "nb", "z", "nz", "be", "nbe",
                              "s", "ns", "p", "np", "l", "nl", "le", "nle"};

std::string Name(Width w, Reg r) {
  switch (w) {
    case Width::k8:
      return kNames8[Number(r)];
    case Width::k16:
      return kNames16[Number(r)];
    case Width::k32:
      return kNames32[Number(r)];
    case Width::k64:
      return kNames64[Number(r)];
  }
  return "";
}
std::string Name(Xmm r) { return absl::StrCat("xmm", Number(r)); }

std::string Signed(int64_t v) {
  return v < 0 ? absl::StrCat("-0x", absl::Hex(-static_cast<uint64_t>(v)))
               : absl::StrCat("0x", absl::Hex(v));
}

// An immediate as Zydis prints it: operations sign-extend to their width.
std::string Text(Width w, int32_t imm) {
  switch (w) {
    case Width::k8:
      return absl::StrCat("0x", absl::Hex(static_cast<uint8_t>(imm)));
    case Width::k16:
      return absl::StrCat("0x", absl::Hex(static_cast<uint16_t>(imm)));
    case Width::k32:
      return absl::StrCat("0x", absl::Hex(static_cast<uint32_t>(imm)));
    case Width::k64:
      return absl::StrCat("0x", absl::Hex(static_cast<uint64_t>(int64_t{imm})));
  }
  return "";
}

std::string Text(const Mem& m) {
  std::string text = "[";
  if (m.base != Mem::kNoReg) absl::StrAppend(&text, kNames64[m.base]);
  if (m.index != Mem::kNoReg) {
    absl::StrAppend(&text, m.base != Mem::kNoReg ? "+" : "", kNames64[m.index]);
    absl::StrAppend(&text, m.scale == 1 ? "" : absl::StrCat("*", m.scale));
  }
  if (m.disp > 0) absl::StrAppend(&text, "+", Signed(m.disp));
  if (m.disp < 0) absl::StrAppend(&text, Signed(m.disp));
  return text + "]";
}

std::vector<Reg> Regs() {
  std::vector<Reg> regs;
  for (int i = 0; i < 16; ++i) regs.push_back(static_cast<Reg>(i));
  return regs;
}

std::vector<Mem> Mems() {
  std::vector<Mem> mems;
  for (int32_t disp : {0, 1, -1, 127, -128, 128, -129, 0x12345678, -0x12345678}) {
    for (Reg base : Regs()) {
      mems.push_back(Mem::At(base, disp));
      for (Reg index : Regs()) {
        if (index == Reg::rsp) continue;
        mems.push_back(Mem::At(base, index, static_cast<uint8_t>(1 << (Number(index) & 3)), disp));
      }
    }
  }
  return mems;
}

const int32_t kImms[] = {0,    1,   -1,  127,        -128,      128,
                         -129, 255, 256, 0x12345678, INT32_MIN, INT32_MAX};

// Encoding names a memory operand's size where Zydis does ("dword ptr"); it is dropped from both
// sides.
std::string Normalize(std::string text) {
  for (const char* size :
       {"byte ptr ", "xmmword ptr ", "qword ptr ", "dword ptr ", "word ptr ", "near ", "short "}) {
    for (size_t at; (at = text.find(size)) != std::string::npos;)
      text.erase(at, std::string(size).size());
  }
  // An index of scale 1 is printed as "reg*1".
  for (size_t at; (at = text.find("*1")) != std::string::npos;) text.erase(at, 2);
  return text;
}

// Collects expectations and compares them with one disassembly.
class EncoderTest : public ::testing::Test {
 protected:
  void Expect(const std::string& text) { expected_.push_back(text); }
  void TearDown() override {
    const size_t size = e_.size();
    std::vector<uint8_t> code = e_.Take();
    ASSERT_EQ(code.size(), size);
    std::vector<DisassembledLine> lines = Disassemble(code, 0);
    ASSERT_EQ(lines.size(), expected_.size());
    for (size_t i = 0; i < lines.size(); ++i) {
      ASSERT_TRUE(lines[i].valid) << i << ": " << expected_[i];
      ASSERT_EQ(Normalize(lines[i].text), expected_[i]) << i;
    }
  }
  Encoder e_;
  std::vector<std::string> expected_;
};

const Width kWide[] = {Width::k32, Width::k64};
const Width kAll[] = {Width::k8, Width::k16, Width::k32, Width::k64};

TEST_F(EncoderTest, RegisterRegister) {
  const std::pair<Alu, const char*> alu[] = {
      {Alu::kAdd, "add"}, {Alu::kOr, "or"},   {Alu::kAdc, "adc"}, {Alu::kSbb, "sbb"},
      {Alu::kAnd, "and"}, {Alu::kSub, "sub"}, {Alu::kXor, "xor"}, {Alu::kCmp, "cmp"}};
  for (Width w : kWide) {
    for (Reg a : Regs()) {
      for (Reg b : Regs()) {
        const std::string ab = absl::StrCat(" ", Name(w, a), ", ", Name(w, b));
        e_.Mov(w, a, b);
        Expect("mov" + ab);
        for (const auto& [op, name] : alu) {
          e_.AluRR(op, w, a, b);
          Expect(name + ab);
        }
        e_.TestRR(w, a, b);
        Expect("test" + ab);
        e_.Imul(w, a, b);
        Expect("imul" + ab);
        for (int c = 0; c < 16; ++c) {
          e_.Cmov(static_cast<Cond>(c), w, a, b);
          Expect(absl::StrCat("cmov", kConds[c], ab));
        }
        if (a != Reg::rax || b != Reg::rax) {
          e_.Xchg(w, a, b);
          // With rax there is a form of its own, in which it comes second.
          const bool first = a == Reg::rax;
          Expect(absl::StrCat("xchg ", Name(w, first ? b : a), ", ", Name(w, first ? a : b)));
        }
        for (Width from : {Width::k8, Width::k16}) {
          e_.Movsx(from, w, a, b);
          Expect(absl::StrCat("movsx ", Name(w, a), ", ", Name(from, b)));
          e_.Movzx(from, a, b);
          Expect(absl::StrCat("movzx ", Name(Width::k32, a), ", ", Name(from, b)));
        }
        e_.Movsx(Width::k32, Width::k64, a, b);
        Expect(absl::StrCat("movsxd ", Name(Width::k64, a), ", ", Name(Width::k32, b)));
      }
    }
  }
}

TEST_F(EncoderTest, OneRegister) {
  const std::pair<Unary, const char*> unary[] = {{Unary::kNot, "not"}, {Unary::kNeg, "neg"},
                                                 {Unary::kMul, "mul"}, {Unary::kImul, "imul"},
                                                 {Unary::kDiv, "div"}, {Unary::kIdiv, "idiv"}};
  const std::pair<Shift, const char*> shifts[] = {{Shift::kRol, "rol"},
                                                  {Shift::kRor, "ror"},
                                                  {Shift::kShl, "shl"},
                                                  {Shift::kShr, "shr"},
                                                  {Shift::kSar, "sar"}};
  for (Reg r : Regs()) {
    for (Width w : kWide) {
      for (const auto& [op, name] : unary) {
        e_.UnaryR(op, w, r);
        Expect(absl::StrCat(name, " ", Name(w, r)));
      }
      for (const auto& [op, name] : shifts) {
        e_.ShiftCl(op, w, r);
        Expect(absl::StrCat(name, " ", Name(w, r), ", cl"));
        for (uint8_t amount : {1, 2, 31}) {
          e_.ShiftImm(op, w, r, amount);
          Expect(absl::StrCat(name, " ", Name(w, r), ", ", Signed(amount)));
        }
      }
    }
    for (int c = 0; c < 16; ++c) {
      e_.Setcc(static_cast<Cond>(c), r);
      Expect(absl::StrCat("set", kConds[c], " ", Name(Width::k8, r)));
    }
    e_.CallReg(r);
    Expect("call " + Name(Width::k64, r));
    e_.Push(r);
    Expect("push " + Name(Width::k64, r));
    e_.Pop(r);
    Expect("pop " + Name(Width::k64, r));
    e_.JmpReg(r);
    Expect("jmp " + Name(Width::k64, r));
  }
}

TEST_F(EncoderTest, Immediates) {
  const std::pair<Alu, const char*> alu[] = {
      {Alu::kAdd, "add"}, {Alu::kAnd, "and"}, {Alu::kCmp, "cmp"}};
  for (Reg r : Regs()) {
    for (int32_t imm : kImms) {
      for (Width w : kWide) {
        for (const auto& [op, name] : alu) {
          e_.AluRI(op, w, r, imm);
          Expect(absl::StrCat(name, " ", Name(w, r), ", ", Text(w, imm)));
        }
        e_.TestRI(w, r, imm);
        Expect(absl::StrCat("test ", Name(w, r), ", ", Text(w, imm)));
        e_.ImulImm(w, r, Reg::r9, imm);
        Expect(absl::StrCat("imul ", Name(w, r), ", ", Name(w, Reg::r9), ", ", Text(w, imm)));
      }
      e_.TestRI(Width::k8, r, imm);
      Expect(absl::StrCat("test ", Name(Width::k8, r), ", ", Text(Width::k8, imm)));
    }
    for (uint64_t imm : {uint64_t{0}, uint64_t{0xffffffff}, uint64_t{1} << 32, ~uint64_t{0},
                         ~uint64_t{0x7fffffff}}) {
      e_.MovImm(r, imm);
      const Width w = imm <= 0xffffffff ? Width::k32 : Width::k64;
      Expect(absl::StrCat("mov ", Name(w, r), ", 0x", absl::Hex(imm)));
    }
  }
}

TEST_F(EncoderTest, Memory) {
  size_t n = 0;
  for (const Mem& m : Mems()) {
    const Reg r = static_cast<Reg>(n++ % 16);
    const std::string at = Text(m);
    for (Width w : kWide) {
      e_.Load(w, r, m);
      Expect(absl::StrCat("mov ", Name(w, r), ", ", at));
      e_.Lea(w, r, m);
      Expect(absl::StrCat("lea ", Name(w, r), ", ", at));
      e_.AluRM(Alu::kSub, w, r, m);
      Expect(absl::StrCat("sub ", Name(w, r), ", ", at));
      e_.AluMR(Alu::kXor, w, m, r);
      Expect(absl::StrCat("xor ", at, ", ", Name(w, r)));
      for (int32_t imm : {1, 1000, -1}) {
        e_.AluMI(Alu::kCmp, w, m, imm);
        Expect(absl::StrCat("cmp ", at, ", ", Text(w, imm)));
        e_.TestMI(w, m, imm);
        Expect(absl::StrCat("test ", at, ", ", Text(w, imm)));
        e_.ImulImm(w, r, m, imm);
        Expect(absl::StrCat("imul ", Name(w, r), ", ", at, ", ", Text(w, imm)));
      }
      e_.TestMR(w, m, r);
      Expect(absl::StrCat("test ", at, ", ", Name(w, r)));
      e_.Imul(w, r, m);
      Expect(absl::StrCat("imul ", Name(w, r), ", ", at));
      e_.UnaryM(Unary::kMul, w, m);
      Expect("mul " + at);
      e_.Cmov(Cond::kL, w, r, m);
      Expect(absl::StrCat("cmovl ", Name(w, r), ", ", at));
      for (Width from : {Width::k8, Width::k16}) {
        e_.Movsx(from, w, r, m);
        Expect(absl::StrCat("movsx ", Name(w, r), ", ", at));
      }
    }
    for (Width w : kAll) {
      e_.Store(w, m, r);
      Expect(absl::StrCat("mov ", at, ", ", Name(w, r)));
      e_.StoreImm(w, m, -2);
      Expect(absl::StrCat("mov ", at, ", ", Text(w, -2)));
    }
    for (Width from : {Width::k8, Width::k16}) {
      e_.Movzx(from, r, m);
      Expect(absl::StrCat("movzx ", Name(Width::k32, r), ", ", at));
    }
    e_.Movsx(Width::k32, Width::k64, r, m);
    Expect(absl::StrCat("movsxd ", Name(Width::k64, r), ", ", at));
    e_.CallMem(m);
    Expect("call " + at);
    e_.JmpMem(m);
    Expect("jmp " + at);
    const Xmm x = static_cast<Xmm>(r);
    e_.MovqToXmm(Width::k32, x, m);
    Expect(absl::StrCat("movd ", Name(x), ", ", at));
    e_.MovqToXmm(Width::k64, x, m);
    Expect(absl::StrCat("movq ", Name(x), ", ", at));
    e_.MovqFromXmm(Width::k32, m, x);
    Expect(absl::StrCat("movd ", at, ", ", Name(x)));
    e_.MovqFromXmm(Width::k64, m, x);
    Expect(absl::StrCat("movq ", at, ", ", Name(x)));
    e_.MovupsLoad(x, m);
    Expect(absl::StrCat("movups ", Name(x), ", ", at));
    e_.MovupsStore(m, x);
    Expect(absl::StrCat("movups ", at, ", ", Name(x)));
  }
}

TEST_F(EncoderTest, IndexWithoutBase) {
  for (Reg r : Regs()) {
    if (r == Reg::rsp) continue;
    e_.Lea(Width::k32, Reg::rdx, Mem::Scaled(r, 8, 0x10));
    Expect(absl::StrCat("lea edx, [", kNames64[Number(r)], "*8+0x10]"));
  }
}

TEST_F(EncoderTest, Vectors) {
  for (int a = 0; a < 16; ++a) {
    for (int b = 0; b < 16; ++b) {
      e_.MovapsRR(static_cast<Xmm>(a), static_cast<Xmm>(b));
      Expect(absl::StrCat("movaps xmm", a, ", xmm", b));
    }
  }
}

TEST_F(EncoderTest, Vex) {
  for (Width w : kWide) {
    for (Reg a : Regs()) {
      for (Reg b : Regs()) {
        const std::string ab = absl::StrCat(" ", Name(w, a), ", ", Name(w, b));
        e_.Lzcnt(w, a, b);
        Expect("lzcnt" + ab);
        e_.Rorx(w, a, b, 5);
        Expect(absl::StrCat("rorx", ab, ", 0x5"));
        e_.BlsR(LowBit::kReset, w, a, b);
        Expect("blsr" + ab);
        e_.BlsR(LowBit::kMask, w, a, b);
        Expect("blsmsk" + ab);
        e_.BlsR(LowBit::kIsolate, w, a, b);
        Expect("blsi" + ab);
        for (Reg c : {Reg::rax, Reg::rsp, Reg::r8, Reg::r15}) {
          const std::string abc = absl::StrCat(ab, ", ", Name(w, c));
          e_.ShiftX(Shift::kShl, w, a, b, c);
          Expect("shlx" + abc);
          e_.ShiftX(Shift::kShr, w, a, b, c);
          Expect("shrx" + abc);
          e_.ShiftX(Shift::kSar, w, a, b, c);
          Expect("sarx" + abc);
          e_.Andn(w, a, b, c);
          Expect("andn" + abc);
        }
      }
    }
  }
  int k = 0;
  for (const Mem& m : Mems()) {
    const Reg r = static_cast<Reg>(k % 16), v = static_cast<Reg>(k / 16 % 16);
    ++k;
    const std::string at = Text(m);
    for (Width w : kWide) {
      e_.Lzcnt(w, r, m);
      Expect(absl::StrCat("lzcnt ", Name(w, r), ", ", at));
      e_.MovbeLoad(w, r, m);
      Expect(absl::StrCat("movbe ", Name(w, r), ", ", at));
      e_.MovbeStore(w, m, r);
      Expect(absl::StrCat("movbe ", at, ", ", Name(w, r)));
      e_.Rorx(w, r, m, 31);
      Expect(absl::StrCat("rorx ", Name(w, r), ", ", at, ", 0x1f"));
      e_.BlsM(LowBit::kIsolate, w, r, m);
      Expect(absl::StrCat("blsi ", Name(w, r), ", ", at));
      e_.ShiftX(Shift::kSar, w, r, m, v);
      Expect(absl::StrCat("sarx ", Name(w, r), ", ", at, ", ", Name(w, v)));
      e_.Andn(w, r, v, m);
      Expect(absl::StrCat("andn ", Name(w, r), ", ", Name(w, v), ", ", at));
    }
  }
}

TEST_F(EncoderTest, Control) {
  e_.SignExtendRax(Width::k32);
  Expect("cdq");
  e_.SignExtendRax(Width::k64);
  Expect("cqo");
  e_.Ret();
  Expect("ret");
  e_.Ud2();
  Expect("ud2");
  e_.Hlt();
  Expect("hlt");
  size_t at = e_.size();
  e_.CallRel32();
  EXPECT_EQ(e_.rip_field(), at + 1);
  Expect(absl::StrCat("call 0x", absl::Hex(at + 5)));
  at = e_.size();
  e_.JmpRel32();
  EXPECT_EQ(e_.rip_field(), at + 1);
  Expect(absl::StrCat("jmp 0x", absl::Hex(at + 5)));
  at = e_.size();
  e_.Lea(Width::k64, Reg::r11, Mem::Rip());
  EXPECT_EQ(e_.rip_field(), at + 3);
  Expect(absl::StrCat("lea r11, [0x", absl::Hex(at + 7), "]"));
  at = e_.size();
  e_.CallMem(Mem::Rip());
  EXPECT_EQ(e_.rip_field(), at + 2);
  Expect(absl::StrCat("call [0x", absl::Hex(at + 6), "]"));
}

TEST(EncoderNopTest, AnyLength) {
  for (size_t n = 0; n < 64; ++n) {
    Encoder e;
    e.Nop(n);
    ASSERT_EQ(e.size(), n);
    const std::vector<uint8_t> code = e.Take();
    const std::vector<DisassembledLine> lines = Disassemble(code, 0);
    EXPECT_EQ(lines.size(), (n + 8) / 9);
    for (const DisassembledLine& line : lines) EXPECT_EQ(line.text.substr(0, 3), "nop");
  }
}

}  // namespace
}  // namespace precast::x64
