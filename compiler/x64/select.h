// Instruction selection: IR to MIR.
#ifndef PRECAST_COMPILER_X64_SELECT_H_
#define PRECAST_COMPILER_X64_SELECT_H_

#include <cstdint>

#include "compiler/ir/ir.h"
#include "compiler/x64/control_flow.h"
#include "compiler/x64/mir.h"

namespace precast::x64 {

// `function` is verified IR without floating-point or vector operations. Deterministic.
// `cpu_features`: the format::CpuFeature bits that code may need.
MFunction Select(const ir::Function& function, const ControlFlow& control_flow,
                 uint64_t cpu_features);

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_SELECT_H_
