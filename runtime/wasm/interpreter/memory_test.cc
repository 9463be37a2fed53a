// Instructions that access memories and tables.

#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "runtime/wasm/interpreter/interpreter.h"
#include "runtime/wasm/interpreter/test_instance.h"
#include "runtime/wasm/testing/module_builder.h"

namespace precast::runtime::wasm::interpreter {
namespace {

using abi::TrapCode;
using testing::FunctionType;
using testing::kExternRef;
using testing::kFuncRef;
using testing::kI32;
using testing::kI64;
using testing::kV128;
using testing::Leb;
using Kind = InterpreterStop::Kind;

constexpr uint64_t kPage = abi::kWasmPageSize;

// Memory instructions with alignment 0 and the offset.
Bytes Access(const Bytes& opcode, uint64_t offset = 0) { return Code({opcode, {0}, Leb(offset)}); }

TEST(MemoryTest, LoadsExtend) {
  struct Case {
    uint8_t opcode;
    uint8_t type;
    uint64_t value;
  };
  for (const Case& c :
       {Case{0x28, kI32, 0x83828180}, Case{0x29, kI64, 0x8786858483828180},
        Case{0x2c, kI32, 0xffffff80}, Case{0x2d, kI32, 0x80}, Case{0x2e, kI32, 0xffff8180},
        Case{0x2f, kI32, 0x8180}, Case{0x30, kI64, 0xffffffffffffff80}, Case{0x31, kI64, 0x80},
        Case{0x32, kI64, 0xffffffffffff8180}, Case{0x33, kI64, 0x8180},
        Case{0x34, kI64, 0xffffffff83828180}, Case{0x35, kI64, 0x83828180}}) {
    TestInstance instance(
        Single({kI32}, {c.type}, {0}, Code({{0x20, 0}, Access({c.opcode}, 1000)})).Build());
    for (uint8_t i = 0; i < 8; ++i) instance.memory()[1003 + i] = 0x80 + i;
    ASSERT_EQ(instance.Call(0, {3}).kind, Kind::kReturned);
    EXPECT_EQ(instance.Result(), c.value) << int{c.opcode};
  }
}

TEST(MemoryTest, BoundsAreExact) {
  struct Case {
    uint8_t opcode;
    uint32_t bytes;
  };
  for (const Case& c : {Case{0x36, 4}, Case{0x3a, 1}, Case{0x3b, 2}}) {
    for (const uint64_t offset : {uint64_t{0}, uint64_t{5}, uint64_t{0xffffffff}}) {
      TestInstance instance(
          Single({kI32, kI32}, {}, {0}, Code({{0x20, 0, 0x20, 1}, Access({c.opcode}, offset)}))
              .Build());
      if (offset < kPage) {
        EXPECT_EQ(instance.Call(0, {kPage - c.bytes - offset, 0x04030201}).kind, Kind::kReturned);
        EXPECT_EQ(instance.memory()[kPage - 1], c.bytes);
        EXPECT_EQ(instance.memory()[kPage - 1 - c.bytes], 0);
      }
      EXPECT_EQ(instance.Call(0, {(kPage + 1 - c.bytes - offset) & 0xffffffff, 0}).trap,
                TrapCode::kOutOfBoundsMemoryAccess);
      EXPECT_EQ(instance.Call(0, {0xffffffff, 0}).trap, TrapCode::kOutOfBoundsMemoryAccess);
    }
  }
}

TEST(MemoryTest, SecondMemoryAnd64BitAddresses) {
  TestModule module =
      Single({kI64}, {kI64}, {0}, Code({{0x20, 0, 0x29, 0x40, 1}, Leb(~uint64_t{0} - 15)}));
  module.memories.push_back({4, 1});
  TestInstance instance(module.Build());
  instance.memory(1)[4] = 9;
  // 20 - 16
  EXPECT_EQ(instance.Call(0, {20}).trap, TrapCode::kOutOfBoundsMemoryAccess)
      << "no wrapping around";
  TestModule small = Single({kI64}, {kI64}, {0}, {0x20, 0, 0x29, 0x40, 1, 4});
  small.memories.push_back({4, 1});
  TestInstance other(small.Build());
  other.memory(1)[4] = 9;
  ASSERT_EQ(other.Call(0, {0}).kind, Kind::kReturned);
  EXPECT_EQ(other.Result(), 9u);
  EXPECT_EQ(other.Call(0, {kPage - 12}).kind, Kind::kReturned);
  EXPECT_EQ(other.Call(0, {kPage - 11}).trap, TrapCode::kOutOfBoundsMemoryAccess);
  EXPECT_EQ(other.Call(0, {~uint64_t{0}}).trap, TrapCode::kOutOfBoundsMemoryAccess);
}

TEST(MemoryTest, VectorAccess) {
  struct Case {
    Bytes code;  // after local.get 0 (address), and local.get 1 (all ones) if it has a lane
    bool lane;
    uint64_t low, high;
  };
  const std::vector<Case> cases = {
      {Access({0xfd, 0}), false, 0x8786858483828180, 0x8f8e8d8c8b8a8988},
      {Access({0xfd, 1}), false, 0xff83ff82ff81ff80, 0xff87ff86ff85ff84},
      {Access({0xfd, 2}), false, 0x0083008200810080, 0x0087008600850084},
      {Access({0xfd, 3}), false, 0xffff8382ffff8180, 0xffff8786ffff8584},
      {Access({0xfd, 6}), false, 0x83828180, 0x87868584},
      {Access({0xfd, 8}), false, 0x8180818081808180, 0x8180818081808180},
      {Access({0xfd, 0x5c}), false, 0x83828180, 0},
      {Access({0xfd, 0x5d}), false, 0x8786858483828180, 0},
      {Code({Access({0xfd, 0x55}), {4}}), true, ~uint64_t{0}, 0xffffffffffff8180},
  };
  for (const Case& c : cases) {
    TestInstance instance(Single({kI32, kV128}, {kV128}, {0},
                                 Code({{0x20, 0}, c.lane ? Bytes{0x20, 1} : Bytes{}, c.code}))
                              .Build());
    for (uint8_t i = 0; i < 16; ++i) instance.memory()[i] = 0x80 + i;
    abi::WasmValue* const values = instance.values;
    std::memset(static_cast<void*>(values), 0, 16);
    std::memset(static_cast<void*>(values + 1), 0xff, 16);
    ASSERT_EQ(instance.Run(0, values).kind, Kind::kReturned);
    uint64_t halves[2];
    std::memcpy(halves, values, 16);
    EXPECT_EQ(halves[0], c.low) << int{c.code[1]};
    EXPECT_EQ(halves[1], c.high) << int{c.code[1]};
  }
  // v128.store64_lane 1
  TestInstance instance(
      Single({kI32, kV128}, {}, {0}, Code({{0x20, 0, 0x20, 1}, Access({0xfd, 0x5b}), {1}}))
          .Build());
  std::memset(static_cast<void*>(instance.values), 0, 16);
  std::memset(static_cast<void*>(instance.values + 1), 7, 8);
  std::memset(static_cast<void*>(instance.values[1].bytes + 8), 9, 8);
  ASSERT_EQ(instance.Run(0, instance.values).kind, Kind::kReturned);
  EXPECT_EQ(instance.memory()[0], 9);
  EXPECT_EQ(instance.memory()[8], 0);
}

TEST(MemoryTest, AtomicsAskForAlignmentFirst) {
  TestInstance instance(Single({kI32, kI32}, {kI32}, {0}, {0x20, 0, 0x20, 1, 0xfe, 0x1e, 2, 1})
                            .Build());  // add at + 1
  instance.memory()[4] = 5;
  ASSERT_EQ(instance.Call(0, {3, 7}).kind, Kind::kReturned);
  EXPECT_EQ(instance.Result(), 5u);
  EXPECT_EQ(instance.memory()[4], 12);
  EXPECT_EQ(instance.Call(0, {4, 7}).trap, TrapCode::kUnalignedAtomic);
  EXPECT_EQ(instance.Call(0, {0x20000, 7}).trap, TrapCode::kUnalignedAtomic);
  EXPECT_EQ(instance.Call(0, {0x1ffff, 7}).trap, TrapCode::kOutOfBoundsMemoryAccess);
}

TEST(MemoryTest, CompareExchangeComparesWhole) {
  TestInstance instance(Single({kI32, kI32, kI32}, {kI32}, {0},
                               {0x20, 0, 0x20, 1, 0x20, 2, 0xfe, 0x4a, 0, 0})  // 8 bits
                            .Build());
  instance.memory()[1] = 0x11;
  ASSERT_EQ(instance.Call(0, {1, 0x111, 2}).kind, Kind::kReturned);
  EXPECT_EQ(instance.Result(), 0x11u);
  EXPECT_EQ(instance.memory()[1], 0x11);
  ASSERT_EQ(instance.Call(0, {1, 0x11, 0x102}).kind, Kind::kReturned);
  EXPECT_EQ(instance.Result(), 0x11u);
  EXPECT_EQ(instance.memory()[1], 2);
}

TEST(MemoryTest, HelpersGetWholeOperands) {
  std::vector<uint64_t> seen;
  abi::WasmHelper helper = abi::WasmHelper::kMemoryGrow;
  uint64_t answer = 0;
  const auto run = [&](TestModule module, std::initializer_list<uint64_t> arguments) {
    TestInstance instance(module.Build());
    instance.on_helper = [&](abi::WasmHelper h, absl::Span<const uint64_t> operands,
                             uint64_t* result) {
      helper = h;
      seen.assign(operands.begin(), operands.end());
      *result = answer;
      return TrapCode::kNone;
    };
    EXPECT_EQ(instance.Call(0, arguments).kind, Kind::kReturned);
    return instance.Result();
  };
  answer = ~uint64_t{0};
  EXPECT_EQ(run(Single({kI32}, {kI32}, {0}, {0x20, 0, 0x40, 0}), {0xffffffff}), 0xffffffffu);
  EXPECT_EQ(seen, (std::vector<uint64_t>{0, 0xffffffff}));
  run(Single({kI32, kI32, kI32}, {}, {0}, {0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 10, 0, 0}), {1, 2, 3});
  EXPECT_EQ(helper, abi::WasmHelper::kMemoryCopy);
  EXPECT_EQ(seen, (std::vector<uint64_t>{0, 0, 1, 2, 3}));
  answer = 2;
  // memory.atomic.wait64 offset 16
  EXPECT_EQ(
      run(Single({kI32, kI64, kI64}, {kI32}, {0}, {0x20, 0, 0x20, 1, 0x20, 2, 0xfe, 2, 3, 16}),
          {8, 2, ~uint64_t{0}}),
      2u);
  EXPECT_EQ(helper, abi::WasmHelper::kAtomicWait64);
  EXPECT_EQ(seen, (std::vector<uint64_t>{0, 24, 2, ~uint64_t{0}}));
  TestModule table = Single({kI32}, {kI32}, {0}, {0xd0, kExternRef, 0x20, 0, 0xfc, 15, 0});
  table.tables = {{kExternRef, 0, 1}};
  EXPECT_EQ(run(table, {4}), 2u);
  EXPECT_EQ(helper, abi::WasmHelper::kTableGrow);
  EXPECT_EQ(seen, (std::vector<uint64_t>{0, 0, 4}));
}

TEST(MemoryTest, Tables) {
  // Sets element 0 of a table of externref to that of another index, and gives its size.
  TestModule module =
      Single({kI32}, {kI32}, {0}, {0x41, 0, 0x20, 0, 0x25, 0, 0x26, 0, 0xfc, 16, 0});
  module.tables = {{kExternRef, 0, 3}};
  TestInstance instance(module.Build());
  instance.table()[2] = 77;
  ASSERT_EQ(instance.Call(0, {2}).kind, Kind::kReturned);
  EXPECT_EQ(instance.Result(), 3u);
  EXPECT_EQ(instance.table()[0], 77u);
  const InterpreterStop stop = instance.Call(0, {3});
  EXPECT_EQ(stop.trap, TrapCode::kOutOfBoundsTableAccess);
  EXPECT_EQ(stop.offset, instance.module().bodies()[0].begin + 5);
}

}  // namespace
}  // namespace precast::runtime::wasm::interpreter
