// IR functions over v128 for the tests of the back end: random operands, and functions that take
// them from guest memory and leave their results there.
#ifndef PRECAST_COMPILER_X64_SIMD_TEST_PROGRAM_H_
#define PRECAST_COMPILER_X64_SIMD_TEST_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/ir/ir.h"
#include "compiler/x64/test_functions.h"
#include "compiler/x64/test_machine.h"
#include "gtest/gtest.h"

namespace precast::x64::testing {

using ir::SimdOp;
using ir::V128;
using Rng = std::mt19937_64;

absl::Span<const SimdOp> AllSimdOps();

// The processors that code is made for in tests, as features: the baseline, and x86-64-v3 if this
// machine is one.
std::vector<uint64_t> CpuLevels();
std::string LevelName(const ::testing::TestParamInfo<uint64_t>& info);

template <typename List>
const auto& Pick(const List& list, Rng& rng) {
  return list[rng() % std::size(list)];
}

// A value of the type that simd.def writes as a letter, in the low bytes; often an edge of some
// interpretation of its lanes.
V128 RandomValue(char type, Rng& rng);

Type TypeOf(char letter);

// What ir::Opcode::kShuffle gives.
V128 ShuffleReference(const V128& a, const V128& b, const V128& pattern);

// A function of RISC-V's calling convention under construction. Operand and result slots are 16
// bytes of guest memory each.
class SimdProgram {
 public:
  // For a machine with these features (format::CpuFeature).
  explicit SimdProgram(uint64_t cpu_features = 0);
  Function& function() { return f_; }
  Build& build() { return build_; }
  // Of the entry block, where building begins.
  const std::vector<Value>& params() const { return params_; }

  Value Load(Type type, uint32_t slot);
  void Store(Value v, uint32_t slot);
  Value Simd(SimdOp op, std::vector<Value> operands, uint8_t lane);
  Value Shuffle(Value a, Value b, const V128& pattern);
  // The low bytes of `v` as `type`.
  Value Constant(Type type, const V128& v);
  // Ends the current block with a return.
  codegen::CompiledFunction Compile();

 private:
  Value Address(uint32_t area, uint32_t slot);

  const uint64_t cpu_features_;
  Function f_;
  Build build_;
  std::vector<Value> params_;
};

void SetOperand(TestMachine& machine, uint32_t slot, const V128& v);
V128 Result(TestMachine& machine, uint32_t slot);
// Runs `function` with `results` result slots cleared; a failure of the test if it does not return.
void RunOn(TestMachine& machine, uint32_t function, uint32_t results);

}  // namespace precast::x64::testing

#endif  // PRECAST_COMPILER_X64_SIMD_TEST_PROGRAM_H_
