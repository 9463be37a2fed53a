// Emission of one operation on v128, apart from Emitter because there are many, and because -O0
// wants the same code of them (compiler/baseline):
//
//   emit_simd.cc          which code a pattern is; lanes, shuffles, constants
//   emit_simd_integer.cc  integers and bits
//   emit_simd_float.cc    floating point and conversions
//
// In the comments S is the scratch register, d the result, t the temporary, a, b, c the inputs.
// Where d reuses a's register (simd_pattern.def), d holds a at the beginning; with AVX, d is any
// register, and may be that of an input: it is written when only a, in the same instruction, is
// still to be read.
#ifndef PRECAST_COMPILER_X64_SIMD_EMITTER_H_
#define PRECAST_COMPILER_X64_SIMD_EMITTER_H_

#include <cstddef>
#include <cstdint>

#include "compiler/ir/ir.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/mir.h"
#include "compiler/x64/registers.h"
#include "compiler/x64/simd_lowering.h"
#include "compiler/x64/vector_op.h"

namespace precast::x64::emission {

// A constant of equal lanes.
ir::V128 Splat8(uint8_t lane);
ir::V128 Splat16(uint16_t lane);
ir::V128 Splat32(uint32_t lane);
ir::V128 Splat64(uint64_t lane);

// What the code depends on besides the instruction itself: where its operands are, counted as in
// MInst, and its constants.
class SimdOperands {
 public:
  virtual bool IsReg(uint32_t k) const = 0;
  virtual Xmm X(uint32_t k) const = 0;
  virtual Reg R(uint32_t k) const = 0;
  // An operand that is in no register: a spill slot, 16-aligned.
  virtual Mem Slot(uint32_t k) const = 0;
  // The access folded into the instruction, whose address begins with operand `first`. Puts its
  // site here.
  virtual Mem FoldedAccess(uint32_t first) = 0;
  // The constants that the instruction names by their number.
  virtual const ir::V128& Constant(size_t index) const = 0;
  // The Mem::Rip() operand of the machine instruction just emitted, `trailing` bytes before its
  // end, is this constant.
  virtual void RelocateConstant(const ir::V128& constant, int32_t trailing) = 0;
  // Whether lanes may be spread by AVX2's instructions.
  virtual bool HasAvx2() const = 0;

 protected:
  ~SimdOperands() = default;
};

class SimdEmitter {
 public:
  SimdEmitter(SimdOperands& operands, Encoder& encoder, const MInst& m)
      : at_(operands), e_(encoder), m_(m), folded_(FoldedInput(m)) {}

  // The instruction: a kSimd, kShuffle or kVconst.
  void Emit();

 private:
  void EmitSimd();
  void EmitShuffle();
  void EmitVconst();

  static constexpr Xmm kS = kVectorScratch;

  static uint32_t FoldedInput(const MInst& m) {
    return m.op == MOp::kSimd && ir::Info(static_cast<ir::SimdOp>(m.aux)).operands[1] == '\0' ? 0
                                                                                              : 1;
  }

  // An operand of the instruction, counted as if all inputs always were operands, one each.
  struct Operand {
    uint32_t number;
  };
  static constexpr Operand kA{0}, kB{1}, kC{2};

  uint32_t Number(Operand operand) const {
    if (m_.constant_b && operand.number > 1) return operand.number - 1;
    if (m_.folded && operand.number > folded_) return operand.number - 1 + NumOperands(m_.place);
    return operand.number;
  }
  bool IsConstant(Operand operand) const { return m_.constant_b && operand.number == 1; }
  bool IsFolded(Operand operand) const { return m_.folded && operand.number == folded_; }
  bool IsReg(Operand operand) const {
    return !IsConstant(operand) && !IsFolded(operand) && at_.IsReg(Number(operand));
  }
  const ir::V128& Constant(int64_t index) const { return at_.Constant(static_cast<size_t>(index)); }
  Xmm X(Operand operand) const { return at_.X(Number(operand)); }
  Reg R(Operand operand) const { return at_.R(Number(operand)); }

