// The part of the function validator that is about blocks, branches and calls.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "compiler/wasm/byte_reader.h"
#include "compiler/wasm/function_validator.h"
#include "compiler/wasm/instruction.h"
#include "compiler/wasm/limits.h"
#include "compiler/wasm/module.h"
#include "compiler/wasm/types.h"

namespace precast::wasm {
namespace {

// Value types where a span of one is needed.
constexpr ValType kSingle[] = {kI32, kI64, kF32, kF64, kV128, kFuncRef, kExternRef};

absl::Span<const ValType> Single(ValType type) {
  for (const ValType& single : kSingle) {
    if (single.code == type.code) return absl::MakeConstSpan(&single, 1);
  }
  return {};
}

}  // namespace

bool FunctionValidator::PushBlock(Op op) {
  if (frames_.size() > kMaxNesting) {
    status_ = LimitAt(instruction_.offset, "nested blocks", frames_.size(), kMaxNesting);
    return false;
  }
  const BlockType& type = instruction_.block_type;
  absl::Span<const ValType> params, results;
  switch (type.kind) {
    case BlockType::Kind::kEmpty:
      break;
    case BlockType::Kind::kValue:
      results = Single(type.type);
      break;
    case BlockType::Kind::kIndex:
      if (type.index >= module_.types.size())
        return Unknown("type", type.index, module_.types.size());
      params = module_.types[type.index].params;
      results = module_.types[type.index].results;
      break;
  }
  if (op == Op::kIf && !Pop(kI32)) return false;
  if (!Pop(params)) return false;
  frames_.push_back({params, results, static_cast<uint32_t>(stack_.size()), 0, op, false});
  EnterFrame();
  Push(params);
  return true;
}

// `end` and `else`: leave the frame, with its results on the stack.
bool FunctionValidator::CheckEnd(bool& done) {
  const Frame frame = frames_.back();
  if (!Pop(frame.results)) return false;
  if (stack_.size() != height_) {
    return Fail(
        absl::StrFormat("type mismatch: expected %u values at the end of the block, actual %u more",
                        frame.results.size(), stack_.size() - height_));
  }
  if (instruction_.op == Op::kElse) {
    if (frame.op != Op::kIf) return Fail("else without if");
    frames_.back().op = Op::kElse;
    frames_.back().unreachable = false;
    EnterFrame();
    Push(frame.params);
    return true;
  }
  if (frame.op == Op::kIf && frame.params != frame.results) {
    return Fail("type mismatch: if without else must have results like its parameters");
  }
  frames_.pop_back();
  if (frames_.empty()) {
    done = true;
    return true;
  }
  EnterFrame();
  Push(frame.results);
  return true;
}

bool FunctionValidator::CheckBranchTable() {
  const std::vector<uint32_t>& targets = instruction_.targets;
  if (targets.size() - 1 > kMaxBranchTableTargets) {
    status_ = LimitAt(instruction_.offset, "br_table targets", targets.size() - 1,
                      kMaxBranchTableTargets);
    return false;
  }
  if (!Pop(kI32)) return false;
  Frame* last = nullptr;
  if (!FindLabel(targets.back(), last)) return false;
  const size_t arity = last->LabelTypes().size();
  ++num_br_tables_;
  absl::Span<const ValType> checked;
  for (const uint32_t depth : targets) {
    Frame* frame = nullptr;
    if (!FindLabel(depth, frame)) return false;
    // Every label once: so all labels together cost no more than their blocks did.
    if (frame->mark == num_br_tables_) continue;
    frame->mark = num_br_tables_;
    const absl::Span<const ValType> types = frame->LabelTypes();
    if (types.size() != arity) {
      return Fail(absl::StrFormat("type mismatch: br_table label %u expected %u values, actual %u",
                                  depth, arity, types.size()));
    }
    if (types.data() == checked.data()) continue;
    if (!CheckTop(types)) return false;
    checked = types;
  }
  SetUnreachable();
  return true;
}

bool FunctionValidator::CheckCall(const FuncType& type, bool tail) {
  if (tail) {
    const absl::Span<const ValType> results = frames_.front().results;
    if (results != absl::MakeConstSpan(type.results)) {
      return Fail("type mismatch: tail call of a function with other results");
    }
  }
  if (!Pop(type.params)) return false;
  if (tail) {
    SetUnreachable();
  } else {
    Push(type.results);
  }
  return true;
}

bool FunctionValidator::CheckCallIndirect() {
  const Table* table = nullptr;
  if (!FindTable(instruction_.index2, table)) return false;
  if (table->type.element != kFuncRef) return Mismatch(kFuncRef, table->type.element);
  if (instruction_.index >= module_.types.size()) {
    return Unknown("type", instruction_.index, module_.types.size());
  }
  return Pop(AddressType(table->type.is_64)) &&
         CheckCall(module_.types[instruction_.index], instruction_.op == Op::kReturnCallIndirect);
}

bool FunctionValidator::CheckControl(bool& done) {
  switch (instruction_.op) {
    case Op::kUnreachable:
      SetUnreachable();
      return true;
    case Op::kBlock:
    case Op::kLoop:
    case Op::kIf:
      return PushBlock(instruction_.op);
    case Op::kElse:
    case Op::kEnd:
      return CheckEnd(done);
    case Op::kBr: {
      Frame* frame = nullptr;
      if (!FindLabel(instruction_.index, frame) || !Pop(frame->LabelTypes())) return false;
      SetUnreachable();
      return true;
    }
    case Op::kBrIf: {
      Frame* frame = nullptr;
      if (!Pop(kI32) || !FindLabel(instruction_.index, frame)) return false;
      if (!Pop(frame->LabelTypes())) return false;
      Push(frame->LabelTypes());
      return true;
    }
    case Op::kBrTable:
      return CheckBranchTable();
    case Op::kReturn:
      if (!Pop(frames_.front().results)) return false;
      SetUnreachable();
      return true;
    case Op::kCall:
    case Op::kReturnCall:
      if (instruction_.index >= module_.functions.size()) {
        return Unknown("function", instruction_.index, module_.functions.size());
      }
      return CheckCall(module_.TypeOf(instruction_.index), instruction_.op == Op::kReturnCall);
    default:
      return CheckCallIndirect();
  }
}

}  // namespace precast::wasm
