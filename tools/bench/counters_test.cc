#include "tools/bench/counters.h"

#include <optional>

#include "gtest/gtest.h"

namespace precast::bench {
namespace {

TEST(Counters, Perf) {
  EXPECT_EQ(CountInPerfOutput("hello\n123456,,instructions:u,480000,100.00,,\n"), 123456u);
  EXPECT_EQ(CountInPerfOutput("<not supported>,,instructions:u,0,100.00,,\n"), std::nullopt);
  EXPECT_EQ(CountInPerfOutput(""), std::nullopt);
}

TEST(Counters, Callgrind) {
  EXPECT_EQ(CountInCallgrindOutput("==7== Events    : Ir\n==7== Collected : 2332799\n==7==\n"),
            2332799u);
  EXPECT_EQ(CountInCallgrindOutput("==7== Collected : \n"), std::nullopt);
  EXPECT_EQ(CountInCallgrindOutput("Bad option\n"), std::nullopt);
}

}  // namespace
}  // namespace precast::bench
