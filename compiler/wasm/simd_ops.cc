#include "compiler/wasm/simd_ops.h"

#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace precast::wasm {
namespace {

constexpr int kNumSimdOps = 0
#define PRECAST_IR_SIMD(...) +1
#include "compiler/ir/simd.def"
#undef PRECAST_IR_SIMD
    ;

// By instruction. The operations are named as the instructions are.
const std::vector<std::optional<ir::SimdOp>>& SimdOps() {
  static const auto* const kTable = [] {
    absl::flat_hash_map<std::string_view, ir::SimdOp> by_name;
    for (int k = 0; k < kNumSimdOps; ++k) {
      const auto op = static_cast<ir::SimdOp>(k);
      by_name.emplace(ir::Info(op).text, op);
    }
    auto* const table = new std::vector<std::optional<ir::SimdOp>>(kNumOps);
    for (int k = 0; k < kNumOps; ++k) {
      const auto it = by_name.find(Info(static_cast<Op>(k)).text);
      if (it != by_name.end()) (*table)[static_cast<size_t>(k)] = it->second;
    }
    return table;
  }();
  return *kTable;
}

}  // namespace

std::optional<ir::SimdOp> SimdOpOf(Op op) { return SimdOps()[static_cast<size_t>(op)]; }

std::optional<VectorAccess> VectorAccessOf(Op op) {
  using Form = VectorAccess::Form;
  switch (op) {
    case Op::kV128Load8x8S:
      return VectorAccess{Form::kExtend, ir::SimdOp::kI16x8ExtendLowI8x16S};
    case Op::kV128Load8x8U:
      return VectorAccess{Form::kExtend, ir::SimdOp::kI16x8ExtendLowI8x16U};
    case Op::kV128Load16x4S:
      return VectorAccess{Form::kExtend, ir::SimdOp::kI32x4ExtendLowI16x8S};
    case Op::kV128Load16x4U:
      return VectorAccess{Form::kExtend, ir::SimdOp::kI32x4ExtendLowI16x8U};
    case Op::kV128Load32x2S:
      return VectorAccess{Form::kExtend, ir::SimdOp::kI64x2ExtendLowI32x4S};
    case Op::kV128Load32x2U:
      return VectorAccess{Form::kExtend, ir::SimdOp::kI64x2ExtendLowI32x4U};
    case Op::kV128Load8Splat:
      return VectorAccess{Form::kSplat, ir::SimdOp::kI8x16Splat};
    case Op::kV128Load16Splat:
      return VectorAccess{Form::kSplat, ir::SimdOp::kI16x8Splat};
    case Op::kV128Load32Splat:
      return VectorAccess{Form::kSplat, ir::SimdOp::kI32x4Splat};
    case Op::kV128Load64Splat:
      return VectorAccess{Form::kSplat, ir::SimdOp::kI64x2Splat};
    case Op::kV128Load32Zero:
      return VectorAccess{Form::kSplat, ir::SimdOp::kI32x4Low};
    case Op::kV128Load64Zero:
      return VectorAccess{Form::kSplat, ir::SimdOp::kI64x2Low};
    case Op::kV128Load8Lane:
      return VectorAccess{Form::kLoadLane, ir::SimdOp::kI8x16ReplaceLane};
    case Op::kV128Load16Lane:
      return VectorAccess{Form::kLoadLane, ir::SimdOp::kI16x8ReplaceLane};
    case Op::kV128Load32Lane:
      return VectorAccess{Form::kLoadLane, ir::SimdOp::kI32x4ReplaceLane};
    case Op::kV128Load64Lane:
      return VectorAccess{Form::kLoadLane, ir::SimdOp::kI64x2ReplaceLane};
    case Op::kV128Store8Lane:
      return VectorAccess{Form::kStoreLane, ir::SimdOp::kI8x16ExtractLaneU};
    case Op::kV128Store16Lane:
      return VectorAccess{Form::kStoreLane, ir::SimdOp::kI16x8ExtractLaneU};
    case Op::kV128Store32Lane:
      return VectorAccess{Form::kStoreLane, ir::SimdOp::kI32x4ExtractLane};
    case Op::kV128Store64Lane:
      return VectorAccess{Form::kStoreLane, ir::SimdOp::kI64x2ExtractLane};
    default:
      return std::nullopt;
  }
}

VectorNans VectorNansOf(ir::SimdOp op) {
  using ir::SimdOp;
  switch (op) {
    case SimdOp::kF32x4Ceil:
    case SimdOp::kF32x4Floor:
    case SimdOp::kF32x4Trunc:
    case SimdOp::kF32x4Nearest:
    case SimdOp::kF32x4Sqrt:
    case SimdOp::kF32x4Add:
    case SimdOp::kF32x4Sub:
    case SimdOp::kF32x4Mul:
    case SimdOp::kF32x4Div:
    case SimdOp::kF32x4Min:
    case SimdOp::kF32x4Max:
    case SimdOp::kF32x4RelaxedMadd:
    case SimdOp::kF32x4RelaxedNmadd:
    case SimdOp::kF32x4RelaxedMin:
    case SimdOp::kF32x4RelaxedMax:
    case SimdOp::kF32x4DemoteF64x2Zero:
      return VectorNans::kF32;
    case SimdOp::kF64x2Ceil:
    case SimdOp::kF64x2Floor:
    case SimdOp::kF64x2Trunc:
    case SimdOp::kF64x2Nearest:
    case SimdOp::kF64x2Sqrt:
    case SimdOp::kF64x2Add:
    case SimdOp::kF64x2Sub:
    case SimdOp::kF64x2Mul:
    case SimdOp::kF64x2Div:
    case SimdOp::kF64x2Min:
    case SimdOp::kF64x2Max:
    case SimdOp::kF64x2RelaxedMadd:
    case SimdOp::kF64x2RelaxedNmadd:
    case SimdOp::kF64x2RelaxedMin:
    case SimdOp::kF64x2RelaxedMax:
    case SimdOp::kF64x2PromoteLowF32x4:
      return VectorNans::kF64;
    default:
      return VectorNans::kNone;
  }
}

}  // namespace precast::wasm
