// The validator: accepts exactly the modules that the specification does (core specification 2.0,
// chapter 3), within the limits of limits.h.
#ifndef PRECAST_COMPILER_WASM_VALIDATOR_H_
#define PRECAST_COMPILER_WASM_VALIDATOR_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "compiler/wasm/module.h"

namespace precast::wasm {

// Everything but function bodies: types, limits, indices, constant expressions, segments, exports,
// start.
absl::Status ValidateModule(const Module& module, const Features& features);

// The body of one defined function of a module that ValidateModule accepted. Thread-safe.
absl::Status ValidateFunction(const Module& module, uint32_t function, const Features& features);

// Both, with all functions on `threads` threads (0: one per processor). Of several faults the same
// one is reported whatever the threads: one outside function bodies if there is any, else that of
// the first faulty function. `instructions`: takes how many each of the module's own functions has,
// if they are valid.
absl::Status Validate(const Module& module, const Features& features, int threads = 1,
                      std::vector<uint32_t>* instructions = nullptr);

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_VALIDATOR_H_
