// Vectors. Memory instructions are made of a scalar access and an operation.
#include <cstring>
#include <optional>
#include <vector>

#include "compiler/wasm/lift_function.h"
#include "compiler/wasm/simd_ops.h"

namespace precast::wasm {

using ir::SimdOp;
using ir::Type;

FunctionLifter::Value FunctionLifter::CanonicalNans(SimdOp op, Value v) {
  const VectorNans nans = VectorNansOf(op);
  if (!options_.canonical_nans || nans == VectorNans::kNone) return v;
  ir::V128 nan = {};
  if (nans == VectorNans::kF32) {
    for (size_t k = 0; k < 16; k += 4) nan[k + 2] = 0xc0, nan[k + 3] = 0x7f;
  } else {
    for (size_t k = 0; k < 16; k += 8) nan[k + 6] = 0xf8, nan[k + 7] = 0x7f;
  }
  const SimdOp not_equal = nans == VectorNans::kF32 ? SimdOp::kF32x4Ne : SimdOp::kF64x2Ne;
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
  const std::optional<SimdOp> op = SimdOpOf(in.op);
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
