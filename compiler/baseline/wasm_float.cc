// Floating-point arithmetic, and conversions. The same cases as in x64/emit_float.cc, so the same
// results, bit by bit, of NaNs too.
#include <bit>
#include <cstdint>

#include "compiler/baseline/wasm_function.h"

namespace precast::baseline {

using Kind = Operand::Kind;

namespace {

constexpr uint64_t SignBit(Type type) { return uint64_t{1} << (type == Type::kF64 ? 63 : 31); }

uint64_t BitsOf(Type type, double x) {
  return type == Type::kF64 ? std::bit_cast<uint64_t>(x)
                            : std::bit_cast<uint32_t>(static_cast<float>(x));
}

}  // namespace

void WasmFunction::LoadScratchFloat(Type type, uint64_t bits) {
  e_.MovImm(kScratch, bits);
  e_.MovToXmm(WidthOf(type), kScratchXmm, kScratch);
}

void WasmFunction::CanonicalNan(Xmm x, Type type) {
  if (!options_.canonical_nans) return;
  e_.Ucomis(WidthOf(type), x, x);
  const uint32_t skip = a_.Skip(Cond::kNp);
  e_.MovImm(kScratch, type == Type::kF32 ? 0x7fc00000u : 0x7ff8000000000000u);
  e_.MovToXmm(WidthOf(type), x, kScratch);
  a_.Land(skip);
}

void WasmFunction::FloatBinary(Sse op, Type type) {
  const Operand b = stack_.Pop();
  const Operand a = stack_.Pop();
  const AnyReg d = stack_.Own(a);
  if (b.kind == Kind::kSlot) {
    e_.SseRM(op, WidthOf(type), VectorReg(d), stack_.Slot(b.index));
  } else {
    e_.SseRR(op, WidthOf(type), VectorReg(d), stack_.UseVector(b));
  }
  CanonicalNan(VectorReg(d), type);
  stack_.PushReg(type, d);
}

// mins and maxs give the second operand if the two are equal or unordered.
void WasmFunction::FloatMinMax(Sse op, Type type) {
  const Operand b = stack_.Pop();
  const Operand a = stack_.Pop();
  const Width w = WidthOf(type);
  const AnyReg r = stack_.Own(a);
  const Xmm d = VectorReg(r), y = stack_.UseVector(b);
  e_.Ucomis(w, d, y);
  const uint32_t unordered = a_.Skip(Cond::kP);
  const uint32_t differ = a_.Skip(Cond::kNe);
  // Equal: the same bits, or zeros, of which min wants any sign and max both.
  e_.SseBitsRR(op == Sse::kMin ? x64::SseBits::kOr : x64::SseBits::kAnd, d, y);
  const uint32_t equal = a_.Skip();
  a_.Land(unordered);
  e_.SseRR(Sse::kAdd, w, d, y);  // a quiet NaN
  const uint32_t nan = a_.Skip();
  a_.Land(differ);
  e_.SseRR(op, w, d, y);
  a_.Land(equal);
  a_.Land(nan);
  CanonicalNan(d, type);
  stack_.PushReg(type, r);
}

void WasmFunction::Copysign(Type type) {
  const Operand b = stack_.Pop();
  const Operand a = stack_.Pop();
  const Xmm y = stack_.UseVector(b);
  const AnyReg d = stack_.Own(a);
  const Xmm sign = VectorReg(stack_.Alloc(type));
  LoadScratchFloat(type, SignBit(type));
  e_.MovapsRR(sign, kScratchXmm);
  e_.SseBitsRR(x64::SseBits::kAnd, sign, y);
  e_.SseBitsRR(x64::SseBits::kAndNot, kScratchXmm, VectorReg(d));
  e_.SseBitsRR(x64::SseBits::kOr, kScratchXmm, sign);
  e_.MovapsRR(VectorReg(d), kScratchXmm);
  stack_.PushReg(type, d);
}

void WasmFunction::FloatMask(x64::SseBits op, Type type) {
  const Operand a = stack_.Pop();
  const AnyReg d = stack_.Own(a);
  LoadScratchFloat(type, op == x64::SseBits::kXor ? SignBit(type) : SignBit(type) - 1);
  e_.SseBitsRR(op, VectorReg(d), kScratchXmm);
  stack_.PushReg(type, d);
}

void WasmFunction::Round(x64::Rounding rounding, Type type) {
  const AnyReg d = stack_.Own(stack_.Pop());
  e_.Rounds(WidthOf(type), VectorReg(d), VectorReg(d), rounding);
  CanonicalNan(VectorReg(d), type);
  stack_.PushReg(type, d);
}

void WasmFunction::Sqrt(Type type) {
  const AnyReg d = stack_.Own(stack_.Pop());
  e_.SseRR(Sse::kSqrt, WidthOf(type), VectorReg(d), VectorReg(d));
  CanonicalNan(VectorReg(d), type);
  stack_.PushReg(type, d);
}

// The condition is of the first operand compared with the second, or of these `exchanged`.
void WasmFunction::CompareFloats(Condition condition, bool exchange, Type type) {
  const Operand b = stack_.Pop();
  const Operand a = stack_.Pop();
  const Operand& second = exchange ? a : b;
  const Xmm x = stack_.UseVector(exchange ? b : a);
  if (second.kind == Kind::kSlot) {
    e_.Ucomis(WidthOf(type), x, stack_.Slot(second.index));
  } else {
    e_.Ucomis(WidthOf(type), x, stack_.UseVector(second));
  }
  FinishCondition(condition);
}

// -- conversions

void WasmFunction::Truncate(Type from, Type to, bool is_unsigned) {
  const Operand a = stack_.Pop();
  const Xmm x = stack_.UseVector(a);
  const Width w = WidthOf(from);
  e_.Ucomis(w, x, x);
  TrapIf(Cond::kP, Trap::kInvalidConversionToInteger);
  // Truncation of x must be at least `min` and below `limit`.
  const double limit =
      to == Type::kI32 ? (is_unsigned ? 0x1p32 : 0x1p31) : (is_unsigned ? 0x1p64 : 0x1p63);
  if (is_unsigned) {
    LoadScratchFloat(from, BitsOf(from, -1));
    e_.Ucomis(w, kScratchXmm, x);
    TrapIf(Cond::kAe, Trap::kIntegerOverflow);
  } else if (to == Type::kI32 && from == Type::kF64) {
    // The only type that has values between min - 1 and min.
    LoadScratchFloat(from, BitsOf(from, -0x1p31 - 1));
    e_.Ucomis(w, kScratchXmm, x);
    TrapIf(Cond::kAe, Trap::kIntegerOverflow);
  } else {
    LoadScratchFloat(from, BitsOf(from, -limit));
    e_.Ucomis(w, kScratchXmm, x);
    TrapIf(Cond::kA, Trap::kIntegerOverflow);
  }
  LoadScratchFloat(from, BitsOf(from, limit));
  e_.Ucomis(w, x, kScratchXmm);
  TrapIf(Cond::kAe, Trap::kIntegerOverflow);
  const AnyReg d = stack_.Alloc(to);
  if (!is_unsigned || to == Type::kI32) {
    e_.CvttToInt(w, is_unsigned ? Width::k64 : WidthOf(to), IntReg(d), x);
  } else {
    e_.CvttToInt(w, Width::k64, IntReg(d), x);
    e_.TestRR(Width::k64, IntReg(d), IntReg(d));
    const uint32_t skip = a_.Skip(Cond::kNs);
    LoadScratchFloat(from, BitsOf(from, -0x1p63));
    e_.SseRR(Sse::kAdd, w, kScratchXmm, x);
    e_.CvttToInt(w, Width::k64, IntReg(d), kScratchXmm);
    e_.BtcImm(Width::k64, IntReg(d), 63);
    a_.Land(skip);
  }
  stack_.PushReg(to, d);
}

// Out of range, the machine gives MIN.
void WasmFunction::TruncateSaturated(Type from, Type to, bool is_unsigned) {
  const Operand a = stack_.Pop();
  const Xmm x = stack_.UseVector(a);
  const AnyReg r = stack_.Alloc(to);
  const Reg d = IntReg(r);
  const Width w = WidthOf(from);
  const Label done = a_.NewLabel(), zero = a_.NewLabel();
  e_.CvttToInt(w, is_unsigned ? Width::k64 : WidthOf(to), d, x);
  if (!is_unsigned) {
    e_.AluRI(Alu::kCmp, WidthOf(to), d, 1);  // overflows for MIN only
    a_.Jump(Cond::kNo, done);
  } else if (to == Type::kI32) {
    e_.Mov(Width::k32, kScratch, d);
    e_.AluRR(Alu::kCmp, Width::k64, kScratch, d);
    a_.Jump(Cond::kE, done);
  } else {
    e_.TestRR(Width::k64, d, d);
    a_.Jump(Cond::kNs, done);
  }
  e_.SseBitsRR(x64::SseBits::kXor, kScratchXmm, kScratchXmm);
  e_.Ucomis(w, x, kScratchXmm);
  if (!is_unsigned) {
    a_.Jump(Cond::kP, zero);
    a_.Jump(Cond::kB, done);  // MIN, as it is
    e_.MovImm(d, to == Type::kI64 ? ~(uint64_t{1} << 63) : 0x7fffffff);
  } else {
    a_.Jump(Cond::kBe, zero);  // negative or NaN
    if (to == Type::kI32) {
      e_.MovImm(d, 0xffffffff);
    } else {
      LoadScratchFloat(from, BitsOf(from, -0x1p63));
      e_.SseRR(Sse::kAdd, w, kScratchXmm, x);
      e_.CvttToInt(w, Width::k64, d, kScratchXmm);
      e_.BtcImm(Width::k64, d, 63);
      e_.TestRR(Width::k64, d, d);
      a_.Jump(Cond::kS, done);
      e_.MovImm(d, ~uint64_t{0});  // 2^64 or more
    }
  }
  a_.Jump(done);
  a_.Bind(zero);
  e_.AluRR(Alu::kXor, Width::k32, d, d);
  a_.Bind(done);
  stack_.PushReg(to, r);
}

void WasmFunction::ConvertToFloat(Type from, Type to, bool is_unsigned) {
  const Operand a = stack_.Pop();
  const Reg x = stack_.UseInt(a);
  const AnyReg r = stack_.Alloc(to);
  const Xmm d = VectorReg(r);
  const Width w = WidthOf(to);
  // The conversion keeps the rest of d: do not wait for what it was.
  e_.SseBitsRR(x64::SseBits::kXor, d, d);
  if (!is_unsigned || from == Type::kI32) {
    e_.CvtFromInt(is_unsigned ? Width::k64 : WidthOf(from), w, d, x);
    return stack_.PushReg(to, r);
  }
  e_.TestRR(Width::k64, x, x);
  const uint32_t large = a_.Skip(Cond::kS);
  e_.CvtFromInt(Width::k64, w, d, x);
  const uint32_t done = a_.Skip();
  a_.Land(large);
  // 2^63 or more: half of it, with the lost bit kept as one that rounds alike, then doubled.
  e_.Mov(Width::k64, kScratch, x);
  e_.ShiftImm(x64::Shift::kShr, Width::k64, kScratch, 1);
  const uint32_t even = a_.Skip(Cond::kAe);
  e_.AluRI(Alu::kOr, Width::k64, kScratch, 1);
  a_.Land(even);
  e_.CvtFromInt(Width::k64, w, d, kScratch);
  e_.SseRR(Sse::kAdd, w, d, d);
  a_.Land(done);
  stack_.PushReg(to, r);
}

void WasmFunction::ConvertFloat(Type from, Type to) {
  const AnyReg d = stack_.Own(stack_.Pop());
  e_.CvtFloat(WidthOf(from), VectorReg(d), VectorReg(d));
  CanonicalNan(VectorReg(d), to);
  stack_.PushReg(to, d);
}

void WasmFunction::Reinterpret(Type to) {
  const Operand a = stack_.Pop();
  if (a.IsConst()) return stack_.PushConst(to, a.value);
  if (a.kind == Kind::kSlot) return stack_.PushSlot(to);
  const AnyReg d = stack_.Alloc(to);
  AnyReg r;
  if (!stack_.InRegister(a, r)) {
    stack_.LoadMem(to, d, stack_.Slot(a.index));
  } else if (InVectorReg(to)) {
    e_.MovToXmm(WidthOf(to), VectorReg(d), IntReg(r));
  } else {
    e_.MovFromXmm(WidthOf(to), IntReg(d), VectorReg(r));
  }
  stack_.PushReg(to, d);
}

bool WasmFunction::CompileFloat(const wasm::Instruction& in) {
  using Parity = Condition::Parity;
  switch (in.op) {
#define PRECAST_FLOAT(Name, call)      \
  case Op::kF32##Name: {               \
    constexpr Type kType = Type::kF32; \
    call;                              \
    return true;                       \
  }                                    \
  case Op::kF64##Name: {               \
    constexpr Type kType = Type::kF64; \
    call;                              \
    return true;                       \
  }
    PRECAST_FLOAT(Eq, CompareFloats({Cond::kE, Parity::kAndOrdered}, false, kType))
    PRECAST_FLOAT(Ne, CompareFloats({Cond::kNe, Parity::kOrUnordered}, false, kType))
    PRECAST_FLOAT(Lt, CompareFloats({Cond::kA}, true, kType))
    PRECAST_FLOAT(Gt, CompareFloats({Cond::kA}, false, kType))
    PRECAST_FLOAT(Le, CompareFloats({Cond::kAe}, true, kType))
    PRECAST_FLOAT(Ge, CompareFloats({Cond::kAe}, false, kType))
    PRECAST_FLOAT(Abs, FloatMask(x64::SseBits::kAnd, kType))
    PRECAST_FLOAT(Neg, FloatMask(x64::SseBits::kXor, kType))
    PRECAST_FLOAT(Ceil, Round(x64::Rounding::kCeil, kType))
    PRECAST_FLOAT(Floor, Round(x64::Rounding::kFloor, kType))
    PRECAST_FLOAT(Trunc, Round(x64::Rounding::kTrunc, kType))
    PRECAST_FLOAT(Nearest, Round(x64::Rounding::kNearest, kType))
    PRECAST_FLOAT(Sqrt, Sqrt(kType))
    PRECAST_FLOAT(Add, FloatBinary(Sse::kAdd, kType))
    PRECAST_FLOAT(Sub, FloatBinary(Sse::kSub, kType))
    PRECAST_FLOAT(Mul, FloatBinary(Sse::kMul, kType))
    PRECAST_FLOAT(Div, FloatBinary(Sse::kDiv, kType))
    PRECAST_FLOAT(Min, FloatMinMax(Sse::kMin, kType))
    PRECAST_FLOAT(Max, FloatMinMax(Sse::kMax, kType))
    PRECAST_FLOAT(Copysign, Copysign(kType))
#undef PRECAST_FLOAT
    default:
      return false;
  }
}

