// Recovered control flow as text, for tests and debugging.
#ifndef PRECAST_COMPILER_RISCV_CONTROL_FLOW_TEXT_H_
#define PRECAST_COMPILER_RISCV_CONTROL_FLOW_TEXT_H_

#include <string>

#include "compiler/riscv/control_flow.h"

namespace precast::riscv {

// One line per region, then one per block, addresses in hexadecimal:
//
//   main: entries 10000 10010
//     10000..10008 branch 10020
//     10008..10010 call 10040
//     10010..10018 switch 10020 10028
//
// A block's line is its half-open range, how it ends, and its targets; going on after the block is
// not shown.
std::string ToString(const ControlFlow& flow);

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_CONTROL_FLOW_TEXT_H_
