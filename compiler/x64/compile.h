// The x86-64 back end as a whole: IR function in, machine code with its patches and side tables
// out.
//
// What generated code does to the machine, for the runtime, the unwinder and the machine-code
// verifier:
//  * r15 (VmContext), r14 (memory base) are never written; r13 (fuel) only by metering; rsp only by
//    the prologue, the epilogue and calls.
//  * Memory operands are [r14 + zero-extended 32-bit register + disp32], [r14 + disp32],
//    [r15 + disp], [rsp + disp] inside the frame, [rip + disp32] into read-only data and the GOT,
//    and the bounded reads [table + index * 4] of jump and dispatch tables.
//  * Indirect branches: `jmp reg` after a bounds check against a jump table, `call/jmp r12` after a
//    bounds check against the dispatch table, `call/jmp [rip + GOT]`.
//  * A frame is one `sub rsp` at each entry; the stack pointer is 16-aligned at calls. A function
//    without calls and spills has no frame and does not check the stack.
//  * StateLocation::kFrame is a displacement from the stack pointer as the frame rules see it: at a
//    kSuspend site, the value before the callback's return address was pushed.
#ifndef PRECAST_COMPILER_X64_COMPILE_H_
#define PRECAST_COMPILER_X64_COMPILE_H_

#include "compiler/codegen/compiled_function.h"
#include "compiler/codegen/target.h"
#include "compiler/ir/ir.h"

namespace precast::x64 {

// See codegen::Target::Compile.
codegen::CompiledFunction Compile(const ir::Function& function,
                                  const codegen::CompileOptions& options);

// This back end behind the interface that all targets share.
const codegen::Target& X64Target();

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_COMPILE_H_
