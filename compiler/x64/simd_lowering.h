// What selection and emission must agree on about operations on v128: the form of the code each
// becomes, and the operands that form has. The tables are simd_lowering.def and simd_pattern.def.
#ifndef PRECAST_COMPILER_X64_SIMD_LOWERING_H_
#define PRECAST_COMPILER_X64_SIMD_LOWERING_H_

#include <cstdint>

#include "compiler/ir/ir.h"
#include "compiler/x64/vector_op.h"

namespace precast::x64 {

enum class SimdPattern : uint8_t {
#define PRECAST_X64_SIMD_PATTERN(Name, ...) k##Name,
#include "compiler/x64/simd_pattern.def"
#undef PRECAST_X64_SIMD_PATTERN
};

struct SimdPatternInfo {
  const char* operands;
  const char* constant_shift;  // "": no shift
};
const SimdPatternInfo& Info(SimdPattern pattern);

struct SimdLowering {
  enum class Order : uint8_t { kAsIs, kSwap, kEither };
  SimdPattern pattern;
  Order order;
  VectorOp op, op2;
  uint8_t imm;
};
const SimdLowering& Lowering(ir::SimdOp op);

// MInst::imm of a shift whose amount is in a register. Such an amount is below the lane width (8
// more for kShiftRightS8).
inline constexpr int64_t kVariableShift = -1;

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_SIMD_LOWERING_H_
