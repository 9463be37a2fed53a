// The machine code of floating-point operations and conversions, and of their rare cases.
#include <cstdint>

#include "absl/log/check.h"
#include "compiler/x64/emitter.h"

namespace precast::x64::emission {
namespace {

uint64_t SignBit(Width w) { return uint64_t{1} << (w == Width::k64 ? 63 : 31); }

// 2^63
uint64_t TwoTo63(Width w) { return w == Width::k64 ? 0x43e0000000000000 : 0x5f000000; }

}  // namespace

void Emitter::RelocateFloat(Width w, uint64_t bits) {
  uint8_t bytes[8];
  for (int k = 0; k < 8; ++k) bytes[k] = static_cast<uint8_t>(bits >> (8 * k));
  const uint32_t size = w == Width::k64 ? 8 : 4;
  RelocateConstant(absl::MakeConstSpan(bytes, size), size);
}

void Emitter::RelocateRepeated(Width w, uint64_t bits) {
  uint8_t bytes[16];
  const unsigned size = w == Width::k64 ? 8 : 4;
  for (unsigned k = 0; k < 16; ++k) bytes[k] = static_cast<uint8_t>(bits >> (8 * (k % size)));
  RelocateConstant(bytes, 16);
}

void Emitter::EmitFloatConstant(Xmm d, Width w, uint64_t bits) {
  if (bits == 0) return ClearXmm(d);
  e_.MovsLoad(w, d, Mem::Rip());
  RelocateFloat(w, bits);
}

void Emitter::EmitFloat(uint32_t i, const MInst& m) {
  const Width w = m.width;
  switch (m.op) {
    case MOp::kFconst:
      return EmitFloatConstant(X(i, 0), w, static_cast<uint64_t>(m.imm));
    case MOp::kFloat:
      if (m.folded) {
        const Mem mem = FoldedMem(i, m);
        const Xmm d = X(i, LastOperand(i));
        e_.SseRM(m.sse, w, d, X(i, 0), mem);
      } else if (IsReg(i, 1)) {
        e_.SseRR(m.sse, w, X(i, 2), X(i, 0), X(i, 1));
      } else {
        e_.SseRM(m.sse, w, X(i, 2), X(i, 0), VectorM(i, 1));
      }
      return;
    case MOp::kFloatConst:
      e_.SseRM(m.sse, w, X(i, 1), X(i, 0), Mem::Rip());
      return RelocateFloat(w, static_cast<uint64_t>(m.imm));
    case MOp::kFloatMask:
      e_.SseBitsRM(m.bits, X(i, 1), X(i, 0), Mem::Rip());
      return RelocateRepeated(w, static_cast<uint64_t>(m.imm));
    case MOp::kFloatMinMax:
      return EmitFloatMinMax(i, m);
    case MOp::kCopysign: {
      const Xmm d = X(i, 2), t = X(i, 3);
      if (e_.avx()) {
        e_.SseBitsRM(SseBits::kAnd, t, X(i, 1), Mem::Rip());
      } else {
        e_.MovapsRR(t, X(i, 1));
        e_.SseBitsRM(SseBits::kAnd, t, Mem::Rip());
      }
      RelocateRepeated(w, SignBit(w));
      e_.SseBitsRM(SseBits::kAnd, d, X(i, 0), Mem::Rip());
      RelocateRepeated(w, SignBit(w) - 1);
      return e_.SseBitsRR(SseBits::kOr, d, t);
    }
    // Source and result, or what the rest of the result comes from, are one register, so no
    // instruction waits for an older value of it.
    case MOp::kSqrt:
      return e_.SseRR(Sse::kSqrt, w, X(i, 1), X(i, 0), X(i, 0));
    case MOp::kRound:
      return e_.Rounds(w, X(i, 1), X(i, 0), m.rounding);
    case MOp::kFloatConvert:
      return e_.CvtFloat(m.from, X(i, 1), X(i, 0));
    case MOp::kFloatToInt:
      return EmitFloatToInt(i, m);
    case MOp::kIntToFloat:
      return EmitIntToFloat(i, m);
    case MOp::kBitcast:
      return EmitBitcast(i, m);
    default:
      CHECK(false) << "not a floating-point instruction";
  }
}

// mins and maxs give the second operand if the two are equal or unordered, which ucomis shows as
// equal both.
void Emitter::EmitFloatMinMax(uint32_t i, const MInst& m) {
  const Stub stub = AddRareCase(Stub::Kind::kFloatMinMax, i, m);
  e_.Ucomis(m.width, X(i, 2), X(i, 1));
  buffer_.Jump(Cond::kE, stub.label);
  e_.SseRR(m.sse, m.width, X(i, 2), X(i, 1));
  buffer_.Bind(stub.back);
}

void Emitter::EmitFloatMinMaxStub(const Stub& stub) {
  const MInst& m = *stub.inst;
  const Xmm d = X(stub.index, 2), b = X(stub.index, 1);
  const Label unordered = buffer_.NewLabel();
  buffer_.Bind(stub.label);
  buffer_.Jump(Cond::kP, unordered);
  // Equal: the same bits, or zeros, of which min wants any sign and max both.
  e_.SseBitsRR(m.sse == Sse::kMin ? SseBits::kOr : SseBits::kAnd, d, b);
  buffer_.Jump(stub.back);
  buffer_.Bind(unordered);
  e_.SseRR(Sse::kAdd, m.width, d, b);  // a quiet NaN
  buffer_.Jump(stub.back);
}

// Out of range, the machine gives MIN.
void Emitter::EmitFloatToInt(uint32_t i, const MInst& m) {
  const Xmm a = X(i, 0);
  const Reg d = R(i, 1);
  const bool is_unsigned = (m.aux & kConvertUnsigned) != 0;
  const bool in_range = (m.aux & kConvertInRange) != 0;
  if (is_unsigned && m.width == Width::k32) {
    e_.CvttToInt(m.from, Width::k64, d, a);
    if (in_range) return;
    const Stub stub = AddRareCase(Stub::Kind::kFloatToInt, i, m);
    const Reg t = R(i, 2);
    e_.Mov(Width::k32, t, d);
    e_.AluRR(Alu::kCmp, Width::k64, t, d);
    buffer_.Jump(Cond::kNe, stub.label);
    buffer_.Bind(stub.back);
    return;
  }
  e_.CvttToInt(m.from, m.width, d, a);
  if (!is_unsigned && in_range) return;
  const Stub stub = AddRareCase(Stub::Kind::kFloatToInt, i, m);
  if (is_unsigned) {
    e_.TestRR(m.width, d, d);
    buffer_.Jump(Cond::kS, stub.label);
  } else {
    e_.AluRI(Alu::kCmp, m.width, d, 1);  // overflows for MIN only
    buffer_.Jump(Cond::kO, stub.label);
  }
  buffer_.Bind(stub.back);
}

void Emitter::EmitFloatToIntStub(const Stub& stub) {
  const MInst& m = *stub.inst;
  const Xmm a = X(stub.index, 0);
  const Reg d = R(stub.index, 1);
  const Label zero = buffer_.NewLabel();
  buffer_.Bind(stub.label);
  ClearXmm(kVectorScratch);
  e_.Ucomis(m.from, a, kVectorScratch);
  if ((m.aux & kConvertUnsigned) == 0) {
    buffer_.Jump(Cond::kP, zero);
    buffer_.Jump(Cond::kB, stub.back);  // MIN, as it is
    e_.MovImm(d, m.width == Width::k64 ? ~(uint64_t{1} << 63) : 0x7fffffff);
  } else {
    buffer_.Jump(Cond::kBe, zero);  // negative or NaN
    if (m.width == Width::k32) {
      e_.MovImm(d, 0xffffffff);
    } else {
      e_.MovapsRR(kVectorScratch, a);
      e_.SseRM(Sse::kSub, m.from, kVectorScratch, Mem::Rip());
      RelocateFloat(m.from, TwoTo63(m.from));
      e_.CvttToInt(m.from, Width::k64, d, kVectorScratch);
      e_.BtcImm(Width::k64, d, 63);
      e_.TestRR(Width::k64, d, d);
      buffer_.Jump(Cond::kS, stub.back);
      e_.MovImm(d, ~uint64_t{0});  // 2^64 or more
    }
  }
  buffer_.Jump(stub.back);
  buffer_.Bind(zero);
  e_.AluRR(Alu::kXor, Width::k32, d, d);
  buffer_.Jump(stub.back);
}

void Emitter::EmitIntToFloat(uint32_t i, const MInst& m) {
  const Xmm d = X(i, 1);
  const bool is_unsigned = (m.aux & kConvertUnsigned) != 0;
  // The conversion keeps the rest of d: do not wait for what it was.
  ClearXmm(d);
  if (is_unsigned && m.from == Width::k64) {
    const Stub stub = AddRareCase(Stub::Kind::kIntToFloat, i, m);
    e_.TestRR(m.from, R(i, 0), R(i, 0));
    buffer_.Jump(Cond::kS, stub.label);
    e_.CvtFromInt(Width::k64, m.width, d, R(i, 0));
    buffer_.Bind(stub.back);
  } else if (is_unsigned) {
    e_.CvtFromInt(Width::k64, m.width, d, R(i, 0));
  } else if (IsReg(i, 0)) {
    e_.CvtFromInt(m.from, m.width, d, R(i, 0));
  } else {
    e_.CvtFromInt(m.from, m.width, d, M(i, 0));
  }
}

// 2^63 or more: half of it, with the lost bit kept as one that rounds alike, then doubled.
void Emitter::EmitIntToFloatStub(const Stub& stub) {
  const MInst& m = *stub.inst;
  const Xmm d = X(stub.index, 1);
  const Reg t = R(stub.index, 2);
  const Label even = buffer_.NewLabel();
  buffer_.Bind(stub.label);
  e_.Mov(Width::k64, t, R(stub.index, 0));
  e_.ShiftImm(Shift::kShr, Width::k64, t, 1);
  buffer_.Jump(Cond::kAe, even);
  e_.AluRI(Alu::kOr, Width::k64, t, 1);
  buffer_.Bind(even);
  e_.CvtFromInt(Width::k64, m.width, d, t);
  e_.SseRR(Sse::kAdd, m.width, d, d);
  buffer_.Jump(stub.back);
}

void Emitter::EmitBitcast(uint32_t i, const MInst& m) {
  if (Loc(i, 1).reg.cls == RegClass::kVector) {
    if (IsReg(i, 0)) {
      e_.MovToXmm(m.width, X(i, 1), R(i, 0));
    } else {
      e_.MovsLoad(m.width, X(i, 1), M(i, 0));
    }
  } else if (IsReg(i, 0)) {
    e_.MovFromXmm(m.width, R(i, 1), X(i, 0));
  } else {
    e_.Load(m.width, R(i, 1), VectorM(i, 0));
  }
}

}  // namespace precast::x64::emission
