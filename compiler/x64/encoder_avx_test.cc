// Every vector and scalar floating-point instruction in the encoding of AVX, over registers and the
// special forms of memory operands, decoded by Zydis and compared with the assembly it stands for.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/encoder_testing.h"
#include "compiler/x64/vector_op.h"
#include "gtest/gtest.h"

namespace precast::x64 {
namespace {

class EncoderAvxTest : public EncoderTest {
 protected:
  EncoderAvxTest() { e_.UseAvx(); }
};

const std::pair<Sse, const char*> kSse[] = {
    {Sse::kSqrt, "vsqrt"}, {Sse::kAdd, "vadd"}, {Sse::kMul, "vmul"}, {Sse::kSub, "vsub"},
    {Sse::kMin, "vmin"},   {Sse::kDiv, "vdiv"}, {Sse::kMax, "vmax"}};
const std::pair<SseBits, const char*> kBits[] = {{SseBits::kAnd, "vandps"},
                                                 {SseBits::kAndNot, "vandnps"},
                                                 {SseBits::kOr, "vorps"},
                                                 {SseBits::kXor, "vxorps"}};
constexpr Xmm kSome[] = {Xmm::xmm0, Xmm::xmm7, Xmm::xmm8, Xmm::xmm15};

TEST_F(EncoderAvxTest, VectorsInRegisters) {
  for (VectorOp op : kAllVectorOps) {
    const VectorOpInfo& info = Info(op);
    for (int i = 0; i < 16; ++i) {
      for (Xmm a : kSome) {
        const Xmm d = static_cast<Xmm>(i);
        const std::string begin = absl::StrCat("v", info.text, " ", Name(d), ", ");
        if (info.form == VectorForm::kShiftImm) {
          e_.VectorShift(op, d, a, 13);
          Expect(absl::StrCat(begin, Name(a), ", 0xd"));
          continue;
        }
        for (Xmm b : kSome) {
          const std::string text =
              absl::StrCat(begin, info.sources == 2 ? Name(a) + ", " : "", Name(b));
          if (info.form == VectorForm::kTwo) {
            e_.Vector(op, d, a, b);
            Expect(text);
          } else {
            e_.Vector(op, d, a, b, 3);
            Expect(text + ", 0x3");
          }
        }
      }
    }
  }
}

TEST_F(EncoderAvxTest, VectorsInMemory) {
  for (VectorOp op : kAllVectorOps) {
    const VectorOpInfo& info = Info(op);
    if (info.form == VectorForm::kShiftImm || op == VectorOp::kMovsd) continue;
    for (Xmm d : kSome) {
      for (Xmm a : kSome) {
        for (const auto& [mem, at] : Mems()) {
          const std::string text = absl::StrCat("v", info.text, " ", Name(d), ", ",
                                                info.sources == 2 ? Name(a) + ", " : "", at);
          if (info.form == VectorForm::kTwo) {
            e_.Vector(op, d, a, mem);
            Expect(text);
          } else {
            e_.Vector(op, d, a, mem, 0x5);
            Expect(text + ", 0x5");
          }
        }
      }
    }
  }
}

// The displacement is where rip_field() says, also with an immediate after it.
TEST_F(EncoderAvxTest, RipRelative) {
  e_.Vector(VectorOp::kPaddb, Xmm::xmm9, Xmm::xmm1, Mem::Rip());
  EXPECT_EQ(e_.rip_field() + 4, e_.size());
  Expect("vpaddb xmm9, xmm1, [0x8]");
  e_.Vector(VectorOp::kPshufd, Xmm::xmm0, Xmm::xmm0, Mem::Rip(), 0x4e);
  EXPECT_EQ(e_.rip_field() + 5, e_.size());
  Expect("vpshufd xmm0, [0x11], 0x4e");
}

TEST_F(EncoderAvxTest, Lanes) {
  const std::pair<Width, const char*> lanes[] = {
      {Width::k8, "b"}, {Width::k16, "w"}, {Width::k32, "d"}, {Width::k64, "q"}};
  for (Xmm x : kSome) {
    for (int i = 0; i < 16; ++i) {
      const Reg r = static_cast<Reg>(i);
      const Xmm y = static_cast<Xmm>(i);
      for (const auto& [w, suffix] : lanes) {
        for (Xmm a : kSome) {
          e_.InsertLane(w, x, a, r, 1);
          Expect(absl::StrCat("vpinsr", suffix, " ", Name(x), ", ", Name(a), ", ",
                              NameForLane(w, r), ", 0x1"));
        }
        e_.ExtractLane(w, r, x, 1);
        Expect(absl::StrCat("vpextr", suffix, " ", NameForLane(w, r), ", ", Name(x), ", 0x1"));
        e_.Broadcast(w, x, y);
        Expect(absl::StrCat("vpbroadcast", suffix, " ", Name(x), ", ", Name(y)));
        for (const auto& [mem, at] : Mems()) {
          e_.Broadcast(w, x, mem);
          Expect(absl::StrCat("vpbroadcast", suffix, " ", Name(x), ", ", at));
        }
      }
      const std::string operands = absl::StrCat(" ", Name(Width::k32, r), ", ", Name(x));
      e_.SignMask(Width::k8, r, x);
      Expect("vpmovmskb" + operands);
      e_.SignMask(Width::k32, r, x);
      Expect("vmovmskps" + operands);
      e_.SignMask(Width::k64, r, x);
      Expect("vmovmskpd" + operands);
    }
  }
}

TEST_F(EncoderAvxTest, ScalarsInRegisters) {
  for (int i = 0; i < 16; ++i) {
    for (int k = 0; k < 16; ++k) {
      const Xmm x = static_cast<Xmm>(i), y = static_cast<Xmm>(k);
      const Reg r = static_cast<Reg>(i), s = static_cast<Reg>(k);
      const std::string xy = absl::StrCat(" ", Name(x), ", ", Name(y));
      const std::string xxy = absl::StrCat(" ", Name(x), ", ", Name(x), ", ", Name(y));
      const std::string xyy = absl::StrCat(xy, ", ", Name(y));
      for (Width w : {Width::k32, Width::k64}) {
        const char* const suffix = w == Width::k64 ? "sd" : "ss";
        for (const auto& [op, name] : kSse) {
          for (Xmm a : kSome) {
            e_.SseRR(op, w, x, a, y);
            Expect(absl::StrCat(name, suffix, " ", Name(x), ", ", Name(a), ", ", Name(y)));
          }
          e_.SseRR(op, w, x, y);
          Expect(absl::StrCat(name, suffix, xxy));
        }
        e_.Ucomis(w, x, y);
        Expect(absl::StrCat("vucomi", suffix, xy));
        e_.Rounds(w, x, y, Rounding::kCeil);
        Expect(absl::StrCat("vround", suffix, xyy, ", 0xa"));
        e_.MovToXmm(w, x, s);
        Expect(
            absl::StrCat(w == Width::k64 ? "vmovq " : "vmovd ", Name(x), ", ", NameForLane(w, s)));
        e_.MovFromXmm(w, r, y);
        Expect(
            absl::StrCat(w == Width::k64 ? "vmovq " : "vmovd ", NameForLane(w, r), ", ", Name(y)));
        for (Width i_width : {Width::k32, Width::k64}) {
          e_.CvtFromInt(i_width, w, x, s);
          Expect(
              absl::StrCat("vcvtsi2", suffix, " ", Name(x), ", ", Name(x), ", ", Name(i_width, s)));
          e_.CvttToInt(w, i_width, r, y);
          Expect(absl::StrCat("vcvtt", suffix, "2si ", Name(i_width, r), ", ", Name(y)));
        }
      }
      e_.CvtFloat(Width::k32, x, y);
      Expect("vcvtss2sd" + xyy);
      e_.CvtFloat(Width::k64, x, y);
      Expect("vcvtsd2ss" + xyy);
      for (const auto& [op, name] : kBits) {
        e_.SseBitsRR(op, x, y);
        Expect(name + xxy);
      }
      e_.MovapsRR(x, y);
      Expect("vmovaps" + xy);
    }
  }
}

TEST_F(EncoderAvxTest, ScalarsInMemory) {
  for (const auto& [m, at] : Mems()) {
    for (int i = 0; i < 16; ++i) {
      const Xmm x = static_cast<Xmm>(i);
      const std::string xm = absl::StrCat(" ", Name(x), ", ", at);
      const std::string mx = absl::StrCat(" ", at, ", ", Name(x));
      const std::string xxm = absl::StrCat(" ", Name(x), ", ", Name(x), ", ", at);
      for (Width w : {Width::k32, Width::k64}) {
        const char* const suffix = w == Width::k64 ? "sd" : "ss";
        for (const auto& [op, name] : kSse) {
          for (Xmm a : kSome) {
            e_.SseRM(op, w, x, a, m);
            Expect(absl::StrCat(name, suffix, " ", Name(x), ", ", Name(a), ", ", at));
          }
        }
        e_.Ucomis(w, x, m);
        Expect(absl::StrCat("vucomi", suffix, xm));
        e_.MovsLoad(w, x, m);
        Expect(absl::StrCat("vmov", suffix, xm));
        e_.MovsStore(w, m, x);
        Expect(absl::StrCat("vmov", suffix, mx));
        for (Width to : {Width::k32, Width::k64}) {
          e_.CvtFromInt(w, to, x, m);
          Expect(absl::StrCat("vcvtsi2", to == Width::k64 ? "sd" : "ss", xxm));
        }
        e_.MovqToXmm(w, x, m);
        Expect((w == Width::k64 ? "vmovq" : "vmovd") + xm);
        e_.MovqFromXmm(w, m, x);
        Expect((w == Width::k64 ? "vmovq" : "vmovd") + mx);
      }
      for (const auto& [op, name] : kBits) {
        for (Xmm a : kSome) {
          e_.SseBitsRM(op, x, a, m);
          Expect(absl::StrCat(name, " ", Name(x), ", ", Name(a), ", ", at));
        }
      }
      e_.MovupsLoad(x, m);
      Expect("vmovups" + xm);
      e_.MovupsStore(m, x);
      Expect("vmovups" + mx);
    }
  }
}

}  // namespace
}  // namespace precast::x64
