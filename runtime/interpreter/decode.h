// Decodes RV32IM instructions into what the interpreter executes. Written from the RISC-V
// unprivileged specification (version 20191213: chapter 2, RV32I; 3, Zifencei; 7, M; 24,
// instruction listings) and on purpose independent of the compiler's decoder, which it checks.
#ifndef PRECAST_RUNTIME_INTERPRETER_DECODE_H_
#define PRECAST_RUNTIME_INTERPRETER_DECODE_H_

#include <cstdint>

#include "openvm/extension.h"

namespace precast::runtime {

enum class Operation : uint8_t {
#define PRECAST_OPERATION(Name) k##Name,
#include "runtime/interpreter/operations.def"
#undef PRECAST_OPERATION
};

// Results for x0 go to a register nobody reads.
inline constexpr uint8_t kSinkRegister = 32;

struct DecodedInstruction {
  Operation operation = Operation::kNotExecutable;
  uint8_t rd = kSinkRegister;  // 1..31 or kSinkRegister
  uint8_t rs1 = 0;
  uint8_t rs2 = 0;
  uint32_t immediate =
      0;  // sign-extended; for lui and auipc shifted; for immediate shifts the amount

  friend bool operator==(const DecodedInstruction&, const DecodedInstruction&) = default;
};

// Every word that is not an RV32IM instruction, `fence`, `fence.i`, `ecall` or `ebreak` is
// kIllegal: also compressed ones, all that access CSRs (rdcycle, rdtime and rdinstret too: what
// they return would not be deterministic), and reserved encodings. The unused fields of `fence` and
// `fence.i` are ignored, as the specification asks.
DecodedInstruction Decode(uint32_t word);

// The same for OpenVM guests, for whom the SYSTEM opcode means something else (openvm-org/openvm,
// rv32im transpiler): a csrrw of x0 into nothing does nothing, and all other such words, ecall and
// ebreak too, end the guest with exit code 2: they are kEcall here.
DecodedInstruction DecodeOpenVm(uint32_t word);

// Operand fields of a custom instruction.
precast::openvm::Instruction DecodeCustom(uint32_t word, precast::openvm::Form form);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_INTERPRETER_DECODE_H_
