// What a profile of earlier runs changes in a function.
//
// Requires: a function as the front end made it.
// Does: marks blocks as cold that the profile says are executed never, or seldom against the function's hottest
//   block. All later decisions follow from that: cold blocks are laid out behind all others and call nothing in line
//   (which leaves the budget of inlining to the calls that matter), registers are not kept for them, and meters
//   and pairs are placed as if they were not there.
// Keeps: everything observable; a wrong profile costs time only.
// Breaks: nothing.
#ifndef PRECAST_COMPILER_OPT_PROFILE_H_
#define PRECAST_COMPILER_OPT_PROFILE_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// How often instructions have been executed, by place: RISC-V the pc, WebAssembly the offset in the module. A block is
// known by the place of its first instruction; of blocks whose place is not listed, nothing is known.
struct Profile {
  absl::flat_hash_map<uint32_t, uint64_t> counts;
};

// A block is cold if it is executed less than once in so many executions of the function's hottest block.
inline constexpr uint64_t kColdRatio = 1000;

void ApplyProfile(ir::Function& function, const Profile& profile);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_PROFILE_H_
