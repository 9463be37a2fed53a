#include "runtime/memory.h"

#include <stdio.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::runtime {
namespace {

constexpr uint8_t kReadWrite = kPageRead | kPageWrite;
constexpr uint32_t kLastPage = 0xFFFFF000;

std::unique_ptr<GuestMemory> MakeMemory() {
  absl::StatusOr<std::unique_ptr<GuestMemory>> memory = GuestMemory::Create();
  EXPECT_TRUE(memory.ok()) << memory.status();
  return *std::move(memory);
}

// Whether the host can read there; asks the kernel, which does not fault.
bool HostReadable(const uint8_t* address) {
  int fds[2];
  EXPECT_EQ(pipe(fds), 0);
  bool readable = write(fds[1], address, 1) == 1;
  close(fds[0]);
  close(fds[1]);
  return readable;
}

bool HostWritable(uint8_t* address) {
  int fds[2];
  EXPECT_EQ(pipe(fds), 0);
  uint8_t byte = 0;
  EXPECT_EQ(write(fds[1], &byte, 1), 1);
  bool writable = read(fds[0], address, 1) == 1;
  close(fds[0]);
  close(fds[1]);
  return writable;
}

TEST(GuestMemoryTest, NothingIsMappedAtFirst) {
  auto memory = MakeMemory();
  for (uint32_t address : {0u, 0x1000u, 0x80000000u, 0xFFFFFFFFu}) {
    EXPECT_FALSE(memory->Readable(address, 1));
    EXPECT_FALSE(HostReadable(memory->base() + address));
  }
  EXPECT_FALSE(HostReadable(memory->base() - 1));
  EXPECT_FALSE(HostReadable(memory->base() + GuestMemory::kGuestSize));
  EXPECT_TRUE(memory->Readable(0x1000, 0));
}

TEST(GuestMemoryTest, HostProtectionFollowsThePageTable) {
  auto memory = MakeMemory();
  for (uint8_t permissions = 0; permissions < 8; ++permissions) {
    ASSERT_TRUE(memory->Map(0x10000, 0x2000, permissions).ok());
    EXPECT_EQ(memory->Readable(0x10000, 0x2000), (permissions & kReadWrite) != 0);
    EXPECT_EQ(memory->Writable(0x10000, 0x2000), (permissions & kPageWrite) != 0);
    EXPECT_EQ(HostReadable(memory->base() + 0x10000), (permissions & kReadWrite) != 0);
    EXPECT_EQ(HostWritable(memory->base() + 0x10000), (permissions & kPageWrite) != 0);
    EXPECT_FALSE(memory->Readable(0xFFFF, 2));
    EXPECT_FALSE(memory->Readable(0x11FFF, 2));
  }
  ASSERT_TRUE(memory->Protect(0x11000, 0x1000, kPageRead).ok());
  EXPECT_TRUE(memory->Writable(0x10000, 0x1000));
  EXPECT_FALSE(memory->Writable(0x10FFF, 2));
  EXPECT_FALSE(HostWritable(memory->base() + 0x11000));
  EXPECT_TRUE(absl::IsNotFound(memory->Protect(0x11000, 0x2000, kPageRead)));
  ASSERT_TRUE(memory->Unmap(0x10000, 0x1000).ok());
  EXPECT_FALSE(HostReadable(memory->base() + 0x10000));
  EXPECT_TRUE(HostReadable(memory->base() + 0x11000));
}

TEST(GuestMemoryTest, RefusesBadRanges) {
  auto memory = MakeMemory();
  EXPECT_TRUE(absl::IsInvalidArgument(memory->Map(1, 0x1000, kPageRead)));
  EXPECT_TRUE(absl::IsInvalidArgument(memory->Map(0x1000, 1, kPageRead)));
  EXPECT_TRUE(absl::IsInvalidArgument(memory->Map(kLastPage, 0x2000, kPageRead)));
  EXPECT_TRUE(absl::IsInvalidArgument(memory->Unmap(0x1000, GuestMemory::kGuestSize)));
  EXPECT_TRUE(
      absl::IsInvalidArgument(memory->Protect(0, GuestMemory::kGuestSize + 0x1000, kPageRead)));
}

TEST(GuestMemoryTest, FirstAndLastPageWrapAround) {
  auto memory = MakeMemory();
  ASSERT_TRUE(memory->Map(0, 0x3000, kReadWrite).ok());
  ASSERT_TRUE(memory->Map(kLastPage - 0x1000, 0x2000, kReadWrite).ok());
  uint8_t* base = memory->base();
  base[4] = 17;
  EXPECT_EQ(base[GuestMemory::kGuestSize + 4], 17);
  base[GuestMemory::kGuestSize + 5] = 18;
  EXPECT_EQ(base[5], 18);
  base[uint64_t{0xFFFFFFFE}] = 19;
  EXPECT_EQ(base[-2], 19);
  // An access that wraps around.
  uint32_t value = 0x44332211;
  std::memcpy(base + uint64_t{0xFFFFFFFE}, &value, 4);
  EXPECT_EQ(base[0], 0x33);
  EXPECT_EQ(base[1], 0x44);
  // Ordinary pages beside them.
  base[0x1000] = 1;
  base[kLastPage - 1] = 1;
  // Protection and unmapping hold for both places.
  ASSERT_TRUE(memory->Protect(0, 0x1000, kPageRead).ok());
  EXPECT_FALSE(HostWritable(base + GuestMemory::kGuestSize));
  EXPECT_TRUE(HostReadable(base + GuestMemory::kGuestSize));
  EXPECT_EQ(base[4], 17);
  ASSERT_TRUE(memory->Unmap(kLastPage, 0x1000).ok());
  EXPECT_FALSE(HostReadable(base - 1));
  ASSERT_TRUE(memory->Unmap(0, 0x1000).ok());
  EXPECT_FALSE(HostReadable(base + GuestMemory::kGuestSize));
  // Mapped again they are zero.
  ASSERT_TRUE(memory->Map(0, 0x1000, kReadWrite).ok());
  EXPECT_EQ(base[4], 0);
  // Past the aliases there is nothing.
  EXPECT_FALSE(HostReadable(base + GuestMemory::kGuestSize + 0x1000));
}

TEST(GuestMemoryTest, AllOfMemoryCanBeMapped) {
  auto memory = MakeMemory();
  ASSERT_TRUE(memory->Map(0, GuestMemory::kGuestSize, kReadWrite).ok());
  EXPECT_TRUE(memory->Writable(0, GuestMemory::kGuestSize));
  memory->base()[uint64_t{0xFFFFFFFF}] = 3;
  EXPECT_EQ(memory->base()[-1], 3);
  ASSERT_TRUE(memory->Clear().ok());
  EXPECT_FALSE(HostReadable(memory->base() - 1));
  EXPECT_FALSE(memory->Readable(0, 1));
}

TEST(GuestMemoryTest, Copies) {
  auto memory = MakeMemory();
  ASSERT_TRUE(memory->Map(0x10000, 0x1000, kReadWrite).ok());
  std::vector<uint8_t> data = {1, 2, 3, 4}, back(4);
  EXPECT_TRUE(memory->CopyOut(data, 0x10FFC).ok());
  EXPECT_TRUE(memory->CopyIn(0x10FFC, absl::MakeSpan(back)).ok());
  EXPECT_EQ(back, data);
  EXPECT_TRUE(absl::IsOutOfRange(memory->CopyOut(data, 0x10FFD)));
  EXPECT_TRUE(absl::IsOutOfRange(memory->CopyIn(0x10FFD, absl::MakeSpan(back))));
  EXPECT_TRUE(absl::IsOutOfRange(memory->CopyIn(0xFFFFFFFE, absl::MakeSpan(back))));
  ASSERT_TRUE(memory->Protect(0x10000, 0x1000, kPageRead).ok());
  EXPECT_TRUE(absl::IsOutOfRange(memory->CopyOut(data, 0x10000)));
  EXPECT_TRUE(memory->Initialize(0x10FF0, data).ok());
  EXPECT_EQ(memory->base()[0x10FF3], 4);
  EXPECT_TRUE(absl::IsOutOfRange(memory->Initialize(0x10FFE, data)));
}

TEST(GuestMemoryTest, ReadsStrings) {
  auto memory = MakeMemory();
  ASSERT_TRUE(memory->Map(0x10000, 0x2000, kReadWrite).ok());
  std::memset(memory->base() + 0x10FF0, 'a', 0x20);
  EXPECT_EQ(*memory->ReadString(0x10FF0, 100), std::string(0x20, 'a'));
  EXPECT_EQ(*memory->ReadString(0x10000, 100), "");
  EXPECT_TRUE(absl::IsResourceExhausted(memory->ReadString(0x10FF0, 0x20).status()));
  std::memset(memory->base() + 0x11FF0, 'b', 0x10);
  EXPECT_TRUE(absl::IsOutOfRange(memory->ReadString(0x11FF0, 100).status()));
  EXPECT_TRUE(absl::IsOutOfRange(memory->ReadString(0, 100).status()));
  EXPECT_TRUE(absl::IsOutOfRange(memory->ReadString(0xFFFFFFFF, 100).status()));
}

TEST(GuestMemoryTest, MapsAProgram) {
  std::string path = testing::TempDir() + "/segment";
  FILE* file = fopen(path.c_str(), "w+");
  ASSERT_NE(file, nullptr);
  std::vector<uint8_t> data(0x1800);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * 7 + 1);
  std::string padding(0x1000, 'x');
  ASSERT_EQ(fwrite(padding.data(), 1, padding.size(), file), padding.size());
  ASSERT_EQ(fwrite(data.data(), 1, data.size(), file), data.size());
  ASSERT_EQ(fflush(file), 0);
  for (bool from_file : {false, true}) {
    for (uint32_t address : {0u, 0x10000u, 0xFFFFD000u}) {
      ProgramImage program;
      ProgramSegment segment;
      segment.address = address;
      segment.size = 0x3000;
      segment.data = data;
      segment.fd = from_file ? fileno(file) : -1;
      segment.file_offset = 0x1000;
      segment.readable = segment.executable = true;
      program.segments.push_back(segment);
      program.initial_brk = 0x20000;
      ASSERT_TRUE(Validate(program).ok());
      auto memory = MakeMemory();
      absl::Status status = memory->MapProgram(program);
      ASSERT_TRUE(status.ok()) << status;
      std::vector<uint8_t> back(0x3000);
      ASSERT_TRUE(memory->CopyIn(address, absl::MakeSpan(back)).ok());
      EXPECT_TRUE(std::equal(data.begin(), data.end(), back.begin()));
      EXPECT_TRUE(std::all_of(back.begin() + 0x1800, back.end(), [](uint8_t b) { return b == 0; }));
      EXPECT_FALSE(HostWritable(memory->base() + address));
      EXPECT_EQ(memory->brk(), 0x20000u);
    }
  }
  fclose(file);
}

