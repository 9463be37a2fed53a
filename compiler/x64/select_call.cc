// Calls and returns: which value travels where. See Travel, runtime/abi/vm_context.h and
// runtime/abi/wasm_context.h.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "compiler/x64/selector.h"
#include "runtime/abi/wasm_context.h"

namespace precast::x64::selection {

void Selector::AddUses(absl::Span<const Value> args, Travel travel,
                       std::vector<Operand>& operands) {
  for (Value v : args) operands.push_back(UseFixed(Reg(v), travel.Next(f_.type(v))));
}

size_t Selector::AddTarget(const InstData& d, absl::Span<const Value> args,
                           std::vector<Operand>& operands) {
  switch (d.op) {
    case Opcode::kCallDispatch:
    case Opcode::kTailDispatch:
      operands.push_back(UseFixed(Reg(args[0]), static_cast<x64::Reg>(abi::kNextPcReg)));
      return 1;
    case Opcode::kCallPointer:
    case Opcode::kTailPointer: {
      const uint8_t regs[] = {abi::kTargetReg, abi::kRecordReg, abi::kTypeReg};
      for (size_t k = 0; k < 3; ++k) {
        operands.push_back(UseFixed(Reg(args[k]), static_cast<x64::Reg>(regs[k])));
      }
      return 3;
    }
    default:
      return 0;
  }
}

void Selector::SelectCall(Inst i, const InstData& d) {
  m_.has_calls = true;
  const absl::Span<const Value> args = f_.args(i);
  std::vector<Operand>& operands = ScratchOperands();
  AddUses(args.subspan(AddTarget(d, args, operands)), Travel::Parameters(f_.signature().conv),
          operands);
  regalloc::PRegSet clobbers = kAllocatable;
  Travel travel = Travel::Results(f_.signature().conv);
  // What is received elsewhere is nobody's here.
  const bool received = role_[block_.index] == Role::kCalls && i == ReturningCall(block_);
  for (uint32_t k = 0; k < (received ? 0 : d.results_count); ++k) {
    const Value v = f_.result(i, k);
    const regalloc::PReg reg = travel.Next(f_.type(v));
    operands.push_back(DefFixed(VRegOf(v), reg));
    clobbers &= ~Bit(reg);
  }
  MInst& m = Emit(d.op == Opcode::kCall           ? MOp::kCall
                  : d.op == Opcode::kCallDispatch ? MOp::kCallDispatch
                  : d.op == Opcode::kCallRuntime  ? MOp::kCallRuntime
                                                  : MOp::kCallPointer,
                  operands, clobbers);
  m.imm = d.imm;
  m.aux = d.aux;
  m.site = d.site;
}

void Selector::SelectLeave(const InstData& d, absl::Span<const Value> args) {
  std::vector<Operand>& operands = ScratchOperands();
  if (d.op == Opcode::kRet) {
    AddUses(args, Travel::Results(f_.signature().conv), operands);
    Emit(MOp::kReturn, operands);
    return;
  }
  AddUses(args.subspan(AddTarget(d, args, operands)), Travel::Parameters(f_.signature().conv),
          operands);
  Emit(d.op == Opcode::kTailCall       ? MOp::kTailCall
       : d.op == Opcode::kTailDispatch ? MOp::kTailDispatch
                                       : MOp::kTailPointer,
       operands)
      .imm = d.imm;
}

}  // namespace precast::x64::selection
