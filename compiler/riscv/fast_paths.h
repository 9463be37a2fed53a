// Functions with a way through them that calls nothing get a region of it.
//
// A function that seldom calls another still saves registers for that, and where the ways that have
// called join the others, all that is known is lost: that the registers saved are what they were,
// which case an operand belongs to. Of a call to libgcc's soft floating point a third goes into
// that: its calls count the zeros of subnormal numbers.
//
// Does: where a region without loops has a way from its start to a return without a call, on which
// several saved
//   registers are restored, and which others leave where seldom anyone goes (a field of many bits
//   that equals one number: an exponent), makes a region of the blocks on such ways, and leaves the
//   start to it. Where a way leaves the new region, it jumps to the other, which is entered there.
//   So the blocks on such ways are compiled twice.
// Keeps: everything observable, as any partition into regions does: each is entered by the uniform
// convention.
//
// Time: linear in the number of instructions.
#ifndef PRECAST_COMPILER_RISCV_FAST_PATHS_H_
#define PRECAST_COMPILER_RISCV_FAST_PATHS_H_

#include "compiler/riscv/control_flow.h"

namespace precast::riscv {

void SplitFastPaths(ControlFlow& flow, const Code& code);

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_FAST_PATHS_H_
