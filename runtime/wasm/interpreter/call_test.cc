// Calls of every kind, references, globals, what ends a run, bodies that are refused.

#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

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
using Kind = InterpreterStop::Kind;

TEST(CallTest, ImportedFunctionGetsAndGivesValues) {
  TestModule module = Single({kI32, kI64}, {kI64, kI32}, {0}, {0x20, 0, 0x20, 1, 0x10, 0});
  module.imports = {testing::Import("", "", {0, 0})};
  TestInstance instance(module.Build());
  instance.on_call = [&](const abi::FunctionRecord* record, abi::WasmValue* values) {
    EXPECT_EQ(record, instance.record(0));
    EXPECT_EQ(values[0].bytes[0], 5);
    EXPECT_EQ(values[1].bytes[0], 6);
    std::swap(values[0], values[1]);
    return true;
  };
  ASSERT_EQ(instance.Call(1, {5, 6}).kind, Kind::kReturned);
  EXPECT_EQ(instance.Result(0), 6u);
  EXPECT_EQ(instance.Result(1), 5u);
  instance.on_call = [](const abi::FunctionRecord*, abi::WasmValue*) { return false; };
  EXPECT_EQ(instance.Call(1, {5, 6}).kind, Kind::kUnwinding);
}

// 0: imported () -> i32. 1: call_indirect () -> i32 of the parameter. 2: () -> i32 7. 3: () -> i64
// 8.
TestModule Indirect(uint8_t opcode) {
  TestModule module;
  module.types = {FunctionType({kI32}, {kI32}), FunctionType({}, {kI32}), FunctionType({}, {kI64})};
  module.imports = {testing::Import("", "", {0, 1})};
  module.functions = {{0}, {1}, {2}};
  module.tables = {{kFuncRef, 0, 5}};
  module.elements = {{3, 0, 2, 2, 3}};
  module.bodies = {testing::Body({0x20, 0, opcode, 1, 0}), testing::Body({0x41, 7}),
                   testing::Body({0x42, 8})};
  return module;
}

TEST(CallTest, IndirectCalls) {
  for (const uint8_t opcode : {0x11, 0x13}) {
    TestInstance instance(Indirect(opcode).Build());
    for (uint32_t i = 2; i < 4; ++i) instance.table()[i] = instance.Reference(i);
    instance.table()[0] = instance.Reference(0);
    ASSERT_EQ(instance.Call(1, {2}).kind, Kind::kReturned);
    EXPECT_EQ(instance.Result(), 7u);
    EXPECT_EQ(instance.Call(1, {3}).trap, TrapCode::kIndirectCallTypeMismatch);
    EXPECT_EQ(instance.Call(1, {4}).trap, TrapCode::kUninitializedElement);
    EXPECT_EQ(instance.Call(1, {5}).trap, TrapCode::kUndefinedElement);
    EXPECT_EQ(instance.Call(1, {0xffffffff}).trap, TrapCode::kUndefinedElement);
    EXPECT_EQ(instance.Call(1, {0}).trap, TrapCode::kIndirectCallTypeMismatch);
    instance.on_has_type = [](const abi::FunctionRecord*, uint32_t type) { return type == 1; };
    instance.on_call = [](const abi::FunctionRecord*, abi::WasmValue* values) {
      values[0].bytes[0] = 99;
      return true;
    };
    ASSERT_EQ(instance.Call(1, {0}).kind, Kind::kReturned);
    EXPECT_EQ(instance.Result() & 0xff, 99u);
  }
}

