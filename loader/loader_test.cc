// Loads a small image in every way, runs it, looks at its memory, and sees to it that what is not
// wanted is refused.
#include "loader/loader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "loader/testing/small_image.h"

namespace precast::loader {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using GuestFunction = uint32_t (*)();

std::vector<uint64_t>* g_backtrace = nullptr;

_Unwind_Reason_Code AddFrame(_Unwind_Context* context, void*) {
  g_backtrace->push_back(_Unwind_GetIP(context));
  return _URC_NO_REASON;
}

// What the callbacks of the runtime are replaced by.
uint32_t OnDispatchMiss() {
  if (g_backtrace != nullptr) _Unwind_Backtrace(AddFrame, nullptr);
  return 1001;
}
uint32_t OnHostCall() { return 1002; }
uint32_t OnResolvePlt() { return 1003; }
uint32_t OnOther() { return 1004; }

const std::vector<const void*>& Callbacks() {
  static const std::vector<const void*>* callbacks = [] {
    auto* result =
        new std::vector<const void*>(abi::kNumCallbacks, reinterpret_cast<void*>(OnOther));
    (*result)[static_cast<size_t>(abi::Callback::kDispatchMiss)] =
        reinterpret_cast<void*>(OnDispatchMiss);
    (*result)[static_cast<size_t>(abi::Callback::kHostCall)] = reinterpret_cast<void*>(OnHostCall);
    (*result)[static_cast<size_t>(abi::Callback::kResolvePlt)] =
        reinterpret_cast<void*>(OnResolvePlt);
    return result;
  }();
  return *callbacks;
}

LoadOptions Options() {
  LoadOptions options;
  options.callbacks = Callbacks();
  return options;
}

std::string WriteFile(const std::string& name, absl::Span<const uint8_t> bytes) {
  const std::string path = absl::StrCat(testing::TempDir(), "/", name);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  return path;
}

uint32_t Call(const LoadedImage& image, uint32_t pc) {
  const void* entry = image.FindEntry(pc);
  EXPECT_NE(entry, nullptr) << pc;
  return entry == nullptr ? 0 : reinterpret_cast<GuestFunction>(const_cast<void*>(entry))();
}

enum class How : uint8_t { kCopy, kShare, kMemory };

class LoaderTest : public testing::TestWithParam<How> {
 protected:
  absl::StatusOr<std::unique_ptr<LoadedImage>> Load(
      LoadOptions options, const std::vector<uint8_t>& bytes = MakeSmallImage()) {
    if (GetParam() == How::kMemory) return LoadMemory(bytes, options);
    options.share_pages = GetParam() == How::kShare;
    return LoadFile(WriteFile("image.so", bytes), options);
  }
};

INSTANTIATE_TEST_SUITE_P(Ways, LoaderTest, testing::Values(How::kCopy, How::kShare, How::kMemory));

TEST_P(LoaderTest, Runs) {
  LoadOptions options = Options();
  options.check.deep = true;
  auto image = Load(options);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(Call(**image, kAnswerPc), 42u);
  EXPECT_EQ(Call(**image, kFortyOnePc), 41u);
  EXPECT_EQ(Call(**image, kGotPc), 1001u);
  EXPECT_EQ(Call(**image, kPltPc), 1002u);
  EXPECT_EQ(Call(**image, kConstantPc), 0x12345678u);
}

TEST_P(LoaderTest, Wasm) {
  LoadOptions options = Options();
  options.check.deep = true;
  auto image = Load(options, MakeSmallWasmImage());
  ASSERT_TRUE(image.ok()) << image.status();
  const LoadedImage& i = **image;
  EXPECT_EQ(Call(i, kWasmAnswerPc), 42u);
  EXPECT_EQ(i.FindEntry(kWasmAnswerPc + 1), nullptr);
  EXPECT_EQ(i.guest_kind(), format::GuestKind::kWasm);
  EXPECT_EQ(i.guest_module(), SmallWasmModule());
  EXPECT_TRUE(i.metered());
  EXPECT_TRUE(i.canonical_nans());
  EXPECT_TRUE(i.guest_memory_initialized());
  ASSERT_EQ(i.segments().size(), 1u);
  EXPECT_EQ(i.segments()[0].data[16], 'h');
  const auto forty_one = reinterpret_cast<uint64_t>(i.FindEntry(kWasmFortyOnePc));
  const std::optional<SiteInfo> trap = i.FindSite(forty_one + 6);
  ASSERT_TRUE(trap);
  EXPECT_EQ(trap->guest_pc, kWasmFortyOnePc + 1);  // an odd number of bytes
  EXPECT_EQ(trap->refund, 1u);
  EXPECT_EQ(i.GuestPcOf(forty_one), kWasmFortyOnePc);
}

TEST_P(LoaderTest, LargeWasmMemoryCanBeMapped) {
  constexpr uint32_t kPages = 40;
  auto image = Load(Options(), MakeSmallWasmImage(kPages));
  ASSERT_TRUE(image.ok()) << image.status();
  const GuestSegment& segment = (*image)->segments()[0];
  ASSERT_EQ(segment.data.size(), kPages * size_t{4096});
  ASSERT_GE(segment.fd, 0);
  void* mapped = mmap(nullptr, segment.data.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE, segment.fd,
                      static_cast<off_t>(segment.file_offset));
  ASSERT_NE(mapped, MAP_FAILED);
  uint8_t* bytes = static_cast<uint8_t*>(mapped);
  EXPECT_EQ(bytes[16], 'h');
  EXPECT_TRUE(std::equal(segment.data.begin(), segment.data.end(), bytes));
  bytes[16] = 'x';  // for this mapping alone
  EXPECT_EQ(segment.data[16], 'h');
  munmap(mapped, segment.data.size());
}

TEST_P(LoaderTest, OfRiscV) {
  auto image = Load(Options());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ((*image)->guest_kind(), format::GuestKind::kRiscV32);
  EXPECT_TRUE((*image)->metered());
  EXPECT_FALSE((*image)->canonical_nans());
  EXPECT_FALSE((*image)->guest_memory_initialized());
  EXPECT_TRUE((*image)->guest_module().empty());
}

TEST_P(LoaderTest, EntriesAreThoseOfTheImage) {
  auto image = Load(Options());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ((*image)->FindEntry(0), nullptr);
  EXPECT_EQ((*image)->FindEntry(kAnswerPc - 4), nullptr);
  EXPECT_EQ((*image)->FindEntry(kAnswerPc + 1), nullptr);
  EXPECT_EQ((*image)->FindEntry(kAnswerPc + 4), nullptr);
  EXPECT_EQ((*image)->FindEntry(kConstantPc + 4), nullptr);
  EXPECT_EQ((*image)->FindEntry(0xfffffffc), nullptr);
  for (uint32_t pc : kEntryPcs) {
    EXPECT_TRUE((*image)->ContainsCode(reinterpret_cast<uint64_t>((*image)->FindEntry(pc))));
  }
}

TEST_P(LoaderTest, DescribesTheProgram) {
  auto loaded = Load(Options());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const LoadedImage& image = **loaded;
  EXPECT_EQ(image.entry_pc(), kAnswerPc);
  EXPECT_EQ(image.initial_brk(), 0x21004u);
  EXPECT_EQ(image.phdr_address(), 0x10034u);
  EXPECT_EQ(image.phdr_count(), 2u);
  EXPECT_EQ(image.program_guid(), absl::MakeConstSpan(SmallProgramGuid()));
  ASSERT_EQ(image.code_ranges().size(), 1u);
  EXPECT_EQ(image.code_ranges()[0].begin, 0x10000u);
  EXPECT_EQ(image.code_ranges()[0].end, 0x10050u);
  ASSERT_EQ(image.segments().size(), 2u);
  const GuestSegment& data = image.segments()[1];
  EXPECT_EQ(data.address, 0x20000u);
  EXPECT_EQ(data.size, 0x2000u);
  EXPECT_TRUE(data.writable);
  EXPECT_FALSE(data.executable);
  EXPECT_EQ(data.data, absl::MakeConstSpan(std::vector<uint8_t>(0x1000, 0x77)));
  EXPECT_EQ(data.fd >= 0, GetParam() == How::kShare);
  if (data.fd >= 0) {
    std::vector<uint8_t> bytes(data.data.size());
    ASSERT_EQ(pread(data.fd, bytes.data(), bytes.size(), static_cast<off_t>(data.file_offset)),
              static_cast<ssize_t>(bytes.size()));
    EXPECT_EQ(absl::MakeConstSpan(bytes), data.data);
  }
}

TEST_P(LoaderTest, FindsSites) {
  auto loaded = Load(Options());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const LoadedImage& image = **loaded;
  const auto entry = reinterpret_cast<uint64_t>(image.FindEntry(kFortyOnePc));
  const std::optional<SiteInfo> trap = image.FindSite(entry + 6);
  ASSERT_TRUE(trap);
  EXPECT_EQ(trap->kind, SiteInfo::Kind::kTrap);
  EXPECT_EQ(trap->trap_code, static_cast<uint8_t>(abi::TrapCode::kBreakpoint));
  EXPECT_EQ(trap->guest_pc, kFortyOnePc + 4);
  EXPECT_EQ(trap->refund, 1u);
  ASSERT_EQ(trap->state.size(), 4u);
  EXPECT_EQ(trap->state[0].slot, 5);
  EXPECT_EQ(trap->state[0].kind, StateLocation::Kind::kRegister);
  EXPECT_EQ(trap->state[0].value, 12);
  EXPECT_EQ(trap->state[1].kind, StateLocation::Kind::kFrame);
  EXPECT_EQ(trap->state[1].value, 24);
  EXPECT_EQ(trap->state[2].kind, StateLocation::Kind::kConstant);
  EXPECT_EQ(trap->state[2].value, -5);
  EXPECT_EQ(trap->state[3].slot, abi::kSlotPc);

  EXPECT_FALSE(image.FindSite(entry));
  EXPECT_FALSE(image.FindSite(0));
  EXPECT_FALSE(image.FindSite(~uint64_t{0}));
  EXPECT_FALSE(image.FindSite(reinterpret_cast<uint64_t>(image.text().data()) - 1));
  EXPECT_FALSE(
      image.FindSite(reinterpret_cast<uint64_t>(image.text().data()) + image.text().size()));

  EXPECT_EQ(image.GuestPcOf(entry), kFortyOnePc);
  const auto answer = reinterpret_cast<uint64_t>(image.FindEntry(kAnswerPc));
  EXPECT_EQ(image.GuestPcOf(answer + 8), kAnswerPc);
  EXPECT_EQ(image.GuestPcOf(answer + 9), kAnswerPc + 4);
}

TEST_P(LoaderTest, LazyPltIsBoundOnRequest) {
  LoadOptions options = Options();
  options.lazy_plt = true;
  auto image = Load(options);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(Call(**image, kPltPc), 1003u);
  EXPECT_EQ((*image)->ResolvePlt(0), reinterpret_cast<const void*>(OnHostCall));
  EXPECT_EQ(Call(**image, kPltPc), 1002u);
  EXPECT_EQ((*image)->ResolvePlt(1), nullptr);
  EXPECT_EQ((*image)->ResolvePlt(0xffffffff), nullptr);
}

TEST_P(LoaderTest, BacktracesCrossGuestCode) {
  auto image = Load(Options());
  ASSERT_TRUE(image.ok()) << image.status();
  std::vector<uint64_t> backtrace;
  g_backtrace = &backtrace;
  Call(**image, kGotPc);
  g_backtrace = nullptr;
  const auto in_guest = [&](uint64_t pc) { return (*image)->ContainsCode(pc); };
  const auto guest = std::find_if(backtrace.begin(), backtrace.end(), in_guest);
  ASSERT_NE(guest, backtrace.end());
  EXPECT_EQ((*image)->GuestPcOf(*guest), kGotPc + 4);
  // Its callers: this test and the test framework.
  EXPECT_GT(backtrace.end() - guest, 3);
}

// "address range, permissions" of the lines of /proc/self/maps that lie in the image.
std::vector<std::string> PermissionsOf(const LoadedImage& image) {
  const auto begin = reinterpret_cast<uint64_t>(image.view().file.data());
  const uint64_t end = begin + image.view().file.size();
  std::vector<std::string> result;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uint64_t from = 0, to = 0;
    char permissions[5] = {};
    if (sscanf(line.c_str(), "%lx-%lx %4s", &from, &to, permissions) == 3 && from < end &&
        to > begin) {
      result.push_back(permissions);
    }
  }
  return result;
}

