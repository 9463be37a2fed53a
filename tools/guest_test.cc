// Runs every case of testdata/guests/manifest.txt in every way there is: interpreted; natively at
// every level; natively with a stop every 997 instructions, some of them through a snapshot into a
// fresh instance. Each must print what qemu-riscv32 printed, end as the manifest says, and all must
// end in the same state after the same number of instructions.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "runtime/instance.h"
#include "runtime/snapshot.h"
#include "tools/commands/compare.h"
#include "tools/commands/session.h"
#include "tools/testing/manifest.h"

#ifndef PRECAST_SLOW_GUESTS
#define PRECAST_SLOW_GUESTS 0
#endif

namespace precast {
namespace {

using ::precast::aotc::Session;
using ::precast::testing::GuestCase;
using runtime::Instance;
using runtime::RunResult;

constexpr char kGuests[] = "testdata/guests/";
constexpr char kPrebuilt[] = "testdata/prebuilt/";
constexpr uint64_t kSliceInstructions = 997;
// Runs longer than this are not cut into slices to their end (that would take minutes), or through
// snapshots (each writes all of memory).
constexpr uint64_t kMaxSlices = 20'000;
constexpr uint64_t kMaxSnapshots = 40;
// For guests that never end.
constexpr int64_t kLimit = 1'000'000;

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  CHECK(file.good()) << "cannot read " << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// What one run of a guest left behind.
struct Outcome {
  RunResult result;
  std::unique_ptr<Instance> instance;
  std::string output;
  std::string error_output;
};

// A file in memory, for a guest's standard streams.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("guest", MFD_CLOEXEC)) { CHECK_GE(fd_, 0); }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  int fd() const { return fd_; }
  std::string Contents() const {
    std::string contents(static_cast<size_t>(lseek(fd_, 0, SEEK_END)), 0);
    CHECK_EQ(pread(fd_, contents.data(), contents.size(), 0),
             static_cast<ssize_t>(contents.size()));
    return contents;
  }

 private:
  int fd_;
};

class GuestTest : public ::testing::TestWithParam<GuestCase> {
 protected:
  enum class Way { kWhole, kSlices, kSnapshots };

  static absl::StatusOr<Session> Open(const std::string& elf, bool interpret, int opt_level,
                                      bool fast_helpers) {
    aotc::SessionOptions options;
    options.interpret = interpret;
    options.opt_level = opt_level;
    options.fast_helpers = fast_helpers;
    options.threads = 1;
    return Session::Open(kPrebuilt + elf, options);
  }

  static Outcome Run(const Session& session, const GuestCase& guest, Way way) {
    const std::string scratch = absl::StrCat(::testing::TempDir(), "/", guest.name, "_scratch");
    std::filesystem::remove_all(scratch);
    std::filesystem::create_directories(scratch);
    // A copy: among a Bazel test's inputs files are symbolic links that lead out of the directory,
    // and those a guest may not follow.
    const std::string granted = absl::StrCat(::testing::TempDir(), "/", guest.name, "_granted");
    for (const std::string& grant : guest.grants) {
      if (grant == "@tmp") continue;
      std::filesystem::create_directories(granted + "/" + grant);
      for (const auto& entry : std::filesystem::directory_iterator(kGuests + grant)) {
        std::ofstream(granted + "/" + grant + "/" + entry.path().filename().string(),
                      std::ios::binary)
            << Contents(entry.path().string());
      }
    }
    MemoryFile output, error_output;
    const std::string input_path = guest.input.empty() ? "/dev/null" : kGuests + guest.input;
    const int input = open(input_path.c_str(), O_RDONLY | O_CLOEXEC);
    CHECK_GE(input, 0) << input_path;

    auto start = [&] {
      runtime::LinuxHostOptions host;
      host.arguments = {guest.elf};
      for (const std::string& argument : guest.arguments) {
        host.arguments.push_back(absl::StrReplaceAll(argument, {{"@tmp", "tmp"}}));
      }
      for (const std::string& grant : guest.grants) {
        if (grant == "@tmp") {
          host.directories.push_back({scratch, "tmp", false});
        } else {
          host.directories.push_back({granted + "/" + grant, grant, true});
        }
      }
      host.stdin_fd = input;
      host.stdout_fd = output.fd();
      host.stderr_fd = error_output.fd();
      absl::StatusOr<std::unique_ptr<Instance>> instance = session.Start(std::move(host));
      CHECK_OK(instance.status());
      return *std::move(instance);
    };

    Outcome outcome;
    outcome.instance = start();
    const bool endless = guest.expect == "limit";
    if (way == Way::kWhole) {
      outcome.result = outcome.instance->Run(endless ? kLimit : Instance::kUnlimited);
    } else {
      uint64_t slices = 0, snapshots = 0;
      do {
        const uint64_t before = outcome.instance->retired();
        int64_t slice = kSliceInstructions;
        if (endless) slice = std::min<int64_t>(slice, kLimit - static_cast<int64_t>(before));
        if (++slices > kMaxSlices) slice = Instance::kUnlimited;
        outcome.result = outcome.instance->Run(slice);
        if (outcome.result.reason != RunResult::Reason::kSuspended) break;
        EXPECT_EQ(outcome.instance->retired(), before + static_cast<uint64_t>(slice));
        if (way == Way::kSnapshots && ++snapshots <= kMaxSnapshots) {
          absl::StatusOr<std::string> snapshot = runtime::EncodeSnapshot(*outcome.instance);
          CHECK_OK(snapshot.status());
          outcome.instance.reset();
          outcome.instance = start();
          const auto* bytes = reinterpret_cast<const uint8_t*>(snapshot->data());
          CHECK_OK(runtime::RestoreSnapshot({bytes, snapshot->size()}, *outcome.instance));
        }
      } while (!endless || outcome.instance->retired() < uint64_t{kLimit});
    }
    close(input);
    outcome.output = output.Contents();
    outcome.error_output = error_output.Contents();
    return outcome;
  }

