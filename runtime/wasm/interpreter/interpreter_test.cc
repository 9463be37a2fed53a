#include "runtime/wasm/interpreter/interpreter.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/wasm/interpreter/test_instance.h"
#include "runtime/wasm/testing/module_builder.h"

namespace precast::runtime::wasm::interpreter {
namespace {

using abi::TrapCode;
using testing::FunctionType;
using testing::kExternRef;
using testing::kF32;
using testing::kF64;
using testing::kFuncRef;
using testing::kI32;
using testing::kI64;
using testing::kV128;
using Kind = InterpreterStop::Kind;

// The result of an instruction applied to parameters of 64 bits each.
uint64_t Apply(const Bytes& opcode, const Bytes& params, uint8_t result,
               std::initializer_list<uint64_t> arguments, const InterpreterOptions& options = {}) {
  Bytes code;
  for (uint8_t i = 0; i < params.size(); ++i) code = Code({code, {0x20, i}});
  TestInstance instance(Single(params, {result}, {0}, Code({code, opcode})).Build(), options);
  const InterpreterStop stop = instance.Call(0, arguments);
  EXPECT_EQ(stop.kind, Kind::kReturned);
  return instance.Result();
}

TrapCode TrapOf(const Bytes& opcode, const Bytes& params, uint8_t result,
                std::initializer_list<uint64_t> arguments) {
  Bytes code;
  for (uint8_t i = 0; i < params.size(); ++i) code = Code({code, {0x20, i}});
  TestInstance instance(Single(params, {result}, {0}, Code({code, opcode})).Build());
  const InterpreterStop stop = instance.Call(0, arguments);
  EXPECT_EQ(stop.kind, Kind::kTrapped);
  return stop.trap;
}

TEST(InterpreterTest, Integers) {
  const Bytes ii = {kI32, kI32}, ll = {kI64, kI64};
  EXPECT_EQ(Apply({0x6a}, ii, kI32, {0xffffffff, 2}), 1u);
  EXPECT_EQ(Apply({0x6b}, ii, kI32, {1, 2}), 0xffffffffu);
  EXPECT_EQ(Apply({0x6d}, ii, kI32, {0xfffffff9, 2}), 0xfffffffdu);
  EXPECT_EQ(Apply({0x6f}, ii, kI32, {0x80000000, 0xffffffff}), 0u);
  EXPECT_EQ(Apply({0x48}, ii, kI32, {0xffffffff, 0}), 1u);
  EXPECT_EQ(Apply({0x49}, ii, kI32, {0xffffffff, 0}), 0u);
  EXPECT_EQ(Apply({0x74}, ii, kI32, {1, 33}), 2u);
  EXPECT_EQ(Apply({0x75}, ii, kI32, {0x80000000, 31}), 0xffffffffu);
  EXPECT_EQ(Apply({0x77}, ii, kI32, {0x80000001, 1}), 3u);
  EXPECT_EQ(Apply({0x67}, {kI32}, kI32, {0}), 32u);
  EXPECT_EQ(Apply({0xc0}, {kI32}, kI32, {0x80}), 0xffffff80u);
  EXPECT_EQ(Apply({0x7e}, ll, kI64, {uint64_t{1} << 63, 3}), uint64_t{1} << 63);
  EXPECT_EQ(Apply({0x87}, ll, kI64, {uint64_t{1} << 63, 63}), ~uint64_t{0});
  EXPECT_EQ(Apply({0xac}, {kI32}, kI64, {0x80000000}), 0xffffffff80000000u);
  EXPECT_EQ(Apply({0xad}, {kI32}, kI64, {0x80000000}), 0x80000000u);
  EXPECT_EQ(Apply({0xa7}, {kI64}, kI32, {0x123456789}), 0x23456789u);
  EXPECT_EQ(Apply(Code({I64(-3), {0x7c}}), {kI64}, kI64, {1}), ~uint64_t{1});
  EXPECT_EQ(TrapOf({0x6d}, ii, kI32, {1, 0}), TrapCode::kIntegerDivideByZero);
  EXPECT_EQ(TrapOf({0x6d}, ii, kI32, {0x80000000, 0xffffffff}), TrapCode::kIntegerOverflow);
  EXPECT_EQ(TrapOf({0x82}, ll, kI64, {1, 0}), TrapCode::kIntegerDivideByZero);
}

uint64_t Bits(float x) { return std::bit_cast<uint32_t>(x); }
uint64_t Bits(double x) { return std::bit_cast<uint64_t>(x); }

TEST(InterpreterTest, FloatingPoint) {
  const Bytes ff = {kF32, kF32}, dd = {kF64, kF64};
  EXPECT_EQ(Apply({0x92}, ff, kF32, {Bits(1.5f), Bits(2.25f)}), Bits(3.75f));
  EXPECT_EQ(Apply({0xa3}, dd, kF64, {Bits(1.0), Bits(-0.0)}), Bits(-INFINITY + 0.0));
  EXPECT_EQ(Apply({0x96}, ff, kF32, {Bits(0.0f), Bits(-0.0f)}), Bits(-0.0f));
  EXPECT_EQ(Apply({0x97}, ff, kF32, {Bits(-0.0f), Bits(0.0f)}), Bits(0.0f));
  EXPECT_EQ(Apply({0x90}, {kF32}, kF32, {Bits(2.5f)}), Bits(2.0f));
  EXPECT_EQ(Apply({0x9e}, {kF64}, kF64, {Bits(-0.25)}), Bits(-0.0));
  EXPECT_EQ(Apply({0xaa}, {kF64}, kI32, {Bits(-2147483648.9)}), 0x80000000u);
  EXPECT_EQ(TrapOf({0xaa}, {kF64}, kI32, {Bits(-2147483649.0)}), TrapCode::kIntegerOverflow);
  EXPECT_EQ(TrapOf({0xab}, {kF64}, kI32, {Bits(-1.0)}), TrapCode::kIntegerOverflow);
  EXPECT_EQ(Apply({0xab}, {kF64}, kI32, {Bits(-0.99)}), 0u);
  EXPECT_EQ(TrapOf({0xae}, {kF32}, kI64, {0x7fc00000}), TrapCode::kInvalidConversionToInteger);
  EXPECT_EQ(Apply({0xfc, 0}, {kF32}, kI32, {0x7fc00000}), 0u);
  EXPECT_EQ(Apply({0xfc, 2}, {kF64}, kI32, {Bits(1e300)}), 0x7fffffffu);
  EXPECT_EQ(Apply({0xfc, 7}, {kF64}, kI64, {Bits(1e300)}), ~uint64_t{0});
  EXPECT_EQ(Apply({0xb5}, {kI64}, kF32, {~uint64_t{0}}), Bits(18446744073709551616.0f));
}

TEST(InterpreterTest, NansAreThoseOfSse) {
  const Bytes ff = {kF32, kF32};
  // The first operand's payload, quiet.
  EXPECT_EQ(Apply({0x92}, ff, kF32, {0x7f800001, 0xffc00002}), 0x7fc00001u);
  EXPECT_EQ(Apply({0x94}, ff, kF32, {Bits(1.0f), 0xff800002}), 0xffc00002u);
  EXPECT_EQ(Apply({0x96}, ff, kF32, {Bits(1.0f), 0xff800002}), 0xffc00002u);
  // Out of numbers: the sign is set.
  EXPECT_EQ(Apply({0x95}, ff, kF32, {0, 0}), 0xffc00000u);
  EXPECT_EQ(Apply({0x91}, {kF32}, kF32, {Bits(-1.0f)}), 0xffc00000u);
  EXPECT_EQ(Apply({0xb6}, {kF64}, kF32, {0xfff4000020000000}), 0xffe00001u);
  EXPECT_EQ(Apply({0xbb}, {kF32}, kF64, {0xff800001}), 0xfff8000020000000u);
  const InterpreterOptions canonical = {.canonical_nans = true};
  EXPECT_EQ(Apply({0x92}, ff, kF32, {0x7f800001, 0xffc00002}, canonical), 0x7fc00000u);
  EXPECT_EQ(Apply({0xb6}, {kF64}, kF32, {0xfff4000020000000}, canonical), 0x7fc00000u);
  EXPECT_EQ(Apply({0xbb}, {kF32}, kF64, {0xff800001}, canonical), 0x7ff8000000000000u);
  // Not arithmetic.
  EXPECT_EQ(Apply({0x8c}, {kF32}, kF32, {0x7f800001}, canonical), 0xff800001u);
}

TEST(InterpreterTest, FibonacciByRecursion) {
  // fib(n) = n < 2 ? n : fib(n - 1) + fib(n - 2)
  const TestModule module = Single({kI32}, {kI32}, {0},
                                   Code({{0x20, 0},
                                         I32(2),
                                         {0x49, 0x04, kI32, 0x20, 0, 0x05},
                                         {0x20, 0},
                                         I32(1),
                                         {0x6b, 0x10, 0, 0x20, 0},
                                         I32(2),
                                         {0x6b, 0x10, 0, 0x6a, 0x0b}}));
  TestInstance instance(module.Build());
  EXPECT_EQ(instance.Call(0, {20}).kind, Kind::kReturned);
  EXPECT_EQ(instance.Result(), 6765u);
}

TEST(InterpreterTest, LoopsAndBranchesKeepValues) {
  // Sum 1 … n with a loop that has a parameter and a branch that drops what is below its value.
  TestModule module =
      Single({kI32}, {kI32}, {1, 1, kI32},
             Code({{0x02, kI32},
                   I32(0),
                   {0x03, 1},                                // block i32: 0, loop (i32) -> i32
                   {0x20, 0, 0x6a, 0x20, 0, 0x45, 0x0d, 1},  // + n; if n == 0 leave with the sum
                   {0x20, 0},
                   I32(1),
                   {0x6b, 0x21, 0},  // n -= 1
                   {0x21, 1},
                   I32(77),
                   {0x20, 1, 0x0c, 0, 0x0b, 0x0b}}));  // 77 below the loop's parameter
  module.types.push_back(FunctionType({kI32}, {kI32}));
  TestInstance instance(module.Build());
  ASSERT_EQ(instance.Call(0, {100}).kind, Kind::kReturned);
  EXPECT_EQ(instance.Result(), 5050u);
}

TEST(InterpreterTest, DeepRecursionExhaustsTheStack) {
  TestInstance instance(Single({}, {}, {0}, {0x10, 0}).Build(), {.stack_size = 1 << 20});
  const InterpreterStop stop = instance.Call(0);
  EXPECT_EQ(stop.kind, Kind::kTrapped);
  EXPECT_EQ(stop.trap, TrapCode::kCallStackExhausted);
}

}  // namespace
}  // namespace precast::runtime::wasm::interpreter
