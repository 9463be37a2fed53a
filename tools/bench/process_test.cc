#include "tools/bench/process.h"

#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace precast::bench {
namespace {

ProcessResult RunIt(const Argv& argv, const ProcessOptions& options = {}) {
  const absl::StatusOr<ProcessResult> result = RunProcess(argv, options);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : ProcessResult{};
}

TEST(Process, OutputErrorAndExitCode) {
  const ProcessResult r = RunIt({"sh", "-c", "echo out; echo err >&2; cat; exit 3"});
  EXPECT_EQ(r.out, "out\n");
  EXPECT_EQ(r.err, "err\n");
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_FALSE(r.ok());
  EXPECT_GT(r.wall, 0);
  EXPECT_GT(r.peak_bytes, 0u);
}

TEST(Process, ASignalIsAnExitCode) {
  EXPECT_EQ(RunIt({"sh", "-c", "kill -11 $$"}).exit_code, 128 + 11);
}

TEST(Process, ProcessorTimeIsThatOfTheChild) {
  const ProcessResult sleeping = RunIt({"sleep", "0.2"});
  EXPECT_GE(sleeping.wall, 0.2);
  EXPECT_LT(sleeping.user + sleeping.system, 0.15);
}

TEST(Process, ATimeLimitKillsWithAllChildren) {
  ProcessOptions options;
  options.timeout = 0.3;
  const ProcessResult r = RunIt({"sh", "-c", "sleep 100 & sleep 100"}, options);
  EXPECT_TRUE(r.timed_out);
  EXPECT_FALSE(r.ok());
  EXPECT_LT(r.wall, 60);
}

TEST(Process, LongOutputIsCut) {
  ProcessOptions options;
  options.max_output = 10;
  EXPECT_EQ(RunIt({"sh", "-c", "echo 0123456789abcdef"}, options).out, "0123456789");
}

TEST(Process, Directory) {
  ProcessOptions options;
  options.directory = "/";
  EXPECT_EQ(RunIt({"sh", "-c", "pwd"}, options).out, "/\n");
  options.directory = "/no/such/directory";
  EXPECT_FALSE(RunProcess({"true"}, options).ok());
}

TEST(Process, WhatDoesNotExistIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(RunProcess({"no-such-program-here"}).status()));
  EXPECT_FALSE(IsInstalled("no-such-program-here"));
  EXPECT_FALSE(IsInstalled(""));
  EXPECT_TRUE(IsInstalled("sh"));
  EXPECT_TRUE(IsInstalled("/bin/sh"));
}

TEST(Process, TextOfACommandCanBeTyped) {
  EXPECT_EQ(CommandText({"a", "-b=1", "c d", "it's", ""}), "a -b=1 'c d' 'it'\\''s' ''");
}

TEST(Process, AfterAnInterruptionNothingRuns) {
  CatchInterruptions();
  // The child signals us; we kill it.
  const absl::StatusOr<ProcessResult> killed =
      RunProcess({"sh", "-c", "kill -INT $PPID; sleep 100"});
  EXPECT_TRUE(absl::IsCancelled(killed.status())) << killed.status();
  EXPECT_EQ(Interruption(), 2);
  EXPECT_TRUE(absl::IsCancelled(RunProcess({"true"}).status()));
}

}  // namespace
}  // namespace precast::bench
