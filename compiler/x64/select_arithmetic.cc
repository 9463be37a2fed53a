// Integer arithmetic: which machine instructions an operation becomes, and what a constant operand
// makes cheaper.
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/numeric/bits.h"
#include "compiler/x64/selector.h"

namespace precast::x64::selection {

void Selector::EmitAddImm(VReg a, int32_t c, Width w, VReg d) {
  if (c == 0) return EmitMove(a, d);
  MInst& m = Emit(MOp::kAddImm, {Use(a), Def(d)});
  m.width = w;
  m.imm = c;
}

void Selector::EmitAlu(Alu op, VReg a, VReg b, Width w, VReg d) {
  MInst& m = Emit(MOp::kAlu, {Use(a), UseAny(b), DefReuse(d, 0)});
  m.alu = op;
  m.width = w;
}

bool Selector::FoldInto(MOp op, Value a, Value b, Width w, VReg d, Alu alu) {
  if (UsedLater(a)) return false;
  const std::optional<Inst> load = FoldableLoad(b, w);
  if (!load.has_value() || a == b) return false;
  const VReg x = Reg(a);
  std::vector<Operand>& operands = ScratchOperands();
  operands.push_back(Use(x));
  const Address at = Fold(*load, operands);
  operands.push_back(DefReuse(d, 0));
  MInst& m = Emit(op, operands);
  m.alu = alu;
  m.width = w;
  SetFolded(at, *load, m);
  return true;
}

void Selector::EmitAluImm(Alu op, VReg a, int32_t c, Width w, VReg d) {
  MInst& m = Emit(MOp::kAluImm, {Use(a), DefReuse(d, 0)});
  m.alu = op;
  m.width = w;
  m.imm = c;
}

void Selector::EmitShiftImm(Shift op, VReg a, uint8_t amount, Width w, VReg d) {
  if (amount == 0) return EmitMove(a, d);
  if (op == Shift::kShl && amount == 1) {
    Emit(MOp::kAdd, {Use(a), Use(a), Def(d)}).width = w;
    return;
  }
  if (op == Shift::kShl && amount <= 3) {
    MInst& m = Emit(MOp::kScale, {Use(a), Def(d)});
    m.width = w;
    m.imm = amount;
    return;
  }
  const bool rotate = op == Shift::kRol || op == Shift::kRor;
  MInst& m = rotate && HasCpu(format::CpuFeature::kBmi2)
                 ? Emit(MOp::kRotate, {Use(a), Def(d)})
                 : Emit(MOp::kShiftImm, {Use(a), DefReuse(d, 0)});
  m.shift = op;
  m.width = w;
  m.imm = amount;
}

void Selector::EmitUnary(Unary op, VReg a, Width w, VReg d) {
  MInst& m = Emit(MOp::kUnary, {Use(a), DefReuse(d, 0)});
  m.unary = op;
  m.width = w;
}

void Selector::EmitLea(VReg base, VReg index, uint8_t scale, Width w, VReg d, int32_t disp) {
  MInst& m = Emit(MOp::kLea, {Use(base), Use(index), Def(d)});
  m.scale = scale;
  m.width = w;
  m.disp = disp;
}

std::optional<uint8_t> Selector::ScaleOf(Inst shl) const {
  const std::optional<int64_t> amount = ConstantOf(f_.args(shl)[1]);
  if (!amount.has_value() || *amount < 1 || *amount > 3) return std::nullopt;
  return static_cast<uint8_t>(*amount);
}

bool Selector::SelectAddOfSum(Value a, int32_t c, Width w, VReg d) {
  if (c == 0) return false;
  // (x << 1…3) + c
  if (const std::optional<Inst> shl = SingleUse(a, Opcode::kShl); shl.has_value()) {
    const std::optional<uint8_t> amount = ScaleOf(*shl);
    if (!amount.has_value()) return false;
    MInst& m = Emit(MOp::kScale, {Use(Reg(Low(f_.args(*shl)[0], w))), Def(d)});
    m.width = w;
    m.imm = *amount;
    m.disp = c;
    return true;
  }
  // (x + y) + c, (x + (y << 1…3)) + c
  const std::optional<Inst> add = SingleUse(a, Opcode::kAdd);
  if (!add.has_value()) return false;
  Value x = Low(f_.args(*add)[0], w), y = Low(f_.args(*add)[1], w);
  if (ConstantOf(x).has_value() || ConstantOf(y).has_value()) return false;
  for (int swap = 0; swap < 2; ++swap, std::swap(x, y)) {
    const std::optional<Inst> shl = SingleUse(y, Opcode::kShl);
    if (!shl.has_value()) continue;
    const std::optional<uint8_t> amount = ScaleOf(*shl);
    if (!amount.has_value()) continue;
    const VReg base = Reg(x), index = Reg(Low(f_.args(*shl)[0], w));
    EmitLea(base, index, static_cast<uint8_t>(1 << *amount), w, d, c);
    return true;
  }
  // A load that could be part of the addition is worth more.
  if (FoldableLoad(x, w).has_value() || FoldableLoad(y, w).has_value()) return false;
  const VReg base = Reg(x), index = Reg(y);
  EmitLea(base, index, 1, w, d, c);
  return true;
}

void Selector::SelectAdd(Value a, Value b, Width w, VReg d) {
  a = Low(a, w);
  b = Low(b, w);
  if (Constant32Of(a).has_value()) std::swap(a, b);
  if (const std::optional<int32_t> c = Constant32Of(b)) {
    if (!SelectAddOfSum(a, *c, w, d)) EmitAddImm(Reg(a), *c, w, d);
    return;
  }
  if (SelectAddCondition(Alu::kAdd, a, b, w, d) || SelectAddCondition(Alu::kAdd, b, a, w, d)) {
    return;
  }
  // a + (x << 1…3)
  for (int swap = 0; swap < 2; ++swap, std::swap(a, b)) {
    const std::optional<Inst> shl = SingleUse(b, Opcode::kShl);
    if (!shl.has_value()) continue;
    const std::optional<uint8_t> amount = ScaleOf(*shl);
    if (!amount.has_value()) continue;
    const VReg base = Reg(a), index = Reg(f_.args(*shl)[0]);
    return EmitLea(base, index, static_cast<uint8_t>(1 << *amount), w, d);
  }
  if (FoldInto(MOp::kAlu, a, b, w, d) || FoldInto(MOp::kAlu, b, a, w, d)) return;
  // a + (x + c), a + ((x << 1…3) + c)
  for (int swap = 0; swap < 2; ++swap, std::swap(a, b)) {
    const std::optional<Inst> sum = SingleUse(b, Opcode::kAdd);
    if (!sum.has_value()) continue;
    const std::optional<int32_t> c = Constant32Of(f_.args(*sum)[1]);
    if (!c.has_value()) continue;
    const Value x = Low(f_.args(*sum)[0], w);
    if (ConstantOf(x).has_value()) continue;
    std::optional<uint8_t> amount;
    const std::optional<Inst> shl = SingleUse(x, Opcode::kShl);
    if (shl.has_value()) amount = ScaleOf(*shl);
    const VReg base = Reg(a);
    const VReg index = Reg(amount.has_value() ? Low(f_.args(*shl)[0], w) : x);
    return EmitLea(base, index, static_cast<uint8_t>(1 << amount.value_or(0)), w, d, *c);
  }
  const VReg x = Reg(a), y = Reg(b);
  Emit(MOp::kAdd, {Use(x), Use(y), Def(d)}).width = w;
}

void Selector::SelectSub(Value a, Value b, Width w, VReg d) {
  a = Low(a, w);
  b = Low(b, w);
  if (const std::optional<int32_t> c = Constant32Of(b)) {
    // -INT32_MIN is itself in 32 bits only.
    if (*c != std::numeric_limits<int32_t>::min()) return EmitAddImm(Reg(a), -*c, w, d);
    return EmitAluImm(Alu::kSub, Reg(a), *c, w, d);
  }
  if (ConstantOf(a) == 0) return EmitUnary(Unary::kNeg, Reg(b), w, d);
  if (TakeRemainder(a, b, w, d) || SelectAddCondition(Alu::kSub, a, b, w, d)) return;
  if (FoldInto(MOp::kAlu, a, b, w, d, Alu::kSub)) return;
  const VReg x = Reg(a), y = Reg(b);
  EmitAlu(Alu::kSub, x, y, w, d);
}

void Selector::SelectMul(Value a, Value b, Width w, VReg d) {
  a = Low(a, w);
  b = Low(b, w);
  if (Constant32Of(a).has_value()) std::swap(a, b);
  if (const std::optional<int32_t> c = Constant32Of(b)) return EmitMulImm(Reg(a), *c, w, d);
  if (FoldInto(MOp::kImul, a, b, w, d) || FoldInto(MOp::kImul, b, a, w, d)) return;
  PreferDyingFirst(a, b);
  const VReg x = Reg(a), y = Reg(b);
  Emit(MOp::kImul, {Use(x), UseAny(y), DefReuse(d, 0)}).width = w;
}

void Selector::EmitMulImm(VReg a, int32_t c, Width w, VReg d) {
  const uint32_t bits = static_cast<uint32_t>(c);
  if (absl::has_single_bit(bits) && (c > 0 || w == Width::k32)) {
    return EmitShiftImm(Shift::kShl, a, static_cast<uint8_t>(absl::countr_zero(bits)), w, d);
  }
  if (c == 3 || c == 5 || c == 9) return EmitLea(a, a, static_cast<uint8_t>(c - 1), w, d);
  MInst& m = Emit(MOp::kImulImm, {UseAny(a), Def(d)});
  m.width = w;
  m.imm = c;
}

void Selector::EmitMulHiImm(VReg a, bool is_signed, int64_t c, uint8_t shift, VReg d) {
  MInst& m = Emit(MOp::kMulHiImm, {Use(a), FitsInt32(c) ? Def(d) : DefEarly(d)});
  m.signs = is_signed ? 1 : 0;
  m.imm = c;
  m.aux = shift;
}

void Selector::SelectMulHi(const InstData& d, Value a, Value b, Width w, VReg result) {
  const bool a_signed = d.op != Opcode::kUmulHi, b_signed = d.op == Opcode::kSmulHi;
  if (w == Width::k32) {
    // For the mixed product, the constant may only be b.
    if (d.op != Opcode::kSumulHi && Constant32Of(a).has_value()) std::swap(a, b);
    if (const std::optional<int32_t> c = Constant32Of(b)) {
      const int64_t factor = b_signed ? *c : static_cast<int64_t>(static_cast<uint32_t>(*c));
      if (!a_signed || FitsInt32(factor)) {
        return EmitMulHiImm(Reg(a), a_signed, factor, 32, result);
      }
    }
    const VReg x = Reg(a), y = Reg(b);
    const bool needs_temporary = b_signed || (a_signed && x == y);
    MInst& m = needs_temporary
                   ? Emit(MOp::kMulHi, {Use(x), Use(y), DefReuse(result, 0), DefEarly(NewVReg())})
                   : Emit(MOp::kMulHi, {Use(x), Use(y), DefReuse(result, 0)});
    m.signs = static_cast<uint8_t>((a_signed ? 1 : 0) | (b_signed ? 2 : 0));
    return;
  }
  const VReg x = Reg(a), y = Reg(b);
  const VReg high = d.op == Opcode::kSumulHi ? NewVReg(Width::k64) : result;
  MInst& m =
      Emit(MOp::kMulWide, {UseFixed(x, x64::Reg::rax), UseAny(y), DefFixed(high, x64::Reg::rdx)},
           Bit(IntPReg(x64::Reg::rax)));
  m.width = w;
  m.unary = b_signed ? Unary::kImul : Unary::kMul;
  if (d.op == Opcode::kSumulHi) {
    // A negative a counts 2^64 too much: take b off the high half.
    const VReg sign = NewVReg(w), excess = NewVReg(w);
    EmitShiftImm(Shift::kSar, x, 63, w, sign);
    EmitAlu(Alu::kAnd, sign, y, w, excess);
    EmitAlu(Alu::kSub, high, excess, w, result);
  }
}

void Selector::SelectBitwise(Opcode op, Value a, Value b, Width w, VReg d) {
  a = Low(a, w);
  b = Low(b, w);
  if (Constant32Of(a).has_value()) std::swap(a, b);
  const Alu alu = op == Opcode::kAnd ? Alu::kAnd : op == Opcode::kOr ? Alu::kOr : Alu::kXor;
  const std::optional<int64_t> c = ConstantOf(b);
  if (c.has_value()) {
    if (op == Opcode::kAnd && (*c == 0xff || *c == 0xffff)) {
      return EmitExtend(MOp::kZeroExtend, *c == 0xff ? Width::k8 : Width::k16, Width::k32, Reg(a),
                        d);
    }
    if (op == Opcode::kAnd && w == Width::k64 && *c == 0xffffffff) {
      return EmitExtend(MOp::kZeroExtend, Width::k32, Width::k32, Reg(a), d);
    }
    if (op == Opcode::kXor && *c == -1) return EmitUnary(Unary::kNot, Reg(a), w, d);
    if (FitsInt32(*c)) {
      // A mask without upper bits clears them in 32 bits too.
      if (op == Opcode::kAnd && *c >= 0) w = Width::k32;
      return EmitAluImm(alu, Reg(a), static_cast<int32_t>(*c), w, d);
    }
  }
  if (!c.has_value() && (SelectBitTrick(op, a, b, w, d) || SelectBitTrick(op, b, a, w, d))) return;
  if (FoldInto(MOp::kAlu, a, b, w, d, alu) || FoldInto(MOp::kAlu, b, a, w, d, alu)) return;
  PreferDyingFirst(a, b);
  const VReg x = Reg(a), y = Reg(b);
  EmitAlu(alu, x, y, w, d);
}

bool Selector::SelectBitTrick(Opcode op, Value a, Value b, Width w, VReg d) {
  if (!HasCpu(format::CpuFeature::kBmi1) || op == Opcode::kOr) return false;
  const auto low_bit = [&](LowBit what) {
    MInst& m = Emit(MOp::kLowBit, {UseAny(Reg(a)), Def(d)});
    m.low_bit = what;
    m.width = w;
    return true;
  };
  // a & (a - 1), a ^ (a - 1)
  if (const std::optional<Inst> add = SingleUse(b, Opcode::kAdd)) {
    if (Low(f_.args(*add)[0], w) == a && ConstantOf(f_.args(*add)[1]) == -1) {
      return low_bit(op == Opcode::kAnd ? LowBit::kReset : LowBit::kMask);
    }
  }
  if (op != Opcode::kAnd) return false;
  // a & -a
  if (const std::optional<Inst> sub = SingleUse(b, Opcode::kSub)) {
    if (ConstantOf(f_.args(*sub)[0]) == 0 && Low(f_.args(*sub)[1], w) == a) {
      return low_bit(LowBit::kIsolate);
    }
  }
  // a & ~x
  if (const std::optional<Inst> inverted = SingleUse(b, Opcode::kXor)) {
    if (ConstantOf(f_.args(*inverted)[1]) != -1) return false;
    const VReg y = Reg(Low(f_.args(*inverted)[0], w)), x = Reg(a);
    Emit(MOp::kAndNot, {Use(y), UseAny(x), Def(d)}).width = w;
    return true;
  }
  return false;
}

void Selector::SelectShift(Opcode op, Value a, Value b, Width w, VReg d) {
  Shift shift = Shift::kShl;
  switch (op) {
    case Opcode::kShrU:
      shift = Shift::kShr;
      break;
    case Opcode::kShrS:
      shift = Shift::kSar;
      break;
    case Opcode::kRotl:
      shift = Shift::kRol;
      break;
    case Opcode::kRotr:
      shift = Shift::kRor;
      break;
    default:
      break;
  }
  a = Low(a, w);
  b = Low(b, w);
  const int64_t mask = w == Width::k64 ? 63 : 31;
  if (const std::optional<int64_t> c = ConstantOf(b)) {
    return EmitShiftImm(shift, Reg(a), static_cast<uint8_t>(*c & mask), w, d);
  }
  // The machine masks the amount itself.
  if (const std::optional<Inst> and_inst = SingleUse(b, Opcode::kAnd)) {
    const std::optional<int64_t> c = ConstantOf(f_.args(*and_inst)[1]);
    if (c.has_value() && (*c & mask) == mask) b = f_.args(*and_inst)[0];
  }
  const VReg x = Reg(a), y = Reg(b);
  const bool rotate = shift == Shift::kRol || shift == Shift::kRor;
  MInst& m = !rotate && HasCpu(format::CpuFeature::kBmi2)
                 ? Emit(MOp::kShiftX, {UseAny(x), Use(y), Def(d)})
                 : Emit(MOp::kShiftCl, {Use(x), UseFixed(y, x64::Reg::rcx), DefReuse(d, 0)});
  m.shift = shift;
  m.width = w;
}

void Selector::EmitExtend(MOp op, Width from, Width to, VReg a, VReg d) {
  MInst& m = Emit(op, {UseAny(a), Def(d)});
  m.from = from;
  m.width = to;
}

void Selector::SelectExtend(MOp op, Width from, Width to, Value a, Value result) {
  a = Low(a, f_.type(a) == Type::kI32 ? Width::k32 : Width::k64);
  EmitExtend(op, from, to, Reg(a), VRegOf(result));
}

}  // namespace precast::x64::selection
