// Constant folding: what a pure operation gives when its operands are known. One place,
// used by the builder and by every pass, so that no two of them can disagree. The semantics are
// those stated in opcodes.def; eval.cc states them a second time, independently, and fold_test.cc
// compares the two.
//
// Constants are held as in `InstData::imm`: i32 sign-extended to 64 bits, i64 as is; f32 and f64 as
// their bits, zero-extended. Floating-point arithmetic is not folded: it gains nothing (compilers
// that make WebAssembly have done it), and a NaN among the operands would have to follow the
// machine.
#ifndef PRECAST_COMPILER_IR_FOLD_H_
#define PRECAST_COMPILER_IR_FOLD_H_

#include <cstdint>
#include <optional>

#include "compiler/ir/ir.h"

namespace precast::ir {

// Width of an integer type in bits.
inline constexpr uint32_t BitWidth(Type type) { return type == Type::kI32 ? 32 : 64; }

inline constexpr bool IsInteger(Type type) { return type == Type::kI32 || type == Type::kI64; }
inline constexpr bool IsFloat(Type type) { return type == Type::kF32 || type == Type::kF64; }

// `v` as a constant of `type` is held in `imm`: cut to the width and sign-extended.
inline constexpr int64_t Canonical(Type type, int64_t v) {
  return type == Type::kI32 ? int64_t{static_cast<int32_t>(static_cast<uint32_t>(v))} : v;
}

// The bits of constant `v` of `type`, zero-extended to 64.
inline constexpr uint64_t Bits(Type type, int64_t v) {
  return type == Type::kI32 ? uint64_t{static_cast<uint32_t>(v)} : static_cast<uint64_t>(v);
}

// Integer (type, type) -> type operations: kAdd … kRotr.
bool IsBinary(Opcode op);
// One integer operand, integer result: kClz … kBswap and kExtendU32 … kExtendS16.
bool IsUnary(Opcode op);
// kSdivTotal … kUremTotal, whose aux = 1 says that the divisor has been checked.
bool IsDivision(Opcode op);
// Floating-point (type, type) -> type: kFadd … kFcopysign.
bool IsFloatBinary(Opcode op);
// Floating-point (type) -> type: kFneg … kFnearest.
bool IsFloatUnary(Opcode op);
// Between types: kFtoS … kBitcast. InstData::type is the result's.
bool IsConversion(Opcode op);
// Operations whose operands may be exchanged.
bool IsCommutative(Opcode op);
// Value operations: no effect, no dependence on anything but the operands. (kLoadState is not one.)
inline constexpr bool IsPure(Opcode op) {
  return op <= Opcode::kShuffle || op == Opcode::kContextAddress;
}
static_assert(Opcode::kIconst == Opcode{0} && Opcode::kShuffle < Opcode::kLoad);

// Result type of a unary operation whose InstData::type (the operand's type) is `type`.
Type UnaryResult(Opcode op, Type type);

IntCond Inverted(IntCond cond);  // !(a cond b)
IntCond Swapped(IntCond cond);   // b cond a

// `op` must be binary / unary; `type` the operands' type.
int64_t FoldBinary(Opcode op, Type type, int64_t a, int64_t b);
int64_t FoldUnary(Opcode op, Type type, int64_t a);
bool FoldIcmp(IntCond cond, Type type, int64_t a, int64_t b);
// The float of bits `a`, `b`; nullopt where the result is not to be computed here.
std::optional<int64_t> FoldFloatBinary(Opcode op, Type type, int64_t a, int64_t b);
std::optional<int64_t> FoldFloatUnary(Opcode op, Type type, int64_t a);
bool FoldFcmp(FloatCond cond, Type type, int64_t a, int64_t b);
// `from` is the operand's type, `to` the result's. nullopt for a NaN that would change.
std::optional<int64_t> FoldConversion(Opcode op, Type from, Type to, int64_t a);
// Result of `a cond a` for any a.
bool FoldIcmpSame(IntCond cond);

// The constant an integer value is, if its definition is an `iconst`.
inline std::optional<int64_t> ConstantOf(const Function& f, Value v) {
  const ValueData& data = f.value(v);
  if (data.is_param) return std::nullopt;
  const InstData& inst = f.inst(Inst(data.def));
  if (inst.op != Opcode::kIconst) return std::nullopt;
  return inst.imm;
}
// The same for an integer or floating-point value.
std::optional<int64_t> ScalarConstantOf(const Function& f, Value v);

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_FOLD_H_
