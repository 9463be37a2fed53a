// Plans the SSA form of one region: where each guest register's value comes from in every block.
//
// The graph analysed has, besides the region's basic blocks, *boundary nodes*: one per entry, and
// one after each call. At a boundary the passed guest registers (runtime/abi: kPassed) are in
// machine registers and all others are up to date in VmContext. All sets of guest registers are
// 32-bit masks.
#ifndef PRECAST_COMPILER_RISCV_REGION_ANALYSIS_H_
#define PRECAST_COMPILER_RISCV_REGION_ANALYSIS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "compiler/riscv/control_flow.h"

namespace precast::riscv {

using RegisterSet = uint32_t;  // bit r = guest register x[r]

struct Node {
  enum class Kind : uint8_t { kBlock, kEntry, kAfterCall } kind;
  uint32_t block;  // kBlock: its index; kEntry: index of the block entered; kAfterCall: the calling
                   // block
  absl::InlinedVector<uint32_t, 2> successors = {}, predecessors = {};  // nodes, inside the region
  RegisterSet reads = 0;  // read before written, by the block's instructions or its end
  RegisterSet writes = 0;
  RegisterSet live = 0;    // read later, before the next boundary
  RegisterSet needed = 0;  // value needed on entry: read later, or deferred
  RegisterSet dirty = 0;   // may differ from VmContext on entry
  // kBlock: registers that are in VmContext on entry and that the block loads itself where it needs
  // them. Predecessors store them if they are dirty.
  RegisterSet in_context = 0;
  // Node whose value each register has on entry (valid for registers in `needed`). The node itself:
  // a block parameter, or for a boundary (or a register `in_context`) the value in VmContext.
  std::array<uint32_t, 32> source = {};
  bool in_loop = false;  // may be executed again before the next boundary
  bool IsBoundary() const { return kind != Kind::kBlock; }
};

struct RegionPlan {
  std::vector<Node> nodes;      // blocks first, in the region's order
  std::vector<uint32_t> order;  // nodes reachable from boundaries, so that sources come before uses
  std::vector<uint32_t> after_call;  // by block: its kAfterCall node, or 0xffffffff
};

// `local`: every block stands alone: its registers come from VmContext and go back there (for -O0).
RegionPlan PlanRegion(const Region& region, const Code& code, RegisterSet passed, bool local);

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_REGION_ANALYSIS_H_
