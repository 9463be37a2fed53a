// Inlining of WebAssembly functions.
//
// Requires: verified IR of a WebAssembly function.
// Does: replaces calls of small functions by their bodies, breadth first, also in bodies that have
// been put in
//   and in recursive functions, while the function's growth stays within bounds.
// Keeps: everything observable. Fuel: a call has been charged with the segment it ends, the
// callee's
//   segments keep their meters. Traps: a site carries its place in the module, from which the
//   runtime finds the function, so a trap names the callee as before. Only how deep calls can go
//   before the stack is exhausted changes, which is no constant anyway.
// Breaks: block and value numbers. Leaves blocks with one predecessor and parameters with one
// value: run
//   dead code elimination and simplification next.
#ifndef PRECAST_COMPILER_OPT_INLINE_H_
#define PRECAST_COMPILER_OPT_INLINE_H_

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// Instructions of a function that is inlined where it is called; where the call is in no loop, and
// not of the calling function itself: there calls take as much room, but little of the time.
inline constexpr size_t kMaxInlinedInsts = 32;
inline constexpr size_t kMaxInlinedStraightInsts = 12;
// Of one without loops that is called from where a profile says that it is hot.
inline constexpr size_t kMaxInlinedHotInsts = 96;

// Whether calls of `f` may be replaced by its body: small, and returning in the ordinary way.
bool IsInlinable(const ir::Function& f);

// `body` gives a function that is inlinable, which must stay valid until InlineCalls returns, or
// null.
void InlineCalls(ir::Function& f, absl::FunctionRef<const ir::Function*(ir::FuncRef)> body,
                 const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_INLINE_H_
