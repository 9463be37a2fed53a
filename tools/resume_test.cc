// Whoever resumes a suspended guest may have changed its registers. Native code that took one for a
// constant must notice when it is entered in the middle of a loop.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "runtime/abi/vm_context.h"
#include "runtime/instance.h"
#include "tools/commands/compare.h"
#include "tools/commands/session.h"

namespace precast {
namespace {

using ::precast::aotc::Session;
using runtime::Instance;
using runtime::RunResult;

constexpr char kGuest[] = "testdata/prebuilt/bench_small_sieve.elf";
// The sieve's loops keep 1 in t3 and what they go up to in t1.
constexpr int kT1 = 6, kT3 = 28;

absl::StatusOr<Session> Open(bool interpret) {
  aotc::SessionOptions options;
  options.interpret = interpret;
  options.opt_level = 2;
  options.threads = 1;
  return Session::Open(kGuest, options);
}

TEST(Resume, RegistersChangedInALoop) {
  const absl::StatusOr<Session> native = Open(false), interpreted = Open(true);
  ASSERT_TRUE(native.ok()) << native.status();
  ASSERT_TRUE(interpreted.ok()) << interpreted.status();
  absl::StatusOr<std::unique_ptr<Instance>> a = interpreted->Start({}), b = native->Start({});
  ASSERT_TRUE(a.ok()) << a.status();
  ASSERT_TRUE(b.ok()) << b.status();
  // Behind memset.
  (*a)->Run(3'000'000);
  (*b)->Run(3'000'000);
  for (uint32_t n = 0; n < 40; ++n) {
    for (Instance* instance : {a->get(), b->get()}) {
      uint32_t* x = instance->context().x;
      (n % 2 == 0 ? x[kT3] : x[kT1]) ^= n / 2;
    }
    const RunResult expected = (*a)->Run(1000 + n);
    const RunResult result = (*b)->Run(1000 + n);
    EXPECT_EQ(aotc::Difference("interpreted", **a, expected, "native", **b, result).value_or(""),
              "");
  }
  EXPECT_GT((*b)->statistics().native_exits[static_cast<size_t>(abi::ExitReason::kTrap)], 40);
}

}  // namespace
}  // namespace precast
