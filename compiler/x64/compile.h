// The x86-64 back end as a whole: IR function in, machine code with its patches and side tables
// out.
//
// What generated code does to the machine, for the runtime, the unwinder and the machine-code
// verifier:
//  * rbp (VmContext), rbx (memory base) are never written; r10 (fuel) only by metering; rsp only by
//    the prologue, the epilogue and calls.
//  * Memory operands are [rbx + zero-extended 32-bit register + disp32], [rbx + disp32],
//    [rbp + disp], [rsp + disp] inside the frame, [rip + disp32] into read-only data and the GOT,
//    and the bounded reads [table + index * 4] of jump and dispatch tables.
//  * Indirect branches: `jmp reg` after a bounds check against a jump table, `call/jmp r12` after a
//    bounds check against the dispatch table, `call/jmp [rip + GOT]`.
//  * Two traps are jumps into the instruction before them, to a byte that is no instruction in
//    64-bit mode (Intel SDM vol. 2, appendix A, table A-2: i64): `sub r10, n; jl` to the ea of the
//    subtraction where fuel is charged for, and `cmp rsp, [rbp+0x60]; jb` to the 60 at entries.
//    Others are `hlt`. Where rows are counted, and wherever fuel is compared and not subtracted,
//    want of fuel is a jump to a `hlt`: privileged instructions trap in less time than invalid
//    ones, which hypervisors look at first (1.2 instead of 8.7 us under KVM), and metered runs are
//    left so at the end of each stretch.
//  * A frame is one `sub rsp` at each entry; the stack pointer is 16-aligned at calls. A function
//    without calls and spills has no frame and does not check the stack.
//  * StateLocation::kFrame is a displacement from the stack pointer.
#ifndef PRECAST_COMPILER_X64_COMPILE_H_
#define PRECAST_COMPILER_X64_COMPILE_H_

#include "compiler/codegen/compiled_function.h"
#include "compiler/codegen/target.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::x64 {

// See codegen::Target::Compile.
codegen::CompiledFunction Compile(const ir::Function& function,
                                  const codegen::CompileOptions& options,
                                  const ir::Graphs& graphs = ir::Graphs());

// This back end behind the interface that all targets share.
const codegen::Target& X64Target();

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_COMPILE_H_
