// The encodings of vector instructions: those of vector_op.def, and those that move between vector and general
// registers. See encoder.h.
#include "absl/log/check.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/vector_op.h"

namespace precast::x64 {

const VectorOpInfo& Info(VectorOp op) {
  static constexpr VectorOpInfo kInfo[] = {
#define PRECAST_VECTOR_OP(Name, text, prefix, opcode) {text, VectorForm::kTwo, prefix, 0, opcode},
#define PRECAST_VECTOR_OP_IMM(Name, text, prefix, opcode) \
  {text, VectorForm::kTwoImm, prefix, 0, opcode},
#define PRECAST_VECTOR_OP_SHIFT(Name, text, opcode, extension) \
  {text, VectorForm::kShiftImm, 0x66, extension, opcode},
#include "compiler/x64/vector_op.def"
#undef PRECAST_VECTOR_OP
#undef PRECAST_VECTOR_OP_IMM
#undef PRECAST_VECTOR_OP_SHIFT
  };
  return kInfo[static_cast<uint8_t>(op)];
}

void Encoder::Vector(VectorOp op, Xmm dst, Xmm src) {
  const VectorOpInfo& info = Info(op);
  DCHECK(info.form == VectorForm::kTwo) << info.text;
  OpR(Width::k32, info.opcode, Number(dst), Number(src), 0, info.prefix);
}

void Encoder::Vector(VectorOp op, Xmm dst, const Mem& m) {
  const VectorOpInfo& info = Info(op);
  DCHECK(info.form == VectorForm::kTwo) << info.text;
  OpM(Width::k32, info.opcode, Number(dst), m, false, info.prefix);
}

void Encoder::Vector(VectorOp op, Xmm dst, Xmm src, uint8_t imm) {
  const VectorOpInfo& info = Info(op);
  DCHECK(info.form == VectorForm::kTwoImm) << info.text;
  OpR(Width::k32, info.opcode, Number(dst), Number(src), 0, info.prefix);
  Byte(imm);
}

void Encoder::Vector(VectorOp op, Xmm dst, const Mem& m, uint8_t imm) {
  const VectorOpInfo& info = Info(op);
  DCHECK(info.form == VectorForm::kTwoImm) << info.text;
  OpM(Width::k32, info.opcode, Number(dst), m, false, info.prefix);
  Byte(imm);
}

void Encoder::VectorShift(VectorOp op, Xmm dst, uint8_t imm) {
  const VectorOpInfo& info = Info(op);
  DCHECK(info.form == VectorForm::kShiftImm) << info.text;
  OpR(Width::k32, info.opcode, info.extension, Number(dst), 0, info.prefix);
  Byte(imm);
}

void Encoder::InsertLane(Width lane, Xmm dst, Reg src, uint8_t index) {
  const uint8_t x = Number(dst), r = Number(src);
  switch (lane) {
    case Width::k8:  // pinsrb xmm, r32, imm8: only the low byte counts
      OpR(Width::k32, 0x0f3a20, x, r, 0, 0x66);
      break;
    case Width::k16:  // pinsrw xmm, r32, imm8
      OpR(Width::k32, 0x0fc4, x, r, 0, 0x66);
      break;
    case Width::k32:  // pinsrd xmm, r32, imm8; pinsrq: REX.W
    case Width::k64:
      OpR(lane, 0x0f3a22, x, r, 0, 0x66);
      break;
  }
  Byte(index);
}

void Encoder::ExtractLane(Width lane, Reg dst, Xmm src, uint8_t index) {
  const uint8_t x = Number(src), r = Number(dst);
  switch (lane) {
    case Width::k8:  // pextrb r32, xmm, imm8: zero-extends
      OpR(Width::k32, 0x0f3a14, x, r, 0, 0x66);
      break;
    case Width::k16:  // pextrw r32, xmm, imm8: zero-extends; the register is in ModRM.reg
      OpR(Width::k32, 0x0fc5, r, x, 0, 0x66);
      break;
    case Width::k32:  // pextrd r32, xmm, imm8; pextrq: REX.W
    case Width::k64:
      OpR(lane, 0x0f3a16, x, r, 0, 0x66);
      break;
  }
  Byte(index);
}

void Encoder::SignMask(Width lane, Reg dst, Xmm src) {
  switch (lane) {
    case Width::k8:
      return OpR(Width::k32, 0x0fd7, Number(dst), Number(src), 0, 0x66);  // pmovmskb r32, xmm
    case Width::k32:
      return OpR(Width::k32, 0x0f50, Number(dst), Number(src));  // movmskps r32, xmm
    case Width::k64:
      return OpR(Width::k32, 0x0f50, Number(dst), Number(src), 0, 0x66);  // movmskpd r32, xmm
    case Width::k16:
      CHECK(false) << "no such instruction";
  }
}

}  // namespace precast::x64
