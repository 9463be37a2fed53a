// What docs/wasm_lifting.md says of fuel, case by case.

#include <cstdint>

#include "gtest/gtest.h"
#include "runtime/wasm/interpreter/interpreter.h"
#include "runtime/wasm/interpreter/test_instance.h"
#include "runtime/wasm/testing/module_builder.h"

namespace precast::runtime::wasm::interpreter {
namespace {

using abi::TrapCode;
using testing::FunctionType;
using testing::kFuncRef;
using testing::kI32;
using testing::kI64;
using Kind = InterpreterStop::Kind;

constexpr int64_t kFuel = 1000;

// What a function (i32) -> () with a local i32 (1) spends.
int64_t Spent(const Bytes& code, uint64_t argument, TrapCode trap = TrapCode::kNone) {
  TestInstance instance(Single({kI32}, {}, {1, 1, kI32}, code).Build());
  instance.fuel() = kFuel;
  const InterpreterStop stop = instance.Call(0, {argument});
  EXPECT_EQ(stop.kind, trap == TrapCode::kNone ? Kind::kReturned : Kind::kTrapped);
  EXPECT_EQ(stop.trap, trap);
  return kFuel - instance.fuel();
}

const Bytes kTwo = {0x41, 0, 0x1a};  // i32.const 0, drop: costs 2

TEST(FuelTest, EveryInstructionCostsOneButStructure) {
  EXPECT_EQ(Spent({}, 0), 0);
  EXPECT_EQ(Spent({0x01, 0x02, 0x40, 0x01, 0x0b, 0x03, 0x40, 0x0b}, 0), 0);
  EXPECT_EQ(Spent(kTwo, 0), 2);
  EXPECT_EQ(Spent(Code({kTwo, {0x02, 0x40}, kTwo, {0x0b}, kTwo}), 0), 6);
  EXPECT_EQ(Spent(Code({kTwo, {0x0f}, kTwo}), 0), 3);
}

TEST(FuelTest, NestedIfs) {
  // local.get 0, if { 2; local.get 0, i32.const 1, i32.gt_u, if { 2 } else { 4 }; 2 } 2
  const Bytes code = Code({{0x20, 0, 0x04, 0x40},
                           kTwo,
                           {0x20, 0, 0x41, 1, 0x4b, 0x04, 0x40},
                           kTwo,
                           {0x05},
                           kTwo,
                           kTwo,
                           {0x0b},
                           kTwo,
                           {0x0b},
                           kTwo});
  EXPECT_EQ(Spent(code, 0), 2 + 2);
  EXPECT_EQ(Spent(code, 1), 2 + 2 + 4 + 4 + 2 + 2);
  EXPECT_EQ(Spent(code, 2), 2 + 2 + 4 + 2 + 2 + 2);
}

TEST(FuelTest, BranchesOutOfBlocks) {
  // block { local.get 0, br_if 0; 2 } 2
  const Bytes taken = Code({{0x02, 0x40, 0x20, 0, 0x0d, 0}, kTwo, {0x0b}, kTwo});
  EXPECT_EQ(Spent(taken, 1), 4);
  EXPECT_EQ(Spent(taken, 0), 6);
  // block { 2; br 0; 4 } 2: what follows br costs nothing
  EXPECT_EQ(Spent(Code({{0x02, 0x40}, kTwo, {0x0c, 0}, kTwo, kTwo, {0x0b}, kTwo}), 0), 5);
}

TEST(FuelTest, Loops) {
  // loop { local.get 0, i32.const 1, i32.sub, local.tee 0, br_if 0 } 2
  EXPECT_EQ(Spent(Code({{0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b}, kTwo}), 5),
            27);
}

TEST(FuelTest, BranchTables) {
  // block { block { block { local.get 0, br_table 0 1 2 } 2 } 2 } 2
  const Bytes code = Code({{0x02, 0x40, 0x02, 0x40, 0x02, 0x40, 0x20, 0, 0x0e, 2, 0, 1, 2, 0x0b},
                           kTwo,
                           {0x0b},
                           kTwo,
                           {0x0b},
                           kTwo});
  EXPECT_EQ(Spent(code, 0), 8);
  EXPECT_EQ(Spent(code, 1), 6);
  EXPECT_EQ(Spent(code, 2), 4);
  EXPECT_EQ(Spent(code, 0xffffffff), 4);
}

TEST(FuelTest, TrapsGiveBackTheRestOfTheirSegment) {
  // 2; i32.const 1, local.get 0, i32.div_u, drop; 2
  const Bytes division = Code({kTwo, {0x41, 1, 0x20, 0, 0x6e, 0x1a}, kTwo});
  EXPECT_EQ(Spent(division, 1), 8);
  EXPECT_EQ(Spent(division, 0, TrapCode::kIntegerDivideByZero), 4);
  // local.get 0, i32.load, drop; 2
  const Bytes load = Code({{0x20, 0, 0x28, 2, 0, 0x1a}, kTwo});
  EXPECT_EQ(Spent(load, 65532), 5);
  EXPECT_EQ(Spent(load, 65533, TrapCode::kOutOfBoundsMemoryAccess), 1);
  EXPECT_EQ(Spent(Code({kTwo, {0x00}, kTwo}), 0, TrapCode::kUnreachable), 2);
}

TEST(FuelTest, AHelpersTrapToo) {
  // i32.const 0, 0, 0, memory.fill; 2
  TestInstance instance(
      Single({}, {}, {0}, Code({{0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0}, kTwo})).Build());
  instance.on_helper = [](abi::WasmHelper, absl::Span<const uint64_t>, uint64_t*) {
    return TrapCode::kOutOfBoundsMemoryAccess;
  };
  instance.fuel() = kFuel;
  const InterpreterStop stop = instance.Call(0);
  EXPECT_EQ(stop.trap, TrapCode::kOutOfBoundsMemoryAccess);
  EXPECT_EQ(instance.fuel(), kFuel - 3);
}

TEST(FuelTest, StopsBeforeTheSegmentThatIsTooDear) {
  // local.get 0, if { global.set 0 = 1 } 2
  TestModule module =
      Single({kI32}, {}, {0}, Code({{0x20, 0, 0x04, 0x40, 0x41, 1, 0x24, 0, 0x0b}, kTwo}));
  module.globals = {{kI32, 1, 0x41, 0, 0x0b}};
  TestInstance instance(module.Build());
  const uint32_t body = instance.module().bodies()[0].begin + 1;
  struct Case {
    int64_t fuel, left;
    uint32_t offset;  // in the body; 0: returns
    uint32_t global;
  };
  for (const Case& c : {Case{0, 0, 1, 0}, Case{1, 1, 1, 0}, Case{2, 0, 5, 0}, Case{3, 1, 5, 0},
                        Case{4, 0, 10, 1}, Case{5, 1, 10, 1}, Case{6, 0, 0, 1}, Case{7, 1, 0, 1}}) {
    SCOPED_TRACE(c.fuel);
    instance.fuel() = c.fuel;
    *instance.global(0) = {};
    const InterpreterStop stop = instance.Call(0, {1});
    EXPECT_EQ(instance.fuel(), c.left);
    EXPECT_EQ(instance.global(0)->bytes[0], c.global);
    if (c.offset == 0) {
      EXPECT_EQ(stop.kind, Kind::kReturned);
    } else {
      EXPECT_EQ(stop.kind, Kind::kTrapped);
      EXPECT_EQ(stop.trap, TrapCode::kOutOfFuel);
      EXPECT_EQ(stop.offset, body + c.offset - 1);
    }
  }
}

TEST(FuelTest, CallsAreCountedBeforeTheCallee) {
  // 0: imported. 1: 2, call 0, 2. 2: 2, call 1, 2. 3: 2, unreachable. 4: 2, call 3, 2
  TestModule module;
  module.types = {FunctionType({}, {})};
  module.imports = {testing::Import("", "", {0, 0})};
  module.functions = {{0}, {0}, {0}, {0}};
  const auto calls = [](uint8_t function) {
    return testing::Body(Code({kTwo, {0x10, function}, kTwo}));
  };
  module.bodies = {calls(0), calls(1), testing::Body(Code({kTwo, {0x00}})), calls(3)};
  TestInstance instance(module.Build());
  int64_t at_call = 0;
  instance.on_call = [&](const abi::FunctionRecord*, abi::WasmValue*) {
    at_call = instance.fuel();
    instance.fuel() -= 100;
    return true;
  };
  instance.fuel() = kFuel;
  EXPECT_EQ(instance.Call(2).kind, Kind::kReturned);
  EXPECT_EQ(at_call, kFuel - 6);
  EXPECT_EQ(instance.fuel(), kFuel - 100 - 10);
  instance.fuel() = kFuel;
  const InterpreterStop stop = instance.Call(4);
  EXPECT_EQ(stop.trap, TrapCode::kUnreachable);
  EXPECT_EQ(stop.function, 3u);
  EXPECT_EQ(instance.fuel(), kFuel - 5);
}

TEST(FuelTest, IndirectCallsThatTrapAreNotCounted) {
  TestModule module = Single({kI32}, {}, {0}, Code({kTwo, {0x20, 0, 0x20, 0, 0x11, 0, 0}, kTwo}));
  module.tables = {{kFuncRef, 0, 2}};
  TestInstance instance(module.Build());
  instance.fuel() = kFuel;
  EXPECT_EQ(instance.Call(0, {2}).trap, TrapCode::kUndefinedElement);
  EXPECT_EQ(instance.fuel(), kFuel - 4);
  EXPECT_EQ(instance.Call(0, {1}).trap, TrapCode::kUninitializedElement);
  EXPECT_EQ(instance.fuel(), kFuel - 8);
}

TEST(FuelTest, WithoutMeteringNothingIsCharged) {
  TestInstance instance(Single({}, {}, {0}, Code({kTwo, {0x00}})).Build(), {.metered = false});
  instance.fuel() = 0;
  EXPECT_EQ(instance.Call(0).trap, TrapCode::kUnreachable);
  EXPECT_EQ(instance.fuel(), 0);
}

}  // namespace
}  // namespace precast::runtime::wasm::interpreter
