#include "tools/commands/io.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::aotc {
namespace {

using testing::HasSubstr;

class IoTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/io_test_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  std::string Path(std::string_view name) const { return directory_ + "/" + std::string(name); }
  std::string Contents(std::string_view name) const {
    absl::StatusOr<std::vector<uint8_t>> bytes = ReadFile(Path(name));
    return bytes.ok() ? std::string(bytes->begin(), bytes->end()) : bytes.status().ToString();
  }
  int NumFiles() const {
    int n = 0;
    DIR* directory = opendir(directory_.c_str());
    while (readdir(directory) != nullptr) ++n;
    closedir(directory);
    return n - 2;
  }

  std::string directory_;
};

TEST_F(IoTest, WritesAndReads) {
  ASSERT_TRUE(WriteFile(Path("a"), std::string(200'000, 'x')).ok());
  EXPECT_EQ(Contents("a"), std::string(200'000, 'x'));
  ASSERT_TRUE(WriteFile(Path("a"), "").ok());
  EXPECT_EQ(Contents("a"), "");
  EXPECT_EQ(NumFiles(), 1);
}

TEST_F(IoTest, KeepsPermissionsOfAReplacedFileAndHonoursUmask) {
  umask(027);
  ASSERT_TRUE(WriteFile(Path("a"), "1").ok());
  struct stat info;
  ASSERT_EQ(stat(Path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  ASSERT_EQ(chmod(Path("a").c_str(), 0755), 0);
  ASSERT_TRUE(WriteFile(Path("a"), "2").ok());
  ASSERT_EQ(stat(Path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0755u);
}

TEST_F(IoTest, WritesInPieces) {
  ASSERT_TRUE(WriteFile(Path("a"), "old").ok());
  {
    OutputFile file(Path("a"));
    ASSERT_TRUE(file.Open(6).ok());
    ASSERT_TRUE(file.WriteAt(3, std::vector<uint8_t>{'d', 'e', 'f'}).ok());
    ASSERT_TRUE(file.WriteAt(0, std::vector<uint8_t>{'x', 'b', 'c'}).ok());
    ASSERT_TRUE(file.WriteAt(0, std::vector<uint8_t>{'a'}).ok());
    EXPECT_EQ(Contents("a"), "old");
    ASSERT_TRUE(file.Commit().ok());
  }
  EXPECT_EQ(Contents("a"), "abcdef");
  {
    OutputFile file(Path("a"));
    ASSERT_TRUE(file.Open(1).ok());
    ASSERT_TRUE(file.WriteAt(0, std::vector<uint8_t>{'y'}).ok());
    EXPECT_EQ(NumFiles(), 2);
  }
  EXPECT_EQ(Contents("a"), "abcdef");
  EXPECT_EQ(NumFiles(), 1);
  OutputFile device("/dev/null");
  ASSERT_TRUE(device.Open(2).ok());
  ASSERT_TRUE(device.WriteAt(1, std::vector<uint8_t>{'y'}).ok());
  EXPECT_TRUE(device.Commit().ok());
  EXPECT_THAT(OutputFile(directory_).Open(1).message(), HasSubstr("is a directory"));
}

TEST_F(IoTest, SaysWhatIsWrong) {
  EXPECT_THAT(ReadFile(Path("none")).status().message(), HasSubstr("cannot open " + Path("none")));
  EXPECT_THAT(ReadFile(directory_).status().message(), HasSubstr("is a directory"));
  EXPECT_THAT(WriteFile(directory_, "x").message(), HasSubstr("is a directory"));
  EXPECT_THAT(WriteFile(Path("no/such"), "x").message(), HasSubstr("cannot create"));
  EXPECT_EQ(NumFiles(), 0);
}

TEST_F(IoTest, WritesToADeviceItself) {
  EXPECT_TRUE(WriteFile("/dev/null", "x").ok());
  struct stat info;
  ASSERT_EQ(stat("/dev/null", &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
}

// A process that is interrupted while it writes leaves the old file and no other.
TEST_F(IoTest, InterruptedWriteLeavesNothing) {
  ASSERT_TRUE(WriteFile(Path("a"), "old").ok());
  for (int attempt = 0; attempt < 20; ++attempt) {
    const pid_t child = fork();
    if (child == 0) {
      const std::string much(1 << 20, 'n');
      for (;;) (void)WriteFile(Path("a"), much);
    }
    usleep(static_cast<useconds_t>(2000 + 777 * attempt));
    kill(child, SIGTERM);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
    EXPECT_EQ(NumFiles(), 1) << "attempt " << attempt;
    const size_t size = Contents("a").size();
    EXPECT_TRUE(size == 3 || size == 1 << 20) << size;
  }
}

TEST(GroupedTest, Groups) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(12345678), "12,345,678");
}

}  // namespace
}  // namespace precast::aotc
