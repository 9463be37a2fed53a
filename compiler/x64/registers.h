// Names of the machine's registers and the roles they have in generated code, so that the encoder,
// the selector and the emitter agree on one set of small types. Facts: Intel SDM vol. 2, table 3-1
// (register numbers) and `runtime/abi/vm_context.h` (roles).
#ifndef PRECAST_COMPILER_X64_REGISTERS_H_
#define PRECAST_COMPILER_X64_REGISTERS_H_

#include <cstdint>

#include "compiler/regalloc/regalloc.h"
#include "runtime/abi/vm_context.h"

namespace precast::x64 {

// A general register by hardware number.
enum class Reg : uint8_t {
  rax,
  rcx,
  rdx,
  rbx,
  rsp,
  rbp,
  rsi,
  rdi,
  r8,
  r9,
  r10,
  r11,
  r12,
  r13,
  r14,
  r15,
};
// A vector register by hardware number.
enum class Xmm : uint8_t {
  xmm0,
  xmm1,
  xmm2,
  xmm3,
  xmm4,
  xmm5,
  xmm6,
  xmm7,
  xmm8,
  xmm9,
  xmm10,
  xmm11,
  xmm12,
  xmm13,
  xmm14,
  xmm15,
};

constexpr uint8_t Number(Reg r) { return static_cast<uint8_t>(r); }
constexpr uint8_t Number(Xmm r) { return static_cast<uint8_t>(r); }

// Condition codes, numbered as in the opcodes of jcc, setcc and cmovcc (Intel SDM vol. 2, appendix
// B.1.4.7). The lowest bit inverts the condition.
enum class Cond : uint8_t {
  kO,
  kNo,
  kB,
  kAe,
  kE,
  kNe,
  kBe,
  kA,
  kS,
  kNs,
  kP,
  kNp,
  kL,
  kGe,
  kLe,
  kG,
};
constexpr Cond Invert(Cond c) { return static_cast<Cond>(static_cast<uint8_t>(c) ^ 1); }

// Roles.
inline constexpr Reg kContext = static_cast<Reg>(abi::kContextReg);
inline constexpr Reg kMemory = static_cast<Reg>(abi::kMemoryReg);
inline constexpr Reg kFuel = static_cast<Reg>(abi::kFuelReg);
inline constexpr Xmm kVectorScratch = Xmm::xmm15;

constexpr regalloc::PReg IntPReg(Reg r) { return {regalloc::RegClass::kInt, Number(r)}; }

// Every integer register except the pinned ones and the stack pointer; every vector register except
// the scratch.
inline constexpr regalloc::PRegSet kAllocatable =
    (0xffffu & ~(1u << Number(Reg::rsp)) & ~(1u << Number(kContext)) & ~(1u << Number(kMemory)) &
     ~(1u << Number(kFuel))) |
    (0x7fffu << 16);

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_REGISTERS_H_
