// Lifts the instruction that stands for a call of a libgcc function (runtime/abi/helpers.h).
#ifndef PRECAST_COMPILER_RISCV_LIFT_HELPER_H_
#define PRECAST_COMPILER_RISCV_LIFT_HELPER_H_

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/ir.h"
#include "runtime/abi/helpers.h"

namespace precast::riscv {

class HelperLifter {
 public:
  // `builder` must outlive the lifter.
  explicit HelperLifter(ir::Builder& builder) : b_(builder) {}

  // `a` are the values of a0 to a3, as far as the helper reads them. Returns those of a0 and, if it
  // has two outputs, a1.
  std::array<ir::Value, 2> Lift(abi::Helper helper, const std::array<ir::Value, 4>& a);

  // If `v` is what a comparison gave: an i32 that is 1 if `v cond 0`, else 0.
  std::optional<ir::Value> CompareWithZero(ir::IntCond cond, ir::Value v);

 private:
  ir::Value Join(ir::Value lo, ir::Value hi);
  std::array<ir::Value, 2> Split(ir::Value wide);
  ir::Value Double(ir::Value lo, ir::Value hi);
  // The float of exactly these bits, or one that is as good for arithmetic.
  ir::Value Bits(ir::Value bits);
  ir::Value Float(ir::Value bits);
  std::array<ir::Value, 2> FromDouble(ir::Value d);
  std::array<ir::Value, 2> FromFloat(ir::Value f);
  std::array<ir::Value, 2> Compare(ir::Value x, ir::Value y, int unordered);
  std::array<ir::Value, 2> ToInteger(ir::Value x, ir::Value high_bits, bool is_signed);
  ir::Value Const(ir::Type type, int64_t v) { return b_.Iconst(type, v); }

  struct Comparison {
    ir::Value x, y;
    bool greater;  // unordered counts as less
  };

  ir::Builder& b_;
  // What was computed, by the halves or bits it became: the same number, but for which NaN it is.
  // To arithmetic, all NaNs are the same.
  absl::flat_hash_map<std::pair<uint32_t, uint32_t>, ir::Value> doubles_;
  absl::flat_hash_map<uint32_t, ir::Value> floats_;
  absl::flat_hash_map<uint32_t, Comparison> comparisons_;
};

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_LIFT_HELPER_H_
