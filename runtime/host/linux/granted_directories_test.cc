#include "runtime/host/linux/granted_directories.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "gtest/gtest.h"
#include "runtime/host/beneath.h"

namespace precast::runtime {
namespace {

// outside.txt, and beside it the granted directory with file.txt, sub/deep.txt and links of every
// kind.
class GrantedDirectoriesTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "/granted_XXXXXX";
    ASSERT_NE(mkdtemp(root_.data()), nullptr);
    dir_ = root_ + "/dir";
    ASSERT_EQ(mkdir(dir_.c_str(), 0755), 0);
    ASSERT_EQ(mkdir((dir_ + "/sub").c_str(), 0755), 0);
    for (const char* name : {"/outside.txt", "/dir/file.txt", "/dir/sub/deep.txt"}) {
      int fd = open((root_ + name).c_str(), O_WRONLY | O_CREAT, 0644);
      ASSERT_GE(fd, 0);
      close(fd);
    }
    ASSERT_EQ(symlink("../outside.txt", (dir_ + "/up").c_str()), 0);
    ASSERT_EQ(symlink("/etc/passwd", (dir_ + "/absolute").c_str()), 0);
    ASSERT_EQ(symlink("..", (dir_ + "/parent").c_str()), 0);
    ASSERT_EQ(symlink("sub/deep.txt", (dir_ + "/inner").c_str()), 0);
  }

  // What opening gives: 0 or a negative errno.
  static int Try(int fd) {
    if (fd < 0) return fd;
    close(fd);
    return 0;
  }

  std::string root_, dir_;
};

TEST_F(GrantedDirectoriesTest, NothingWithoutAGrant) {
  GrantedDirectories granted;
  EXPECT_EQ(granted.Open("/etc/passwd", O_RDONLY, 0), -EACCES);
  EXPECT_EQ(granted.Open("", O_RDONLY, 0), -ENOENT);
  EXPECT_TRUE(absl::IsNotFound(granted.Grant(root_ + "/no", "/x")));
  EXPECT_FALSE(granted.Grant(root_ + "/outside.txt", "/x").ok());
  EXPECT_FALSE(granted.Grant(dir_, "/a/../b").ok());
}

TEST_F(GrantedDirectoriesTest, OpensBeneathAndNowhereElse) {
  GrantedDirectories granted;
  ASSERT_TRUE(granted.Grant(dir_, "data").ok());
  for (const char* path : {"/data/file.txt", "data/file.txt", "./data//./file.txt",
                           "/data/sub/deep.txt", "/data", "/data/", "/data/sub/."}) {
    EXPECT_EQ(Try(granted.Open(path, O_RDONLY, 0)), 0) << path;
  }
  EXPECT_EQ(granted.Open("/data/none", O_RDONLY, 0), -ENOENT);
  EXPECT_EQ(granted.Open("/database", O_RDONLY, 0), -EACCES);
  EXPECT_EQ(granted.Open("/etc/passwd", O_RDONLY, 0), -EACCES);
  EXPECT_EQ(granted.Open("/data/file.txt/", O_RDONLY, 0), -ENOTDIR);
  for (const char* path : {"/data/../outside.txt", "/data/up", "/data/absolute",
                           "/data/parent/outside.txt", "/data/sub/../../outside.txt", "/data/.."}) {
    EXPECT_LT(granted.Open(path, O_RDONLY, 0), 0) << path;
    EXPECT_LT(granted.Open(path, O_RDWR | O_CREAT, 0644), 0) << path;
  }
  EXPECT_EQ(Try(granted.Open("/data/new", O_RDWR | O_CREAT | O_EXCL, 0600)), 0);
  struct stat info;
  EXPECT_EQ(stat((dir_ + "/new").c_str(), &info), 0);
}

TEST_F(GrantedDirectoriesTest, BothWaysKeepInside) {
  int root = open(dir_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  ASSERT_GE(root, 0);
  for (auto* open_beneath : {&OpenBeneathByKernel, &OpenBeneathByWalking}) {
    int probe = open_beneath(root, "file.txt", O_RDONLY, 0);
    if (probe == -ENOSYS || probe == -EPERM) continue;  // a kernel before 5.6
    EXPECT_EQ(Try(probe), 0);
    EXPECT_EQ(Try(open_beneath(root, "sub/deep.txt", O_RDONLY, 0)), 0);
    EXPECT_EQ(Try(open_beneath(root, ".", O_RDONLY, 0)), 0);
    EXPECT_EQ(open_beneath(root, "../outside.txt", O_RDONLY, 0), -EXDEV);
    EXPECT_EQ(open_beneath(root, "none/file", O_RDONLY, 0), -ENOENT);
    for (const char* path :
         {"up", "absolute", "parent", "parent/outside.txt", "parent/dir/file.txt"}) {
      EXPECT_LT(open_beneath(root, path, O_RDONLY, 0), 0) << path;
    }
    EXPECT_EQ(Try(open_beneath(root, "made", O_WRONLY | O_CREAT, 0644)), 0);
  }
  EXPECT_EQ(OpenBeneathByWalking(root, "inner", O_RDONLY, 0), -ELOOP);
  close(root);
}

TEST_F(GrantedDirectoriesTest, ReadOnlyGrants) {
  GrantedDirectories granted;
  ASSERT_TRUE(granted.Grant(dir_, "/", /*read_only=*/true).ok());
  EXPECT_EQ(Try(granted.Open("/file.txt", O_RDONLY, 0)), 0);
  EXPECT_EQ(Try(granted.Open("/inner", O_RDONLY, 0)), -0);
  for (int flags : {O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_RDONLY | O_CREAT}) {
    EXPECT_EQ(granted.Open("/file.txt", flags, 0644), -EROFS);
  }
}

TEST_F(GrantedDirectoriesTest, TheLongestGrantDecides) {
  GrantedDirectories granted;
  ASSERT_TRUE(granted.Grant(dir_ + "/sub", "/a/b").ok());
  ASSERT_TRUE(granted.Grant(dir_, "/a").ok());
  EXPECT_EQ(Try(granted.Open("/a/b/deep.txt", O_RDONLY, 0)), 0);
  EXPECT_EQ(granted.Open("/a/b/file.txt", O_RDONLY, 0), -ENOENT);
  EXPECT_EQ(Try(granted.Open("/a/file.txt", O_RDONLY, 0)), 0);
}

}  // namespace
}  // namespace precast::runtime
