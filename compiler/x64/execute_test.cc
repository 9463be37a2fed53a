// Runs compiled functions and compares them with a plain evaluation of the IR: random functions,
// and particular situations. At every stop the guest registers, reconstructed through the side
// tables, must be the evaluator's.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/ir/ir.h"
#include "compiler/x64/compile.h"
#include "compiler/x64/test_evaluator.h"
#include "compiler/x64/test_functions.h"
#include "compiler/x64/test_generator.h"
#include "compiler/x64/test_machine.h"
#include "gtest/gtest.h"
#include "runtime/abi/vm_context.h"

namespace precast::x64::testing {
namespace {

// Compiles `functions`, runs function 0 from `entry` natively and in the evaluator, and compares.
void Compare(TestMachine& machine, const std::vector<Function>& functions, uint32_t entry,
             uint64_t seed) {
  std::mt19937_64 rng(seed);
  Evaluator e;
  for (const Function& f : functions) e.functions.push_back(&f);
  for (uint32_t& x : e.x) x = static_cast<uint32_t>(rng() >> (rng() % 48));
  e.x[0] = 0;
  e.fuel = static_cast<int64_t>(rng() % 4 == 0 ? rng() % 500 : 1000000);
  for (size_t k = 0; k < e.memory.size(); k += 8) {
    const uint64_t word = rng();
    std::memcpy(&e.memory[k], &word, 8);
  }
  std::memcpy(machine.memory(), e.memory.data(), e.memory.size());
  abi::VmContext& ctx = machine.context();
  for (int k = 0; k < 32; ++k) ctx.x[k] = e.x[static_cast<size_t>(k)];
  ctx.pc = e.x[32];
  ctx.fuel = e.fuel;
  std::vector<uint32_t> args;
  for (uint8_t r : abi::kPassed) args.push_back(e.x[r]);
  const Outcome expected = e.Run(functions[0], entry, args);
  const TestMachine::Stop stop = machine.Run(0, entry);

  using Kind = TestMachine::Stop::Kind;
  switch (expected.kind) {
    case Outcome::Kind::kReturned:
      ASSERT_EQ(stop.kind, Kind::kReturned);
      ASSERT_EQ(ctx.pc, expected.results[0]);
      for (size_t k = 1; k < expected.results.size(); ++k) {
        ASSERT_EQ(ctx.x[abi::kPassed[k - 1]], expected.results[k]) << "result " << k;
      }
      ASSERT_EQ(ctx.fuel, e.fuel);
      break;
    case Outcome::Kind::kMiss:
      ASSERT_EQ(stop.kind, Kind::kCallback);
      ASSERT_EQ(stop.callback, abi::Callback::kDispatchMiss);
      ASSERT_EQ(static_cast<uint32_t>(ctx.gpr[0]), e.x[32]);
      for (int k = 0; k < abi::kNumPassed; ++k) {
        ASSERT_EQ(static_cast<uint32_t>(ctx.gpr[abi::kPassedIn[k]]), e.x[abi::kPassed[k]]);
      }
      ASSERT_EQ(ctx.fuel, e.fuel);
      break;
    default: {
      const TestMachine::SiteState state = machine.StateAt(stop.function, stop.offset);
      ASSERT_EQ(state.site->guest_pc, expected.guest_pc);
      switch (expected.kind) {
        case Outcome::Kind::kSuspended:
          ASSERT_EQ(stop.kind, Kind::kIllegal);
          ASSERT_EQ(state.site->kind, codegen::Site::Kind::kSuspend);
          break;
        case Outcome::Kind::kTrap:
          ASSERT_EQ(stop.kind, Kind::kIllegal);
          ASSERT_EQ(state.site->kind, codegen::Site::Kind::kTrap);
          ASSERT_EQ(state.site->trap_code, expected.trap_code);
          break;
        default:
          ASSERT_EQ(stop.kind, Kind::kFault);
          ASSERT_EQ(state.site->kind, codegen::Site::Kind::kMemory);
          break;
      }
      ASSERT_EQ(machine.FuelAt(stop), e.fuel);
      for (uint8_t slot = 1; slot <= 32; ++slot) {
        ASSERT_EQ(machine.SlotAt(stop, slot), e.x[slot]) << "x" << int{slot};
      }
    }
  }
  if (expected.kind == Outcome::Kind::kReturned || expected.kind == Outcome::Kind::kMiss) {
    for (size_t k = 1; k < 32; ++k) {
      bool passed = false;
      for (uint8_t r : abi::kPassed) passed |= r == k;
      if (!passed) {
        ASSERT_EQ(ctx.x[k], e.x[k]) << "x" << k;
      }
    }
  }
  ASSERT_EQ(std::memcmp(machine.memory(), e.memory.data(), e.memory.size()), 0) << "memory";
}

void CompareRandom(uint64_t seed, size_t num_functions, int size, int runs) {
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  Generator generator(seed, num_functions);
  std::vector<Function> functions;
  for (size_t k = 0; k < num_functions; ++k) functions.push_back(generator.Make(k, size));
  std::vector<codegen::CompiledFunction> compiled;
  for (const Function& f : functions)
    compiled.push_back(Compile(f, seed % 3 == 0 ? NativeOptions() : Options()));
  TestMachine machine(std::move(compiled), kDispatchBase, kDispatchCount);
  for (int run = 0; run < runs; ++run) {
    const uint32_t entry = static_cast<uint32_t>(run) % functions[0].entries().size();
    Compare(machine, functions, entry, seed * 1000 + static_cast<uint64_t>(run));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// How many times the usual number of random functions; the long target sets it.
#ifndef PRECAST_SEED_FACTOR
#define PRECAST_SEED_FACTOR 1
#endif
constexpr uint64_t kSeedFactor = PRECAST_SEED_FACTOR;

TEST(RandomFunctionTest, Small) {
  for (uint64_t seed = 1; seed <= 400 * kSeedFactor && !::testing::Test::HasFatalFailure(); ++seed)
    CompareRandom(seed, 1, 10, 2);
}
TEST(RandomFunctionTest, Calls) {
  for (uint64_t seed = 1; seed <= 200 * kSeedFactor && !::testing::Test::HasFatalFailure(); ++seed)
    CompareRandom(seed, 4, 20, 3);
}
TEST(RandomFunctionTest, Large) {
  for (uint64_t seed = 1; seed <= 100 * kSeedFactor && !::testing::Test::HasFatalFailure(); ++seed)
    CompareRandom(seed, 2, 200, 4);
}

// -- particular situations

// Forty values that are all used at the end, in an order other than that of their definition.
TEST(ExecuteTest, Pressure) {
  Function f = NewFunction(2);
  const Block b = f.NewBlock();
  const std::vector<Value> p = NewEntry(f, b, 0);
  Build build(f);
  build.At(b);
  std::vector<Value> values;
  std::vector<uint32_t> expected;
  const uint32_t x = 0x1234567;
  for (int k = 0; k < 40; ++k) {
    values.push_back(
        build.Binary(Opcode::kMul, Type::kI32, p[0], build.Const(Type::kI32, 3 + 7 * k)));
    expected.push_back(x * static_cast<uint32_t>(3 + 7 * k));
  }
  Value sum = values[0];
  uint32_t expected_sum = expected[0];
  for (size_t k = 0; k < 40; ++k) {
    const size_t j = k * 17 % 40;
    sum = build.Binary(Opcode::kSub, Type::kI32, values[j],
                       build.Binary(Opcode::kXor, Type::kI32, sum, p[1]));
    expected_sum = expected[j] - (expected_sum ^ 99);
  }
  build.Do(Opcode::kRet, {sum, sum});
  TestMachine machine({Compile(f, Options())});
  machine.context().x[2] = x;
  machine.context().x[10] = 99;
  ASSERT_EQ(machine.Run(0).kind, TestMachine::Stop::Kind::kReturned);
  EXPECT_EQ(machine.context().pc, expected_sum);
}

TEST(ExecuteTest, StackExhausted) {
  Function f = NewFunction(1);
  const Block b = f.NewBlock();
  const std::vector<Value> p = NewEntry(f, b, 0x10040);
  Build build(f);
  build.At(b);
  f.Append(b, {.op = Opcode::kCall}, p, {Type::kI32});
  build.Do(Opcode::kRet, {p[3]});
  TestMachine machine({Compile(f, Options())});
  machine.set_stack_exhausted(true);
  machine.context().x[11] = 5;
  const TestMachine::Stop stop = machine.Run(0);
  ASSERT_EQ(stop.kind, TestMachine::Stop::Kind::kIllegal);
  const TestMachine::SiteState state = machine.StateAt(0, stop.offset);
  EXPECT_EQ(state.site->guest_pc, 0x10040u);
  EXPECT_EQ(state.site->kind, codegen::Site::Kind::kStack);
  EXPECT_TRUE(state.locations.empty());
  EXPECT_EQ(machine.context().gpr[4], machine.context().native_stack_top - 8);
  EXPECT_EQ(machine.context().gpr[6], 5u);  // x11 in rsi
}

// Deep recursion ends at the limit, not in a fault.
TEST(ExecuteTest, Recursion) {
  Function f = NewFunction(1);
  const Block b = f.NewBlock();
  const std::vector<Value> p = NewEntry(f, b, 0x10040);
  Build build(f);
  build.At(b);
  const ir::Inst call = f.Append(b, {.op = Opcode::kCall}, p, {Type::kI32});
  build.Do(Opcode::kRet, {f.result(call)});
  TestMachine machine({Compile(f, Options())});
  const TestMachine::Stop stop = machine.Run(0);
  ASSERT_EQ(stop.kind, TestMachine::Stop::Kind::kIllegal);
  EXPECT_EQ(machine.StateAt(0, stop.offset).site->kind, codegen::Site::Kind::kStack);
}

}  // namespace
}  // namespace precast::x64::testing
