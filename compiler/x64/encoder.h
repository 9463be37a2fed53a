// Encodes x86-64 instructions into bytes. Only the instructions the back end uses exist; each
// emitter picks the shortest form. Facts: Intel SDM vol. 2. Every emitter is decoded by Zydis in
// encoder_test.
#ifndef PRECAST_COMPILER_X64_ENCODER_H_
#define PRECAST_COMPILER_X64_ENCODER_H_

#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/base/attributes.h"
#include "compiler/x64/registers.h"
#include "compiler/x64/vector_op.h"

namespace precast::x64 {

// A memory operand: [base + index * scale + disp], [index * scale + disp] or [rip + disp32].
struct Mem {
  static constexpr uint8_t kNoReg = 0xff;
  uint8_t base = kNoReg;
  uint8_t index = kNoReg;  // never rsp
  uint8_t scale = 1;       // 1, 2, 4, 8
  bool rip = false;
  int32_t disp = 0;

  static Mem At(Reg base, int32_t disp = 0) { return {Number(base), kNoReg, 1, false, disp}; }
  static Mem At(Reg base, Reg index, uint8_t scale, int32_t disp) {
    return {Number(base), Number(index), scale, false, disp};
  }
  static Mem Scaled(Reg index, uint8_t scale, int32_t disp) {
    return {kNoReg, Number(index), scale, false, disp};
  }
  // The displacement is a relocated field: zero in the code, at Encoder::rip_field().
  static Mem Rip() { return {kNoReg, kNoReg, 1, true, 0}; }
};

// What lies `offset` bytes behind the start of the VmContext.
inline Mem InContext(uint64_t offset) {
  return Mem::At(kContext, static_cast<int32_t>(offset) - abi::kContextBias);
}

// Operand width of an integer instruction.
enum class Width : uint8_t { k8, k16, k32, k64 };

// What blsr, blsmsk and blsi do with the lowest 1 bit; the number is the opcode extension.
enum class LowBit : uint8_t { kReset = 1, kMask = 2, kIsolate = 3 };

// The eight two-operand instructions of one encoding family; the number is the opcode extension.
enum class Alu : uint8_t { kAdd, kOr, kAdc, kSbb, kAnd, kSub, kXor, kCmp };
// Shifts and rotates; the number is the opcode extension.
enum class Shift : uint8_t { kRol = 0, kRor = 1, kShl = 4, kShr = 5, kSar = 7 };
// One-operand arithmetic of opcode F7; the number is the opcode extension. kMul … kIdiv use
// rdx:rax.
enum class Unary : uint8_t { kNot = 2, kNeg = 3, kMul = 4, kImul = 5, kDiv = 6, kIdiv = 7 };
// Scalar floating-point arithmetic; the number is the opcode's second byte.
enum class Sse : uint8_t {
  kSqrt = 0x51,
  kAdd = 0x58,
  kMul = 0x59,
  kSub = 0x5c,
  kMin = 0x5d,
  kDiv = 0x5e,
  kMax = 0x5f
};
// Bitwise operations on whole vector registers; the number is the opcode's second byte.
enum class SseBits : uint8_t { kAnd = 0x54, kAndNot = 0x55, kOr = 0x56, kXor = 0x57 };
// Rounding of roundss and roundsd, without the inexact exception.
enum class Rounding : uint8_t { kNearest = 8, kFloor = 9, kCeil = 10, kTrunc = 11 };

class Encoder {
 public:
  Encoder() { Grow(64); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  // From here on all vector and scalar floating-point instructions are AVX's, with a VEX prefix.
  // They never use more than 128 bits and clear the rest, so that they mix with legacy ones at no
  // cost.
  void UseAvx() { avx_ = true; }
  bool avx() const { return avx_; }

  // Room for that many bytes without moving what is there.
  void Reserve(size_t size) {
    if (bytes_.size() < size) Grow(size);
  }

  size_t size() const { return static_cast<size_t>(at_ - bytes_.data()); }
  const uint8_t* data() const { return bytes_.data(); }
  std::vector<uint8_t> Take();
  // Begins anew, in the same room.
  void Clear() { at_ = bytes_.data(); }
  // For fields of code written before, whose value was not known then.
  uint32_t Read32(size_t at) const {
    uint32_t v;
    std::memcpy(&v, &bytes_[at], 4);
    return v;
  }
  void Patch32(size_t at, uint32_t v) { std::memcpy(&bytes_[at], &v, 4); }
  void Patch8(size_t at, uint8_t v) { bytes_[at] = v; }
  // Offset of the last [rip + disp32] or rel32 field written.
  size_t rip_field() const { return rip_field_; }
  // For who writes bytes without an emitter: where the next one goes, with room for kRoom of them;
  // and what the next one is then.
  static constexpr size_t kRoom = 64;
  ABSL_ATTRIBUTE_ALWAYS_INLINE uint8_t* Room() {
    Begin();
    return at_;
  }
  void Advance(uint8_t* to) { at_ = to; }

  // -- moves
  void Mov(Width w, Reg dst, Reg src);  // mov dst, src (32 or 64 bits)
  void MovImm(Reg dst, uint64_t imm);   // mov dst, imm: the shortest of three forms; keeps flags
  void Load(Width w, Reg dst, const Mem& m);          // mov dst, [m] (32 or 64 bits)
  void Store(Width w, const Mem& m, Reg src);         // mov [m], src (any width)
  void StoreImm(Width w, const Mem& m, int32_t imm);  // mov [m], imm (64 bits: sign-extended)
  // movzx/movsx/movsxd dst, src: from 8 or 16 bits (sign: also 32) to `to` (32 or 64) bits.
  void Movzx(Width from, Reg dst, Reg src);
  void Movzx(Width from, Reg dst, const Mem& m);
  void Movsx(Width from, Width to, Reg dst, Reg src);
  void Movsx(Width from, Width to, Reg dst, const Mem& m);
  void Lea(Width w, Reg dst, const Mem& m);
  void Xchg(Width w, Reg a, Reg b);
  void Cmov(Cond cc, Width w, Reg dst, Reg src);
  void Cmov(Cond cc, Width w, Reg dst, const Mem& m);
  void Setcc(Cond cc, Reg dst);  // the low byte only
  // Of a zero, dst stays what it was (bsf: or becomes the width).
  void Bsf(Width w, Reg dst, Reg src);
  void Bsf(Width w, Reg dst, const Mem& m);
  void Bsr(Width w, Reg dst, Reg src);
  void Bsr(Width w, Reg dst, const Mem& m);
  void Popcnt(Width w, Reg dst, Reg src);
  void Popcnt(Width w, Reg dst, const Mem& m);
  void BtcImm(Width w, Reg r, uint8_t bit);  // flips a bit
  void Bswap(Width w, Reg r);                // 32 or 64 bits
  void MovbeLoad(Width w, Reg dst, const Mem& m);
  void MovbeStore(Width w, const Mem& m, Reg src);

  // -- arithmetic (32 or 64 bits)
  void AluRR(Alu op, Width w, Reg dst, Reg src);
  void AluRM(Alu op, Width w, Reg dst, const Mem& m);
  void AluMR(Alu op, Width w, const Mem& m, Reg src);
  void CmpByte(const Mem& m, Reg src);  // cmp [m], the low byte of src
  void AluRI(Alu op, Width w, Reg dst, int32_t imm);
  void AluMI(Alu op, Width w, const Mem& m, int32_t imm);  // also 8 bits; 16 if imm fits 8
  void TestRR(Width w, Reg a, Reg b);
  void TestMR(Width w, const Mem& m, Reg b);
  void TestRI(Width w, Reg a, int32_t imm);  // also 8 bits
  void TestMI(Width w, const Mem& m, int32_t imm);
  void UnaryR(Unary op, Width w, Reg r);
  void UnaryM(Unary op, Width w, const Mem& m);
  void Imul(Width w, Reg dst, Reg src);
  void Imul(Width w, Reg dst, const Mem& m);
  void ImulImm(Width w, Reg dst, Reg src, int32_t imm);
  void ImulImm(Width w, Reg dst, const Mem& m, int32_t imm);
  void ShiftImm(Shift op, Width w, Reg r, uint8_t amount);
  void ShiftCl(Shift op, Width w, Reg r);
  void SignExtendRax(Width w);  // cdq, cqo: rdx:rax := sign-extension of rax

  // -- BMI1, BMI2, LZCNT (32 or 64 bits)
  void Lzcnt(Width w, Reg dst, Reg src);
  void Lzcnt(Width w, Reg dst, const Mem& m);
  void Rorx(Width w, Reg dst, Reg src, uint8_t amount);  // keeps flags
  void Rorx(Width w, Reg dst, const Mem& m, uint8_t amount);
  // shlx, shrx, sarx: dst = src shifted by amount; keep flags.
  void ShiftX(Shift op, Width w, Reg dst, Reg src, Reg amount);
  void ShiftX(Shift op, Width w, Reg dst, const Mem& m, Reg amount);
  void Andn(Width w, Reg dst, Reg a, Reg b);  // dst = ~a & b
  void Andn(Width w, Reg dst, Reg a, const Mem& m);
  void BlsR(LowBit op, Width w, Reg dst, Reg src);
  void BlsM(LowBit op, Width w, Reg dst, const Mem& m);

  // -- atomic: any width
  void LockXadd(Width w, const Mem& m, Reg r);
  void XchgMem(Width w, const Mem& m, Reg r);
  void LockCmpxchg(Width w, const Mem& m, Reg replacement);  // expected: al … rax
  void LockAlu(Alu op, Width w, const Mem& m, Reg r);
  void LockAluImm(Alu op, Width w, const Mem& m, int32_t imm);
  void Mfence();

  // -- scalar floating point: Width::k32 is f32, k64 is f64. Where there is an `a`, dst = a op b,
  // and the rest of dst is a's; it must be dst without AVX.
  void SseRR(Sse op, Width w, Xmm dst, Xmm a, Xmm b);
  void SseRM(Sse op, Width w, Xmm dst, Xmm a, const Mem& m);
  void SseRR(Sse op, Width w, Xmm dst, Xmm src) { SseRR(op, w, dst, dst, src); }
  void SseRM(Sse op, Width w, Xmm dst, const Mem& m) { SseRM(op, w, dst, dst, m); }
  void SseBitsRR(SseBits op, Xmm dst, Xmm src);
  void SseBitsRM(SseBits op, Xmm dst, Xmm a, const Mem& m);  // 16-aligned
  void SseBitsRM(SseBits op, Xmm dst, const Mem& m) { SseBitsRM(op, dst, dst, m); }
  void Ucomis(Width w, Xmm a, Xmm b);
  void Ucomis(Width w, Xmm a, const Mem& m);
  void Rounds(Width w, Xmm dst, Xmm src,
              Rounding rounding);  // the rest of dst: dst's, or with AVX src's
  // movss, movsd; a load clears the rest of the register.
  void MovsLoad(Width w, Xmm dst, const Mem& m);
  void MovsStore(Width w, const Mem& m, Xmm src);
  void MovToXmm(Width w, Xmm dst, Reg src);    // movd, movq: clears the rest
  void MovFromXmm(Width w, Reg dst, Xmm src);  // movd, movq
  // cvtsi2ss, cvtsi2sd: keeps the rest of dst.
  void CvtFromInt(Width from, Width to, Xmm dst, Reg src);
  void CvtFromInt(Width from, Width to, Xmm dst, const Mem& m);
  void CvttToInt(Width from, Width to, Reg dst, Xmm src);  // cvttss2si, cvttsd2si
  void CvtFloat(Width from, Xmm dst, Xmm src);             // cvtss2sd, cvtsd2ss; the rest as Rounds

  // -- control
  void CallRel32();                         // call rel32; the field is at rip_field()
  void JmpRel32();                          // jmp rel32; likewise
  void JccRel32(Cond cc);                   // jcc rel32; likewise
  void JmpRel8(uint8_t distance);           // jmp rel8: the last byte of the instruction
  void JccRel8(Cond cc, uint8_t distance);  // likewise
  // op r64, imm32, whatever the value, so that it can be changed: the last four bytes.
  void AluImm32(Alu op, Reg dst, int32_t imm);
  void CallReg(Reg r);
  void JmpReg(Reg r);
  void CallMem(const Mem& m);
  void JmpMem(const Mem& m);
  void Push(Reg r);
  void Pop(Reg r);
  void Ret();
  void Ud2();
  void Hlt();              // traps, being privileged
  void Nop(size_t bytes);  // any number, in the recommended multi-byte forms

  // -- vectors: the instructions of vector_op.def, according to their VectorForm. dst = a op src;
  // `a` is ignored if the instruction has one source, and must be dst without AVX.
  void Vector(VectorOp op, Xmm dst, Xmm a, Xmm src);
  void Vector(VectorOp op, Xmm dst, Xmm a, const Mem& m);
  void Vector(VectorOp op, Xmm dst, Xmm a, Xmm src, uint8_t imm);
  void Vector(VectorOp op, Xmm dst, Xmm a, const Mem& m, uint8_t imm);
  void VectorShift(VectorOp op, Xmm dst, Xmm a, uint8_t imm);
  // vpbroadcastb … vpbroadcastq: the lowest lane in all. AVX2.
  void Broadcast(Width lane, Xmm dst, Xmm src);
  void Broadcast(Width lane, Xmm dst, const Mem& m);
  // Between vector and general registers (and see MovToXmm).
  void InsertLane(Width lane, Xmm dst, Xmm a, Reg src,
                  uint8_t index);                                 // pinsrb/w/d/q; `a` as above
  void ExtractLane(Width lane, Reg dst, Xmm src, uint8_t index);  // pextrb/w/d/q; zero-extends
  void SignMask(Width lane, Reg dst, Xmm src);                    // pmovmskb, movmskps/pd

  // -- vectors: moves
  void MovqToXmm(Width w, Xmm dst, const Mem& m);    // movd/movq dst, [m]
  void MovqFromXmm(Width w, const Mem& m, Xmm src);  // movd/movq [m], src
  void MovapsRR(Xmm dst, Xmm src);
  void MovupsLoad(Xmm dst, const Mem& m);
  void MovupsStore(const Mem& m, Xmm src);

 private:
  // Makes room for one instruction of the longest kind, and for what is written too much behind it.
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Begin() {
    if (at_ > limit_) [[unlikely]]
      Grow(2 * bytes_.size());
  }
  void Grow(size_t size);
  void Byte(uint32_t b) { *at_++ = static_cast<uint8_t>(b); }
  void Imm16(int32_t v) {
    Byte(static_cast<uint32_t>(v));
    Byte(static_cast<uint32_t>(v) >> 8);
  }
  void Imm32(uint32_t v) {
    std::memcpy(at_, &v, 4);
    at_ += 4;
  }
  // A field that is to be filled in.
  void RipField() {
    rip_field_ = size();
    Imm32(0);
  }
  // Up to eight bytes that are put together in a machine register and written at once.
  struct Piece {
    uint64_t bits = 0;
    uint32_t size = 0;
    void Byte(uint32_t b) { bits |= uint64_t{b & 0xff} << (8 * size++); }
    void Imm32(uint32_t v) {
      bits |= uint64_t{v} << (8 * size);
      size += 4;
    }
  };
  void Append(const Piece& piece) {
    std::memcpy(at_, &piece.bits, 8);
    at_ += piece.size;
  }
  // An immediate operand of width `w`, at most 32 bits.
  void Imm(Width w, int32_t v);
  // [prefix] [REX] opcode ModRM, register form. `prefix` is 0, a mandatory prefix, or lock.
  // `byte_regs`: bit 0 says that `reg`, bit 1 that `rm` is named as a byte register, for which spl
  // … dil need an empty REX.
  void OpR(Width w, uint32_t opcode, uint8_t reg, uint8_t rm, uint8_t byte_regs = 0,
           uint8_t prefix = 0);
  // Memory form. `byte_reg`: `reg` is named as a byte register.
  void OpM(Width w, uint32_t opcode, uint8_t reg, const Mem& m, bool byte_reg = false,
           uint8_t prefix = 0);

  // The same two, put together anew where they are used: little is left of them if most arguments
  // are constants.
  void HotR(Width w, uint32_t opcode, uint8_t reg, uint8_t rm, uint8_t byte_regs = 0,
            uint8_t prefix = 0);
  void HotM(Width w, uint32_t opcode, uint8_t reg, const Mem& m, bool byte_reg = false,
            uint8_t prefix = 0);
  // Opcode bytes at the bottom, in the order in which they are written; `opcode` is one byte, or
  // 0x0Fxx, 0x0F38xx, 0x0F3Axx.
  static constexpr uint32_t OpcodeSize(uint32_t opcode) {
    return opcode > 0xffff ? 3 : opcode > 0xff ? 2 : 1;
  }
  static constexpr uint64_t OpcodeBytes(uint32_t opcode) {
    return opcode > 0xffff ? (opcode >> 16) | (opcode & 0xff00) | (opcode & 0xff) << 16
           : opcode > 0xff ? (opcode >> 8) | (opcode & 0xff) << 8
                           : opcode;
  }
  // An empty REX changes ah, ch, dh, bh into spl, bpl, sil, dil.
  static constexpr bool NeedsByteRex(uint8_t reg) { return reg >= 4 && reg <= 7; }
  static constexpr bool FitsInt8(int32_t v) { return v == static_cast<int8_t>(v); }
  static constexpr uint32_t ScaleBits(uint8_t scale) {
    return scale == 1 ? 0 : scale == 2 ? 1 : scale == 4 ? 2 : 3;
  }
  void MovWideImm(Reg dst, uint64_t imm);

  // ModRM, SIB and displacement of a memory operand.
  void ModRm(uint8_t reg, const Mem& m);
  // VEX [opcode] ModRM with 128 bits or a scalar; `prefix` is 0, 0x66, 0xf3 or 0xf2; `v` the
  // register in VEX.vvvv.
  void VexR(uint8_t prefix, bool wide, uint32_t opcode, uint8_t reg, uint8_t v, uint8_t rm);
  void VexM(uint8_t prefix, bool wide, uint32_t opcode, uint8_t reg, uint8_t v, const Mem& m);
  void Vex(uint8_t prefix, bool wide, uint32_t opcode, uint32_t rxb, uint8_t v);
  // A vector instruction in the encoding asked for. `first`: the register that it reads besides
  // `rm`, or kOneSource.
  static constexpr uint8_t kOneSource = 0xff;
  uint8_t RestOf(Xmm dst, Xmm src) const { return Number(avx_ ? src : dst); }
  void XmmR(uint8_t prefix, uint32_t opcode, uint8_t reg, uint8_t first, uint8_t rm,
            Width w = Width::k32);
  void XmmM(uint8_t prefix, uint32_t opcode, uint8_t reg, uint8_t first, const Mem& m,
            Width w = Width::k32);

  std::vector<uint8_t> bytes_;
  uint8_t* at_ = nullptr;     // where the next byte goes
  uint8_t* limit_ = nullptr;  // behind it there may be too little room
  size_t rip_field_ = 0;
  bool avx_ = false;
};

// -- the instructions that nearly all code consists of, put in line: templates with constant
// operands become stores of constants

#define PRECAST_HOT ABSL_ATTRIBUTE_ALWAYS_INLINE inline

PRECAST_HOT void Encoder::HotR(Width w, uint32_t opcode, uint8_t reg, uint8_t rm, uint8_t byte_regs,
                               uint8_t prefix) {
  Begin();
  if (w == Width::k16) Byte(0x66);
  if (prefix != 0) Byte(prefix);
  // REX is the first byte of the piece, and left out at the end if nothing needs it.
  const uint32_t rex = 0x40u | (w == Width::k64 ? 8u : 0u) | ((reg >> 3) << 2) | (rm >> 3);
  const bool force =
      ((byte_regs & 1) && NeedsByteRex(reg)) || ((byte_regs & 2) && NeedsByteRex(rm));
  const uint32_t skip = rex == 0x40 && !force ? 1 : 0;
  const uint32_t size = 1 + OpcodeSize(opcode);
  const uint64_t modrm = 0xc0u | ((reg & 7u) << 3) | (rm & 7u);
  const uint64_t piece = (rex | OpcodeBytes(opcode) << 8 | modrm << (8 * size)) >> (8 * skip);
  std::memcpy(at_, &piece, 8);
  at_ += size + 1 - skip;
}

PRECAST_HOT void Encoder::HotM(Width w, uint32_t opcode, uint8_t reg, const Mem& m, bool byte_reg,
                               uint8_t prefix) {
  Begin();
  if (w == Width::k16) Byte(0x66);
  if (prefix != 0) Byte(prefix);
  const bool has_base = m.base != Mem::kNoReg, has_index = m.index != Mem::kNoReg;
  uint32_t rex = 0x40u | (w == Width::k64 ? 8u : 0u) | ((reg >> 3) << 2);
  if (has_index) rex |= (m.index >> 3) << 1;
  if (has_base) rex |= m.base >> 3;
  const uint32_t skip = rex == 0x40 && !(byte_reg && NeedsByteRex(reg)) ? 1 : 0;
  const uint32_t size = 1 + OpcodeSize(opcode);
  uint64_t piece = rex | OpcodeBytes(opcode) << 8;
  if (!has_base) {  // seldom
    piece >>= 8 * skip;
    std::memcpy(at_, &piece, 8);
    at_ += size - skip;
    return ModRm(reg, m);
  }
  // As in ModRm, by sums: what displacements there are cannot be foreseen.
  const int32_t disp = m.disp;
  const uint32_t is_long = FitsInt8(disp) ? 0 : 1;
  const uint32_t has_disp = uint32_t{disp != 0} | uint32_t{(m.base & 7) == 5};
  const uint32_t has_sib = uint32_t{has_index} | uint32_t{(m.base & 7) == 4};
  const uint64_t modrm =
      ((has_disp + is_long) << 6) | ((reg & 7u) << 3) | (has_sib != 0 ? 4u : m.base & 7u);
  const uint64_t sib =
      has_index ? (ScaleBits(m.scale) << 6) | ((m.index & 7u) << 3) | (m.base & 7u) : 0x24;
  piece |= modrm << (8 * size) | (has_sib != 0 ? sib << (8 * size + 8) : 0);
  piece >>= 8 * skip;
  uint8_t* const at = at_;
  std::memcpy(at, &piece, 8);
  uint8_t* const after = at + (size + 1 + has_sib - skip);
  std::memcpy(after, &disp, 4);  // in any case
  at_ = after + (has_disp + 3 * is_long);
}

PRECAST_HOT void Encoder::Mov(Width w, Reg dst, Reg src) {
  HotR(w, 0x89, Number(src), Number(dst));
}

PRECAST_HOT void Encoder::MovImm(Reg dst, uint64_t imm) {
  if (imm > 0xffffffffu) return MovWideImm(dst, imm);
  Begin();
  if (Number(dst) >= 8) Byte(0x41);
  Byte(0xb8u | (Number(dst) & 7u));  // mov r32, imm32: zero-extends
  Imm32(static_cast<uint32_t>(imm));
}

PRECAST_HOT void Encoder::Load(Width w, Reg dst, const Mem& m) { HotM(w, 0x8b, Number(dst), m); }

PRECAST_HOT void Encoder::Store(Width w, const Mem& m, Reg src) {
  HotM(w, w == Width::k8 ? 0x88 : 0x89, Number(src), m, w == Width::k8);
}

PRECAST_HOT void Encoder::Lea(Width w, Reg dst, const Mem& m) { HotM(w, 0x8d, Number(dst), m); }

PRECAST_HOT void Encoder::AluRR(Alu op, Width w, Reg dst, Reg src) {
  HotR(w, (static_cast<uint32_t>(op) << 3) | 1, Number(src), Number(dst));  // op r/m, r
}

PRECAST_HOT void Encoder::AluRM(Alu op, Width w, Reg dst, const Mem& m) {
  HotM(w, (static_cast<uint32_t>(op) << 3) | 3, Number(dst), m);  // op r, r/m
}

PRECAST_HOT void Encoder::AluMR(Alu op, Width w, const Mem& m, Reg src) {
  HotM(w, (static_cast<uint32_t>(op) << 3) | 1, Number(src), m);  // op r/m, r
}

PRECAST_HOT void Encoder::AluRI(Alu op, Width w, Reg dst, int32_t imm) {
  if (FitsInt8(imm)) {
    HotR(w, 0x83, static_cast<uint8_t>(op), Number(dst));  // op r/m, simm8
    Byte(static_cast<uint32_t>(imm));
  } else if (dst == Reg::rax) {
    Begin();
    if (w == Width::k64) Byte(0x48);
    Byte((static_cast<uint32_t>(op) << 3) | 5);  // op eax/rax, imm32
    Imm32(static_cast<uint32_t>(imm));
  } else {
    HotR(w, 0x81, static_cast<uint8_t>(op), Number(dst));  // op r/m, imm32
    Imm32(static_cast<uint32_t>(imm));
  }
}

PRECAST_HOT void Encoder::TestRR(Width w, Reg a, Reg b) { HotR(w, 0x85, Number(b), Number(a)); }

PRECAST_HOT void Encoder::JmpRel32() {
  Begin();
  Byte(0xe9);
  RipField();
}

PRECAST_HOT void Encoder::JccRel32(Cond cc) {
  Begin();
  Byte(0x0f);
  Byte(0x80u | static_cast<uint8_t>(cc));
  RipField();
}

PRECAST_HOT void Encoder::JmpRel8(uint8_t distance) {
  Begin();
  Byte(0xeb);
  Byte(distance);
}

PRECAST_HOT void Encoder::JccRel8(Cond cc, uint8_t distance) {
  Begin();
  Byte(0x70u | static_cast<uint8_t>(cc));
  Byte(distance);
}

#undef PRECAST_HOT

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_ENCODER_H_
