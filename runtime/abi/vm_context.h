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
//
// Which they are makes code short: operands based on rbp and rbx need no REX prefix, unless for
// another register; and a `sub r10, n` has the byte ea, which is no instruction in 64-bit mode and
// so can be jumped to as a trap (compiler/x64/compile.h).
inline constexpr uint8_t kContextReg = 5;  // rbp: VmContext* + kContextBias
inline constexpr uint8_t kMemoryReg = 3;   // rbx: host address of guest address 0
inline constexpr uint8_t kFuelReg = 10;    // r10: instructions left to the limit, signed
// The first 256 bytes of the context have displacements of 8 bits.
inline constexpr int32_t kContextBias = 128;

// Guest calling convention. RISC-V guest registers kPassed[i] travel in machine register
// kPassedIn[i] across every boundary between native functions (calls, returns, tail calls,
// dispatcher entries); all other guest registers are in VmContext::x at a boundary. A function
// returns the guest pc to continue at in eax. No machine register is callee-saved. All 32-bit
// values are zero-extended to 64 bits.
inline constexpr int kNumPassed = 9;
inline constexpr uint8_t kPassed[kNumPassed] = {2, 10, 11, 12, 13, 14, 15, 8, 9};  // sp a0-a5 s0 s1
// r14 rdi rsi rdx rcx r8 r9 r15 r13. (rax: next pc and dispatch target; r11, r12: scratch at a
// boundary.)
inline constexpr uint8_t kPassedIn[kNumPassed] = {14, 7, 6, 2, 1, 8, 9, 15, 13};
inline constexpr uint8_t kNextPcReg = 0;  // rax

// State of one guest thread of execution. What generated code addresses often is in the first 256
// bytes. RISC-V state is x[], pc and fuel, nothing else.
struct VmContext {
  uint32_t x[32];             // guest registers; x[0] is always 0
  uint32_t pc;                // guest pc, exact whenever native code is not running
  uint32_t exit_reason;       // ExitReason, set by whoever leaves native code
  int64_t fuel;               // what r10 holds while native code runs
  uint8_t* memory_base;       // what rbx holds
  uint64_t native_stack_top;  // where the enter trampoline puts rsp
  uint64_t host_rsp;          // stack of the host while guest code runs
  uint64_t fault_address;     // host address of a memory fault
  uint64_t stop_rip;  // native pc of the stop (site lookup), 0 if the state is in x[] already
  void* runtime;      // the runtime's own object (runtime::NativeCallbacks*)
  // WebAssembly: unique in the process, a multiple of 2^20 (there are fewer types), not 0.
  uint64_t instance_key;
  // WebAssembly: where call_indirect goes when a record's key is not the expected one (kRecordReg,
  // kTypeReg and parameters as for a call): calls far_code if the types are equal, traps if they
  // are not.
  const void* indirect_slow;
  uint64_t reserved[2];
  // Entries that find rsp below this leave to the runtime. Its displacement, 0x60, is the last byte
  // of the comparison; being no instruction in 64-bit mode, it can be jumped to as a trap.
  uint64_t native_stack_limit;
  uint64_t gpr[16];  // machine registers at the stop, by hardware number (4 = rsp)
};
static_assert(offsetof(VmContext, x) == 0);
static_assert(offsetof(VmContext, pc) == 128);
static_assert(offsetof(VmContext, exit_reason) == 132);
static_assert(offsetof(VmContext, fuel) == 136);
static_assert(offsetof(VmContext, memory_base) == 144);
static_assert(offsetof(VmContext, native_stack_top) == 152);
static_assert(offsetof(VmContext, host_rsp) == 160);
static_assert(offsetof(VmContext, fault_address) == 168);
static_assert(offsetof(VmContext, stop_rip) == 176);
static_assert(offsetof(VmContext, runtime) == 184);
static_assert(offsetof(VmContext, instance_key) == 192);
static_assert(offsetof(VmContext, indirect_slow) == 200);
static_assert(offsetof(VmContext, native_stack_limit) == kContextBias + 0x60);
static_assert(offsetof(VmContext, gpr) == 232);
static_assert(sizeof(VmContext) == 360);

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
  kReturned = 0,      // guest returned to a pc with no native frame: pc says where to continue
  kDispatchMiss = 1,  // indirect jump to a pc without native entry: pc says where
  kSuspended = 2,     // fuel below what the next block needs: a kTrap, says its site
  kTrap = 3,          // an instruction that traps or an access that faults; state at stop_rip
  kStackExhausted =
      4,          // native stack exhausted at an entry: a kTrap, says its site; or in a trampoline
  kHostExit = 5,  // a host call ended the guest
  kInterrupted = 6,   // another thread asked for it; at any instruction
  kTypeMismatch = 7,  // WebAssembly: call_indirect of a function of another type
};

// Trap codes, as in the IR, the site tables and the run reports.
enum class TrapCode : uint8_t {
#define PRECAST_TRAP(Name, text) k##Name,
#include "runtime/abi/traps.def"
#undef PRECAST_TRAP
};

}  // namespace precast::abi

#endif  // PRECAST_RUNTIME_ABI_VM_CONTEXT_H_
