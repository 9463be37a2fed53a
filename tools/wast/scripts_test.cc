// Our own scripts (testdata/wast) in every way a module can be run.
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <tuple>

#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tools/wast/engine.h"
#include "tools/wast/runner.h"
#include "tools/wast/text.h"

namespace precast::wast {
namespace {

enum class Way : uint8_t {
  kInterpreted,
  kO0,
  kO1,
  kO1Unmetered,
  kO1CanonicalNans,
  kO2,
  kO2Unmetered
};

EngineOptions OptionsOf(Way way) {
  EngineOptions options;
  options.check = true;
  options.interpret = way == Way::kInterpreted;
  options.opt_level = way == Way::kO0 ? 0 : way == Way::kO2 || way == Way::kO2Unmetered ? 2 : 1;
  options.metered = way != Way::kO1Unmetered && way != Way::kO2Unmetered;
  options.canonical_nans = way == Way::kO1CanonicalNans;
  return options;
}

class ScriptsTest : public ::testing::TestWithParam<std::tuple<std::string, Way>> {};

TEST_P(ScriptsTest, AllAssertionsHold) {
  const auto& [name, way] = GetParam();
  const std::string path = "testdata/wast/" + name + ".wast";
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const absl::StatusOr<Script> script = ParseScriptText(path, text);
  ASSERT_TRUE(script.ok()) << script.status();
  const Report report = RunScript(*script, Engine(OptionsOf(way)));
  EXPECT_EQ(report.error, "");
  EXPECT_GT(report.passed, 0);
  EXPECT_TRUE(report.failures.empty()) << absl::StrJoin(report.failures, "\n");
}

INSTANTIATE_TEST_SUITE_P(
    All, ScriptsTest,
    ::testing::Combine(::testing::Values("calls", "control", "memory", "numbers", "references",
                                         "simd"),
                       ::testing::Values(Way::kInterpreted, Way::kO0, Way::kO1, Way::kO1Unmetered,
                                         Way::kO1CanonicalNans, Way::kO2, Way::kO2Unmetered)));

// The runner must be able to fail.
TEST(RunnerTest, CountsWhatDoesNotHold) {
  const absl::StatusOr<Script> script = ParseScriptText("wrong.wast", R"(
    (module (func (export "one") (result i32) (i32.const 1))
            (func (export "trap") (unreachable)))
    (assert_return (invoke "one") (i32.const 2))
    (assert_return (invoke "none"))
    (assert_return (invoke "trap"))
    (assert_trap (invoke "one") "unreachable")
    (assert_trap (invoke "trap") "integer overflow")
    (assert_invalid (module (func)) "type mismatch")
    (assert_unlinkable (module (func)) "unknown import")
    (assert_malformed (module quote "(func") "unexpected end")
    (assert_return (invoke "one") (i32.const 1)))");
  ASSERT_TRUE(script.ok()) << script.status();
  EngineOptions options;
  options.interpret = true;
  const Report report = RunScript(*script, Engine(options));
  EXPECT_EQ(report.passed, 1);
  EXPECT_EQ(report.failed, 7);
  EXPECT_EQ(report.skipped, 1);
  EXPECT_EQ(report.failures.size(), 7u);
}

}  // namespace
}  // namespace precast::wast
