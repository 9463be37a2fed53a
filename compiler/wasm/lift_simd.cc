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
  const std::optional<VectorAccess> access = VectorAccessOf(in.op);
  if (!access) return false;
  static constexpr MemKind kKinds[] = {MemKind::kU8, MemKind::kU16, MemKind::kU32, MemKind::k64};
  const uint32_t align = Info(in.op).natural_align;
  const MemKind kind = kKinds[align];
  const auto load = [&] {
    return Load(PlaceOf(in, Pop(), 1u << align), kind,
                kind == MemKind::k64 ? Type::kI64 : Type::kI32);
  };
  switch (access->form) {
    case VectorAccess::Form::kExtend:
      Push(b_.Simd(access->op, {b_.Simd(SimdOp::kI64x2Low, {load()})}));
      return true;
    case VectorAccess::Form::kSplat:
      Push(b_.Simd(access->op, {load()}));
      return true;
    case VectorAccess::Form::kLoadLane: {
      const Value v = Pop();
      Push(b_.Simd(access->op, {v, load()}, in.lane));
      return true;
    }
    case VectorAccess::Form::kStoreLane: {
      const Value v = Pop();
      const Place place = PlaceOf(in, Pop(), 1u << align);
      Store(place, kind, b_.Simd(access->op, {v}, in.lane));
      return true;
    }
  }
  return false;
}

}  // namespace precast::wasm
