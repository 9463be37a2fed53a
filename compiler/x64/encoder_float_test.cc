// Bit counts, atomics and scalar floating point, over all registers and the special forms of memory
// operands, decoded by Zydis and compared with the assembly they stand for.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/encoder_testing.h"
#include "gtest/gtest.h"

namespace precast::x64 {
namespace {

using EncoderFloatTest = EncoderTest;

const std::pair<Sse, const char*> kSse[] = {
    {Sse::kSqrt, "sqrt"}, {Sse::kAdd, "add"}, {Sse::kMul, "mul"}, {Sse::kSub, "sub"},
    {Sse::kMin, "min"},   {Sse::kDiv, "div"}, {Sse::kMax, "max"}};
const std::pair<SseBits, const char*> kBits[] = {{SseBits::kAnd, "andps"},
                                                 {SseBits::kAndNot, "andnps"},
                                                 {SseBits::kOr, "orps"},
                                                 {SseBits::kXor, "xorps"}};

TEST_F(EncoderFloatTest, Registers) {
  for (int i = 0; i < 16; ++i) {
    for (int k = 0; k < 16; ++k) {
      const Xmm x = static_cast<Xmm>(i), y = static_cast<Xmm>(k);
      const Reg r = static_cast<Reg>(i), s = static_cast<Reg>(k);
      const std::string xy = absl::StrCat(" ", Name(x), ", ", Name(y));
      for (Width w : {Width::k32, Width::k64}) {
        const char* const suffix = w == Width::k64 ? "sd" : "ss";
        for (const auto& [op, name] : kSse) {
          e_.SseRR(op, w, x, y);
          Expect(absl::StrCat(name, suffix, xy));
        }
        e_.Ucomis(w, x, y);
        Expect(absl::StrCat("ucomi", suffix, xy));
        e_.Rounds(w, x, y, Rounding::kCeil);
        Expect(absl::StrCat("round", suffix, xy, ", 0xa"));
        e_.MovToXmm(w, x, s);
        Expect(absl::StrCat(w == Width::k64 ? "movq " : "movd ", Name(x), ", ", Name(w, s)));
        e_.MovFromXmm(w, r, y);
        Expect(absl::StrCat(w == Width::k64 ? "movq " : "movd ", Name(w, r), ", ", Name(y)));
        for (Width i_width : {Width::k32, Width::k64}) {
          e_.CvtFromInt(i_width, w, x, s);
          Expect(absl::StrCat("cvtsi2", suffix, " ", Name(x), ", ", Name(i_width, s)));
          e_.CvttToInt(w, i_width, r, y);
          Expect(absl::StrCat("cvtt", suffix, "2si ", Name(i_width, r), ", ", Name(y)));
        }
        const std::string rs = absl::StrCat(" ", Name(w, r), ", ", Name(w, s));
        e_.Bsf(w, r, s);
        Expect("tzcnt" + rs);
        e_.Bsr(w, r, s);
        Expect("bsr" + rs);
        e_.Popcnt(w, r, s);
        Expect("popcnt" + rs);
      }
      e_.CvtFloat(Width::k32, x, y);
      Expect("cvtss2sd" + xy);
      e_.CvtFloat(Width::k64, x, y);
      Expect("cvtsd2ss" + xy);
      for (const auto& [op, name] : kBits) {
        e_.SseBitsRR(op, x, y);
        Expect(name + xy);
      }
    }
    e_.BtcImm(Width::k64, static_cast<Reg>(i), 63);
    Expect(absl::StrCat("btc ", Name(Width::k64, static_cast<Reg>(i)), ", 0x3f"));
    for (Width w : {Width::k32, Width::k64}) {
      e_.Bswap(w, static_cast<Reg>(i));
      Expect(absl::StrCat("bswap ", Name(w, static_cast<Reg>(i))));
    }
  }
  e_.Mfence();
  Expect("mfence");
}

TEST_F(EncoderFloatTest, Memory) {
  for (const auto& [m, at] : Mems()) {
    for (int i = 0; i < 16; ++i) {
      const Xmm x = static_cast<Xmm>(i);
      const Reg r = static_cast<Reg>(i);
      const std::string xm = absl::StrCat(" ", Name(x), ", ", at);
      for (Width w : {Width::k32, Width::k64}) {
        const char* const suffix = w == Width::k64 ? "sd" : "ss";
        for (const auto& [op, name] : kSse) {
          e_.SseRM(op, w, x, m);
          Expect(absl::StrCat(name, suffix, xm));
        }
        e_.Ucomis(w, x, m);
        Expect(absl::StrCat("ucomi", suffix, xm));
        e_.MovsLoad(w, x, m);
        Expect(absl::StrCat("mov", suffix, xm));
        e_.MovsStore(w, m, x);
        Expect(absl::StrCat("mov", suffix, " ", at, ", ", Name(x)));
        for (Width to : {Width::k32, Width::k64}) {
          e_.CvtFromInt(w, to, x, m);
          Expect(absl::StrCat("cvtsi2", to == Width::k64 ? "sd" : "ss", xm));
        }
        const std::string rm = absl::StrCat(" ", Name(w, r), ", ", at);
        e_.Bsf(w, r, m);
        Expect("tzcnt" + rm);
        e_.Bsr(w, r, m);
        Expect("bsr" + rm);
        e_.Popcnt(w, r, m);
        Expect("popcnt" + rm);
      }
      for (const auto& [op, name] : kBits) {
        e_.SseBitsRM(op, x, m);
        Expect(name + xm);
      }
      for (Width w : {Width::k8, Width::k16, Width::k32, Width::k64}) {
        const std::string mr = absl::StrCat(" ", at, ", ", Name(w, r));
        e_.LockXadd(w, m, r);
        Expect("lock xadd" + mr);
        e_.XchgMem(w, m, r);
        Expect("xchg" + mr);
        e_.LockCmpxchg(w, m, r);
        Expect("lock cmpxchg" + mr);
        e_.LockAlu(Alu::kSub, w, m, r);
        Expect("lock sub" + mr);
        e_.LockAlu(Alu::kXor, w, m, r);
        Expect("lock xor" + mr);
      }
    }
    e_.LockAluImm(Alu::kOr, Width::k8, m, 0x1234);
    Expect(absl::StrCat("lock or ", at, ", 0x34"));
    e_.LockAluImm(Alu::kAnd, Width::k16, m, 0x1234);
    Expect(absl::StrCat("lock and ", at, ", 0x1234"));
    e_.LockAluImm(Alu::kAdd, Width::k16, m, 3);
    Expect(absl::StrCat("lock add ", at, ", 0x3"));
    e_.LockAluImm(Alu::kAdd, Width::k32, m, 0x12345678);
    Expect(absl::StrCat("lock add ", at, ", 0x12345678"));
    e_.LockAluImm(Alu::kSub, Width::k64, m, 0x12345678);
    Expect(absl::StrCat("lock sub ", at, ", 0x12345678"));
  }
}

}  // namespace
}  // namespace precast::x64
