// The order of the optimization passes at each level.
#ifndef PRECAST_COMPILER_OPT_PIPELINE_H_
#define PRECAST_COMPILER_OPT_PIPELINE_H_

#include <functional>
#include <string_view>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

struct PipelineOptions {
  int level = 1;  // 0: nothing is run; 1: what cleans up after the front ends; 2: everything
  // If not, meters that the function has (they say what the guest's state is where a block begins)
  // are removed at level 2 when they have served that purpose; below, there must be none.
  bool metered = true;
  // Mark the pages that are touched, at every level.
  bool mark_pages = false;
  // Verify the function before the first and after every pass: a violation is our own bug, fatal.
  bool verify = false;
  // Level 2: gives functions to be put in where they are called, as MakeInlinable leaves them, or
  // null. They must stay valid while Optimize runs.
  std::function<const ir::Function*(ir::FuncRef)> body = {};
  // Level 2: a fault may be reported at an earlier place, from which the runtime comes to it by
  // interpretation (late_state.h).
  bool delay_state = false;
  // WebAssembly, level 2: addresses that have been accessed are below kMaxMemory
  // (fold_addresses.h).
  bool fold_addresses = false;
  // WebAssembly, level 2: loops may get vector operations (slp_vectorize.h).
  bool vectorize = true;
  // If set, called with the function after every pass.
  std::function<void(std::string_view pass, const ir::Function& function)> dump = {};
};

void Optimize(ir::Function& function, const PipelineOptions& options,
              const ir::Graphs& graphs = ir::Graphs());

// Brings a function as the front end made it into the form in which it can be put in where it is
// called. False if it cannot be.
bool MakeInlinable(ir::Function& function);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_PIPELINE_H_
