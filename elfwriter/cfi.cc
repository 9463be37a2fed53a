// Encodes call frame instructions; opcodes are beside their values in DWARF 5, table 7.29.

#include "elfwriter/cfi.h"

#include <limits>

#include "absl/log/check.h"
#include "elfwriter/little_endian.h"

namespace precast::elfwriter {
namespace {

// DWARF 5, table 7.29. The first three carry an operand in their low six bits.
constexpr uint8_t kAdvanceLoc = 0x40;
constexpr uint8_t kOffset = 0x80;
constexpr uint8_t kRestore = 0xc0;
constexpr uint8_t kAdvanceLoc1 = 0x02;
constexpr uint8_t kAdvanceLoc2 = 0x03;
constexpr uint8_t kAdvanceLoc4 = 0x04;
constexpr uint8_t kUndefined = 0x07;
constexpr uint8_t kSameValue = 0x08;
constexpr uint8_t kRegister = 0x09;
constexpr uint8_t kRememberState = 0x0a;
constexpr uint8_t kRestoreState = 0x0b;
constexpr uint8_t kDefCfa = 0x0c;
constexpr uint8_t kDefCfaRegister = 0x0d;
constexpr uint8_t kDefCfaOffset = 0x0e;
constexpr uint8_t kDefCfaExpression = 0x0f;
constexpr uint8_t kExpression = 0x10;
constexpr uint8_t kOffsetExtendedSf = 0x11;
constexpr uint8_t kValOffset = 0x14;
constexpr uint8_t kValOffsetSf = 0x15;
constexpr uint8_t kValExpression = 0x16;

// DWARF 5, table 7.9.
constexpr uint8_t kOpBreg0 = 0x70;

constexpr uint8_t kLowOperands = 0x40;

uint8_t Number(DwarfRegister reg) { return static_cast<uint8_t>(reg); }

int64_t Factored(int64_t cfa_offset) {
  CHECK_EQ(cfa_offset % CfiProgram::kDataAlignment, 0);
  return cfa_offset / CfiProgram::kDataAlignment;
}

}  // namespace

CfiProgram& CfiProgram::AdvanceTo(uint64_t code_offset) {
  CHECK_GE(code_offset, code_offset_);
  const uint64_t delta = code_offset - code_offset_;
  code_offset_ = code_offset;
  if (delta == 0) return *this;
  if (delta < kLowOperands) {
    bytes_.push_back(static_cast<uint8_t>(kAdvanceLoc | delta));
  } else if (delta <= std::numeric_limits<uint8_t>::max()) {
    bytes_.push_back(kAdvanceLoc1);
    AppendLittleEndian<1>(delta, bytes_);
  } else if (delta <= std::numeric_limits<uint16_t>::max()) {
    bytes_.push_back(kAdvanceLoc2);
    AppendLittleEndian<2>(delta, bytes_);
  } else {
    CHECK_LE(delta, std::numeric_limits<uint32_t>::max());
    bytes_.push_back(kAdvanceLoc4);
    AppendLittleEndian<4>(delta, bytes_);
  }
  return *this;
}

CfiProgram& CfiProgram::DefCfa(DwarfRegister reg, uint64_t offset) {
  OpcodeAndRegister(kDefCfa, reg);
  AppendUleb128(offset, bytes_);
  return *this;
}

CfiProgram& CfiProgram::DefCfaRegister(DwarfRegister reg) {
  OpcodeAndRegister(kDefCfaRegister, reg);
  return *this;
}

CfiProgram& CfiProgram::DefCfaOffset(uint64_t offset) {
  bytes_.push_back(kDefCfaOffset);
  AppendUleb128(offset, bytes_);
  return *this;
}

CfiProgram& CfiProgram::DefCfaExpression(absl::Span<const uint8_t> expression) {
  bytes_.push_back(kDefCfaExpression);
  Block(expression);
  return *this;
}

CfiProgram& CfiProgram::Offset(DwarfRegister reg, int64_t cfa_offset) {
  const int64_t factored = Factored(cfa_offset);
  if (factored >= 0) {
    bytes_.push_back(kOffset | Number(reg));
    AppendUleb128(static_cast<uint64_t>(factored), bytes_);
  } else {
    OpcodeAndRegister(kOffsetExtendedSf, reg);
    AppendSleb128(factored, bytes_);
  }
  return *this;
}

CfiProgram& CfiProgram::ValueOffset(DwarfRegister reg, int64_t cfa_offset) {
  const int64_t factored = Factored(cfa_offset);
  if (factored >= 0) {
    OpcodeAndRegister(kValOffset, reg);
    AppendUleb128(static_cast<uint64_t>(factored), bytes_);
  } else {
    OpcodeAndRegister(kValOffsetSf, reg);
    AppendSleb128(factored, bytes_);
  }
  return *this;
}

CfiProgram& CfiProgram::Expression(DwarfRegister reg, absl::Span<const uint8_t> expression) {
  OpcodeAndRegister(kExpression, reg);
  Block(expression);
  return *this;
}

CfiProgram& CfiProgram::ValueExpression(DwarfRegister reg, absl::Span<const uint8_t> expression) {
  OpcodeAndRegister(kValExpression, reg);
  Block(expression);
  return *this;
}

CfiProgram& CfiProgram::InRegister(DwarfRegister reg, DwarfRegister where) {
  OpcodeAndRegister(kRegister, reg);
  AppendUleb128(Number(where), bytes_);
  return *this;
}

CfiProgram& CfiProgram::SameValue(DwarfRegister reg) {
  OpcodeAndRegister(kSameValue, reg);
  return *this;
}

CfiProgram& CfiProgram::Undefined(DwarfRegister reg) {
  OpcodeAndRegister(kUndefined, reg);
  return *this;
}

CfiProgram& CfiProgram::Restore(DwarfRegister reg) {
  bytes_.push_back(kRestore | Number(reg));
  return *this;
}

CfiProgram& CfiProgram::RememberState() {
  bytes_.push_back(kRememberState);
  return *this;
}

CfiProgram& CfiProgram::RestoreState() {
  bytes_.push_back(kRestoreState);
  return *this;
}

void CfiProgram::Clear() {
  bytes_.clear();
  code_offset_ = 0;
}

void CfiProgram::OpcodeAndRegister(uint8_t opcode, DwarfRegister reg) {
  bytes_.push_back(opcode);
  AppendUleb128(Number(reg), bytes_);
}

void CfiProgram::Block(absl::Span<const uint8_t> expression) {
  AppendUleb128(expression.size(), bytes_);
  bytes_.insert(bytes_.end(), expression.begin(), expression.end());
}

void AppendBaseRegister(DwarfRegister reg, int64_t offset, std::vector<uint8_t>& out) {
  CHECK_LT(Number(reg), 32);
  out.push_back(static_cast<uint8_t>(kOpBreg0 + Number(reg)));
  AppendSleb128(offset, out);
}

}  // namespace precast::elfwriter