TEST(CallTest, TailCallsNeedNoStack) {
  // even(n, sum) = n == 0 ? sum : odd(n - 1, sum + n); odd has more locals and calls back.
  TestModule module;
  module.types = {FunctionType({kI32, kI64}, {kI64})};
  module.functions = {{0}, {0}};
  const auto body = [](const Bytes& locals, uint8_t other) {
    return testing::Body(locals, Code({{0x20, 0, 0x45, 0x04, 0x40, 0x20, 1, 0x0f, 0x0b},
                                       I64(1),
                                       {0x20, 0},
                                       I32(1),
                                       {0x6b, 0x20, 1, 0x20, 0, 0xad, 0x7c, 0x12, other}}));
  };
  module.bodies = {body({0}, 1), body({1, 9, kV128}, 0)};
  TestInstance instance(module.Build(), {.stack_size = 4096});
  ASSERT_EQ(instance.Call(0, {100000, 0}).kind, Kind::kReturned);
  EXPECT_EQ(instance.Result(), uint64_t{100000} * 100001 / 2);
}

TEST(CallTest, GlobalsAndReferences) {
  // global 0 (imported i64) += 1; global 2 = ref.func 0; gives ref.is_null of it and of a null.
  TestModule module =
      Single({}, {kI32, kI32}, {0}, {0x23, 0, 0x42, 1, 0x7c, 0x24, 0,    0xd2, 0,          0x24, 2,
                                     0x23, 1, 0x24, 3, 0x23, 2,    0xd1, 0xd0, kExternRef, 0xd1});
  module.imports = {testing::Import("", "", {3, kI64, 1})};
  const Bytes vector = {0xfd, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b};
  module.globals = {
      Code({{kV128, 0}, vector}), {kFuncRef, 1, 0xd0, kFuncRef, 0x0b}, Code({{kV128, 1}, vector})};
  module.exports = {testing::Export("f", 0, 0)};
  TestInstance instance(module.Build());
  std::memset(static_cast<void*>(instance.global(1)), 5, 16);
  ASSERT_EQ(instance.Call(0).kind, Kind::kReturned);
  EXPECT_EQ(instance.Result(0), 0u);
  EXPECT_EQ(instance.Result(1), 1u);
  uint64_t* imported;
  std::memcpy(&imported, instance.global(0)->bytes, sizeof imported);
  EXPECT_EQ(*imported, 1u);
  uint64_t reference;
  std::memcpy(&reference, instance.global(2)->bytes, sizeof reference);
  EXPECT_EQ(reference, instance.Reference(0));
  EXPECT_EQ(instance.global(3)->bytes[15], 5);
}

TEST(CallTest, ReenteringIsLimited) {
  // 1 calls the import, which calls 1 again.
  TestModule module = Single({}, {}, {0}, {0x10, 0});
  module.imports = {testing::Import("", "", {0, 0})};
  TestInstance instance(module.Build());
  int depth = 0, deepest = 0;
  InterpreterStop innermost;
  instance.on_call = [&](const abi::FunctionRecord*, abi::WasmValue* values) {
    deepest = std::max(deepest, ++depth);
    const InterpreterStop stop = instance.Run(1, values);
    --depth;
    if (stop.kind == Kind::kTrapped) innermost = stop;
    return stop.kind == Kind::kReturned;
  };
  EXPECT_EQ(instance.Call(1).kind, Kind::kUnwinding);
  EXPECT_EQ(innermost.trap, TrapCode::kCallStackExhausted);
  EXPECT_GE(deepest, 100);
  EXPECT_LE(deepest, 200);
  EXPECT_EQ(instance.Call(1).kind, Kind::kUnwinding) << "and can be run again";
}

TEST(CallTest, ValuesSurviveReentering) {
  // f(n) = n == 0 ? 0 : import(n - 1) + n, where the import calls f.
  TestModule module = Single({kI32}, {kI32}, {0},
                             Code({{0x20, 0, 0x45, 0x04, kI32, 0x41, 0, 0x05, 0x20, 0},
                                   I32(1),
                                   {0x6b, 0x10, 0, 0x20, 0, 0x6a, 0x0b}}));
  module.imports = {testing::Import("", "", {0, 0})};
  TestInstance instance(module.Build());
  instance.on_call = [&](const abi::FunctionRecord*, abi::WasmValue* values) {
    return instance.Run(1, values).kind == Kind::kReturned;
  };
  ASSERT_EQ(instance.Call(1, {50}).kind, Kind::kReturned);
  EXPECT_EQ(instance.Result(), 1275u);
}

