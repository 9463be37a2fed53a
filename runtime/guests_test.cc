// Interprets every quick case of testdata/guests/manifest.txt, whole and suspended now and then,
// and holds output and end to what an independent machine (qemu-riscv32) recorded.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "runtime/host/linux/linux_host.h"
#include "runtime/instance.h"
#include "runtime/snapshot.h"
#include "runtime/testing/elf_program.h"

namespace precast::runtime {
namespace {

constexpr char kTestdata[] = "testdata/";
constexpr int64_t kLimit = 200'000'000;  // instructions; a quick case that needs more hangs

struct Case {
  std::string name, elf, args, input, grant, expect, tags;
};

// How gtest names and prints a case.
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> ReadManifest() {
  std::vector<Case> cases;
  std::ifstream file(absl::StrCat(kTestdata, "guests/manifest.txt"));
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::vector<std::string> fields = absl::StrSplit(line, '|');
    if (fields.size() < 7) continue;
    for (std::string& field : fields) {
      field = absl::StripAsciiWhitespace(field);
      if (field == "-") field.clear();
    }
    Case c{.name = fields[0],
           .elf = fields[1],
           .args = fields[2],
           .input = fields[3],
           .grant = fields[4],
           .expect = fields[5],
           .tags = fields[6]};
    if (c.tags.find("slow") == std::string::npos) cases.push_back(std::move(c));
  }
  return cases;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

class GuestTest : public testing::TestWithParam<Case> {
 protected:
  struct End {
    std::string how;  // as the manifest says it
    std::string output;
    uint64_t retired;
    uint32_t pc;
    friend bool operator==(const End&, const End&) = default;
  };

  // With `step`, suspended each time it has retired so many instructions and continued by a new
  // instance.
  static End RunCase(int64_t step) {
    const Case& c = GetParam();
    std::string tmp = testing::TempDir() + "/guest_XXXXXX";
    EXPECT_NE(mkdtemp(tmp.data()), nullptr);
    EXPECT_EQ(mkdir((tmp + "/work").c_str(), 0755), 0);
    std::string output_path = tmp + "/stdout";
    LinuxHostOptions options;
    std::string input = c.input.empty() ? "/dev/null" : absl::StrCat(kTestdata, "guests/", c.input);
    options.stdin_fd = open(input.c_str(), O_RDONLY | O_CLOEXEC);
    options.stdout_fd = open(output_path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    EXPECT_GE(options.stdin_fd, 0) << input;
    EXPECT_GE(options.stdout_fd, 0);
    options.arguments = {"../prebuilt/" + c.elf};
    for (std::string_view argument : absl::StrSplit(c.args, ' ', absl::SkipEmpty())) {
      options.arguments.push_back(absl::StrReplaceAll(argument, {{"@tmp", "/tmp"}}));
    }
    for (std::string_view grant : absl::StrSplit(c.grant, ' ', absl::SkipEmpty())) {
      if (grant == "@tmp") {
        options.directories.push_back({.host = tmp + "/work", .guest = "/tmp", .read_only = false});
      } else {
        // A copy: in a sandbox the files of testdata may be links to elsewhere, which a guest may
        // not follow.
        std::string copy = absl::StrCat(tmp, "/", grant);
        std::error_code error;
        std::filesystem::copy(absl::StrCat(kTestdata, "guests/", grant), copy,
                              std::filesystem::copy_options::recursive, error);
        EXPECT_FALSE(error) << error.message();
        options.directories.push_back(
            {.host = copy, .guest = std::string(grant), .read_only = true});
      }
    }
    ProgramImage program = ReadElfForTest(absl::StrCat(kTestdata, "prebuilt/", c.elf));
    auto make = [&] {
      auto host = LinuxHost::Create(options);
      EXPECT_TRUE(host.ok()) << host.status();
      auto instance = Instance::Create(program, nullptr, *std::move(host), {});
      EXPECT_TRUE(instance.ok()) << instance.status();
      return *std::move(instance);
    };
    std::unique_ptr<Instance> instance = make();
    RunResult result;
    for (;;) {
      result = instance->Run(step != 0 ? step : c.expect == "limit" ? 1'000'000 : kLimit);
      if (result.reason != RunResult::Reason::kSuspended || step == 0 ||
          instance->retired() > 20 * uint64_t(step))
        break;
      absl::StatusOr<std::string> snapshot = EncodeSnapshot(*instance);
      EXPECT_TRUE(snapshot.ok()) << snapshot.status();
      instance = make();
      absl::Status status = RestoreSnapshot(
          absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(snapshot->data()), snapshot->size()),
          *instance);
      EXPECT_TRUE(status.ok()) << status;
    }
    if (result.reason == RunResult::Reason::kSuspended && step != 0 && c.expect != "limit")
      result = instance->Run(kLimit);
    End end;
    switch (result.reason) {
      case RunResult::Reason::kExited:
        end.how = absl::StrCat("exit:", result.exit_code);
        break;
      case RunResult::Reason::kTrapped:
        end.how = absl::StrCat("trap:", TrapName(result.trap));
        break;
      case RunResult::Reason::kSuspended:
        end.how = "limit";
        break;
      case RunResult::Reason::kFailed:
        end.how = std::string(result.failure.message());
        break;
    }
    end.output = ReadFile(output_path);
    end.retired = instance->retired();
    end.pc = instance->pc();
    close(options.stdin_fd);
    close(options.stdout_fd);
    return end;
  }
};

TEST_P(GuestTest, EndsAsRecorded) {
  End end = RunCase(0);
  EXPECT_EQ(end.how, GetParam().expect) << "pc 0x" << std::hex << end.pc;
  EXPECT_EQ(end.output,
            ReadFile(absl::StrCat(kTestdata, "guests/expected/", GetParam().name, ".stdout")));
  if (GetParam().expect == "limit" || GetParam().tags.find("host") != std::string::npos) return;
  if (GetParam().name == "clock") return;  // its path depends on the time
  if (end.retired > 10'000'000) return;    // for the time it takes
  EXPECT_EQ(RunCase(997), end);
}

INSTANTIATE_TEST_SUITE_P(Manifest, GuestTest, testing::ValuesIn(ReadManifest()),
                         [](const testing::TestParamInfo<Case>& info) { return info.param.name; });

}  // namespace
}  // namespace precast::runtime
