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
  if (const std::optional<int64_t> c = ConstantOf(b)) {
    const uint64_t bits = w == Width::k64 ? static_cast<uint64_t>(*c) : static_cast<uint32_t>(*c);
    return is_signed ? DivideSignedBy(Reg(a), *c, w, remainder, result)
                     : DivideUnsignedBy(Reg(a), bits, w, remainder, result);
  }
  const VReg x = Reg(a), y = Reg(b);
  if (const auto both = remainder_of_.find(inst_.index); both != remainder_of_.end()) {
    MInst& m =
        Emit(MOp::kDivide, {UseFixed(x, x64::Reg::rax), UseLate(y), DefFixed(result, x64::Reg::rax),
                            DefFixed(both->second, x64::Reg::rdx)});
    m.width = w;
    m.unary = is_signed ? Unary::kIdiv : Unary::kDiv;
    m.aux = static_cast<uint8_t>(kDivideBoth | (d.aux != 0 ? kDivideGuarded : 0));
    return;
  }
  const x64::Reg out = remainder ? x64::Reg::rdx : x64::Reg::rax;
  const x64::Reg other = remainder ? x64::Reg::rax : x64::Reg::rdx;
  MInst& m = Emit(MOp::kDivide, {UseFixed(x, x64::Reg::rax), UseLate(y), DefFixed(result, out)},
                  Bit(IntPReg(other)));
  m.width = w;
  m.unary = is_signed ? Unary::kIdiv : Unary::kDiv;
  m.aux =
      static_cast<uint8_t>((remainder ? kDivideRemainder : 0) | (d.aux != 0 ? kDivideGuarded : 0));
}

bool Selector::TakeRemainder(Value a, Value b, Width w, VReg d) {
  const std::optional<Inst> product = SingleUse(b, Opcode::kMul);
  if (!product.has_value()) return false;
  for (size_t k = 0; k < 2; ++k) {
    const Value q = f_.args(*product)[k], y = f_.args(*product)[1 - k];
    const InstData* division = DefOf(q);
    if (division == nullptr ||
        (division->op != Opcode::kSdivTotal && division->op != Opcode::kUdivTotal)) {
      continue;
    }
    const Inst i(f_.value(q).def);
    const absl::Span<const Value> args = f_.args(i);
    const bool guards_only_quotient = division->aux != 0 && division->op == Opcode::kSdivTotal;
    if (Low(args[0], w) != a || args[1] != y || WidthOf(division->type) != w ||
        guards_only_quotient || inst_block_[i.index] != block_.index || ConstantOf(y).has_value() ||
        remainder_of_.contains(i.index)) {
      continue;
    }
    folded_[product->index] = true;
    VRegOf(q);  // the division must be selected
    remainder_of_[i.index] = d;
    return true;
  }
  return false;
}

void Selector::EmitMask(VReg a, uint64_t mask, Width w, VReg d) {
  if (mask <= 0x7fffffff)
    return EmitAluImm(Alu::kAnd, a, static_cast<int32_t>(mask), Width::k32, d);
  EmitAlu(Alu::kAnd, a, MaterializeConstant(mask, w), w, d);
}

void Selector::EmitMulHighBy(VReg a, bool is_signed, int64_t c, uint8_t shift, Width w, VReg d) {
  if (w == Width::k32) {
    return EmitMulHiImm(a, is_signed, c, static_cast<uint8_t>(32 + shift), d);
  }
  const VReg high = shift == 0 ? d : NewVReg(w);
  const VReg factor = MaterializeConstant(static_cast<uint64_t>(c), w);
  MInst& m = Emit(MOp::kMulWide,
                  {UseFixed(factor, x64::Reg::rax), UseAny(a), DefFixed(high, x64::Reg::rdx)},
                  Bit(IntPReg(x64::Reg::rax)));
  m.width = w;
  m.unary = is_signed ? Unary::kImul : Unary::kMul;
  if (shift != 0) EmitShiftImm(is_signed ? Shift::kSar : Shift::kShr, high, shift, w, d);
}

