// Runs every operation, compiled, on edge and random values and compares it with a plain model:
// with operands in registers, with one value twice, with constants; comparisons in all their uses.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "compiler/codegen/compiled_function.h"
#include "compiler/ir/ir.h"
#include "compiler/x64/compile.h"
#include "compiler/x64/test_evaluator.h"
#include "compiler/x64/test_functions.h"
#include "compiler/x64/test_machine.h"
#include "gtest/gtest.h"

namespace precast::x64::testing {
namespace {

std::vector<uint64_t> Interesting(Type t, std::mt19937_64& rng) {
  std::vector<uint64_t> v = {0,          1,          2,          3,         31,     32,
                             63,         127,        255,        0x7fff,    0x8000, 0x7fffffff,
                             0x80000000, 0x80000001, 0xffffffff, 0xfffffffe};
  if (t == Type::kI64) {
    for (uint64_t x : {uint64_t{1} << 32, uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 1,
                       ~(uint64_t{1} << 63)}) {
      v.push_back(x);
    }
  }
  for (int i = 0; i < 8; ++i) v.push_back((rng() >> (rng() % 64)) & Mask(t));
  return v;
}

// Parameters: a in x2/x10, b in x11/x12; the result in x2/x10.
class OperationTest : public ::testing::TestWithParam<bool> {
 protected:
  using Make = std::function<Value(Build&, Value a, Value b)>;
  codegen::CompiledFunction Compiled(Type t, Type result, const Make& make) {
    Function f = NewFunction(3);
    const Block b = f.NewBlock();
    const std::vector<Value> p = NewEntry(f, b, 0);
    Build build(f);
    build.At(b);
    Value x = t == Type::kI64 ? build.Join(p[0], p[1]) : p[0];
    Value y = t == Type::kI64 ? build.Join(p[2], p[3]) : p[2];
    Value r = make(build, x, y);
    const Value zero = build.Const(Type::kI32, 0);
    const Value low = result == Type::kI64 ? build.Low(r) : r;
    const Value high = result == Type::kI64 ? build.High(r) : zero;
    build.Do(Opcode::kRet, {zero, low, high});
    return Compile(f, GetParam() ? NativeOptions() : Options());
  }
  static uint64_t Run(TestMachine& machine, uint32_t function, uint64_t a, uint64_t b) {
    auto& x = machine.context().x;
    x[2] = static_cast<uint32_t>(a);
    x[10] = static_cast<uint32_t>(a >> 32);
    x[11] = static_cast<uint32_t>(b);
    x[12] = static_cast<uint32_t>(b >> 32);
    EXPECT_EQ(machine.Run(function).kind, TestMachine::Stop::Kind::kReturned);
    return x[2] | uint64_t{x[10]} << 32;
  }
  std::mt19937_64 rng_{1};
};

TEST_P(OperationTest, BinaryOfRegisters) {
  for (Type t : {Type::kI32, Type::kI64}) {
    std::vector<codegen::CompiledFunction> functions;
    for (Opcode op : kBinary) {
      functions.push_back(
          Compiled(t, t, [&](Build& b, Value x, Value y) { return b.Binary(op, t, x, y); }));
    }
    TestMachine machine(std::move(functions));
    for (uint32_t i = 0; i < std::size(kBinary); ++i) {
      for (uint64_t a : Interesting(t, rng_)) {
        for (uint64_t b : Interesting(t, rng_)) {
          ASSERT_EQ(Run(machine, i, a, b), EvalBinary(kBinary[i], t, a, b))
              << ir::Info(kBinary[i]).text << (t == Type::kI64 ? " i64 " : " i32 ") << a << " "
              << b;
        }
      }
    }
  }
}

TEST_P(OperationTest, BinaryOfOneValue) {
  for (Type t : {Type::kI32, Type::kI64}) {
    std::vector<codegen::CompiledFunction> functions;
    for (Opcode op : kBinary) {
      functions.push_back(
          Compiled(t, t, [&](Build& b, Value x, Value) { return b.Binary(op, t, x, x); }));
      // The operand is used afterwards.
      functions.push_back(Compiled(t, t, [&](Build& b, Value x, Value) {
        return b.Binary(Opcode::kXor, t, b.Binary(op, t, x, x), x);
      }));
    }
    TestMachine machine(std::move(functions));
    for (uint32_t i = 0; i < std::size(kBinary); ++i) {
      for (uint64_t a : Interesting(t, rng_)) {
        const uint64_t expected = EvalBinary(kBinary[i], t, a, a);
        ASSERT_EQ(Run(machine, 2 * i, a, 0), expected) << ir::Info(kBinary[i]).text << " " << a;
        ASSERT_EQ(Run(machine, 2 * i + 1, a, 0), expected ^ a)
            << ir::Info(kBinary[i]).text << " " << a;
      }
    }
  }
}

TEST_P(OperationTest, BinaryWithConstant) {
  for (Type t : {Type::kI32, Type::kI64}) {
    for (Opcode op : kBinary) {
      std::vector<uint64_t> constants = Interesting(t, rng_);
      for (uint64_t c : {5, 6, 7, 9, 10, 12, 100, 641, 1000, 10000, 1000000007})
        constants.push_back(c);
      for (uint64_t c : {3, 5, 7, 10, 1000}) constants.push_back((0 - c) & Mask(t));
      for (int k = 2; k < 31; k += 3) constants.push_back(uint64_t{1} << k);
      std::vector<codegen::CompiledFunction> functions;
      for (uint64_t c : constants) {
        functions.push_back(Compiled(t, t, [&](Build& b, Value x, Value) {
          return b.Binary(op, t, x, b.Const(t, SignExtend(t, c)));
        }));
        functions.push_back(Compiled(t, t, [&](Build& b, Value x, Value) {
          return b.Binary(op, t, b.Const(t, SignExtend(t, c)), x);
        }));
      }
      TestMachine machine(std::move(functions));
      for (uint32_t i = 0; i < constants.size(); ++i) {
        for (uint64_t a : Interesting(t, rng_)) {
          ASSERT_EQ(Run(machine, 2 * i, a, 0), EvalBinary(op, t, a, constants[i]))
              << ir::Info(op).text << " " << a << " const " << constants[i];
          ASSERT_EQ(Run(machine, 2 * i + 1, a, 0), EvalBinary(op, t, constants[i], a))
              << ir::Info(op).text << " const " << constants[i] << " " << a;
        }
      }
    }
  }
}

TEST_P(OperationTest, Compare) {
  for (Type t : {Type::kI32, Type::kI64}) {
    for (int c = 0; c < 10; ++c) {
      const IntCond cond = static_cast<IntCond>(c);
      std::vector<codegen::CompiledFunction> functions;
      std::vector<uint64_t> constants = Interesting(t, rng_);
      // As a value, negated, selecting, and against a masked zero.
      functions.push_back(Compiled(
          t, Type::kI32, [&](Build& b, Value x, Value y) { return b.Icmp(cond, t, x, y); }));
      functions.push_back(Compiled(t, Type::kI32, [&](Build& b, Value x, Value y) {
        const Value test = b.Icmp(cond, t, x, y);
        return b.Icmp(IntCond::kEq, Type::kI32, test, b.Const(Type::kI32, 0));
      }));
      functions.push_back(Compiled(t, t, [&](Build& b, Value x, Value y) {
        return b.Op(Opcode::kSelect, t, {b.Icmp(cond, t, x, y), x, y}, t);
      }));
      functions.push_back(Compiled(t, Type::kI32, [&](Build& b, Value x, Value y) {
        return b.Icmp(cond, t, b.Binary(Opcode::kAnd, t, x, y), b.Const(t, 0));
      }));
      for (uint64_t k : constants) {
        functions.push_back(Compiled(t, Type::kI32, [&](Build& b, Value x, Value) {
          return b.Icmp(cond, t, x, b.Const(t, SignExtend(t, k)));
        }));
        functions.push_back(Compiled(t, Type::kI32, [&](Build& b, Value x, Value) {
          return b.Icmp(cond, t, b.Const(t, SignExtend(t, k)), x);
        }));
        functions.push_back(Compiled(t, Type::kI32, [&](Build& b, Value x, Value) {
          const Value masked = b.Binary(Opcode::kAnd, t, x, b.Const(t, SignExtend(t, k)));
          return b.Icmp(cond, t, masked, b.Const(t, 0));
        }));
      }
      TestMachine machine(std::move(functions));
      for (uint64_t a : Interesting(t, rng_)) {
        for (uint64_t b : Interesting(t, rng_)) {
          const uint64_t expected = EvalIcmp(cond, t, a, b);
          ASSERT_EQ(Run(machine, 0, a, b), expected) << c << " " << a << " " << b;
          ASSERT_EQ(Run(machine, 1, a, b), 1 - expected) << c << " " << a << " " << b;
          ASSERT_EQ(Run(machine, 2, a, b), expected ? a : b) << c << " " << a << " " << b;
          ASSERT_EQ(Run(machine, 3, a, b), EvalIcmp(cond, t, a & b, 0))
              << c << " " << a << " " << b;
        }
        for (uint32_t i = 0; i < constants.size(); ++i) {
          const uint64_t k = constants[i];
          ASSERT_EQ(Run(machine, 4 + 3 * i, a, 0), EvalIcmp(cond, t, a, k))
              << c << " " << a << " " << k;
          ASSERT_EQ(Run(machine, 5 + 3 * i, a, 0), EvalIcmp(cond, t, k, a))
              << c << " " << a << " " << k;
          ASSERT_EQ(Run(machine, 6 + 3 * i, a, 0), EvalIcmp(cond, t, a & k, 0))
              << c << " " << a << " " << k;
        }
      }
    }
  }
}

// By the carry flag, where a comparison leaves there what it says.
TEST_P(OperationTest, SumsWithComparisons) {
  for (Type t : {Type::kI32, Type::kI64}) {
    for (int c = 0; c < 10; ++c) {
      const IntCond cond = static_cast<IntCond>(c);
      std::vector<codegen::CompiledFunction> functions;
      std::vector<uint64_t> constants = Interesting(t, rng_);
      // The first operand plus or minus the comparison.
      const auto add = [&](auto compare) {
        for (Opcode op : {Opcode::kAdd, Opcode::kSub}) {
          functions.push_back(Compiled(t, t, [&](Build& b, Value x, Value y) {
            Value test = compare(b, x, y);
            if (t == Type::kI64) test = b.Op(Opcode::kExtendU32, Type::kI32, {test}, t);
            return b.Binary(op, t, x, test);
          }));
        }
      };
      add([&](Build& b, Value x, Value y) { return b.Icmp(cond, t, x, y); });
      add([&](Build& b, Value x, Value y) { return b.Icmp(cond, t, y, x); });
      for (uint64_t k : constants) {
        add([&](Build& b, Value x, Value) {
          return b.Icmp(cond, t, x, b.Const(t, SignExtend(t, k)));
        });
      }
      TestMachine machine(std::move(functions));
      const uint64_t mask = Mask(t);
      for (uint64_t a : Interesting(t, rng_)) {
        const auto check = [&](uint32_t i, bool test) {
          ASSERT_EQ(Run(machine, 2 * i, a, a), (a + test) & mask) << c << " " << a << " " << i;
          ASSERT_EQ(Run(machine, 2 * i + 1, a, a), (a - test) & mask) << c << " " << a << " " << i;
        };
        for (uint32_t i = 0; i < constants.size(); ++i) {
          check(2 + i, EvalIcmp(cond, t, a, constants[i]) != 0);
        }
        for (uint64_t b : Interesting(t, rng_)) {
          const bool test = EvalIcmp(cond, t, a, b) != 0, swapped = EvalIcmp(cond, t, b, a) != 0;
          ASSERT_EQ(Run(machine, 0, a, b), (a + test) & mask) << c << " " << a << " " << b;
          ASSERT_EQ(Run(machine, 1, a, b), (a - test) & mask) << c << " " << a << " " << b;
          ASSERT_EQ(Run(machine, 2, a, b), (a + swapped) & mask) << c << " " << a << " " << b;
          ASSERT_EQ(Run(machine, 3, a, b), (a - swapped) & mask) << c << " " << a << " " << b;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, OperationTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Native" : "Baseline"; });

}  // namespace
}  // namespace precast::x64::testing
