// Large problems that look like compiled guest functions. Only for tests and benchmarks.
#ifndef PRECAST_COMPILER_REGALLOC_GUEST_LIKE_PROBLEM_H_
#define PRECAST_COMPILER_REGALLOC_GUEST_LIKE_PROBLEM_H_

#include <cstdint>

#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

struct GuestLikeOptions {
  uint32_t insts = 100000;    // about
  double call_rate = 0.02;    // calls in hot code per instruction
  double tracked_rate = 0.2;  // instructions at which written guest registers are tracked
  int guest_registers = 24;   // live all the time
};

// 32 guest registers in SSA form through nested loops and conditions; each loop header checks a
// counter and has a cold call; faulting instructions track the registers written since the block's
// beginning.
Problem GuestLikeProblem(uint64_t seed, const GuestLikeOptions& options);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_GUEST_LIKE_PROBLEM_H_
