// Makes chains of additions, and of other operations that may be done in any order, short.
//
// Requires: verified IR.
// Does: where a value is computed from at least three others by one associative and commutative
// integer
//   operation (add, mul, and, or, xor) in one block, the intermediate values being used nowhere
//   else (a WebAssembly operand stack's never are), computes it in the order in which the others
//   are ready, as in Huffman's algorithm: what a loop carries around comes last. So a loop waits
//   for less.
// Keeps: everything else; no value that can be seen, at a site or by another instruction, changes.
#ifndef PRECAST_COMPILER_OPT_REASSOCIATE_H_
#define PRECAST_COMPILER_OPT_REASSOCIATE_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void Reassociate(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_REASSOCIATE_H_
