// What a profile of earlier runs changes in a function.
//
// Requires: a function as the front end made it.
// Does: marks blocks as cold that the profile says are executed never, or seldom against the
// function's hottest
//   block. Later decisions follow from that: cold blocks are laid out behind all others and call
//   nothing in line (which leaves the budget of inlining to the calls that matter), registers are
//   not kept for them, and meters and pairs are placed as if they were not there. All blocks that
//   the profile knows get weights. Of two successors, the one with twice the weight of the other
//   falls through (x64/control_flow); where a call is hot, larger functions are put in, and where
//   it is not, in loops either, only those that take no more room (inline.h).
// Keeps: everything observable; a wrong profile costs time only.
// Breaks: nothing.
#ifndef PRECAST_COMPILER_OPT_PROFILE_H_
#define PRECAST_COMPILER_OPT_PROFILE_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// How often instructions have been executed, by place: RISC-V the pc, WebAssembly the offset in the
// module. A block is known by the place of its first instruction; of blocks whose place is not
// listed, nothing is known.
struct Profile {
  absl::flat_hash_map<uint32_t, uint64_t> counts;
  uint64_t hottest = 0;  // the largest of them
};

// BlockData::weight of the program's hottest block, and of one that counts as hot.
inline constexpr uint32_t kFullWeight = 1 << 20;
inline constexpr uint32_t kHotWeight = kFullWeight / 256;

// A block is cold if it is executed less than once in so many executions of the function's hottest
// block.
inline constexpr uint64_t kColdRatio = 1000;

void ApplyProfile(ir::Function& function, const Profile& profile);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_PROFILE_H_
