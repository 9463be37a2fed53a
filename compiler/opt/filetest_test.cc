// Compares what passes make of the functions in testdata/*.ir with what the files say.
//   bazel run //compiler/opt:filetest_test -- --update
// rewrites the files.
#include "compiler/opt/filetest.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace precast::opt {
namespace {

bool update = false;

constexpr const char* kFiles[] = {
    "branch_selects.ir",
    "byte_swaps.ir",
    "carry_branches.ir",
    "dce.ir",
    "fold_addresses.ir",
    "gvn.ir",
    "if_conversion.ir",
    "inline.ir",
    "join_bytes.ir",
    "join_params.ir",
    "join_stores.ir",
    "late_state.ir",
    "likely_charges.ir",
    "mark_pages.ir",
    "meter.ir",
    "move_invariants.ir",
    "page_rounds.ir",
    "place_rows.ir",
    "preheaders.ir",
    "profile.ir",
    "reassociate.ir",
    "repeat_rounds.ir",
    "restored_registers.ir",
    "resume_entries.ir",
    "resume_guards.ir",
    "short_branches.ir",
    "simplify.ir",
    "sink_meters.ir",
    "slp_vectorize.ir",
    "state_stores.ir",
    "straighten.ir",
    "thread_switches.ir",
    "unroll_loops.ir",
    "wide_arithmetic.ir",
    "wide_branches.ir",
    "wide_compare.ir",
};

// Relative to the runfiles, which are the working directory, and to the source tree.
std::string PathOf(const std::string& file) { return absl::StrCat("compiler/opt/testdata/", file); }

class FileTest : public testing::TestWithParam<const char*> {};

TEST_P(FileTest, Passes) {
  const std::string path = PathOf(GetParam());
  std::ifstream in(path);
  ASSERT_TRUE(in) << path;
  std::stringstream text;
  text << in.rdbuf();
  const absl::StatusOr<std::string> now = RunFileTest(text.str());
  ASSERT_TRUE(now.ok()) << now.status();
  if (!update) {
    EXPECT_EQ(*now, text.str()) << "run with --update to rewrite " << path;
    return;
  }
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  ASSERT_NE(workspace, nullptr) << "--update needs `bazel run`";
  std::ofstream(absl::StrCat(workspace, "/", path)) << *now;
}

INSTANTIATE_TEST_SUITE_P(All, FileTest, testing::ValuesIn(kFiles));

TEST(FileTestFormat, RejectsFaultyFiles) {
  EXPECT_FALSE(RunFileTest("").ok());
  EXPECT_FALSE(RunFileTest("//! pass: dce\nfunction").ok());
  EXPECT_FALSE(RunFileTest("//! pass: frob\nfunction \"f\"() -> () guest entries block0 {\n"
                           "block0:\n  ret\n}\n//! expect\n")
                   .ok());
}

}  // namespace
}  // namespace precast::opt

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--update") == 0) precast::opt::update = true;
  }
  return RUN_ALL_TESTS();
}
