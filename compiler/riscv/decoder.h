// Decodes RV32IM instruction words, and for OpenVM guests those of instruction set extensions, into
// operands, and prints them as assembly.
#ifndef PRECAST_COMPILER_RISCV_DECODER_H_
#define PRECAST_COMPILER_RISCV_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace precast::riscv {

enum class Op : uint8_t {
#define PRECAST_RV_OP(Name, ...) k##Name,
#include "compiler/riscv/opcodes.def"
#undef PRECAST_RV_OP
  // OpenVM: instructions of extensions, by what they do (openvm::Effect). They read the registers
  // rd, rs1 and rs2.
  kCustom,          // kMemory
  kCustomRegister,  // kRegister: writes rd, too
  kCustomBranch,    // kBranch
  kCustomEnd,       // kEnd; also what else ends an OpenVM guest
  kHelper,          // fast helpers: `imm` is an abi::Helper; rd is ra
  kIllegal,         // anything else, including all-zero and all-one words
};

// One decoded instruction. Fields that its format lacks are 0.
struct Instruction {
  Op op = Op::kIllegal;
  uint8_t rd = 0, rs1 = 0, rs2 = 0;
  int32_t imm = 0;  // sign-extended; U: the value already shifted left by 12; Shift: the amount
};

// What words beyond RV32IM mean.
enum class Dialect : uint8_t {
  kBase,         // nothing
  kFastHelpers,  // calls of libgcc functions (runtime/abi/helpers.h)
  kOpenVm,  // extensions (openvm::Registry); all of opcode SYSTEM ends the guest, but csrrw of x0 into x0 does nothing
};

Instruction Decode(uint32_t word, Dialect dialect = Dialect::kBase);
// The same for `count` words, little-endian, one after another; `out` is room for as many,
// uninitialized.
void DecodeAll(const uint8_t* words, size_t count, Dialect dialect, Instruction* out);

// A set of operations.
template <typename... Ops>
constexpr uint64_t SetOf(Ops... ops) {
  static_assert(static_cast<int>(Op::kIllegal) < 64);
  return ((uint64_t{1} << static_cast<int>(ops)) | ...);
}
constexpr bool IsIn(uint64_t set, Op op) { return (set >> static_cast<int>(op) & 1) != 0; }

// Control-flow roles.
inline bool IsBranch(Op op) {
  return (op >= Op::kBeq && op <= Op::kBgeu) || op == Op::kCustomBranch;
}
inline bool IsCustom(Op op) { return op >= Op::kCustom && op <= Op::kCustomEnd; }
constexpr bool IsLoad(Op op) { return op >= Op::kLb && op <= Op::kLhu; }
constexpr bool IsStore(Op op) { return op >= Op::kSb && op <= Op::kSw; }
// x1 and x5 are the link registers (unprivileged spec, table 2.1 "return-address prediction
// hints").
inline bool IsLinkRegister(uint8_t r) { return r == 1 || r == 5; }
// True if execution does not simply go on with the next instruction.
inline bool EndsBlock(Op op) {
  constexpr uint64_t kEnds =
      SetOf(Op::kBeq, Op::kBne, Op::kBlt, Op::kBge, Op::kBltu, Op::kBgeu, Op::kCustomBranch,
            Op::kJal, Op::kJalr, Op::kEcall, Op::kEbreak, Op::kCustomEnd, Op::kIllegal);
  return IsIn(kEnds, op);
}

// ABI name of register 0..31: "zero", "ra", "sp", …
const char* RegisterName(uint8_t r);

// Assembly text at address `pc` (branch targets are printed as absolute addresses), in the form of
// the RISC-V assembly manual without pseudo-instructions: "addi a0, sp, 12", "lw a0, 4(sp)",
// ".word 0x0".
std::string Disassemble(uint32_t word, uint32_t pc, Dialect dialect = Dialect::kBase);

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_DECODER_H_
