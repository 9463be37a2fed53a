// What the libgcc functions of runtime/abi/helpers.def compute.
#ifndef PRECAST_RUNTIME_INTERPRETER_HELPERS_H_
#define PRECAST_RUNTIME_INTERPRETER_HELPERS_H_

#include <cstdint>

#include "runtime/abi/helpers.h"

namespace precast::runtime {

// `a` are the guest registers a0 to a3; a0, and a1 if the helper has two outputs, get the result.
void RunHelper(abi::Helper helper, uint32_t* a);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_INTERPRETER_HELPERS_H_
