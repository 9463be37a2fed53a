#include "compiler/parallel.h"

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace precast {
namespace {

void ExpectEachOnce(size_t count, int threads) {
  std::vector<int> calls(count);
  ParallelFor(count, threads, [&](size_t i) { ++calls[i]; });
  EXPECT_EQ(calls, std::vector<int>(count, 1)) << count << " " << threads;
}

TEST(ParallelFor, CallsForEachOnce) {
  for (int threads : {0, 1, 2, 7}) {
    for (size_t count : {0, 1, 2, 1000}) ExpectEachOnce(count, threads);
  }
}

TEST(Workers, AreUsedAgain) {
  const Workers workers;
  for (int round = 0; round < 2000; ++round) ExpectEachOnce(round % 10, 1 + round % 4);
}

TEST(Workers, AtWorkAreNotAskedAgain) {
  const Workers workers;
  std::atomic<int> calls = 0;
  ParallelFor(5, 3, [&](size_t) { ParallelFor(7, 3, [&](size_t) { ++calls; }); });
  EXPECT_EQ(calls, 35);
}

TEST(Workers, BelongToAThread) {
  const Workers outer;
  {
    const Workers inner;
    ExpectEachOnce(100, 3);
    std::thread([] { ExpectEachOnce(100, 3); }).join();
  }
  ExpectEachOnce(100, 3);
}

TEST(Pool, GivesWhatWasReturned) {
  Pool<int> pool;
  const auto make = [] { return std::make_unique<int>(5); };
  std::unique_ptr<int> first = pool.Take(make), second = pool.Take(make);
  EXPECT_EQ(*first + *second, 10);
  *first = 6;
  pool.Return(std::move(first));
  EXPECT_EQ(*pool.Take(make), 6);
}

}  // namespace
}  // namespace precast
