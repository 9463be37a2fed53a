// The encodings with a VEX prefix (Intel SDM vol. 2, 2.3), and lzcnt: what x86-64-v3 has over
// x86-64-v2. And the choice between the two encodings that vector instructions have.
#include <cstdint>

#include "absl/log/check.h"
#include "compiler/x64/encoder.h"

namespace precast::x64 {
namespace {

// VEX.pp
uint32_t PrefixBits(uint8_t prefix) {
  switch (prefix) {
    case 0x66:
      return 1;
    case 0xf3:
      return 2;
    case 0xf2:
      return 3;
    default:
      DCHECK_EQ(prefix, 0);
      return 0;
  }
}

uint8_t ShiftPrefix(Shift op) {
  DCHECK(op == Shift::kShl || op == Shift::kShr || op == Shift::kSar);
  return op == Shift::kShl ? 0x66 : op == Shift::kShr ? 0xf2 : 0xf3;
}

uint32_t BroadcastOpcode(Width lane) {
  switch (lane) {
    case Width::k8:
      return 0x0f3878;
    case Width::k16:
      return 0x0f3879;
    case Width::k32:
      return 0x0f3858;
    case Width::k64:
      break;
  }
  return 0x0f3859;
}

}  // namespace

// `rxb`: the upper bits of ModRM.reg (4), of the index (2), of ModRM.rm or the base (1).
void Encoder::Vex(uint8_t prefix, bool wide, uint32_t opcode, uint32_t rxb, uint8_t v) {
  const uint32_t last = (~uint32_t{v} & 15) << 3 | PrefixBits(prefix);
  Begin();
  if (opcode <= 0xffff && !wide && (rxb & 3) == 0) {
    Byte(0xc5);
    Byte((rxb & 4 ? 0u : 0x80u) | last);
  } else {
    const uint32_t map = opcode <= 0xffff ? 1 : (opcode >> 8) == 0x0f38 ? 2 : 3;
    Byte(0xc4);
    Byte((~rxb & 7) << 5 | map);
    Byte((wide ? 0x80u : 0u) | last);
  }
  Byte(opcode);
}

void Encoder::VexR(uint8_t prefix, bool wide, uint32_t opcode, uint8_t reg, uint8_t v, uint8_t rm) {
  Vex(prefix, wide, opcode, (reg >> 3u) << 2 | rm >> 3u, v);
  Byte(0xc0u | (reg & 7u) << 3 | (rm & 7u));
}

void Encoder::VexM(uint8_t prefix, bool wide, uint32_t opcode, uint8_t reg, uint8_t v,
                   const Mem& m) {
  uint32_t rxb = (reg >> 3u) << 2;
  if (m.index != Mem::kNoReg) rxb |= (m.index >> 3u) << 1;
  if (m.base != Mem::kNoReg) rxb |= m.base >> 3u;
  Vex(prefix, wide, opcode, rxb, v);
  ModRm(reg, m);
}

void Encoder::Lzcnt(Width w, Reg dst, Reg src) {
  OpR(w, 0x0fbd, Number(dst), Number(src), 0, 0xf3);
}
void Encoder::Lzcnt(Width w, Reg dst, const Mem& m) { OpM(w, 0x0fbd, Number(dst), m, false, 0xf3); }

void Encoder::Rorx(Width w, Reg dst, Reg src, uint8_t amount) {
  VexR(0xf2, w == Width::k64, 0x0f3af0, Number(dst), 0, Number(src));
  Byte(amount);
}
void Encoder::Rorx(Width w, Reg dst, const Mem& m, uint8_t amount) {
  VexM(0xf2, w == Width::k64, 0x0f3af0, Number(dst), 0, m);
  Byte(amount);
}

void Encoder::ShiftX(Shift op, Width w, Reg dst, Reg src, Reg amount) {
  VexR(ShiftPrefix(op), w == Width::k64, 0x0f38f7, Number(dst), Number(amount), Number(src));
}
void Encoder::ShiftX(Shift op, Width w, Reg dst, const Mem& m, Reg amount) {
  VexM(ShiftPrefix(op), w == Width::k64, 0x0f38f7, Number(dst), Number(amount), m);
}

void Encoder::Andn(Width w, Reg dst, Reg a, Reg b) {
  VexR(0, w == Width::k64, 0x0f38f2, Number(dst), Number(a), Number(b));
}
void Encoder::Andn(Width w, Reg dst, Reg a, const Mem& m) {
  VexM(0, w == Width::k64, 0x0f38f2, Number(dst), Number(a), m);
}

void Encoder::BlsR(LowBit op, Width w, Reg dst, Reg src) {
  VexR(0, w == Width::k64, 0x0f38f3, static_cast<uint8_t>(op), Number(dst), Number(src));
}
void Encoder::BlsM(LowBit op, Width w, Reg dst, const Mem& m) {
  VexM(0, w == Width::k64, 0x0f38f3, static_cast<uint8_t>(op), Number(dst), m);
}

void Encoder::XmmR(uint8_t prefix, uint32_t opcode, uint8_t reg, uint8_t first, uint8_t rm,
                   Width w) {
  if (avx_) {
    VexR(prefix, w == Width::k64, opcode, reg, first == kOneSource ? 0 : first, rm);
  } else {
    DCHECK(first == kOneSource || first == reg);
    OpR(w, opcode, reg, rm, 0, prefix);
  }
}

void Encoder::XmmM(uint8_t prefix, uint32_t opcode, uint8_t reg, uint8_t first, const Mem& m,
                   Width w) {
  if (avx_) {
    VexM(prefix, w == Width::k64, opcode, reg, first == kOneSource ? 0 : first, m);
  } else {
    DCHECK(first == kOneSource || first == reg);
    OpM(w, opcode, reg, m, false, prefix);
  }
}

void Encoder::Broadcast(Width lane, Xmm dst, Xmm src) {
  VexR(0x66, false, BroadcastOpcode(lane), Number(dst), 0, Number(src));
}
void Encoder::Broadcast(Width lane, Xmm dst, const Mem& m) {
  VexM(0x66, false, BroadcastOpcode(lane), Number(dst), 0, m);
}

}  // namespace precast::x64
