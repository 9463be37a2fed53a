#include "runtime/instance.h"

#include <execinfo.h>
#include <signal.h>

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/signals.h"
#include "runtime/testing/native_snippets.h"
#include "runtime/testing/rv32.h"

namespace precast::runtime {
namespace {

using namespace rv32;  // NOLINT: instructions are words of a language here
using Reason = RunResult::Reason;
using Kind = loader::SiteInfo::Kind;
using LocationKind = loader::StateLocation::Kind;

constexpr uint32_t kBase = 0x10000;

// An image whose code is in native_snippets.S.
class FakeImage final : public loader::Image {
 public:
  explicit FakeImage(ProgramImage program) : program_(std::move(program)) {
    for (const ProgramSegment& s : program_.segments) {
      segments_.push_back({.address = s.address,
                           .size = s.size,
                           .data = s.data,
                           .fd = -1,
                           .file_offset = 0,
                           .readable = s.readable,
                           .writable = s.writable,
                           .executable = s.executable});
    }
    for (const ProgramCodeRange& r : program_.code_ranges)
      ranges_.push_back({.begin = r.begin, .end = r.end});
  }

  void SetMetered(bool metered) { metered_ = metered; }
  bool metered() const override { return metered_; }
  void AddEntry(uint32_t pc, const unsigned char* code) { entries_[pc] = code; }
  // All passed registers are in machine registers, as at a boundary; `more` comes on top.
  void AddSite(const unsigned char* at, Kind kind, uint32_t pc, uint32_t refund,
               std::vector<loader::StateLocation> more = {},
               abi::TrapCode trap = abi::TrapCode::kNone) {
    loader::SiteInfo site;
    site.kind = kind;
    site.trap_code = static_cast<uint8_t>(trap);
    site.guest_pc = pc;
    site.refund = refund;
    for (int i = 0; i < abi::kNumPassed; ++i) {
      site.state.push_back(
          {.slot = abi::kPassed[i], .kind = LocationKind::kRegister, .value = abi::kPassedIn[i]});
    }
    site.state.insert(site.state.end(), more.begin(), more.end());
    sites_[reinterpret_cast<uint64_t>(at)] = site;
  }

  absl::Span<const uint8_t> text() const override {
    return absl::MakeConstSpan(snippets_begin, static_cast<size_t>(snippets_end - snippets_begin));
  }
  const void* FindEntry(uint32_t pc) const override {
    auto it = entries_.find(pc);
    return it == entries_.end() ? nullptr : it->second;
  }
  std::optional<loader::SiteInfo> FindSite(uint64_t native_pc) const override {
    auto it = sites_.find(native_pc);
    return it == sites_.end() ? std::nullopt : std::optional(it->second);
  }
  std::optional<uint32_t> GuestPcOf(uint64_t) const override { return std::nullopt; }
  uint32_t entry_pc() const override { return program_.entry_pc; }
  uint32_t initial_brk() const override { return program_.initial_brk; }
  uint32_t phdr_address() const override { return 0; }
  uint32_t phdr_count() const override { return 0; }
  absl::Span<const loader::GuestSegment> segments() const override { return segments_; }
  absl::Span<const loader::CodeRange> code_ranges() const override { return ranges_; }
  absl::Span<const uint8_t> program_guid() const override { return program_.guid; }

 private:
  bool metered_ = true;
  ProgramImage program_;
  std::vector<loader::GuestSegment> segments_;
  std::vector<loader::CodeRange> ranges_;
  std::map<uint32_t, const void*> entries_;
  std::map<uint64_t, loader::SiteInfo> sites_;
};

// ecall with a7 = 93 exits with a0; any other calls `on_call`.
class FakeHost final : public HostAbi {
 public:
  using Registers = std::map<uint32_t, uint32_t>;
  explicit FakeHost(Registers registers = {}, std::function<void(abi::VmContext&)> on_call = {})
      : registers_(std::move(registers)), on_call_(std::move(on_call)) {}
  std::string name() const override { return "fake"; }
  absl::Status SetUp(const ProgramImage&, GuestMemory&, abi::VmContext& context) override {
    for (auto [number, value] : registers_) context.x[number] = value;
    return absl::OkStatus();
  }
  HostCallResult HandleCall(abi::VmContext& context, GuestMemory&) override {
    if (context.x[a7] == 93) return HostCallResult::Exit(context.x[a0]);
    if (on_call_) on_call_(context);
    return HostCallResult::Continue();
  }
  absl::StatusOr<std::string> SaveState() override { return std::string(); }
  absl::Status RestoreState(absl::Span<const uint8_t>) override { return absl::OkStatus(); }

