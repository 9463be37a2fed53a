// Random problems through allocator, checker and simulator.
#include <cstdint>
#include <cstdlib>

#include "compiler/regalloc/checker.h"
#include "compiler/regalloc/problem_text.h"
#include "compiler/regalloc/random_problem.h"
#include "compiler/regalloc/regalloc.h"
#include "compiler/regalloc/validate.h"
#include "gtest/gtest.h"

namespace precast::regalloc {
namespace {

void TryOne(uint64_t seed) {
  const Problem problem = RandomProblem(seed, RandomOptionsFor(seed));
  const absl::Status valid = ValidateProblem(problem);
  ASSERT_TRUE(valid.ok()) << "seed " << seed << ": " << valid << "\n" << ToString(problem);
  const Solution solution = Allocate(problem);
  const absl::Status checked = Check(problem, solution);
  ASSERT_TRUE(checked.ok()) << "seed " << seed << ": " << checked << "\n"
                            << ToString(problem, &solution);
  const absl::Status same = Simulate(problem, solution, seed, 200);
  ASSERT_TRUE(same.ok()) << "seed " << seed << ": " << same << "\n" << ToString(problem, &solution);
}

TEST(RandomAllocationTest, ChecksAndRuns) {
  // To look at one case: --test_env=REGALLOC_TEST_SEED=n.
  if (const char* seed = std::getenv("REGALLOC_TEST_SEED")) {
    TryOne(std::strtoull(seed, nullptr, 10));
    return;
  }
  for (uint64_t seed = 0; seed < 4000 && !HasFatalFailure(); ++seed) TryOne(seed);
}

}  // namespace
}  // namespace precast::regalloc
