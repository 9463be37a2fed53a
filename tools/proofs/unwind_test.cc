// From inside a host call, the unwinder of the C runtime walks through every guest frame, with the
// guest's own depth of recursion, back into the host.
#include <unwind.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "compiler/driver/driver.h"
#include "compiler/riscv/testing/assembler.h"
#include "compiler/riscv/testing/assembly_text.h"
#include "gtest/gtest.h"
#include "loader/loader.h"
#include "runtime/host/host_abi.h"
#include "runtime/instance.h"
#include "runtime/trampolines.h"

namespace precast {
namespace {

// Calls itself `depth` times, makes a host call at the bottom, and returns all the way.
std::string Recursion(int depth) {
  return absl::StrCat(
      "start:\n"
      "  addi a0, zero, ",
      depth,
      "\n"
      "  jal ra, recurse\n"
      "  addi a7, zero, 93\n"
      "  ecall\n"
      "recurse:\n"
      "  addi sp, sp, -16\n"
      "  sw ra, 12(sp)\n"
      "  bne a0, zero, deeper\n"
      "  addi a7, zero, 1\n"
      "  ecall\n"
      "  addi a0, zero, 7\n"
      "  jal zero, out\n"
      "deeper:\n"
      "  addi a0, a0, -1\n"
      "  jal ra, recurse\n"
      "  addi a0, a0, 1\n"
      "out:\n"
      "  lw ra, 12(sp)\n"
      "  addi sp, sp, 16\n"
      "  jalr zero, 0(ra)\n");
}

std::vector<uint64_t> Walk() {
  std::vector<uint64_t> pcs;
  _Unwind_Backtrace(
      [](_Unwind_Context* context, void* out) {
        static_cast<std::vector<uint64_t>*>(out)->push_back(_Unwind_GetIP(context));
        return _URC_NO_REASON;
      },
      &pcs);
  return pcs;
}

// Call 93 exits; any other keeps the backtrace.
class WalkingHost final : public runtime::HostAbi {
 public:
  explicit WalkingHost(std::vector<uint64_t>* walk) : walk_(walk) {}

  std::string name() const override { return "walking"; }
  absl::Status SetUp(const runtime::ProgramImage&, runtime::GuestMemory& memory,
                     abi::VmContext& context) override {
    constexpr uint32_t kStack = 0x100000, kSize = 0x10000;
    context.x[2] = kStack + kSize;
    return memory.Map(kStack, kSize, runtime::kPageRead | runtime::kPageWrite);
  }
  runtime::HostCallResult HandleCall(abi::VmContext& context, runtime::GuestMemory&) override {
    constexpr int kA0 = 10, kA7 = 17;
    if (context.x[kA7] == 93) return runtime::HostCallResult::Exit(context.x[kA0]);
    *walk_ = Walk();
    return runtime::HostCallResult::Continue();
  }
  absl::StatusOr<std::string> SaveState() override { return std::string(); }
  absl::Status RestoreState(absl::Span<const uint8_t>) override { return absl::OkStatus(); }

 private:
  std::vector<uint64_t>* walk_;
};

class UnwindTest : public testing::TestWithParam<int> {};  // the optimization level

TEST_P(UnwindTest, EveryGuestFrameIsWalked) {
  const size_t host_frames = Walk().size();
  for (const int depth : {0, 1, 10, 500}) {
    SCOPED_TRACE(depth);
    absl::StatusOr<driver::CompileResult> compiled = driver::Compile(
        riscv::testing::Assemble(Recursion(depth)), {.opt_level = GetParam(), .threads = 1});
    ASSERT_TRUE(compiled.ok()) << compiled.status();
    loader::LoadOptions options;
    options.callbacks = runtime::CallbackAddresses();
    absl::StatusOr<std::unique_ptr<loader::LoadedImage>> loaded =
        loader::LoadMemory(compiled->image, options);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    const std::shared_ptr<const loader::LoadedImage> image = *std::move(loaded);

    std::vector<uint64_t> walk;
    absl::StatusOr<std::unique_ptr<runtime::Instance>> instance =
        runtime::Instance::Create(image, std::make_unique<WalkingHost>(&walk), {});
    ASSERT_TRUE(instance.ok()) << instance.status();
    const runtime::RunResult result = (*instance)->Run();
    ASSERT_EQ(result.reason, runtime::RunResult::Reason::kExited);
    EXPECT_EQ(result.exit_code, 7 + static_cast<uint32_t>(depth));
    EXPECT_EQ((*instance)->statistics().interpreted, 0);

    // The frames of the guest lie together: host, then `depth` + 1 times `recurse`, `start`, host.
    const uint64_t begin = reinterpret_cast<uint64_t>(image->text().data());
    const uint64_t end = begin + image->text().size();
    const auto is_guest = [&](uint64_t pc) { return pc >= begin && pc < end; };
    size_t before = 0, guest = 0;
    while (before < walk.size() && !is_guest(walk[before])) ++before;
    while (before + guest < walk.size() && is_guest(walk[before + guest])) ++guest;
    EXPECT_GE(before, 2);
    EXPECT_EQ(guest, static_cast<size_t>(depth) + 2);
    // All frames of this test, up to main() and the C library, come after them.
    EXPECT_GE(walk.size() - before - guest, host_frames);
    for (size_t i = before + guest; i < walk.size(); ++i) EXPECT_FALSE(is_guest(walk[i]));

    // Each of them is at a guest call: the pc of the `jal`, of the `ecall` at the innermost.
    constexpr uint32_t kBase = riscv::testing::kCodeBase;
    for (size_t i = 0; i < guest; ++i) {
      const std::optional<uint32_t> pc = image->GuestPcOf(walk[before + i] - 1);
      ASSERT_TRUE(pc.has_value()) << i;
      const uint32_t expected = i == 0 ? kBase + 32 : i + 1 == guest ? kBase + 4 : kBase + 48;
      EXPECT_EQ(*pc, expected) << "guest frame " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, UnwindTest, testing::Values(0, 1, 2));

}  // namespace
}  // namespace precast
