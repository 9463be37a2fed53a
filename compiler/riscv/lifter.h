// Lifts one region of a RISC-V program to SSA IR.
//
// The function made has the uniform signature of RISC-V regions: the passed guest registers in, the
// guest pc to continue at and the passed registers out (runtime/abi/vm_context.h).
// docs/riscv_lifting.md explains how calls, returns, jumps, traps and metering are expressed.
#ifndef PRECAST_COMPILER_RISCV_LIFTER_H_
#define PRECAST_COMPILER_RISCV_LIFTER_H_

#include "compiler/guest/program.h"
#include "compiler/ir/ir.h"
#include "compiler/riscv/control_flow.h"

namespace precast::riscv {

struct LiftOptions {
  // Every basic block alone: guest registers are loaded from VmContext and stored back in each
  // block.
  bool local = false;
  // Loads and stores that are not naturally aligned trap.
  bool strict_alignment = false;
  // OpenVM: the program, whose custom instructions are lowered where there is a lowering; null: all
  // are calls.
  const guest::Program* lower_custom = nullptr;
  // OpenVM: the program, whose rows are counted (docs/openvm_segments.md); null: nothing is.
  const guest::Program* count_rows = nullptr;
};

// The signature that all regions share.
ir::Signature RegionSignature();

// A direct call (kCall, kTailCall) names its target by guest pc; the target is an entry of some
// region.
ir::Function Lift(const Region& region, const ControlFlow& flow, const Code& code,
                  const LiftOptions& options);

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_LIFTER_H_
