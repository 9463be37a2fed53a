// Every operation on v128, every lane, shuffles and constants: compiled, one operation a function,
// run on random operands and at the edges, and compared with simd_reference.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/ir/ir.h"
#include "compiler/x64/compile.h"
#include "compiler/x64/simd_reference.h"
#include "compiler/x64/simd_test_program.h"
#include "compiler/x64/test_functions.h"
#include "compiler/x64/test_machine.h"
#include "gtest/gtest.h"

namespace precast::x64::testing {
namespace {

class SimdExecuteTest : public ::testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Cpu, SimdExecuteTest, ::testing::ValuesIn(CpuLevels()), LevelName);

// -- one operation

struct Single {
  SimdOp op;
  uint8_t lane = 0;
  bool same = false;   // all operands of one type are the same value
  bool kept = false;   // the operands are used afterwards
  int fixed = -1;      // number of an operand that is a constant
  V128 constant = {};  // its value
};

bool IsShift(SimdOp op) {
  const ir::SimdInfo& info = ir::Info(op);
  return std::string(info.operands) == "vi" && info.lanes == 0;
}

std::vector<Single> Singles() {
  std::vector<Single> singles;
  Rng rng(2);
  for (SimdOp op : AllSimdOps()) {
    const ir::SimdInfo& info = ir::Info(op);
    for (uint8_t lane = 0; lane < std::max<uint8_t>(info.lanes, 1); ++lane) {
      singles.push_back({.op = op, .lane = lane});
      singles.push_back({.op = op, .lane = lane, .same = true});
      singles.push_back({.op = op, .lane = lane, .kept = true});
    }
    const std::string letters = info.operands;
    for (int k = 0; k < static_cast<int>(letters.size()); ++k) {
      for (int n = 0; n < 6; ++n) {
        Single s{
            .op = op, .fixed = k, .constant = RandomValue(letters[static_cast<size_t>(k)], rng)};
        if (info.lanes != 0) s.lane = static_cast<uint8_t>(rng() % info.lanes);
        singles.push_back(s);
      }
    }
    if (IsShift(op)) {
      for (uint8_t amount = 0; amount < 70; ++amount) {
        singles.push_back({.op = op, .fixed = 1, .constant = {amount}});
      }
    }
  }
  return singles;
}

TEST_P(SimdExecuteTest, EveryOperation) {
  const std::vector<Single> singles = Singles();
  std::vector<codegen::CompiledFunction> compiled;
  for (const Single& s : singles) {
    const std::string letters = ir::Info(s.op).operands;
    SimdProgram program(GetParam());
    std::vector<Value> operands;
    for (uint32_t k = 0; k < letters.size(); ++k) {
      if (k > 0 && s.same && letters[k] == letters[0]) {
        operands.push_back(operands[0]);
      } else if (static_cast<int>(k) == s.fixed) {
        operands.push_back(program.Constant(TypeOf(letters[k]), s.constant));
      } else {
        operands.push_back(program.Load(TypeOf(letters[k]), k));
      }
    }
    program.Store(program.Simd(s.op, operands, s.lane), 0);
    for (uint32_t k = 0; s.kept && k < letters.size(); ++k) program.Store(operands[k], k + 1);
    compiled.push_back(program.Compile());
  }
  TestMachine machine(std::move(compiled));
  Rng rng(1);
  for (uint32_t n = 0; n < singles.size(); ++n) {
    const Single& s = singles[n];
    const std::string letters = ir::Info(s.op).operands;
    for (int run = 0; run < (s.fixed >= 0 ? 40 : 400); ++run) {
      std::vector<V128> operands;
      for (uint32_t k = 0; k < letters.size(); ++k) {
        V128 value = RandomValue(letters[k], rng);
        if (k > 0 && s.same && letters[k] == letters[0]) value = operands[0];
        if (static_cast<int>(k) == s.fixed) value = s.constant;
        operands.push_back(value);
        SetOperand(machine, k, value);
      }
      ASSERT_NO_FATAL_FAILURE(RunOn(machine, n, 4));
      for (uint32_t k = 0; s.kept && k < letters.size(); ++k) {
        ASSERT_EQ(ToString(Result(machine, k + 1)), ToString(operands[k]));
      }
      const SimdExpectation expected = SimdReference(s.op, operands, s.lane);
      const V128 actual = Result(machine, 0);
      if (Matches(expected, actual)) continue;
      std::string context =
          absl::StrCat(ir::Info(s.op).text, " ", s.lane, ", constant operand ", s.fixed);
      for (const V128& v : operands) absl::StrAppend(&context, "\noperand  ", ToString(v));
      ADD_FAILURE() << context << "\nexpected " << ToString(expected.value) << "\nactual   "
                    << ToString(actual);
      break;
    }
  }
}

// -- shuffles and constants

// Patterns that have instructions of their own, and near misses, and any.
std::vector<V128> Patterns() {
  std::vector<V128> patterns;
  auto add = [&](auto lane_of, size_t size) {
    V128 p;
    for (size_t k = 0; k < 16; ++k) {
      p[k] = static_cast<uint8_t>((lane_of(k / size) * size + k % size) % 32);
    }
    patterns.push_back(p);
    p[7] = static_cast<uint8_t>((p[7] + 1) % 32);
    patterns.push_back(p);
  };
  Rng rng(3);
  for (size_t k = 0; k < 32; ++k) add([&](size_t i) { return i + k; }, 1);  // palignr
  for (size_t size : {1, 2, 4, 8}) {
    const size_t count = 16 / size;
    for (size_t first : {size_t{0}, count / 2}) {  // punpck
      add([&](size_t i) { return first + i / 2 + i % 2 * count; }, size);
      add([&](size_t i) { return first + i / 2 + (1 - i % 2) * count; }, size);
      add([&](size_t i) { return first + i / 2; }, size);
      add([&](size_t i) { return first + i / 2 + count; }, size);
    }
    for (int n = 0; n < 12; ++n) {
      std::array<size_t, 16> lanes;
      for (size_t& lane : lanes) lane = rng();
      add([&](size_t i) { return lanes[i] % count; }, size);                  // of one
      add([&](size_t i) { return lanes[i] % count + count; }, size);          // of the other
      add([&](size_t i) { return lanes[i] % 2 * count + i; }, size);          // blend
      add([&](size_t i) { return lanes[i] % count + i / 2 * count; }, size);  // shufps
      add([&](size_t i) { return i < 4 ? lanes[i] % 4 : i; }, size);          // pshuflw
      add([&](size_t i) { return i >= 4 ? 4 + lanes[i] % 4 : i; }, size);     // pshufhw
      add([&](size_t i) { return lanes[i] % (2 * count); }, size);
    }
    add([&](size_t i) { return i % 2 == 0 ? i / 2 : 31; }, size);  // extension
    add([&](size_t) { return 5; }, size);                          // splat
  }
  return patterns;
}

TEST_P(SimdExecuteTest, Shuffles) {
  const std::vector<V128> patterns = Patterns();
  constexpr uint32_t kForms = 6;
  std::vector<codegen::CompiledFunction> compiled;
  for (const V128& pattern : patterns) {
    for (uint32_t form = 0; form < kForms; ++form) {
      SimdProgram program(GetParam());
      Value a = program.Load(Type::kV128, 0), b = program.Load(Type::kV128, 1);
      if (form == 1) b = a;
      if (form == 2) b = program.Constant(Type::kV128, V128{});
      if (form == 3) a = program.Constant(Type::kV128, V128{});
      program.Store(program.Shuffle(a, b, pattern), 0);
      if (form == 4) program.Store(a, 1);
      if (form == 5) program.Store(b, 1);
      compiled.push_back(program.Compile());
    }
  }
  TestMachine machine(std::move(compiled));
  Rng rng(4);
  for (uint32_t n = 0; n < kForms * patterns.size(); ++n) {
    const uint32_t form = n % kForms;
    V128 a = RandomValue('v', rng), b = RandomValue('v', rng);
    for (uint8_t k = 0; k < 16; ++k) {
      a[k] = static_cast<uint8_t>(0xa0 + k);
      b[k] = static_cast<uint8_t>(0xb0 + k);
    }
    SetOperand(machine, 0, a);
    SetOperand(machine, 1, b);
    if (form == 1) b = a;
    if (form == 2) b = V128{};
    if (form == 3) a = V128{};
    ASSERT_NO_FATAL_FAILURE(RunOn(machine, n, 2));
    const V128& pattern = patterns[n / kForms];
    EXPECT_EQ(ToString(Result(machine, 0)), ToString(ShuffleReference(a, b, pattern)))
        << ToString(pattern) << " form " << form;
    if (form >= 4) {
      EXPECT_EQ(ToString(Result(machine, 1)), ToString(form == 4 ? a : b));
    }
  }
}

TEST_P(SimdExecuteTest, Constants) {
  Rng rng(5);
  std::vector<V128> values = {V128{}};
  values.emplace_back();
  values.back().fill(0xff);
  for (int k = 0; k < 10; ++k) values.push_back(RandomValue('v', rng));
  SimdProgram program(GetParam());
  for (uint32_t k = 0; k < values.size(); ++k)
    program.Store(program.Constant(Type::kV128, values[k]), k);
  TestMachine machine({program.Compile()});
  ASSERT_NO_FATAL_FAILURE(RunOn(machine, 0, static_cast<uint32_t>(values.size())));
  for (uint32_t k = 0; k < values.size(); ++k) {
    EXPECT_EQ(ToString(Result(machine, k)), ToString(values[k]));
  }
}

}  // namespace
}  // namespace precast::x64::testing
