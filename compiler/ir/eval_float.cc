// Floating point of the reference evaluator; see eval_float.h. NaNs are dealt with before anything
// is computed: the compiler may exchange the operands of an addition, and with them which NaN wins.
#include "compiler/ir/eval_float.h"

#include <cmath>
#include <cstring>

#include "absl/log/log.h"

namespace precast::ir {
namespace {

// How a float lies in its bits.
template <typename F>
struct Format;
template <>
struct Format<float> {
  using Word = uint32_t;
  static constexpr Word kSign = 0x80000000u;
  static constexpr Word kInfinity = 0x7f800000u;
  static constexpr Word kQuiet = 0x00400000u;
};
template <>
struct Format<double> {
  using Word = uint64_t;
  static constexpr Word kSign = 0x8000000000000000u;
  static constexpr Word kInfinity = 0x7ff0000000000000u;
  static constexpr Word kQuiet = 0x0008000000000000u;
};

template <typename F>
F FromBits(uint64_t bits) {
  const typename Format<F>::Word word = static_cast<typename Format<F>::Word>(bits);
  F v;
  std::memcpy(&v, &word, sizeof v);
  return v;
}

template <typename F>
uint64_t ToBits(F v) {
  typename Format<F>::Word word;
  std::memcpy(&word, &v, sizeof v);
  return word;
}

template <typename F>
bool IsNan(uint64_t bits) {
  return (bits & ~uint64_t{Format<F>::kSign}) > Format<F>::kInfinity;
}

template <typename F>
bool IsNegative(uint64_t bits) {
  return (bits & Format<F>::kSign) != 0;
}

// The bits of a result that is no operand's NaN.
template <typename F>
uint64_t Result(F v) {
  const uint64_t bits = ToBits(v);
  if (!IsNan<F>(bits)) return bits;
  return Format<F>::kSign | Format<F>::kInfinity | Format<F>::kQuiet;
}

template <typename F>
uint64_t Binary(Opcode op, uint64_t a, uint64_t b) {
  using Bits = Format<F>;
  if (op == Opcode::kFcopysign) return (a & ~uint64_t{Bits::kSign}) | (b & Bits::kSign);
  if (IsNan<F>(a)) return a | Bits::kQuiet;
  if (IsNan<F>(b)) return b | Bits::kQuiet;
  const F x = FromBits<F>(a);
  const F y = FromBits<F>(b);
  switch (op) {
    case Opcode::kFadd:
      return Result<F>(x + y);
    case Opcode::kFsub:
      return Result<F>(x - y);
    case Opcode::kFmul:
      return Result<F>(x * y);
    case Opcode::kFdiv:
      // By zero as IEEE 754 says, which C++ leaves undefined.
      if ((b & ~uint64_t{Bits::kSign}) == 0) {
        if ((a & ~uint64_t{Bits::kSign}) == 0) return Result<F>(std::nan(""));
        return ((a ^ b) & Bits::kSign) | Bits::kInfinity;
      }
      return Result<F>(x / y);
    case Opcode::kFmin:
      if (x == y) return IsNegative<F>(a) ? a : b;  // the same, or zeros
      return x < y ? a : b;
    case Opcode::kFmax:
      if (x == y) return IsNegative<F>(a) ? b : a;
      return x > y ? a : b;
    default:
      break;
  }
  LOG(FATAL) << "not a floating-point operation: " << Info(op).text;
}

template <typename F>
uint64_t Unary(Opcode op, uint64_t a) {
  using Bits = Format<F>;
  if (op == Opcode::kFneg) return a ^ Bits::kSign;
  if (op == Opcode::kFabs) return a & ~uint64_t{Bits::kSign};
  if (IsNan<F>(a)) return a | Bits::kQuiet;
  const F x = FromBits<F>(a);
  switch (op) {
    case Opcode::kFsqrt:
      return Result<F>(std::sqrt(x));
    case Opcode::kFceil:
      return Result<F>(std::ceil(x));
    case Opcode::kFfloor:
      return Result<F>(std::floor(x));
    case Opcode::kFtrunc:
      return Result<F>(std::trunc(x));
    case Opcode::kFnearest:
      return Result<F>(std::nearbyint(x));  // in the default rounding mode: ties to even
    default:
      break;
  }
  LOG(FATAL) << "not a floating-point operation: " << Info(op).text;
}

template <typename F>
bool Compare(FloatCond cond, uint64_t a, uint64_t b) {
  if (IsNan<F>(a) || IsNan<F>(b)) return cond == FloatCond::kNe;
  const F x = FromBits<F>(a);
  const F y = FromBits<F>(b);
  switch (cond) {
    case FloatCond::kEq:
      return x == y;
    case FloatCond::kNe:
      return !(x == y);
    case FloatCond::kLt:
      return x < y;
    case FloatCond::kGt:
      return y < x;
    case FloatCond::kLe:
      return !(y < x);
    case FloatCond::kGe:
      return !(x < y);
  }
  LOG(FATAL) << "bad condition";
}

// To a whole number in low … high, saturating.
template <typename F>
__int128 Truncate(uint64_t a, __int128 low, __int128 high) {
  if (IsNan<F>(a)) return 0;
  const long double t = std::trunc(static_cast<long double>(FromBits<F>(a)));
  if (t < static_cast<long double>(low)) return low;
  if (t > static_cast<long double>(high)) return high;
  return static_cast<__int128>(t);
}

int Width(Type type) { return type == Type::kI64 || type == Type::kF64 ? 64 : 32; }

}  // namespace

uint64_t EvalFloatBinary(Opcode op, Type type, uint64_t a, uint64_t b) {
  return type == Type::kF32 ? Binary<float>(op, a, b) : Binary<double>(op, a, b);
}

uint64_t EvalFloatUnary(Opcode op, Type type, uint64_t a) {
  return type == Type::kF32 ? Unary<float>(op, a) : Unary<double>(op, a);
}

bool EvalFcmp(FloatCond cond, Type type, uint64_t a, uint64_t b) {
  return type == Type::kF32 ? Compare<float>(cond, a, b) : Compare<double>(cond, a, b);
}

uint64_t EvalConversion(Opcode op, Type from, Type to, uint64_t a) {
  const __int128 one = 1;
  const int width = Width(to);
  switch (op) {
    case Opcode::kFtoS:
    case Opcode::kFtoU: {
      const bool is_signed = op == Opcode::kFtoS;
      const __int128 low = is_signed ? -(one << (width - 1)) : 0;
      const __int128 high = (one << (is_signed ? width - 1 : width)) - 1;
      const __int128 v =
          from == Type::kF32 ? Truncate<float>(a, low, high) : Truncate<double>(a, low, high);
      const uint64_t bits = static_cast<uint64_t>(v);
      return width == 32 ? bits & 0xffffffffu : bits;
    }
    case Opcode::kStoF:
    case Opcode::kUtoF: {
      __int128 v = a;
      if (op == Opcode::kStoF && (a >> (Width(from) - 1) & 1) != 0) v -= one << Width(from);
      return to == Type::kF32 ? ToBits(static_cast<float>(v)) : ToBits(static_cast<double>(v));
    }
    case Opcode::kFpromote:
      if (IsNan<float>(a)) {
        const uint64_t sign = (a & Format<float>::kSign) << 32;
        const uint64_t payload = (a & 0x7fffffu) << 29;
        return sign | Format<double>::kInfinity | Format<double>::kQuiet | payload;
      }
      return ToBits(static_cast<double>(FromBits<float>(a)));
    case Opcode::kFdemote:
      if (IsNan<double>(a)) {
        const uint64_t sign = (a & Format<double>::kSign) >> 32;
        const uint64_t payload = (a >> 29) & 0x7fffffu;
        return sign | Format<float>::kInfinity | Format<float>::kQuiet | payload;
      }
      return ToBits(static_cast<float>(FromBits<double>(a)));
    case Opcode::kBitcast:
      return a;
    default:
      break;
  }
  LOG(FATAL) << "not a conversion: " << Info(op).text;
}

}  // namespace precast::ir
