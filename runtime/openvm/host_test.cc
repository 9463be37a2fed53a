#include "runtime/openvm/host.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/instance.h"
#include "runtime/snapshot.h"
#include "runtime/testing/rv32.h"

namespace precast::runtime {
namespace {

using namespace rv32;  // NOLINT: instructions are words of a language here
using abi::TrapCode;
using Reason = RunResult::Reason;
using Words = std::vector<uint32_t>;

constexpr uint32_t kCode = 0x10000;
constexpr uint32_t kData = 0x2000;

constexpr uint32_t terminate(int32_t code) { return IType(code, 0, 0, 0, 0x0b); }
constexpr uint32_t hintstorew(uint32_t rd) { return IType(0, 0, 1, rd, 0x0b); }
constexpr uint32_t hintbuffer(uint32_t rd, uint32_t rs1) { return IType(1, rs1, 1, rd, 0x0b); }
constexpr uint32_t reveal(uint32_t rd, uint32_t rs1, int32_t imm) {
  return IType(imm, rs1, 2, rd, 0x0b);
}
constexpr uint32_t hintinput = IType(0, 0, 3, 0, 0x0b);
constexpr uint32_t printstr(uint32_t rd, uint32_t rs1) { return IType(1, rs1, 3, rd, 0x0b); }
constexpr uint32_t hintrandom(uint32_t rd) { return IType(2, 0, 3, rd, 0x0b); }

OpenVmHostOptions SmallMachine() {
  OpenVmHostOptions options;
  options.config.memory_bits = 20;
  return options;
}

struct Guest {
  explicit Guest(const Words& words, OpenVmHostOptions options = SmallMachine()) {
    auto created = OpenVmHost::Create(std::move(options));
    EXPECT_TRUE(created.ok()) << created.status();
    host = created->get();
    auto made = Instance::Create(ProgramOfWords(kCode, words), nullptr, *std::move(created), {});
    EXPECT_TRUE(made.ok()) << made.status();
    instance = *std::move(made);
  }
  std::vector<uint8_t> Memory(uint32_t address, uint32_t size) {
    std::vector<uint8_t> bytes(size);
    EXPECT_TRUE(instance->memory().CopyIn(address, absl::MakeSpan(bytes)).ok());
    return bytes;
  }
  OpenVmHost* host;
  std::unique_ptr<Instance> instance;
};

void ExpectExit(const Words& words, uint32_t code, uint64_t retired) {
  Guest guest(words);
  const RunResult result = guest.instance->Run();
  EXPECT_EQ(result.reason, Reason::kExited);
  EXPECT_EQ(result.exit_code, code);
  EXPECT_EQ(guest.instance->retired(), retired);
}

void ExpectTrap(const Words& words, TrapCode trap, uint32_t address, uint64_t retired,
                OpenVmHostOptions options = SmallMachine()) {
  Guest guest(words, std::move(options));
  const RunResult result = guest.instance->Run();
  ASSERT_EQ(result.reason, Reason::kTrapped);
  EXPECT_EQ(result.trap, trap) << TrapName(result.trap);
  EXPECT_EQ(result.fault_address, address);
  EXPECT_EQ(guest.instance->retired(), retired);
  EXPECT_EQ(guest.instance->pc(), kCode + 4 * retired);
}

TEST(OpenVmHost, Terminates) {
  ExpectExit({addi(a0, zero, 1), terminate(0)}, 0, 2);
  ExpectExit({terminate(255)}, 255, 1);
  ExpectExit({ecall}, kUnimplementedExitCode, 1);
  ExpectExit({ebreak}, kUnimplementedExitCode, 1);
  ExpectExit({IType(0x344, a0, 1, zero, 0x73)}, kUnimplementedExitCode, 1);  // csrw mip, a0
  ExpectExit({0xc0001073, terminate(3)}, 3, 2);  // csrw cycle, x0: nothing
  ExpectTrap({terminate(256)}, TrapCode::kIllegalInstruction, kCode, 0);
  ExpectTrap({terminate(-1)}, TrapCode::kIllegalInstruction, kCode, 0);
}

TEST(OpenVmHost, MemoryIsStrict) {
  EXPECT_EQ(TrapCode::kNone, TrapCode{});
  ExpectExit({lui(a0, 0x100), addi(a0, a0, -4), sw(a0, 0, a0), lw(a1, 0, a0), terminate(0)}, 0, 5);
  ExpectTrap({lui(a0, 0x100), sw(a0, 0, a0)}, TrapCode::kMemoryFault, 0x100000, 1);
  ExpectTrap({addi(a0, zero, 2), sw(a0, 0, a0)}, TrapCode::kMisalignedAccess, 2, 1);
  ExpectTrap({addi(a0, zero, -1), lw(zero, 0, a0)}, TrapCode::kMisalignedAccess, 0xffffffff, 1);
  ExpectTrap({lw(zero, -4, zero)}, TrapCode::kMemoryFault, 0xfffffffc, 0);
  // The code may be overwritten, which changes nothing about it.
  ExpectExit({auipc(a0, 0), sw(zero, 8, a0), terminate(7)}, 7, 3);
  ExpectExit({sw(zero, 0, zero), lw(a0, 0, zero), terminate(0)}, 0, 3);
}

TEST(OpenVmHost, HintsFromInputs) {
  OpenVmHostOptions options = SmallMachine();
  options.inputs = {{1, 2, 3, 4, 5}, {}};
  const Words words = {lui(a0, 2),      hintinput,         hintstorew(a0),     lw(a1, 0, a0),
                       addi(a0, a0, 5), addi(a2, zero, 2), hintbuffer(a0, a2), hintinput,
                       addi(a0, a0, 9), hintstorew(a0),    terminate(0)};
  Guest guest(words, options);
  EXPECT_EQ(guest.instance->Run().reason, Reason::kExited);
  EXPECT_EQ(guest.instance->retired(), words.size());
  EXPECT_EQ(guest.instance->registers()[a1], 5u);
  EXPECT_EQ(guest.Memory(kData + 5, 8), (std::vector<uint8_t>{1, 2, 3, 4, 5, 0, 0, 0}));
  EXPECT_EQ(guest.Memory(kData + 14, 4), (std::vector<uint8_t>{0, 0, 0, 0}));
}

TEST(OpenVmHost, HintErrors) {
  ExpectTrap({hintinput}, TrapCode::kInputExhausted, 0, 0);
  ExpectTrap({hintstorew(zero)}, TrapCode::kHintOutOfBounds, 0, 0);
  OpenVmHostOptions options = SmallMachine();
  options.inputs = {std::vector<uint8_t>(40)};
  ExpectTrap({hintinput, hintbuffer(a0, zero)}, TrapCode::kInvalidOperand, 0, 1, options);
  ExpectTrap({hintinput, addi(a1, zero, 1024), hintbuffer(a0, a1)}, TrapCode::kInvalidOperand, 1024,
             2, options);
  ExpectTrap({hintinput, addi(a1, zero, 12), hintbuffer(a0, a1)}, TrapCode::kHintOutOfBounds, 0, 2,
             options);
  // Not in memory: nothing is consumed.
  Guest guest({hintinput, lui(a0, 0x100), hintstorew(a0)}, options);
  EXPECT_EQ(guest.instance->Run().trap, TrapCode::kMemoryFault);
  EXPECT_EQ(guest.host->state().hint_left(), 44u);
}

TEST(OpenVmHost, Reveals) {
  Guest guest(
      {addi(a0, zero, 8), lui(a1, 0x12345), reveal(a0, a1, 4), reveal(a0, a0, -8), terminate(0)});
  EXPECT_EQ(guest.instance->Run().reason, Reason::kExited);
  std::vector<uint8_t> expected(32);
  expected[0] = 8;
  expected[13] = 0x50, expected[14] = 0x34, expected[15] = 0x12;
  EXPECT_EQ(guest.host->public_values(), absl::MakeConstSpan(expected));
  ExpectTrap({reveal(zero, zero, 32)}, TrapCode::kPublicValueOutOfBounds, 32, 0);
  ExpectTrap({reveal(zero, zero, 2)}, TrapCode::kMisalignedAccess, 2, 0);
  ExpectTrap({reveal(zero, zero, -4)}, TrapCode::kPublicValueOutOfBounds, 0xfffffffc, 0);
}

TEST(OpenVmHost, Prints) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  OpenVmHostOptions options = SmallMachine();
  options.stdout_fd = fds[1];
  {
    Guest guest({lui(a0, 2), lui(a1, 6), addi(a1, a1, 0x768), addi(a1, a1, 0x200), sw(a1, 0, a0),
                 addi(a1, zero, 2), printstr(a0, a1), printstr(a0, zero), terminate(0)},
                options);
    EXPECT_EQ(guest.instance->Run().reason, Reason::kExited);
  }
  close(fds[1]);
  char text[100] = {};
  EXPECT_GT(read(fds[0], text, sizeof(text) - 1), 0);
  close(fds[0]);
  EXPECT_STREQ(text, "hi");
  // What is not UTF-8 ends the run.
  ExpectTrap({lui(a0, 2), addi(a1, zero, -1), sw(a1, 0, a0), addi(a1, zero, 1), printstr(a0, a1)},
             TrapCode::kInvalidOperand, kData, 4);
}

TEST(OpenVmHost, RandomIsTheSameEveryTime) {
  const Words words = {addi(a0, zero, 3), hintrandom(a0), lui(a1, 2), hintbuffer(a1, a0),
                       terminate(0)};
  Guest one(words), two(words);
  EXPECT_EQ(one.instance->Run().reason, Reason::kExited);
  EXPECT_EQ(two.instance->Run().reason, Reason::kExited);
  EXPECT_EQ(one.Memory(kData, 12), two.Memory(kData, 12));
  EXPECT_NE(one.Memory(kData, 12), std::vector<uint8_t>(12));
  ExpectTrap({addi(a0, zero, -1), hintrandom(a0)}, TrapCode::kInvalidOperand, 0xffffffff, 1);
}

TEST(OpenVmHost, DisabledExtension) {
  OpenVmHostOptions options = SmallMachine();
  options.config.extensions = {"nonsense"};
  EXPECT_TRUE(absl::IsNotFound(OpenVmHost::Create(options).status()));
}

TEST(OpenVmHost, SnapshotKeepsStreams) {
  OpenVmHostOptions options = SmallMachine();
  options.inputs = {{1, 2, 3, 4, 5, 6, 7, 8}, {9}};
  const Words words = {hintinput,      lui(a0, 2),          hintstorew(a0),    hintstorew(a0),
                       lw(a1, 0, a0),  reveal(zero, a1, 0), addi(a2, zero, 2), hintrandom(a2),
                       hintstorew(a0), hintinput,           addi(a0, a0, 4),   hintbuffer(a0, a2),
                       terminate(0)};
  Guest whole(words, options);
  ASSERT_EQ(whole.instance->Run().reason, Reason::kExited);
  for (int64_t at = 1; at < 13; ++at) {
    Guest first(words, options);
    ASSERT_EQ(first.instance->Run(at).reason, Reason::kSuspended);
    auto snapshot = EncodeSnapshot(*first.instance);
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    Guest second(words, SmallMachine());  // the inputs come with the snapshot
    const absl::Status restored = RestoreSnapshot(
        absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(snapshot->data()), snapshot->size()),
        *second.instance);
    ASSERT_TRUE(restored.ok()) << restored;
    EXPECT_EQ(second.instance->Run().reason, Reason::kExited) << at;
    EXPECT_EQ(second.Memory(kData, 16), whole.Memory(kData, 16)) << at;
    EXPECT_EQ(second.host->public_values(), whole.host->public_values());
    EXPECT_EQ(second.instance->retired(), whole.instance->retired());
  }
}

}  // namespace
}  // namespace precast::runtime
