// The encodings of vector instructions: those of vector_op.def, and those that move between vector
// and general registers. See encoder.h.
#include "absl/log/check.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/vector_op.h"

namespace precast::x64 {

const VectorOpInfo& Info(VectorOp op) {
  static constexpr VectorOpInfo kInfo[] = {
#define PRECAST_VECTOR_OP(Name, text, prefix, opcode, sources) \
  {text, VectorForm::kTwo, prefix, 0, sources, opcode},
#define PRECAST_VECTOR_OP_IMM(Name, text, prefix, opcode, sources) \
  {text, VectorForm::kTwoImm, prefix, 0, sources, opcode},
#define PRECAST_VECTOR_OP_SHIFT(Name, text, opcode, extension) \
  {text, VectorForm::kShiftImm, 0x66, extension, 1, opcode},
#include "compiler/x64/vector_op.def"
#undef PRECAST_VECTOR_OP
#undef PRECAST_VECTOR_OP_IMM
#undef PRECAST_VECTOR_OP_SHIFT
  };
  return kInfo[static_cast<uint8_t>(op)];
}

void Encoder::Vector(VectorOp op, Xmm dst, Xmm a, Xmm src) {
  const VectorOpInfo& info = Info(op);
  DCHECK(info.form == VectorForm::kTwo) << info.text;
  XmmR(info.prefix, info.opcode, Number(dst), info.sources == 2 ? Number(a) : kOneSource,
       Number(src));
}

void Encoder::Vector(VectorOp op, Xmm dst, Xmm a, const Mem& m) {
  const VectorOpInfo& info = Info(op);
  DCHECK(info.form == VectorForm::kTwo) << info.text;
  DCHECK(op != VectorOp::kMovsd) << "loads have a function of their own";
  XmmM(info.prefix, info.opcode, Number(dst), info.sources == 2 ? Number(a) : kOneSource, m);
}

void Encoder::Vector(VectorOp op, Xmm dst, Xmm a, Xmm src, uint8_t imm) {
  const VectorOpInfo& info = Info(op);
  DCHECK(info.form == VectorForm::kTwoImm) << info.text;
  XmmR(info.prefix, info.opcode, Number(dst), info.sources == 2 ? Number(a) : kOneSource,
       Number(src));
  Byte(imm);
}

void Encoder::Vector(VectorOp op, Xmm dst, Xmm a, const Mem& m, uint8_t imm) {
  const VectorOpInfo& info = Info(op);
  DCHECK(info.form == VectorForm::kTwoImm) << info.text;
  XmmM(info.prefix, info.opcode, Number(dst), info.sources == 2 ? Number(a) : kOneSource, m);
  Byte(imm);
}

// With VEX the destination is in VEX.vvvv.
void Encoder::VectorShift(VectorOp op, Xmm dst, Xmm a, uint8_t imm) {
  const VectorOpInfo& info = Info(op);
  DCHECK(info.form == VectorForm::kShiftImm) << info.text;
  if (avx_) {
    VexR(info.prefix, false, info.opcode, info.extension, Number(dst), Number(a));
  } else {
    DCHECK(a == dst);
    OpR(Width::k32, info.opcode, info.extension, Number(dst), 0, info.prefix);
  }
  Byte(imm);
}

void Encoder::InsertLane(Width lane, Xmm dst, Xmm a, Reg src, uint8_t index) {
  const uint8_t x = Number(dst), first = Number(a), r = Number(src);
  switch (lane) {
    case Width::k8:  // pinsrb xmm, r32, imm8: only the low byte counts
      XmmR(0x66, 0x0f3a20, x, first, r);
      break;
    case Width::k16:  // pinsrw xmm, r32, imm8
      XmmR(0x66, 0x0fc4, x, first, r);
      break;
    case Width::k32:  // pinsrd xmm, r32, imm8; pinsrq: REX.W
    case Width::k64:
      XmmR(0x66, 0x0f3a22, x, first, r, lane);
      break;
  }
  Byte(index);
}

void Encoder::ExtractLane(Width lane, Reg dst, Xmm src, uint8_t index) {
  const uint8_t x = Number(src), r = Number(dst);
  switch (lane) {
    case Width::k8:  // pextrb r32, xmm, imm8: zero-extends
      XmmR(0x66, 0x0f3a14, x, kOneSource, r);
      break;
    case Width::k16:  // pextrw r32, xmm, imm8: zero-extends; the register is in ModRM.reg
      XmmR(0x66, 0x0fc5, r, kOneSource, x);
      break;
    case Width::k32:  // pextrd r32, xmm, imm8; pextrq: REX.W
    case Width::k64:
      XmmR(0x66, 0x0f3a16, x, kOneSource, r, lane);
      break;
  }
  Byte(index);
}

void Encoder::SignMask(Width lane, Reg dst, Xmm src) {
  switch (lane) {
    case Width::k8:
      return XmmR(0x66, 0x0fd7, Number(dst), kOneSource, Number(src));  // pmovmskb r32, xmm
    case Width::k32:
      return XmmR(0, 0x0f50, Number(dst), kOneSource, Number(src));  // movmskps r32, xmm
    case Width::k64:
      return XmmR(0x66, 0x0f50, Number(dst), kOneSource, Number(src));  // movmskpd r32, xmm
    case Width::k16:
      CHECK(false) << "no such instruction";
  }
}

}  // namespace precast::x64
