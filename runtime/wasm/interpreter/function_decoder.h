// Decoding of one function body: the state that the parts of the decoder (control, plain
// instructions) share. Types are tracked as in the validation algorithm of the core specification's
// appendix, because untyped slots must never make a reference out of a number.
#ifndef PRECAST_RUNTIME_WASM_INTERPRETER_FUNCTION_DECODER_H_
#define PRECAST_RUNTIME_WASM_INTERPRETER_FUNCTION_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "runtime/wasm/interpreter/body.h"
#include "runtime/wasm/interpreter/reader.h"
#include "runtime/wasm/module_data.h"
#include "runtime/wasm/types.h"

namespace precast::runtime::wasm::interpreter {

// An operand of unknown type: below what unreachable code has pushed.
inline constexpr ValType kUnknown{0};

class FunctionDecoder {
 public:
  FunctionDecoder(const ModuleData& module, uint32_t function, Body& body);
  // False: malformed; body.offset is that of the bad instruction.
  bool Decode();

 private:
  enum class Kind : uint8_t { kFunction, kBlock, kLoop, kIf, kElse };
  struct Patch {
    bool in_table;  // of Body::branches; else of Body::ops
    uint32_t index;
  };
  struct Control {
    Kind kind;
    absl::Span<const ValType> params, results;
    size_t height;               // of the operand stack at its begin, without parameters
    bool dead = false;           // begins in unreachable code
    bool unreachable = false;    // what is decoded now, in it
    uint32_t target = 0;         // of a loop
    uint32_t else_jump = 0;      // of an if: the jump to its else
    std::vector<Patch> patches;  // branches to its end
  };
  struct MemoryArgument {
    uint32_t memory = 0;
    uint64_t offset = 0;
  };

  void Locals();
  // decode_control.cc; false: not one of them.
  bool ControlInstruction(uint8_t opcode);
  void EnterBlock(Kind kind);
  void Else();
  void End();
  void BranchTo(Code jump, Code branch, uint32_t depth);
  void BranchTable();
  void Call(bool tail);
  void CallIndirect(bool tail);
  void Return();
  // decode_plain.cc; `opcode` with its prefix.
  void PlainInstruction(uint32_t opcode);
  bool NumberInstruction(uint32_t opcode);
  bool MemoryInstruction(uint32_t opcode);
  bool BulkInstruction(uint32_t opcode);
  bool AtomicHelperInstruction(uint32_t opcode);
  void VectorInstruction(uint32_t number);
  bool VectorMemoryInstruction(uint32_t number);
  void LocalInstruction(uint8_t opcode);
  void GlobalInstruction(bool set);
  void Select(bool typed);
  void Helper(const HelperCall& call, std::string_view operands);

  void Fail() { ok_ = false; }
  bool Check(bool condition) {
    if (!condition) Fail();
    return condition;
  }
  bool ok() const { return ok_ && !reader_.failed(); }
  bool reachable() const { return !control_.back().unreachable && !control_.back().dead; }

  // Operand types. Letters: i l f d v as usual, F funcref, E externref.
  void Push(ValType type);
  ValType Pop(ValType expected);
  void PushAll(absl::Span<const ValType> types);
  void PopAll(absl::Span<const ValType> types);
  static ValType TypeOf(char letter);
  void PopLetters(std::string_view letters);
  void SetUnreachable();
  // So many slots must be there.
  void NoteHeight(size_t height);

  ValType ReadValType();
  // An index that must be below `size`; 0 if it is not.
  uint32_t ReadIndex(size_t size);
  const FuncType* ReadBlockType(absl::Span<const ValType>* results);
  MemoryArgument ReadMemoryArgument(uint32_t bytes);
  ValType AddressType(uint32_t memory) const;
  ValType IndexType(uint32_t table) const;

  // An instruction that costs 1: what is emitted until the next call belongs to it. Its segment
  // begins here if one is pending.
  void Count();
  // What is counted next is in a new segment.
  void BeginSegment() { segment_pending_ = true; }
  // Nothing if the code is not reachable.
  void Emit(Code code, uint32_t a = 0, uint16_t b = 0, uint64_t imm = 0);
  void EmitAlways(const Op& op);
  uint32_t AddVector(const uint8_t* bytes);
  uint32_t Here() const { return static_cast<uint32_t>(body_.ops.size()); }
  uint32_t SlotOf(size_t height) const {
    return body_.num_locals + kLinkSlots + static_cast<uint32_t>(height);
  }

  const ModuleData& module_;
  Body& body_;
  const FuncType& type_;
  Reader reader_;
  bool ok_ = true;
  std::vector<ValType> locals_;
  std::vector<ValType> stack_;
  size_t max_height_ = 0;
  std::vector<Control> control_;
  uint32_t instruction_ = 0;  // offset of the one being decoded
  Site site_ = {};
  bool segment_pending_ = true;
};

}  // namespace precast::runtime::wasm::interpreter

#endif  // PRECAST_RUNTIME_WASM_INTERPRETER_FUNCTION_DECODER_H_