TEST_P(LoaderTest, NothingIsWritableAndExecutable) {
  auto image = Load(Options());
  ASSERT_TRUE(image.ok()) << image.status();
  const std::vector<std::string> permissions = PermissionsOf(**image);
  ASSERT_FALSE(permissions.empty());
  int executable = 0, writable = 0;
  for (const std::string& p : permissions) {
    EXPECT_FALSE(p[1] == 'w' && p[2] == 'x') << p;
    executable += p[2] == 'x';
    writable += p[1] == 'w';
  }
  EXPECT_EQ(executable, 1);
  EXPECT_EQ(writable, 1);  // .got.plt
}

TEST_P(LoaderTest, AllMismatchesAreReported) {
  LoadOptions options = Options();
  options.check.program_guid = format::GuidOf(std::string_view("another program"));
  options.check.options_guid = format::GuidOf(std::string_view("other options"));
  options.check.abi_fingerprint[0] ^= 1;
  auto image = Load(options);
  EXPECT_EQ(image.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(image.status().message()),
              AllOf(HasSubstr(absl::StrCat("program_guid: expected ",
                                           format::GuidToString(*options.check.program_guid),
                                           ", actual ", format::GuidToString(SmallProgramGuid()))),
                    HasSubstr("options_guid: expected"), HasSubstr("abi_fingerprint: expected")));
}

