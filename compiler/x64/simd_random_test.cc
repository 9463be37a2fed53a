// Random functions of many vector operations, compared with simd_reference: more values than
// registers, so that operands are spilled, copied and reused; loops, so that vectors travel along
// edges; calls, which leave no register as it was.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/ir/ir.h"
#include "compiler/x64/simd_reference.h"
#include "compiler/x64/simd_test_program.h"
#include "compiler/x64/test_functions.h"
#include "compiler/x64/test_machine.h"
#include "gtest/gtest.h"

namespace precast::x64::testing {
namespace {

constexpr char kLetters[] = {'v', 'i', 'l', 'f', 'd'};

// How many times the usual number of random functions; the long target sets it.
#ifndef PRECAST_SEED_FACTOR
#define PRECAST_SEED_FACTOR 1
#endif
constexpr uint64_t kSeeds = 1000 * PRECAST_SEED_FACTOR;

// What a function does: inputs and loop parameters first, then steps that compute from values
// before them. The same plan is built as IR and evaluated.
class Plan {
 public:
  Plan(uint64_t seed, bool loop) : rng_(seed) {
    const size_t vectors = 8 + rng_() % 14;
    for (size_t k = 0; k < vectors; ++k) AddInput('v');
    for (char letter : kLetters) {
      for (uint64_t n = rng_() % 5 + 1; n > 0; --n) AddInput(letter);
    }
    if (loop) {
      iterations_ = 1 + static_cast<int>(rng_() % 3);
      for (uint64_t n = rng_() % 20; n > 0; --n) {
        const char letter = rng_() % 4 != 0 ? 'v' : Pick(kLetters, rng_);
        params_.push_back({.first = PickOf(letter)});
      }
      for (const Param& p : params_) Add(values_[p.first].letter, true, "parameter");
    }
    for (uint64_t n = rng_() % 50; n > 0; --n) AddStep(loop);
    for (Param& p : params_) p.next = PickOf(values_[p.first].letter);
  }

  codegen::CompiledFunction Compile(uint64_t cpu_features) {
    SimdProgram program(cpu_features);
    std::vector<Value> v;
    for (size_t k = 0; k < inputs_.size(); ++k) {
      const Type type = TypeOf(values_[k].letter);
      v.push_back(inputs_[k].constant ? program.Constant(type, inputs_[k].bits)
                                      : program.Load(type, static_cast<uint32_t>(k)));
    }
    Function& f = program.function();
    Build& build = program.build();
    Block loop;
    Value counter;
    if (iterations_ != 0) {
      loop = f.NewBlock();
      f.block(loop).loop_depth = 1;
      std::vector<Value> first;
      for (const Param& p : params_) first.push_back(v[p.first]);
      first.push_back(build.Const(Type::kI32, iterations_));
      build.Do(Opcode::kBr, {}, 0, 0, {}, {{loop, first}});
      for (const Param& p : params_) v.push_back(f.AddParam(loop, TypeOf(values_[p.first].letter)));
      counter = f.AddParam(loop, Type::kI32);
      build.At(loop);
    }
    for (const Step& s : steps_) {
      std::vector<Value> operands;
      for (size_t operand : s.operands) operands.push_back(v[operand]);
      switch (s.kind) {
        case Step::Kind::kSimd:
          v.push_back(program.Simd(s.op, operands, s.lane));
          break;
        case Step::Kind::kShuffle:
          v.push_back(program.Shuffle(operands[0], operands[1], s.pattern));
          break;
        case Step::Kind::kSelect:
          v.push_back(build.Op(Opcode::kSelect, Type::kV128, operands, Type::kV128));
          break;
        case Step::Kind::kCall: {  // gives back the first operand
          InstData call{.op = Opcode::kCall};
          call.imm = 1;
          std::vector<Value> args = program.params();
          args[0] = operands[0];
          v.push_back(f.result(f.Append(build.at(), call, args, {Type::kI32})));
          break;
        }
      }
    }
    if (iterations_ != 0) {
      std::vector<Value> next;
      for (const Param& p : params_) next.push_back(v[p.next]);
      next.push_back(build.Binary(Opcode::kSub, Type::kI32, counter, build.Const(Type::kI32, 1)));
      const Block exit = f.NewBlock();
      build.Do(Opcode::kBrIf, {next.back()}, 0, 0, {}, {{loop, next}, {exit, {}}});
      build.At(exit);
    }
    std::vector<uint32_t> order(v.size());
    for (uint32_t k = 0; k < order.size(); ++k) order[k] = k;
    std::shuffle(order.begin(), order.end(), rng_);
    for (uint32_t k : order) program.Store(v[k], k);
    return program.Compile();
  }

  std::vector<SimdExpectation> Evaluate() const {
    std::vector<SimdExpectation> v;
    for (const Input& input : inputs_) v.push_back({input.bits});
    for (const Param& p : params_) v.push_back(v[p.first]);
    for (int k = 0;; ++k) {
      const size_t begin = inputs_.size() + params_.size();
      v.resize(begin);
      for (const Step& s : steps_) v.push_back(Evaluate(s, v));
      if (k + 1 >= iterations_) return v;
      std::vector<SimdExpectation> next;
      for (const Param& p : params_) next.push_back(v[p.next]);
      std::copy(next.begin(), next.end(), v.begin() + static_cast<ptrdiff_t>(inputs_.size()));
    }
  }

