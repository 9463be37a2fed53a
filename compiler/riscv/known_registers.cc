#include "compiler/riscv/known_registers.h"

#include <array>
#include <cstdint>

#include "compiler/riscv/decoder.h"

namespace precast::riscv {
namespace {

using Kind = Abstract::Kind;

class Knowledge {
 public:
  Knowledge() { known_[0].kind = Kind::kConstant; }
  const Abstract& Get(uint8_t r) const { return known_[r]; }

  // Behind an instruction, on the way straight on.
  void Follow(const Instruction& in, uint32_t pc) {
    const uint32_t imm = static_cast<uint32_t>(in.imm);
    const Abstract a = known_[in.rs1], b = known_[in.rs2];
    Abstract result;
    switch (in.op) {
      case Op::kLui:
        result = {Kind::kConstant, imm};
        break;
      case Op::kAuipc:
        result = {Kind::kConstant, pc + imm};
        break;
      case Op::kAddi:
        if (a.kind == Kind::kConstant || a.kind == Kind::kIndexed) result = {a.kind, a.c + imm};
        if (a.kind == Kind::kSum || (a.kind == Kind::kField && imm == 0)) result = {a.kind};
        result.bound = imm == 0 ? a.bound : 0;
        break;
      case Op::kSlli:
        // A bound is remembered in entries, not bytes.
        result.bound = imm == 2 ? a.bound : 0;
        break;
      case Op::kAdd:
        result = Sum(a, b);
        break;
      case Op::kLw:
        if (a.kind == Kind::kIndexed) {
          result = {Kind::kTableWord, a.c + imm, a.bound};
        } else if (a.kind != Kind::kSum) {
          result.kind = Kind::kField;
        }
        break;
      case Op::kBltu:  // "bltu limit, x, out" leaves x <= limit
        if (a.kind == Kind::kConstant) SetBound(in.rs2, a.c + 1);
        return;
      case Op::kBgeu:  // "bgeu x, limit, out" leaves x < limit
        if (b.kind == Kind::kConstant) SetBound(in.rs1, b.c);
        return;
      case Op::kCustom:
        return;  // rd is read
      case Op::kHelper:
        known_[10] = known_[11] = {};
        break;
      default:
        break;
    }
    if (in.rd != 0) known_[in.rd] = result;
  }

 private:
  static Abstract Sum(const Abstract& a, const Abstract& b) {
    if (a.kind == Kind::kTableWord && b.kind == Kind::kConstant && a.c == b.c) {
      return {Kind::kRelativeTarget, a.c, a.bound};
    }
    if (b.kind == Kind::kTableWord && a.kind == Kind::kConstant && a.c == b.c) {
      return {Kind::kRelativeTarget, b.c, b.bound};
    }
    if (a.kind == Kind::kConstant && b.kind == Kind::kConstant) {
      return {Kind::kConstant, a.c + b.c};
    }
    if (a.kind == Kind::kConstant) return {Kind::kIndexed, a.c, b.bound};
    if (b.kind == Kind::kConstant) return {Kind::kIndexed, b.c, a.bound};
    return {Kind::kSum};
  }

  void SetBound(uint8_t r, uint32_t bound) {
    if (r != 0) known_[r].bound = bound;
  }

  std::array<Abstract, 32> known_;
};

}  // namespace

Abstract KnownOf(const Code& code, uint32_t first, uint32_t index, uint8_t r) {
  Knowledge known;
  uint32_t pc = code.PcOf(first);
  for (uint32_t i = first; i != index; ++i, pc += 4) known.Follow(code.At(i), pc);
  return known.Get(r);
}

}  // namespace precast::riscv
