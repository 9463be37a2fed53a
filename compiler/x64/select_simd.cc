// Selection of the operations on v128, as simd_lowering.def says.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "compiler/x64/selector.h"
#include "compiler/x64/simd_lowering.h"

namespace precast::x64::selection {

using ir::SimdOp;

void Selector::SelectSimd(Inst i, const InstData& d) {
  switch (d.op) {
    case Opcode::kVconst:
      Emit(MOp::kVconst, {Def(VRegOf(f_.result(i)))}).imm = d.imm;
      return;
    case Opcode::kShuffle:
      return SelectShuffle(i, d);
    default:
      return SelectSimdOp(i, d);
  }
}

bool Selector::LoadedForOneUse(Value v) const {
  const InstData* d = DefOf(v);
  if (d == nullptr || uses_[v.index] != 1 || Needed(v)) return false;
  if (d->op != Opcode::kLoad && d->op != Opcode::kLoadAt && d->op != Opcode::kLoadHost &&
      d->op != Opcode::kLoadContext) {
    return false;
  }
  return static_cast<ir::MemKind>(d->aux) ==
         (d->type == Type::kI32 ? ir::MemKind::kU32 : ir::MemKind::k64);
}

void Selector::SelectSimdOp(Inst i, const InstData& d) {
  const absl::Span<const Value> args = f_.args(i);
  SimdOp op = static_cast<SimdOp>(d.aux);
  // What the last input is loaded by, if this does it. (If operands change places, that is found
  // below.)
  std::optional<Inst> load;
  if (args.size() == 1) load = FoldableInput(op, args[0]);
  if (!load.has_value() && LoadedForOneUse(args.back())) {
    switch (op) {
      case SimdOp::kI32x4Low:
      case SimdOp::kI64x2Low:
        vreg_of_[args[0].index] = VRegOf(f_.result(i));  // loads clear the rest of the register
        return;
      case SimdOp::kI32x4Splat:
        op = SimdOp::kF32x4Splat;
        break;
      case SimdOp::kI64x2Splat:
        op = SimdOp::kF64x2Splat;
        break;
      case SimdOp::kI32x4ReplaceLane:
        op = SimdOp::kF32x4ReplaceLane;
        break;
      case SimdOp::kI64x2ReplaceLane:
        op = SimdOp::kF64x2ReplaceLane;
        break;
      default:
        break;
    }
    if (op != static_cast<SimdOp>(d.aux)) vreg_of_[args.back().index] = NewVectorVReg();
  }
  const SimdLowering& lowering = Lowering(op);
  const SimdPatternInfo& pattern = Info(lowering.pattern);
  CHECK_LE(args.size(), size_t{3}) << f_.name();
  Value inputs[3];
  for (size_t k = 0; k < args.size(); ++k) inputs[k] = args[k];
  if (lowering.order == SimdLowering::Order::kSwap) {
    std::swap(inputs[0], inputs[1]);
  } else if (lowering.order == SimdLowering::Order::kEither) {
    PreferDyingFirst(inputs[0], inputs[1]);
    if (VectorConstant(inputs[0]) != nullptr ||
        (FoldableVector(inputs[0]) && !FoldableVector(inputs[1]) &&
         VectorConstant(inputs[1]) == nullptr)) {
      std::swap(inputs[0], inputs[1]);
    }
  }

  const VReg result = VRegOf(f_.result(i));
  if (const std::optional<ir::V128> constant = FoldSplat(d, inputs[0])) {
    Emit(MOp::kVconst, {Def(result)}).imm = AddV128(*constant);
    return;
  }
  if (lowering.pattern == SimdPattern::kSwizzle) {
    if (const ir::V128* indices = VectorConstant(inputs[1])) {
      ir::V128 lanes = *indices;
      for (uint8_t& lane : lanes) {
        if (lane > 15) lane = 0x80;
      }
      return ShuffleOne(VRegOf(inputs[0]), lanes, result);
    }
  }
  // A scalar is the low lane of its register.
  const bool float_lane =
      lowering.pattern == SimdPattern::kExtractF32 || lowering.pattern == SimdPattern::kExtractF64;
  if (float_lane && d.imm == 0) return EmitMove(VRegOf(inputs[0]), result);

  const bool avx = HasCpu(format::CpuFeature::kAvx);
  const char* operand = pattern.operands;
  size_t num_inputs = args.size();
  int64_t imm = d.imm;
  VReg regs[3];
  bool constant_b = false;
  if (pattern.constant_shift[0] != '\0') {
    // The lane width is a power of two: the amount modulo the width is a mask.
    const int32_t mask = lowering.imm;
    const int32_t more = lowering.pattern == SimdPattern::kShiftRightS8 ? 8 : 0;
    if (const std::optional<int64_t> amount = ConstantOf(inputs[1])) {
      operand = pattern.constant_shift;
      num_inputs = 1;
      imm = (*amount & mask) + more;
    } else {
      regs[1] = NewVReg();
      EmitAluImm(Alu::kAnd, VRegOf(inputs[1]), mask, Width::k32, regs[1]);
      if (more != 0) {
        const VReg sum = NewVReg();
        EmitAddImm(regs[1], more, Width::k32, sum);
        regs[1] = sum;
      }
      imm = kVariableShift;
    }
    regs[0] = VRegOf(inputs[0]);
  } else {
    // A constant is a memory operand where one may be.
    constant_b = num_inputs > 1 && operand[1] == 'm' && VectorConstant(inputs[1]) != nullptr;
    if (num_inputs == 2 && !constant_b && inputs[0] != inputs[1]) {
      load = FoldableInput(op, inputs[1]);
    }
    for (size_t k = 0; k < num_inputs; ++k) {
      if (k + 1 == num_inputs && load.has_value()) continue;
      if (k != 1 || !constant_b) regs[k] = Reg(inputs[k]);
    }
  }

  std::vector<Operand>& operands = ScratchOperands();
  Address at;
  for (size_t k = 0; operand[k] != '\0'; ++k) {
    DCHECK((k < num_inputs) == (operand[k] == 'r' || operand[k] == 'm' || operand[k] == 'l'));
    if (k == 1 && constant_b) continue;
    if (k + 1 == num_inputs && load.has_value()) {
      at = Fold(*load, operands);
      continue;
    }
    switch (operand[k]) {
      case 'r':
        operands.push_back(Use(regs[k]));
        break;
      case 'm':
        operands.push_back(UseVector(regs[k]));
        break;
      case 'l':
        operands.push_back(UseLate(regs[k]));
        break;
      case 'd':
        operands.push_back(Def(result));
        break;
      case 'e':
        operands.push_back(avx ? Def(result) : DefEarly(result));
        break;
      case 'v':
        operands.push_back(DefEarly(NewVectorVReg()));
        break;
      default: {
        const uint8_t input = static_cast<uint8_t>(operand[k] - '0');
        operands.push_back(DefMayReuse(result, constant_b && input > 1 ? 1 : input));
        break;
      }
    }
  }
  MInst& m = Emit(MOp::kSimd, operands);
  m.aux = static_cast<uint8_t>(op);
  m.imm = imm;
  m.constant_b = constant_b;
  if (constant_b) m.disp = static_cast<int32_t>(DefOf(inputs[1])->imm);
  if (load.has_value()) SetFolded(at, *load, m);
}

bool Selector::FoldableVector(Value v) const {
  const std::optional<Inst> load = FoldableLoad(v);
  if (!load.has_value()) return false;
  const ir::MemKind kind = static_cast<ir::MemKind>(f_.inst(*load).aux);
  // Before AVX an operand in memory must be aligned.
  return kind == ir::MemKind::k128Aligned ||
         (kind == ir::MemKind::k128 && HasCpu(format::CpuFeature::kAvx));
}

std::optional<Inst> Selector::FoldableInput(SimdOp op, Value last) const {
  // What of memory the instruction reads, if only it does: exactly what is loaded, as less might
  // not fault.
  using ir::MemKind;
  auto loads = [&](Value v, MemKind kind, MemKind or_kind) -> std::optional<Inst> {
    const std::optional<Inst> load = FoldableLoad(v);
    if (!load.has_value()) return std::nullopt;
    const MemKind actual = static_cast<MemKind>(f_.inst(*load).aux);
    return actual == kind || actual == or_kind ? load : std::nullopt;
  };
  const bool avx2 = HasCpu(format::CpuFeature::kAvx2);
  switch (op) {
    case SimdOp::kI8x16Splat:
      return avx2 ? loads(last, MemKind::kU8, MemKind::kS8) : std::nullopt;
    case SimdOp::kI16x8Splat:
      return avx2 ? loads(last, MemKind::kU16, MemKind::kS16) : std::nullopt;
    case SimdOp::kI32x4Splat:
      return avx2 ? loads(last, MemKind::kU32, MemKind::kS32) : std::nullopt;
    case SimdOp::kI64x2Splat:
      return avx2 ? loads(last, MemKind::k64, MemKind::k64) : std::nullopt;
    case SimdOp::kI16x8ExtendLowI8x16S:
    case SimdOp::kI16x8ExtendLowI8x16U:
    case SimdOp::kI32x4ExtendLowI16x8S:
    case SimdOp::kI32x4ExtendLowI16x8U:
    case SimdOp::kI64x2ExtendLowI32x4S:
    case SimdOp::kI64x2ExtendLowI32x4U: {
      const InstData* low = DefOf(last);
      if (low == nullptr || low->op != Opcode::kSimd || uses_[last.index] != 1 || Needed(last) ||
          static_cast<SimdOp>(low->aux) != SimdOp::kI64x2Low) {
        return std::nullopt;
      }
      return loads(f_.args(Inst(f_.value(last).def))[0], MemKind::k64, MemKind::k64);
    }
    default:
      break;
  }
  switch (Lowering(op).pattern) {
    case SimdPattern::kBinary:
    case SimdPattern::kBinaryImm:
    case SimdPattern::kBinaryNot:  // read the second input once
      return FoldableVector(last) ? FoldableLoad(last) : std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<ir::V128> Selector::FoldSplat(const InstData& d, Value a) const {
  uint64_t bits;
  if (const std::optional<int64_t> c = ConstantOf(a)) {
    bits = static_cast<uint64_t>(*c);
  } else if (const InstData* def = DefOf(a); def != nullptr && def->op == Opcode::kFconst) {
    bits = static_cast<uint64_t>(def->imm);
  } else {
    return std::nullopt;
  }
  size_t size;
  switch (static_cast<SimdOp>(d.aux)) {
    case SimdOp::kI8x16Splat:
      size = 1;
      break;
    case SimdOp::kI16x8Splat:
      size = 2;
      break;
    case SimdOp::kI32x4Splat:
    case SimdOp::kF32x4Splat:
      size = 4;
      break;
    case SimdOp::kI64x2Splat:
    case SimdOp::kF64x2Splat:
      size = 8;
      break;
    default:
      return std::nullopt;
  }
  ir::V128 bytes;
  for (size_t k = 0; k < 16; ++k) bytes[k] = static_cast<uint8_t>(bits >> (8 * (k % size)));
  return bytes;
}

}  // namespace precast::x64::selection
