// How long does allocation take, and how good is it? Prints microseconds per instruction and the
// cost of the moves for a large synthetic function, with the share of each step.
//
//   bazel run --config=opt //compiler/regalloc:allocate_benchmark [instructions]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "compiler/regalloc/bundles.h"
#include "compiler/regalloc/guest_like_problem.h"
#include "compiler/regalloc/intervals.h"
#include "compiler/regalloc/linear_scan.h"
#include "compiler/regalloc/liveness.h"
#include "compiler/regalloc/random_problem.h"
#include "compiler/regalloc/regalloc.h"
#include "compiler/regalloc/resolve.h"

namespace precast::regalloc {
namespace {

// Processor time, so that a busy machine matters less.
class Timer {
 public:
  // Microseconds since the last call.
  double Lap() {
    const std::clock_t now = std::clock();
    const double us = static_cast<double>(now - last_) * 1e6 / CLOCKS_PER_SEC;
    last_ = now;
    return us;
  }

 private:
  std::clock_t last_ = std::clock();
};

void Measure(uint32_t insts, int guest_registers, double call_rate, double tracked_rate) {
  GuestLikeOptions options;
  options.insts = insts;
  options.guest_registers = guest_registers;
  options.call_rate = call_rate;
  options.tracked_rate = tracked_rate;
  const Problem problem = GuestLikeProblem(1, options);
  const double n = static_cast<double>(problem.insts.size());
  double best[5] = {1e12, 1e12, 1e12, 1e12, 1e12};
  Solution solution;
  for (int round = 0; round < 5; ++round) {
    Timer timer;
    const Liveness live = ComputeLiveness(problem);
    best[0] = std::min(best[0], timer.Lap());
    const Intervals intervals = BuildIntervals(problem, live);
    best[1] = std::min(best[1], timer.Lap());
    const Bundles bundles = BuildBundles(problem, intervals);
    best[2] = std::min(best[2], timer.Lap());
    const Assignment assignment = LinearScan(problem, live, intervals, bundles);
    best[3] = std::min(best[3], timer.Lap());
    if (assignment.conflict) {
      std::printf("conflict at %u\n", *assignment.conflict);
      return;
    }
    solution = Resolve(problem, live, intervals, bundles, assignment);
    best[4] = std::min(best[4], timer.Lap());
  }
  double sum = 0;
  for (double us : best) sum += us;
  double weight = 0;
  for (const Block& block : problem.blocks) weight += block.frequency * (block.end - block.begin);
  const MoveCosts costs = CountMoves(problem, solution);
  std::printf(
      "%6.0f insts %5zu blocks, %2d guest registers, calls %.2f, tracked %5zu: %.2f us/inst "
      "(liveness "
      "%.2f, intervals %.2f, bundles %.2f, scan %.2f, resolve %.2f); %u slots; per executed inst: "
      "loads %.3f, stores %.3f, memory operands %.3f, copies %.3f, on edges %.3f\n",
      n, problem.blocks.size(), guest_registers, call_rate, problem.tracked.size(), sum / n,
      best[0] / n, best[1] / n, best[2] / n, best[3] / n, best[4] / n, solution.num_int_slots,
      costs.loads / weight, costs.stores / weight, costs.memory_operands / weight,
      costs.copies / weight, costs.edge_copies / weight);
}

}  // namespace
}  // namespace precast::regalloc

int main(int argc, char** argv) {
  const uint32_t insts = argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : 100000;
  for (int guest_registers : {8, 12, 16, 24}) {
    precast::regalloc::Measure(insts, guest_registers, 0.0, 0.3);
    precast::regalloc::Measure(insts, guest_registers, 0.02, 0.3);
  }
  precast::regalloc::Measure(insts, 24, 0.08, 0.0);
  precast::regalloc::Measure(insts, 24, 0.08, 1.0);
  return 0;
}