bool WasmFunction::CompileConversion(const wasm::Instruction& in) {
  switch (in.op) {
#define PRECAST_CONVERSION(Int, Float)                      \
  case Op::k##Int##Trunc##Float##S:                         \
    Truncate(Type::k##Float, Type::k##Int, false);          \
    return true;                                            \
  case Op::k##Int##Trunc##Float##U:                         \
    Truncate(Type::k##Float, Type::k##Int, true);           \
    return true;                                            \
  case Op::k##Int##TruncSat##Float##S:                      \
    TruncateSaturated(Type::k##Float, Type::k##Int, false); \
    return true;                                            \
  case Op::k##Int##TruncSat##Float##U:                      \
    TruncateSaturated(Type::k##Float, Type::k##Int, true);  \
    return true;                                            \
  case Op::k##Float##Convert##Int##S:                       \
    ConvertToFloat(Type::k##Int, Type::k##Float, false);    \
    return true;                                            \
  case Op::k##Float##Convert##Int##U:                       \
    ConvertToFloat(Type::k##Int, Type::k##Float, true);     \
    return true;
    PRECAST_CONVERSION(I32, F32)
    PRECAST_CONVERSION(I32, F64)
    PRECAST_CONVERSION(I64, F32)
    PRECAST_CONVERSION(I64, F64)
#undef PRECAST_CONVERSION
    case Op::kF32DemoteF64:
      ConvertFloat(Type::kF64, Type::kF32);
      return true;
    case Op::kF64PromoteF32:
      ConvertFloat(Type::kF32, Type::kF64);
      return true;
    case Op::kI32ReinterpretF32:
      Reinterpret(Type::kI32);
      return true;
    case Op::kI64ReinterpretF64:
      Reinterpret(Type::kI64);
      return true;
    case Op::kF32ReinterpretI32:
      Reinterpret(Type::kF32);
      return true;
    case Op::kF64ReinterpretI64:
      Reinterpret(Type::kF64);
      return true;
    default:
      return false;
  }
}

}  // namespace precast::baseline
