// The machine code of operations on floating-point lanes that take several instructions. See
// simd_emitter.h. Bitwise instructions are those for f32, which are shorter and do the same.
#include <cstdint>

#include "compiler/x64/simd_emitter.h"

namespace precast::x64::emission {

// minps x, y is x < y ? x : y: with a NaN or two zeros, y. So both orders are computed; their union
// is -0 if one operand is, and NaN if one is.
void SimdEmitter::Min(bool f64, Xmm d) {
  const VectorOp min = f64 ? VectorOp::kMinpd : VectorOp::kMinps;
  Op(min, kS, kB, X(kA));
  Op(min, d, X(kA), kB);
  Op(VectorOp::kOrps, kS, d);
  Quiet(f64, d);
}

// As Min; but of zeros the union is -0 where it should be +0: where the two orders differ in the
// sign only, the difference x is -0, and -0 - -0 is +0. Elsewhere x is +0, or the lane is NaN,
// which the subtraction quiets.
void SimdEmitter::Max(bool f64, Xmm d) {
  const VectorOp max = f64 ? VectorOp::kMaxpd : VectorOp::kMaxps;
  Op(max, kS, kB, X(kA));
  Op(max, d, X(kA), kB);
  Op(VectorOp::kXorps, d, kS);
  Op(VectorOp::kOrps, kS, d);
  Op(f64 ? VectorOp::kSubpd : VectorOp::kSubps, kS, d);
  Quiet(f64, d);
}

// d = S, each NaN made canonical: its quiet bit set, no other bit of the fraction.
void SimdEmitter::Quiet(bool f64, Xmm d) {
  constexpr uint8_t kUnordered = 3;
  OpImm(f64 ? VectorOp::kCmppd : VectorOp::kCmpps, d, kS, kUnordered);
  Op(VectorOp::kOrps, kS, d);
  // Sign, exponent and quiet bit stay.
  Shift(f64 ? VectorOp::kPsrlqImm : VectorOp::kPsrldImm, d, f64 ? 13 : 10);
  Op(VectorOp::kAndnps, d, kS);
}

// Two roundings. c - a × b is the same as -(a × b) + c.
void SimdEmitter::MulAdd(const SimdLowering& l, Xmm d) {
  Op(l.op, kS, kA, kB);
  Op(l.op2, d, X(kC), kS);
}

// cvttps2dq gives 0x80000000 for all that does not fit: right for what is too small; where the
// operand was not negative, inverting it is right.
void SimdEmitter::TruncF32S(Xmm d) {
  constexpr uint8_t kEqual = 0;
  OpImm(VectorOp::kCmpps, kS, X(kA), X(kA), kEqual);
  Op(VectorOp::kAndps, d, X(kA), kS);  // NaN becomes 0
  Op(VectorOp::kPxor, kS, d);          // sign bit set: was a number >= 0
  Op(VectorOp::kCvttps2dq, d, d);
  Op(VectorOp::kPand, kS, d);
  Shift(VectorOp::kPsradImm, kS, 31);  // ones: was >= 0 and did not fit
  Op(VectorOp::kPxor, d, kS);
}

// The sum of two signed conversions: of x, which gives 2^31 if x >= 2^31, and of x - 2^31, at least
// 0 and at most 2^31 - 1.
void SimdEmitter::TruncF32U(Xmm d, Xmm t) {
  constexpr uint8_t kLessOrEqual = 2;
  constexpr uint32_t kTwo31 = 0x4f000000;  // 2^31 as f32
  Zero(kS);
  Op(VectorOp::kMaxps, d, X(kA), kS);  // NaN and negative numbers become 0
  Load(kS, Splat32(kTwo31));
  Op(VectorOp::kSubps, t, d, kS);
  OpImm(VectorOp::kCmpps, kS, t, kLessOrEqual);  // x - 2^31 does not fit either
  Op(VectorOp::kCvttps2dq, t, t);
  Op(VectorOp::kPxor, t, kS);  // then 2^31 - 1
  Zero(kS);
  Op(VectorOp::kPmaxsd, t, kS);
  Op(VectorOp::kCvttps2dq, d, d);
  Op(VectorOp::kPaddd, d, t);
}

// The halves convert exactly, the high one as half of itself to be below 2^31; the sum rounds once.
void SimdEmitter::ConvertF32U(Xmm d) {
  Zero(kS);
  OpImm(VectorOp::kPblendw, kS, X(kA), 0x55);  // low 16 bits
  Op(VectorOp::kPsubd, d, X(kA), kS);          // high 16 bits
  Op(VectorOp::kCvtdq2ps, kS, kS);
  Shift(VectorOp::kPsrldImm, d, 1);
  Op(VectorOp::kCvtdq2ps, d, d);
  Op(VectorOp::kAddps, d, d);
  Op(VectorOp::kAddps, d, kS);
}

// cvttpd2dq gives 0x80000000 for what does not fit: right if it is too small. NaN becomes 0 by
// minpd.
void SimdEmitter::TruncF64S(Xmm d) {
  constexpr uint8_t kEqual = 0;
  constexpr uint64_t kMax = 0x41dfffffffc00000;  // 2^31 - 1 as f64
  OpImm(VectorOp::kCmppd, kS, X(kA), X(kA), kEqual);
  Op(VectorOp::kAndps, kS, Splat64(kMax));  // 2^31 - 1, or 0 for NaN
  Op(VectorOp::kMinpd, d, X(kA), kS);
  Op(VectorOp::kCvttpd2dq, d, d);
}

// A whole number below 2^32 plus 2^52 has the number in its low 32 bits.
void SimdEmitter::TruncF64U(Xmm d) {
  constexpr uint64_t kMax = 0x41efffffffe00000;    // 2^32 - 1 as f64
  constexpr uint64_t kTwo52 = 0x4330000000000000;  // 2^52 as f64
  Zero(kS);
  Op(VectorOp::kMaxpd, d, X(kA), kS);  // NaN and negative numbers become 0
  Op(VectorOp::kMinpd, d, Splat64(kMax));
  OpImm(VectorOp::kRoundpd, d, d, static_cast<uint8_t>(Rounding::kTrunc));
  Op(VectorOp::kAddpd, d, Splat64(kTwo52));
  OpImm(VectorOp::kShufps, d, kS, 0x88);  // dwords 0 and 2, then zeros
}

// The reverse: with 0x43300000 above it, x is 2^52 + x.
void SimdEmitter::ConvertF64U(Xmm d) {
  constexpr uint64_t kTwo52 = 0x4330000000000000;
  Op(VectorOp::kUnpcklps, d, X(kA), Splat32(kTwo52 >> 32));
  Op(VectorOp::kSubpd, d, Splat64(kTwo52));
}

}  // namespace precast::x64::emission
