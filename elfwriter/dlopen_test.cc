// The process itself as judge: the dynamic linker loads an object, its code runs, and the unwinder
// finds its way through it, both by .eh_frame_hdr and by __register_frame.

#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unwind.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "elfwriter/sample_object.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// From libgcc (unwind-dw2-fde.h), which has no public header for them.
extern "C" {
struct dwarf_eh_bases {
  void* tbase;
  void* dbase;
  void* func;
};
const void* _Unwind_Find_FDE(void* pc, dwarf_eh_bases* bases);
void __register_frame(void* begin);
void* __deregister_frame(void* begin);
}

namespace precast::elfwriter {
namespace {

using ::testing::Contains;

template <typename T>
T Load(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

// A mapped sample, by whatever means.
class MappedSample {
 public:
  using Number = uint64_t (*)();
  using CallBack = void (*)(void (*)(void*), void*);

  // `info` is where sample_info is.
  MappedSample(const Object& object, uint8_t* info) : object_(object) {
    for (const Section* section : object.sections()) {
      if (section->name() == ".rodata") base_ = info - section->address();
    }
  }

  uint8_t* base() const { return base_; }
  uint8_t* Start(const std::string& name) const {
    for (const Section* section : object_.sections()) {
      if (section->name() == name) return base_ + section->address();
    }
    ADD_FAILURE() << name;
    return nullptr;
  }
  uint8_t* Code(uint32_t offset) const { return Start(".text") + offset; }
  uint64_t Call(uint32_t offset) const { return reinterpret_cast<Number>(Code(offset))(); }

  // Start addresses of the functions on the stack while code of the sample calls us back.
  std::vector<uintptr_t> Backtrace() const {
    std::vector<uintptr_t> frames;
    reinterpret_cast<CallBack>(Code(kSampleCallBack))(CollectFrames, &frames);
    return frames;
  }

  // Checks all that the code of the sample does.
  void CheckCode() const {
    EXPECT_EQ(Load<uint64_t>(Start(".rodata") + kSampleMagicOffset), kSampleMagic);
    EXPECT_EQ(base_ + Load<uint32_t>(Start(".rodata") + kSampleTextOffset), Start(".text"));
    EXPECT_EQ(Call(kSampleReadMagic), kSampleMagic);
    EXPECT_EQ(Call(kSampleReadGot), kSampleGotValue);
    EXPECT_EQ(Call(kSampleNumbered), 0u);
    EXPECT_EQ(Call(kSampleNumbered + 32), 2u);
    EXPECT_STREQ(reinterpret_cast<const char*>(Start(".guest.data")), kSampleGuestData);
    const auto target = reinterpret_cast<uint64_t>(Code(kSampleNumbered + 16));
    std::memcpy(Start(".got.plt"), &target, sizeof(target));
    EXPECT_EQ(Call(kSampleCallPlt), 1u);
  }

 private:
  static void CollectFrames(void* frames) { _Unwind_Backtrace(CollectFrame, frames); }
  static _Unwind_Reason_Code CollectFrame(_Unwind_Context* context, void* frames) {
    static_cast<std::vector<uintptr_t>*>(frames)->push_back(_Unwind_GetRegionStart(context));
    return _URC_NO_REASON;
  }

  const Object& object_;
  uint8_t* base_ = nullptr;
};

// A sample that the dynamic linker has loaded.
class DlopenTest : public ::testing::Test {
 protected:
  void Open(const SampleOptions& options) {
    object_ = MakeSampleObject(options);
    const std::string path =
        absl::StrCat(::testing::TempDir(), "/",
                     ::testing::UnitTest::GetInstance()->current_test_info()->name(), ".so");
    const std::vector<uint8_t> image = object_->Write();
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(image.data()),
               static_cast<std::streamsize>(image.size()));
    file.close();
    ASSERT_FALSE(file.fail()) << path;
    handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(handle_, nullptr) << dlerror();
    auto* info = static_cast<uint8_t*>(dlsym(handle_, "sample_info"));
    ASSERT_NE(info, nullptr) << dlerror();
    sample_ = std::make_unique<MappedSample>(*object_, info);
  }

  ~DlopenTest() override {
    if (handle_ != nullptr) {
      EXPECT_EQ(dlclose(handle_), 0);
    }
  }

  std::unique_ptr<Object> object_;
  void* handle_ = nullptr;
  std::unique_ptr<MappedSample> sample_;
};

TEST_F(DlopenTest, CodeRuns) {
  ASSERT_NO_FATAL_FAILURE(Open({}));
  sample_->CheckCode();
}

TEST_F(DlopenTest, ZeroFillIsZero) {
  ASSERT_NO_FATAL_FAILURE(Open({.with_zero_fill = true}));
  sample_->CheckCode();
  const uint8_t* bss = sample_->Start(".bss");
  for (size_t i = 0; i < 3 * kPageSize + 5; ++i) ASSERT_EQ(bss[i], 0) << i;
}

TEST_F(DlopenTest, OnlyWhatIsExportedIsFound) {
  ASSERT_NO_FATAL_FAILURE(Open({}));
  EXPECT_EQ(dlsym(handle_, "number_0"), nullptr);
  EXPECT_EQ(dlsym(handle_, "read_magic"), nullptr);
}

TEST_F(DlopenTest, ManyExportedSymbols) {
  constexpr uint32_t kCount = 10000;
  ASSERT_NO_FATAL_FAILURE(Open({.numbered_functions = kCount, .export_numbered = true}));
  for (uint32_t i = 0; i < kCount; ++i) {
    void* function = dlsym(handle_, absl::StrCat("number_", i).c_str());
    ASSERT_NE(function, nullptr) << i;
    ASSERT_EQ(reinterpret_cast<MappedSample::Number>(function)(), i);
  }
  EXPECT_EQ(dlsym(handle_, "number_10000"), nullptr);
}

TEST_F(DlopenTest, BacktraceCrossesTheObject) {
  ASSERT_NO_FATAL_FAILURE(Open({}));
  const std::vector<uintptr_t> frames = sample_->Backtrace();
  EXPECT_THAT(frames, Contains(reinterpret_cast<uintptr_t>(sample_->Code(kSampleCallBack))));
  // CollectFrames, call_back, Backtrace, the test, its runners and main.
  EXPECT_GT(frames.size(), 6u);
}

using DlopenDeathTest = DlopenTest;

TEST_F(DlopenDeathTest, RelroIsSealed) {
  ASSERT_NO_FATAL_FAILURE(Open({}));
  EXPECT_DEATH(std::memset(sample_->Start(".got"), 1, 1), "");
}

// Mapped by our own hand, as a loader does that does not trust files.
TEST(OwnMappingTest, RegisteredFramesAreFound) {
  const auto object = MakeSampleObject({.with_zero_fill = true});
  const std::vector<uint8_t> image = object->Write();
  void* memory = mmap(nullptr, object->MemorySize(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto* base = static_cast<uint8_t*>(memory);
  for (const ProgramHeader& header : object->program_headers()) {
    if (header.type != PT_LOAD) continue;
    std::memcpy(base + header.address, image.data() + header.offset, header.file_size);
    const int protection = ((header.flags & PF_R) != 0 ? PROT_READ : 0) |
                           ((header.flags & PF_W) != 0 ? PROT_WRITE : 0) |
                           ((header.flags & PF_X) != 0 ? PROT_EXEC : 0);
    ASSERT_EQ(mprotect(base + header.address, header.memory_size, protection), 0);
  }
  const Section* rodata = object->symbol_table().globals()[0].section;
  const MappedSample sample(*object, base + rodata->address());
  ASSERT_EQ(sample.base(), base);
  sample.CheckCode();

  dwarf_eh_bases bases;
  EXPECT_EQ(_Unwind_Find_FDE(sample.Code(kSampleCallBack) + 12, &bases), nullptr);

  uint8_t* eh_frame = base + Load<uint32_t>(sample.Start(".rodata") + kSampleEhFrameOffset);
  EXPECT_EQ(eh_frame, sample.Start(".eh_frame"));
  __register_frame(eh_frame);
  const auto* fde =
      static_cast<const uint8_t*>(_Unwind_Find_FDE(sample.Code(kSampleCallBack) + 12, &bases));
  EXPECT_EQ(fde, eh_frame + object->eh_frame_section().fdes()[0].fde_offset);
  EXPECT_EQ(bases.func, sample.Code(kSampleCallBack));
  EXPECT_NE(_Unwind_Find_FDE(sample.Start(".plt") + 4, &bases), nullptr);
  EXPECT_EQ(bases.func, sample.Start(".plt"));
  // Between functions there is nothing.
  EXPECT_EQ(_Unwind_Find_FDE(sample.Code(kSampleCallPlt) + 12, &bases), nullptr);
  const std::vector<uintptr_t> frames = sample.Backtrace();
  EXPECT_THAT(frames, Contains(reinterpret_cast<uintptr_t>(sample.Code(kSampleCallBack))));
  EXPECT_GT(frames.size(), 6u);

  __deregister_frame(eh_frame);
  EXPECT_EQ(_Unwind_Find_FDE(sample.Code(kSampleCallBack) + 12, &bases), nullptr);
  EXPECT_EQ(munmap(memory, object->MemorySize()), 0);
}

}  // namespace
}  // namespace precast::elfwriter
