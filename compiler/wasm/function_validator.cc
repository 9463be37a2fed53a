#include "compiler/wasm/function_validator.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/wasm/byte_reader.h"
#include "compiler/wasm/limits.h"

namespace precast::wasm {
namespace {

constexpr uint8_t kAddress = 1;  // stands for i32 or i64 in a Signature

// Types of operands and results as codes, for instructions with a fixed type.
struct Signature {
  bool fixed = false;
  uint8_t num_params = 0, num_results = 0;
  std::array<uint8_t, 4> params = {};
  std::array<uint8_t, 2> results = {};
  uint8_t lanes = 0;  // of the shape that the instruction's name begins with
  Immediate immediate = Immediate::kNone;
};

constexpr uint8_t CodeOf(char letter) {
  switch (letter) {
    case 'i':
      return kI32.code;
    case 'l':
      return kI64.code;
    case 'f':
      return kF32.code;
    case 'd':
      return kF64.code;
    case 'v':
      return kV128.code;
    default:
      return kAddress;
  }
}

constexpr Signature MakeSignature(std::string_view text, Immediate immediate,
                                  std::string_view params, std::string_view results) {
  Signature signature;
  signature.immediate = immediate;
  if (text.size() > 5 && text[3] == 'x') signature.lanes = static_cast<uint8_t>(text[4] - '0');
  if (text.substr(0, 5) == "i8x16") signature.lanes = 16;
  if (params == "*") return signature;
  signature.fixed = true;
  for (const char letter : params) signature.params[signature.num_params++] = CodeOf(letter);
  for (const char letter : results) signature.results[signature.num_results++] = CodeOf(letter);
  return signature;
}

constexpr std::array<Signature, kNumOps> kSignatures = {
#define PRECAST_WASM_OP(Name, text, prefix, code, immediate, params, results, ...) \
  MakeSignature(text, Immediate::k##immediate, params, results),
#include "compiler/wasm/opcodes.def"
#undef PRECAST_WASM_OP
};

// The same of instructions of at most two operands and one result, which address no memory or the
// first one, of 32 bits, to be compared at once.
struct QuickSignature {
  bool exists = false;
  uint8_t num_params = 0;
  uint8_t result = 0;  // 0: there is none
  bool is_access = false;
  uint8_t natural_align = 0;
  uint16_t params = 0, mask = 0;  // as they lie on the stack
};

constexpr QuickSignature MakeQuickSignature(Immediate immediate, std::string_view params,
                                            std::string_view results, uint8_t natural_align,
                                            Feature feature) {
  QuickSignature quick;
  switch (immediate) {
    case Immediate::kNone:
    case Immediate::kI32:
    case Immediate::kI64:
    case Immediate::kF32:
    case Immediate::kF64:
      break;
    case Immediate::kMemArg:
      quick.is_access = true;
      break;
    default:
      return quick;
  }
  if (params == "*" || params.size() > 2 || results.size() > 1) return quick;
  // The alignment of atomic accesses has a rule of its own.
  if (feature == Feature::kThreads) return quick;
  quick.exists = true;
  quick.natural_align = natural_align;
  quick.num_params = static_cast<uint8_t>(params.size());
  const auto code = [](char letter) { return letter == 'a' ? kI32.code : CodeOf(letter); };
  for (size_t i = 0; i < params.size(); ++i) {
    // The last is on top.
    const size_t shift = 8 * (2 - params.size() + i);
    quick.params = static_cast<uint16_t>(quick.params | code(params[i]) << shift);
    quick.mask = static_cast<uint16_t>(quick.mask | 0xff << shift);
  }
  if (!results.empty()) quick.result = code(results[0]);
  return quick;
}

constexpr std::array<QuickSignature, kNumOps> kQuickSignatures = {
#define PRECAST_WASM_OP(Name, text, prefix, code, immediate, params, results, align, feature) \
  MakeQuickSignature(Immediate::k##immediate, params, results, align, Feature::k##feature),
#include "compiler/wasm/opcodes.def"
#undef PRECAST_WASM_OP
};

}  // namespace

void FunctionValidator::Types::Grow() {
  constexpr size_t kFirst = 256;
  const size_t size = bytes_.empty() ? 0 : this->size();
  bytes_.resize(kBelow + std::max(kFirst, 2 * size));
  top_ = bottom() + size;
  end_ = bytes_.data() + bytes_.size();
}

absl::Status FunctionValidator::Validate(uint32_t function) {
  const FuncType& type = module_.TypeOf(function);
  const ByteRange body = module_.functions[function].body;
  InstructionReader reader(module_.bytes, body, features_);
  if (absl::Status status = reader.ReadLocals(runs_); !status.ok()) return status;

  num_locals_ = static_cast<uint32_t>(type.params.size());
  for (const LocalRun& run : runs_) num_locals_ += run.count;
  if (num_locals_ > kMaxLocals) {
    return LimitAt(body.begin, "too many locals and parameters", num_locals_, kMaxLocals);
  }
  locals_.clear();
  for (const ValType& param : type.params) locals_.push_back(param.code);
  run_ends_.clear();
  uint32_t end = static_cast<uint32_t>(type.params.size());
  const uint32_t expanded = std::max(end + 64, end + (body.end - body.begin));
  for (const LocalRun& run : runs_) {
    end += run.count;
    run_ends_.push_back(end);
    if (locals_.size() < expanded) locals_.resize(std::min(end, expanded), run.type.code);
  }

  status_ = absl::OkStatus();
  stack_.Clear();
  frames_.clear();
  num_br_tables_ = 0;
  uint32_t num_instructions = 0;
  frames_.push_back({{}, type.results, 0, 0, Op::kBlock, false});
  EnterFrame();
  for (bool done = false; !done;) {
    if (reader.AtEnd()) {
      return FaultAt(reader.offset(), absl::StrCat("unexpected end: END opcode expected, ",
                                                   frames_.size(), " blocks are open"));
    }
    if (!reader.Read(instruction_)) [[unlikely]] {
      return reader.status();
    }
    ++num_instructions;
    if (!CheckQuickly() && !CheckInstruction(done)) [[unlikely]] {
      return status_;
    }
  }
  if (!reader.AtEnd()) {
    return FaultAt(reader.offset(),
                   absl::StrCat("section size mismatch: ", body.end - reader.offset(),
                                " bytes after the function's end"));
  }
  num_instructions_ = num_instructions;
  return absl::OkStatus();
}

// --- Faults
// -----------------------------------------------------------------------------------------

bool FunctionValidator::Fail(std::string_view message) {
  status_ =
      FaultAt(instruction_.offset, absl::StrCat(message, " (", Info(instruction_.op).text, ")"));
  return false;
}

bool FunctionValidator::Unknown(std::string_view what, uint32_t index, size_t count) {
  return Fail(absl::StrFormat("unknown %s %u: there are %u", what, index, count));
}

bool FunctionValidator::Mismatch(ValType expected, std::optional<ValType> actual) {
  return Fail(absl::StrFormat("type mismatch: expected %s, actual %s", Name(expected),
                              actual.has_value() ? Name(*actual) : "an empty stack"));
}

// --- Operands
// ---------------------------------------------------------------------------------------

bool FunctionValidator::PopAny(ValType& actual) {
  if (stack_.size() > height_) {
    actual = ValType{stack_.top()[-1]};
    stack_.Drop(1);
    return true;
  }
  actual = kUnknown;
  return unreachable_ || Fail("type mismatch: expected a value, actual an empty stack");
}

bool FunctionValidator::CheckTop(absl::Span<const ValType> expected) {
  const size_t present = stack_.size() - height_;
  const size_t compared = std::min(present, expected.size());
  const uint8_t* actual = stack_.top() - compared;
  const ValType* wanted = expected.data() + expected.size() - compared;
  for (size_t i = compared; i-- > 0;) {
    if (actual[i] != wanted[i].code && actual[i] != kUnknown.code) {
      return Mismatch(wanted[i], ValType{actual[i]});
    }
  }
  if (compared == expected.size() || unreachable_) return true;
  return Mismatch(expected[expected.size() - compared - 1], std::nullopt);
}

void FunctionValidator::EnterFrame() {
  height_ = frames_.back().height;
  unreachable_ = frames_.back().unreachable;
}

void FunctionValidator::SetUnreachable() {
  stack_.Drop(stack_.size() - height_);
  frames_.back().unreachable = unreachable_ = true;
}

// --- Indices
// ----------------------------------------------------------------------------------------

bool FunctionValidator::FindLabel(uint32_t depth, Frame*& out) {
  if (depth >= frames_.size()) return Unknown("label", depth, frames_.size());
  out = &frames_[frames_.size() - 1 - depth];
  return true;
}

bool FunctionValidator::FindTable(uint32_t index, const Table*& out) {
  if (index >= module_.tables.size()) return Unknown("table", index, module_.tables.size());
  out = &module_.tables[index];
  return true;
}

bool FunctionValidator::FindMemory(uint32_t index, const MemoryType*& out) {
  if (index >= module_.memories.size()) return Unknown("memory", index, module_.memories.size());
  out = &module_.memories[index];
  return true;
}

bool FunctionValidator::FindLocal(uint32_t index, ValType& out) {
  if (index < locals_.size()) [[likely]] {
    out = ValType{locals_[index]};
    return true;
  }
  if (index >= num_locals_) return Unknown("local", index, num_locals_);
  const auto run = std::upper_bound(run_ends_.begin(), run_ends_.end(), index);
  out = runs_[static_cast<size_t>(run - run_ends_.begin())].type;
  return true;
}

bool FunctionValidator::FindElements(uint32_t index, const ElementSegment*& out) {
  if (index >= module_.elements.size()) {
    return Unknown("elem segment", index, module_.elements.size());
  }
  out = &module_.elements[index];
  return true;
}

bool FunctionValidator::FindData(uint32_t index) {
  if (!module_.data_count.has_value()) return Fail("data count section required");
  if (index < module_.data.size()) return true;
  return Unknown("data segment", index, module_.data.size());
}

// --- Instructions
// -----------------------------------------------------------------------------------

inline bool FunctionValidator::CheckLocal() {
  constexpr auto kGet = static_cast<uint32_t>(Op::kLocalGet);
  static_assert(static_cast<uint32_t>(Op::kLocalSet) == kGet + 1);
  static_assert(static_cast<uint32_t>(Op::kLocalTee) == kGet + 2);
  const uint32_t which = static_cast<uint32_t>(instruction_.op) - kGet;
  if (which > 2 || instruction_.index >= locals_.size()) return false;
  const uint8_t type = locals_[instruction_.index];
  // As numbers: one branch, which is foreseen.
  const int is_there = int{stack_.size() > height_} & int{stack_.top()[-1] == type};
  if ((int{which == 0} | is_there) == 0) return false;
  stack_.Change(type, /*push=*/which == 0, /*drop=*/which == 1);
  return true;
}

inline bool FunctionValidator::CheckQuickly() {
  const QuickSignature& quick = kQuickSignatures[static_cast<size_t>(instruction_.op)];
  if (!quick.exists) return CheckLocal();
  if (stack_.size() < height_ + size_t{quick.num_params}) return false;
  uint16_t operands;
  std::memcpy(&operands, stack_.top() - sizeof operands, sizeof operands);
  if ((operands & quick.mask) != quick.params) return false;
  if (quick.is_access &&
      !(has_plain_memory_ && instruction_.memory == 0 &&
        instruction_.align <= quick.natural_align && instruction_.address_offset <= 0xffffffffu)) {
    return false;
  }
  stack_.Drop(quick.num_params);
  if (quick.result != 0) stack_.Push(quick.result);
  return true;
}

bool FunctionValidator::CheckInstruction(bool& done) {
  if (kSignatures[static_cast<size_t>(instruction_.op)].fixed) [[likely]] {
    return CheckFixed();
  }
  switch (instruction_.op) {
    case Op::kLocalGet: {
      ValType type;
      if (!FindLocal(instruction_.index, type)) return false;
      Push(type);
      return true;
    }
    case Op::kLocalSet: {
      ValType type;
      return FindLocal(instruction_.index, type) && Pop(type);
    }
    case Op::kLocalTee: {
      ValType type;
      if (!FindLocal(instruction_.index, type) || !Pop(type)) return false;
      Push(type);
      return true;
    }
    case Op::kUnreachable:
    case Op::kBlock:
    case Op::kLoop:
    case Op::kIf:
    case Op::kElse:
    case Op::kEnd:
    case Op::kBr:
    case Op::kBrIf:
    case Op::kBrTable:
    case Op::kReturn:
    case Op::kCall:
    case Op::kReturnCall:
    case Op::kCallIndirect:
    case Op::kReturnCallIndirect:
      return CheckControl(done);
    case Op::kTableGet:
    case Op::kTableSet:
    case Op::kTableInit:
    case Op::kTableCopy:
    case Op::kTableGrow:
    case Op::kTableSize:
    case Op::kTableFill:
      return CheckTableInstruction();
    default:
      return CheckOther();
  }
}

// Instructions whose type the table knows; what remains is their immediates.
bool FunctionValidator::CheckFixed() {
  const Signature& signature = kSignatures[static_cast<size_t>(instruction_.op)];
  ValType address = kI32;
  switch (signature.immediate) {
    case Immediate::kMemArgLane: {
      const int lanes = 16 >> Info(instruction_.op).natural_align;
      if (instruction_.lane >= lanes) {
        return Fail(
            absl::StrFormat("invalid lane index %u: there are %u", instruction_.lane, lanes));
      }
      [[fallthrough]];
    }
    case Immediate::kMemArg:
      if (!CheckMemArg()) return false;
      address = AddressType(module_.memories[instruction_.memory].is_64);
      break;
    case Immediate::kLane:
      if (instruction_.lane >= signature.lanes) {
        return Fail(absl::StrFormat("invalid lane index %u: there are %u", instruction_.lane,
                                    signature.lanes));
      }
      break;
    case Immediate::kV128:
      if (instruction_.op == Op::kI8x16Shuffle) {
        for (const uint8_t lane : instruction_.v128) {
          if (lane >= 32) return Fail(absl::StrFormat("invalid lane index %u: there are 32", lane));
        }
      }
      break;
    case Immediate::kTwoIndices:
    case Immediate::kMemory: {
      const MemoryType* memory = nullptr;
      if (!FindMemory(AddressedMemory(instruction_), memory)) return false;
      address = AddressType(memory->is_64);
      if (instruction_.op == Op::kMemoryInit && !FindData(instruction_.index)) return false;
      break;
    }
    case Immediate::kIndex: {
      const ElementSegment* segment = nullptr;
      if (instruction_.op == Op::kDataDrop && !FindData(instruction_.index)) return false;
      if (instruction_.op == Op::kElemDrop && !FindElements(instruction_.index, segment))
        return false;
      break;
    }
    default:
      break;
  }
  for (int i = signature.num_params; i-- > 0;) {
    const uint8_t code = signature.params[i];
    if (!Pop(code == kAddress ? address : ValType{code})) return false;
  }
  for (int i = 0; i < signature.num_results; ++i) {
    const uint8_t code = signature.results[i];
    Push(code == kAddress ? address : ValType{code});
  }
  return true;
}

bool FunctionValidator::CheckMemArg() {
  const MemoryType* memory = nullptr;
  if (!FindMemory(instruction_.memory, memory)) return false;
  const OpInfo& info = Info(instruction_.op);
  if (info.feature == Feature::kThreads ? instruction_.align != info.natural_align
                                        : instruction_.align > info.natural_align) {
    return Fail(absl::StrFormat("alignment must %s natural: expected 2^%u, actual 2^%u",
                                info.feature == Feature::kThreads ? "be" : "not be larger than",
                                info.natural_align, instruction_.align));
  }
  if (!memory->is_64 && instruction_.address_offset > 0xffffffffu) {
    return Fail(absl::StrFormat("offset out of range: 0x%x in a 32-bit memory",
                                instruction_.address_offset));
  }
  return true;
}

bool FunctionValidator::CheckSelect() {
  if (instruction_.op == Op::kSelectT) {
    if (instruction_.types.size() != 1) {
      return Fail(
          absl::StrCat("invalid result arity: expected 1, actual ", instruction_.types.size()));
    }
    const ValType type = instruction_.types[0];
    if (!Pop(kI32) || !Pop(type) || !Pop(type)) return false;
    Push(type);
    return true;
  }
  ValType second, first;
  if (!Pop(kI32) || !PopAny(second) || !PopAny(first)) return false;
  if (first.IsReference() || second.IsReference()) {
    return Fail(
        absl::StrFormat("type mismatch: select without type, expected numbers or vectors, "
                        "actual %s and %s",
                        Name(first), Name(second)));
  }
  if (first.code != second.code && first.code != kUnknown.code && second.code != kUnknown.code) {
    return Mismatch(first, second);
  }
  Push(first.code == kUnknown.code ? second : first);
  return true;
}

bool FunctionValidator::CheckOther() {
  switch (instruction_.op) {
    case Op::kDrop: {
      ValType type;
      return PopAny(type);
    }
    case Op::kSelect:
    case Op::kSelectT:
      return CheckSelect();
    case Op::kGlobalGet:
    case Op::kGlobalSet: {
      if (instruction_.index >= module_.globals.size()) {
        return Unknown("global", instruction_.index, module_.globals.size());
      }
      const GlobalType& type = module_.globals[instruction_.index].type;
      if (instruction_.op == Op::kGlobalGet) {
        Push(type.type);
        return true;
      }
      if (!type.is_mutable) return Fail(absl::StrCat("global is immutable: ", instruction_.index));
      return Pop(type.type);
    }
    case Op::kRefNull:
      Push(instruction_.type);
      return true;
    case Op::kRefIsNull: {
      ValType type;
      if (!PopAny(type)) return false;
      if (!type.IsReference() && type.code != kUnknown.code) {
        return Fail(absl::StrCat("type mismatch: expected a reference, actual ", Name(type)));
      }
      Push(kI32);
      return true;
    }
    case Op::kRefFunc:
      if (instruction_.index >= module_.functions.size()) {
        return Unknown("function", instruction_.index, module_.functions.size());
      }
      if (!module_.declared[instruction_.index]) {
        return Fail(absl::StrCat("undeclared function reference ", instruction_.index));
      }
      Push(kFuncRef);
      return true;
    case Op::kMemoryCopy: {
      const MemoryType *to = nullptr, *from = nullptr;
      if (!FindMemory(instruction_.index, to) || !FindMemory(instruction_.index2, from))
        return false;
      return Pop(AddressType(to->is_64 && from->is_64)) && Pop(AddressType(from->is_64)) &&
             Pop(AddressType(to->is_64));
    }
    default:
      return Fail("instruction without a rule");
  }
}

bool FunctionValidator::CheckTableInstruction() {
  const Op op = instruction_.op;
  const bool has_segment = op == Op::kTableInit;
  const Table* table = nullptr;
  if (!FindTable(has_segment ? instruction_.index2 : instruction_.index, table)) return false;
  const ValType element = table->type.element;
  const ValType address = AddressType(table->type.is_64);
  switch (op) {
    case Op::kTableGet:
      if (!Pop(address)) return false;
      Push(element);
      return true;
    case Op::kTableSet:
      return Pop(element) && Pop(address);
    case Op::kTableSize:
      Push(address);
      return true;
    case Op::kTableGrow:
      if (!Pop(address) || !Pop(element)) return false;
      Push(address);
      return true;
    case Op::kTableFill:
      return Pop(address) && Pop(element) && Pop(address);
    case Op::kTableCopy: {
      const Table* from = nullptr;
      if (!FindTable(instruction_.index2, from)) return false;
      if (from->type.element != element) return Mismatch(element, from->type.element);
      return Pop(AddressType(table->type.is_64 && from->type.is_64)) &&
             Pop(AddressType(from->type.is_64)) && Pop(address);
    }
    default: {  // table.init
      const ElementSegment* segment = nullptr;
      if (!FindElements(instruction_.index, segment)) return false;
      if (segment->type != element) return Mismatch(element, segment->type);
      return Pop(kI32) && Pop(kI32) && Pop(address);
    }
  }
}

}  // namespace precast::wasm
