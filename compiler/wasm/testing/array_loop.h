// Loops over arrays as compilers unroll them, for passes that look for neighbours in memory
// (opt/slp_vectorize.h).
#ifndef PRECAST_COMPILER_WASM_TESTING_ARRAY_LOOP_H_
#define PRECAST_COMPILER_WASM_TESTING_ARRAY_LOOP_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "compiler/wasm/testing/random_code.h"

namespace precast::wasm {

// Appends a loop that does the same to adjacent elements. Where the arrays are is often aligned,
// sometimes the same, and sometimes the end of memory 0, of `memory_bytes`. Uses three i32 locals
// from `first_local` on; `small_address` appends what leaves an address on the stack.
void AppendArrayLoop(RandomCode& code, uint64_t first_local, int64_t memory_bytes,
                     absl::FunctionRef<void()> small_address);

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_TESTING_ARRAY_LOOP_H_
