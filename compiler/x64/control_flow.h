// What the back end wants to know of a function's control flow: an order in which definitions come
// before uses, loops, the layout of the code and how often blocks run.
#ifndef PRECAST_COMPILER_X64_CONTROL_FLOW_H_
#define PRECAST_COMPILER_X64_CONTROL_FLOW_H_

#include <cstdint>
#include <vector>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::x64 {

struct ControlFlow {
  static constexpr uint32_t kUnreachable = 0xffffffffu;

  struct BlockInfo {
    uint32_t rpo = kUnreachable;  // position in `rpo`
    uint32_t num_preds =
        0;  // edges from reachable blocks (a block with two edges here counts twice)
    uint32_t loop_depth = 0;
    bool is_entry = false;
    bool cold = false;
    bool align = false;  // the hot head of an innermost loop without calls
    float frequency = 1.0f;
  };

  std::vector<BlockInfo> info;  // by block index
  std::vector<ir::Block> rpo;   // reachable blocks, reverse postorder over all entries
  // The same blocks as laid out: entry 0 first, loops contiguous, cold last.
  std::vector<ir::Block> layout;

  bool reachable(ir::Block b) const { return info[b.index].rpo != kUnreachable; }
};

// Loops are the natural loops as seen from entry 0: the other entries are rare ways in (resumption
// after an indirect jump), and must not make a loop they lead into irreducible.
ControlFlow AnalyzeControlFlow(const ir::Function& function,
                               const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_CONTROL_FLOW_H_
