// The machine code of operations on v128: which code a pattern is, and lanes, shuffles and
// constants. See simd_emitter.h.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/log/check.h"
#include "compiler/x64/simd_emitter.h"

namespace precast::x64::emission {
namespace {

template <typename T>
ir::V128 SplatOf(T lane) {
  ir::V128 bytes;
  for (size_t k = 0; k < 16; k += sizeof(T)) std::memcpy(&bytes[k], &lane, sizeof(T));
  return bytes;
}

}  // namespace

ir::V128 Splat8(uint8_t lane) { return SplatOf(lane); }
ir::V128 Splat16(uint16_t lane) { return SplatOf(lane); }
ir::V128 Splat32(uint32_t lane) { return SplatOf(lane); }
ir::V128 Splat64(uint64_t lane) { return SplatOf(lane); }

void SimdEmitter::Emit() {
  switch (m_.op) {
    case MOp::kVconst:
      return EmitVconst();
    case MOp::kShuffle:
      return EmitShuffle();
    default:
      return EmitSimd();
  }
}

Mem SimdEmitter::MemOf(Operand source) {
  if (IsFolded(source)) return at_.FoldedAccess(folded_);
  return at_.Slot(Number(source));
}

void SimdEmitter::Op(VectorOp op, Xmm d, Xmm first, Xmm source) {
  if (e_.avx() || Info(op).sources == 1) return e_.Vector(op, d, first, source);
  DCHECK(d == first || d != source);
  Copy(d, first);
  e_.Vector(op, d, d, source);
}

void SimdEmitter::Op(VectorOp op, Xmm d, Xmm first, Operand source) {
  if (IsConstant(source)) return Op(op, d, first, Constant(m_.disp));
  if (IsReg(source)) return Op(op, d, first, X(source));
  if (!e_.avx()) {
    if (Info(op).sources == 2) Copy(d, first);
    first = d;
  }
  e_.Vector(op, d, first, MemOf(source));
}

void SimdEmitter::Op(VectorOp op, Xmm d, Operand first, Operand source) {
  if (IsReg(first)) return Op(op, d, X(first), source);
  Copy(d, first);
  Op(op, d, d, source);
}

void SimdEmitter::Op(VectorOp op, Xmm d, Operand first, Xmm source) {
  if (IsReg(first)) return Op(op, d, X(first), source);
  Copy(d, first);
  Op(op, d, d, source);
}

void SimdEmitter::Op(VectorOp op, Xmm d, Xmm first, const ir::V128& source) {
  if (!e_.avx()) {
    if (Info(op).sources == 2) Copy(d, first);
    first = d;
  }
  e_.Vector(op, d, first, Mem::Rip());
  at_.RelocateConstant(source, 0);
}

void SimdEmitter::OpImm(VectorOp op, Xmm d, Xmm first, Xmm source, uint8_t imm) {
  if (e_.avx() || Info(op).sources == 1) return e_.Vector(op, d, first, source, imm);
  DCHECK(d == first || d != source);
  Copy(d, first);
  e_.Vector(op, d, d, source, imm);
}

void SimdEmitter::OpImm(VectorOp op, Xmm d, Xmm first, Operand source, uint8_t imm) {
  if (IsReg(source)) return OpImm(op, d, first, X(source), imm);
  if (!e_.avx()) {
    if (Info(op).sources == 2) Copy(d, first);
    first = d;
  }
  if (IsConstant(source)) {
    e_.Vector(op, d, first, Mem::Rip(), imm);
    at_.RelocateConstant(Constant(m_.disp), 1);
  } else {
    e_.Vector(op, d, first, MemOf(source), imm);
  }
}

void SimdEmitter::Shift(VectorOp op, Xmm d, Xmm a, uint8_t amount) {
  if (e_.avx()) return e_.VectorShift(op, d, a, amount);
  Copy(d, a);
  e_.VectorShift(op, d, d, amount);
}

void SimdEmitter::Shift(VectorOp op, Xmm d, Operand a, uint8_t amount) {
  if (IsReg(a)) return Shift(op, d, X(a), amount);
  Copy(d, a);
  Shift(op, d, amount);
}

void SimdEmitter::Copy(Xmm d, Operand source) {
  if (IsConstant(source)) {
    Load(d, Constant(m_.disp));
  } else if (at_.IsReg(Number(source))) {
    Copy(d, X(source));
  } else {
    e_.MovupsLoad(d, at_.Slot(Number(source)));
  }
}

void SimdEmitter::Load(Xmm d, const ir::V128& constant) {
  if (constant == Splat8(0)) {
    Zero(d);
  } else if (constant == Splat8(0xff)) {
    Ones(d);
  } else {
    Op(VectorOp::kMovaps, d, constant);
  }
}

void SimdEmitter::Invert(Xmm d) {
  Ones(kS);
  Op(VectorOp::kPxor, d, kS);
}

void SimdEmitter::EmitVconst() { Load(X(kA), Constant(m_.imm)); }

void SimdEmitter::EmitShuffle() {
  const VectorOp op = static_cast<VectorOp>(m_.aux);
  const uint8_t imm = static_cast<uint8_t>(m_.disp);
  switch (m_.shuffle) {
    case ShuffleForm::kUnary:
      if (Info(op).form == VectorForm::kTwo) return Op(op, X(kB), kA);
      return OpImm(op, X(kB), kA, imm);
    case ShuffleForm::kBinary:
      return Op(op, X(kC), X(kA), kB);
    case ShuffleForm::kTwoImm:
      return OpImm(op, X(kC), X(kA), kB, imm);
    case ShuffleForm::kShift:
      return Shift(op, X(kB), X(kA), imm);
    case ShuffleForm::kBytes:
      return Op(VectorOp::kPshufb, X(kB), X(kA), Constant(m_.imm));
    case ShuffleForm::kTwoBytes: {
      const Xmm d = X(kC);
      if (IsReg(kB)) {
        Op(VectorOp::kPshufb, kS, X(kB), Constant(m_.imm + 1));
      } else {
        Copy(kS, kB);
        Op(VectorOp::kPshufb, kS, Constant(m_.imm + 1));
      }
      Op(VectorOp::kPshufb, d, X(kA), Constant(m_.imm));
      return Op(VectorOp::kPor, d, kS);
    }
  }
}

void SimdEmitter::EmitSimd() {
  const ir::SimdOp simd_op = static_cast<ir::SimdOp>(m_.aux);
  const SimdLowering& l = Lowering(simd_op);
  const uint8_t lane = static_cast<uint8_t>(m_.imm);
  uint32_t inputs = 0;
  while (ir::Info(simd_op).operands[inputs] != '\0') ++inputs;
  const Operand result{inputs}, temporary{inputs + 1};
  switch (l.pattern) {
    case SimdPattern::kUnary:
      return Op(l.op, X(result), kA);
    case SimdPattern::kUnaryImm:
      return OpImm(l.op, X(result), kA, l.imm);
    case SimdPattern::kBinary:
      return Op(l.op, X(result), X(kA), kB);
    case SimdPattern::kBinaryImm:
      return OpImm(l.op, X(result), X(kA), kB, l.imm);
    case SimdPattern::kBinaryNot:
      Op(l.op, X(result), X(kA), kB);
      return Invert(X(result));
    case SimdPattern::kBound:
      return Bound(l, X(result), false);
    case SimdPattern::kBoundNot:
      return Bound(l, X(result), true);
    case SimdPattern::kNegate: {
      const Xmm zero = Start(X(result));
      Zero(zero);
      return Op(l.op, X(result), zero, kA);
    }
    case SimdPattern::kAllTrue:
      return AllTrue(l, R(result));
    case SimdPattern::kExtendHigh:
      OpImm(VectorOp::kPshufd, X(result), kA, 0xee);
      return Op(l.op, X(result), X(result));
    case SimdPattern::kExtmulLow8:
      return ExtmulLow8(l, X(result));
    case SimdPattern::kExtmulHigh8:
      return ExtmulHigh8(l, X(result));
    case SimdPattern::kExtmul16:
      return Extmul16(l, X(result));
    case SimdPattern::kExtmul32:
      return Extmul32(l, X(result));
    case SimdPattern::kMulAdd:
      return MulAdd(l, X(result));
    case SimdPattern::kShift:
    case SimdPattern::kShiftLeft8:
    case SimdPattern::kShiftRightS8:
    case SimdPattern::kShiftRightU8:
    case SimdPattern::kShiftRightS64:
      return ShiftLanes(l);
    case SimdPattern::kSplat8:
    case SimdPattern::kSplat16:
    case SimdPattern::kSplat32:
    case SimdPattern::kSplat64:
      return Splat(l.pattern, X(result));
    case SimdPattern::kExtract8S:
      return ExtractInt(Width::k8, true, R(result));
    case SimdPattern::kExtract8U:
      return ExtractInt(Width::k8, false, R(result));
    case SimdPattern::kExtract16S:
      return ExtractInt(Width::k16, true, R(result));
    case SimdPattern::kExtract16U:
      return ExtractInt(Width::k16, false, R(result));
    case SimdPattern::kExtract32:
      return ExtractInt(Width::k32, false, R(result));
    case SimdPattern::kExtract64:
      return ExtractInt(Width::k64, false, R(result));
    case SimdPattern::kExtractF32:
      return ExtractFloat(Width::k32, X(result));
    case SimdPattern::kExtractF64:
      return ExtractFloat(Width::k64, X(result));
    case SimdPattern::kReplace8:
      return e_.InsertLane(Width::k8, X(result), X(kA), R(kB), lane);
    case SimdPattern::kReplace16:
      return e_.InsertLane(Width::k16, X(result), X(kA), R(kB), lane);
    case SimdPattern::kReplace32:
      return e_.InsertLane(Width::k32, X(result), X(kA), R(kB), lane);
    case SimdPattern::kReplace64:
      return e_.InsertLane(Width::k64, X(result), X(kA), R(kB), lane);
    case SimdPattern::kReplaceF32:
      return ReplaceFloat(Width::k32, X(result));
    case SimdPattern::kReplaceF64:
      return ReplaceFloat(Width::k64, X(result));
    case SimdPattern::kLow32:
      return e_.MovToXmm(Width::k32, X(result), R(kA));
    case SimdPattern::kLow64:
      return e_.MovToXmm(Width::k64, X(result), R(kA));
    case SimdPattern::kSwizzle:
      return Swizzle(X(result));
    case SimdPattern::kNot: {
      const Xmm ones = Start(X(result));
      Ones(ones);
      return Op(VectorOp::kPxor, X(result), ones, kA);
    }
    case SimdPattern::kBitselect:
      return Bitselect(X(result));
    case SimdPattern::kAnyTrue:
      e_.AluRR(Alu::kXor, Width::k32, R(result), R(result));
      Op(VectorOp::kPtest, X(kA), X(kA));
      return e_.Setcc(Cond::kNe, R(result));
    case SimdPattern::kAbs64:
      return Abs64(X(result));
    case SimdPattern::kPopcnt:
      return Popcnt(X(result), X(temporary));
    case SimdPattern::kBitmask8:
      return e_.SignMask(Width::k8, R(result), X(kA));
    case SimdPattern::kBitmask16:
      return Bitmask16(R(result));
    case SimdPattern::kBitmask32:
      return e_.SignMask(Width::k32, R(result), X(kA));
    case SimdPattern::kBitmask64:
      return e_.SignMask(Width::k64, R(result), X(kA));
    case SimdPattern::kMul64:
      return Mul64(X(result), X(temporary));
    case SimdPattern::kQ15Mul:
      return Q15Mul(X(result));
    case SimdPattern::kPairwiseS8: {  // pmaddubsw: unsigned bytes times signed ones, pairs added
      const Xmm factors = Start(X(result));
      Load(factors, Splat8(1));
      return Op(VectorOp::kPmaddubsw, X(result), factors, kA);
    }
    case SimdPattern::kPairwiseU8:
      return Op(VectorOp::kPmaddubsw, X(result), X(kA), Splat8(1));
    case SimdPattern::kPairwiseS16:
      return Op(VectorOp::kPmaddwd, X(result), X(kA), Splat16(1));
    case SimdPattern::kPairwiseU16:
      return PairwiseU16(X(result));
    case SimdPattern::kDot8:
      return Dot8(X(result), X(temporary));
    case SimdPattern::kDot8Add:
      Dot8(X(result), X(temporary));
      Op(VectorOp::kPmaddwd, X(result), Splat16(1));
      return Op(VectorOp::kPaddd, X(result), kC);
    case SimdPattern::kAbsF32:
      return Op(VectorOp::kAndps, X(result), X(kA), Splat32(0x7fffffff));
    case SimdPattern::kNegF32:
      return Op(VectorOp::kXorps, X(result), X(kA), Splat32(0x80000000));
    case SimdPattern::kAbsF64:
      return Op(VectorOp::kAndps, X(result), X(kA), Splat64(0x7fffffffffffffff));
    case SimdPattern::kNegF64:
      return Op(VectorOp::kXorps, X(result), X(kA), Splat64(0x8000000000000000));
    case SimdPattern::kMinF32:
      return Min(false, X(result));
    case SimdPattern::kMaxF32:
      return Max(false, X(result));
    case SimdPattern::kMinF64:
      return Min(true, X(result));
    case SimdPattern::kMaxF64:
      return Max(true, X(result));
    case SimdPattern::kTruncF32S:
      return TruncF32S(X(result));
    case SimdPattern::kTruncF32U:
      return TruncF32U(X(result), X(temporary));
    case SimdPattern::kConvertF32U:
      return ConvertF32U(X(result));
    case SimdPattern::kTruncF64S:
      return TruncF64S(X(result));
    case SimdPattern::kTruncF64U:
      return TruncF64U(X(result));
    case SimdPattern::kConvertF64U:
      return ConvertF64U(X(result));
  }
}

// -- lanes

void SimdEmitter::Splat(SimdPattern pattern, Xmm d) {
  if (at_.HasAvx2()) {
    const Width lane = pattern == SimdPattern::kSplat8    ? Width::k8
                       : pattern == SimdPattern::kSplat16 ? Width::k16
                       : pattern == SimdPattern::kSplat32 ? Width::k32
                                                          : Width::k64;
    if (m_.folded) return e_.Broadcast(lane, d, MemOf(kA));
    e_.MovToXmm(lane == Width::k64 ? lane : Width::k32, d, R(kA));
    return e_.Broadcast(lane, d, d);
  }
  e_.MovToXmm(pattern == SimdPattern::kSplat64 ? Width::k64 : Width::k32, d, R(kA));
  switch (pattern) {
    case SimdPattern::kSplat8:  // every byte is byte 0
      Zero(kS);
      return Op(VectorOp::kPshufb, d, kS);
    case SimdPattern::kSplat16:
      OpImm(VectorOp::kPshuflw, d, d, 0);
      return Op(VectorOp::kPunpcklqdq, d, d);
    case SimdPattern::kSplat32:
      return OpImm(VectorOp::kPshufd, d, d, 0);
    default:
      return Op(VectorOp::kPunpcklqdq, d, d);
  }
}

void SimdEmitter::ExtractInt(Width lane, bool is_signed, Reg d) {
  const uint8_t index = static_cast<uint8_t>(m_.imm);
  if (index == 0 && (lane == Width::k32 || lane == Width::k64)) {
    e_.MovFromXmm(lane, d, X(kA));
  } else {
    e_.ExtractLane(lane, d, X(kA), index);
  }
  if (is_signed) e_.Movsx(lane, Width::k32, d, d);
}

void SimdEmitter::ExtractFloat(Width lane, Xmm d) {
  const uint8_t index = static_cast<uint8_t>(m_.imm);
  OpImm(VectorOp::kPshufd, d, kA, lane == Width::k64 ? 0xee : index);
}

void SimdEmitter::ReplaceFloat(Width lane, Xmm d) {
  const uint8_t index = static_cast<uint8_t>(m_.imm);
  if (lane == Width::k32) {
    OpImm(VectorOp::kInsertps, d, X(kA), X(kB), static_cast<uint8_t>(index << 4));
  } else {
    Op(index == 0 ? VectorOp::kMovsd : VectorOp::kUnpcklpd, d, X(kA), X(kB));
  }
}

void SimdEmitter::Swizzle(Xmm d) {
  // pshufb makes zeros of indices with the top bit; indices above 15 get it by saturation.
  if (IsReg(kB)) {
    Op(VectorOp::kPaddusb, kS, X(kB), Splat8(0x70));
  } else {
    Copy(kS, kB);
    Op(VectorOp::kPaddusb, kS, Splat8(0x70));
  }
  Op(VectorOp::kPshufb, d, X(kA), kS);
}

}  // namespace precast::x64::emission
