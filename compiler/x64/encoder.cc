// The encodings, as in the manual: opcode bytes on the right of the assembly they stand for.
#include "compiler/x64/encoder.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"

namespace precast::x64 {

void Encoder::Grow(size_t size) {
  const size_t used = at_ == nullptr ? 0 : this->size();
  bytes_.resize(std::max(size, 2 * kRoom));
  at_ = bytes_.data() + used;
  limit_ = bytes_.data() + bytes_.size() - kRoom;
}

std::vector<uint8_t> Encoder::Take() {
  bytes_.resize(size());
  std::vector<uint8_t> taken = std::move(bytes_);
  bytes_ = {};
  at_ = nullptr;
  Grow(0);
  return taken;
}

void Encoder::Imm(Width w, int32_t v) {
  switch (w) {
    case Width::k8:
      Byte(static_cast<uint32_t>(v));
      return;
    case Width::k16:
      Imm16(v);
      return;
    case Width::k32:
    case Width::k64:
      Imm32(static_cast<uint32_t>(v));
      return;
  }
}

void Encoder::OpR(Width w, uint32_t opcode, uint8_t reg, uint8_t rm, uint8_t byte_regs,
                  uint8_t prefix) {
  HotR(w, opcode, reg, rm, byte_regs, prefix);
}

void Encoder::OpM(Width w, uint32_t opcode, uint8_t reg, const Mem& m, bool byte_reg,
                  uint8_t prefix) {
  HotM(w, opcode, reg, m, byte_reg, prefix);
}

void Encoder::ModRm(uint8_t reg, const Mem& m) {
  const bool has_base = m.base != Mem::kNoReg, has_index = m.index != Mem::kNoReg;
  const uint32_t r = (reg & 7u) << 3;
  if (m.rip) {
    Byte(r | 5);  // mod 00, rm 101: rip + disp32
    DCHECK_EQ(m.disp, 0);
    return RipField();
  }
  Piece piece;
  if (!has_base) {
    // mod 00, rm 100; SIB base 101: no base, disp32.
    DCHECK(has_index);
    piece.Byte(r | 4);
    piece.Byte((ScaleBits(m.scale) << 6) | ((m.index & 7u) << 3) | 5);
    piece.Imm32(static_cast<uint32_t>(m.disp));
    return Append(piece);
  }
  // rbp and r13 as a base have no form without displacement; rsp and r12 as a base need a SIB byte.
  const uint32_t mod = m.disp == 0 && (m.base & 7) != 5 ? 0 : FitsInt8(m.disp) ? 1 : 2;
  if (has_index) {
    DCHECK_NE(m.index, Number(Reg::rsp));
    piece.Byte((mod << 6) | r | 4);
    piece.Byte((ScaleBits(m.scale) << 6) | ((m.index & 7u) << 3) | (m.base & 7u));
  } else if ((m.base & 7) == 4) {
    piece.Byte((mod << 6) | r | 4);
    piece.Byte(0x24);  // SIB: no index, base 100
  } else {
    piece.Byte((mod << 6) | r | (m.base & 7u));
  }
  if (mod == 1) piece.Byte(static_cast<uint32_t>(m.disp));
  if (mod == 2) piece.Imm32(static_cast<uint32_t>(m.disp));
  Append(piece);
}

// -- moves

void Encoder::MovWideImm(Reg dst, uint64_t imm) {
  const uint8_t d = Number(dst);
  if (static_cast<int64_t>(imm) == static_cast<int32_t>(imm)) {
    OpR(Width::k64, 0xc7, 0, d);  // mov r64, simm32
    Imm32(static_cast<uint32_t>(imm));
  } else {
    Begin();
    Byte(0x48u | (d >> 3));
    Byte(0xb8u | (d & 7u));  // mov r64, imm64
    Imm32(static_cast<uint32_t>(imm));
    Imm32(static_cast<uint32_t>(imm >> 32));
  }
}

void Encoder::MovbeLoad(Width w, Reg dst, const Mem& m) { OpM(w, 0x0f38f0, Number(dst), m); }

void Encoder::MovbeStore(Width w, const Mem& m, Reg src) { OpM(w, 0x0f38f1, Number(src), m); }

void Encoder::StoreImm(Width w, const Mem& m, int32_t imm) {
  HotM(w, w == Width::k8 ? 0xc6 : 0xc7, 0, m);
  Imm(w, imm);
}

void Encoder::Movzx(Width from, Reg dst, Reg src) {
  // movzx r32, r/m8: 0F B6; r/m16: 0F B7
  OpR(Width::k32, from == Width::k8 ? 0x0fb6 : 0x0fb7, Number(dst), Number(src),
      from == Width::k8 ? 2 : 0);
}

void Encoder::Movzx(Width from, Reg dst, const Mem& m) {
  OpM(Width::k32, from == Width::k8 ? 0x0fb6 : 0x0fb7, Number(dst), m);
}

void Encoder::Movsx(Width from, Width to, Reg dst, Reg src) {
  // movsx r, r/m8: 0F BE; r/m16: 0F BF; movsxd r64, r/m32: REX.W 63
  if (from == Width::k32) {
    OpR(Width::k64, 0x63, Number(dst), Number(src));
  } else {
    OpR(to, from == Width::k8 ? 0x0fbe : 0x0fbf, Number(dst), Number(src),
        from == Width::k8 ? 2 : 0);
  }
}

void Encoder::Movsx(Width from, Width to, Reg dst, const Mem& m) {
  if (from == Width::k32) {
    OpM(Width::k64, 0x63, Number(dst), m);
  } else {
    OpM(to, from == Width::k8 ? 0x0fbe : 0x0fbf, Number(dst), m);
  }
}

void Encoder::Xchg(Width w, Reg a, Reg b) {
  if (a == b || (a != Reg::rax && b != Reg::rax)) return OpR(w, 0x87, Number(b), Number(a));
  const uint8_t other = Number(a == Reg::rax ? b : a);
  const uint32_t rex = (w == Width::k64 ? 8u : 0u) | (other >> 3);
  Begin();
  if (rex != 0) Byte(0x40 | rex);
  Byte(0x90u | (other & 7u));  // xchg eax/rax, r
}

void Encoder::Cmov(Cond cc, Width w, Reg dst, Reg src) {
  OpR(w, 0x0f40u | static_cast<uint8_t>(cc), Number(dst), Number(src));
}

void Encoder::Cmov(Cond cc, Width w, Reg dst, const Mem& m) {
  OpM(w, 0x0f40u | static_cast<uint8_t>(cc), Number(dst), m);
}

void Encoder::Setcc(Cond cc, Reg dst) {
  OpR(Width::k32, 0x0f90u | static_cast<uint8_t>(cc), 0, Number(dst), 2);
}

// -- arithmetic

void Encoder::CmpByte(const Mem& m, Reg src) {
  OpM(Width::k8, 0x38, Number(src), m, /*byte_reg=*/true);
}

void Encoder::AluMI(Alu op, Width w, const Mem& m, int32_t imm) {
  if (w == Width::k8) {
    HotM(w, 0x80, static_cast<uint8_t>(op), m);
    Byte(static_cast<uint32_t>(imm));
  } else if (FitsInt8(imm)) {
    HotM(w, 0x83, static_cast<uint8_t>(op), m);
    Byte(static_cast<uint32_t>(imm));
  } else {
    HotM(w, 0x81, static_cast<uint8_t>(op), m);
    Imm32(static_cast<uint32_t>(imm));
  }
}

void Encoder::TestMR(Width w, const Mem& m, Reg b) { OpM(w, 0x85, Number(b), m); }

void Encoder::TestRI(Width w, Reg a, int32_t imm) {
  if (a == Reg::rax) {
    Begin();
    if (w == Width::k64) Byte(0x48);
    Byte(w == Width::k8 ? 0xa8 : 0xa9);  // test al/eax/rax, imm
  } else {
    OpR(w, w == Width::k8 ? 0xf6 : 0xf7, 0, Number(a), w == Width::k8 ? 2 : 0);
  }
  Imm(w, imm);
}

void Encoder::TestMI(Width w, const Mem& m, int32_t imm) {
  OpM(w, w == Width::k8 ? 0xf6 : 0xf7, 0, m);
  Imm(w, imm);
}

void Encoder::UnaryR(Unary op, Width w, Reg r) {
  OpR(w, 0xf7, static_cast<uint8_t>(op), Number(r));
}

void Encoder::UnaryM(Unary op, Width w, const Mem& m) { OpM(w, 0xf7, static_cast<uint8_t>(op), m); }

void Encoder::Imul(Width w, Reg dst, Reg src) { OpR(w, 0x0faf, Number(dst), Number(src)); }

void Encoder::Imul(Width w, Reg dst, const Mem& m) { OpM(w, 0x0faf, Number(dst), m); }

void Encoder::ImulImm(Width w, Reg dst, Reg src, int32_t imm) {
  OpR(w, FitsInt8(imm) ? 0x6b : 0x69, Number(dst), Number(src));
  Imm(FitsInt8(imm) ? Width::k8 : Width::k32, imm);
}

void Encoder::ImulImm(Width w, Reg dst, const Mem& m, int32_t imm) {
  OpM(w, FitsInt8(imm) ? 0x6b : 0x69, Number(dst), m);
  Imm(FitsInt8(imm) ? Width::k8 : Width::k32, imm);
}

void Encoder::ShiftImm(Shift op, Width w, Reg r, uint8_t amount) {
  if (amount == 1) {
    HotR(w, 0xd1, static_cast<uint8_t>(op), Number(r));
  } else {
    HotR(w, 0xc1, static_cast<uint8_t>(op), Number(r));
    Byte(amount);
  }
}

void Encoder::ShiftCl(Shift op, Width w, Reg r) {
  OpR(w, 0xd3, static_cast<uint8_t>(op), Number(r));
}

void Encoder::SignExtendRax(Width w) {
  Begin();
  if (w == Width::k64) Byte(0x48);
  Byte(0x99);
}

// -- control

void Encoder::CallRel32() {
  Begin();
  Byte(0xe8);
  RipField();
}

void Encoder::AluImm32(Alu op, Reg dst, int32_t imm) {
  OpR(Width::k64, 0x81, static_cast<uint8_t>(op), Number(dst));
  Imm32(static_cast<uint32_t>(imm));
}

void Encoder::CallReg(Reg r) { OpR(Width::k32, 0xff, 2, Number(r)); }
void Encoder::JmpReg(Reg r) { OpR(Width::k32, 0xff, 4, Number(r)); }
void Encoder::CallMem(const Mem& m) { OpM(Width::k32, 0xff, 2, m); }
void Encoder::JmpMem(const Mem& m) { OpM(Width::k32, 0xff, 4, m); }

void Encoder::Push(Reg r) {
  Begin();
  if (Number(r) >= 8) Byte(0x41);
  Byte(static_cast<uint8_t>(0x50 + (Number(r) & 7)));
}

void Encoder::Pop(Reg r) {
  Begin();
  if (Number(r) >= 8) Byte(0x41);
  Byte(static_cast<uint8_t>(0x58 + (Number(r) & 7)));
}

void Encoder::Ret() {
  Begin();
  Byte(0xc3);
}

void Encoder::Ud2() {
  Begin();
  Byte(0x0f);
  Byte(0x0b);
}

void Encoder::Hlt() {
  Begin();
  Byte(0xf4);
}

void Encoder::Nop(size_t bytes) {
  // Intel SDM vol. 2, NOP, table 4-12.
  static constexpr uint8_t kForms[9][9] = {
      {0x90},
      {0x66, 0x90},
      {0x0f, 0x1f, 0x00},
      {0x0f, 0x1f, 0x40, 0x00},
      {0x0f, 0x1f, 0x44, 0x00, 0x00},
      {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
      {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
      {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
      {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
  };
  while (bytes > 0) {
    const size_t n = bytes < 9 ? bytes : 9;
    Begin();
    for (size_t i = 0; i < n; ++i) Byte(kForms[n - 1][i]);
    bytes -= n;
  }
}

// -- vectors

void Encoder::MovqToXmm(Width w, Xmm dst, const Mem& m) {
  if (w == Width::k64) {
    XmmM(0xf3, 0x0f7e, Number(dst), kOneSource, m);  // movq xmm, m64
  } else {
    XmmM(0x66, 0x0f6e, Number(dst), kOneSource, m);  // movd xmm, m32
  }
}

void Encoder::MovqFromXmm(Width w, const Mem& m, Xmm src) {
  if (w == Width::k64) {
    XmmM(0x66, 0x0fd6, Number(src), kOneSource, m);  // movq m64, xmm
  } else {
    XmmM(0x66, 0x0f7e, Number(src), kOneSource, m);  // movd m32, xmm
  }
}

void Encoder::MovapsRR(Xmm dst, Xmm src) {
  if (avx_ && Number(src) >= 8 && Number(dst) < 8) {  // a store, for the shorter VEX prefix
    XmmR(0, 0x0f29, Number(src), kOneSource, Number(dst));
  } else {
    XmmR(0, 0x0f28, Number(dst), kOneSource, Number(src));
  }
}

void Encoder::MovupsLoad(Xmm dst, const Mem& m) { XmmM(0, 0x0f10, Number(dst), kOneSource, m); }

void Encoder::MovupsStore(const Mem& m, Xmm src) { XmmM(0, 0x0f11, Number(src), kOneSource, m); }

}  // namespace precast::x64
