#include "runtime/snapshot.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "loader/format/sha256.h"
#include "runtime/host/linux/linux_host.h"
#include "runtime/testing/rv32.h"

namespace precast::runtime {
namespace {

using namespace rv32;  // NOLINT: instructions are words of a language here
using Reason = RunResult::Reason;

constexpr size_t kDigestAt = 24, kBodyAt = 56;

absl::Span<const uint8_t> BytesOf(const std::string& text) {
  return absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

// Adds to a0 and stores it to the stack, the heap and the first page 1000 times; then exits with a0
// / 16.
ProgramImage Program() {
  ProgramImage program = ProgramOfWords(0x10000, {
                                                     addi(a7, zero, 214),  // brk(0x30000)
                                                     lui(a0, 0x30),
                                                     ecall,
                                                     addi(a0, zero, 0),
                                                     lui(t0, 0x2F),
                                                     addi(a1, zero, 1000),
                                                     addi(a0, a0, 3),  // 1:
                                                     sw(a0, -64, sp),
                                                     sw(a0, 8, t0),
                                                     sw(a0, 4, zero),
                                                     lw(a0, -64, sp),
                                                     addi(a1, a1, -1),
                                                     bne(a1, zero, -24),  // 1b
                                                     IType(4, a0, 5, a0, 0x13),
                                                     addi(a7, zero, 93),
                                                     ecall,
                                                 });
  ProgramSegment low;
  low.address = 0;
  low.size = 0x1000;
  low.readable = low.writable = true;
  program.segments.push_back(low);
  program.guid[3] = 7;
  return program;
}

std::unique_ptr<Instance> MakeInstance(const ProgramImage& program) {
  LinuxHostOptions options;
  options.stack_size = 0x10000;
  auto host = LinuxHost::Create(std::move(options));
  EXPECT_TRUE(host.ok()) << host.status();
  auto instance = Instance::Create(program, nullptr, *std::move(host), {});
  EXPECT_TRUE(instance.ok()) << instance.status();
  return *std::move(instance);
}

std::string MakeSnapshot() {
  auto instance = MakeInstance(Program());
  EXPECT_EQ(instance->Run(1234).reason, Reason::kSuspended);
  absl::StatusOr<std::string> snapshot = EncodeSnapshot(*instance);
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  return *std::move(snapshot);
}

// As somebody would who wants to get past the digest.
std::string WithDigest(std::string snapshot) {
  format::Sha256Digest digest = format::Sha256::Hash(BytesOf(snapshot).subspan(kBodyAt));
  std::memcpy(snapshot.data() + kDigestAt, digest.data(), digest.size());
  return snapshot;
}

TEST(SnapshotTest, ContinuesElsewhere) {
  auto whole = MakeInstance(Program());
  RunResult expected = whole->Run();
  ASSERT_EQ(expected.reason, Reason::kExited);
  ASSERT_EQ(expected.exit_code, 3000u / 16);

  // Suspended every 997 instructions, each part in a fresh instance.
  auto instance = MakeInstance(Program());
  RunResult result;
  int parts = 0;
  for (;; ++parts) {
    result = instance->Run(997);
    if (result.reason != Reason::kSuspended) break;
    absl::StatusOr<std::string> snapshot = EncodeSnapshot(*instance);
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    instance = MakeInstance(Program());
    absl::Status status = RestoreSnapshot(BytesOf(*snapshot), *instance);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(*EncodeSnapshot(*instance), *snapshot) << "nothing is lost";
  }
  EXPECT_GT(parts, 5);
  EXPECT_EQ(result.reason, Reason::kExited);
  EXPECT_EQ(result.exit_code, expected.exit_code);
  EXPECT_EQ(instance->retired(), whole->retired());
  EXPECT_EQ(std::vector<uint32_t>(instance->registers(), instance->registers() + 32),
            std::vector<uint32_t>(whole->registers(), whole->registers() + 32));
  EXPECT_TRUE(absl::IsFailedPrecondition(EncodeSnapshot(*instance).status())) << "it has ended";
}

TEST(SnapshotTest, IsDeterministic) { EXPECT_EQ(MakeSnapshot(), MakeSnapshot()); }

TEST(SnapshotTest, Files) {
  std::string path = testing::TempDir() + "/state";
  auto instance = MakeInstance(Program());
  instance->Run(50);
  ASSERT_TRUE(SaveSnapshot(*instance, path).ok());
  instance->Run(50);
  ASSERT_TRUE(SaveSnapshot(*instance, path).ok()) << "over an older one";
  auto other = MakeInstance(Program());
  absl::Status status = LoadSnapshot(path, *other);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(other->retired(), 100u);
  EXPECT_EQ(other->pc(), instance->pc());
  EXPECT_TRUE(absl::IsNotFound(LoadSnapshot(path + ".none", *other)));
  EXPECT_TRUE(absl::IsInvalidArgument(LoadSnapshot(testing::TempDir(), *other)));
  EXPECT_FALSE(SaveSnapshot(*instance, testing::TempDir() + "/none/state").ok());
  // Not replaced by a file.
  std::string fifo = testing::TempDir() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(SaveSnapshot(*instance, fifo)));
  struct stat info;
  ASSERT_EQ(stat(fifo.c_str(), &info), 0);
  EXPECT_TRUE(S_ISFIFO(info.st_mode));
}

TEST(SnapshotTest, OtherPrograms) {
  ProgramImage other = Program();
  other.guid[0] = 1;
  auto instance = MakeInstance(other);
  absl::Status status = RestoreSnapshot(BytesOf(MakeSnapshot()), *instance);
  EXPECT_THAT(status.message(), testing::HasSubstr("program GUID"));
}

TEST(SnapshotTest, DamageIsFound) {
  std::string snapshot = MakeSnapshot();
  auto instance = MakeInstance(Program());
  uint32_t pc = instance->pc();
  for (size_t size = 0; size < snapshot.size(); size += size < 400 ? 1 : 97) {
    EXPECT_TRUE(
        absl::IsInvalidArgument(RestoreSnapshot(BytesOf(snapshot).subspan(0, size), *instance)))
        << size;
  }
  for (size_t i = 0; i < snapshot.size(); i += i < 400 ? 1 : 97) {
    std::string damaged = snapshot;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_TRUE(absl::IsInvalidArgument(RestoreSnapshot(BytesOf(damaged), *instance))) << i;
  }
  EXPECT_EQ(instance->pc(), pc) << "unchanged";
  EXPECT_EQ(instance->Run().reason, Reason::kExited);
}

// With a digest that fits, whatever is accepted must also be safe to run.
TEST(SnapshotTest, HostileBytes) {
  const std::string snapshot = MakeSnapshot();
  std::minstd_rand random(1);
  int accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = snapshot;
    for (uint32_t changes = 1 + random() % 3; changes > 0; --changes) {
      // Mostly where numbers stand: before the first page, whose contents come first.
      size_t at = kBodyAt + random() % (random() % 4 == 0 ? damaged.size() - kBodyAt : 300);
      damaged[at] = static_cast<char>(random() % 3 == 0 ? 0xFF : random());
    }
    if (random() % 8 == 0) damaged.resize(kBodyAt + random() % (damaged.size() - kBodyAt));
    uint64_t size = damaged.size();
    std::memcpy(damaged.data() + 16, &size, sizeof(size));
    auto instance = MakeInstance(Program());
    if (!RestoreSnapshot(BytesOf(WithDigest(damaged)), *instance).ok()) continue;
    ++accepted;
    instance->Run(5000);
    instance->memory().SetBrk(0x50000);
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace precast::runtime
