// The machine code between the host and generated code (trampolines.S), and what it calls in C++.
#ifndef PRECAST_RUNTIME_TRAMPOLINES_H_
#define PRECAST_RUNTIME_TRAMPOLINES_H_

#include <cstdint>

#include "absl/types/span.h"
#include "runtime/abi/vm_context.h"

extern "C" {

// Runs generated code from `native_entry` on `context`'s native stack, until it returns or leaves;
// then `context->exit_reason` says why. x[], pc and fuel of the context are read on entry. Before
// the call the context's memory_base, native_stack_top (16-aligned) and native_stack_limit must be
// set.
void precast_enter(precast::abi::VmContext* context, const void* native_entry);

// The same for code that counts rows (runtime/abi/meter_area.h): `rows` gets the lanes as they are
// when it leaves, having been 0 when it was entered.
void precast_enter_counting(precast::abi::VmContext* context, const void* native_entry,
                            uint32_t* rows);

// Not functions for C++ to call: see trampolines.S.
void precast_dispatch_miss();
void precast_host_call();
void precast_resolve_plt();
void precast_custom();
void precast_mark_page();
// The same for others than generated code.
void precast_mark_page_at(uint8_t* memory_base);
// Leaves guest code from a signal handler: the context register is set, all else is in it.
void precast_exit_guest();

}  // extern "C"

namespace precast::runtime {

// What native code asks of the runtime, on the host's stack. VmContext::runtime points to one of
// these.
class NativeCallbacks {
 public:
  virtual ~NativeCallbacks() = default;

  // Performs the host call of the ecall at context->pc, on the state in the context. True: the
  // guest continues at context->pc; false: it has ended or must stop.
  virtual bool HostCall() = 0;
  // Native code of PLT entry `index`, bound from now on. Never null.
  virtual const void* ResolvePlt(uint32_t index) = 0;
  // Executes the custom instruction at `pc` with these values of its registers. Low half: 1 if it
  // traps, and has done nothing; else 0. High half: its value.
  virtual uint64_t Custom(uint32_t /*pc*/, uint32_t /*rd*/, uint32_t /*rs1*/, uint32_t /*rs2*/) {
    return 1;
  }
};

// The addresses the loader puts into GOT slots, indexed by abi::Callback.
absl::Span<const void* const> CallbackAddresses();

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_TRAMPOLINES_H_
