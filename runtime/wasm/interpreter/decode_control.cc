// Decoding of a function body: blocks, branches and calls.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "runtime/wasm/interpreter/function_decoder.h"

namespace precast::runtime::wasm::interpreter {

namespace {

// What the compiler's front end lets through, and the function itself.
constexpr size_t kMaxNesting = 50001;

}  // namespace

bool FunctionDecoder::ControlInstruction(uint8_t opcode) {
  switch (opcode) {
    case 0x01:  // nop
      return true;
    case 0x02:
      EnterBlock(Kind::kBlock);
      return true;
    case 0x03:
      EnterBlock(Kind::kLoop);
      return true;
    case 0x04:
      EnterBlock(Kind::kIf);
      return true;
    case 0x05:
      Else();
      return true;
    case 0x0b:
      End();
      return true;
  }
  return false;
}

const FuncType* FunctionDecoder::ReadBlockType(absl::Span<const ValType>* results) {
  static constexpr ValType kSingle[] = {ValType::kI32,      ValType::kI64,  ValType::kF32,
                                        ValType::kF64,      ValType::kV128, ValType::kFuncRef,
                                        ValType::kExternRef};
  const uint8_t first = reader_.Peek();
  if ((first & 0xc0) != 0x40) {
    const int64_t index = reader_.Signed(33);
    if (!Check(index >= 0 && static_cast<uint64_t>(index) < module_.types.size())) return nullptr;
    const FuncType* type = &module_.types[static_cast<size_t>(index)];
    Check(type->params.size() <= abi::kMaxWasmArgs && type->results.size() <= abi::kMaxWasmArgs);
    return type;
  }
  reader_.Byte();
  if (first == 0x40) return nullptr;
  for (const ValType& type : kSingle) {
    if (first == static_cast<uint8_t>(type)) {
      *results = absl::MakeConstSpan(&type, 1);
      return nullptr;
    }
  }
  Fail();
  return nullptr;
}

void FunctionDecoder::EnterBlock(Kind kind) {
  Control control{
      .kind = kind, .params = {}, .results = {}, .height = 0, .dead = !reachable(), .patches = {}};
  if (const FuncType* type = ReadBlockType(&control.results)) {
    control.params = type->params;
    control.results = type->results;
  }
  if (!ok() || !Check(control_.size() < kMaxNesting)) return;
  if (kind == Kind::kIf) {
    Count();
    Pop(ValType::kI32);
    control.else_jump = Here();
    Emit(Code::kJumpUnless);
    if (reachable()) BeginSegment();
  }
  PopAll(control.params);
  control.height = stack_.size();
  if (kind == Kind::kLoop && reachable()) {
    control.target = Here();
    site_.offset = instruction_;
    Emit(Code::kLoopHead);
    BeginSegment();
  }
  control_.push_back(std::move(control));
  PushAll(control_.back().params);
}

void FunctionDecoder::Else() {
  if (!Check(control_.back().kind == Kind::kIf)) return;
  PopAll(control_.back().results);
  if (!Check(stack_.size() == control_.back().height)) return;
  if (reachable()) {
    control_.back().patches.push_back({.in_table = false, .index = Here()});
    Emit(Code::kJump);
  }
  Control& control = control_.back();
  if (!control.dead) body_.ops[control.else_jump].a = Here();
  control.kind = Kind::kElse;
  control.unreachable = false;
  PushAll(control.params);
  if (!control.dead) BeginSegment();
}

void FunctionDecoder::End() {
  PopAll(control_.back().results);
  if (!ok() || !Check(stack_.size() == control_.back().height)) return;
  const Control control = std::move(control_.back());
  if (control.kind == Kind::kIf) {
    if (!Check(control.params == control.results)) return;
    if (!control.dead) body_.ops[control.else_jump].a = Here();
  }
  for (const Patch& patch : control.patches) {
    (patch.in_table ? body_.branches[patch.index].target : body_.ops[patch.index].a) = Here();
  }
  control_.pop_back();
  if (control.kind == Kind::kFunction) {
    site_.offset = instruction_;
    EmitAlways({.code = Code::kReturn, .b = static_cast<uint16_t>(control.results.size())});
    return;
  }
  PushAll(control.results);
  if (control.dead) return;
  const bool is_if = control.kind == Kind::kIf || control.kind == Kind::kElse;
  if (is_if || !control.patches.empty()) BeginSegment();
}

void FunctionDecoder::BranchTo(Code jump, Code branch, uint32_t depth) {
  if (!Check(depth < control_.size())) return;
  Control& control = control_[control_.size() - 1 - depth];
  const absl::Span<const ValType> types =
      control.kind == Kind::kLoop ? control.params : control.results;
  PopAll(types);
  if (!ok() || !reachable()) {
    PushAll(types);
    return;
  }
  if (control.kind != Kind::kLoop) control.patches.push_back({.in_table = false, .index = Here()});
  if (stack_.size() == control.height) {
    Emit(jump, control.target);
  } else {
    Emit(branch, control.target, static_cast<uint16_t>(types.size()), SlotOf(control.height));
  }
  PushAll(types);
}

void FunctionDecoder::BranchTable() {
  Pop(ValType::kI32);
  const uint32_t count = reader_.U32();
  // Each takes a byte at least.
  if (!Check(count < reader_.remaining())) return;
  const auto first = static_cast<uint32_t>(body_.branches.size());
  size_t arity = 0;
  for (uint32_t i = 0; i <= count; ++i) {
    const uint32_t depth = reader_.U32();
    if (!ok() || !Check(depth < control_.size())) return;
    Control& control = control_[control_.size() - 1 - depth];
    const absl::Span<const ValType> types =
        control.kind == Kind::kLoop ? control.params : control.results;
    if (i == 0) arity = types.size();
    if (!Check(arity == types.size())) return;
    // What is popped may be of unknown type and stays so.
    for (size_t k = types.size(); k-- > 0;) {
      const size_t from_top = types.size() - 1 - k;
      if (stack_.size() - control_.back().height > from_top) {
        const ValType type = stack_[stack_.size() - 1 - from_top];
        if (!Check(type == kUnknown || type == types[k])) return;
      } else if (!Check(control_.back().unreachable)) {
        return;
      }
    }
    if (reachable()) {
      if (control.kind != Kind::kLoop) {
        control.patches.push_back(
            {.in_table = true, .index = static_cast<uint32_t>(body_.branches.size())});
      }
      body_.branches.push_back({.target = control.target,
                                .kept = static_cast<uint16_t>(types.size()),
                                .slot = SlotOf(control.height)});
    }
  }
  Emit(Code::kBranchTable, count + 1, 0, first);
  SetUnreachable();
}

void FunctionDecoder::Call(bool tail) {
  const uint32_t function = ReadIndex(module_.num_functions);
  if (!ok()) return;
  const uint32_t type_index = module_.functions()[function];
  if (!Check(type_index < module_.types.size())) return;
  const FuncType& type = module_.types[type_index];
  if (!Check(type.params.size() <= abi::kMaxWasmArgs && type.results.size() <= abi::kMaxWasmArgs)) {
    return;
  }
  PopAll(type.params);
  NoteHeight(stack_.size() + type.results.size());
  if (function >= module_.num_imported_functions) {
    Emit(tail ? Code::kReturnCall : Code::kCall, function - module_.num_imported_functions);
  } else {
    const uint32_t record = module_.RecordOf(function);
    if (!Check(record < module_.layout.num_records)) return;
    Emit(tail ? Code::kReturnCallRecord : Code::kCallRecord, type_index, 0,
         module_.layout.Record(record));
  }
  if (tail) {
    Check(type.results == type_.results);
    SetUnreachable();
  } else {
    PushAll(type.results);
    if (reachable()) BeginSegment();
  }
}

void FunctionDecoder::CallIndirect(bool tail) {
  const uint32_t type_index = ReadIndex(module_.types.size());
  const uint32_t table = ReadIndex(module_.tables.size());
  if (!ok() || !Check(module_.tables[table].type.element == ValType::kFuncRef)) return;
  const FuncType& type = module_.types[type_index];
  if (!Check(type.params.size() <= abi::kMaxWasmArgs && type.results.size() <= abi::kMaxWasmArgs)) {
    return;
  }
  Pop(IndexType(table));
  PopAll(type.params);
  NoteHeight(stack_.size() + type.results.size());
  Emit(tail ? Code::kReturnCallIndirect : Code::kCallIndirect, type_index,
       module_.tables[table].type.is_64, table);
  if (tail) {
    Check(type.results == type_.results);
    SetUnreachable();
  } else {
    PushAll(type.results);
    if (reachable()) BeginSegment();
  }
}

void FunctionDecoder::Return() {
  PopAll(type_.results);
  Emit(Code::kReturn, 0, static_cast<uint16_t>(type_.results.size()));
  SetUnreachable();
}

}  // namespace precast::runtime::wasm::interpreter