  // Whether it ended as the manifest says.
  static void CheckExpected(const GuestCase& guest, const Outcome& outcome) {
    std::string_view expect = guest.expect;
    const RunResult& result = outcome.result;
    if (absl::ConsumePrefix(&expect, "exit:")) {
      ASSERT_EQ(result.reason, RunResult::Reason::kExited) << aotc::Describe(result);
      EXPECT_EQ(absl::StrCat(result.exit_code & 0xff), expect);
    } else if (absl::ConsumePrefix(&expect, "trap:")) {
      ASSERT_EQ(result.reason, RunResult::Reason::kTrapped) << aotc::Describe(result);
      EXPECT_EQ(runtime::TrapName(result.trap), expect);
    } else {
      EXPECT_EQ(expect, "limit");
      EXPECT_EQ(result.reason, RunResult::Reason::kSuspended) << aotc::Describe(result);
    }
    EXPECT_EQ(outcome.output, Contents(absl::StrCat(kGuests, "expected/", guest.name, ".stdout")))
        << "stderr: " << outcome.error_output;
  }

  // Whether both ended in the same state.
  static void CheckSame(const GuestCase& guest, const Outcome& a, const Outcome& b) {
    // What the clock says decides how long a guest that reads it runs.
    if (guest.elf == "clock.elf") return;
    EXPECT_EQ(aotc::Difference("interpreted", *a.instance, a.result, "this", *b.instance, b.result)
                  .value_or(""),
              "");
    EXPECT_EQ(a.error_output, b.error_output);
    // Guests that ask for the state of files have times and numbers of these files in memory.
    if (guest.Has("host")) return;
    EXPECT_EQ(aotc::MemoryDifference("interpreted", *a.instance, "this", *b.instance).value_or(""),
              "");
  }

  static void RunInEveryWay(const GuestCase& guest, bool fast_helpers) {
    absl::StatusOr<Session> interpreted = Open(guest.elf, /*interpret=*/true, 1, fast_helpers);
    ASSERT_TRUE(interpreted.ok()) << interpreted.status();
    const Outcome oracle = Run(*interpreted, guest, Way::kWhole);
    CheckExpected(guest, oracle);

    for (int opt_level : {0, 1, 2}) {
      absl::StatusOr<Session> native =
          Open(guest.elf, /*interpret=*/false, opt_level, fast_helpers);
      ASSERT_TRUE(native.ok()) << native.status();
      struct Case {
        Way way;
        const char* name;
      };
      for (const Case& c : {Case{Way::kWhole, "in one piece"}, Case{Way::kSlices, "in slices"},
                            Case{Way::kSnapshots, "through snapshots"}}) {
        if (c.way != Way::kWhole && opt_level == 0) continue;
        SCOPED_TRACE(absl::StrFormat("-O%d, %s", opt_level, c.name));
        const Outcome outcome = Run(*native, guest, c.way);
        CheckExpected(guest, outcome);
        CheckSame(guest, oracle, outcome);
        EXPECT_NE(outcome.instance->statistics().native_entries, 0u);
      }
    }
  }
};

TEST_P(GuestTest, RunsTheSameInEveryWay) { RunInEveryWay(GetParam(), /*fast_helpers=*/false); }

// The same results; only the count of instructions is another one, but the same in every way.
TEST_P(GuestTest, RunsTheSameWithFastHelpers) {
  if (GetParam().Has("helpers")) RunInEveryWay(GetParam(), /*fast_helpers=*/true);
}
std::vector<GuestCase> Cases() {
  std::vector<GuestCase> cases;
  for (GuestCase& guest :
       ::precast::testing::ParseManifest(Contents(absl::StrCat(kGuests, "manifest.txt")))) {
    if (guest.Has("slow") == (PRECAST_SLOW_GUESTS != 0)) cases.push_back(std::move(guest));
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Manifest, GuestTest, ::testing::ValuesIn(Cases()),
                         [](const ::testing::TestParamInfo<GuestCase>& info) {
                           return info.param.name;
                         });

}  // namespace
}  // namespace precast
