#include "runtime/host/linux/linux_host.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::runtime {
namespace {

constexpr uint32_t kData = 0x20000;      // two pages, readable and writable
constexpr uint32_t kReadOnly = 0x22000;  // one page
constexpr uint32_t kUnmapped = 0x30000;
constexpr int kFault = -EFAULT;

class LinuxHostTest : public testing::Test {
 protected:
  LinuxHostTest() : memory_(*GuestMemory::Create()) {
    dir_ = testing::TempDir() + "/linux_host_XXXXXX";
    EXPECT_NE(mkdtemp(dir_.data()), nullptr);
    EXPECT_EQ(pipe2(in_, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out_, O_CLOEXEC), 0);
    EXPECT_TRUE(memory_->Map(kData, 0x2000, kPageRead | kPageWrite).ok());
    EXPECT_TRUE(memory_->Map(kReadOnly, 0x1000, kPageRead).ok());
    memory_->SetHeap(0x40000, 0x40000);
    host_ = MakeHost();
  }
  ~LinuxHostTest() override {
    for (int fd : {in_[0], in_[1], out_[0], out_[1]}) close(fd);
  }

  std::unique_ptr<LinuxHost> MakeHost() {
    LinuxHostOptions options;
    options.arguments = {"prog", "one", ""};
    options.environment = {"A=b"};
    options.stdin_fd = in_[0];
    options.stdout_fd = out_[1];
    options.stderr_fd = out_[1];
    options.directories.push_back({.host = dir_, .guest = "/dir", .read_only = false});
    absl::StatusOr<std::unique_ptr<LinuxHost>> host = LinuxHost::Create(std::move(options));
    EXPECT_TRUE(host.ok()) << host.status();
    return *std::move(host);
  }

  int32_t Call(uint32_t number, std::initializer_list<uint32_t> arguments) {
    context_.x[17] = number;
    std::fill(&context_.x[10], &context_.x[17], 0);
    std::copy(arguments.begin(), arguments.end(), &context_.x[10]);
    EXPECT_FALSE(host_->HandleCall(context_, *memory_).exited);
    return static_cast<int32_t>(context_.x[10]);
  }
  uint32_t Put(const std::string& text, uint32_t address = kData) {
    std::memcpy(memory_->base() + address, text.c_str(), text.size() + 1);
    return address;
  }
  void PutWords(uint32_t address, std::initializer_list<uint32_t> words) {
    std::memcpy(memory_->base() + address, words.begin(), words.size() * 4);
  }
  uint32_t Word(uint32_t address) const {
    uint32_t word;
    std::memcpy(&word, memory_->base() + address, 4);
    return word;
  }
  std::string Text(uint32_t address, size_t size) const {
    return std::string(reinterpret_cast<const char*>(memory_->base() + address), size);
  }
  std::string Output() {
    char buffer[100000];
    ssize_t size = read(out_[0], buffer, sizeof(buffer));
    return std::string(buffer, static_cast<size_t>(size));
  }
  uint32_t Open(const std::string& path, uint32_t flags) {
    int32_t fd = Call(56, {static_cast<uint32_t>(-100), Put(path), flags, 0644});
    EXPECT_GE(fd, 0) << path;
    return static_cast<uint32_t>(fd);
  }

