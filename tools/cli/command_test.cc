#include "tools/cli/command.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Values {
  bool quiet = false;
  std::string output;
  std::vector<std::string> directories;
  uint64_t count = 7;
};

class CommandTest : public testing::Test {
 protected:
  std::optional<int> ParseWords(std::vector<std::string> words) {
    command_ = {.name = "do",
                .usage = "FILE [flags]",
                .summary = "Do it",
                .description = "Does it.",
                .examples = "  tool do x\n",
                .flags = {Switch("quiet", 'q', "say nothing", &values_.quiet),
                          Text("output", 'o', "FILE", "where to", &values_.output),
                          Texts("dir", 0, "DIR", "a directory", &values_.directories),
                          Number("count", 'n', "N", "how many", &values_.count)},
                .positional = {}};
    words.insert(words.begin(), "do");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    return Parse("tool", command_, static_cast<int>(words.size()), argv.data());
  }

  Values values_;
  Command command_;
};

TEST_F(CommandTest, MixesFlagsAndPositionals) {
  ASSERT_EQ(ParseWords({"a", "-q", "--output=x", "b", "--dir", "1", "--dir=2", "-n10k"}),
            std::nullopt);
  EXPECT_TRUE(values_.quiet);
  EXPECT_EQ(values_.output, "x");
  EXPECT_THAT(values_.directories, ElementsAre("1", "2"));
  EXPECT_EQ(values_.count, 10'000u);
  EXPECT_THAT(command_.positional, ElementsAre("a", "b"));
}

TEST_F(CommandTest, TakesEverythingAfterTwoDashesAsItIs) {
  ASSERT_EQ(ParseWords({"a", "--", "-q", "--output"}), std::nullopt);
  EXPECT_FALSE(values_.quiet);
  EXPECT_THAT(command_.positional, ElementsAre("a", "-q", "--output"));
}

TEST_F(CommandTest, ReadsNumbers) {
  const std::pair<const char*, uint64_t> kCases[] = {{"0", 0},
                                                     {"1_000", 1000},
                                                     {"3M", 3'000'000},
                                                     {"2G", 2'000'000'000},
                                                     {"0x40", 64},
                                                     {"0xFFFFFFFFFFFFFFFF", UINT64_MAX},
                                                     {"18446744073709551615", UINT64_MAX}};
  for (const auto& [text, value] : kCases) {
    ASSERT_EQ(ParseWords({"-n", text}), std::nullopt) << text;
    EXPECT_EQ(values_.count, value) << text;
  }
}

TEST_F(CommandTest, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "x", "-1", "1.5", "0x", "k", "1kk", "18446744073709551616",
                           "18446744073709551615k", " 1"}) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(ParseWords({"--count", text}), kExitUsage) << text;
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                HasSubstr("tool do: --count: expected a number"));
  }
}

TEST_F(CommandTest, SaysWhatIsWrong) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(ParseWords({"--nonsense"}), kExitUsage);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("tool do: unknown flag --nonsense\nTry \"tool do --help\"."));
  testing::internal::CaptureStderr();
  EXPECT_EQ(ParseWords({"a", "--output"}), kExitUsage);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("--output needs a value"));
  testing::internal::CaptureStderr();
  EXPECT_EQ(ParseWords({"--quiet=yes"}), kExitUsage);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("--quiet"));
  testing::internal::CaptureStderr();
  EXPECT_EQ(ParseWords({"-qz"}), kExitUsage);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("unknown flag -z"));
}

TEST_F(CommandTest, PrintsHelp) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(ParseWords({"--help"}), kExitOk);
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "Do it\n"
            "\n"
            "Usage: tool do FILE [flags]\n"
            "\n"
            "Does it.\n"
            "\n"
            "Flags:\n"
            "  -q, --quiet                say nothing\n"
            "  -o, --output=FILE          where to\n"
            "      --dir=DIR              a directory\n"
            "  -n, --count=N              how many\n"
            "  -h, --help                 print this\n"
            "\n"
            "Examples:\n"
            "  tool do x\n");
}

}  // namespace
}  // namespace precast::cli
