// A compiled function as readable text: assembly with labels, names of relocated targets, and
// beside each site what the side tables say of it. For tests, dumps and tools.
#ifndef PRECAST_COMPILER_X64_ASSEMBLY_TEXT_H_
#define PRECAST_COMPILER_X64_ASSEMBLY_TEXT_H_

#include <string>

#include "compiler/codegen/compiled_function.h"

namespace precast::x64 {

// One line an instruction:
//   entry 0x10000:                                   where the dispatcher may enter
//   L1:                                              target of a jump inside the function
//       mov eax, [rbx+rdi*1+0x8]                      ; memory @0x10004 refund 2 {x10=rcx
//       x11=[rsp+8] x12=5} call @f3                                     ; call @0x10008
// The braces hold the whole map of deferred guest state at the site.
std::string AssemblyText(const codegen::CompiledFunction& function);

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_ASSEMBLY_TEXT_H_
