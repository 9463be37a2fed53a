// The machine code of operations on integers and bits in v128 that take several instructions. See
// simd_emitter.h.
#include <cstdint>

#include "compiler/x64/simd_emitter.h"

namespace precast::x64::emission {

void SimdEmitter::Bound(const SimdLowering& l, Xmm d, bool invert) {
  Op(l.op, kS, kB, X(kA));
  Op(l.op2, d, X(kA), kS);
  if (invert) Invert(d);
}

// ((a ^ b) & c) ^ b
void SimdEmitter::Bitselect(Xmm d) {
  const Xmm difference = Start(d);
  Op(VectorOp::kPxor, difference, X(kA), kB);
  Op(VectorOp::kPand, difference, kC);
  Op(VectorOp::kPxor, d, difference, kB);
}

// S: the lanes that are zero, as ones.
void SimdEmitter::AllTrue(const SimdLowering& l, Reg d) {
  e_.AluRR(Alu::kXor, Width::k32, d, d);
  Zero(kS);
  Op(l.op, kS, kA);
  Op(VectorOp::kPtest, kS, kS);
  e_.Setcc(Cond::kE, d);
}

// Narrowing keeps the sign.
void SimdEmitter::Bitmask16(Reg d) {
  if (IsReg(kA)) {
    Op(VectorOp::kPacksswb, kS, X(kA), X(kA));
  } else {
    Copy(kS, kA);
    Op(VectorOp::kPacksswb, kS, kS);
  }
  e_.SignMask(Width::k8, d, kS);
  e_.Movzx(Width::k8, d, d);
}

// With s = all ones if negative: (a ^ s) - s.
void SimdEmitter::Abs64(Xmm d) {
  Zero(kS);
  Op(VectorOp::kPcmpgtq, kS, X(kA));
  Op(VectorOp::kPxor, d, X(kA), kS);
  Op(VectorOp::kPsubq, d, kS);
}

// The sum of two table look-ups, by the low and the high half of each byte.
void SimdEmitter::Popcnt(Xmm d, Xmm t) {
  static constexpr ir::V128 kCounts = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
  Shift(VectorOp::kPsrlwImm, t, X(kA), 4);
  Op(VectorOp::kPand, t, Splat8(0x0f));
  Op(VectorOp::kPand, d, X(kA), Splat8(0x0f));
  Load(kS, kCounts);
  if (e_.avx()) {
    Op(VectorOp::kPshufb, d, kS, d);
    Op(VectorOp::kPshufb, t, kS, t);
    return Op(VectorOp::kPaddb, d, t);
  }
  Op(VectorOp::kPshufb, kS, d);
  Load(d, kCounts);
  Op(VectorOp::kPshufb, d, t);
  Op(VectorOp::kPaddb, d, kS);
}

// -- shifts

void SimdEmitter::ShiftLanes(const SimdLowering& l) {
  const bool constant = m_.imm != kVariableShift;
  const Xmm a = X(kA), d = X(constant ? kB : kC);
  if (!constant) e_.MovToXmm(Width::k32, kS, R(kB));
  switch (l.pattern) {
    case SimdPattern::kShiftLeft8:
      return ShiftLeft8(constant, d, a);
    case SimdPattern::kShiftRightU8:
      return ShiftRightU8(constant, d, a);
    case SimdPattern::kShiftRightS8:
      return ShiftRightS8(constant, d, a);
    case SimdPattern::kShiftRightS64:
      return ShiftRightS64(constant, d, a);
    default:
      if (constant) return Shift(l.op2, d, a, static_cast<uint8_t>(m_.imm));
      return Op(l.op, d, a, kS);
  }
}

// In 16-bit lanes; a mask removes what came from the other byte.
void SimdEmitter::ShiftLeft8(bool constant, Xmm d, Xmm a) {
  if (constant) {
    const uint8_t n = static_cast<uint8_t>(m_.imm);
    if (n == 0) return Copy(d, a);
    if (n == 1) return Op(VectorOp::kPaddb, d, a, a);
    Shift(VectorOp::kPsllwImm, d, a, n);
    return Op(VectorOp::kPand, d, Splat8(static_cast<uint8_t>(0xff << n)));
  }
  const Xmm t = X({3});
  Op(VectorOp::kPsllw, d, a, kS);
  Ones(t);
  Op(VectorOp::kPsllw, t, kS);  // the low byte of each lane is the mask
  Zero(kS);
  Op(VectorOp::kPshufb, t, kS);
  Op(VectorOp::kPand, d, t);
}

void SimdEmitter::ShiftRightU8(bool constant, Xmm d, Xmm a) {
  if (constant) {
    const uint8_t n = static_cast<uint8_t>(m_.imm);
    if (n == 0) return Copy(d, a);
    Shift(VectorOp::kPsrlwImm, d, a, n);
    return Op(VectorOp::kPand, d, Splat8(static_cast<uint8_t>(0xff >> n)));
  }
  const Xmm t = X({3});
  Op(VectorOp::kPsrlw, d, a, kS);
  Ones(t);
  Shift(VectorOp::kPsrlwImm, t, 8);
  Op(VectorOp::kPsrlw, t, kS);  // the low byte of each lane is the mask
  Zero(kS);
  Op(VectorOp::kPshufb, t, kS);
  Op(VectorOp::kPand, d, t);
}

// Each byte twice in a 16-bit lane, shifted by 8 more (which the selector has added).
void SimdEmitter::ShiftRightS8(bool constant, Xmm d, Xmm a) {
  const Xmm high = constant ? kS : X({3});
  Op(VectorOp::kPunpckhbw, high, a, a);
  Op(VectorOp::kPunpcklbw, d, a, a);
  if (constant) {
    const uint8_t n = static_cast<uint8_t>(m_.imm);
    Shift(VectorOp::kPsrawImm, high, n);
    Shift(VectorOp::kPsrawImm, d, n);
  } else {
    Op(VectorOp::kPsraw, high, kS);
    Op(VectorOp::kPsraw, d, kS);
  }
  Op(VectorOp::kPacksswb, d, high);
}

// With m = the sign bit shifted likewise, x = a >>u n: (x ^ m) - m extends the sign.
void SimdEmitter::ShiftRightS64(bool constant, Xmm d, Xmm a) {
  constexpr uint64_t kSign = uint64_t{1} << 63;
  if (constant) {
    const uint8_t n = static_cast<uint8_t>(m_.imm);
    if (n == 0) return Copy(d, a);
    if (n == 63) {  // 0 > a
      Zero(kS);
      if (e_.avx()) return Op(VectorOp::kPcmpgtq, d, kS, a);
      Op(VectorOp::kPcmpgtq, kS, a);
      return Copy(d, kS);
    }
    const ir::V128 m = Splat64(kSign >> n);
    Shift(VectorOp::kPsrlqImm, d, a, n);
    Op(VectorOp::kPxor, d, m);
    return Op(VectorOp::kPsubq, d, m);
  }
  const Xmm t = X({3});
  Load(t, Splat64(kSign));
  Op(VectorOp::kPsrlq, t, kS);
  Op(VectorOp::kPsrlq, d, a, kS);
  Op(VectorOp::kPxor, d, t);
  Op(VectorOp::kPsubq, d, t);
}

// -- products

// Of 32-bit halves: low × low + ((high × low + low × high) << 32).
void SimdEmitter::Mul64(Xmm d, Xmm t) {
  Shift(VectorOp::kPsrlqImm, kS, X(kA), 32);
  Op(VectorOp::kPmuludq, kS, kB);
  Shift(VectorOp::kPsrlqImm, t, kB, 32);
  Op(VectorOp::kPmuludq, t, X(kA));
  Op(VectorOp::kPaddq, kS, t);
  Shift(VectorOp::kPsllqImm, kS, 32);
  Op(VectorOp::kPmuludq, d, X(kA), kB);
  Op(VectorOp::kPaddq, d, kS);
}

// pmulhrsw is it but for -1 × -1, which gives -1 (0x8000) instead of the largest number: inverted,
// that is right.
void SimdEmitter::Q15Mul(Xmm d) {
  Op(VectorOp::kPmulhrsw, d, X(kA), kB);
  Load(kS, Splat16(0x8000));
  Op(VectorOp::kPcmpeqw, kS, d);
  Op(VectorOp::kPxor, d, kS);
}

// As signed numbers x - 0x8000; the pair's sum then lacks 0x10000.
void SimdEmitter::PairwiseU16(Xmm d) {
  Op(VectorOp::kPxor, d, X(kA), Splat16(0x8000));
  Op(VectorOp::kPmaddwd, d, Splat16(1));
  Op(VectorOp::kPaddd, d, Splat32(0x10000));
}

void SimdEmitter::ExtmulLow8(const SimdLowering& l, Xmm d) {
  Op(l.op, kS, kB);
  Op(l.op, d, kA);
  Op(VectorOp::kPmullw, d, kS);
}

void SimdEmitter::ExtmulHigh8(const SimdLowering& l, Xmm d) {
  OpImm(VectorOp::kPshufd, kS, kB, 0xee);
  Op(l.op, kS, kS);
  OpImm(VectorOp::kPshufd, d, kA, 0xee);
  Op(l.op, d, d);
  Op(VectorOp::kPmullw, d, kS);
}

// Low and high halves of all products, interleaved.
void SimdEmitter::Extmul16(const SimdLowering& l, Xmm d) {
  Op(l.op, kS, X(kA), kB);
  Op(VectorOp::kPmullw, d, X(kA), kB);
  Op(l.op2, d, kS);
}

// pmuldq and pmuludq multiply lanes 0 and 2.
void SimdEmitter::Extmul32(const SimdLowering& l, Xmm d) {
  OpImm(VectorOp::kPshufd, kS, kB, l.imm);
  OpImm(VectorOp::kPshufd, d, kA, l.imm);
  Op(l.op, d, kS);
}

// Odd bytes, and then even ones, extended to 16 bits and multiplied; the sums wrap.
void SimdEmitter::Dot8(Xmm d, Xmm t) {
  Shift(VectorOp::kPsrawImm, kS, X(kA), 8);
  Shift(VectorOp::kPsrawImm, t, kB, 8);
  Op(VectorOp::kPmullw, kS, t);
  Shift(VectorOp::kPsllwImm, t, kB, 8);
  Shift(VectorOp::kPsrawImm, t, 8);
  Shift(VectorOp::kPsllwImm, d, X(kA), 8);
  Shift(VectorOp::kPsrawImm, d, 8);
  Op(VectorOp::kPmullw, d, t);
  Op(VectorOp::kPaddw, d, kS);
}

}  // namespace precast::x64::emission
