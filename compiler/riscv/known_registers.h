// What control-flow recovery knows of the guest's registers while it follows straight-line code:
// constants, everywhere; and all that it takes to see a jump's table, where there is such a jump.
#ifndef PRECAST_COMPILER_RISCV_KNOWN_REGISTERS_H_
#define PRECAST_COMPILER_RISCV_KNOWN_REGISTERS_H_

#include <array>
#include <cstdint>

#include "compiler/riscv/control_flow.h"
#include "compiler/riscv/decoder.h"

namespace precast::riscv {

// The registers whose values are constants: sums of constants, from lui, auipc and addi on.
class Constants {
 public:
  Constants() { Clear(); }
  void Clear() {
    is_known_ = {1};  // x0
    value_[0] = 0;
  }
  bool Has(uint8_t r) const { return is_known_[r] != 0; }
  // If it is one.
  uint32_t Get(uint8_t r) const { return value_[r]; }
  void Forget(uint8_t rd) { is_known_[rd] = rd == 0 ? 1 : 0; }
  // Behind an instruction that writes rd and does nothing else. True if rd is a sum of constants of
  // which one was in a register. Without branches, as this is what most instructions are.
  bool Follow(const Instruction& in, uint32_t pc) {
    static constexpr auto kIsSum = [] {
      std::array<uint8_t, static_cast<size_t>(Op::kIllegal) + 1> is_sum{};
      for (Op op : {Op::kAddi, Op::kAdd, Op::kLui, Op::kAuipc}) is_sum[static_cast<size_t>(op)] = 1;
      return is_sum;
    }();
    // Operands that an instruction lacks are x0 and 0.
    const uint8_t is_known =
        kIsSum[static_cast<size_t>(in.op)] & is_known_[in.rs1] & is_known_[in.rs2];
    value_[in.rd] = value_[in.rs1] + value_[in.rs2] + static_cast<uint32_t>(in.imm) +
                    (in.op == Op::kAuipc ? pc : 0);
    value_[0] = 0;
    is_known_[in.rd] = is_known;
    is_known_[0] = 1;
    return (is_known & uint8_t{(in.rs1 | in.rs2) != 0}) != 0;
  }

 private:
  std::array<uint8_t, 32> is_known_;
  std::array<uint32_t, 32> value_{};  // of those that are not, anything
};

// What is known of a register's value: a constant c; "c + something" (an indexed table address);
// the word loaded from such an address, and that word plus c, with a bound if a range check was
// seen; a sum of which no part is known; or a word loaded through a pointer that is no sum, such as
// a function pointer in a virtual table.
struct Abstract {
  enum class Kind : uint8_t {
    kUnknown,
    kConstant,
    kIndexed,
    kTableWord,
    kRelativeTarget,
    kSum,
    kField
  };
  Kind kind = Kind::kUnknown;
  uint32_t c = 0;
  uint32_t bound = 0;  // exclusive, of an index; 0 if there is none
};

// That of register r at the instruction `index`, which straight-line code from `first` on comes to.
Abstract KnownOf(const Code& code, uint32_t first, uint32_t index, uint8_t r);

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_KNOWN_REGISTERS_H_
