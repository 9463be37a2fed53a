// Words of initialized memory that are addresses of instructions: pointers to functions, or entries
// of jump tables.
#ifndef PRECAST_COMPILER_RISCV_CODE_POINTERS_H_
#define PRECAST_COMPILER_RISCV_CODE_POINTERS_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "compiler/guest/program.h"
#include "compiler/riscv/control_flow.h"

namespace precast::riscv {

// Where a program has instructions, more likely than anything else: its code_hint.
class LikelyCode {
 public:
  LikelyCode(const guest::Program& program, const Code& code);
  bool Contains(uint32_t pc) const { return IsNear(pc) && IsInside(pc); }
  // Whether it is between the first and the last, at a multiple of four; which most words are not.
  bool IsNear(uint32_t pc) const { return Turn(pc - begin_) < size_; }
  // Whether one of 16 words, little-endian, might be the address of an instruction.
  bool MayContainAny(const uint8_t* words) const;

 private:
  // What is no multiple of four becomes large.
  static uint32_t Turn(uint32_t offset) { return offset >> 2 | offset << 30; }
  bool IsInside(uint32_t pc) const;

  const guest::Program& program_;
  const Code& code_;
  uint32_t begin_ = 0, size_ = 0;  // in words, of all from the first range to the last
};

class CodePointers {
 public:
  // All of the program's, by what they point to.
  void Find(const guest::Program& program, const LikelyCode& likely);
  // Those in instructions that were reached are none.
  template <typename IsReached>
  void RemoveThoseInCode(const IsReached& is_reached) {
    std::erase_if(words_, [&](uint64_t word) { return is_reached(static_cast<uint32_t>(word)); });
    use_.assign(words_.size(), 0);
  }

  // Of those that point into [begin, end): the first, and the first behind them.
  std::pair<size_t, size_t> Into(uint32_t begin, uint32_t end) const;
  uint32_t Target(size_t i) const { return static_cast<uint32_t>(words_[i] >> 32); }
  bool IsInTable(size_t i) const { return (use_[i] & kInTable) != 0; }
  // It is the target of a jump whose table was not seen.
  void Guess(size_t i) { use_[i] |= kGuessed; }
  // The word at `address`, which is `target`, is in a table that was understood.
  void AddToTable(uint32_t target, uint32_t address);
  // Calls visit(target) for those that are not a jump's, as far as it is known.
  template <typename Visit>
  void ForEachOther(const Visit& visit) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      if (use_[i] == 0) visit(Target(i));
    }
  }

 private:
  enum : uint8_t { kInTable = 1, kGuessed = 2 };

  std::vector<uint64_t> words_;  // the target, then the word's own address; ascending
  std::vector<uint8_t> use_;
};

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_CODE_POINTERS_H_
