#include "tools/cli/suggest.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace precast::cli {
namespace {

TEST(EditDistanceTest, CountsChanges) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("run", "run"), 0);
  EXPECT_EQ(EditDistance("run", ""), 3);
  EXPECT_EQ(EditDistance("run", "urn"), 1);
  EXPECT_EQ(EditDistance("inspct", "inspect"), 1);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(ClosestTest, FindsWhatWasMeant) {
  const std::vector<std::string> names = {"compile", "run", "resume", "inspect", "disasm", "check"};
  EXPECT_EQ(Closest("complie", names), "compile");
  EXPECT_EQ(Closest("rnu", names), "run");
  EXPECT_EQ(Closest("dis", names), "disasm");
  EXPECT_EQ(Closest("inspekt", names), "inspect");
  EXPECT_EQ(Closest("frobnicate", names), std::nullopt);
  EXPECT_EQ(Closest("", names), std::nullopt);
}

}  // namespace
}  // namespace precast::cli
