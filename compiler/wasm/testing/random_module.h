// Random valid modules, for differential tests: structured control flow, calls, tables, globals,
// memory and nearly every instruction of a fixed type, chosen by its operand and result types from
// opcodes.def.
//
// A module imports nothing and exports everything: functions "f0", "f1", …, memory "memory",
// globals "g0", …. Function k calls only functions after it, so recursion is bounded; loops may be
// endless: run it with limited fuel.
#ifndef PRECAST_COMPILER_WASM_TESTING_RANDOM_MODULE_H_
#define PRECAST_COMPILER_WASM_TESTING_RANDOM_MODULE_H_

#include <cstdint>
#include <vector>

namespace precast::wasm {

struct RandomModuleOptions {
  int functions = 6;
  int statements = 12;  // of a function's outermost block
  bool simd = true;
  bool atomics = true;
  bool beyond_2_0 =
      true;  // tail calls, relaxed SIMD, wide arithmetic, a second memory, a 64-bit one
};

// The same seed gives the same module.
std::vector<uint8_t> RandomModule(uint64_t seed, const RandomModuleOptions& options = {});

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_TESTING_RANDOM_MODULE_H_
