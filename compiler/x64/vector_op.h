// Names and encodings of the vector instructions, so that encoder, instruction selection and tests
// share one table: vector_op.def.
#ifndef PRECAST_COMPILER_X64_VECTOR_OP_H_
#define PRECAST_COMPILER_X64_VECTOR_OP_H_

#include <cstdint>

namespace precast::x64 {

enum class VectorOp : uint8_t {
#define PRECAST_VECTOR_OP(Name, ...) k##Name,
#define PRECAST_VECTOR_OP_IMM(Name, ...) k##Name,
#define PRECAST_VECTOR_OP_SHIFT(Name, ...) k##Name,
#include "compiler/x64/vector_op.def"
#undef PRECAST_VECTOR_OP
#undef PRECAST_VECTOR_OP_IMM
#undef PRECAST_VECTOR_OP_SHIFT
};

// The operands an instruction takes.
enum class VectorForm : uint8_t {
  kTwo,       // xmm, xmm/m
  kTwoImm,    // xmm, xmm/m, imm8
  kShiftImm,  // xmm, imm8
};

struct VectorOpInfo {
  const char* text;
  VectorForm form;
  uint8_t prefix;     // 0: none
  uint8_t extension;  // kShiftImm: of the opcode
  uint8_t sources;    // how many operands it reads, an immediate not counted
  uint32_t opcode;    // 0x0Fxx, 0x0F38xx, 0x0F3Axx
};
const VectorOpInfo& Info(VectorOp op);

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_VECTOR_OP_H_