void Selector::DivideUnsignedBy(VReg a, uint64_t c, Width w, bool remainder, VReg result) {
  if (c == 0) {
    if (remainder) return EmitMove(a, result);
    Emit(MOp::kMovImm, {Def(result)}).imm = w == Width::k64 ? int64_t{-1} : int64_t{0xffffffff};
    return;
  }
  if (absl::has_single_bit(c)) {
    if (!remainder) {
      return EmitShiftImm(Shift::kShr, a, static_cast<uint8_t>(absl::countr_zero(c)), w, result);
    }
    return EmitMask(a, c - 1, w, result);
  }
  const VReg q = remainder ? NewVReg(w) : result;
  uint64_t multiplier;
  uint8_t shift;
  bool add;
  if (w == Width::k64) {
    const UnsignedMagic<uint64_t> magic = MagicUnsigned(c);
    multiplier = magic.multiplier;
    shift = magic.shift;
    add = magic.add;
  } else {
    const UnsignedMagic<uint32_t> magic = MagicUnsigned(static_cast<uint32_t>(c));
    multiplier = magic.multiplier;
    shift = magic.shift;
    add = magic.add;
  }
  if (!add) {
    EmitMulHighBy(a, false, static_cast<int64_t>(multiplier), shift, w, q);
  } else {
    const VReg t = NewVReg(w), u = NewVReg(w), half = NewVReg(w), sum = NewVReg(w);
    EmitMulHighBy(a, false, static_cast<int64_t>(multiplier), 0, w, t);
    EmitAlu(Alu::kSub, a, t, w, u);
    EmitShiftImm(Shift::kShr, u, 1, w, half);
    Emit(MOp::kAdd, {Use(half), Use(t), Def(sum)}).width = w;
    EmitShiftImm(Shift::kShr, sum, static_cast<uint8_t>(shift - 1), w, q);
  }
  if (remainder) EmitRemainder(a, q, static_cast<int64_t>(c), w, result);
}

void Selector::DivideSignedBy(VReg a, int64_t c, Width w, bool remainder, VReg result) {
  const uint8_t bits = w == Width::k64 ? 64 : 32;
  const uint8_t sign_bit = static_cast<uint8_t>(bits - 1);
  if (c == 0) return DivideUnsignedBy(a, 0, w, remainder, result);
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
  if (c > 0 && absl::has_single_bit(static_cast<uint64_t>(c))) {
    // Round towards zero: add c-1 to a negative dividend.
    const uint8_t k = static_cast<uint8_t>(absl::countr_zero(static_cast<uint64_t>(c)));
    const VReg bias = NewVReg(w), sum = NewVReg(w);
    if (k == 1) {
      EmitShiftImm(Shift::kShr, a, sign_bit, w, bias);
    } else {
      const VReg sign = NewVReg(w);
      EmitShiftImm(Shift::kSar, a, sign_bit, w, sign);
      EmitShiftImm(Shift::kShr, sign, static_cast<uint8_t>(bits - k), w, bias);
    }
    Emit(MOp::kAdd, {Use(a), Use(bias), Def(sum)}).width = w;
    if (!remainder) return EmitShiftImm(Shift::kSar, sum, k, w, result);
    const VReg low = NewVReg(w);
    EmitMask(sum, static_cast<uint64_t>(c) - 1, w, low);
    return EmitAlu(Alu::kSub, low, bias, w, result);
  }
  int64_t multiplier;
  uint8_t shift;
  if (w == Width::k64) {
    const SignedMagic<int64_t> magic = MagicSigned(c);
    multiplier = magic.multiplier;
    shift = magic.shift;
  } else {
    const SignedMagic<int32_t> magic = MagicSigned(static_cast<int32_t>(c));
    multiplier = magic.multiplier;
    shift = magic.shift;
  }
  VReg q = NewVReg(w);
  EmitMulHighBy(a, true, multiplier, 0, w, q);
  if (c > 0 && multiplier < 0) {
    const VReg sum = NewVReg(w);
    Emit(MOp::kAdd, {Use(q), Use(a), Def(sum)}).width = w;
    q = sum;
  } else if (c < 0 && multiplier > 0) {
    const VReg difference = NewVReg(w);
    EmitAlu(Alu::kSub, q, a, w, difference);
    q = difference;
  }
  if (shift != 0) {
    const VReg shifted = NewVReg(w);
    EmitShiftImm(Shift::kSar, q, shift, w, shifted);
    q = shifted;
  }
  const VReg sign = NewVReg(w), quotient = remainder ? NewVReg(w) : result;
  EmitShiftImm(Shift::kShr, q, sign_bit, w, sign);
  Emit(MOp::kAdd, {Use(q), Use(sign), Def(quotient)}).width = w;
  if (remainder) EmitRemainder(a, quotient, c, w, result);
}

void Selector::EmitRemainder(VReg a, VReg q, int64_t c, Width w, VReg result) {
  const VReg product = NewVReg(w);
  if (w == Width::k32) c = static_cast<int32_t>(static_cast<uint32_t>(c));
  if (FitsInt32(c)) {
    EmitMulImm(q, static_cast<int32_t>(c), w, product);
  } else {
    const VReg factor = MaterializeConstant(static_cast<uint64_t>(c), w);
    Emit(MOp::kImul, {Use(q), Use(factor), DefReuse(product, 0)}).width = w;
  }
  EmitAlu(Alu::kSub, a, product, w, result);
}

}  // namespace precast::x64::selection
