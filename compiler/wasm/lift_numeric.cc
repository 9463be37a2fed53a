// Scalar arithmetic. What may trap does so in `trap_if` before; what is computed then is total.
#include <bit>

#include "absl/log/check.h"
#include "compiler/wasm/lift_function.h"

namespace precast::wasm {

using ir::FloatCond;
using ir::IntCond;
using ir::Opcode;
using ir::Type;

void FunctionLifter::Binary(Opcode op) {
  const Value b = Pop();
  const Value a = Pop();
  Push(b_.Binary(op, a, b));
}

void FunctionLifter::Unary(Opcode op) { Push(b_.Unary(op, Pop())); }

void FunctionLifter::Compare(IntCond cond) {
  const Value b = Pop();
  const Value a = Pop();
  Push(b_.Icmp(cond, a, b));
}

void FunctionLifter::Eqz() {
  const Value a = Pop();
  Push(b_.Icmp(IntCond::kEq, a, b_.Iconst(f_.type(a), 0)));
}

void FunctionLifter::Divide(Opcode op) {
  const Value b = Pop();
  const Value a = Pop();
  const Type type = f_.type(a);
  TrapIf(b_.Icmp(IntCond::kEq, b, b_.Iconst(type, 0)), Trap::kIntegerDivideByZero);
  if (op == Opcode::kSdivTotal) {
    const int64_t min = type == Type::kI32 ? INT32_MIN : INT64_MIN;
    const Value is_min = b_.Icmp(IntCond::kEq, a, b_.Iconst(type, min));
    const Value is_minus_1 = b_.Icmp(IntCond::kEq, b, b_.Iconst(type, -1));
    TrapIf(b_.And(is_min, is_minus_1), Trap::kIntegerOverflow);
  }
  Push(b_.Divide(op, a, b, /*guarded=*/true));
}

void FunctionLifter::FloatBinary(Opcode op) {
  const Value b = Pop();
  const Value a = Pop();
  const Value v = b_.FloatBinary(op, a, b);
  Push(op == Opcode::kFcopysign ? v : CanonicalNan(v));
}

void FunctionLifter::FloatUnary(Opcode op) {
  const Value v = b_.FloatUnary(op, Pop());
  Push(op == Opcode::kFneg || op == Opcode::kFabs ? v : CanonicalNan(v));
}

void FunctionLifter::CompareFloats(FloatCond cond) {
  const Value b = Pop();
  const Value a = Pop();
  Push(b_.Fcmp(cond, a, b));
}

void FunctionLifter::Convert(Opcode op, Type type) { Push(b_.Convert(op, type, Pop())); }

FunctionLifter::Value FunctionLifter::CanonicalNan(Value v) {
  if (!options_.canonical_nans) return v;
  const Type type = f_.type(v);
  const Value nan = b_.Fconst(type, type == Type::kF32 ? 0x7fc00000u : 0x7ff8000000000000u);
  return b_.Select(b_.Fcmp(FloatCond::kNe, v, v), nan, v);
}

void FunctionLifter::Truncate(Opcode op, Type type) {
  const Value v = Pop();
  const Type from = f_.type(v);
  const auto constant = [&](double x) {
    return from == Type::kF32 ? b_.Fconst(from, std::bit_cast<uint32_t>(static_cast<float>(x)))
                              : b_.Fconst(from, std::bit_cast<uint64_t>(x));
  };
  TrapIf(b_.Fcmp(FloatCond::kNe, v, v), Trap::kInvalidConversionToInteger);
  // Truncation of v must be at least `min` and below `limit`.
  const double limit = type == Type::kI32 ? (op == Opcode::kFtoS ? 0x1p31 : 0x1p32)
                                          : (op == Opcode::kFtoS ? 0x1p63 : 0x1p64);
  Value below;
  if (op == Opcode::kFtoU) {
    below = b_.Fcmp(FloatCond::kLe, v, constant(-1));
  } else if (type == Type::kI32 && from == Type::kF64) {
    // The only type that has values between min - 1 and min.
    below = b_.Fcmp(FloatCond::kLe, v, constant(-0x1p31 - 1));
  } else {
    below = b_.Fcmp(FloatCond::kLt, v, constant(-limit));
  }
  TrapIf(below, Trap::kIntegerOverflow);
  TrapIf(b_.Fcmp(FloatCond::kGe, v, constant(limit)), Trap::kIntegerOverflow);
  Push(b_.Convert(op, type, v, /*in_range=*/true));
}

bool FunctionLifter::LiftNumeric(const Instruction& in) {
  switch (in.op) {
    case Op::kI32Const:
      Push(I32(in.value));
      return true;
    case Op::kI64Const:
      Push(I64(in.value));
      return true;
    case Op::kF32Const:
      Push(b_.Fconst(Type::kF32, static_cast<uint32_t>(in.value)));
      return true;
    case Op::kF64Const:
      Push(b_.Fconst(Type::kF64, static_cast<uint64_t>(in.value)));
      return true;
    default:
      return LiftInteger(in) || LiftFloat(in) || LiftConversion(in) || LiftWide(in);
  }
}

bool FunctionLifter::LiftInteger(const Instruction& in) {
  switch (in.op) {
#define PRECAST_INTEGER(Name, call) \
  case Op::kI32##Name:              \
  case Op::kI64##Name:              \
    call;                           \
    return true;
    PRECAST_INTEGER(Eqz, Eqz())
    PRECAST_INTEGER(Eq, Compare(IntCond::kEq))
    PRECAST_INTEGER(Ne, Compare(IntCond::kNe))
    PRECAST_INTEGER(LtS, Compare(IntCond::kSlt))
    PRECAST_INTEGER(LtU, Compare(IntCond::kUlt))
    PRECAST_INTEGER(GtS, Compare(IntCond::kSgt))
    PRECAST_INTEGER(GtU, Compare(IntCond::kUgt))
    PRECAST_INTEGER(LeS, Compare(IntCond::kSle))
    PRECAST_INTEGER(LeU, Compare(IntCond::kUle))
    PRECAST_INTEGER(GeS, Compare(IntCond::kSge))
    PRECAST_INTEGER(GeU, Compare(IntCond::kUge))
    PRECAST_INTEGER(Clz, Unary(Opcode::kClz))
    PRECAST_INTEGER(Ctz, Unary(Opcode::kCtz))
    PRECAST_INTEGER(Popcnt, Unary(Opcode::kPopcnt))
    PRECAST_INTEGER(Add, Binary(Opcode::kAdd))
    PRECAST_INTEGER(Sub, Binary(Opcode::kSub))
    PRECAST_INTEGER(Mul, Binary(Opcode::kMul))
    PRECAST_INTEGER(DivS, Divide(Opcode::kSdivTotal))
    PRECAST_INTEGER(DivU, Divide(Opcode::kUdivTotal))
    PRECAST_INTEGER(RemS, Divide(Opcode::kSremTotal))
    PRECAST_INTEGER(RemU, Divide(Opcode::kUremTotal))
    PRECAST_INTEGER(And, Binary(Opcode::kAnd))
    PRECAST_INTEGER(Or, Binary(Opcode::kOr))
    PRECAST_INTEGER(Xor, Binary(Opcode::kXor))
    PRECAST_INTEGER(Shl, Binary(Opcode::kShl))
    PRECAST_INTEGER(ShrS, Binary(Opcode::kShrS))
    PRECAST_INTEGER(ShrU, Binary(Opcode::kShrU))
    PRECAST_INTEGER(Rotl, Binary(Opcode::kRotl))
    PRECAST_INTEGER(Rotr, Binary(Opcode::kRotr))
    PRECAST_INTEGER(Extend8S, Unary(Opcode::kExtendS8))
    PRECAST_INTEGER(Extend16S, Unary(Opcode::kExtendS16))
#undef PRECAST_INTEGER
    default:
      return false;
  }
}

bool FunctionLifter::LiftFloat(const Instruction& in) {
  switch (in.op) {
#define PRECAST_FLOAT(Name, call) \
  case Op::kF32##Name:            \
  case Op::kF64##Name:            \
    call;                         \
    return true;
    PRECAST_FLOAT(Eq, CompareFloats(FloatCond::kEq))
    PRECAST_FLOAT(Ne, CompareFloats(FloatCond::kNe))
    PRECAST_FLOAT(Lt, CompareFloats(FloatCond::kLt))
    PRECAST_FLOAT(Gt, CompareFloats(FloatCond::kGt))
    PRECAST_FLOAT(Le, CompareFloats(FloatCond::kLe))
    PRECAST_FLOAT(Ge, CompareFloats(FloatCond::kGe))
    PRECAST_FLOAT(Abs, FloatUnary(Opcode::kFabs))
    PRECAST_FLOAT(Neg, FloatUnary(Opcode::kFneg))
    PRECAST_FLOAT(Ceil, FloatUnary(Opcode::kFceil))
    PRECAST_FLOAT(Floor, FloatUnary(Opcode::kFfloor))
    PRECAST_FLOAT(Trunc, FloatUnary(Opcode::kFtrunc))
    PRECAST_FLOAT(Nearest, FloatUnary(Opcode::kFnearest))
    PRECAST_FLOAT(Sqrt, FloatUnary(Opcode::kFsqrt))
    PRECAST_FLOAT(Add, FloatBinary(Opcode::kFadd))
    PRECAST_FLOAT(Sub, FloatBinary(Opcode::kFsub))
    PRECAST_FLOAT(Mul, FloatBinary(Opcode::kFmul))
    PRECAST_FLOAT(Div, FloatBinary(Opcode::kFdiv))
    PRECAST_FLOAT(Min, FloatBinary(Opcode::kFmin))
    PRECAST_FLOAT(Max, FloatBinary(Opcode::kFmax))
    PRECAST_FLOAT(Copysign, FloatBinary(Opcode::kFcopysign))
#undef PRECAST_FLOAT
    default:
      return false;
  }
}

bool FunctionLifter::LiftConversion(const Instruction& in) {
  switch (in.op) {
    case Op::kI32WrapI64:
      Unary(Opcode::kWrap);
      return true;
    case Op::kI64ExtendI32S:
      Unary(Opcode::kExtendS32);
      return true;
    case Op::kI64ExtendI32U:
      Unary(Opcode::kExtendU32);
      return true;
    case Op::kI64Extend32S:
      Unary(Opcode::kWrap);
      Unary(Opcode::kExtendS32);
      return true;
#define PRECAST_TRUNC(Int, Float)           \
  case Op::k##Int##Trunc##Float##S:         \
    Truncate(Opcode::kFtoS, Type::k##Int);  \
    return true;                            \
  case Op::k##Int##Trunc##Float##U:         \
    Truncate(Opcode::kFtoU, Type::k##Int);  \
    return true;                            \
  case Op::k##Int##TruncSat##Float##S:      \
    Convert(Opcode::kFtoS, Type::k##Int);   \
    return true;                            \
  case Op::k##Int##TruncSat##Float##U:      \
    Convert(Opcode::kFtoU, Type::k##Int);   \
    return true;                            \
  case Op::k##Float##Convert##Int##S:       \
    Convert(Opcode::kStoF, Type::k##Float); \
    return true;                            \
  case Op::k##Float##Convert##Int##U:       \
    Convert(Opcode::kUtoF, Type::k##Float); \
    return true;
      PRECAST_TRUNC(I32, F32)
      PRECAST_TRUNC(I32, F64)
      PRECAST_TRUNC(I64, F32)
      PRECAST_TRUNC(I64, F64)
#undef PRECAST_TRUNC
    case Op::kF32DemoteF64:
      Convert(Opcode::kFdemote, Type::kF32);
      Push(CanonicalNan(Pop()));
      return true;
    case Op::kF64PromoteF32:
      Convert(Opcode::kFpromote, Type::kF64);
      Push(CanonicalNan(Pop()));
      return true;
    case Op::kI32ReinterpretF32:
      Convert(Opcode::kBitcast, Type::kI32);
      return true;
    case Op::kI64ReinterpretF64:
      Convert(Opcode::kBitcast, Type::kI64);
      return true;
    case Op::kF32ReinterpretI32:
      Convert(Opcode::kBitcast, Type::kF32);
      return true;
    case Op::kF64ReinterpretI64:
      Convert(Opcode::kBitcast, Type::kF64);
      return true;
    default:
      return false;
  }
}

// 128 bits are two i64, the low one first.
bool FunctionLifter::LiftWide(const Instruction& in) {
  switch (in.op) {
    case Op::kI64Add128:
    case Op::kI64Sub128: {
      const std::vector<Value> v = PopMany(4);
      if (in.op == Op::kI64Add128) {
        const Value low = b_.Add(v[0], v[2]);
        const Value carry = b_.Icmp(IntCond::kUlt, low, v[0]);
        Push(low);
        Push(b_.Add(b_.Add(v[1], v[3]), AsI64(carry)));
      } else {
        const Value borrow = b_.Icmp(IntCond::kUlt, v[0], v[2]);
        Push(b_.Sub(v[0], v[2]));
        Push(b_.Sub(b_.Sub(v[1], v[3]), AsI64(borrow)));
      }
      return true;
    }
    case Op::kI64MulWideS:
    case Op::kI64MulWideU: {
      const Value b = Pop();
      const Value a = Pop();
      Push(b_.Mul(a, b));
      Push(b_.Binary(in.op == Op::kI64MulWideS ? Opcode::kSmulHi : Opcode::kUmulHi, a, b));
      return true;
    }
    default:
      return false;
  }
}

}  // namespace precast::wasm
