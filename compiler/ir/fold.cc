// Constant folding; see fold.h. All arithmetic is on unsigned 64-bit values, so that nothing
// overflows.
#include "compiler/ir/fold.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/numeric/int128.h"

namespace precast::ir {
namespace {

int64_t MinOf(Type type) { return type == Type::kI32 ? INT32_MIN : INT64_MIN; }

int64_t HighHalf(Type type, absl::int128 product) {
  return Canonical(type, static_cast<int64_t>(product >> static_cast<int>(BitWidth(type))));
}

// a >> amount with copies of the sign, amount < 64.
int64_t ShiftRightSigned(int64_t a, uint32_t amount) { return a >> amount; }

// The value of float bits; an f32 is exact as a double, but a signalling NaN becomes quiet.
double ToDouble(Type type, int64_t bits) {
  return type == Type::kF32 ? double{std::bit_cast<float>(static_cast<uint32_t>(bits))}
                            : std::bit_cast<double>(bits);
}

int64_t ToBits(float v) { return static_cast<int64_t>(uint64_t{std::bit_cast<uint32_t>(v)}); }
int64_t ToBits(double v) { return std::bit_cast<int64_t>(v); }

// A whole number as a float, rounded once.
template <typename Integer>
int64_t RoundTo(Type type, Integer v) {
  return type == Type::kF32 ? ToBits(static_cast<float>(v)) : ToBits(static_cast<double>(v));
}

// Toward zero, saturating, NaN to 0.
template <typename Integer>
Integer Saturate(double v) {
  // Both limits as doubles: the lower one is exact, the upper one is the first value too large.
  constexpr double kBelow = static_cast<double>(std::numeric_limits<Integer>::min());
  constexpr double kAbove = 2.0 * static_cast<double>(std::numeric_limits<Integer>::max() / 2 + 1);
  if (std::isnan(v)) return 0;
  if (v < kBelow) return std::numeric_limits<Integer>::min();
  if (v >= kAbove) return std::numeric_limits<Integer>::max();
  return static_cast<Integer>(v);
}

}  // namespace

bool IsBinary(Opcode op) { return op >= Opcode::kAdd && op <= Opcode::kRotr; }

bool IsUnary(Opcode op) {
  return (op >= Opcode::kClz && op <= Opcode::kBswap) ||
         (op >= Opcode::kExtendU32 && op <= Opcode::kExtendS16);
}

bool IsDivision(Opcode op) { return op >= Opcode::kSdivTotal && op <= Opcode::kUremTotal; }
bool IsFloatBinary(Opcode op) { return op >= Opcode::kFadd && op <= Opcode::kFcopysign; }
bool IsFloatUnary(Opcode op) { return op >= Opcode::kFneg && op <= Opcode::kFnearest; }
bool IsConversion(Opcode op) { return op >= Opcode::kFtoS && op <= Opcode::kBitcast; }

bool IsCommutative(Opcode op) {
  switch (op) {
    case Opcode::kAdd:
    case Opcode::kMul:
    case Opcode::kSmulHi:
    case Opcode::kUmulHi:
    case Opcode::kAnd:
    case Opcode::kOr:
    case Opcode::kXor:
      return true;
    default:
      return false;
  }
}

Type UnaryResult(Opcode op, Type type) {
  switch (op) {
    case Opcode::kExtendU32:
    case Opcode::kExtendS32:
      return Type::kI64;
    case Opcode::kWrap:
      return Type::kI32;
    default:
      return type;
  }
}

IntCond Inverted(IntCond cond) {
  switch (cond) {
    case IntCond::kEq:
      return IntCond::kNe;
    case IntCond::kNe:
      return IntCond::kEq;
    case IntCond::kSlt:
      return IntCond::kSge;
    case IntCond::kSge:
      return IntCond::kSlt;
    case IntCond::kSgt:
      return IntCond::kSle;
    case IntCond::kSle:
      return IntCond::kSgt;
    case IntCond::kUlt:
      return IntCond::kUge;
    case IntCond::kUge:
      return IntCond::kUlt;
    case IntCond::kUgt:
      return IntCond::kUle;
    case IntCond::kUle:
      return IntCond::kUgt;
  }
  return cond;
}

IntCond Swapped(IntCond cond) {
  switch (cond) {
    case IntCond::kEq:
    case IntCond::kNe:
      return cond;
    case IntCond::kSlt:
      return IntCond::kSgt;
    case IntCond::kSge:
      return IntCond::kSle;
    case IntCond::kSgt:
      return IntCond::kSlt;
    case IntCond::kSle:
      return IntCond::kSge;
    case IntCond::kUlt:
      return IntCond::kUgt;
    case IntCond::kUge:
      return IntCond::kUle;
    case IntCond::kUgt:
      return IntCond::kUlt;
    case IntCond::kUle:
      return IntCond::kUge;
  }
  return cond;
}

int64_t FoldBinary(Opcode op, Type type, int64_t a, int64_t b) {
  const uint32_t width = BitWidth(type);
  a = Canonical(type, a);
  b = Canonical(type, b);
  const uint64_t ua = Bits(type, a);
  const uint64_t ub = Bits(type, b);
  const uint32_t amount = static_cast<uint32_t>(ub % width);
  const auto wrap = [type](uint64_t v) { return Canonical(type, static_cast<int64_t>(v)); };
  switch (op) {
    case Opcode::kAdd:
      return wrap(ua + ub);
    case Opcode::kSub:
      return wrap(ua - ub);
    case Opcode::kMul:
      return wrap(ua * ub);
    case Opcode::kSmulHi:
      return HighHalf(type, absl::int128(a) * absl::int128(b));
    case Opcode::kUmulHi:
      return Canonical(type, static_cast<int64_t>((absl::uint128(ua) * absl::uint128(ub)) >>
                                                  static_cast<int>(width)));
    case Opcode::kSumulHi:
      return HighHalf(type, absl::int128(a) * absl::int128(ub));
    case Opcode::kSdivTotal:
      if (b == 0) return -1;
      if (a == MinOf(type) && b == -1) return a;
      return wrap(static_cast<uint64_t>(a / b));
    case Opcode::kUdivTotal:
      return b == 0 ? -1 : wrap(ua / ub);
    case Opcode::kSremTotal:
      if (b == 0) return a;
      if (b == -1) return 0;
      return wrap(static_cast<uint64_t>(a % b));
    case Opcode::kUremTotal:
      return b == 0 ? a : wrap(ua % ub);
    case Opcode::kAnd:
      return a & b;
    case Opcode::kOr:
      return a | b;
    case Opcode::kXor:
      return a ^ b;
    case Opcode::kShl:
      return wrap(ua << amount);
    case Opcode::kShrU:
      return wrap(ua >> amount);
    case Opcode::kShrS:
      return ShiftRightSigned(a, amount);
    case Opcode::kRotl:
      return type == Type::kI32
                 ? wrap(std::rotl(static_cast<uint32_t>(ua), static_cast<int>(amount)))
                 : wrap(std::rotl(ua, static_cast<int>(amount)));
    case Opcode::kRotr:
      return type == Type::kI32
                 ? wrap(std::rotr(static_cast<uint32_t>(ua), static_cast<int>(amount)))
                 : wrap(std::rotr(ua, static_cast<int>(amount)));
    default:
      break;
  }
  LOG(FATAL) << "not a binary operation: " << Info(op).text;
}

int64_t FoldUnary(Opcode op, Type type, int64_t a) {
  switch (op) {
    case Opcode::kExtendU32:
      return static_cast<int64_t>(Bits(Type::kI32, a));
    case Opcode::kExtendS32:
    case Opcode::kWrap:
      return Canonical(Type::kI32, a);
    case Opcode::kExtendS8:
      return Canonical(type, int64_t{static_cast<int8_t>(static_cast<uint8_t>(a))});
    case Opcode::kExtendS16:
      return Canonical(type, int64_t{static_cast<int16_t>(static_cast<uint16_t>(a))});
    case Opcode::kClz:
      return std::countl_zero(Bits(type, a)) - (64 - static_cast<int>(BitWidth(type)));
    case Opcode::kCtz:
      return std::min(std::countr_zero(Bits(type, a)), static_cast<int>(BitWidth(type)));
    case Opcode::kPopcnt:
      return std::popcount(Bits(type, a));
    case Opcode::kBswap:
      return Canonical(type, static_cast<int64_t>(__builtin_bswap64(static_cast<uint64_t>(a)) >>
                                                  (64 - BitWidth(type))));
    default:
      break;
  }
  LOG(FATAL) << "not a unary operation: " << Info(op).text;
}

bool FoldIcmp(IntCond cond, Type type, int64_t a, int64_t b) {
  a = Canonical(type, a);
  b = Canonical(type, b);
  const uint64_t ua = Bits(type, a);
  const uint64_t ub = Bits(type, b);
  switch (cond) {
    case IntCond::kEq:
      return a == b;
    case IntCond::kNe:
      return a != b;
    case IntCond::kSlt:
      return a < b;
    case IntCond::kSge:
      return a >= b;
    case IntCond::kSgt:
      return a > b;
    case IntCond::kSle:
      return a <= b;
    case IntCond::kUlt:
      return ua < ub;
    case IntCond::kUge:
      return ua >= ub;
    case IntCond::kUgt:
      return ua > ub;
    case IntCond::kUle:
      return ua <= ub;
  }
  LOG(FATAL) << "bad condition " << static_cast<int>(cond);
}

std::optional<int64_t> FoldFloatBinary(Opcode op, Type type, int64_t a, int64_t b) {
  if (op != Opcode::kFcopysign) return std::nullopt;
  const uint64_t sign = uint64_t{1} << (type == Type::kF32 ? 31 : 63);
  return static_cast<int64_t>((static_cast<uint64_t>(a) & ~sign) |
                              (static_cast<uint64_t>(b) & sign));
}

std::optional<int64_t> FoldFloatUnary(Opcode op, Type type, int64_t a) {
  const uint64_t sign = uint64_t{1} << (type == Type::kF32 ? 31 : 63);
  if (op == Opcode::kFneg) return static_cast<int64_t>(static_cast<uint64_t>(a) ^ sign);
  if (op == Opcode::kFabs) return static_cast<int64_t>(static_cast<uint64_t>(a) & ~sign);
  return std::nullopt;
}

bool FoldFcmp(FloatCond cond, Type type, int64_t a, int64_t b) {
  const double x = ToDouble(type, a);
  const double y = ToDouble(type, b);
  switch (cond) {
    case FloatCond::kEq:
      return x == y;
    case FloatCond::kNe:
      return x != y;
    case FloatCond::kLt:
      return x < y;
    case FloatCond::kGt:
      return x > y;
    case FloatCond::kLe:
      return x <= y;
    case FloatCond::kGe:
      return x >= y;
  }
  LOG(FATAL) << "bad condition " << static_cast<int>(cond);
}

std::optional<int64_t> FoldConversion(Opcode op, Type from, Type to, int64_t a) {
  switch (op) {
    case Opcode::kFtoS: {
      const double v = ToDouble(from, a);
      return to == Type::kI32 ? int64_t{Saturate<int32_t>(v)} : Saturate<int64_t>(v);
    }
    case Opcode::kFtoU: {
      const double v = ToDouble(from, a);
      return Canonical(to, to == Type::kI32 ? int64_t{Saturate<uint32_t>(v)}
                                            : static_cast<int64_t>(Saturate<uint64_t>(v)));
    }
    case Opcode::kStoF:
      return RoundTo(to, Canonical(from, a));
    case Opcode::kUtoF:
      return RoundTo(to, Bits(from, a));
    case Opcode::kFpromote: {
      const double v = ToDouble(Type::kF32, a);
      if (std::isnan(v)) return std::nullopt;
      return ToBits(v);
    }
    case Opcode::kFdemote: {
      const double v = ToDouble(Type::kF64, a);
      if (std::isnan(v)) return std::nullopt;
      return ToBits(static_cast<float>(v));
    }
    case Opcode::kBitcast:
      if (to == Type::kF32) return static_cast<int64_t>(Bits(Type::kI32, a));
      return Canonical(to, a);
    default:
      break;
  }
  LOG(FATAL) << "not a conversion: " << Info(op).text;
}

bool FoldIcmpSame(IntCond cond) { return FoldIcmp(cond, Type::kI64, 0, 0); }

std::optional<int64_t> ScalarConstantOf(const Function& f, Value v) {
  const ValueData& data = f.value(v);
  if (data.is_param) return std::nullopt;
  const InstData& inst = f.inst(Inst(data.def));
  if (inst.op != Opcode::kIconst && inst.op != Opcode::kFconst) return std::nullopt;
  return inst.imm;
}

}  // namespace precast::ir
