#include "openvm/extension.h"

#include "gtest/gtest.h"
#include "openvm/metering.h"

namespace precast::openvm {
namespace {

bool CopyWord(const ExtensionState*, const Instruction&, const Operands& operands, Machine& m) {
  const uint8_t* from = m.Read(operands.rs1, 4);
  if (from == nullptr) return false;
  uint8_t* to = m.Write(operands.rd, 4);
  if (to == nullptr) return false;
  for (int i = 0; i < 4; ++i) to[i] = from[i];
  return true;
}

uint32_t ByLength(const Instruction&, const Operands& operands, Machine&) {
  return operands.rs2 / 4;
}

class TestExtension final : public Extension {
 public:
  std::string_view name() const override { return "test"; }
  absl::Span<const Opcode> opcodes() const override {
    static constexpr ChipRows kRows[] = {{"Copy-%", 2}, {"Words", 0, &ByLength}, {"Nowhere", 1}};
    static constexpr Opcode kOpcodes[] = {
        {"copy", 0x0000702b, 0x0e00707f, Form::kR, Effect::kMemory, &CopyWord, kRows},
        {"stop",
         0x0000700b,
         0x0000707f,
         Form::kI,
         Effect::kEnd,
         &CopyWord,
         {},
         [](uint32_t word) { return word >> 28 == 0; }},
    };
    return kOpcodes;
  }
};

TEST(Extension, FindsItsWords) {
  Registry registry;
  static const TestExtension extension;
  registry.Add(&extension);
  EXPECT_EQ(registry.FindExtension("test"), &extension);
  EXPECT_EQ(registry.FindExtension("other"), nullptr);
  const Registry::Entry* copy = registry.Find(0x30c5f52b);  // funct7 0x18
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->opcode->mnemonic, "copy");
  EXPECT_EQ(registry.Find(0x32c5f52b), nullptr);  // another funct7
  EXPECT_EQ(registry.Find(0x30c5e52b), nullptr);  // another funct3
  EXPECT_EQ(registry.Find(0x30c5f533), nullptr);  // add
  EXPECT_NE(registry.Find(0x0010700b), nullptr);
  EXPECT_EQ(registry.Find(0x1010700b), nullptr);  // not valid
  EXPECT_EQ(Disassemble(*copy->opcode, {.rd = 10, .rs1 = 11, .rs2 = 12, .funct7 = 0x18}, 0),
            "copy a0, a1, a2, 3");
  EXPECT_EQ(ExtensionId(extension), "test/1");
}

TEST(Extension, RowsOfAnInstruction) {
  Registry registry;
  static const TestExtension extension;
  registry.Add(&extension);
  MeteringConfig metering;
  metering.chips = {{"BaseAlu"}, {"Copy-3"}, {"Words"}, {"Phantom"}};
  RowTable table(metering, registry);
  absl::Span<const RowUse> rows = table.Of(0x30c5f52b);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].chip, 1u);
  EXPECT_EQ(rows[0].rows, 2u);
  EXPECT_EQ(rows[1].chip, 2u);
  HostState host;
  Machine machine(nullptr, 0, host, nullptr);
  EXPECT_EQ(rows[1].count({}, {.rs2 = 40}, machine), 10u);
  ASSERT_EQ(table.Of(0x00b50533).size(), 1u);  // add a0, a0, a1
  EXPECT_EQ(table.Of(0x00b50533)[0].chip, 0u);
  ASSERT_EQ(table.Of(0x00b50033).size(), 1u);  // add x0, a0, a1
  EXPECT_EQ(table.Of(0x00b50033)[0].chip, 3u);
  EXPECT_TRUE(table.Of(0x02b50533).empty());  // mul: no such chip here
}

TEST(Machine, AccessesAreChecked) {
  uint8_t memory[16] = {};
  HostState host;
  host.public_values.resize(8);
  Machine m(memory, sizeof(memory), host, nullptr);
  EXPECT_EQ(m.Read(12, 4), memory + 12);
  EXPECT_EQ(m.trap, abi::TrapCode::kNone);
  EXPECT_EQ(m.Write(13, 4), nullptr);
  EXPECT_EQ(m.trap, abi::TrapCode::kMemoryFault);
  EXPECT_EQ(m.trap_address, 16u);
  EXPECT_EQ(m.Read(0xfffffffe, 4), nullptr);
  EXPECT_EQ(m.trap_address, 0xfffffffeu);
  EXPECT_NE(m.WritePublicValues(4, 4), nullptr);
  EXPECT_EQ(m.WritePublicValues(8, 4), nullptr);
  EXPECT_EQ(m.trap, abi::TrapCode::kPublicValueOutOfBounds);
}

}  // namespace
}  // namespace precast::openvm
