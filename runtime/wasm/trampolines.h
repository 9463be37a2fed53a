// The machine code between WebAssembly code, the host and other instances (trampolines.S), and what
// it calls in C++ (call.cc). Calling convention and records: runtime/abi/wasm_context.h.
#ifndef PRECAST_RUNTIME_WASM_TRAMPOLINES_H_
#define PRECAST_RUNTIME_WASM_TRAMPOLINES_H_

#include <cstddef>
#include <cstdint>

#include "runtime/abi/wasm_context.h"

namespace precast::runtime::wasm {

// What parameters and results in registers look like in memory.
struct PassedArea {
  // By number in kWasmPassedIn; as results, [0] is rax.
  uint64_t integers[abi::kNumWasmIntPassed];
  uint64_t padding;
  abi::WasmValue vectors[abi::kNumWasmVectorPassed];
  uint64_t more_padding;
  uint64_t return_address;  // only on the stack of a host call
};
static_assert(offsetof(PassedArea, vectors) == 80);
static_assert(offsetof(PassedArea, return_address) == 216);

}  // namespace precast::runtime::wasm

extern "C" {

// Runs `code` with kContextReg for `context`, fuel from it, and parameters from `area`, on the
// native stack below `stack_top` (16-aligned), until it returns (then results are in `area`) or
// leaves. Returns the context in whose exit_reason, stop_rip, gpr and fuel it is said why and
// where: that of the instance that left, or `exit` after a signal.
precast::abi::VmContext* precast_wasm_enter(precast::abi::WasmContext* context, const void* code,
                                            precast::runtime::wasm::PassedArea* area,
                                            uint64_t stack_top, precast::abi::VmContext* exit);

// Not functions for C++ to call. Values of FunctionRecord::far_code: native code of any instance;
// functions of the host and interpreted ones; helpers.
void precast_wasm_far_native();
void precast_wasm_far_host();
void precast_wasm_far_helper();
// Value of VmContext::indirect_slow.
void precast_wasm_indirect_slow();

}  // extern "C"

// Offsets that trampolines.S knows.
static_assert(offsetof(precast::abi::WasmContext, signatures) == 368);
static_assert(offsetof(precast::abi::WasmContext, args) == 1040);
static_assert(offsetof(precast::abi::FunctionRecord, code) == 8);
static_assert(offsetof(precast::abi::FunctionRecord, far_code) == 16);
static_assert(offsetof(precast::abi::FunctionRecord, context) == 24);
static_assert(offsetof(precast::abi::FunctionRecord, signature) == 40);

#endif  // PRECAST_RUNTIME_WASM_TRAMPOLINES_H_