TEST_P(LoaderTest, TheRightProgramIsAccepted) {
  LoadOptions options = Options();
  options.check.program_guid = SmallProgramGuid();
  auto image = Load(options);
  EXPECT_TRUE(image.ok()) << image.status();
}

// Trust leaves out what reads the whole file, and nothing else.
TEST(Loader, TrustedImages) {
  LoadOptions options = Options();
  options.trusted = true;
  std::vector<uint8_t> bytes = MakeSmallImage();
  auto image = LoadFile(WriteFile("trusted.so", bytes), options);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(Call(**image, kAnswerPc), 42u);
  EXPECT_EQ(Call(**image, kPltPc), 1002u);

  // In the content digest itself.
  std::vector<uint8_t> damaged = bytes;
  damaged[(*image)->view().info_offset + 16] ^= 1;
  const std::string path = WriteFile("damaged.so", damaged);
  EXPECT_FALSE(LoadFile(path, Options()).ok());
  EXPECT_TRUE(LoadFile(path, options).ok());
  EXPECT_FALSE(LoadMemory(damaged, options).ok()) << "memory is not a place to be trusted";

  // In the magic number and in the program's identity.
  damaged = bytes;
  damaged[(*image)->view().info_offset] ^= 1;
  EXPECT_FALSE(LoadFile(WriteFile("no_magic.so", damaged), options).ok());
  options.check.program_guid = format::Guid{1, 2, 3};
  EXPECT_FALSE(LoadFile(path, options).ok());
}

TEST(Loader, FilesThatAreNoImages) {
  EXPECT_EQ(LoadFile(testing::TempDir() + "/no such file", Options()).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(LoadFile(testing::TempDir(), Options()).status().code(),
            absl::StatusCode::kInvalidArgument);
  const std::string fifo = testing::TempDir() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(LoadFile(fifo, Options()).status().code(), absl::StatusCode::kInvalidArgument);
  unlink(fifo.c_str());
  EXPECT_EQ(LoadFile(WriteFile("empty", {}), Options()).status().code(),
            absl::StatusCode::kInvalidArgument);
  for (bool share : {false, true}) {
    LoadOptions options = Options();
    options.share_pages = share;
    EXPECT_EQ(LoadFile(WriteFile("text", {'#', '!', '/'}), options).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(LoadMemory({}, Options()).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace precast::loader
