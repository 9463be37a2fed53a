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

void Selector::SelectSimdOp(Inst i, const InstData& d) {
  const SimdLowering& lowering = Lowering(static_cast<ir::SimdOp>(d.aux));
  const SimdPatternInfo& pattern = Info(lowering.pattern);
  const absl::Span<const Value> args = f_.args(i);
  CHECK_LE(args.size(), size_t{3}) << f_.name();
  Value inputs[3];
  for (size_t k = 0; k < args.size(); ++k) inputs[k] = args[k];
  if (lowering.order == SimdLowering::Order::kSwap) {
    std::swap(inputs[0], inputs[1]);
  } else if (lowering.order == SimdLowering::Order::kEither) {
    PreferDyingFirst(inputs[0], inputs[1]);
  }

  const VReg result = VRegOf(f_.result(i));
  // A scalar is the low lane of its register.
  const bool float_lane =
      lowering.pattern == SimdPattern::kExtractF32 || lowering.pattern == SimdPattern::kExtractF64;
  if (float_lane && d.imm == 0) return EmitMove(VRegOf(inputs[0]), result);

  const char* operand = pattern.operands;
  size_t num_inputs = args.size();
  int64_t imm = d.imm;
  VReg regs[3];
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
    for (size_t k = 0; k < num_inputs; ++k) regs[k] = Reg(inputs[k]);
  }

  std::vector<Operand>& operands = ScratchOperands();
  for (; *operand != '\0'; ++operand) {
    const size_t k = operands.size();
    switch (*operand) {
      case 'r':
        operands.push_back(Use(regs[k]));
        break;
      case 'm':
        operands.push_back(UseAny(regs[k]));
        break;
      case 'l':
        operands.push_back(UseLate(regs[k]));
        break;
      case 'd':
        operands.push_back(Def(result));
        break;
      case 'e':
        operands.push_back(DefEarly(result));
        break;
      case 'v':
        operands.push_back(DefEarly(NewVectorVReg()));
        break;
      default:
        operands.push_back(DefReuse(result, static_cast<uint8_t>(*operand - '0')));
        break;
    }
    // One operand for each input, then the result.
    DCHECK((k < num_inputs) == (*operand == 'r' || *operand == 'm' || *operand == 'l'));
  }
  MInst& m = Emit(MOp::kSimd, operands);
  m.aux = d.aux;
  m.imm = imm;
}

}  // namespace precast::x64::selection
