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
constexpr std::string_view kMemKinds[] = {"u8", "s8", "u16", "s16", "u32", "s32", "64", "128"};
static_assert(std::size(kTypes) == kNumTypes);
static_assert(std::size(kIntConds) == kNumIntConds);
static_assert(std::size(kMemKinds) == kNumMemKinds);

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
      return Form::kBinary;
    case Opcode::kIcmp:
      return Form::kIcmp;
    case Opcode::kSelect:
      return Form::kSelect;
    case Opcode::kExtendU32:
    case Opcode::kExtendS32:
    case Opcode::kWrap:
    case Opcode::kExtendS8:
    case Opcode::kExtendS16:
      return Form::kUnary;
    case Opcode::kLoad:
      return Form::kLoad;
    case Opcode::kStore:
      return Form::kStore;
    case Opcode::kLoadState:
      return Form::kLoadState;
    case Opcode::kStoreState:
    case Opcode::kDeferState:
      return Form::kStoreState;
    case Opcode::kCharge:
    case Opcode::kMeter:
    case Opcode::kMeterCheck:
      return Form::kAmount;
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

bool HasType(Opcode op) { return op <= Opcode::kStore; }
static_assert(Opcode::kStore < Opcode::kLoadState);

std::optional<int> ResultCount(Opcode op) {
  switch (FormOf(op)) {
    case Form::kIconst:
    case Form::kFconst:
    case Form::kBinary:
    case Form::kUnary:
    case Form::kIcmp:
    case Form::kSelect:
    case Form::kLoad:
    case Form::kLoadState:
      return 1;
    case Form::kCall:
    case Form::kCallDispatch:
    case Form::kCallRuntime:
      if (IsTerminator(op)) return 0;
      return std::nullopt;
    default:
      return 0;
  }
}

Type ResultType(Opcode op, Type type) {
  switch (op) {
    case Opcode::kIcmp:
    case Opcode::kWrap:
    case Opcode::kLoadState:
      return Type::kI32;
    case Opcode::kExtendU32:
    case Opcode::kExtendS32:
      return Type::kI64;
    default:
      return type;
  }
}

std::string_view Name(Type type) { return kTypes[static_cast<size_t>(type)]; }
std::string_view Name(IntCond cond) { return kIntConds[static_cast<size_t>(cond)]; }
std::string_view Name(MemKind kind) { return kMemKinds[static_cast<size_t>(kind)]; }

std::optional<Type> ParseType(std::string_view text) { return Find<Type>(kTypes, text); }
std::optional<IntCond> ParseIntCond(std::string_view text) {
  return Find<IntCond>(kIntConds, text);
}
std::optional<MemKind> ParseMemKind(std::string_view text) {
  return Find<MemKind>(kMemKinds, text);
}

std::optional<Opcode> ParseOpcode(std::string_view text) {
  for (uint8_t i = 0; i < kNumOpcodes; ++i) {
    if (Info(static_cast<Opcode>(i)).text == text) return static_cast<Opcode>(i);
  }
  return std::nullopt;
}

}  // namespace precast::ir
