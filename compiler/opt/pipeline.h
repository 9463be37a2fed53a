// The order of the optimization passes at each level.
#ifndef PRECAST_COMPILER_OPT_PIPELINE_H_
#define PRECAST_COMPILER_OPT_PIPELINE_H_

#include <functional>
#include <string_view>

#include "compiler/ir/ir.h"

namespace precast::opt {

struct PipelineOptions {
  int level = 1;  // 0: nothing is run; 1: what cleans up after the front ends; 2: everything
  // Verify the function before the first and after every pass: a violation is our own bug, fatal.
  bool verify = false;
  // If set, called with the function after every pass.
  std::function<void(std::string_view pass, const ir::Function& function)> dump = {};
};

void Optimize(ir::Function& function, const PipelineOptions& options);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_PIPELINE_H_
