// Branches that no processor can predict become arithmetic.
#ifndef PRECAST_COMPILER_OPT_IF_CONVERSION_H_
#define PRECAST_COMPILER_OPT_IF_CONVERSION_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// Most branches of a guest are predicted, and what they skip is not executed: those stay. But some
// are as good as random by what they ask:
//   - one bit of a number (is the product of two mantissas normalized? is the checksum's lowest bit
//     set?);
//   - whether an estimated digit of a quotient is too large. RV32 code divides 64 bits by 32 in
//     digits of 16 (Knuth 4.3.1, algorithm D; `udiv_qrnnd_c` in GCC's longlong.h): a digit is
//     estimated by the divisor's upper half, multiplied with its lower half, and corrected up to
//     twice if that is more than what is left. (It seldom is where the divisor is a word that has
//     been normalized: most are small.)
//
// Requires: a RISC-V function in which meters have been placed (meter.h).
// Does: where such a branch begins ways that meet again soon, and only compute and charge, computes
// all of
//   them and selects; what the ways charge differs by path, and is computed as well (charge_value).
//   A digit's corrections are counted in 64 bits. Divisors of which some bit is certain to be set
//   are marked as not 0.
// Keeps: everything observable, also what is charged.
// Breaks: blocks become unreachable, and are removed. Leaves dead code.
//
// Time: linear: the ways that are followed are bounded.
void ConvertBranches(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_IF_CONVERSION_H_
