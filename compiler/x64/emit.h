// Emission: MIR with its register allocation to machine code and side tables.
#ifndef PRECAST_COMPILER_X64_EMIT_H_
#define PRECAST_COMPILER_X64_EMIT_H_

#include <string>

#include "compiler/codegen/compiled_function.h"
#include "compiler/codegen/target.h"
#include "compiler/regalloc/regalloc.h"
#include "compiler/x64/mir.h"

namespace precast::x64 {

// Consumes nothing; deterministic.
codegen::CompiledFunction Emit(const std::string& name, const MFunction& function,
                               const regalloc::Solution& solution,
                               const codegen::CompileOptions& options);

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_EMIT_H_
