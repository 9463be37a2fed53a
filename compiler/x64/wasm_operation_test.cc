// Single operations of WebAssembly, compiled and compared with the reference evaluator (ir/eval.h)
// at the edges of their domains: every floating-point operation and conversion, counts of bits,
// checked division.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/ir/eval.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"
#include "compiler/x64/compile.h"
#include "compiler/x64/test_functions.h"
#include "compiler/x64/test_machine.h"
#include "gtest/gtest.h"
#include "runtime/abi/wasm_context.h"

namespace precast::x64::testing {
namespace {

using ir::FloatCond;
using ir::IsFloat;

uint64_t Bits(double v) {
  uint64_t bits;
  std::memcpy(&bits, &v, 8);
  return bits;
}
uint64_t Bits(float v) {
  uint32_t bits;
  std::memcpy(&bits, &v, 4);
  return bits;
}

// Zeros, infinities, NaNs of both kinds, denormals, the limits of integers and their neighbours,
// ties.
std::vector<uint64_t> Interesting(Type type) {
  std::vector<uint64_t> values;
  std::mt19937_64 rng(7);
  switch (type) {
    case Type::kI32:
    case Type::kI64: {
      const unsigned bits = type == Type::kI64 ? 64 : 32;
      const uint64_t mask = type == Type::kI64 ? ~uint64_t{0} : 0xffffffffu;
      for (unsigned k = 0; k < bits; ++k) {
        for (uint64_t d : {uint64_t{0}, uint64_t{1}, ~uint64_t{0}}) {
          values.push_back(((uint64_t{1} << k) + d) & mask);
          values.push_back((0 - (uint64_t{1} << k) + d) & mask);
        }
      }
      // Halfway between two floats, and next to it.
      for (uint64_t v : {0x8000008000000000u, 0x8000008000000001u, 0x8000000000000400u,
                         0x8000000000000401u, 0x8000000000000c00u, 0x4000000000000200u,
                         0x4000000000000201u, 0xfffffffffffffbffu, 0xfffffffffffffc00u}) {
        values.push_back(v & mask);
      }
      for (int k = 0; k < 20; ++k) values.push_back((rng() >> (rng() % bits)) & mask);
      return values;
    }
    case Type::kF32:
      for (float v : {0.0f,          1.0f,          0.5f,          1.5f,          2.5f,
                      0.49999997f,   0.9999999f,    1e-45f,        1e-38f,        8388607.5f,
                      8388608.0f,    8388609.0f,    2147483520.0f, 2147483648.0f, 2147483904.0f,
                      4294967040.0f, 4294967296.0f, 9.223371e18f,  9.223372e18f,  9.223373e18f,
                      1.8446743e19f, 1.8446744e19f, 1.844675e19f,  3.4028235e38f, 3.7f,
                      1e10f,         123456.79f}) {
        values.push_back(Bits(v));
        values.push_back(Bits(-v));
      }
      for (uint64_t v : {0x7f800000u, 0x7fc00000u, 0x7fc12345u, 0x7f800001u, 0x7fa00000u}) {
        values.push_back(v);
        values.push_back(v | 0x80000000u);
      }
      for (int k = 0; k < 10; ++k) values.push_back(rng() & 0xffffffffu);
      return values;
    default:
      for (double v : {0.0,
                       1.0,
                       0.5,
                       1.5,
                       2.5,
                       0.49999999999999994,
                       0.9999999999999999,
                       5e-324,
                       1e-308,
                       4503599627370495.5,
                       4503599627370496.0,
                       9007199254740993.0,
                       2147483646.9,
                       2147483647.0,
                       2147483647.9,
                       2147483648.0,
                       2147483648.9,
                       2147483649.0,
                       4294967295.0,
                       4294967295.9,
                       4294967296.0,
                       9223372036854774784.0,
                       9223372036854775808.0,
                       9223372036854777856.0,
                       18446744073709549568.0,
                       18446744073709551616.0,
                       18446744073709555712.0,
                       1.7976931348623157e308,
                       3.4028234663852886e38,
                       3.4028235677973366e38,
                       1.401298464324817e-45,
                       7.006492321624085e-46,
                       3.7,
                       1e10,
                       1.0000000596046448}) {
        values.push_back(Bits(v));
        values.push_back(Bits(-v));
      }
      for (uint64_t v : {0x7ff0000000000000u, 0x7ff8000000000000u, 0x7ff8123456789abcu,
                         0x7ff0000000000001u, 0x7ff4000000000000u, 0x7ff0000020000000u}) {
        values.push_back(v);
        values.push_back(v | uint64_t{1} << 63);
      }
      for (int k = 0; k < 10; ++k) values.push_back(rng());
      return values;
  }
}

using Make = std::function<Value(Build&, Value, Value)>;

// Whether functions are compiled with NativeOptions().
bool g_native = false;

class FloatOperationTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override { g_native = GetParam(); }
};
class IntegerOperationTest : public FloatOperationTest {};

// A function (a, b) -> result with WebAssembly's calling convention.
codegen::CompiledFunction Compiled(Type a, Type b, Type result, const Make& make) {
  Function f("f", {{a, b}, {result}, ir::CallConv::kWasm});
  const Block block = f.NewBlock();
  const Value x = f.AddParam(block, a), y = f.AddParam(block, b);
  f.AddEntry(block);
  Build build(f);
  build.At(block);
  const Value r = make(build, x, y);
  build.Do(Opcode::kRet, {r});
  return Compile(f, g_native ? NativeOptions() : Options());
}

uint64_t Result(TestMachine& machine, uint32_t function, Type a, Type b, Type result, uint64_t x,
                uint64_t y) {
  TestMachine::WasmRegisters r;
  // What a value does not fill holds anything.
  std::memset(r.vectors, 0xa5, sizeof(r.vectors));
  size_t ints = 0, vectors = 0;
  auto pass = [&](Type t, uint64_t v) {
    if (IsFloat(t)) {
      std::memcpy(r.vectors[vectors++], &v, t == Type::kF64 ? 8 : 4);
    } else {
      r.ints[abi::kWasmPassedIn[ints++]] = v;
    }
  };
  pass(a, x);
  pass(b, y);
  EXPECT_EQ(machine.RunWasm(function, r).kind, TestMachine::Stop::Kind::kReturned);
  uint64_t out = 0;
  if (IsFloat(result)) {
    std::memcpy(&out, r.vectors[0], result == Type::kF64 ? 8 : 4);
  } else {
    out = r.ints[0];
  }
  return out;
}

uint64_t Eval(Opcode op, Type type, uint8_t aux, Type operand, uint64_t a, uint64_t b) {
  InstData d{.op = op, .type = type, .aux = aux};
  const uint64_t args[] = {a, b};
  return ir::EvalPure(d, args, operand);
}

std::string Where(Opcode op, Type type, uint64_t a, uint64_t b) {
  return absl::StrCat(ir::Info(op).text, " type ", static_cast<int>(type), " of ", absl::Hex(a),
                      ", ", absl::Hex(b));
}

int64_t Imm(Type type, uint64_t bits) {
  return type == Type::kI32 ? int64_t{static_cast<int32_t>(static_cast<uint32_t>(bits))}
                            : static_cast<int64_t>(bits);
}

Value ConstantOf(Build& b, Type type, uint64_t bits) {
  return IsFloat(type) ? b.Op(Opcode::kFconst, type, {}, type, 0, static_cast<int64_t>(bits))
                       : b.Const(type, Imm(type, bits));
}

const Opcode kFloatBinary[] = {Opcode::kFadd, Opcode::kFsub, Opcode::kFmul,     Opcode::kFdiv,
                               Opcode::kFmin, Opcode::kFmax, Opcode::kFcopysign};
const Opcode kFloatUnary[] = {Opcode::kFneg,   Opcode::kFabs,   Opcode::kFsqrt,   Opcode::kFceil,
                              Opcode::kFfloor, Opcode::kFtrunc, Opcode::kFnearest};

TEST_P(FloatOperationTest, Binary) {
  for (Type t : {Type::kF32, Type::kF64}) {
    for (Opcode op : kFloatBinary) {
      std::vector<codegen::CompiledFunction> functions;
      functions.push_back(
          Compiled(t, t, t, [&](Build& b, Value x, Value y) { return b.Binary(op, t, x, y); }));
      functions.push_back(
          Compiled(t, t, t, [&](Build& b, Value x, Value y) { return b.Binary(op, t, y, x); }));
      // Of one value, which is used afterwards.
      functions.push_back(Compiled(t, t, t, [&](Build& b, Value x, Value) {
        return b.Binary(Opcode::kFcopysign, t, b.Binary(op, t, x, x), x);
      }));
      const std::vector<uint64_t> values = Interesting(t);
      for (uint64_t c : values) {
        functions.push_back(Compiled(t, t, t, [&](Build& b, Value x, Value) {
          return b.Binary(op, t, x, ConstantOf(b, t, c));
        }));
        functions.push_back(Compiled(t, t, t, [&](Build& b, Value x, Value) {
          return b.Binary(op, t, ConstantOf(b, t, c), x);
        }));
      }
      TestMachine machine(std::move(functions));
      for (uint64_t a : values) {
        const uint64_t self = Eval(op, t, 0, t, a, a);
        ASSERT_EQ(Result(machine, 2, t, t, t, a, 0), Eval(Opcode::kFcopysign, t, 0, t, self, a))
            << Where(op, t, a, a);
        for (size_t k = 0; k < values.size(); ++k) {
          const uint64_t c = values[k];
          const uint64_t expected = Eval(op, t, 0, t, a, c), swapped = Eval(op, t, 0, t, c, a);
          const uint32_t number = static_cast<uint32_t>(3 + 2 * k);
          ASSERT_EQ(Result(machine, 0, t, t, t, a, c), expected) << Where(op, t, a, c);
          ASSERT_EQ(Result(machine, 1, t, t, t, a, c), swapped) << Where(op, t, c, a);
          ASSERT_EQ(Result(machine, number, t, t, t, a, 0), expected) << Where(op, t, a, c);
          ASSERT_EQ(Result(machine, number + 1, t, t, t, a, 0), swapped) << Where(op, t, c, a);
        }
      }
    }
  }
}

TEST_P(FloatOperationTest, Unary) {
  for (Type t : {Type::kF32, Type::kF64}) {
    for (Opcode op : kFloatUnary) {
      std::vector<codegen::CompiledFunction> functions;
      functions.push_back(
          Compiled(t, t, t, [&](Build& b, Value x, Value) { return b.Op(op, t, {x}, t); }));
      functions.push_back(Compiled(t, t, t, [&](Build& b, Value x, Value) {
        return b.Binary(Opcode::kFcopysign, t, b.Op(op, t, {x}, t), x);
      }));
      TestMachine machine(std::move(functions));
      for (uint64_t a : Interesting(t)) {
        const uint64_t expected = Eval(op, t, 0, t, a, 0);
        ASSERT_EQ(Result(machine, 0, t, t, t, a, 0), expected) << Where(op, t, a, 0);
        ASSERT_EQ(Result(machine, 1, t, t, t, a, 0), Eval(Opcode::kFcopysign, t, 0, t, expected, a))
            << Where(op, t, a, 0);
      }
    }
  }
}

TEST_P(FloatOperationTest, Conversions) {
  struct Conversion {
    Opcode op;
    Type from, to;
  };
  std::vector<Conversion> conversions = {
      {Opcode::kFpromote, Type::kF32, Type::kF64}, {Opcode::kFdemote, Type::kF64, Type::kF32},
      {Opcode::kBitcast, Type::kF64, Type::kI64},  {Opcode::kBitcast, Type::kI64, Type::kF64},
      {Opcode::kBitcast, Type::kF32, Type::kI32},  {Opcode::kBitcast, Type::kI32, Type::kF32}};
  for (Type f : {Type::kF32, Type::kF64}) {
    for (Type i : {Type::kI32, Type::kI64}) {
      for (Opcode op : {Opcode::kFtoS, Opcode::kFtoU}) conversions.push_back({op, f, i});
      for (Opcode op : {Opcode::kStoF, Opcode::kUtoF}) conversions.push_back({op, i, f});
    }
  }
  for (const Conversion& c : conversions) {
    std::vector<codegen::CompiledFunction> functions;
    functions.push_back(Compiled(c.from, c.from, c.to, [&](Build& b, Value x, Value) {
      return b.Op(c.op, c.to, {x}, c.to);
    }));
    // In range.
    functions.push_back(Compiled(c.from, c.from, c.to, [&](Build& b, Value x, Value) {
      return b.Op(c.op, c.to, {x}, c.to, 1);
    }));
    TestMachine machine(std::move(functions));
    for (uint64_t a : Interesting(c.from)) {
      const uint64_t expected = Eval(c.op, c.to, 0, c.from, a, 0);
      ASSERT_EQ(Result(machine, 0, c.from, c.from, c.to, a, 0), expected)
          << Where(c.op, c.to, a, 0) << " from " << static_cast<int>(c.from);
      if (c.op != Opcode::kFtoS && c.op != Opcode::kFtoU) continue;
      // In range if the value is an integer's after rounding toward zero.
      const uint64_t back =
          Eval(c.op == Opcode::kFtoS ? Opcode::kStoF : Opcode::kUtoF, c.from, 0, c.to, expected, 0);
      const uint64_t rounded = Eval(Opcode::kFtrunc, c.from, 0, c.from, a, 0);
      const uint64_t zero =
          Eval(Opcode::kFcmp, c.from, static_cast<uint8_t>(FloatCond::kEq), c.from, back, rounded);
      // The largest integers round up to what is out of range.
      const bool largest = expected >= (c.to == Type::kI64 ? ~uint64_t{0} >> 11 : 0xffffffu) &&
                           Eval(c.op, c.to, 0, c.from, back, 0) == expected &&
                           (expected & 0x3f) == 0x3f;
      if (zero == 0 || largest) continue;
      ASSERT_EQ(Result(machine, 1, c.from, c.from, c.to, a, 0), expected)
          << Where(c.op, c.to, a, 0) << " in range, from " << static_cast<int>(c.from);
    }
  }
}

// As a value, negated, selecting integers and floats, branching, trapping.
TEST_P(FloatOperationTest, Compare) {
  for (Type t : {Type::kF32, Type::kF64}) {
    const std::vector<uint64_t> values = Interesting(t);
    for (int k = 0; k < 6; ++k) {
      const uint8_t cond = static_cast<uint8_t>(k);
      auto compare = [&](Build& b, Value x, Value y) {
        return b.Op(Opcode::kFcmp, t, {x, y}, Type::kI32, cond);
      };
      auto negated = [&](Build& b, Value x, Value y) {
        return b.Icmp(IntCond::kEq, Type::kI32, compare(b, x, y), b.Const(Type::kI32, 0));
      };
      std::vector<codegen::CompiledFunction> functions;
      functions.push_back(Compiled(t, t, Type::kI32, compare));
      functions.push_back(Compiled(t, t, Type::kI32, negated));
      for (bool negate : {false, true}) {
        auto test = [&](Build& b, Value x, Value y) {
          return negate ? negated(b, x, y) : compare(b, x, y);
        };
        functions.push_back(Compiled(t, t, Type::kI32, [&](Build& b, Value x, Value y) {
          return b.Op(Opcode::kSelect, Type::kI32,
                      {test(b, x, y), b.Const(Type::kI32, 11), b.Const(Type::kI32, 22)},
                      Type::kI32);
        }));
        functions.push_back(Compiled(t, t, t, [&](Build& b, Value x, Value y) {
          return b.Op(Opcode::kSelect, t, {test(b, x, y), x, y}, t);
        }));
        functions.push_back(Compiled(t, t, t, [&](Build& b, Value x, Value y) {
          return b.Op(Opcode::kSelect, t, {test(b, x, y), y, x}, t);
        }));
        functions.push_back(Compiled(t, t, Type::kI32, [&](Build& b, Value x, Value y) {
          return b.Op(Opcode::kSelect, Type::kI32,
                      {test(b, x, x), b.Const(Type::kI32, 11),
                       b.Op(Opcode::kFtoS, Type::kI32, {y}, Type::kI32)},
                      Type::kI32);
        }));
      }
      // Branches, with either side next.
      for (bool first : {false, true}) {
        Function f("f", {{t, t}, {Type::kI32}, ir::CallConv::kWasm});
        const Block entry = f.NewBlock(), yes = f.NewBlock(), no = f.NewBlock();
        const Value x = f.AddParam(entry, t), y = f.AddParam(entry, t);
        f.AddEntry(entry);
        f.block(first ? no : yes).cold = true;
        Build build(f);
        build.At(entry);
        const Value c = compare(build, x, y);
        build.Do(Opcode::kBrIf, {c}, 0, 0, {}, {{yes}, {no}});
        build.At(yes);
        build.Do(Opcode::kRet, {build.Const(Type::kI32, 1)});
        build.At(no);
        build.Do(Opcode::kRet, {build.Const(Type::kI32, 0)});
        functions.push_back(Compile(f, g_native ? NativeOptions() : Options()));
      }
      functions.push_back(Compiled(t, t, Type::kI32, [&](Build& b, Value x, Value y) {
        b.Do(Opcode::kTrapIf, {compare(b, x, y)}, 9, 0, {77, 3});
        return b.Const(Type::kI32, 5);
      }));
      const uint32_t with_constants = static_cast<uint32_t>(functions.size());
      for (uint64_t c : values) {
        functions.push_back(Compiled(t, t, Type::kI32, [&](Build& b, Value x, Value) {
          return compare(b, x, ConstantOf(b, t, c));
        }));
        functions.push_back(Compiled(t, t, Type::kI32, [&](Build& b, Value x, Value) {
          return negated(b, ConstantOf(b, t, c), x);
        }));
      }
      TestMachine machine(std::move(functions));
      for (uint64_t a : values) {
        const uint64_t self = Eval(Opcode::kFcmp, t, cond, t, a, a);
        for (size_t n = 0; n < values.size(); ++n) {
          const uint64_t c = values[n];
          const std::string where = absl::StrCat(Where(Opcode::kFcmp, t, a, c), " cond ", k);
          const uint64_t expected = Eval(Opcode::kFcmp, t, cond, t, a, c);
          const uint64_t swapped = Eval(Opcode::kFcmp, t, cond, t, c, a);
          const uint64_t integer = Eval(Opcode::kFtoS, Type::kI32, 0, t, c, 0);
          ASSERT_EQ(Result(machine, 0, t, t, Type::kI32, a, c), expected) << where;
          ASSERT_EQ(Result(machine, 1, t, t, Type::kI32, a, c), 1 - expected) << where;
          for (uint32_t negate = 0; negate < 2; ++negate) {
            const bool holds = expected != negate;
            const uint32_t at = 2 + 4 * negate;
            ASSERT_EQ(Result(machine, at, t, t, Type::kI32, a, c), holds ? 11u : 22u) << where;
            ASSERT_EQ(Result(machine, at + 1, t, t, t, a, c), holds ? a : c) << where;
            ASSERT_EQ(Result(machine, at + 2, t, t, t, a, c), holds ? c : a) << where;
            ASSERT_EQ(Result(machine, at + 3, t, t, Type::kI32, a, c),
                      self != negate ? 11 : integer)
                << where;
          }
          ASSERT_EQ(Result(machine, 10, t, t, Type::kI32, a, c), expected) << where;
          ASSERT_EQ(Result(machine, 11, t, t, Type::kI32, a, c), expected) << where;
          const uint32_t number = with_constants + static_cast<uint32_t>(2 * n);
          ASSERT_EQ(Result(machine, number, t, t, Type::kI32, a, 0), expected) << where;
          ASSERT_EQ(Result(machine, number + 1, t, t, Type::kI32, a, 0), 1 - swapped) << where;
        }
      }
      // A trap or not.
      for (uint64_t a : values) {
        for (uint64_t c : {values[0], values[5], values[60]}) {
          TestMachine::WasmRegisters r;
          std::memcpy(r.vectors[0], &a, 8);
          std::memcpy(r.vectors[1], &c, 8);
          const TestMachine::Stop stop = machine.RunWasm(12, r);
          if (Eval(Opcode::kFcmp, t, cond, t, a, c) == 0) {
            ASSERT_EQ(stop.kind, TestMachine::Stop::Kind::kReturned);
            continue;
          }
          ASSERT_EQ(stop.kind, TestMachine::Stop::Kind::kIllegal);
          const codegen::Site site = *machine.StateAt(12, stop.offset).site;
          EXPECT_EQ(site.guest_pc, 77u);
          EXPECT_EQ(site.refund, 3u);
          EXPECT_EQ(site.trap_code, 9);
        }
      }
    }
  }
}

TEST_P(IntegerOperationTest, Counts) {
  for (Type t : {Type::kI32, Type::kI64}) {
    for (Opcode op : {Opcode::kClz, Opcode::kCtz, Opcode::kPopcnt, Opcode::kBswap}) {
      std::vector<codegen::CompiledFunction> functions;
      functions.push_back(
          Compiled(t, t, t, [&](Build& b, Value x, Value) { return b.Op(op, t, {x}, t); }));
      TestMachine machine(std::move(functions));
      for (uint64_t a : Interesting(t)) {
        ASSERT_EQ(Result(machine, 0, t, t, t, a, 0), Eval(op, t, 0, t, a, 0)) << Where(op, t, a, 0);
      }
    }
  }
}

TEST_P(IntegerOperationTest, CheckedDivision) {
  for (Type t : {Type::kI32, Type::kI64}) {
    for (Opcode op :
         {Opcode::kSdivTotal, Opcode::kUdivTotal, Opcode::kSremTotal, Opcode::kUremTotal}) {
      auto divide = [&](Build& b, Value x, Value y) { return b.Op(op, t, {x, y}, t, 1); };
      std::vector<codegen::CompiledFunction> functions;
      functions.push_back(Compiled(t, t, t, divide));
      std::vector<uint64_t> divisors = Interesting(t);
      for (uint64_t d : {3, 5, 6, 7, 9, 10, 12, 25, 100, 125, 625, 641, 1000, 10000, 1000000007}) {
        divisors.push_back(d);
        divisors.push_back(t == Type::kI64 ? 0 - d : (0 - d) & 0xffffffffu);
      }
      for (uint64_t d : divisors) {
        functions.push_back(Compiled(
            t, t, t, [&](Build& b, Value x, Value) { return divide(b, x, ConstantOf(b, t, d)); }));
      }
      TestMachine machine(std::move(functions));
      const uint64_t all = t == Type::kI64 ? ~uint64_t{0} : 0xffffffffu;
      for (uint64_t a : Interesting(t)) {
        for (size_t k = 0; k < divisors.size(); ++k) {
          const uint64_t d = divisors[k];
          if (d == 0) continue;
          if (op == Opcode::kSdivTotal && d == all && a == (all >> 1) + 1) continue;
          const uint64_t expected = Eval(op, t, 1, t, a, d);
          ASSERT_EQ(Result(machine, 0, t, t, t, a, d), expected) << Where(op, t, a, d);
          ASSERT_EQ(Result(machine, static_cast<uint32_t>(1 + k), t, t, t, a, 0), expected)
              << Where(op, t, a, d) << ", a constant";
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, FloatOperationTest, ::testing::Bool());
INSTANTIATE_TEST_SUITE_P(Targets, IntegerOperationTest, ::testing::Bool());

}  // namespace
}  // namespace precast::x64::testing
