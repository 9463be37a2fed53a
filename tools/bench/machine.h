// The machine and its state, which belong to every number.
#ifndef PRECAST_TOOLS_BENCH_MACHINE_H_
#define PRECAST_TOOLS_BENCH_MACHINE_H_

#include <string>
#include <vector>

namespace precast::bench {

// One line each: processors, kernel, system, load.
std::vector<std::string> MachineConditions();

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_MACHINE_H_
