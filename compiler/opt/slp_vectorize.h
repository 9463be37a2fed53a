// Vector operations for what a loop does to neighbours in memory.
//
// Requires: verified IR of a WebAssembly function that has had FoldAddresses, so that neighbours
// have one root. Does: in a loop of one block, unrolled by the compiler that made the guest, stores
// of 16 adjacent bytes and what
//   computes them become vector operations (superword-level parallelism: Larsen, Amarasinghe,
//   "Exploiting Superword Level Parallelism with Multimedia Instruction Sets", 2000). They do so in
//   a copy of the loop that is run if the places are aligned to 16 bytes, which is tested before
//   it. Such 16 bytes are accessible if the first is, so the vector access faults where the first
//   scalar access would have, before anything else is stored; and two of them are the same, lane by
//   lane, or have nothing in common.
// Keeps: everything observable: memory at every fault, the order of faults, fuel, bits of all
// numbers. Breaks: adds blocks; values of the loop that are used behind it become parameters.
#ifndef PRECAST_COMPILER_OPT_SLP_VECTORIZE_H_
#define PRECAST_COMPILER_OPT_SLP_VECTORIZE_H_

#include "compiler/ir/ir.h"

namespace precast::opt {

// `bounded_memory`: memory 0 never has more than kMaxMemory bytes (fold_addresses.h).
void VectorizeLoops(ir::Function& f, bool bounded_memory);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_SLP_VECTORIZE_H_
