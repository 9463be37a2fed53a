// The libgcc functions as IR; what they compute is stated in runtime/interpreter/helpers.cc.
#include "compiler/riscv/lift_helper.h"

namespace precast::riscv {

using abi::Helper;
using ir::FloatCond;
using ir::IntCond;
using ir::Opcode;
using ir::Type;
using ir::Value;

Value HelperLifter::Join(Value lo, Value hi) {
  const Value high = b_.Shl(b_.Unary(Opcode::kExtendU32, hi), Const(Type::kI64, 32));
  return b_.Or(high, b_.Unary(Opcode::kExtendU32, lo));
}

std::array<Value, 2> HelperLifter::Split(Value wide) {
  return {b_.Unary(Opcode::kWrap, wide),
          b_.Unary(Opcode::kWrap, b_.ShrU(wide, Const(Type::kI64, 32)))};
}

Value HelperLifter::Double(Value lo, Value hi) {
  if (const auto it = doubles_.find({lo.index, hi.index}); it != doubles_.end()) return it->second;
  return b_.Convert(Opcode::kBitcast, Type::kF64, Join(lo, hi));
}

Value HelperLifter::Bits(Value bits) { return b_.Convert(Opcode::kBitcast, Type::kF32, bits); }

Value HelperLifter::Float(Value bits) {
  if (const auto it = floats_.find(bits.index); it != floats_.end()) return it->second;
  return Bits(bits);
}

std::array<Value, 2> HelperLifter::FromDouble(Value d) {
  const Value is_nan = b_.Fcmp(FloatCond::kNe, d, d);
  const Value bits = b_.Convert(Opcode::kBitcast, Type::kI64, d);
  const std::array<Value, 2> halves =
      Split(b_.Select(is_nan, Const(Type::kI64, 0x7ff8000000000000), bits));
  doubles_[{halves[0].index, halves[1].index}] = d;
  return halves;
}

std::array<Value, 2> HelperLifter::FromFloat(Value f) {
  const Value is_nan = b_.Fcmp(FloatCond::kNe, f, f);
  const Value bits = b_.Convert(Opcode::kBitcast, Type::kI32, f);
  const Value result = b_.Select(is_nan, Const(Type::kI32, 0x7fc00000), bits);
  floats_[result.index] = f;
  return {result, Value()};
}

std::array<Value, 2> HelperLifter::Compare(Value x, Value y, int unordered) {
  const Value greater = b_.Fcmp(FloatCond::kGt, x, y);
  const Value less = b_.Fcmp(FloatCond::kLt, x, y);
  const Value is_nan = b_.Or(b_.Fcmp(FloatCond::kNe, x, x), b_.Fcmp(FloatCond::kNe, y, y));
  const Value result = b_.Select(is_nan, Const(Type::kI32, unordered), b_.Sub(greater, less));
  comparisons_[result.index] = {x, y, unordered < 0};
  return {result, Value()};
}

std::optional<Value> HelperLifter::CompareWithZero(IntCond cond, Value v) {
  const auto it = comparisons_.find(v.index);
  if (it == comparisons_.end()) return std::nullopt;
  const auto& [x, y, greater] = it->second;
  const auto inverted = [this, x = x, y = y](FloatCond c) {
    return b_.Icmp(IntCond::kEq, b_.Fcmp(c, x, y), Const(Type::kI32, 0));
  };
  // Every comparison with a NaN is false but "not equal"; so some must be asked the other way
  // round.
  switch (cond) {
    case IntCond::kEq:
      return b_.Fcmp(FloatCond::kEq, x, y);
    case IntCond::kNe:
      return b_.Fcmp(FloatCond::kNe, x, y);
    case IntCond::kSlt:
      return greater ? inverted(FloatCond::kGe) : b_.Fcmp(FloatCond::kLt, x, y);
    case IntCond::kSge:
      return greater ? b_.Fcmp(FloatCond::kGe, x, y) : inverted(FloatCond::kLt);
    case IntCond::kSgt:
      return greater ? b_.Fcmp(FloatCond::kGt, x, y) : inverted(FloatCond::kLe);
    case IntCond::kSle:
      return greater ? inverted(FloatCond::kGt) : b_.Fcmp(FloatCond::kLe, x, y);
    default:
      return std::nullopt;
  }
}

// Saturates; a NaN counts as infinite with its sign, the top bit of `high_bits`. `x` is an f64.
std::array<Value, 2> HelperLifter::ToInteger(Value x, Value high_bits, bool is_signed) {
  const Value is_nan = b_.Fcmp(FloatCond::kNe, x, x);
  const Value converted = b_.Convert(is_signed ? Opcode::kFtoS : Opcode::kFtoU, Type::kI32, x);
  const Value negative = b_.Icmp(IntCond::kSlt, high_bits, Const(Type::kI32, 0));
  const Value largest = Const(Type::kI32, is_signed ? 0x7fffffff : -1);
  // 0x7fffffff + 1 and 0xffffffff + 1 are the smallest.
  return {b_.Select(is_nan, b_.Add(largest, negative), converted), Value()};
}

std::array<Value, 2> HelperLifter::Lift(Helper helper, const std::array<Value, 4>& a) {
  const auto df = [&](size_t k) { return Double(a[k], a[k + 1]); };
  const auto sf = [&](size_t k) { return Float(a[k]); };
  const auto double_op = [&](Opcode op) {
    const Value x = df(0), y = df(2);
    return FromDouble(b_.FloatBinary(op, x, y));
  };
  const auto float_op = [&](Opcode op) {
    const Value x = sf(0), y = sf(1);
    return FromFloat(b_.FloatBinary(op, x, y));
  };
  const auto both = [&](Value x, Value y) {
    return std::array<Value, 2>{b_.Or(b_.Fcmp(FloatCond::kNe, x, x), b_.Fcmp(FloatCond::kNe, y, y)),
                                Value()};
  };
  const auto promote = [&](Value f) { return b_.Convert(Opcode::kFpromote, Type::kF64, f); };
  const auto wide_op = [&](Opcode op) {
    const Value x = Join(a[0], a[1]), y = Join(a[2], a[3]);
    return Split(b_.Binary(op, x, y));
  };
  // 0, 1 or 2: less, equal, greater.
  const auto order = [&](IntCond greater, IntCond not_less) {
    const Value x = Join(a[0], a[1]), y = Join(a[2], a[3]);
    return std::array<Value, 2>{b_.Add(b_.Icmp(greater, x, y), b_.Icmp(not_less, x, y)), Value()};
  };
  switch (helper) {
    case Helper::kAddDf:
      return double_op(Opcode::kFadd);
    case Helper::kSubDf:
      return double_op(Opcode::kFsub);
    case Helper::kMulDf:
      return double_op(Opcode::kFmul);
    case Helper::kDivDf:
      return double_op(Opcode::kFdiv);
    case Helper::kAddSf:
      return float_op(Opcode::kFadd);
    case Helper::kSubSf:
      return float_op(Opcode::kFsub);
    case Helper::kMulSf:
      return float_op(Opcode::kFmul);
    case Helper::kDivSf:
      return float_op(Opcode::kFdiv);
    case Helper::kEqDf:
    case Helper::kNeDf:
      return {b_.Fcmp(FloatCond::kNe, df(0), df(2)), Value()};
    case Helper::kLtDf:
    case Helper::kLeDf:
      return Compare(df(0), df(2), 2);
    case Helper::kGtDf:
    case Helper::kGeDf:
      return Compare(df(0), df(2), -2);
    case Helper::kUnordDf:
      return both(df(0), df(2));
    case Helper::kEqSf:
    case Helper::kNeSf:
      return {b_.Fcmp(FloatCond::kNe, sf(0), sf(1)), Value()};
    case Helper::kLtSf:
    case Helper::kLeSf:
      return Compare(sf(0), sf(1), 2);
    case Helper::kGtSf:
    case Helper::kGeSf:
      return Compare(sf(0), sf(1), -2);
    case Helper::kUnordSf:
      return both(sf(0), sf(1));
    case Helper::kFixDfSi:
      return ToInteger(df(0), a[1], true);
    case Helper::kFixunsDfSi:
      return ToInteger(df(0), a[1], false);
    case Helper::kFloatSiDf:
      return FromDouble(b_.Convert(Opcode::kStoF, Type::kF64, a[0]));
    case Helper::kFloatunSiDf:
      return FromDouble(b_.Convert(Opcode::kUtoF, Type::kF64, a[0]));
    case Helper::kFloatDiDf:
      return FromDouble(b_.Convert(Opcode::kStoF, Type::kF64, Join(a[0], a[1])));
    case Helper::kFloatunDiDf:
      return FromDouble(b_.Convert(Opcode::kUtoF, Type::kF64, Join(a[0], a[1])));
    case Helper::kFixSfSi:
      return ToInteger(promote(sf(0)), a[0], true);
    case Helper::kFixunsSfSi:
      return ToInteger(promote(sf(0)), a[0], false);
    case Helper::kFloatSiSf:
      return FromFloat(b_.Convert(Opcode::kStoF, Type::kF32, a[0]));
    case Helper::kFloatunSiSf:
      return FromFloat(b_.Convert(Opcode::kUtoF, Type::kF32, a[0]));
    case Helper::kExtendSfDf:
      return Split(b_.Convert(Opcode::kBitcast, Type::kI64, promote(Bits(a[0]))));
    case Helper::kTruncDfSf:
      return FromFloat(b_.Convert(Opcode::kFdemote, Type::kF32, df(0)));
    case Helper::kMulDi:
      return wide_op(Opcode::kMul);
    case Helper::kDivDi:
      return wide_op(Opcode::kSdivTotal);
    case Helper::kModDi:
      return wide_op(Opcode::kSremTotal);
    case Helper::kUdivDi:
      return wide_op(Opcode::kUdivTotal);
    case Helper::kUmodDi:
      return wide_op(Opcode::kUremTotal);
    case Helper::kCmpDi:
      return order(IntCond::kSgt, IntCond::kSge);
    case Helper::kUcmpDi:
      return order(IntCond::kUgt, IntCond::kUge);
    case Helper::kClzSi:
      return {b_.Unary(Opcode::kClz, a[0]), Value()};
    case Helper::kClzDi:
      return {b_.Unary(Opcode::kWrap, b_.Unary(Opcode::kClz, Join(a[0], a[1]))), Value()};
  }
  return {};
}

}  // namespace precast::riscv
