// Several rounds of a small loop for one question whether there is fuel for them, or of one that
// moves its values about.
//
// Requires: verified IR with its meters where they shall be.
// Does: of a loop of one block that does little makes one of two or four rounds, which are paid for
// together. On the
//   way out after fewer rounds what the others cost is given back. RISC-V: also of a larger one
//   that passes many of its parameters on as others, where there are no meters too.
// Keeps: how much fuel is left at every site and at the end of the loop: a site's refund covers the
// rounds behind it.
//   RISC-V: what asks for fuel asks for more, and so may stop earlier, which is allowed
//   (opt/meter.h). WebAssembly: where fuel does not suffice for all of these rounds, the last of
//   them is executed alone, with the meters that it had.
// Breaks: blocks are added. Leaves instructions without a use.
#ifndef PRECAST_COMPILER_OPT_UNROLL_LOOPS_H_
#define PRECAST_COMPILER_OPT_UNROLL_LOOPS_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void UnrollLoops(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_UNROLL_LOOPS_H_