TEST(CallTest, InterruptionEndsLoopsAndRecursion) {
  for (const Bytes& code : {Bytes{0x03, 0x40, 0x0c, 0, 0x0b}, Bytes{0x12, 0}}) {
    TestInstance instance(Single({}, {}, {0}, code).Build(), {.metered = false});
    instance.interrupted = true;
    EXPECT_EQ(instance.Call(0).trap, TrapCode::kInterrupted);
  }
}

TEST(CallTest, ThreadsShareBodies) {
  TestModule module = Single({kI32}, {kI32}, {0}, {0x20, 0, 0x10, 1});
  module.functions = {{0}, {0}};
  module.bodies.push_back(testing::Body({0x20, 0, 0x41, 1, 0x6a}));
  const Bytes bytes = module.Build();
  auto decoded = ModuleData::Decode(bytes);
  ASSERT_TRUE(decoded.ok());
  const std::unique_ptr<InterpretedModule> code = InterpretedModule::Create(**decoded);
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      TestInstance host(bytes);
      const auto interpreter = Interpreter::Create(*code, host.context, host, {});
      std::memcpy(host.values[0].bytes, &i, sizeof i);
      EXPECT_EQ(interpreter->Run(0, host.values).kind, Kind::kReturned);
      EXPECT_EQ(host.Result(), i + 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(CallTest, DamagedBodiesAreRefused) {
  const std::vector<Bytes> bad = {
      {},                           // no result
      {0x1a},                       // nothing to drop
      {0x41, 0, 0x42, 0, 0x6a},     // i32 + i64
      {0x20, 1},                    // no local 1
      {0x23, 0},                    // no global
      {0x41, 0, 0x25, 0},           // no table
      {0x41, 0, 0x28, 0x40, 1, 0},  // no memory 1
      {0x41, 0, 0x28, 3, 0},        // alignment
      {0x10, 1},                    // no function 1
      {0x0c, 1},                    // no label 1
      {0x41, 0, 0x0e, 0xff, 0xff, 0xff, 0xff, 0x0f},
      {0x41, 0, 0x0b, 0x01},  // after the end
      {0x02, 0x40, 0x41, 0},  // no end
      {0x05},
      {0xff},
      {0xfc, 0x80, 0x80, 0x04},
      {0xfd, 0xa2, 1},  // no such vector instruction
      {0x41, 0, 0xd1},  // ref.is_null of a number
      {0x41, 0, 0x41, 0, 0x41, 0, 0x1b, 0x1a},
      {0xd0, kFuncRef, 0xd0, kFuncRef, 0x41, 0, 0x1b, 0xd1},  // select of references without a type
      {0xd2, 0, 0xd1},                                        // not declared
      {0x41, 0x80, 0x80, 0x80, 0x80, 0x70},                   // too large
      {0x41, 0, 0x04, kI32, 0x41, 0, 0x0b},                   // if without else
      {0x03, kI32, 0x41},
  };
  for (size_t i = 0; i < bad.size(); ++i) {
    TestInstance instance(Single({kI32}, {kI32}, {0}, bad[i]).Build());
    const InterpreterStop stop = instance.Call(0, {0});
    EXPECT_EQ(stop.kind, Kind::kMalformed) << i;
    EXPECT_GE(stop.offset, instance.module().bodies()[0].begin) << i;
    EXPECT_LE(stop.offset, instance.module().bodies()[0].end) << i;
  }
  EXPECT_EQ(TestInstance(
                Single({kI32}, {kI32}, {1, 0xff, 0xff, 0xff, 0xff, 0x0f, kI32}, {0x41, 0}).Build())
                .Call(0, {0})
                .kind,
            Kind::kMalformed);
}

}  // namespace
}  // namespace precast::runtime::wasm::interpreter
