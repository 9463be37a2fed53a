// The machine code of each MIR instruction.
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/log/check.h"
#include "compiler/x64/code_buffer.h"
#include "compiler/x64/emitter.h"
#include "runtime/abi/meter_area.h"
#include "runtime/abi/wasm_context.h"

namespace precast::x64::emission {
namespace {

constexpr uint32_t kFarFrame = 32 * 1024;  // larger frames are checked against the limit as a whole
// Smaller ones are not checked if nothing is called. There is room below the limit for the largest
// frame that is not checked as a whole, and for one of these, and more.
constexpr uint32_t kNearFrame = 1024;

bool FitsInt32(int64_t v) { return v == static_cast<int32_t>(v); }

}  // namespace

Emitter::Stub& Emitter::AddRareCase(Stub::Kind kind, uint32_t i, const MInst& m) {
  stubs_.push_back({.kind = kind,
                    .label = buffer_.NewLabel(),
                    .back = buffer_.NewLabel(),
                    .inst = &m,
                    .index = i});
  return stubs_.back();
}

void Emitter::EmitSetReg(Reg r, uint64_t value) {
  if (value == 0) {
    e_.AluRR(Alu::kXor, Width::k32, r, r);
  } else {
    e_.MovImm(r, value);
  }
}

void Emitter::EmitInst(uint32_t b, uint32_t i, const MInst& m) {
  const Width w = m.width;
  const regalloc::Block& block = p_.blocks[b];
  switch (m.op) {
    case MOp::kEntry:
      EmitEntry(m);
      return;
    case MOp::kReceive:
      return;
    case MOp::kMove:
      if (Loc(i, 1).reg.cls == RegClass::kVector) {
        if (X(i, 0) != X(i, 1)) e_.MovapsRR(X(i, 1), X(i, 0));
      } else if (R(i, 0) != R(i, 1)) {
        const bool wide = IsWide(p_, p_.operands[p_.insts[i].operands_begin].vreg);
        e_.Mov(wide ? Width::k64 : Width::k32, R(i, 1), R(i, 0));
      }
      return;
    case MOp::kMovImm:
      EmitSetReg(R(i, 0), static_cast<uint64_t>(m.imm));
      return;
    case MOp::kAdd: {
      const Reg x = R(i, 0), y = R(i, 1), d = R(i, 2);
      if (d == x) {
        e_.AluRR(Alu::kAdd, w, d, y);
        FlagsShow(d, w, false);
      } else if (d == y) {
        e_.AluRR(Alu::kAdd, w, d, x);
        FlagsShow(d, w, false);
      } else if ((Number(x) & 7) == 5) {
        e_.Lea(w, d, Mem::At(y, x, 1, 0));  // r13 as a base would need a displacement
      } else {
        e_.Lea(w, d, Mem::At(x, y, 1, 0));
      }
      return;
    }
    case MOp::kAddImm: {
      const Reg x = R(i, 0), d = R(i, 1);
      const int32_t c = static_cast<int32_t>(m.imm);
      if (d != x) {
        e_.Lea(w, d, Mem::At(x, c));
        return;
      }
      if (c == 128) {
        e_.AluRI(Alu::kSub, w, d, -128);  // fits 8 bits
      } else {
        e_.AluRI(Alu::kAdd, w, d, c);
      }
      FlagsShow(d, w, false);
      return;
    }
    case MOp::kLea:
      e_.Lea(w, R(i, 2), Mem::At(R(i, 0), R(i, 1), m.scale, m.disp));
      return;
    case MOp::kAlu: {
      const Reg d = R(i, LastOperand(i));
      if (m.folded) {
        const Mem mem = FoldedMem(i, m);
        e_.AluRM(m.alu, w, d, mem);
      } else if (IsReg(i, 1)) {
        e_.AluRR(m.alu, w, d, R(i, 1));
      } else {
        e_.AluRM(m.alu, w, d, M(i, 1));
      }
      FlagsShow(d, w, m.alu != Alu::kSub && m.alu != Alu::kAdd);
      return;
    }
    case MOp::kAluImm:
      e_.AluRI(m.alu, w, R(i, 1), static_cast<int32_t>(m.imm));
      FlagsShow(R(i, 1), w, m.alu != Alu::kSub);
      return;
    case MOp::kShiftImm:
      e_.ShiftImm(m.shift, w, R(i, 1), static_cast<uint8_t>(m.imm));
      if (m.imm != 0 && m.shift != Shift::kRol && m.shift != Shift::kRor) {
        FlagsShow(R(i, 1), w, /*all=*/false);
      }
      return;
    case MOp::kScale:
      if (R(i, 0) == R(i, 1) && m.disp == 0) {
        e_.ShiftImm(Shift::kShl, w, R(i, 1), static_cast<uint8_t>(m.imm));
      } else {
        e_.Lea(w, R(i, 1), Mem::Scaled(R(i, 0), static_cast<uint8_t>(1 << m.imm), m.disp));
      }
      return;
    case MOp::kShiftCl:
      e_.ShiftCl(m.shift, w, R(i, 2));
      return;
    case MOp::kRotate: {
      const Reg x = R(i, 0), d = R(i, 1);
      const uint8_t amount = static_cast<uint8_t>(m.imm);
      if (x == d) return e_.ShiftImm(m.shift, w, d, amount);
      const uint8_t bits = w == Width::k64 ? 64 : 32;
      return e_.Rorx(w, d, x,
                     m.shift == Shift::kRor ? amount : static_cast<uint8_t>(bits - amount));
    }
    case MOp::kShiftX:
      return IsReg(i, 0) ? e_.ShiftX(m.shift, w, R(i, 2), R(i, 0), R(i, 1))
                         : e_.ShiftX(m.shift, w, R(i, 2), M(i, 0), R(i, 1));
    case MOp::kAndNot:
      return IsReg(i, 1) ? e_.Andn(w, R(i, 2), R(i, 0), R(i, 1))
                         : e_.Andn(w, R(i, 2), R(i, 0), M(i, 1));
    case MOp::kLowBit:
      return IsReg(i, 0) ? e_.BlsR(m.low_bit, w, R(i, 1), R(i, 0))
                         : e_.BlsM(m.low_bit, w, R(i, 1), M(i, 0));
    case MOp::kBitCount:
      if (m.aux != 0) {
        return IsReg(i, 0) ? e_.Bsf(w, R(i, 1), R(i, 0)) : e_.Bsf(w, R(i, 1), M(i, 0));
      }
      return IsReg(i, 0) ? e_.Lzcnt(w, R(i, 1), R(i, 0)) : e_.Lzcnt(w, R(i, 1), M(i, 0));
    case MOp::kUnary:
      e_.UnaryR(m.unary, w, R(i, 1));
      return;
    case MOp::kImul:
      if (m.folded) {
        const Mem mem = FoldedMem(i, m);
        e_.Imul(w, R(i, LastOperand(i)), mem);
      } else if (IsReg(i, 1)) {
        e_.Imul(w, R(i, 2), R(i, 1));
      } else {
        e_.Imul(w, R(i, 2), M(i, 1));
      }
      return;
    case MOp::kImulImm:
      if (IsReg(i, 0)) {
        e_.ImulImm(w, R(i, 1), R(i, 0), static_cast<int32_t>(m.imm));
      } else {
        e_.ImulImm(w, R(i, 1), M(i, 0), static_cast<int32_t>(m.imm));
      }
      return;
    case MOp::kZeroExtend:
      EmitZeroExtend(i, m);
      return;
    case MOp::kSignExtend:
      if (IsReg(i, 0)) {
        e_.Movsx(m.from, w, R(i, 1), R(i, 0));
      } else {
        e_.Movsx(m.from, w, R(i, 1), M(i, 0));
      }
      return;
    case MOp::kMulHi: {
      const Reg y = R(i, 1), d = R(i, 2);
      if (m.signs & 2) {
        const Reg t = R(i, 3);
        e_.Movsx(Width::k32, Width::k64, t, y);
        e_.Movsx(Width::k32, Width::k64, d, d);
        e_.Imul(Width::k64, d, t);
      } else {
        Reg factor = y;
        if ((m.signs & 1) && y == d) {  // x * x, one of them signed
          factor = R(i, 3);
          e_.Mov(Width::k32, factor, y);
        }
        if (m.signs & 1) e_.Movsx(Width::k32, Width::k64, d, d);
        e_.Imul(Width::k64, d, factor);
      }
      e_.ShiftImm(Shift::kShr, Width::k64, d, 32);
      return;
    }
    case MOp::kMulHiImm: {
      const Reg x = R(i, 0), d = R(i, 1);
      if (!FitsInt32(m.imm)) {
        e_.MovImm(d, static_cast<uint64_t>(m.imm));
        e_.Imul(Width::k64, d, x);
      } else if (m.signs & 1) {
        e_.Movsx(Width::k32, Width::k64, d, x);
        e_.ImulImm(Width::k64, d, d, static_cast<int32_t>(m.imm));
      } else {
        e_.ImulImm(Width::k64, d, x, static_cast<int32_t>(m.imm));
      }
      e_.ShiftImm(Shift::kShr, Width::k64, d, m.aux);
      return;
    }
    case MOp::kMulWide:
      if (IsReg(i, 1)) {
        e_.UnaryR(m.unary, w, R(i, 1));
      } else {
        e_.UnaryM(m.unary, w, M(i, 1));
      }
      return;
    case MOp::kDivide:
      EmitDivide(i, m);
      return;
    case MOp::kBitScan:
      return EmitBitScan(i, m);
    case MOp::kPopcnt:
      if (IsReg(i, 0)) {
        // Some processors wait for the old value of the result.
        if (R(i, 0) != R(i, 1)) e_.AluRR(Alu::kXor, Width::k32, R(i, 1), R(i, 1));
        e_.Popcnt(w, R(i, 1), R(i, 0));
      } else {
        e_.AluRR(Alu::kXor, Width::k32, R(i, 1), R(i, 1));
        e_.Popcnt(w, R(i, 1), M(i, 0));
      }
      return;
    case MOp::kByteSwap:
      return e_.Bswap(w, R(i, 1));
    case MOp::kSetCond:
      return EmitSetCond(i, m);
    case MOp::kSelect:
      return EmitSelect(i, m);
    case MOp::kAddCarry: {
      const uint32_t n = EmitTest(i, m);
      e_.AluRI(m.alu, w, R(i, n + 1), static_cast<int32_t>(m.imm));
      FlagsShow(R(i, n + 1), w, /*all=*/false);
      return;
    }
    case MOp::kLoad:
      EmitLoad(i, m);
      return;
    case MOp::kStore:
    case MOp::kStoreImm:
      EmitStore(i, m);
      return;
    case MOp::kAddress:
      e_.Lea(Width::k64, R(i, 0), InContext(static_cast<uint32_t>(m.disp)));
      return;
    case MOp::kAtomicAdd:
    case MOp::kAtomicExchange:
    case MOp::kAtomicLoop:
    case MOp::kAtomicAlu:
    case MOp::kAtomicAluImm:
    case MOp::kAtomicCompare:
      return EmitAtomic(i, m);
    case MOp::kFence:
      e_.Mfence();
      return;
    case MOp::kFconst:
    case MOp::kFloat:
    case MOp::kFloatConst:
    case MOp::kFloatMask:
    case MOp::kFloatMinMax:
    case MOp::kCopysign:
    case MOp::kSqrt:
    case MOp::kRound:
    case MOp::kFloatConvert:
    case MOp::kFloatToInt:
    case MOp::kIntToFloat:
    case MOp::kBitcast:
      return EmitFloat(i, m);
    case MOp::kLoadState:
      e_.Load(Width::k32, R(i, 0), InContext(static_cast<uint32_t>(m.disp)));
      return;
    case MOp::kStoreState:
      e_.Store(Width::k32, InContext(static_cast<uint32_t>(m.disp)), R(i, 0));
      return;
    case MOp::kStoreStateImm:
      e_.StoreImm(Width::k32, InContext(static_cast<uint32_t>(m.disp)),
                  static_cast<int32_t>(m.imm));
      return;
    case MOp::kCharge:
      if (MeterPays(b, i)) {
        owed_ = m.imm;
        return;
      }
      e_.AluRI(Alu::kSub, Width::k64, kFuel, static_cast<int32_t>(m.imm));
      FlagsShow(kFuel, Width::k64, /*all=*/false);
      return;
    case MOp::kChargeValue:
      e_.AluRR(Alu::kSub, Width::k64, kFuel, R(i, 0));
      return;
    case MOp::kChargeIf:
      return EmitChargeIf(i, m);
    case MOp::kGiveBack:
      e_.Lea(
          Width::k64, kFuel,
          Mem::At(kFuel, R(i, 0), static_cast<uint8_t>(1 << m.aux), static_cast<int32_t>(m.imm)));
      return;
    case MOp::kLoadFuel:
      e_.Mov(Width::k64, R(i, 0), kFuel);
      return;
    case MOp::kMeter:
    case MOp::kMeterCheck:
      return EmitMeter(b, i, m);
    case MOp::kCountRows: {
      uint8_t counts[16] = {};
      for (size_t lane = 0; lane < 4; ++lane) {
        const int32_t count = static_cast<int16_t>(static_cast<uint64_t>(m.imm) >> (16 * lane));
        for (size_t k = 0; k < 4; ++k)
          counts[4 * lane + k] = static_cast<uint8_t>(static_cast<uint32_t>(count) >> (8 * k));
      }
      const Xmm row = static_cast<Xmm>(abi::kFirstRowRegister + m.aux);
      e_.Vector(VectorOp::kPaddd, row, row, Mem::Rip());
      RelocateConstant(counts, 16);
      return;
    }
    case MOp::kMarkPage:
    case MOp::kMarkPageAbsolute:
      return EmitMarkPage(i, m);
    case MOp::kTrapIf: {
      EmitTest(i, m);
      const auto [begin, count] = CaptureState(i);
      Stub stub{.kind = Stub::Kind::kTrap,
                .label = buffer_.NewLabel(),
                .back = {},
                .inst = &m,
                .state_begin = begin,
                .state_count = count,
                .at = buffer_.Here().raw};
      JumpIf(m, stub.label);
      stubs_.push_back(stub);
      return;
    }
    case MOp::kCallPointer:
      e_.CallReg(static_cast<Reg>(abi::kTargetReg));
      AddSite(Site::Kind::kCall, m);
      return;
    case MOp::kCall:
      e_.CallRel32();
      Relocate(CodeRelocation::Target::kFunction, static_cast<uint32_t>(m.imm));
      AddSite(Site::Kind::kCall, m);
      return;
    case MOp::kCallDispatch:
      if (SharesLookup(b, calls_)) {
        buffer_.Call(LabelOf(calls_));
      } else {
        EmitLookup();
        e_.CallReg(Reg::r12);
      }
      AddSite(Site::Kind::kCall, m);
      return;
    case MOp::kCallRuntime:
      e_.CallRel32();
      Relocate(CodeRelocation::Target::kPltRuntime, m.aux);
      AddSite(Site::Kind::kCall, m);
      return;
    case MOp::kSimd:
    case MOp::kShuffle:
    case MOp::kVconst:
      return EmitSimd(i, m);
    case MOp::kJump:
      JumpUnlessNext(p_.edges[block.succs_begin].target);
      return;
    case MOp::kBranch: {
      const uint32_t yes = p_.edges[block.succs_begin].target;
      const uint32_t no = p_.edges[block.succs_begin + 1].target;
      if (thread_[yes] == thread_[no] && !m.folded) return JumpUnlessNext(yes);
      EmitTest(i, m);
      // Where both ways are jumps, that back to the loop's head is one jump.
      const bool loops = thread_[no] != next_ && position_[thread_[no]] <= position_[b] &&
                         position_[thread_[yes]] > position_[b];
      if (thread_[yes] == next_ || loops) {
        MInst inverted = m;
        inverted.cond = Invert(m.cond);
        JumpIf(inverted, LabelOf(no));
        JumpUnlessNext(yes);
      } else {
        JumpIf(m, LabelOf(yes));
        JumpUnlessNext(no);
      }
      return;
    }
    case MOp::kBranchTable:
      EmitBranchTable(i, m, block);
      falls_through_ = false;
      return;
    case MOp::kReceived:
      if (m.aux != 0) {
        e_.AluRI(Alu::kCmp, Width::k32, static_cast<Reg>(abi::kNextPcReg),
                 static_cast<int32_t>(m.imm));
        buffer_.Jump(Cond::kNe, Elsewhere());
      }
      return JumpUnlessNext(static_cast<uint32_t>(m.disp));
    case MOp::kReturn:
      falls_through_ = false;
      EmitReturn();
      return;
    case MOp::kTailCall:
      falls_through_ = false;
      Epilogue(/*scratch=*/true);
      e_.JmpRel32();
      Relocate(CodeRelocation::Target::kFunction, static_cast<uint32_t>(m.imm));
      return;
    case MOp::kTailDispatch:
      falls_through_ = false;
      if (SharesLookup(b, jumps_)) {
        Epilogue(/*scratch=*/true);
        return buffer_.Jump(LabelOf(jumps_));
      }
      EmitLookup();
      Epilogue(/*scratch=*/true);
      e_.JmpReg(Reg::r12);
      return;
    case MOp::kTailPointer:
      falls_through_ = false;
      Epilogue(/*scratch=*/false);
      e_.JmpReg(static_cast<Reg>(abi::kTargetReg));
      return;
    case MOp::kTrap: {
      falls_through_ = false;
      const auto [begin, count] = CaptureState(i);
      SeparateFromCall();
      AddSite(Site::Kind::kTrap, m, m.aux, begin, count);
      e_.Hlt();
      return;
    }
  }
}

uint32_t Emitter::FuelByte(int32_t asked) const {
  const uint32_t back = asked >= -128 && asked <= 127 ? 2 : 5;
  DCHECK_EQ(e_.data()[e_.size() - back], 0xea);
  return back;
}

void Emitter::EmitMeter(uint32_t b, uint32_t i, const MInst& m) {
  if (prepaid_ != 0) {
    DCHECK_GE(prepaid_, m.imm);
    prepaid_ -= m.imm;
    return;
  }
  const auto [begin, count] = CaptureState(i);
  const bool is_check = m.op == MOp::kMeterCheck;
  if (is_check || (counts_rows_ && !MeterFollows(b, i, m.imm))) {
    e_.AluRI(is_check ? Alu::kCmp : Alu::kSub, Width::k64, kFuel,
             static_cast<int32_t>(m.imm + std::exchange(owed_, 0)));
    Stub stub{.kind = Stub::Kind::kSuspend,
              .label = buffer_.NewLabel(),
              .back = {},
              .inst = &m,
              .state_begin = begin,
              .state_count = count,
              .at = buffer_.Here().raw};
    buffer_.Jump(Cond::kL, stub.label);
    stubs_.push_back(stub);
    return;
  }
  if (owed_ == 0) prepaid_ = Prepays(b, i);
  if (prepaid_ != 0) {
    e_.AluRI(Alu::kSub, Width::k64, kFuel, static_cast<int32_t>(m.imm + prepaid_));
    Stub& stub = AddRareCase(Stub::Kind::kUnpaid, i, m);
    stub.block = b;
    stub.prepaid = prepaid_;
    copied_ += p_.blocks[b].end - i;
    buffer_.Jump(Cond::kL, stub.label);
    return;
  }
  int64_t amount = m.imm;
  uint32_t meters = 1;
  while (MeterFollows(b, i + meters - 1, amount)) amount += m_.insts[i + meters++].imm;
  skip_until_ = i + meters;
  // What is given back is what the meter asked for, not what was owed.
  const int32_t asked = static_cast<int32_t>(amount + std::exchange(owed_, 0));
  e_.AluRI(Alu::kSub, Width::k64, kFuel, asked);
  TrapInside(Cond::kL, FuelByte(asked), Site::Kind::kSuspend, m, begin, count);
  if (meters == 1) return;
  sites_.back().ir.refund = static_cast<uint32_t>(amount);
  sites_.back().more_begin = static_cast<uint32_t>(more_charges_.size());
  sites_.back().more_count = meters - 1;
  for (uint32_t k = 0; k + 1 < meters; ++k) {
    amount -= m_.insts[i + k].imm;
    more_charges_.push_back({m_.insts[i + k + 1].site.guest_pc, static_cast<uint32_t>(amount)});
  }
}

void Emitter::EmitEntry(const MInst& m) {
  entry_positions_.push_back({m.site.guest_pc, buffer_.Here()});
  if (frame_ == 0 && !m_.has_calls) return;
  if (m_.has_calls || frame_ > kNearFrame) {
    // Its displacement is the last byte of the comparison, and no instruction.
    const Mem limit = InContext(offsetof(abi::VmContext, native_stack_limit));
    static_assert(offsetof(abi::VmContext, native_stack_limit) - abi::kContextBias == 0x60);
    if (frame_ > kFarFrame) {
      e_.Lea(Width::k64, Reg::r11, Mem::At(Reg::rsp, -static_cast<int32_t>(frame_)));
      e_.AluRM(Alu::kCmp, Width::k64, Reg::r11, limit);
    } else {
      e_.AluRM(Alu::kCmp, Width::k64, Reg::rsp, limit);
    }
    TrapInside(Cond::kB, 1, Site::Kind::kStack, m);
  }
  if (frame_ == 0) return;
  if (frame_ == 8) {
    e_.Push(Reg::rax);  // the shortest way; what it stores does not matter
  } else {
    e_.AluRI(Alu::kSub, Width::k64, Reg::rsp, static_cast<int32_t>(frame_));
  }
  SetCfa(8 + frame_);
}

void Emitter::EmitZeroExtend(uint32_t i, const MInst& m) {
  const Reg d = R(i, 1);
  const bool reg = IsReg(i, 0);
  if (m.from == Width::k32) {
    if (reg) {
      e_.Mov(Width::k32, d, R(i, 0));
    } else {
      e_.Load(Width::k32, d, M(i, 0));
    }
  } else if (reg) {
    e_.Movzx(m.from, d, R(i, 0));
  } else {
    e_.Movzx(m.from, d, M(i, 0));
  }
}

void Emitter::EmitDivide(uint32_t i, const MInst& m) {
  const Reg divisor = R(i, 1);
  const bool guarded = (m.aux & kDivideGuarded) != 0;
  Label back;
  if (!guarded || (m.unary == Unary::kIdiv && (m.aux & kDivideRemainder) != 0)) {
    const Stub& stub = AddRareCase(Stub::Kind::kDivide, i, m);
    back = stub.back;
    if (guarded) {  // only the remainder of MIN by -1 is left
      e_.AluRI(Alu::kCmp, m.width, divisor, -1);
      buffer_.Jump(Cond::kE, stub.label);
    } else if (m.unary == Unary::kIdiv) {
      // divisor + 1 <= 1, unsigned: it is -1 or 0. rdx is free until the dividend is extended into
      // it.
      e_.Lea(m.width, Reg::rdx, Mem::At(divisor, 1));
      e_.AluRI(Alu::kCmp, m.width, Reg::rdx, 1);
      buffer_.Jump(Cond::kBe, stub.label);
    } else {
      e_.TestRR(m.width, divisor, divisor);
      buffer_.Jump(Cond::kE, stub.label);
    }
  }
  if (m.unary == Unary::kIdiv) {
    e_.SignExtendRax(m.width);
  } else {
    e_.AluRR(Alu::kXor, Width::k32, Reg::rdx, Reg::rdx);
  }
  e_.UnaryR(m.unary, m.width, divisor);
  if (back.index != kNone) buffer_.Bind(back);
}

void Emitter::EmitBitScan(uint32_t i, const MInst& m) {
  const Reg d = R(i, 1);
  const uint32_t bits = m.width == Width::k64 ? 64 : 32;
  // Of a zero the machine's instruction keeps what is in the result: what gives the width.
  const bool trailing = m.aux != 0;
  e_.MovImm(d, trailing ? bits : 2 * bits - 1);
  if (trailing) {
    if (IsReg(i, 0)) {
      e_.Bsf(m.width, d, R(i, 0));
    } else {
      e_.Bsf(m.width, d, M(i, 0));
    }
    return;
  }
  if (IsReg(i, 0)) {
    e_.Bsr(m.width, d, R(i, 0));
  } else {
    e_.Bsr(m.width, d, M(i, 0));
  }
  e_.AluRI(Alu::kXor, Width::k32, d, static_cast<int32_t>(bits - 1));
}

void Emitter::EmitBranchTable(uint32_t i, const MInst& m, const regalloc::Block& block) {
  const Reg index = R(i, 0), table = R(i, 1), target = R(i, 2);
  const uint32_t cases = static_cast<uint32_t>(m.imm);
  auto edge_target = [&](uint32_t c) {
    const uint32_t edge = m_.tables[static_cast<uint32_t>(m.disp) + c];
    return p_.edges[block.succs_begin + edge].target;
  };
  e_.AluRI(Alu::kCmp, Width::k32, index, static_cast<int32_t>(cases));
  buffer_.Jump(Cond::kAe, LabelOf(edge_target(cases)));
  e_.Lea(Width::k64, table, Mem::Rip());
  const auto [known, is_new] =
      jump_table_.emplace(i, static_cast<uint32_t>((constants_.size() + 3) / 4 * 4));
  const uint32_t base = known->second;
  Relocate(CodeRelocation::Target::kConstants, base);
  e_.Movsx(Width::k32, Width::k64, target, Mem::At(table, index, 4, 0));
  e_.AluRR(Alu::kAdd, Width::k64, target, table);
  e_.JmpReg(target);
  if (!is_new) return;
  for (uint32_t c = 0; c < cases; ++c) {
    table_entries_.push_back({base + 4 * c, LabelOf(edge_target(c)), base});
  }
  constants_.resize(base + 4 * cases);
}

}  // namespace precast::x64::emission
