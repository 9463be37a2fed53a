// Validates function bodies: the algorithm of the specification (core specification 2.0, appendix
// "Validation Algorithm"), which keeps a stack of operand types and a stack of open blocks.
#ifndef PRECAST_COMPILER_WASM_FUNCTION_VALIDATOR_H_
#define PRECAST_COMPILER_WASM_FUNCTION_VALIDATOR_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "compiler/wasm/instruction.h"
#include "compiler/wasm/module.h"
#include "compiler/wasm/types.h"

namespace precast::wasm {

// Holds the buffers, to be used for one function after another. Takes time and space linear in a
// body's size (times the parameters and results of a block, kMaxParams at most).
class FunctionValidator {
 public:
  // `module` must outlive the validator and have passed ValidateModule.
  FunctionValidator(const Module& module, const Features& features)
      : module_(module),
        features_(features),
        has_plain_memory_(!module.memories.empty() && !module.memories[0].is_64) {}

  absl::Status Validate(uint32_t function);
  // Of the function that was found to be valid last.
  uint32_t num_instructions() const { return num_instructions_; }

 private:
  struct Frame {
    absl::Span<const ValType> params, results;
    uint32_t height;  // of the operand stack at the beginning, without the parameters
    uint32_t mark;    // the last br_table that was checked against this frame's label
    Op op;            // kBlock, kLoop, kIf, kElse; kBlock for the function itself
    bool unreachable;

    absl::Span<const ValType> LabelTypes() const { return op == Op::kLoop ? params : results; }
  };

  // The types on the operand stack, by code.
  class Types {
   public:
    Types() { Grow(); }
    Types(const Types&) = delete;
    Types& operator=(const Types&) = delete;
    size_t size() const { return static_cast<size_t>(top_ - bottom()); }
    // The topmost; below the lowest come kBelow bytes more.
    const uint8_t* top() const { return top_; }
    void Clear() { top_ = bottom(); }
    void Push(uint8_t type) {
      if (top_ == end_) [[unlikely]] {
        Grow();
      }
      *top_++ = type;
    }
    void Drop(size_t count) { top_ -= count; }
    // Pushes, drops the topmost, or does neither: without a branch.
    void Change(uint8_t pushed, bool push, bool drop) {
      if (top_ == end_) [[unlikely]] {
        Grow();
      }
      *top_ = pushed;
      top_ += (push ? 1 : 0) - (drop ? 1 : 0);
    }

   private:
    static constexpr size_t kBelow = 2;
    uint8_t* bottom() const { return const_cast<uint8_t*>(bytes_.data()) + kBelow; }
    void Grow();

    std::vector<uint8_t> bytes_;
    uint8_t *top_ = nullptr, *end_ = nullptr;
  };

  // All of these return false after they have noted a fault.
  bool CheckInstruction(bool& done);
  // Of an instruction with a fixed type, if nothing is wrong and nothing is unusual about it; else
  // it does nothing.
  bool CheckQuickly();
  // The same of what gets or sets a local.
  bool CheckLocal();
  bool CheckFixed();
  bool CheckControl(bool& done);
  bool CheckOther();
  bool CheckTableInstruction();
  bool CheckMemArg();
  bool CheckBranchTable();
  bool CheckSelect();
  bool CheckEnd(bool& done);
  bool CheckCall(const FuncType& type, bool tail);
  bool CheckCallIndirect();
  bool PushBlock(Op op);

  void Push(ValType type) { stack_.Push(type.code); }
  void Push(absl::Span<const ValType> types) {
    for (const ValType& type : types) stack_.Push(type.code);
  }
  bool Pop(ValType expected) {
    if (stack_.size() > height_) [[likely]] {
      const uint8_t actual = stack_.top()[-1];
      if (actual == expected.code || actual == kUnknown.code) [[likely]] {
        stack_.Drop(1);
        return true;
      }
      return Mismatch(expected, ValType{actual});
    }
    return unreachable_ || Mismatch(expected, std::nullopt);
  }
  bool PopAny(ValType& actual);
  bool Pop(absl::Span<const ValType> expected) {
    if (expected.empty()) return true;
    if (!CheckTop(expected)) return false;
    stack_.Drop(std::min<size_t>(stack_.size() - height_, expected.size()));
    return true;
  }
  // Whether Pop would succeed, without doing it.
  bool CheckTop(absl::Span<const ValType> expected);
  void SetUnreachable();
  void EnterFrame();

  bool FindLabel(uint32_t depth, Frame*& out);
  bool FindTable(uint32_t index, const Table*& out);
  bool FindMemory(uint32_t index, const MemoryType*& out);
  bool FindLocal(uint32_t index, ValType& out);
  bool FindElements(uint32_t index, const ElementSegment*& out);
  bool FindData(uint32_t index);

  bool Fail(std::string_view message);
  bool Unknown(std::string_view what, uint32_t index, size_t count);
  bool Mismatch(ValType expected, std::optional<ValType> actual);

  // An operand of unreachable code, which has any type.
  static constexpr ValType kUnknown{};

  const Module& module_;
  const Features features_;
  const bool has_plain_memory_;  // the first one is of 32 bits
  absl::Status status_;

  Instruction instruction_;
  Types stack_;
  std::vector<Frame> frames_;
  // Of the top frame.
  uint32_t height_ = 0;
  bool unreachable_ = false;
  uint32_t num_br_tables_ = 0;
  uint32_t num_instructions_ = 0;

  // The first locals' types, by code; as many as a body of its size could need, so that bodies
  // which declare many locals are not slow. The others are found in run_ends_.
  std::vector<uint8_t> locals_;
  std::vector<LocalRun> runs_;
  std::vector<uint32_t> run_ends_;  // local index where each run ends
  uint32_t num_locals_ = 0;
};

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_FUNCTION_VALIDATOR_H_