TEST(GuestMemoryTest, HeapGrowsAndShrinks) {
  auto memory = MakeMemory();
  EXPECT_EQ(memory->SetBrk(0x20000), 0u) << "no heap";
  memory->SetHeap(0x10800, 0x10800);
  EXPECT_EQ(memory->SetBrk(0), 0x10800u);
  EXPECT_EQ(memory->SetBrk(0x10FFF), 0x10FFFu);
  EXPECT_FALSE(memory->Readable(0x11000, 1));
  EXPECT_EQ(memory->SetBrk(0x12001), 0x12001u);
  EXPECT_TRUE(memory->Writable(0x11000, 0x2000));
  memory->base()[0x12000] = 1;
  EXPECT_EQ(memory->SetBrk(0x11800), 0x11800u);
  EXPECT_TRUE(memory->Writable(0x11000, 0x1000));
  EXPECT_FALSE(memory->Readable(0x12000, 1));
  EXPECT_EQ(memory->SetBrk(0x13000), 0x13000u);
  EXPECT_EQ(memory->base()[0x12000], 0) << "fresh pages";
  // Not into what is mapped, not into the stack's guard, not past the end.
  ASSERT_TRUE(memory->Map(0x20000, 0x1000, kPageRead).ok());
  EXPECT_EQ(memory->SetBrk(0x20001), 0x13000u);
  EXPECT_EQ(memory->SetBrk(0x20000), 0x20000u);
  ASSERT_TRUE(memory->Unmap(0x20000, 0x1000).ok());
  ASSERT_TRUE(memory->MapStack(0x10000).ok());
  uint32_t guard = memory->stack_begin() - GuestMemory::kStackGuard;
  EXPECT_EQ(memory->SetBrk(guard + 1), 0x20000u);
  EXPECT_EQ(memory->SetBrk(guard), guard);
  EXPECT_EQ(memory->SetBrk(0xFFFFFFFF), guard);
}

