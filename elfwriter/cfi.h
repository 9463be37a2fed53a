// Encoder of call frame instructions: how an unwinder finds the caller's frame at each instruction
// of a function. The bytes go into a CIE or FDE of .eh_frame.
//
// Sources: DWARF 5, section 6.4.2 and table 7.29 (encodings in 7.24); register numbers from x86-64
// psABI, figure 3.36.

#ifndef PRECAST_ELFWRITER_CFI_H_
#define PRECAST_ELFWRITER_CFI_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace precast::elfwriter {

// DWARF register numbers of x86-64: not the hardware numbering.
enum class DwarfRegister : uint8_t {
  kRax = 0,
  kRdx = 1,
  kRcx = 2,
  kRbx = 3,
  kRsi = 4,
  kRdi = 5,
  kRbp = 6,
  kRsp = 7,
  kR8 = 8,
  kR9 = 9,
  kR10 = 10,
  kR11 = 11,
  kR12 = 12,
  kR13 = 13,
  kR14 = 14,
  kR15 = 15,
  kReturnAddress = 16,
  kXmm0 = 17,  // kXmm0 + n is xmm<n>, n <= 15.
};

// Appends call frame instructions, each in its shortest encoding. Assumes the factors of the CIEs
// we write: code alignment 1, data alignment -8.
class CfiProgram {
 public:
  static constexpr int64_t kDataAlignment = -8;

  // Rules that follow hold from `code_offset` on, in bytes from the start of the function. Must
  // not go backwards; going nowhere emits nothing.
  CfiProgram& AdvanceTo(uint64_t code_offset);

  // CFA = reg + offset.
  CfiProgram& DefCfa(DwarfRegister reg, uint64_t offset);
  CfiProgram& DefCfaRegister(DwarfRegister reg);
  CfiProgram& DefCfaOffset(uint64_t offset);
  // CFA = value of a DWARF expression.
  CfiProgram& DefCfaExpression(absl::Span<const uint8_t> expression);

  // The caller's `reg` is stored at CFA + cfa_offset, which must be a multiple of 8.
  CfiProgram& Offset(DwarfRegister reg, int64_t cfa_offset);
  // The caller's `reg` is CFA + cfa_offset, a multiple of 8 (DW_CFA_val_offset).
  CfiProgram& ValueOffset(DwarfRegister reg, int64_t cfa_offset);
  // The caller's `reg` is stored at the address that a DWARF expression gives.
  CfiProgram& Expression(DwarfRegister reg, absl::Span<const uint8_t> expression);
  // The caller's `reg` is the value of a DWARF expression.
  CfiProgram& ValueExpression(DwarfRegister reg, absl::Span<const uint8_t> expression);
  // The caller's `reg` is in `where`.
  CfiProgram& InRegister(DwarfRegister reg, DwarfRegister where);
  CfiProgram& SameValue(DwarfRegister reg);
  // The caller's `reg` is lost. For kReturnAddress: this is the outermost frame.
  CfiProgram& Undefined(DwarfRegister reg);
  // Back to the rule of the CIE.
  CfiProgram& Restore(DwarfRegister reg);

  CfiProgram& RememberState();
  CfiProgram& RestoreState();

  absl::Span<const uint8_t> bytes() const { return bytes_; }
  // Forgets everything, but keeps the memory: one program can serve many functions in turn.
  void Clear();

 private:
  void OpcodeAndRegister(uint8_t opcode, DwarfRegister reg);
  void Block(absl::Span<const uint8_t> expression);

  std::vector<uint8_t> bytes_;
  uint64_t code_offset_ = 0;
};

// DWARF expression "address in `reg` plus `offset`" (DW_OP_breg<n>), appended to `out`.
void AppendBaseRegister(DwarfRegister reg, int64_t offset, std::vector<uint8_t>& out);

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_CFI_H_
