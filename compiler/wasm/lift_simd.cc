// Vectors. The operations of the IR are named as the instructions are, so the names connect them; memory
// instructions are made of a scalar access and an operation.
#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/log/check.h"
#include "compiler/wasm/lift_function.h"

namespace precast::wasm {

using ir::SimdOp;
using ir::Type;

namespace {

constexpr int kNumSimdOps = 0
#define PRECAST_IR_SIMD(...) +1
#include "compiler/ir/simd.def"
#undef PRECAST_IR_SIMD
    ;
// By instruction.
const std::vector<std::optional<SimdOp>>& SimdOps() {
  static const auto* const kTable = [] {
    absl::flat_hash_map<std::string_view, SimdOp> by_name;
    for (int k = 0; k < kNumSimdOps; ++k) {
      const auto op = static_cast<SimdOp>(k);
      by_name.emplace(ir::Info(op).text, op);
    }
    auto* const table = new std::vector<std::optional<SimdOp>>(kNumOps);
    for (int k = 0; k < kNumOps; ++k) {
      const auto it = by_name.find(Info(static_cast<Op>(k)).text);
      if (it != by_name.end()) (*table)[static_cast<size_t>(k)] = it->second;
    }
    return table;
  }();
  return *kTable;
}

// Whether NaNs in the result may have more than one bit pattern: of f32 lanes, of f64 lanes, or not at all.
enum class Nans : uint8_t { kNone, kF32, kF64 };

Nans NansOf(SimdOp op) {
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
      return Nans::kF32;
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
      return Nans::kF64;
    default:
      return Nans::kNone;
  }
}

}  // namespace

FunctionLifter::Value FunctionLifter::CanonicalNans(SimdOp op, Value v) {
  const Nans nans = NansOf(op);
  if (!options_.canonical_nans || nans == Nans::kNone) return v;
  ir::V128 nan = {};
  if (nans == Nans::kF32) {
    for (size_t k = 0; k < 16; k += 4) nan[k + 2] = 0xc0, nan[k + 3] = 0x7f;
  } else {
    for (size_t k = 0; k < 16; k += 8) nan[k + 6] = 0xf8, nan[k + 7] = 0x7f;
  }
  const SimdOp not_equal = nans == Nans::kF32 ? SimdOp::kF32x4Ne : SimdOp::kF64x2Ne;
  const Value mask = b_.Simd(not_equal, {v, v});
  return b_.Simd(SimdOp::kV128Bitselect, {b_.Vconst(nan), v, mask});
}

bool FunctionLifter::LiftSimd(const Instruction& in) {
  if (in.op == Op::kV128Const) {
    Push(b_.Vconst(in.v128));
    return true;
  }
  if (in.op == Op::kI8x16Shuffle) {
    const Value b = Pop();
    const Value a = Pop();
    Push(b_.Shuffle(a, b, in.v128));
    return true;
  }
  const std::optional<SimdOp> op = SimdOps()[static_cast<size_t>(in.op)];
  if (!op) return LiftVectorMemory(in);
  const std::vector<Value> args = PopMany(std::strlen(ir::Info(*op).operands));
  const uint8_t lane = ir::Info(*op).lanes != 0 ? in.lane : 0;
  Push(CanonicalNans(*op, b_.Simd(*op, args, lane)));
  return true;
}

bool FunctionLifter::LiftVectorMemory(const Instruction& in) {
  const uint32_t bytes = 1u << Info(in.op).natural_align;
  // A scalar is loaded and spread by an operation, or by two.
  const auto load = [&](MemKind kind, Type type, SimdOp op) {
    const Place place = PlaceOf(in, Pop(), bytes);
    Push(b_.Simd(op, {Load(place, kind, type)}));
    return true;
  };
  const auto load_extended = [&](SimdOp op) {
    load(MemKind::k64, Type::kI64, SimdOp::kI64x2Low);
    Push(b_.Simd(op, {Pop()}));
    return true;
  };
  const auto load_lane = [&](MemKind kind, Type type, SimdOp op) {
    const Value v = Pop();
    const Place place = PlaceOf(in, Pop(), bytes);
    Push(b_.Simd(op, {v, Load(place, kind, type)}, in.lane));
    return true;
  };
  const auto store_lane = [&](MemKind kind, SimdOp op) {
    const Value v = Pop();
    const Place place = PlaceOf(in, Pop(), bytes);
    Store(place, kind, b_.Simd(op, {v}, in.lane));
    return true;
  };
  switch (in.op) {
    case Op::kV128Load8x8S:
      return load_extended(SimdOp::kI16x8ExtendLowI8x16S);
    case Op::kV128Load8x8U:
      return load_extended(SimdOp::kI16x8ExtendLowI8x16U);
    case Op::kV128Load16x4S:
      return load_extended(SimdOp::kI32x4ExtendLowI16x8S);
    case Op::kV128Load16x4U:
      return load_extended(SimdOp::kI32x4ExtendLowI16x8U);
    case Op::kV128Load32x2S:
      return load_extended(SimdOp::kI64x2ExtendLowI32x4S);
    case Op::kV128Load32x2U:
      return load_extended(SimdOp::kI64x2ExtendLowI32x4U);
    case Op::kV128Load8Splat:
      return load(MemKind::kU8, Type::kI32, SimdOp::kI8x16Splat);
    case Op::kV128Load16Splat:
      return load(MemKind::kU16, Type::kI32, SimdOp::kI16x8Splat);
    case Op::kV128Load32Splat:
      return load(MemKind::kU32, Type::kI32, SimdOp::kI32x4Splat);
    case Op::kV128Load64Splat:
      return load(MemKind::k64, Type::kI64, SimdOp::kI64x2Splat);
    case Op::kV128Load32Zero:
      return load(MemKind::kU32, Type::kI32, SimdOp::kI32x4Low);
    case Op::kV128Load64Zero:
      return load(MemKind::k64, Type::kI64, SimdOp::kI64x2Low);
    case Op::kV128Load8Lane:
      return load_lane(MemKind::kU8, Type::kI32, SimdOp::kI8x16ReplaceLane);
    case Op::kV128Load16Lane:
      return load_lane(MemKind::kU16, Type::kI32, SimdOp::kI16x8ReplaceLane);
    case Op::kV128Load32Lane:
      return load_lane(MemKind::kU32, Type::kI32, SimdOp::kI32x4ReplaceLane);
    case Op::kV128Load64Lane:
      return load_lane(MemKind::k64, Type::kI64, SimdOp::kI64x2ReplaceLane);
    case Op::kV128Store8Lane:
      return store_lane(MemKind::kU8, SimdOp::kI8x16ExtractLaneU);
    case Op::kV128Store16Lane:
      return store_lane(MemKind::kU16, SimdOp::kI16x8ExtractLaneU);
    case Op::kV128Store32Lane:
      return store_lane(MemKind::kU32, SimdOp::kI32x4ExtractLane);
    case Op::kV128Store64Lane:
      return store_lane(MemKind::k64, SimdOp::kI64x2ExtractLane);
    default:
      return false;
  }
}

}  // namespace precast::wasm
