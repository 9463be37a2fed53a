// Damaged bodies are refused or run, but never touch memory that is not theirs: to be run with a
// sanitizer.

#include <cstdint>
#include <random>

#include "gtest/gtest.h"
#include "runtime/wasm/interpreter/interpreter.h"
#include "runtime/wasm/interpreter/test_instance.h"
#include "runtime/wasm/testing/module_builder.h"

namespace precast::runtime::wasm::interpreter {
namespace {

using testing::FunctionType;
using testing::kExternRef;
using testing::kF32;
using testing::kF64;
using testing::kFuncRef;
using testing::kI32;
using testing::kI64;
using testing::kV128;

// Types: 0 () -> (), 1 (i32) -> i32, 2 (i64 v128) -> (f32 i32), 3 (funcref externref) -> funcref.
TestModule Rich() {
  TestModule m;
  m.types = {FunctionType({}, {}), FunctionType({kI32}, {kI32}),
             FunctionType({kI64, kV128}, {kF32, kI32}),
             FunctionType({kFuncRef, kExternRef}, {kFuncRef})};
  m.imports = {testing::Import("", "", {0, 1}), testing::Import("", "", {3, kI32, 1})};
  m.functions = {{0}, {1}, {2}, {3}};
  m.tables = {{kFuncRef, 0, 10}, {kExternRef, 4, 10}};
  m.memories = {{0, 1}, {4, 1}};
  m.globals = {{kFuncRef, 1, 0xd2, 1, 0x0b},
               {kV128, 1, 0xfd, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b}};
  m.elements = {{3, 0, 3, 1, 2, 3}};
  m.data = {{1, 2, 1, 2}};
  return m;
}

std::vector<Bytes> Seeds() {
  return {
      // blocks, loops, branches, br_table
      Code({{0x02, 0x40},
            I32(3),
            {0x03, 1, 0x41, 1, 0x6b, 0x22, 0, 0x20, 0, 0x0d, 0, 0x0b, 0x0e, 2, 0, 0, 1, 0x0b},
            I32(1),
            {0x04, kI32},
            I32(2),
            {0x05},
            I32(3),
            {0x0b, 0x1a, 0x0f}}),
      // calls, direct, imported, indirect, tail
      Code({I32(7),
            {0x10, 0, 0x10, 2, 0x1a},
            I32(1),
            I32(2),
            {0x11, 1, 0, 0x1a},
            I64(3),
            {0x23, 2, 0x10, 3, 0x1a, 0x1a},
            I32(0),
            {0x13, 0, 0}}),
      // references, tables
      Code({{0xd2, 1, 0xd0, kExternRef, 0x10, 4, 0xd1, 0x1a, 0x41, 1,
             0x25, 0, 0x24, 1,          0x41, 2, 0xd2, 2,    0x26, 0},
            I64(1),
            {0xd0, kExternRef, 0x26, 1, 0xd0, kFuncRef, 0x41, 1, 0xfc, 15, 0, 0x1a, 0xfc, 16, 1,
             0x1a}}),
      // numbers, memory
      Code({I32(100),
            I32(8),
            {0x28, 2, 4, 0x6a, 0x21, 0},
            I32(9),
            {0x20, 0, 0x36, 2, 0},
            I64(8),
            {0x29, 0x43, 1, 0, 0x50, 0x1a},
            {0x43, 1, 2, 3, 4, 0x8b, 0xa8, 0x45, 0x1a},
            I32(1),
            {0x40, 0, 0x1a, 0x3f, 1, 0x1a},
            I32(0),
            I32(1),
            I32(2),
            {0xfc, 11, 0},
            I32(0),
            I64(1),
            I32(2),
            {0xfc, 10, 0, 1}}),
      // vectors
      Code({I32(16),
            {0xfd, 0, 4, 0, 0x23, 2, 0xfd, 0x6e, 0xfd, 0x15, 3, 0xfd, 0x0f, 0x22, 1},
            I32(1),
            {0xfd, 0x6b, 0x21, 1},
            I32(8),
            {0x20, 1, 0xfd, 0x54, 0, 0, 7, 0x24, 2},
            I32(8),
            {0x20, 1, 0xfd, 0x5b, 3, 0, 1}}),
      // atomics, wide arithmetic
      Code({I32(8),
            I32(1),
            {0xfe, 0x1e, 2, 0, 0x1a},
            I32(8),
            I32(1),
            I32(2),
            {0xfe, 0x48, 2, 0, 0x1a},
            I32(8),
            I32(1),
            {0xfe, 0, 2, 0, 0x1a},
            I64(1),
            I64(2),
            {0xfc, 0x15, 0x1a, 0x1a},
            {0xfe, 3, 0}}),
  };
}

TEST(MutationTest, NothingCrashes) {
  std::mt19937_64 random(1);
  const std::vector<Bytes> seeds = Seeds();
  int returned = 0, trapped = 0, malformed = 0;
  constexpr int kRuns = 20000;
  for (int run = 0; run < kRuns; ++run) {
    TestModule module = Rich();
    Bytes code = seeds[random() % seeds.size()];
    // The first ones as they are, then pieces of two, then with damage.
    if (run >= static_cast<int>(seeds.size())) {
      if (random() % 4 == 0) {
        const Bytes& other = seeds[random() % seeds.size()];
        code.resize(random() % code.size());
        code.insert(code.end(), other.begin() + static_cast<ptrdiff_t>(random() % other.size()),
                    other.end());
      }
      for (uint64_t n = random() % 4; n > 0; --n) {
        const auto at = static_cast<ptrdiff_t>(random() % code.size());
        switch (random() % 4) {
          case 0:
            code[static_cast<size_t>(at)] = static_cast<uint8_t>(random());
            break;
          case 1:
            code[static_cast<size_t>(at)] ^= static_cast<uint8_t>(1 << random() % 8);
            break;
          case 2:
            code.insert(code.begin() + at, static_cast<uint8_t>(random()));
            break;
          default:
            code.erase(code.begin() + at);
        }
        if (code.empty()) code.push_back(0x01);
      }
    } else {
      code = seeds[static_cast<size_t>(run)];
    }
    const Bytes locals = {2, 1, kI32, 1, kV128};
    module.bodies = {testing::Body(locals, code), testing::Body(locals, Code({{0x20, 0}, code})),
                     testing::Body(locals, code), testing::Body(locals, Code({code, {0x20, 0}}))};
    TestInstance instance(module.Build(), {.stack_size = 1 << 16});
    for (uint64_t i = 0; i < 4; ++i)
      instance.table(0)[i] = i == 3 ? 0 : instance.Reference(1 + static_cast<uint32_t>(i));
    for (uint32_t function = 1; function < 5; ++function) {
      instance.fuel() = 1000;
      const InterpreterStop stop = instance.Call(function);
      (stop.kind == InterpreterStop::Kind::kReturned  ? returned
       : stop.kind == InterpreterStop::Kind::kTrapped ? trapped
                                                      : malformed)++;
      // The seeds are good bodies for function 1, if not for those it calls.
      if (run < static_cast<int>(seeds.size()) && function == 1 &&
          stop.kind == InterpreterStop::Kind::kMalformed) {
        EXPECT_NE(stop.function, 1u)
            << run << " at " << stop.offset - instance.module().bodies()[0].begin;
      }
    }
  }
  EXPECT_GT(returned, kRuns / 50);
  EXPECT_GT(trapped, kRuns / 50);
  EXPECT_GT(malformed, kRuns / 2);
}

}  // namespace
}  // namespace precast::runtime::wasm::interpreter
