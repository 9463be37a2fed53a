// Random verified functions for tests: like what a front end makes, but with wilder control flow.
#ifndef PRECAST_COMPILER_IR_RANDOM_H_
#define PRECAST_COMPILER_IR_RANDOM_H_

#include <cstdint>

#include "compiler/ir/ir.h"

namespace precast::ir {

struct RandomOptions {
  uint32_t max_blocks = 12;
  uint32_t max_insts = 10;  // in a block
  uint32_t max_entries = 3;
  uint32_t num_params = 3;   // of the function, i32
  uint32_t num_results = 2;  // of the function, and of each call, i32
  bool i64 = true;           // 64-bit operations too
  bool memory = true;        // addresses are mostly below `memory_size`
  uint32_t memory_size = 512;
  bool calls = true;
  bool state = true;   // guest state slots 1 … 6
  bool meters = true;  // most blocks begin with one; without, loops may be endless
  // WebAssembly's calling convention and scalar operations: floating point, counting bits, checked
  // division, context and host memory, atomics, calls through pointers (and no other indirect ones,
  // nor runtime calls). Of the context `context_size` bytes are used; host memory of `memory_size`
  // bytes lies at `host_address`.
  bool wasm = false;
  uint32_t context_size = 256;
  uint64_t host_address = 0x1000'0000'0000;
};

// The same for the same seed, on any machine.
Function RandomFunction(uint64_t seed, const RandomOptions& options = {});

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_RANDOM_H_