 private:
  Registers registers_;
  std::function<void(abi::VmContext&)> on_call_;
};

std::unique_ptr<Instance> MakeInstance(std::shared_ptr<const loader::Image> image,
                                       std::unique_ptr<HostAbi> host,
                                       InstanceOptions options = {}) {
  absl::StatusOr<std::unique_ptr<Instance>> instance =
      Instance::Create(std::move(image), std::move(host), std::move(options));
  EXPECT_TRUE(instance.ok()) << instance.status();
  return *std::move(instance);
}

// What a run ended with, to be compared between native and interpreted runs.
struct Outcome {
  Reason reason;
  uint32_t exit_code;
  abi::TrapCode trap;
  uint32_t fault_address;
  uint32_t pc;
  uint64_t retired;
  std::vector<uint32_t> registers;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome RunOnce(Instance& instance, int64_t limit = Instance::kUnlimited) {
  RunResult result = instance.Run(limit);
  EXPECT_NE(result.reason, Reason::kFailed) << result.failure;
  return {.reason = result.reason,
          .exit_code = result.exit_code,
          .trap = result.trap,
          .fault_address = result.fault_address,
          .pc = instance.pc(),
          .retired = instance.retired(),
          .registers = std::vector<uint32_t>(instance.registers(), instance.registers() + 32)};
}

// Runs to the end natively and interpreted, once without stop and once suspended every `step`
// instructions for several steps; all must agree at every suspension.
Outcome RunEveryWay(const std::shared_ptr<FakeImage>& image, const FakeHost::Registers& registers,
                    const InstanceOptions& options = {}) {
  auto make = [&](bool interpret) {
    InstanceOptions o = options;
    o.interpret_only = interpret;
    return MakeInstance(image, std::make_unique<FakeHost>(registers), o);
  };
  std::unique_ptr<Instance> native = make(false), interpreted = make(true);
  Outcome expected = RunOnce(*interpreted);
  EXPECT_EQ(RunOnce(*native).registers, expected.registers);
  EXPECT_EQ(RunOnce(*make(false)), expected);
  EXPECT_GT(native->statistics().native_entries, 0u);
  for (int64_t step : {1, 2, 3, 5, 7}) {
    if (expected.retired > 10000 && step < 5) continue;
    native = make(false);
    interpreted = make(true);
    for (;;) {
      Outcome one = RunOnce(*native, step), two = RunOnce(*interpreted, step);
      EXPECT_EQ(one, two) << "step " << step;
      if (one != two || one.reason != Reason::kSuspended) break;
    }
  }
  return expected;
}

// addi a0, a0, 1; addi a0, a0, 1; then, interpreted: li a7, 93; ecall
std::shared_ptr<FakeImage> BlockImage() {
  auto image = std::make_shared<FakeImage>(
      ProgramOfWords(kBase, {addi(a0, a0, 1), addi(a0, a0, 1), addi(a7, zero, 93), ecall}));
  image->AddEntry(kBase, snippet_block);
  image->AddSite(snippet_block_suspend, Kind::kSuspend, kBase, 2);
  return image;
}

TEST(InstanceTest, EntersAndReturns) {
  std::unique_ptr<Instance> instance = MakeInstance(BlockImage(), std::make_unique<FakeHost>());
  RunResult result = instance->Run();
  EXPECT_EQ(result.reason, Reason::kExited);
  EXPECT_EQ(result.exit_code, 2u);
  EXPECT_EQ(instance->retired(), 4u);
  EXPECT_EQ(instance->pc(), kBase + 12);
  EXPECT_EQ(instance->statistics().interpreted, 2u);
  EXPECT_EQ(instance->statistics().native_entries, 1u);
  EXPECT_EQ(instance->statistics().native_exits[0], 1u);
  EXPECT_EQ(instance->statistics().host_calls, 1u);
  // Once exited, always exited.
  EXPECT_EQ(instance->Run().reason, Reason::kExited);
  EXPECT_EQ(instance->retired(), 4u);
  RunEveryWay(BlockImage(), {});
}

TEST(InstanceTest, LimitWithoutCountingIsInterpreted) {
  std::shared_ptr<FakeImage> image = BlockImage();
  image->SetMetered(false);
  std::unique_ptr<Instance> instance = MakeInstance(image, std::make_unique<FakeHost>());
  EXPECT_EQ(instance->Run(2).reason, Reason::kSuspended);
  EXPECT_EQ(instance->pc(), kBase + 8);
  EXPECT_EQ(instance->retired(), 2u);
  EXPECT_EQ(instance->statistics().native_entries, 0u);
}

TEST(InstanceTest, SuspendsExactly) {
  std::unique_ptr<Instance> instance = MakeInstance(BlockImage(), std::make_unique<FakeHost>());
  EXPECT_EQ(instance->Run(0).reason, Reason::kSuspended);
  EXPECT_EQ(instance->pc(), kBase);
  EXPECT_EQ(instance->Run(1).reason, Reason::kSuspended);
  EXPECT_EQ(instance->pc(), kBase + 4);
  EXPECT_EQ(instance->registers()[a0], 1u);
  EXPECT_EQ(instance->statistics().native_exits[2], 1u);
  EXPECT_EQ(instance->Run(1).reason, Reason::kSuspended);
  EXPECT_EQ(instance->pc(), kBase + 8);
  EXPECT_EQ(instance->retired(), 2u);
  EXPECT_EQ(instance->Run().reason, Reason::kExited);
  EXPECT_EQ(instance->retired(), 4u);
}

TEST(InstanceTest, MemoryFaultHasExactState) {
  // addi a0, a0, 5; addi s2, a0, 1; addi s3, zero, 77; lw a1, -4(a2)
  auto image = std::make_shared<FakeImage>(
      ProgramOfWords(kBase, {addi(a0, a0, 5), addi(s2, a0, 1), addi(s3, zero, 77), lw(a1, -4, a2),
                             addi(a7, zero, 93), ecall}));
  image->AddEntry(kBase, snippet_fault);
  image->AddSite(snippet_fault_suspend, Kind::kSuspend, kBase, 4);
  image->AddSite(snippet_fault_memory, Kind::kMemory, kBase + 12, 1,
                 {{.slot = 18, .kind = LocationKind::kFrame, .value = 0},
                  {.slot = 19, .kind = LocationKind::kConstant, .value = 77}});
  Outcome outcome = RunEveryWay(image, {{a0, 37}, {a1, 9}, {a2, 0x12345678}});
  EXPECT_EQ(outcome.reason, Reason::kTrapped);
  EXPECT_EQ(outcome.trap, abi::TrapCode::kMemoryFault);
  EXPECT_EQ(outcome.fault_address, 0x12345674u);
  EXPECT_EQ(outcome.pc, kBase + 12);
  EXPECT_EQ(outcome.retired, 3u);
  EXPECT_EQ(outcome.registers[a0], 42u);
  EXPECT_EQ(outcome.registers[a1], 9u);
  EXPECT_EQ(outcome.registers[s2], 43u);
  EXPECT_EQ(outcome.registers[s3], 77u);
  // Below the base: an address that wraps around.
  EXPECT_EQ(RunEveryWay(image, {{a2, 2}}).fault_address, 0xFFFFFFFEu);
  // Two pages of which the second is not mapped; an access that is fine.
  EXPECT_EQ(RunEveryWay(image, {{a2, kBase + 0x1002}}).fault_address, kBase + 0x1000);
  EXPECT_EQ(RunEveryWay(image, {{a2, kBase + 4}}).reason, Reason::kExited);
}

TEST(InstanceTest, TrapInstruction) {
  auto image = std::make_shared<FakeImage>(ProgramOfWords(kBase, {ebreak}));
  image->AddEntry(kBase, snippet_ud2);
  image->AddSite(snippet_ud2_trap, Kind::kTrap, kBase, 0, {}, abi::TrapCode::kBreakpoint);
  Outcome outcome = RunEveryWay(image, {{a0, 1}});
  EXPECT_EQ(outcome.reason, Reason::kTrapped);
  EXPECT_EQ(outcome.trap, abi::TrapCode::kBreakpoint);
  EXPECT_EQ(outcome.pc, kBase);
  EXPECT_EQ(outcome.retired, 0u);
}

TEST(InstanceTest, RestartsOnExhaustedStack) {
  // f: beq a0, zero, +16; addi a0, a0, -1; addi a1, a1, 1; jal ra, f; li a7, 93; ecall
  auto image = std::make_shared<FakeImage>(
      ProgramOfWords(kBase, {beq(a0, zero, 16), addi(a0, a0, -1), addi(a1, a1, 1), jal(ra, -12),
                             addi(a7, zero, 93), ecall}));
  image->AddEntry(kBase, snippet_recursion);
  image->AddSite(snippet_recursion_suspend1, Kind::kSuspend, kBase, 1);
  image->AddSite(snippet_recursion_suspend2, Kind::kSuspend, kBase + 4, 3);
  image->AddSite(snippet_recursion_stack, Kind::kStack, kBase, 0);
  InstanceOptions options;
  options.native_stack_size = 128 << 10;
  Outcome outcome = RunEveryWay(image, {{a0, 50000}}, options);
  EXPECT_EQ(outcome.reason, Reason::kExited);
  EXPECT_EQ(outcome.registers[a1], 50000u);
  EXPECT_EQ(outcome.retired, 50000u * 4 + 3);
  std::unique_ptr<Instance> instance =
      MakeInstance(image, std::make_unique<FakeHost>(FakeHost::Registers{{a0, 50000}}), options);
  instance->Run();
  EXPECT_GE(instance->statistics().native_exits[4], 3u);
}

// addi a0, a0, 1; ecall; then, interpreted: li a7, 93; ecall
std::shared_ptr<FakeImage> HostCallImage() {
  auto image = std::make_shared<FakeImage>(
      ProgramOfWords(kBase, {addi(a0, a0, 1), ecall, addi(a7, zero, 93), ecall}));
  image->AddEntry(kBase, snippet_host_call);
  image->AddSite(snippet_host_call_suspend, Kind::kSuspend, kBase, 2);
  return image;
}

TEST(InstanceTest, HostCallSeesAndChangesState) {
  int calls = 0;
  auto host = std::make_unique<FakeHost>(FakeHost::Registers{{a0, 41}, {a7, 1}},
                                         [&](abi::VmContext& context) {
                                           ++calls;
                                           EXPECT_EQ(context.x[a0], 42u);
                                           EXPECT_EQ(context.pc, kBase + 4);
                                           context.x[a0] = 7;
                                           context.x[s1] = 8;
                                         });
  std::unique_ptr<Instance> instance = MakeInstance(HostCallImage(), std::move(host));
  RunResult result = instance->Run();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(result.reason, Reason::kExited);
  EXPECT_EQ(result.exit_code, 7u);
  EXPECT_EQ(instance->registers()[s1], 8u);
  EXPECT_EQ(instance->retired(), 4u);
  RunEveryWay(HostCallImage(), {{a7, 1}});
}

TEST(InstanceTest, HostCallExits) {
  Outcome outcome = RunEveryWay(HostCallImage(), {{a0, 4}, {a7, 93}});
  EXPECT_EQ(outcome.reason, Reason::kExited);
  EXPECT_EQ(outcome.exit_code, 5u);
  EXPECT_EQ(outcome.retired, 2u);
  EXPECT_EQ(outcome.pc, kBase + 4);
}

TEST(InstanceTest, BacktraceCrossesGuestFrames) {
  std::vector<uint64_t> frames;
  auto host = std::make_unique<FakeHost>(FakeHost::Registers{{a7, 1}}, [&](abi::VmContext&) {
    void* addresses[100];
    int count = backtrace(addresses, 100);
    for (int i = 0; i < count; ++i) frames.push_back(reinterpret_cast<uint64_t>(addresses[i]));
  });
  std::unique_ptr<Instance> instance = MakeInstance(HostCallImage(), std::move(host));
  instance->Run();
  auto within = [](const void* begin, uint64_t size) {
    return testing::Truly(
        [=](uint64_t pc) { return pc - reinterpret_cast<uint64_t>(begin) < size; });
  };
  auto enter = within(reinterpret_cast<const void*>(&precast_enter), 0xC0);
  auto guest = within(snippet_host_call, 0x40);
  auto find = [&](auto matcher) {
    size_t i = 0;
    while (i < frames.size() && !testing::Value(frames[i], matcher)) ++i;
    return i;
  };
  EXPECT_LT(find(guest), find(enter));
  EXPECT_LT(find(enter) + 3, frames.size()) << "the callers of precast_enter";
}

TEST(InstanceTest, RunsAGuestInsideAHostCall) {
  auto host = std::make_unique<FakeHost>(FakeHost::Registers{{a7, 1}}, [&](abi::VmContext&) {
    auto image = std::make_shared<FakeImage>(ProgramOfWords(kBase, {ebreak}));
    image->AddEntry(kBase, snippet_ud2);
    image->AddSite(snippet_ud2_trap, Kind::kTrap, kBase, 0, {}, abi::TrapCode::kBreakpoint);
    EXPECT_EQ(MakeInstance(image, std::make_unique<FakeHost>())->Run().trap,
              abi::TrapCode::kBreakpoint);
  });
  EXPECT_EQ(MakeInstance(HostCallImage(), std::move(host))->Run().reason, Reason::kExited);
}

TEST(InstanceTest, DispatchMissContinuesInTheInterpreter) {
  // j +16; three never reached; li a7, 93; ecall
  auto image = std::make_shared<FakeImage>(
      ProgramOfWords(kBase, {jal(zero, 16), ebreak, ebreak, ebreak, addi(a7, zero, 93), ecall}));
  image->AddEntry(kBase, snippet_miss);
  std::unique_ptr<Instance> instance = MakeInstance(image, std::make_unique<FakeHost>());
  EXPECT_EQ(instance->Run().reason, Reason::kExited);
  EXPECT_EQ(instance->statistics().native_exits[1], 1u);
  EXPECT_EQ(instance->retired(), 3u);
}

TEST(InstanceTest, PassesRegisters) {
  auto image = std::make_shared<FakeImage>(ProgramOfWords(kBase, {addi(zero, zero, 0), ebreak}));
  image->AddEntry(kBase, snippet_registers);
  FakeHost::Registers registers;
  for (uint32_t i = 1; i < 32; ++i) registers[i] = 0xFFFFFFF0 + i;
  std::unique_ptr<Instance> instance = MakeInstance(image, std::make_unique<FakeHost>(registers));
  EXPECT_EQ(instance->Run().trap, abi::TrapCode::kBreakpoint);
  std::map<uint32_t, uint32_t> added;
  for (int i = 0; i < abi::kNumPassed; ++i) added[abi::kPassed[i]] = static_cast<uint32_t>(i + 1);
  for (uint32_t i = 1; i < 32; ++i)
    EXPECT_EQ(instance->registers()[i], registers[i] + added[i]) << "x" << i;
}

TEST(InstanceTest, ResolvesPltEntries) {
  auto image = std::make_shared<FakeImage>(ProgramOfWords(kBase, {addi(zero, zero, 0), ebreak}));
  image->AddEntry(kBase, snippet_plt);
  FakeHost::Registers registers;
  for (uint32_t i = 1; i < 32; ++i) registers[i] = 1000 + i;
  uint32_t asked = 0;
  InstanceOptions options;
  options.resolve_plt = [&](uint32_t index) -> const void* {
    asked = index;
    return snippet_plt_target;
  };
  std::unique_ptr<Instance> instance =
      MakeInstance(image, std::make_unique<FakeHost>(registers), options);
  EXPECT_EQ(instance->Run().trap, abi::TrapCode::kBreakpoint);
  EXPECT_EQ(asked, 3u);
  EXPECT_EQ(instance->pc(), kBase + 4);
  for (uint32_t i = 1; i < 32; ++i)
    EXPECT_EQ(instance->registers()[i], registers[i] + (i == sp ? 16 : 0)) << "x" << i;
}

TEST(InstanceTest, BrokenImagesFailWithAStatus) {
  auto run = [](const std::shared_ptr<FakeImage>& image) {
    return MakeInstance(image, std::make_unique<FakeHost>())->Run();
  };
  auto program = [] {
    return ProgramOfWords(kBase, {addi(zero, zero, 0), lw(a0, 0, zero), ebreak});
  };
  // A fault where the image has no site.
  auto image = std::make_shared<FakeImage>(program());
  image->AddEntry(kBase, snippet_wild);
  RunResult result = run(image);
  EXPECT_EQ(result.reason, Reason::kFailed);
  EXPECT_THAT(result.failure.message(), testing::HasSubstr("no site"));
  // A host address outside guest memory.
  image->AddSite(snippet_wild_memory, Kind::kMemory, kBase + 4, 0);
  result = run(image);
  EXPECT_EQ(result.reason, Reason::kFailed);
  EXPECT_THAT(result.failure.message(), testing::HasSubstr("outside guest memory"));
  // Sites of the wrong kind, with impossible registers, slots, frames and refunds.
  image->AddSite(snippet_wild_memory, Kind::kCall, kBase + 4, 0);
  EXPECT_EQ(run(image).reason, Reason::kFailed);
  for (loader::StateLocation bad : {loader::StateLocation{1, LocationKind::kRegister, 32},
                                    loader::StateLocation{1, LocationKind::kRegister, -1},
                                    loader::StateLocation{0, LocationKind::kConstant, 1},
                                    loader::StateLocation{33, LocationKind::kConstant, 1},
                                    loader::StateLocation{1, LocationKind::kFrame, 0x7FFFFFFF},
                                    loader::StateLocation{1, LocationKind::kFrame, -0x7FFFFFFF}}) {
    image->AddSite(snippet_wild_memory, Kind::kMemory, kBase + 4, 0, {bad});
    result = run(image);
    EXPECT_EQ(result.reason, Reason::kFailed);
    EXPECT_THAT(result.failure.message(), testing::HasSubstr("site at pc"));
  }
  image->AddSite(snippet_wild_memory, Kind::kMemory, kBase + 4, 0xFFFFFFFF);
  EXPECT_EQ(run(image).reason, Reason::kFailed);
  // A trap that the guest program does not have.
  image = std::make_shared<FakeImage>(program());
  image->AddEntry(kBase, snippet_ud2);
  image->AddSite(snippet_ud2_trap, Kind::kTrap, kBase, 0, {}, abi::TrapCode::kBreakpoint);
  EXPECT_THAT(run(image).failure.message(), testing::HasSubstr("expected no trap"));
  // Code that does nothing.
  image = std::make_shared<FakeImage>(program());
  image->AddEntry(kBase, snippet_stuck);
  EXPECT_THAT(run(image).failure.message(), testing::HasSubstr("did nothing"));
}

TEST(InstanceTest, TrapsOnSeveralThreads) {
  auto image = std::make_shared<FakeImage>(ProgramOfWords(kBase, {ebreak}));
  image->AddEntry(kBase, snippet_ud2);
  image->AddSite(snippet_ud2_trap, Kind::kTrap, kBase, 0, {}, abi::TrapCode::kBreakpoint);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        EXPECT_EQ(MakeInstance(image, std::make_unique<FakeHost>())->Run().trap,
                  abi::TrapCode::kBreakpoint);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(SignalsDeathTest, FaultsOfTheHostStayFaults) {
  ASSERT_TRUE(PrepareThreadForGuestCode().ok());
  EXPECT_DEATH(raise(SIGSEGV), "");
  EXPECT_DEATH(
      {
        auto host = std::make_unique<FakeHost>(FakeHost::Registers{{a7, 1}}, [&](abi::VmContext&) {
          volatile int* volatile nowhere = nullptr;
          *nowhere = 1;
        });
        MakeInstance(HostCallImage(), std::move(host))->Run();
      },
      "");
}

}  // namespace
}  // namespace precast::runtime
