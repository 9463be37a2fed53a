// Loops around a switch on a local that is set before each jump back: how compilers without
// structured control flow say their jumps, for passes that look where they lead
// (opt/thread_switches.h).
#ifndef PRECAST_COMPILER_WASM_TESTING_SWITCH_LOOP_H_
#define PRECAST_COMPILER_WASM_TESTING_SWITCH_LOOP_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "compiler/wasm/testing/random_code.h"

namespace precast::wasm {

struct SwitchLoopParts {
  absl::FunctionRef<void()> condition;   // appends what leaves an i32 on the stack
  absl::FunctionRef<bool()> statements;  // appends some; false: what follows them cannot be reached
  absl::FunctionRef<void()> open;        // told that a label without values begins
  absl::FunctionRef<void()> close;       // told that it ends
};

// Appends such a loop, which ends after some rounds. Uses two i32 locals from `first_local` on.
void AppendSwitchLoop(RandomCode& code, uint64_t first_local, const SwitchLoopParts& parts);

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_TESTING_SWITCH_LOOP_H_
