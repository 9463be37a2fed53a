// The machine code of tests and of what is made of their flags.
#include <cstdint>

#include "compiler/x64/code_buffer.h"
#include "compiler/x64/emitter.h"

namespace precast::x64::emission {

uint32_t Emitter::EmitTest(uint32_t i, const MInst& m) {
  const Width w = m.flags_width;
  switch (m.flags) {
    case FlagsFrom::kNone:
      return 0;
    case FlagsFrom::kCompare:
      if (m.folded) {
        const Mem mem = FoldedMem(i, m);
        e_.AluRM(Alu::kCmp, w, R(i, 0), mem);
        return 1 + NumOperands(m.place);
      }
      if (IsReg(i, 1)) {
        e_.AluRR(Alu::kCmp, w, R(i, 0), R(i, 1));
      } else {
        e_.AluRM(Alu::kCmp, w, R(i, 0), M(i, 1));
      }
      return 2;
    case FlagsFrom::kTest:
      if (IsReg(i, 1)) {
        e_.TestRR(w, R(i, 0), R(i, 1));
      } else {
        e_.TestMR(w, M(i, 1), R(i, 0));
      }
      return 2;
    case FlagsFrom::kCompareImm:
      if (m.folded) {
        AddMemorySite(i, m);
        e_.AluMI(Alu::kCmp, w, PlaceMem(i, m), m.flags_imm);
        return NumOperands(m.place);
      }
      if (IsReg(i, 0)) {
        e_.AluRI(Alu::kCmp, w, R(i, 0), m.flags_imm);
      } else {
        e_.AluMI(Alu::kCmp, w, M(i, 0), m.flags_imm);
      }
      return 1;
    case FlagsFrom::kTestSelf:
      if (IsReg(i, 0)) {
        if (!FlagsAlreadyShow(R(i, 0), w, m.cond)) e_.TestRR(w, R(i, 0), R(i, 0));
      } else {
        e_.AluMI(Alu::kCmp, w, M(i, 0), 0);
      }
      return 1;
    case FlagsFrom::kTestImm: {
      // Only zero or not is asked: a small mask needs only the low byte, a positive one only 32
      // bits.
      const int32_t imm = m.flags_imm;
      const Width narrow = imm >= 0 && imm <= 0xff ? Width::k8 : imm >= 0 ? Width::k32 : w;
      const int32_t field = narrow == Width::k8 ? static_cast<int8_t>(imm) : imm;
      if (IsReg(i, 0)) {
        e_.TestRI(narrow, R(i, 0), field);
      } else {
        e_.TestMI(narrow, M(i, 0), field);
      }
      return 1;
    }
    case FlagsFrom::kFloat:
      if (m.folded) {
        const Mem mem = FoldedMem(i, m);
        e_.Ucomis(w, X(i, 0), mem);
        return 1 + NumOperands(m.place);
      }
      if (IsReg(i, 1)) {
        e_.Ucomis(w, X(i, 0), X(i, 1));
      } else {
        e_.Ucomis(w, X(i, 0), VectorM(i, 1));
      }
      return 2;
    case FlagsFrom::kFloatConst:
      if (m.imm == 0) {
        ClearXmm(kVectorScratch);
        e_.Ucomis(w, X(i, 0), kVectorScratch);
      } else {
        e_.Ucomis(w, X(i, 0), Mem::Rip());
        RelocateFloat(w, static_cast<uint64_t>(m.imm));
      }
      return 1;
    case FlagsFrom::kFuel:
      // What subtracts from it without overflow has compared.
      if (m.flags_imm != 0 || flags_.at != buffer_.Here() || flags_.reg != kFuel) {
        e_.AluRI(Alu::kCmp, Width::k64, kFuel, m.flags_imm);
      }
      return 0;
  }
  return 0;
}

void Emitter::JumpIf(const MInst& m, Label target) {
  if (!m.parity) {
    buffer_.Jump(m.cond, target);
  } else if (m.cond == Cond::kNe) {
    buffer_.Jump(Cond::kP, target);
    buffer_.Jump(Cond::kNe, target);
  } else {
    const Label unordered = buffer_.NewLabel();
    buffer_.Jump(Cond::kP, unordered);
    buffer_.Jump(Cond::kE, target);
    buffer_.Bind(unordered);
  }
}

void Emitter::EmitSetCond(uint32_t i, const MInst& m) {
  const uint32_t d = p_.insts[i].operands_count - (m.parity ? 2u : 1u);
  e_.AluRR(Alu::kXor, Width::k32, R(i, d), R(i, d));
  EmitTest(i, m);
  if (!m.parity) return e_.Setcc(m.cond, R(i, d));
  const Reg t = R(i, d + 1);
  const bool equal = m.cond == Cond::kE;
  e_.Setcc(equal ? Cond::kNp : Cond::kP, t);
  e_.Setcc(m.cond, R(i, d));
  e_.Movzx(Width::k8, t, t);
  e_.AluRR(equal ? Alu::kAnd : Alu::kOr, Width::k32, R(i, d), t);
}

bool Emitter::FlagsAlreadyCompare(uint32_t i, const MInst& m) const {
  if (compared_.at != buffer_.Here() || compared_.at == block_begin_ || !ComparesRegisters(i, m)) {
    return false;
  }
  const MInst& before = m_.insts[compared_.inst];
  return before.flags == m.flags && before.flags_width == m.flags_width &&
         R(compared_.inst, 0) == R(i, 0) &&
         (m.flags == FlagsFrom::kCompareImm ? before.flags_imm == m.flags_imm
                                            : R(compared_.inst, 1) == R(i, 1));
}

void Emitter::EmitChargeIf(uint32_t i, const MInst& m) {
  const bool compared =
      FlagsAlreadyCompare(i, m) || (m.flags == FlagsFrom::kTestSelf && IsReg(i, 0) &&
                                    FlagsAlreadyShow(R(i, 0), m.flags_width, m.cond));
  const int32_t charge = static_cast<int32_t>(m.imm);
  if (m.alu != Alu::kAdd) {
    if (!compared) EmitTest(i, m);
    e_.AluRI(m.alu, Width::k64, kFuel, charge);
    return;
  }
  if (!compared) EmitTest(i, m);
  // Neither lea nor cmov changes the flags.
  const Reg less = R(i, p_.insts[i].operands_count - 1u);
  e_.Lea(Width::k64, less, Mem::At(kFuel, -charge));
  e_.Cmov(m.cond, Width::k64, kFuel, less);
}

void Emitter::EmitSelect(uint32_t i, const MInst& m) {
  const uint32_t n = EmitTest(i, m);
  if (p_.vreg_class[p_.operands[p_.insts[i].operands_begin + n].vreg] == RegClass::kInt) {
    auto move = [&](Cond cond) {
      if (IsReg(i, n)) {
        e_.Cmov(cond, m.width, R(i, n + 2), R(i, n));
      } else {
        e_.Cmov(cond, m.width, R(i, n + 2), M(i, n));
      }
    };
    move(m.cond);
    if (m.parity) return move(Cond::kP);
    const Reg d = R(i, n + 2);
    if (ComparesRegisters(i, m) && R(i, 0) != d &&
        (m.flags == FlagsFrom::kCompareImm || R(i, 1) != d)) {
      FlagsCompare(i);
    }
    return;
  }
  const Label keep = buffer_.NewLabel();
  if (m.parity) buffer_.Jump(Cond::kP, keep);
  buffer_.Jump(Invert(m.cond), keep);
  if (IsReg(i, n)) {
    e_.MovapsRR(X(i, n + 2), X(i, n));
  } else {
    e_.MovupsLoad(X(i, n + 2), VectorM(i, n));
  }
  buffer_.Bind(keep);
}

}  // namespace precast::x64::emission
