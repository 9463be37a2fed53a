#include "compiler/x64/simd_lowering.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace precast::x64 {
namespace {

constexpr size_t kNumOps = 0
#define PRECAST_IR_SIMD(...) +1
#include "compiler/ir/simd.def"
#undef PRECAST_IR_SIMD
    ;
constexpr size_t kNumRows = 0
#define PRECAST_X64_SIMD(...) +1
#include "compiler/x64/simd_lowering.def"
#undef PRECAST_X64_SIMD
    ;
static_assert(kNumRows == kNumOps, "one row for each operation");

constexpr std::array<SimdLowering, kNumOps> MakeTable() {
  std::array<SimdLowering, kNumOps> table{};
#define PRECAST_X64_SIMD(Name, pattern, order, op, op2, imm)                        \
  table[static_cast<size_t>(ir::SimdOp::k##Name)] = {SimdPattern::k##pattern,       \
                                                     SimdLowering::Order::k##order, \
                                                     VectorOp::k##op, VectorOp::k##op2, imm};
#include "compiler/x64/simd_lowering.def"
#undef PRECAST_X64_SIMD
  return table;
}

constexpr std::array<SimdLowering, kNumOps> kTable = MakeTable();

}  // namespace

const SimdPatternInfo& Info(SimdPattern pattern) {
  static constexpr SimdPatternInfo kInfo[] = {
#define PRECAST_X64_SIMD_PATTERN(Name, operands, constant_shift) {operands, constant_shift},
#include "compiler/x64/simd_pattern.def"
#undef PRECAST_X64_SIMD_PATTERN
  };
  return kInfo[static_cast<size_t>(pattern)];
}

const SimdLowering& Lowering(ir::SimdOp op) { return kTable[static_cast<size_t>(op)]; }

}  // namespace precast::x64
