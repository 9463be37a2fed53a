// Random valid problems, and execution of an allocated problem with concrete values. Only for
// tests.
#ifndef PRECAST_COMPILER_REGALLOC_RANDOM_PROBLEM_H_
#define PRECAST_COMPILER_REGALLOC_RANDOM_PROBLEM_H_

#include <cstdint>

#include "absl/status/status.h"
#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

struct RandomOptions {
  uint32_t blocks = 8;             // before critical edges are split
  uint32_t insts_per_block = 6;    // on average
  uint32_t int_registers = 14;     // at least 3
  uint32_t vector_registers = 15;  // at least 2
  double call_rate = 0.08;         // share of instructions that clobber everything
  double entry_rate = 0.08;        // share of blocks that are further entries
  double tracked_rate = 0.3;       // tracked ranges per instruction
  double wide_rate = 1;            // share of int values that need all 64 bits
  // Reducible graphs in a sensible layout, as compilers make them; or else anything, shuffled.
  bool structured = false;
};

// The options, too, depend on the seed.
RandomOptions RandomOptionsFor(uint64_t seed);

Problem RandomProblem(uint64_t seed, const RandomOptions& options);

// Runs the problem twice in step, with virtual registers and as allocated, from every entry and
// along random paths. A definition's value is a hash of what the instruction reads; clobbered
// registers get garbage. Internal error if the two differ in anything that is read or tracked.
absl::Status Simulate(const Problem& problem, const Solution& solution, uint64_t seed,
                      int max_steps);

// What an allocator wants to be small, weighted by block frequency.
struct MoveCosts {
  double loads = 0;
  double stores = 0;
  double memory_operands = 0;
  double copies = 0;       // between registers, inside blocks
  double edge_copies = 0;  // between registers, on edges
};
MoveCosts CountMoves(const Problem& problem, const Solution& solution);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_RANDOM_PROBLEM_H_