  // d = op(first, source); without AVX first is copied to d before, so that d must not be the
  // source unless it is first, too.
  void Op(VectorOp op, Xmm d, Xmm first, Xmm source);
  void Op(VectorOp op, Xmm d, Xmm first, Operand source);
  void Op(VectorOp op, Xmm d, Operand first, Operand source);
  void Op(VectorOp op, Xmm d, Operand first, Xmm source);
  void Op(VectorOp op, Xmm d, Xmm first, const ir::V128& source);
  // op d, source
  void Op(VectorOp op, Xmm d, Xmm source) { Op(op, d, d, source); }
  void Op(VectorOp op, Xmm d, Operand source) { Op(op, d, d, source); }
  void Op(VectorOp op, Xmm d, const ir::V128& source) { Op(op, d, d, source); }
  // The same with an immediate operand.
  void OpImm(VectorOp op, Xmm d, Xmm first, Xmm source, uint8_t imm);
  void OpImm(VectorOp op, Xmm d, Xmm first, Operand source, uint8_t imm);
  void OpImm(VectorOp op, Xmm d, Xmm source, uint8_t imm) { OpImm(op, d, d, source, imm); }
  void OpImm(VectorOp op, Xmm d, Operand source, uint8_t imm) { OpImm(op, d, d, source, imm); }
  // The operand in memory, a spill slot or a folded load; the latter's site is put here.
  Mem MemOf(Operand source);
  void Shift(VectorOp op, Xmm d, Xmm a, uint8_t amount);
  void Shift(VectorOp op, Xmm d, Operand a, uint8_t amount);
  void Shift(VectorOp op, Xmm d, uint8_t amount) { Shift(op, d, d, amount); }
  // A register for what the result is computed from: the result's own, unless that may be an
  // input's.
  Xmm Start(Xmm d) const { return e_.avx() ? kS : d; }

  void Copy(Xmm d, Xmm source) {
    if (d != source) e_.MovapsRR(d, source);
  }
  void Copy(Xmm d, Operand source);
  void Load(Xmm d, const ir::V128& constant);
  void Zero(Xmm d) { Op(VectorOp::kPxor, d, d); }
  void Ones(Xmm d) { Op(VectorOp::kPcmpeqd, d, d); }
  void Invert(Xmm d);  // uses S

  // -- lanes
  void Splat(SimdPattern pattern, Xmm d);
  void ExtractInt(Width lane, bool is_signed, Reg d);
  void ExtractFloat(Width lane, Xmm d);
  void ReplaceFloat(Width lane, Xmm d);
  void Swizzle(Xmm d);

  // -- integers and bits
  void Bound(const SimdLowering& l, Xmm d, bool invert);
  void Bitselect(Xmm d);
  void AllTrue(const SimdLowering& l, Reg d);
  void Bitmask16(Reg d);
  void Abs64(Xmm d);
  void Popcnt(Xmm d, Xmm t);
  void ShiftLanes(const SimdLowering& l);
  void ShiftLeft8(bool constant, Xmm d, Xmm a);
  void ShiftRightU8(bool constant, Xmm d, Xmm a);
  void ShiftRightS8(bool constant, Xmm d, Xmm a);
  void ShiftRightS64(bool constant, Xmm d, Xmm a);
  void Mul64(Xmm d, Xmm t);
  void Q15Mul(Xmm d);
  void PairwiseU16(Xmm d);
  void ExtmulLow8(const SimdLowering& l, Xmm d);
  void ExtmulHigh8(const SimdLowering& l, Xmm d);
  void Extmul16(const SimdLowering& l, Xmm d);
  void Extmul32(const SimdLowering& l, Xmm d);
  void Dot8(Xmm d, Xmm t);

  // -- floating point
  void Min(bool f64, Xmm d);
  void Max(bool f64, Xmm d);
  void Quiet(bool f64, Xmm d);
  void MulAdd(const SimdLowering& l, Xmm d);
  void TruncF32S(Xmm d);
  void TruncF32U(Xmm d, Xmm t);
  void ConvertF32U(Xmm d);
  void TruncF64S(Xmm d);
  void TruncF64U(Xmm d);
  void ConvertF64U(Xmm d);

  SimdOperands& at_;
  Encoder& e_;
  const MInst& m_;
  const uint32_t folded_;  // if m_.folded: the number of the input that is in memory
};

}  // namespace precast::x64::emission

#endif  // PRECAST_COMPILER_X64_SIMD_EMITTER_H_
