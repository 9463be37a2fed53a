// Division: by the machine's instruction, or by multiplication where the divisor is known.
#include <cstdint>
#include <optional>

#include "absl/numeric/bits.h"
#include "compiler/x64/division.h"
#include "compiler/x64/selector.h"

namespace precast::x64::selection {

void Selector::SelectDivide(const InstData& d, Value a, Value b, Width w, VReg result) {
  const bool is_signed = d.op == Opcode::kSdivTotal || d.op == Opcode::kSremTotal;
  const bool remainder = d.op == Opcode::kSremTotal || d.op == Opcode::kUremTotal;
  if (const std::optional<int32_t> c = Constant32Of(b); c.has_value() && w == Width::k32) {
    return is_signed ? DivideSignedBy(Reg(a), *c, remainder, result)
                     : DivideUnsignedBy(Reg(a), static_cast<uint32_t>(*c), remainder, result);
  }
  const VReg x = Reg(a), y = Reg(b);
  const x64::Reg out = remainder ? x64::Reg::rdx : x64::Reg::rax;
  const x64::Reg other = remainder ? x64::Reg::rax : x64::Reg::rdx;
  MInst& m = Emit(MOp::kDivide, {UseFixed(x, x64::Reg::rax), UseLate(y), DefFixed(result, out)},
                  Bit(IntPReg(other)));
  m.width = w;
  m.unary = is_signed ? Unary::kIdiv : Unary::kDiv;
  m.aux =
      static_cast<uint8_t>((remainder ? kDivideRemainder : 0) | (d.aux != 0 ? kDivideGuarded : 0));
}

void Selector::DivideUnsignedBy(VReg a, uint32_t c, bool remainder, VReg result) {
  const Width w = Width::k32;
  if (c == 0) {
    if (remainder) return EmitMove(a, result);
    Emit(MOp::kMovImm, {Def(result)}).imm = 0xffffffff;
    return;
  }
  if (absl::has_single_bit(c)) {
    if (!remainder) {
      return EmitShiftImm(Shift::kShr, a, static_cast<uint8_t>(absl::countr_zero(c)), w, result);
    }
    return EmitAluImm(Alu::kAnd, a, static_cast<int32_t>(c - 1), w, result);
  }
  const VReg q = remainder ? NewVReg() : result;
  const UnsignedMagic magic = MagicUnsigned(c);
  if (!magic.add) {
    EmitMulHiImm(a, false, magic.multiplier, static_cast<uint8_t>(32 + magic.shift), q);
  } else {
    const VReg t = NewVReg(), u = NewVReg(), half = NewVReg(), sum = NewVReg();
    EmitMulHiImm(a, false, magic.multiplier, 32, t);
    EmitAlu(Alu::kSub, a, t, w, u);
    EmitShiftImm(Shift::kShr, u, 1, w, half);
    Emit(MOp::kAdd, {Use(half), Use(t), Def(sum)}).width = w;
    EmitShiftImm(Shift::kShr, sum, static_cast<uint8_t>(magic.shift - 1), w, q);
  }
  if (remainder) EmitRemainder(a, q, static_cast<int32_t>(c), result);
}

void Selector::DivideSignedBy(VReg a, int32_t c, bool remainder, VReg result) {
  const Width w = Width::k32;
  if (c == 0) {
    if (remainder) return EmitMove(a, result);
    Emit(MOp::kMovImm, {Def(result)}).imm = 0xffffffff;
    return;
  }
  if (c == 1 || c == -1) {
    if (remainder) {
      Emit(MOp::kMovImm, {Def(result)}).imm = 0;
    } else if (c == 1) {
      EmitMove(a, result);
    } else {
      EmitUnary(Unary::kNeg, a, w, result);
    }
    return;
  }
  if (c > 0 && absl::has_single_bit(static_cast<uint32_t>(c))) {
    // Round towards zero: add c-1 to a negative dividend.
    const uint8_t k = static_cast<uint8_t>(absl::countr_zero(static_cast<uint32_t>(c)));
    const VReg bias = NewVReg(), sum = NewVReg();
    if (k == 1) {
      EmitShiftImm(Shift::kShr, a, 31, w, bias);
    } else {
      const VReg sign = NewVReg();
      EmitShiftImm(Shift::kSar, a, 31, w, sign);
      EmitShiftImm(Shift::kShr, sign, static_cast<uint8_t>(32 - k), w, bias);
    }
    Emit(MOp::kAdd, {Use(a), Use(bias), Def(sum)}).width = w;
    if (!remainder) return EmitShiftImm(Shift::kSar, sum, k, w, result);
    const VReg low = NewVReg();
    EmitAluImm(Alu::kAnd, sum, c - 1, w, low);
    return EmitAlu(Alu::kSub, low, bias, w, result);
  }
  const SignedMagic magic = MagicSigned(c);
  VReg q = NewVReg();
  EmitMulHiImm(a, true, magic.multiplier, 32, q);
  if (c > 0 && magic.multiplier < 0) {
    const VReg sum = NewVReg();
    Emit(MOp::kAdd, {Use(q), Use(a), Def(sum)}).width = w;
    q = sum;
  } else if (c < 0 && magic.multiplier > 0) {
    const VReg difference = NewVReg();
    EmitAlu(Alu::kSub, q, a, w, difference);
    q = difference;
  }
  if (magic.shift != 0) {
    const VReg shifted = NewVReg();
    EmitShiftImm(Shift::kSar, q, magic.shift, w, shifted);
    q = shifted;
  }
  const VReg sign = NewVReg(), quotient = remainder ? NewVReg() : result;
  EmitShiftImm(Shift::kShr, q, 31, w, sign);
  Emit(MOp::kAdd, {Use(q), Use(sign), Def(quotient)}).width = w;
  if (remainder) EmitRemainder(a, quotient, c, result);
}

void Selector::EmitRemainder(VReg a, VReg q, int32_t c, VReg result) {
  const VReg product = NewVReg();
  EmitMulImm(q, c, Width::k32, product);
  EmitAlu(Alu::kSub, a, product, Width::k32, result);
}

}  // namespace precast::x64::selection
