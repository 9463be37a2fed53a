// What control-flow recovery knows of the guest's registers while it follows straight-line code.
#ifndef PRECAST_COMPILER_RISCV_KNOWN_REGISTERS_H_
#define PRECAST_COMPILER_RISCV_KNOWN_REGISTERS_H_

#include <array>
#include <cstdint>

namespace precast::riscv {

// What is known of a register's value while following straight-line code, enough to see jump
// tables: a constant c; "c + something" (an indexed table address); the word loaded from such an
// address; a sum of which no part is known; or a word loaded through a pointer that is no sum, such
// as a function pointer in a virtual table.
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
  Kind kind;
  uint32_t c;
};

// That of all registers, and bounds: only what is known is kept.
class Knowledge {
 public:
  Knowledge() { value_[0] = {Abstract::Kind::kConstant, 0}; }
  Abstract Get(uint8_t r) const {
    if ((rich_ >> r & 1) != 0) return value_[r];
    if ((sum_ >> r & 1) != 0) return {Abstract::Kind::kSum, 0};
    if ((field_ >> r & 1) != 0) return {Abstract::Kind::kField, 0};
    return {};
  }
  // Exclusive upper bound of a register's value; 0 if it has none.
  uint32_t Bound(uint8_t r) const { return (bounded_ >> r & 1) != 0 ? bound_[r] : 0; }
  // Whether more is known of either than that it is a sum or a field.
  bool KnowsMore(uint32_t registers) const { return ((rich_ | bounded_) & registers) != 0; }

  void Set(uint8_t rd, Abstract value, uint32_t bound = 0) {
    if (rd == 0) return;
    const uint32_t bit = uint32_t{1} << rd;
    using Kind = Abstract::Kind;
    const bool sum = value.kind == Kind::kSum, field = value.kind == Kind::kField;
    SetPlain(rd, sum, field);
    if (!sum && !field && value.kind != Kind::kUnknown) rich_ |= bit;
    value_[rd] = value;
    SetBound(rd, bound);
  }
  // Without branches: nothing else is known of it.
  void SetPlain(uint8_t rd, bool is_sum, bool is_field) {
    const uint32_t others = ~(uint32_t{1} << rd);
    // x0 stays a constant.
    rich_ = (rich_ & others) | 1;
    bounded_ &= others;
    sum_ = ((sum_ & others) | uint32_t{is_sum} << rd) & ~uint32_t{1};
    field_ = ((field_ & others) | uint32_t{is_field} << rd) & ~uint32_t{1};
  }
  bool IsSum(uint8_t r) const { return (sum_ >> r & 1) != 0; }
  bool IsField(uint8_t r) const { return (field_ >> r & 1) != 0; }
  void SetBound(uint8_t r, uint32_t bound) {
    const uint32_t bit = uint32_t{1} << r;
    bounded_ = bound != 0 ? bounded_ | bit : bounded_ & ~bit;
    bound_[r] = bound;
  }

 private:
  // Sets of registers: those with a value of another kind than a sum or a field; sums; fields; those with a bound.
  uint32_t rich_ = 1, sum_ = 0, field_ = 0, bounded_ = 0;
  // Only those in the sets have been written.
  std::array<Abstract, 32> value_;
  std::array<uint32_t, 32> bound_;
};

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_KNOWN_REGISTERS_H_
