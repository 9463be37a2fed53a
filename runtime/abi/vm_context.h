// The contract between generated code and the runtime: the layout of `VmContext`, the pinned
// machine registers, which guest registers travel in machine registers, and the callbacks. Whoever
// changes anything here changes the ABI fingerprint (fingerprint.h), and old images are rejected by
// the loader.
#ifndef PRECAST_RUNTIME_ABI_VM_CONTEXT_H_
#define PRECAST_RUNTIME_ABI_VM_CONTEXT_H_

#include <cstddef>
#include <cstdint>

namespace precast::abi {

// Pinned machine registers (x86-64 hardware numbers). Generated code never writes them, except for
// the fuel register, which only metering instructions change.
inline constexpr uint8_t kContextReg = 15;  // r15: VmContext*
inline constexpr uint8_t kMemoryReg = 14;   // r14: host address of guest address 0
inline constexpr uint8_t kFuelReg = 13;     // r13: instructions left to the limit, signed

// Guest calling convention. RISC-V guest registers kPassed[i] travel in machine register
// kPassedIn[i] across every boundary between native functions (calls, returns, tail calls,
// dispatcher entries); all other guest registers are in VmContext::x at a boundary. A function
// returns the guest pc to continue at in eax. No machine register is callee-saved. All 32-bit
// values are zero-extended to 64 bits.
inline constexpr int kNumPassed = 9;
inline constexpr uint8_t kPassed[kNumPassed] = {2, 10, 11, 12, 13, 14, 15, 8, 9};  // sp a0-a5 s0 s1
// rbx rdi rsi rdx rcx r8 r9 rbp r10. (rax: next pc and dispatch target; r11, r12: scratch at a
// boundary.)
inline constexpr uint8_t kPassedIn[kNumPassed] = {3, 7, 6, 2, 1, 8, 9, 5, 10};
inline constexpr uint8_t kNextPcReg = 0;  // rax

// State of one guest thread of execution. Generated code addresses it as [r15 + disp]; x[] is first
// so that its displacements fit in 8 bits. RISC-V state is x[], pc and fuel, nothing else.
struct VmContext {
  uint32_t x[32];               // guest registers; x[0] is always 0
  uint32_t pc;                  // guest pc, exact whenever native code is not running
  uint32_t exit_reason;         // ExitReason, set by whoever leaves native code
  int64_t fuel;                 // what r13 holds while native code runs
  uint8_t* memory_base;         // what r14 holds
  uint64_t native_stack_limit;  // entries that find rsp below this leave to the runtime
  uint64_t native_stack_top;    // where the enter trampoline puts rsp
  uint64_t host_rsp;            // stack of the host while guest code runs
  uint64_t fault_address;       // host address of a memory fault
  uint64_t stop_rip;  // native pc of the stop (site lookup), 0 if the state is in x[] already
  uint64_t gpr[16];   // machine registers at the stop, by hardware number (4 = rsp)
  void* runtime;      // the runtime's own object (runtime::NativeCallbacks*)
};
static_assert(offsetof(VmContext, x) == 0);
static_assert(offsetof(VmContext, pc) == 128);
static_assert(offsetof(VmContext, exit_reason) == 132);
static_assert(offsetof(VmContext, fuel) == 136);
static_assert(offsetof(VmContext, memory_base) == 144);
static_assert(offsetof(VmContext, native_stack_limit) == 152);
static_assert(offsetof(VmContext, native_stack_top) == 160);
static_assert(offsetof(VmContext, host_rsp) == 168);
static_assert(offsetof(VmContext, fault_address) == 176);
static_assert(offsetof(VmContext, stop_rip) == 184);
static_assert(offsetof(VmContext, gpr) == 192);
static_assert(offsetof(VmContext, runtime) == 320);
static_assert(sizeof(VmContext) == 328);

// State slot numbers of the IR for RISC-V: 0..31 = x[i], 32 = pc.
inline constexpr uint8_t kSlotPc = 32;

// Callbacks generated code reaches through the GOT, in the order of their numbers.
enum class Callback : uint8_t {
#define PRECAST_CALLBACK(Name, description) k##Name,
#include "runtime/abi/callbacks.def"
#undef PRECAST_CALLBACK
};

// Why native code returned to the runtime.
enum class ExitReason : uint32_t {
  kReturned = 0,        // guest returned to a pc with no native frame: pc says where to continue
  kDispatchMiss = 1,    // indirect jump to a pc without native entry: pc says where
  kSuspended = 2,       // fuel below what the next block needs; state at stop_rip
  kTrap = 3,            // `ud2` or faulting access; state at stop_rip
  kStackExhausted = 4,  // native stack exhausted at an entry: restart there on an empty stack
  kHostExit = 5,        // a host call ended the guest
  kInterrupted = 6,     // another thread asked for it; at any instruction
  kTypeMismatch = 7,    // WebAssembly: call_indirect of a function of another type
};

// Trap codes, as in the IR, the site tables and the run reports.
enum class TrapCode : uint8_t {
#define PRECAST_TRAP(Name, text) k##Name,
#include "runtime/abi/traps.def"
#undef PRECAST_TRAP
};

}  // namespace precast::abi

#endif  // PRECAST_RUNTIME_ABI_VM_CONTEXT_H_