  void SetInputs(TestMachine& machine) const {
    for (uint32_t k = 0; k < inputs_.size(); ++k) SetOperand(machine, k, inputs_[k].bits);
  }
  const std::string& name(size_t value) const { return values_[value].name; }

 private:
  struct Input {
    V128 bits;
    bool constant;
  };
  struct Param {
    size_t first, next = 0;  // values
  };
  struct Step {
    enum class Kind { kSimd, kShuffle, kSelect, kCall } kind;
    std::vector<size_t> operands;
    SimdOp op = SimdOp::kI8x16Splat;
    uint8_t lane = 0;
    V128 pattern = {};
  };
  struct Known {
    char letter;
    std::string name;
  };

  void AddInput(char letter) {
    inputs_.push_back({RandomValue(letter, rng_), rng_() % 4 == 0});
    Add(letter, true, "input");
  }
  // `exact`: others may be computed from it.
  void Add(char letter, bool exact, std::string name) {
    if (exact) of_letter_[static_cast<uint8_t>(letter)].push_back(values_.size());
    values_.push_back({letter, std::move(name)});
  }
  size_t PickOf(char letter) { return Pick(of_letter_[static_cast<uint8_t>(letter)], rng_); }

  void AddStep(bool calls) {
    const uint64_t what = rng_() % 16;
    if (what == 0) {
      Step s{.kind = Step::Kind::kShuffle, .operands = {PickOf('v'), PickOf('v')}};
      for (uint8_t& p : s.pattern) p = rng_() % 32;
      steps_.push_back(s);
      return Add('v', true, "shuffle");
    }
    if (what == 1) {
      steps_.push_back(
          {.kind = Step::Kind::kSelect, .operands = {PickOf('i'), PickOf('v'), PickOf('v')}});
      return Add('v', true, "select");
    }
    if (what == 2 && calls) {
      steps_.push_back({.kind = Step::Kind::kCall, .operands = {PickOf('i')}});
      return Add('i', true, "call");
    }
    Step s{.kind = Step::Kind::kSimd, .operands = {}, .op = Pick(AllSimdOps(), rng_)};
    const ir::SimdInfo& info = ir::Info(s.op);
    if (info.lanes != 0) s.lane = static_cast<uint8_t>(rng_() % info.lanes);
    for (const char* letter = info.operands; *letter != '\0'; ++letter) {
      s.operands.push_back(PickOf(*letter));
    }
    steps_.push_back(s);
    // What NaN a result has is not known: such results are not computed with.
    const V128 any[3] = {};
    const bool exact =
        SimdReference(s.op, {any, s.operands.size()}, s.lane).nans == NanLanes::kExact;
    for (char letter : kLetters) {
      if (TypeOf(letter) == info.result) Add(letter, exact, info.text);
    }
  }

  static SimdExpectation Evaluate(const Step& s, const std::vector<SimdExpectation>& v) {
    std::vector<V128> operands;
    for (size_t operand : s.operands) operands.push_back(v[operand].value);
    switch (s.kind) {
      case Step::Kind::kSimd:
        return SimdReference(s.op, operands, s.lane);
      case Step::Kind::kShuffle:
        return {ShuffleReference(operands[0], operands[1], s.pattern)};
      case Step::Kind::kSelect:
        return {operands[0] != V128{} ? operands[1] : operands[2]};
      case Step::Kind::kCall:
        break;
    }
    return {operands[0]};
  }

  Rng rng_;
  int iterations_ = 0;  // 0: no loop
  std::vector<Input> inputs_;
  std::vector<Param> params_;
  std::vector<Step> steps_;
  std::vector<Known> values_;  // inputs, parameters, steps
  std::vector<size_t> of_letter_[256];
};

// Function 1: returns its first argument.
codegen::CompiledFunction Identity() { return SimdProgram().Compile(); }

void Compare(uint64_t seed, bool loop, uint64_t cpu_features) {
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  Plan plan(seed, loop);
  TestMachine machine({plan.Compile(cpu_features), Identity()});
  plan.SetInputs(machine);
  const std::vector<SimdExpectation> expected = plan.Evaluate();
  ASSERT_NO_FATAL_FAILURE(RunOn(machine, 0, static_cast<uint32_t>(expected.size())));
  for (uint32_t k = 0; k < expected.size(); ++k) {
    const V128 actual = Result(machine, k);
    ASSERT_TRUE(Matches(expected[k], actual))
        << k << ": " << plan.name(k) << "\nexpected " << ToString(expected[k].value)
        << "\nactual   " << ToString(actual);
  }
}

class SimdRandomTest : public ::testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Cpu, SimdRandomTest, ::testing::ValuesIn(CpuLevels()), LevelName);

TEST_P(SimdRandomTest, StraightLine) {
  for (uint64_t seed = 1; seed <= kSeeds && !::testing::Test::HasFatalFailure(); ++seed) {
    Compare(seed, false, GetParam());
  }
}

TEST_P(SimdRandomTest, Loops) {
  for (uint64_t seed = 1; seed <= kSeeds && !::testing::Test::HasFatalFailure(); ++seed) {
    Compare(seed, true, GetParam());
  }
}

}  // namespace
}  // namespace precast::x64::testing
