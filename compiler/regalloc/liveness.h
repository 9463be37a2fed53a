// Which virtual registers are live on entry to each block, where each is defined, and what each
// block reads first.
#ifndef PRECAST_COMPILER_REGALLOC_LIVENESS_H_
#define PRECAST_COMPILER_REGALLOC_LIVENESS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

inline constexpr uint32_t kNoBlock = ~uint32_t{0};

inline constexpr InstIndex kNoInst = ~InstIndex{0};

// That a block reads a vreg which another block defines.
struct UpwardUse {
  VReg vreg;
  InstIndex inst;  // the first that reads it; kNoInst: only edges or tracked ranges do
};

struct Liveness {
  std::vector<BlockIndex> inst_block;  // block of each instruction
  std::vector<BlockIndex> def_block;   // block that defines each vreg; kNoBlock if none does
  // At most one for each block and vreg, by block.
  std::vector<UpwardUse> upward_uses;
  std::vector<uint32_t> upward_begin;  // one more than there are blocks
  // Live-in sets without block parameters, in compressed form: the total size is what the program
  // needs and never blocks × vregs.
  std::vector<uint32_t> live_in_begin;  // one more than there are blocks
  std::vector<VReg> live_in_vregs;      // ascending within a block

  absl::Span<const UpwardUse> UpwardUses(BlockIndex b) const {
    return absl::MakeConstSpan(upward_uses)
        .subspan(upward_begin[b], upward_begin[b + 1] - upward_begin[b]);
  }
  absl::Span<const VReg> LiveIn(BlockIndex b) const {
    return absl::MakeConstSpan(live_in_vregs)
        .subspan(live_in_begin[b], live_in_begin[b + 1] - live_in_begin[b]);
  }
};

// A tracked range counts as a use at its end. Time is linear in the size of the result.
Liveness ComputeLiveness(const Problem& problem);

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_LIVENESS_H_
