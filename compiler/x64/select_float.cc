// Floating point and conversions.
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "compiler/x64/selector.h"

namespace precast::x64::selection {
namespace {

uint64_t SignBit(Width w) { return uint64_t{1} << (w == Width::k64 ? 63 : 31); }

}  // namespace

bool Selector::IsNumber(Value v) const {
  const std::optional<int64_t> bits = FloatConstantOf(v);
  if (!bits.has_value()) return false;
  const bool wide = f_.type(v) == Type::kF64;
  const uint64_t infinity = wide ? 0x7ff0000000000000u : 0x7f800000u;
  return (static_cast<uint64_t>(*bits) & (wide ? ~uint64_t{0} >> 1 : 0x7fffffffu)) <= infinity;
}

void Selector::EmitFloatConstant(Inst i, VReg d) {
  const InstData& data = f_.inst(i);
  MInst& m = Emit(MOp::kFconst, {Def(d)});
  m.imm = data.imm;
  m.width = WidthOf(data.type);
}

void Selector::EmitSse(Sse op, Value a, Value b, Width w, VReg d) {
  // Of two NaNs the first wins, so operands are exchanged only if one cannot be a NaN.
  if ((op == Sse::kAdd || op == Sse::kMul) && IsNumber(a)) std::swap(a, b);
  const VReg x = Reg(a);
  const Operand result = DefMayReuse(d, 0);
  if (const std::optional<Inst> load = FoldableLoad(b, w); load.has_value() && a != b) {
    std::vector<Operand>& operands = ScratchOperands();
    operands.push_back(Use(x));
    const Address at = Fold(*load, operands);
    operands.push_back(result);
    MInst& folded = Emit(MOp::kFloat, operands);
    folded.sse = op;
    folded.width = w;
    return SetFolded(at, *load, folded);
  }
  MInst* m;
  if (const std::optional<int64_t> bits = FloatConstantOf(b)) {
    m = &Emit(MOp::kFloatConst, {Use(x), result});
    m->imm = *bits;
  } else {
    m = &Emit(MOp::kFloat, {Use(x), UseAny(Reg(b)), result});
  }
  m->sse = op;
  m->width = w;
}

void Selector::SelectFloat(Inst i, const InstData& d) {
  const absl::Span<const Value> args = f_.args(i);
  const Width w = WidthOf(d.type);
  const VReg result = VRegOf(f_.result(i));
  auto unary = [&](MOp op) -> MInst& {
    MInst& m = Emit(op, {Use(Reg(args[0])), DefMayReuse(result, 0)});
    m.width = w;
    return m;
  };
  switch (d.op) {
    case Opcode::kFadd:
      return EmitSse(Sse::kAdd, args[0], args[1], w, result);
    case Opcode::kFsub:
      return EmitSse(Sse::kSub, args[0], args[1], w, result);
    case Opcode::kFmul:
      return EmitSse(Sse::kMul, args[0], args[1], w, result);
    case Opcode::kFdiv:
      return EmitSse(Sse::kDiv, args[0], args[1], w, result);
    case Opcode::kFmin:
    case Opcode::kFmax: {
      Value a = args[0], b = args[1];
      if (IsNumber(a)) std::swap(a, b);
      const VReg x = Reg(a), y = Reg(b);
      MInst& m = Emit(MOp::kFloatMinMax, {Use(x), Use(y), DefReuse(result, 0)});
      m.sse = d.op == Opcode::kFmin ? Sse::kMin : Sse::kMax;
      m.width = w;
      return;
    }
    case Opcode::kFcopysign: {
      const VReg x = Reg(args[0]), y = Reg(args[1]);
      Emit(MOp::kCopysign, {Use(x), Use(y), DefMayReuse(result, 0), DefEarly(NewVectorVReg())})
          .width = w;
      return;
    }
    case Opcode::kFneg:
    case Opcode::kFabs: {
      MInst& m = unary(MOp::kFloatMask);
      m.bits = d.op == Opcode::kFneg ? SseBits::kXor : SseBits::kAnd;
      m.imm = static_cast<int64_t>(d.op == Opcode::kFneg ? SignBit(w) : SignBit(w) - 1);
      return;
    }
    case Opcode::kFsqrt:
      unary(MOp::kSqrt);
      return;
    case Opcode::kFceil:
      unary(MOp::kRound).rounding = Rounding::kCeil;
      return;
    case Opcode::kFfloor:
      unary(MOp::kRound).rounding = Rounding::kFloor;
      return;
    case Opcode::kFtrunc:
      unary(MOp::kRound).rounding = Rounding::kTrunc;
      return;
    case Opcode::kFnearest:
      unary(MOp::kRound).rounding = Rounding::kNearest;
      return;
    default:
      CHECK(false) << "not a floating-point operation";
  }
}

void Selector::SelectConversion(Inst i, const InstData& d) {
  const Value arg = f_.args(i)[0];
  const Width from = WidthOf(f_.type(arg)), to = WidthOf(d.type);
  const VReg result = VRegOf(f_.result(i));
  MInst* m = nullptr;
  switch (d.op) {
    case Opcode::kFtoS:
    case Opcode::kFtoU: {
      const bool is_unsigned = d.op == Opcode::kFtoU, in_range = d.aux != 0;
      const VReg x = Reg(arg);
      if (is_unsigned && to == Width::k32 && !in_range) {
        m = &Emit(MOp::kFloatToInt, {Use(x), Def(result), DefEarly(NewVReg(Width::k64))});
      } else {
        m = &Emit(MOp::kFloatToInt, {Use(x), Def(result)});
      }
      m->aux = static_cast<uint8_t>((is_unsigned ? kConvertUnsigned : 0) |
                                    (in_range ? kConvertInRange : 0));
      break;
    }
    case Opcode::kStoF:
      m = &Emit(MOp::kIntToFloat, {UseAny(Reg(arg)), Def(result)});
      break;
    case Opcode::kUtoF: {
      const VReg x = Reg(arg);
      if (from == Width::k64) {
        m = &Emit(MOp::kIntToFloat, {Use(x), Def(result), DefEarly(NewVReg(Width::k64))});
      } else {
        m = &Emit(MOp::kIntToFloat, {Use(x), Def(result)});
      }
      m->aux = kConvertUnsigned;
      break;
    }
    case Opcode::kFpromote:
    case Opcode::kFdemote:
      m = &Emit(MOp::kFloatConvert, {Use(Reg(arg)), DefMayReuse(result, 0)});
      break;
    case Opcode::kBitcast:
      m = &Emit(MOp::kBitcast, {UseAny(Reg(arg)), Def(result)});
      break;
    default:
      CHECK(false) << "not a conversion";
  }
  m->from = from;
  m->width = to;
}

}  // namespace precast::x64::selection
