// Opcode forms and the words of the text form.
#include "compiler/ir/syntax.h"

#include <iterator>

#include "absl/log/check.h"
#include "absl/log/log.h"

namespace precast::ir {
namespace {

constexpr std::string_view kTypes[] = {"i32", "i64", "f32", "f64", "v128"};
constexpr std::string_view kIntConds[] = {"eq",  "ne",  "slt", "sge", "sgt",
                                          "sle", "ult", "uge", "ugt", "ule"};
constexpr std::string_view kFloatConds[] = {"eq", "ne", "lt", "gt", "le", "ge"};
constexpr std::string_view kAtomicOps[] = {"add", "sub", "and", "or", "xor", "xchg"};
constexpr std::string_view kCallConvs[] = {"guest", "wasm"};
constexpr std::string_view kMemKinds[] = {"u8",  "s8", "u16", "s16",        "u32",
                                          "s32", "64", "128", "128_aligned"};
static_assert(std::size(kTypes) == kNumTypes);
static_assert(std::size(kIntConds) == kNumIntConds);
static_assert(std::size(kMemKinds) == kNumMemKinds);
static_assert(std::size(kFloatConds) == kNumFloatConds);
static_assert(std::size(kAtomicOps) == kNumAtomicOps);
static_assert(std::size(kCallConvs) == kNumCallConvs);

// The name of `e`; a damaged function may have values without one.
template <typename E, size_t n>
std::string_view At(const std::string_view (&names)[n], E e) {
  return static_cast<size_t>(e) < n ? names[static_cast<size_t>(e)] : "?";
}

template <typename E, size_t n>
std::optional<E> Find(const std::string_view (&names)[n], std::string_view text) {
  for (size_t i = 0; i < n; ++i) {
    if (names[i] == text) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace

Form FormOf(Opcode op) {
  switch (op) {
    case Opcode::kIconst:
      return Form::kIconst;
    case Opcode::kFconst:
      return Form::kFconst;
    case Opcode::kVconst:
      return Form::kVconst;
    case Opcode::kAdd:
    case Opcode::kSub:
    case Opcode::kMul:
    case Opcode::kSmulHi:
    case Opcode::kUmulHi:
    case Opcode::kSumulHi:
    case Opcode::kSdivTotal:
    case Opcode::kUdivTotal:
    case Opcode::kSremTotal:
    case Opcode::kUremTotal:
    case Opcode::kAnd:
    case Opcode::kOr:
    case Opcode::kXor:
    case Opcode::kShl:
    case Opcode::kShrU:
    case Opcode::kShrS:
    case Opcode::kRotl:
    case Opcode::kRotr:
    case Opcode::kFadd:
    case Opcode::kFsub:
    case Opcode::kFmul:
    case Opcode::kFdiv:
    case Opcode::kFmin:
    case Opcode::kFmax:
    case Opcode::kFcopysign:
      return Form::kBinary;
    case Opcode::kIcmp:
      return Form::kIcmp;
    case Opcode::kSelect:
      return Form::kSelect;
    case Opcode::kFcmp:
      return Form::kFcmp;
    case Opcode::kFtoS:
    case Opcode::kFtoU:
    case Opcode::kStoF:
    case Opcode::kUtoF:
    case Opcode::kFpromote:
    case Opcode::kFdemote:
    case Opcode::kBitcast:
      return Form::kConvert;
    case Opcode::kSimd:
      return Form::kSimd;
    case Opcode::kShuffle:
      return Form::kShuffle;
    case Opcode::kClz:
    case Opcode::kCtz:
    case Opcode::kPopcnt:
    case Opcode::kBswap:
    case Opcode::kFneg:
    case Opcode::kFabs:
    case Opcode::kFsqrt:
    case Opcode::kFceil:
    case Opcode::kFfloor:
    case Opcode::kFtrunc:
    case Opcode::kFnearest:
    case Opcode::kExtendU32:
    case Opcode::kExtendS32:
    case Opcode::kWrap:
    case Opcode::kExtendS8:
    case Opcode::kExtendS16:
      return Form::kUnary;
    case Opcode::kLoad:
    case Opcode::kLoadHost:
      return Form::kLoad;
    case Opcode::kStore:
    case Opcode::kStoreHost:
      return Form::kStore;
    case Opcode::kLoadAt:
      return Form::kLoadAt;
    case Opcode::kStoreAt:
      return Form::kStoreAt;
    case Opcode::kAtomicRmw:
      return Form::kAtomicRmw;
    case Opcode::kAtomicCmpxchg:
      return Form::kAtomicCmpxchg;
    case Opcode::kFence:
    case Opcode::kAcquire:
      return Form::kFence;
    case Opcode::kContextAddress:
      return Form::kContextAddress;
    case Opcode::kLoadContext:
      return Form::kLoadContext;
    case Opcode::kStoreContext:
      return Form::kStoreContext;
    case Opcode::kLoadState:
      return Form::kLoadState;
    case Opcode::kStoreState:
    case Opcode::kDeferState:
      return Form::kStoreState;
    case Opcode::kCharge:
    case Opcode::kMeter:
    case Opcode::kMeterCheck:
      return Form::kAmount;
    case Opcode::kChargeValue:
      return Form::kChargeValue;
    case Opcode::kLoadFuel:
      return Form::kLoadFuel;
    case Opcode::kCountRows:
      return Form::kCountRows;
    case Opcode::kMarkPage:
      return Form::kMarkPage;
    case Opcode::kTrapIf:
      return Form::kTrapIf;
    case Opcode::kCall:
    case Opcode::kTailCall:
      return Form::kCall;
    case Opcode::kCallDispatch:
    case Opcode::kTailDispatch:
      return Form::kCallDispatch;
    case Opcode::kCallRuntime:
      return Form::kCallRuntime;
    case Opcode::kCallPointer:
    case Opcode::kTailPointer:
      return Form::kCallPointer;
    case Opcode::kBr:
      return Form::kBr;
    case Opcode::kBrIf:
      return Form::kBrIf;
    case Opcode::kBrTable:
      return Form::kBrTable;
    case Opcode::kRet:
      return Form::kRet;
    case Opcode::kTrap:
      return Form::kTrap;
  }
  LOG(FATAL) << "no such opcode: " << static_cast<int>(op);
}

bool HasType(Opcode op) {
  switch (FormOf(op)) {
    case Form::kIconst:
    case Form::kFconst:
    case Form::kBinary:
    case Form::kUnary:
    case Form::kConvert:
    case Form::kIcmp:
    case Form::kFcmp:
    case Form::kSelect:
    case Form::kLoad:
    case Form::kStore:
    case Form::kLoadAt:
    case Form::kStoreAt:
    case Form::kAtomicRmw:
    case Form::kAtomicCmpxchg:
    case Form::kLoadContext:
    case Form::kStoreContext:
      return true;
    default:
      return false;
  }
}

std::optional<int> ResultCount(Opcode op) {
  switch (FormOf(op)) {
    case Form::kIconst:
    case Form::kFconst:
    case Form::kVconst:
    case Form::kBinary:
    case Form::kUnary:
    case Form::kConvert:
    case Form::kIcmp:
    case Form::kFcmp:
    case Form::kSelect:
    case Form::kSimd:
    case Form::kShuffle:
    case Form::kLoad:
    case Form::kLoadAt:
    case Form::kAtomicRmw:
    case Form::kAtomicCmpxchg:
    case Form::kContextAddress:
    case Form::kLoadContext:
    case Form::kLoadState:
    case Form::kLoadFuel:
      return 1;
    case Form::kCall:
    case Form::kCallDispatch:
    case Form::kCallRuntime:
    case Form::kCallPointer:
      if (IsTerminator(op)) return 0;
      return std::nullopt;
    default:
      return 0;
  }
}

Type ResultType(Opcode op, Type type) {
  switch (op) {
    case Opcode::kIcmp:
    case Opcode::kFcmp:
    case Opcode::kWrap:
    case Opcode::kLoadState:
      return Type::kI32;
    case Opcode::kExtendU32:
    case Opcode::kExtendS32:
    case Opcode::kContextAddress:
    case Opcode::kLoadFuel:
      return Type::kI64;
    default:
      return type;
  }
}

std::string_view Name(Type type) { return At(kTypes, type); }
std::string_view Name(IntCond cond) { return At(kIntConds, cond); }
std::string_view Name(FloatCond cond) { return At(kFloatConds, cond); }
std::string_view Name(AtomicOp op) { return At(kAtomicOps, op); }
std::string_view Name(CallConv conv) { return At(kCallConvs, conv); }
std::string_view Name(MemKind kind) { return At(kMemKinds, kind); }

std::optional<Type> ParseType(std::string_view text) { return Find<Type>(kTypes, text); }
std::optional<IntCond> ParseIntCond(std::string_view text) {
  return Find<IntCond>(kIntConds, text);
}
std::optional<MemKind> ParseMemKind(std::string_view text) {
  return Find<MemKind>(kMemKinds, text);
}

std::optional<FloatCond> ParseFloatCond(std::string_view text) {
  return Find<FloatCond>(kFloatConds, text);
}
std::optional<AtomicOp> ParseAtomicOp(std::string_view text) {
  return Find<AtomicOp>(kAtomicOps, text);
}
std::optional<CallConv> ParseCallConv(std::string_view text) {
  return Find<CallConv>(kCallConvs, text);
}

std::optional<SimdOp> ParseSimdOp(std::string_view text) {
  for (uint32_t i = 0; i < kNumSimdOps; ++i) {
    if (Info(static_cast<SimdOp>(i)).text == text) return static_cast<SimdOp>(i);
  }
  return std::nullopt;
}

std::optional<Opcode> ParseOpcode(std::string_view text) {
  for (uint8_t i = 0; i < kNumOpcodes; ++i) {
    if (Info(static_cast<Opcode>(i)).text == text) return static_cast<Opcode>(i);
  }
  return std::nullopt;
}

}  // namespace precast::ir
