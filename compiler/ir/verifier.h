// The IR verifier: an independent check that a function keeps the IR's rules. Run between passes in
// tests and fuzzers, and on parsed text. Safe on any function the parser returns.
//
// The rules (verifier_test.cc breaks each):
//
//  entries     V1   there is an entry; each is named once, has no predecessors and no deferred
//                   state
//              V2   an entry's parameters are of the signature's parameter types
//  blocks      V3   a block has instructions; the last, and only the last, is a terminator
//              V4   an instruction is in one block, once
//  values      V5   a value used is a parameter of a block or a result of an instruction in a block
//              V6   a definition dominates its uses, with a virtual root above all entries; in
//                   unreachable blocks V5 is enough
//  operands    V7   number and types of operands and results are as opcodes.def says; so is `type`
//              V8   `aux` is a condition, an access kind, a vector operation, or a promise that
//                   the opcode knows; access kinds fit the type; atomics have an operation
//              V9   constants are canonical: an i32 is sign-extended, f32 bits fit in 32; constants
//                   of 16 bytes exist, a shuffle's are below 32; lanes exist
//              V10  a memory offset is an i32
//              V11  `ret` returns values of the signature's result types
//  edges       V12  as many edges as the opcode has, to existing blocks
//              V13  arguments are of the target's parameter types; `br_table` edges have none
//              V14  only `br_if` is cold
//  state       V15  a block's deferred state is by ascending slot, one value each, i32
//              V16  each such value is a parameter of the block or dominates the block
//  metering    V17  amounts lie in -2^30 … 2^30; `meter` refunds at least what it subtracts
//  calls       V18  in a WebAssembly function, what it and its calls pass travels in registers: at
//                   most 9 integers and 8 others as parameters, and as results
//
// Not checked, since it is not wrong in itself: whether the deferred state of a block covers what
// its predecessors deferred (a front end leaves out what no site can see), or is empty at calls
// (see opcodes.def).
#ifndef PRECAST_COMPILER_IR_VERIFIER_H_
#define PRECAST_COMPILER_IR_VERIFIER_H_

#include "absl/status/status.h"
#include "compiler/ir/ir.h"

namespace precast::ir {

// InvalidArgument at the first violation: rule, function, block, and the instruction's text.
absl::Status Verify(const Function& function);

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_VERIFIER_H_