TEST(GuestMemoryTest, StackAvoidsTheProgram) {
  auto memory = MakeMemory();
  EXPECT_EQ(*memory->MapStack(0x10000), GuestMemory::kPreferredStackTop);
  memory = MakeMemory();
  ASSERT_TRUE(memory->Map(0xBFFFF000, 0x2000, kPageRead).ok());
  EXPECT_EQ(*memory->MapStack(0x10000), 0xBFFFF000u);
  uint32_t begin = memory->stack_begin();
  EXPECT_EQ(begin, 0xBFFEF000u);
  EXPECT_EQ(memory->TrapAt(begin - 1), abi::TrapCode::kStackOverflow);
  EXPECT_EQ(memory->TrapAt(begin - GuestMemory::kStackGuard), abi::TrapCode::kStackOverflow);
  EXPECT_EQ(memory->TrapAt(begin - GuestMemory::kStackGuard - 1), abi::TrapCode::kMemoryFault);
  EXPECT_EQ(memory->TrapAt(begin), abi::TrapCode::kMemoryFault);
  memory = MakeMemory();
  ASSERT_TRUE(memory->Map(0x1000, 0xBFFFF000, 0).ok());
  EXPECT_EQ(*memory->MapStack(0x10000), kLastPage);
  memory = MakeMemory();
  ASSERT_TRUE(memory->Map(0x1000, 0xFFFF0000, 0).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(memory->MapStack(0x10000).status()));
}

