#include "runtime/interpreter/decode.h"

namespace precast::runtime {

namespace {

using Op = Operation;

// Bits [high:low] of the word.
constexpr uint32_t Bits(uint32_t word, int high, int low) {
  return (word >> low) & ((uint32_t{2} << (high - low)) - 1);
}

// The low `bits` bits, sign-extended.
constexpr uint32_t SignExtend(uint32_t value, int bits) {
  uint32_t sign = uint32_t{1} << (bits - 1);
  return (value ^ sign) - sign;
}

// Immediates, as in figure 2.4 of the specification.
constexpr uint32_t ImmediateI(uint32_t w) { return SignExtend(Bits(w, 31, 20), 12); }
constexpr uint32_t ImmediateS(uint32_t w) {
  return SignExtend(Bits(w, 31, 25) << 5 | Bits(w, 11, 7), 12);
}
constexpr uint32_t ImmediateB(uint32_t w) {
  return SignExtend(
      Bits(w, 31, 31) << 12 | Bits(w, 7, 7) << 11 | Bits(w, 30, 25) << 5 | Bits(w, 11, 8) << 1, 13);
}
constexpr uint32_t ImmediateU(uint32_t w) { return w & 0xFFFFF000; }
constexpr uint32_t ImmediateJ(uint32_t w) {
  return SignExtend(
      Bits(w, 31, 31) << 20 | Bits(w, 19, 12) << 12 | Bits(w, 20, 20) << 11 | Bits(w, 30, 21) << 1,
      21);
}

DecodedInstruction DecodeOpImm(uint32_t word, DecodedInstruction i) {
  i.immediate = ImmediateI(word);
  uint32_t funct7 = Bits(word, 31, 25);
  switch (Bits(word, 14, 12)) {
    case 0:
      i.operation = Op::kAddi;
      break;
    case 1:
      if (funct7 == 0x00) i.operation = Op::kSlli;
      i.immediate = Bits(word, 24, 20);
      break;
    case 2:
      i.operation = Op::kSlti;
      break;
    case 3:
      i.operation = Op::kSltiu;
      break;
    case 4:
      i.operation = Op::kXori;
      break;
    case 5:
      if (funct7 == 0x00) i.operation = Op::kSrli;
      if (funct7 == 0x20) i.operation = Op::kSrai;
      i.immediate = Bits(word, 24, 20);
      break;
    case 6:
      i.operation = Op::kOri;
      break;
    case 7:
      i.operation = Op::kAndi;
      break;
  }
  return i;
}

Operation DecodeOp(uint32_t funct7, uint32_t funct3) {
  static constexpr Op kBase[8] = {Op::kAdd, Op::kSll, Op::kSlt, Op::kSltu,
                                  Op::kXor, Op::kSrl, Op::kOr,  Op::kAnd};
  static constexpr Op kMul[8] = {Op::kMul, Op::kMulh, Op::kMulhsu, Op::kMulhu,
                                 Op::kDiv, Op::kDivu, Op::kRem,    Op::kRemu};
  switch (funct7) {
    case 0x00:
      return kBase[funct3];
    case 0x01:
      return kMul[funct3];
    case 0x20:
      if (funct3 == 0) return Op::kSub;
      if (funct3 == 5) return Op::kSra;
      return Op::kIllegal;
    default:
      return Op::kIllegal;
  }
}

}  // namespace

DecodedInstruction Decode(uint32_t word) {
  static constexpr Op kBranches[8] = {Op::kBeq, Op::kBne, Op::kIllegal, Op::kIllegal,
                                      Op::kBlt, Op::kBge, Op::kBltu,    Op::kBgeu};
  static constexpr Op kLoads[8] = {Op::kLb,  Op::kLh,  Op::kLw,      Op::kIllegal,
                                   Op::kLbu, Op::kLhu, Op::kIllegal, Op::kIllegal};
  static constexpr Op kStores[8] = {Op::kSb,      Op::kSh,      Op::kSw,      Op::kIllegal,
                                    Op::kIllegal, Op::kIllegal, Op::kIllegal, Op::kIllegal};
  uint32_t funct3 = Bits(word, 14, 12);
  DecodedInstruction i;
  i.operation = Op::kIllegal;
  if (Bits(word, 11, 7) != 0) i.rd = static_cast<uint8_t>(Bits(word, 11, 7));
  i.rs1 = static_cast<uint8_t>(Bits(word, 19, 15));
  i.rs2 = static_cast<uint8_t>(Bits(word, 24, 20));
  switch (Bits(word, 6, 0)) {
    case 0b0110111:
      i.operation = Op::kLui;
      i.immediate = ImmediateU(word);
      return i;
    case 0b0010111:
      i.operation = Op::kAuipc;
      i.immediate = ImmediateU(word);
      return i;
    case 0b1101111:
      i.operation = Op::kJal;
      i.immediate = ImmediateJ(word);
      return i;
    case 0b1100111:
      if (funct3 == 0) i.operation = Op::kJalr;
      i.immediate = ImmediateI(word);
      return i;
    case 0b1100011:
      i.operation = kBranches[funct3];
      i.immediate = ImmediateB(word);
      return i;
    case 0b0000011:
      i.operation = kLoads[funct3];
      i.immediate = ImmediateI(word);
      return i;
    case 0b0100011:
      i.operation = kStores[funct3];
      i.immediate = ImmediateS(word);
      return i;
    case 0b0010011:
      return DecodeOpImm(word, i);
    case 0b0110011:
      i.operation = DecodeOp(Bits(word, 31, 25), funct3);
      return i;
    case 0b0001111:
      if (funct3 <= 1) i.operation = Op::kFence;
      return i;
    case 0b1110011:
      if (word == 0x00000073) i.operation = Op::kEcall;
      if (word == 0x00100073) i.operation = Op::kEbreak;
      return i;
    default:
      return i;
  }
}

DecodedInstruction DecodeOpenVm(uint32_t word) {
  DecodedInstruction i = Decode(word);
  if (Bits(word, 6, 0) == 0b1110011) {
    const bool nothing =
        Bits(word, 14, 12) == 1 && Bits(word, 19, 15) == 0 && Bits(word, 11, 7) == 0;
    i.operation = nothing ? Op::kFence : Op::kEcall;
  }
  return i;
}

precast::openvm::Instruction DecodeCustom(uint32_t word, precast::openvm::Form form) {
  precast::openvm::Instruction i;
  i.word = word;
  const auto rd = static_cast<uint8_t>(Bits(word, 11, 7));
  const auto rs1 = static_cast<uint8_t>(Bits(word, 19, 15));
  const auto rs2 = static_cast<uint8_t>(Bits(word, 24, 20));
  i.rs1 = rs1;
  switch (form) {
    case precast::openvm::Form::kR:
      i.rd = rd;
      i.rs2 = rs2;
      i.funct7 = static_cast<uint8_t>(Bits(word, 31, 25));
      break;
    case precast::openvm::Form::kI:
      i.rd = rd;
      i.imm = static_cast<int32_t>(ImmediateI(word));
      break;
    case precast::openvm::Form::kB:
      i.rs2 = rs2;
      i.imm = static_cast<int32_t>(ImmediateB(word));
      break;
  }
  return i;
}

}  // namespace precast::runtime
