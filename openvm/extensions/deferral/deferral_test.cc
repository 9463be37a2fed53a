#include <algorithm>
#include <cstdint>
#include <memory>
#include <tuple>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "openvm/config.h"
#include "openvm/extension.h"

namespace precast::openvm {
namespace {

constexpr uint32_t kFunction = 40, kFunctions = 41;
constexpr uint32_t kCall = 0x0000702b | kFunction << 22, kOutput = 0x0010702b | kFunction << 22;
constexpr uint32_t kInput = 64, kKey = 256, kBytes = 512;

// One function, whose commitment of an output is 32 times the first byte of the input's and one
// more.
class Table final : public Deferrals {
 public:
  bool Call(uint32_t index, absl::Span<const uint8_t> input_commit, absl::Span<uint8_t> output,
            uint64_t& size) override {
    if (index != kFunction) return false;
    std::fill(output.begin(), output.end(), static_cast<uint8_t>(input_commit[0] + 1));
    size = bytes_.size();
    return true;
  }
  const std::vector<uint8_t>* Output(uint32_t, absl::Span<const uint8_t> commit) override {
    return commit[0] == 8 ? &bytes_ : nullptr;
  }

 private:
  const std::vector<uint8_t> bytes_ = std::vector<uint8_t>(24, 0xab);
};

using Access = std::tuple<AddressSpace, uint32_t, uint32_t, bool>;

class Recorder final : public Observer {
 public:
  void OnInstruction(uint32_t, uint32_t, const uint32_t*) override {}
  void OnAccess(AddressSpace space, uint32_t address, uint32_t size, bool write) override {
    accesses.emplace_back(space, address, size, write);
  }
  std::vector<Access> accesses;
};

class Deferral : public testing::Test {
 protected:
  Deferral() : memory_(4096) {
    host_.deferrals = &table_;
    Config config;
    config.deferrals = kFunctions;
    state_ = *Registry::Global().FindExtension("deferral")->Configure(config);
  }
  bool Execute(uint32_t word, Operands x, Machine& m) {
    return Registry::Global().Find(word)->opcode->execute(state_.get(), {.word = word}, x, m);
  }

  std::vector<uint8_t> memory_;
  Table table_;
  HostState host_;
  Recorder recorder_;
  std::unique_ptr<ExtensionState> state_;
};

TEST_F(Deferral, CallsTouchTheFunctionsAccumulators) {
  memory_[kInput] = 7;
  Machine m(memory_.data(), memory_.size(), host_, &recorder_);
  ASSERT_TRUE(Execute(kCall, {.rd = kKey, .rs1 = kInput}, m));
  EXPECT_EQ(memory_[kKey], 8);
  EXPECT_EQ(memory_[kKey + 32], 24);
  // Sixteen cells of each function before it.
  EXPECT_EQ(recorder_.accesses,
            (std::vector<Access>{{AddressSpace::kMemory, kInput, 32, false},
                                 {AddressSpace::kMemory, kKey, 40, true},
                                 {AddressSpace::kDeferral, 16 * kFunction, 16, true}}));
}

TEST_F(Deferral, OutputsTouchMemoryOnly) {
  std::fill_n(memory_.begin() + kKey, 32, 8);
  memory_[kKey + 32] = 24;
  Machine m(memory_.data(), memory_.size(), host_, &recorder_);
  ASSERT_TRUE(Execute(kOutput, {.rd = kBytes, .rs1 = kKey}, m));
  EXPECT_EQ(memory_[kBytes + 23], 0xab);
  EXPECT_EQ(recorder_.accesses, (std::vector<Access>{{AddressSpace::kMemory, kKey, 40, false},
                                                     {AddressSpace::kMemory, kBytes, 24, true}}));
  // Of the output and of the permutation: one for the key, one for every eight bytes.
  for (const ChipRows& rows : Registry::Global().Find(kOutput)->opcode->rows)
    EXPECT_EQ(rows.count({}, {.rd = kBytes, .rs1 = kKey}, m), 4u) << rows.chip;
}

TEST_F(Deferral, AnUnknownCallTouchesNoCells) {
  Machine m(memory_.data(), memory_.size(), host_, &recorder_);
  host_.deferrals = nullptr;
  EXPECT_FALSE(Execute(kCall, {.rd = kKey, .rs1 = kInput}, m));
  EXPECT_EQ(m.trap, abi::TrapCode::kDisabledOperation);
  EXPECT_TRUE(recorder_.accesses.empty());
}

}  // namespace
}  // namespace precast::openvm