TEST(GuestMemoryTest, FindsFreeRanges) {
  auto memory = MakeMemory();
  ASSERT_TRUE(memory->Map(0x20000, 0x1000, 0).ok());
  EXPECT_EQ(memory->FindFree(0x1000, 0x10000, 0x30000), 0x2F000u);
  EXPECT_EQ(memory->FindFree(0xF000, 0x10000, 0x30000), 0x21000u);
  EXPECT_EQ(memory->FindFree(0x10000, 0x10000, 0x30000), 0x10000u);
  EXPECT_EQ(memory->FindFree(0x11000, 0x10000, 0x30000), std::nullopt);
  EXPECT_TRUE(memory->IsFree(0x1F000, 0x1000));
  EXPECT_FALSE(memory->IsFree(0x1F000, 0x1001));
}

TEST(GuestMemoryTest, VisitsPages) {
  auto memory = MakeMemory();
  ASSERT_TRUE(memory->Map(0, 0x1000, kPageRead).ok());
  ASSERT_TRUE(memory->Map(0x10000, 0x4000, kReadWrite).ok());
  ASSERT_TRUE(memory->Map(0x14000, 0x1000, 0).ok());
  memory->base()[0x11FFF] = 1;
  ASSERT_TRUE(memory->Initialize(0x14001, {2}).ok());
  using Seen = std::tuple<uint32_t, uint64_t, uint8_t, size_t>;
  std::vector<Seen> seen;
  ASSERT_TRUE(memory
                  ->VisitPages([&](uint32_t address, uint64_t size, uint8_t permissions,
                                   absl::Span<const uint8_t> contents) {
                    seen.emplace_back(address, size, permissions, contents.size());
                  })
                  .ok());
  EXPECT_THAT(seen, testing::ElementsAre(
                        Seen(0, 0x1000, kPageRead, 0), Seen(0x10000, 0x1000, kReadWrite, 0),
                        Seen(0x11000, 0x1000, kReadWrite, 0x1000),
                        Seen(0x12000, 0x2000, kReadWrite, 0), Seen(0x14000, 0x1000, 0, 0x1000)));
  EXPECT_FALSE(HostReadable(memory->base() + 0x14000)) << "hidden again";
}

TEST(GuestMemoryTest, TranslatesHostAddresses) {
  auto memory = MakeMemory();
  auto base = reinterpret_cast<uint64_t>(memory->base());
  EXPECT_EQ(memory->GuestAddress(base), 0u);
  EXPECT_EQ(memory->GuestAddress(base - 4), 0xFFFFFFFCu);
  EXPECT_EQ(memory->GuestAddress(base + GuestMemory::kGuestSize + 8), 8u);
  EXPECT_EQ(memory->GuestAddress(base - GuestMemory::kLowerGuard - 1), std::nullopt);
  EXPECT_EQ(memory->GuestAddress(0), std::nullopt);
}

TEST(ProgramTest, ValidateFindsFaults) {
  ProgramImage program;
  program.segments.resize(2);
  program.segments[0].address = 0x1000;
  program.segments[0].size = 0x1000;
  program.segments[1].address = 0x2000;
  program.segments[1].size = 0x1000;
  program.code_ranges = {{.begin = 0x1000, .end = 0x1004}, {.begin = 0x1004, .end = 0x1100}};
  EXPECT_TRUE(Validate(program).ok());
  EXPECT_TRUE(program.IsCode(0x1000));
  EXPECT_FALSE(program.IsCode(0x1100));
  EXPECT_FALSE(program.IsCode(0x10FE));
  auto fails = [&](auto change) {
    ProgramImage changed = program;
    change(changed);
    return !Validate(changed).ok();
  };
  std::vector<uint8_t> data(0x1001);
  EXPECT_TRUE(fails([](ProgramImage& p) { p.segments[0].address = 0x1001; }));
  EXPECT_TRUE(fails([](ProgramImage& p) { p.segments[0].size = 0x2000; }));
  EXPECT_TRUE(fails([](ProgramImage& p) { p.segments[0].size = 12; }));
  EXPECT_TRUE(fails([](ProgramImage& p) { p.segments[1].size = uint64_t{1} << 32; }));
  EXPECT_TRUE(fails([&](ProgramImage& p) { p.segments[0].data = data; }));
  EXPECT_TRUE(fails([](ProgramImage& p) { p.segments[0].fd = 1, p.segments[0].file_offset = 1; }));
  EXPECT_TRUE(fails([](ProgramImage& p) { p.code_ranges[0].begin = 0x1002; }));
  EXPECT_TRUE(fails([](ProgramImage& p) { p.code_ranges[0].end = 0xFFC; }));
  EXPECT_TRUE(fails([](ProgramImage& p) { p.code_ranges[0].end = 0x1008; }));
}

}  // namespace
}  // namespace precast::runtime