  std::string dir_;
  int in_[2], out_[2];
  std::unique_ptr<GuestMemory> memory_;
  std::unique_ptr<LinuxHost> host_;
  abi::VmContext context_ = {};
};

TEST_F(LinuxHostTest, InitialStack) {
  ProgramImage program;
  program.entry_pc = 0x10000;
  program.phdr_address = 0x10034;
  program.phdr_count = 3;
  ASSERT_TRUE(host_->SetUp(program, *memory_, context_).ok());
  uint32_t at = context_.x[2];
  EXPECT_EQ(at % 16, 0u);
  EXPECT_TRUE(memory_->Writable(at - (7 << 20), 7 << 20)) << "eight MiB";
  EXPECT_EQ(Word(at), 3u);
  EXPECT_EQ(*memory_->ReadString(Word(at + 4), 100), "prog");
  EXPECT_EQ(*memory_->ReadString(Word(at + 8), 100), "one");
  EXPECT_EQ(*memory_->ReadString(Word(at + 12), 100), "");
  EXPECT_EQ(Word(at + 16), 0u);
  EXPECT_EQ(*memory_->ReadString(Word(at + 20), 100), "A=b");
  EXPECT_EQ(Word(at + 24), 0u);
  std::map<uint32_t, uint32_t> auxiliary;
  for (at += 28; Word(at) != 0; at += 8) auxiliary[Word(at)] = Word(at + 4);
  EXPECT_EQ(auxiliary[3], 0x10034u);
  EXPECT_EQ(auxiliary[4], 32u);
  EXPECT_EQ(auxiliary[5], 3u);
  EXPECT_EQ(auxiliary[6], 4096u);
  EXPECT_EQ(auxiliary[9], 0x10000u);
  EXPECT_TRUE(memory_->Readable(auxiliary[25], 16));
}

TEST_F(LinuxHostTest, TooManyArguments) {
  LinuxHostOptions options;
  options.arguments.assign(100000, std::string(100, 'x'));
  auto host = *LinuxHost::Create(std::move(options));
  EXPECT_TRUE(absl::IsResourceExhausted(host->SetUp(ProgramImage(), *memory_, context_)));
}

TEST_F(LinuxHostTest, Exit) {
  for (uint32_t number : {93u, 94u}) {
    context_.x[17] = number;
    context_.x[10] = 0x12345642;
    HostCallResult result = host_->HandleCall(context_, *memory_);
    EXPECT_TRUE(result.exited);
    EXPECT_EQ(result.exit_code, 0x42u);
  }
}

TEST_F(LinuxHostTest, UnknownCalls) {
  for (uint32_t number : {0u, 1000u, 0xFFFFFFFFu, 221u}) EXPECT_EQ(Call(number, {}), -ENOSYS);
}

TEST_F(LinuxHostTest, WriteAndRead) {
  EXPECT_EQ(Call(64, {1, Put("hello"), 5}), 5);
  EXPECT_EQ(Output(), "hello");
  EXPECT_EQ(Call(64, {2, kReadOnly, 2}), 2);
  EXPECT_EQ(Output(), std::string(2, '\0'));
  EXPECT_EQ(Call(64, {1, kUnmapped, 0}), 0);
  EXPECT_EQ(Call(64, {1, kUnmapped, 1}), kFault);
  EXPECT_EQ(Call(64, {1, kReadOnly + 0xFFF, 2}), kFault);
  EXPECT_EQ(Call(64, {1, 0xFFFFFFF0, 0x20}), kFault);
  EXPECT_EQ(Call(64, {1, kData, 0xFFFFFFFF}), kFault);
  EXPECT_EQ(Call(64, {0, kData, 1}), -EBADF);
  EXPECT_EQ(Call(64, {3, kData, 1}), -EBADF);
  EXPECT_EQ(Call(64, {0xFFFFFFFF, kData, 1}), -EBADF);

  ASSERT_EQ(write(in_[1], "abcdef", 6), 6);
  EXPECT_EQ(Call(63, {0, kReadOnly, 1}), kFault);
  EXPECT_EQ(Call(63, {0, kUnmapped, 1}), kFault);
  EXPECT_EQ(Call(63, {0, kData + 0x1FFF, 2}), kFault) << "nothing is consumed";
  EXPECT_EQ(Call(63, {0, kData, 4}), 4);
  EXPECT_EQ(Text(kData, 4), "abcd");
  EXPECT_EQ(Call(63, {0, kData, 100}), 2);
  EXPECT_EQ(Call(63, {7, kData, 1}), -EBADF);
}

TEST_F(LinuxHostTest, LongWritesToASlowReader) {
  ASSERT_TRUE(memory_->Map(0x100000, 0x100000, kPageRead | kPageWrite).ok());
  ASSERT_EQ(fcntl(out_[1], F_SETFL, O_NONBLOCK), 0);
  size_t received = 0;
  std::thread reader([&] {
    while (received < 0x100000) received += Output().size();
  });
  EXPECT_EQ(Call(64, {1, 0x100000, 0x100000}), 0x100000);
  reader.join();
  EXPECT_EQ(received, 0x100000u);
}

TEST_F(LinuxHostTest, Vectors) {
  Put("hello", kData + 0x100);
  PutWords(kData, {kData + 0x100, 2, kUnmapped, 0, kData + 0x102, 3});
  EXPECT_EQ(Call(66, {1, kData, 3}), 5);
  EXPECT_EQ(Output(), "hello");
  ASSERT_EQ(write(in_[1], "abcdef", 6), 6);
  PutWords(kData, {kData + 0x200, 4, kData + 0x300, 100});
  EXPECT_EQ(Call(65, {0, kData, 2}), 6);
  EXPECT_EQ(Text(kData + 0x200, 4), "abcd");
  EXPECT_EQ(Text(kData + 0x300, 2), "ef");
  PutWords(kData, {kData + 0x200, 4, kUnmapped, 1});
  EXPECT_EQ(Call(66, {1, kData, 2}), kFault);
  EXPECT_EQ(Call(66, {1, kUnmapped, 2}), kFault);
  EXPECT_EQ(Call(66, {1, kData, 0xFFFFFFFF}), -EINVAL);
  EXPECT_EQ(Call(66, {9, kData, 1}), -EBADF);
  PutWords(kData, {kData, 0x80000000});
  EXPECT_EQ(Call(66, {1, kData, 1}), -EINVAL);
  EXPECT_EQ(Call(66, {1, kData, 0}), 0);
}

TEST_F(LinuxHostTest, ClosingStandardDescriptors) {
  EXPECT_EQ(Call(57, {1}), 0);
  EXPECT_EQ(Call(57, {1}), -EBADF);
  EXPECT_EQ(Call(64, {1, kData, 1}), -EBADF);
  EXPECT_NE(fcntl(out_[1], F_GETFD), -1) << "the host's stays open";
  EXPECT_EQ(Open("/dir/new", O_RDWR | O_CREAT), 1u) << "the lowest free number";
}

TEST_F(LinuxHostTest, Files) {
  uint32_t fd = Open("/dir/file", O_RDWR | O_CREAT | O_EXCL);
  EXPECT_EQ(fd, 3u);
  EXPECT_EQ(Call(64, {fd, Put("0123456789"), 10}), 10);
  // llseek(fd, high, low, result, whence)
  EXPECT_EQ(Call(62, {fd, 0xFFFFFFFF, 0xFFFFFFFE, kData + 8, SEEK_CUR}), 0);
  EXPECT_EQ(Word(kData + 8), 8u);
  EXPECT_EQ(Word(kData + 12), 0u);
  EXPECT_EQ(Call(63, {fd, kData, 10}), 2);
  EXPECT_EQ(Text(kData, 2), "89");
  EXPECT_EQ(Call(62, {fd, 1, 2, kData + 8, SEEK_SET}), 0);
  EXPECT_EQ(Word(kData + 8), 2u);
  EXPECT_EQ(Word(kData + 12), 1u);
  EXPECT_EQ(Call(62, {fd, 0xFFFFFFFF, 0xFFFFFFFF, kData, SEEK_SET}), -EINVAL);
  EXPECT_EQ(Call(62, {fd, 0, 0, kData, 5}), -EINVAL);
  EXPECT_EQ(Call(62, {fd, 0, 0, kReadOnly, SEEK_SET}), kFault);
  EXPECT_EQ(Call(62, {1, 0, 0, kData, SEEK_SET}), -ESPIPE);
  EXPECT_EQ(Call(62, {77, 0, 0, kData, SEEK_SET}), -EBADF);
  EXPECT_EQ(Call(57, {fd}), 0);
  EXPECT_EQ(Call(63, {fd, kData, 1}), -EBADF);

  auto open_at = [&](uint32_t directory, uint32_t path, uint32_t flags) {
    return Call(56, {directory, path, flags, 0644});
  };
  constexpr auto kHere = static_cast<uint32_t>(-100);
  EXPECT_EQ(open_at(kHere, kUnmapped, 0), kFault);
  EXPECT_EQ(open_at(kHere, Put(""), 0), -ENOENT);
  EXPECT_EQ(open_at(kHere, Put(std::string(5000, 'a')), 0), -ENAMETOOLONG);
  EXPECT_EQ(open_at(kHere, Put("/etc/passwd"), 0), -EACCES);
  EXPECT_EQ(open_at(kHere, Put("/dir/../../etc/passwd"), 0), -EXDEV);
  EXPECT_EQ(open_at(kHere, Put("/dir/none"), 0), -ENOENT);
  EXPECT_EQ(open_at(kHere, Put("/dir/file"), O_WRONLY | O_CREAT | O_EXCL), -EEXIST);
  EXPECT_EQ(open_at(kHere, Put("/dir/file"), 3), -EINVAL);
  EXPECT_EQ(open_at(kHere, Put("/dir/file"), 0x80000000), -EINVAL);
  EXPECT_EQ(open_at(1, Put("file"), 0), -ENOTDIR);
  EXPECT_EQ(open_at(50, Put("file"), 0), -EBADF);
  uint32_t directory = Open("dir", O_DIRECTORY);
  EXPECT_EQ(open_at(directory, Put("file"), 0100000), 4)
      << "relative to it; O_LARGEFILE is nothing";
  EXPECT_EQ(open_at(directory, Put("../x"), 0), -EXDEV);
  EXPECT_EQ(Call(63, {directory, kData, 1}), -EISDIR);
}

TEST_F(LinuxHostTest, DescriptorsRunOut) {
  Open("/dir/file", O_RDWR | O_CREAT);
  int32_t last = 3;
  for (int i = 0; i < 2000 && last >= 0; ++i)
    last = Call(56, {static_cast<uint32_t>(-100), Put("/dir/file"), 0, 0});
  EXPECT_EQ(last, -EMFILE);
}

TEST_F(LinuxHostTest, Stat) {
  uint32_t fd = Open("/dir/file", O_RDWR | O_CREAT);
  ASSERT_EQ(Call(64, {fd, Put("0123456789"), 10}), 10);
  struct stat expected;
  ASSERT_EQ(stat((dir_ + "/file").c_str(), &expected), 0);
  auto check64 = [&] {
    EXPECT_EQ(Word(kData + 16), expected.st_mode);
    EXPECT_EQ(Word(kData + 20), 1u);
    EXPECT_EQ(Word(kData + 48), 10u);
    EXPECT_EQ(Word(kData + 56), static_cast<uint32_t>(expected.st_blksize));
    EXPECT_EQ(Word(kData + 80), static_cast<uint32_t>(expected.st_mtim.tv_sec));
    std::memset(memory_->base() + kData, 0, 256);
  };
  EXPECT_EQ(Call(80, {fd, kData}), 0);
  check64();
  Put("/dir/file", kData + 0x1000);
  EXPECT_EQ(Call(79, {static_cast<uint32_t>(-100), kData + 0x1000, kData, 0}), 0);
  check64();
  // statx by path, and by descriptor with an empty path (AT_EMPTY_PATH).
  for (bool by_descriptor : {false, true}) {
    if (by_descriptor) Put("", kData + 0x1000);
    EXPECT_EQ(Call(291, {by_descriptor ? fd : static_cast<uint32_t>(-100), kData + 0x1000,
                         by_descriptor ? 0x1000u : 0u, 0x7FF, kData}),
              0);
    EXPECT_EQ(Word(kData + 40), 10u) << "stx_size";
  }
  EXPECT_EQ(Call(80, {fd, kReadOnly}), kFault);
  EXPECT_EQ(Call(80, {fd, kReadOnly - 50}), kFault);
  EXPECT_EQ(Call(80, {44, kData}), -EBADF);
  EXPECT_EQ(Call(291, {fd, kData + 0x1000, 0, 0, kData}), -ENOENT)
      << "an empty path without the flag";
  EXPECT_EQ(Call(291, {fd, kUnmapped, 0x1000, 0, kData}), kFault);
  EXPECT_EQ(Call(79, {static_cast<uint32_t>(-100), Put("/etc/passwd", kData + 0x1000), kData, 0}),
            -EACCES);
}

TEST_F(LinuxHostTest, Clocks) {
  memory_->base()[kData + 4] = 0xFF;
  EXPECT_EQ(Call(403, {0, kData}), 0);
  EXPECT_GT(Word(kData), 1500000000u);
  EXPECT_EQ(Word(kData + 4), 0u);
  EXPECT_LT(Word(kData + 8), 1000000000u);
  EXPECT_EQ(Call(113, {1, kData}), 0);
  EXPECT_LT(Word(kData + 4), 1000000000u);
  EXPECT_EQ(Call(403, {1, kReadOnly}), kFault);
  EXPECT_EQ(Call(403, {1, kData + 0x1FF8}), kFault);
  EXPECT_EQ(Call(403, {12345, kData}), -EINVAL);
}

TEST_F(LinuxHostTest, Memory) {
  EXPECT_EQ(Call(214, {0}), 0x40000);
  EXPECT_EQ(Call(214, {0x41234}), 0x41234);
  EXPECT_TRUE(memory_->Writable(0x40000, 0x2000));
  EXPECT_EQ(Call(214, {0xFFFFF001}), 0x41234);
  // mmap2(0, size, READ|WRITE, PRIVATE|ANONYMOUS, -1, 0)
  auto map = [&](uint32_t address, uint32_t size, uint32_t flags, uint32_t fd = 0xFFFFFFFF) {
    return static_cast<uint32_t>(Call(222, {address, size, 3, flags, fd, 0}));
  };
  uint32_t first = map(0, 0x1801, 0x22), second = map(0, 1, 0x22);
  EXPECT_TRUE(memory_->Writable(first, 0x2000));
  EXPECT_EQ(second, first - 0x1000);
  EXPECT_EQ(Call(226, {first, 0x1000, 1}), 0);
  EXPECT_FALSE(memory_->Writable(first, 1));
  EXPECT_EQ(Call(226, {first + 1, 0x1000, 1}), -EINVAL);
  EXPECT_EQ(Call(226, {kUnmapped, 0x1000, 1}), -ENOMEM);
  EXPECT_EQ(Call(226, {0xFFFFF000, 0xFFFFFFFF, 1}), -ENOMEM);
  EXPECT_EQ(Call(215, {first, 0x2000}), 0);
  EXPECT_FALSE(memory_->Readable(first, 1));
  EXPECT_EQ(Call(215, {first + 1, 1}), -EINVAL);
  EXPECT_EQ(Call(215, {first, 0}), -EINVAL);
  EXPECT_EQ(Call(215, {0xFFFFF000, 0xFFFFFFFF}), -EINVAL);
  EXPECT_EQ(map(0x50000, 0x1000, 0x32), 0x50000u) << "MAP_FIXED";
  EXPECT_EQ(map(0, 0x1000, 0x32), static_cast<uint32_t>(-ENOMEM));
  EXPECT_EQ(map(0xFFFFF000, 0x1000, 0x32), static_cast<uint32_t>(-ENOMEM));
  EXPECT_EQ(map(0x50001, 0x1000, 0x32), static_cast<uint32_t>(-EINVAL));
  EXPECT_EQ(map(0, 0, 0x22), static_cast<uint32_t>(-EINVAL));
  EXPECT_EQ(map(0, 0xFFFFFFFF, 0x22), static_cast<uint32_t>(-ENOMEM));
  EXPECT_EQ(map(0, 0x1000, 0x02, 1), static_cast<uint32_t>(-ENODEV)) << "files";
  EXPECT_EQ(map(0, 0x1000, 0x02, 55), static_cast<uint32_t>(-EBADF));
}

TEST_F(LinuxHostTest, SmallThings) {
  EXPECT_EQ(Call(29, {1, 0x5413, kData}), -ENOTTY);
  EXPECT_EQ(Call(29, {9, 0x5413, kData}), -EBADF);
  EXPECT_EQ(Call(172, {}), 1);
  EXPECT_EQ(Call(178, {}), 1);
  EXPECT_EQ(Call(96, {kUnmapped}), 1);
  EXPECT_EQ(Call(174, {}), 1000);
}

TEST_F(LinuxHostTest, SavesOpenFiles) {
  uint32_t fd = Open("/dir/file", O_RDWR | O_CREAT | O_TRUNC);
  ASSERT_EQ(Call(64, {fd, Put("0123456789"), 10}), 10);
  ASSERT_EQ(Call(62, {fd, 0, 4, kData, SEEK_SET}), 0);
  ASSERT_EQ(Call(57, {0}), 0);
  absl::StatusOr<std::string> state = host_->SaveState();
  ASSERT_TRUE(state.ok()) << state.status();
  auto restore = [&](const std::string& bytes) {
    host_ = MakeHost();
    return host_->RestoreState(
        absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
  };
  absl::Status status = restore(*state);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Call(63, {fd, kData, 100}), 6);
  EXPECT_EQ(Text(kData, 6), "456789");
  EXPECT_EQ(Call(63, {0, kData, 1}), -EBADF);
  EXPECT_EQ(Call(64, {1, Put("x"), 1}), 1);
  // Bytes from anywhere.
  for (size_t size = 0; size < state->size(); ++size)
    EXPECT_FALSE(restore(state->substr(0, size)).ok()) << size;
  EXPECT_FALSE(restore(*state + "x").ok());
  for (size_t i = 0; i < state->size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = *state;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      restore(damaged).IgnoreError();
    }
  }
  // A path out of the granted directory; a file that is gone.
  std::string evil = *state;
  evil.replace(evil.find("/dir/file"), 9, "/dir/../x");
  EXPECT_FALSE(restore(evil).ok());
  ASSERT_EQ(unlink((dir_ + "/file").c_str()), 0);
  EXPECT_TRUE(absl::IsNotFound(restore(*state)));
}

}  // namespace
}  // namespace precast::runtime
