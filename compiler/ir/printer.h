// The IR as text, for dumps and tests. parser.h reads what this writes, and gives the same function
// with the same numbers back.
//
//   function "name"(i32, i32) -> (i32, i32) guest entries block0 {
//   block0(v0: i32, v1: i32) pc 0x10000:
//     v2 = iconst.i32 5
//     v3 = add.i32 v0, v2
//     meter 3 @0x10000 refund 3
//     defer_state x10, v3
//     v4 = load.i32 u8 v3 + 12 @0x10008 refund 2
//     store.i32 u32 v3 - 4, v4 @0x1000c refund 1
//     v5 = icmp.i32 slt v4, v2
//     br_if v5, block2(v3), block1 cold
//
//   block1 cold pc 0x10010 depth 1 state[x10=v3]:
//     v6: i32, v7: i32 = call @f12(v3, v4) @0x10014
//     ret v6, v7
//
//   block2(v8: i32):
//     tail_dispatch v8(v0, v1)
//   }
//
// function     name as a C string literal, parameter and result types, calling convention (guest or
//              wasm), and the entries in order (no `entries` if there are none)
// block        blocks come in the order of their numbers, from block0. Parameters; `cold`; `pc`
//              (guest pc, if not 0); `depth` (loop depth, if not 0); `unread` (guest registers, a
//              bit each, if not 0); `state` (deferred on entry, by ascending slot)
// results      a call names the types of its results, other instructions imply them; the numbers of
//              one instruction's results are consecutive
// x10          guest state slot number 10
// 0x…          of `fconst` the bits as a number; of `vconst` and `shuffle` 16 bytes, first first
// simd.…       the operation as simd.def names it, with the lane last where it has one:
//              v2 = simd.i8x16.extract_lane_u v1, 15
// guarded      of a division: the divisor has been checked; `in_range` of a conversion the same
// @f12         function number 12
// @0x10014     the site: guest pc, then what is to be refunded if not 0. Every instruction that can
//              stop has one; others show it if it is not all zero
// .i32         operand type, where the opcode has one; of a conversion the result's
// //           starts a comment, which ends with the line (read, never written)
//
// Operands of each opcode: see `Form` in syntax.h. Traps and callbacks are numbers.
#ifndef PRECAST_COMPILER_IR_PRINTER_H_
#define PRECAST_COMPILER_IR_PRINTER_H_

#include <string>

#include "compiler/ir/ir.h"

namespace precast::ir {

// The whole function, ending with a newline. Safe on functions that the verifier would reject, as
// long as instructions' operand ranges and opcodes are those of `Function::Append`.
std::string Print(const Function& function);

// One instruction, without indentation or newline. For messages.
std::string PrintInst(const Function& function, Inst inst);

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_PRINTER_H_
