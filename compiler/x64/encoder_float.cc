// The encodings of bit counts, atomics and scalar floating point.
#include <cstdint>

#include "compiler/x64/encoder.h"

namespace precast::x64 {
namespace {

constexpr uint8_t kLock = 0xf0;

// The mandatory prefix of scalar instructions.
uint8_t Scalar(Width w) { return w == Width::k64 ? 0xf2 : 0xf3; }

}  // namespace

// -- bit counts

// F3 0F BC is tzcnt where that exists: the same but for a zero, where it gives the width.
void Encoder::Bsf(Width w, Reg dst, Reg src) { OpR(w, 0x0fbc, Number(dst), Number(src), 0, 0xf3); }
void Encoder::Bsf(Width w, Reg dst, const Mem& m) { OpM(w, 0x0fbc, Number(dst), m, false, 0xf3); }
void Encoder::Bsr(Width w, Reg dst, Reg src) { OpR(w, 0x0fbd, Number(dst), Number(src)); }
void Encoder::Bsr(Width w, Reg dst, const Mem& m) { OpM(w, 0x0fbd, Number(dst), m); }
void Encoder::Popcnt(Width w, Reg dst, Reg src) {
  OpR(w, 0x0fb8, Number(dst), Number(src), 0, 0xf3);
}
void Encoder::Popcnt(Width w, Reg dst, const Mem& m) {
  OpM(w, 0x0fb8, Number(dst), m, false, 0xf3);
}
void Encoder::BtcImm(Width w, Reg r, uint8_t bit) {
  OpR(w, 0x0fba, 7, Number(r));
  Byte(bit);
}

void Encoder::Bswap(Width w, Reg r) {  // the register is in the opcode
  Begin();
  const uint32_t rex = (w == Width::k64 ? 8u : 0u) | Number(r) >> 3u;
  if (rex != 0) Byte(0x40 | rex);
  Byte(0x0f);
  Byte(0xc8u | (Number(r) & 7u));
}

// -- atomics

void Encoder::LockXadd(Width w, const Mem& m, Reg r) {
  OpM(w, w == Width::k8 ? 0x0fc0 : 0x0fc1, Number(r), m, w == Width::k8, kLock);
}

void Encoder::XchgMem(Width w, const Mem& m, Reg r) {  // locks by itself
  OpM(w, w == Width::k8 ? 0x86 : 0x87, Number(r), m, w == Width::k8);
}

void Encoder::LockCmpxchg(Width w, const Mem& m, Reg replacement) {
  OpM(w, w == Width::k8 ? 0x0fb0 : 0x0fb1, Number(replacement), m, w == Width::k8, kLock);
}

void Encoder::LockAlu(Alu op, Width w, const Mem& m, Reg r) {
  OpM(w, (static_cast<uint32_t>(op) << 3) | (w == Width::k8 ? 0 : 1), Number(r), m, w == Width::k8,
      kLock);
}

void Encoder::LockAluImm(Alu op, Width w, const Mem& m, int32_t imm) {
  if (w == Width::k8 || FitsInt8(imm)) {
    OpM(w, w == Width::k8 ? 0x80 : 0x83, static_cast<uint8_t>(op), m, false, kLock);
    Byte(static_cast<uint32_t>(imm));
  } else {
    OpM(w, 0x81, static_cast<uint8_t>(op), m, false, kLock);
    Imm(w, imm);
  }
}

void Encoder::Mfence() {
  Begin();
  Byte(0x0f);
  Byte(0xae);
  Byte(0xf0);
}

// -- scalar floating point

void Encoder::SseRR(Sse op, Width w, Xmm dst, Xmm a, Xmm b) {
  XmmR(Scalar(w), 0x0f00u | static_cast<uint8_t>(op), Number(dst), Number(a), Number(b));
}

void Encoder::SseRM(Sse op, Width w, Xmm dst, Xmm a, const Mem& m) {
  XmmM(Scalar(w), 0x0f00u | static_cast<uint8_t>(op), Number(dst), Number(a), m);
}

void Encoder::SseBitsRR(SseBits op, Xmm dst, Xmm src) {
  XmmR(0, 0x0f00u | static_cast<uint8_t>(op), Number(dst), Number(dst), Number(src));
}

void Encoder::SseBitsRM(SseBits op, Xmm dst, Xmm a, const Mem& m) {
  XmmM(0, 0x0f00u | static_cast<uint8_t>(op), Number(dst), Number(a), m);
}

void Encoder::Ucomis(Width w, Xmm a, Xmm b) {
  XmmR(w == Width::k64 ? 0x66 : 0, 0x0f2e, Number(a), kOneSource, Number(b));
}

void Encoder::Ucomis(Width w, Xmm a, const Mem& m) {
  XmmM(w == Width::k64 ? 0x66 : 0, 0x0f2e, Number(a), kOneSource, m);
}

void Encoder::Rounds(Width w, Xmm dst, Xmm src, Rounding rounding) {
  XmmR(0x66, w == Width::k64 ? 0x0f3a0b : 0x0f3a0a, Number(dst), RestOf(dst, src), Number(src));
  Byte(static_cast<uint8_t>(rounding));
}

// With VEX a register operand would be a third one; from memory there are two.
void Encoder::MovsLoad(Width w, Xmm dst, const Mem& m) {
  XmmM(Scalar(w), 0x0f10, Number(dst), kOneSource, m);
}

void Encoder::MovsStore(Width w, const Mem& m, Xmm src) {
  XmmM(Scalar(w), 0x0f11, Number(src), kOneSource, m);
}

void Encoder::MovToXmm(Width w, Xmm dst, Reg src) {
  XmmR(0x66, 0x0f6e, Number(dst), kOneSource, Number(src), w);
}

void Encoder::MovFromXmm(Width w, Reg dst, Xmm src) {
  XmmR(0x66, 0x0f7e, Number(src), kOneSource, Number(dst), w);
}

void Encoder::CvtFromInt(Width from, Width to, Xmm dst, Reg src) {
  XmmR(Scalar(to), 0x0f2a, Number(dst), Number(dst), Number(src), from);
}

void Encoder::CvtFromInt(Width from, Width to, Xmm dst, const Mem& m) {
  XmmM(Scalar(to), 0x0f2a, Number(dst), Number(dst), m, from);
}

void Encoder::CvttToInt(Width from, Width to, Reg dst, Xmm src) {
  XmmR(Scalar(from), 0x0f2c, Number(dst), kOneSource, Number(src), to);
}

void Encoder::CvtFloat(Width from, Xmm dst, Xmm src) {
  XmmR(Scalar(from), 0x0f5a, Number(dst), RestOf(dst, src), Number(src));
}

}  // namespace precast::x64
