// Decoding of a function body: the loop over its instructions, operand types, fuel segments.

#include "runtime/wasm/interpreter/function_decoder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/log/check.h"

namespace precast::runtime::wasm::interpreter {
namespace {

// Above what the compiler's front end lets through, so that only damaged bodies meet them.
constexpr uint64_t kMaxLocals = 50000 + abi::kMaxWasmArgs;
constexpr size_t kMaxHeight = size_t{1} << 22;

}  // namespace

std::unique_ptr<const Body> DecodeBody(const ModuleData& module, uint32_t function) {
  auto body = std::make_unique<Body>();
  body->function = function;
  if (module.functions()[function] >= module.types.size()) {
    body->malformed = true;
    return body;
  }
  FunctionDecoder decoder(module, function, *body);
  body->malformed = !decoder.Decode();
  return body;
}

FunctionDecoder::FunctionDecoder(const ModuleData& module, uint32_t function, Body& body)
    : module_(module),
      body_(body),
      type_(module.types[module.functions()[function]]),
      reader_(module.bytes, module.bodies()[function - module.num_imported_functions].begin,
              module.bodies()[function - module.num_imported_functions].end) {
  body_.offset = module.bodies()[function - module.num_imported_functions].begin;
  instruction_ = body_.offset;
}

bool FunctionDecoder::Decode() {
  Check(type_.params.size() <= abi::kMaxWasmArgs && type_.results.size() <= abi::kMaxWasmArgs);
  Locals();
  control_.push_back({.kind = Kind::kFunction,
                      .params = {},
                      .results = type_.results,
                      .height = 0,
                      .patches = {}});
  while (ok() && !control_.empty()) {
    instruction_ = reader_.offset();
    uint32_t opcode = reader_.Byte();
    if (ControlInstruction(static_cast<uint8_t>(opcode))) continue;
    if (opcode >= 0xfc && opcode <= 0xfe) {
      const uint32_t number = reader_.U32();
      if (!Check(number <= 0xffff)) break;
      opcode = opcode << 16 | number;
    }
    Count();
    PlainInstruction(opcode);
  }
  if (ok()) Check(reader_.at_end());
  if (!ok()) {
    body_.offset = instruction_;
    return false;
  }
  for (Op& op : body_.ops) {
    if (op.code == Code::kCharge) op.imm = body_.segment_costs[op.a];
  }
  // The results come where the frame began.
  body_.frame_slots =
      std::max<uint32_t>(SlotOf(max_height_), static_cast<uint32_t>(type_.results.size()));
  return true;
}

void FunctionDecoder::Locals() {
  locals_ = type_.params;
  const uint32_t groups = reader_.U32();
  for (uint32_t i = 0; ok() && i < groups; ++i) {
    const uint32_t count = reader_.U32();
    const ValType type = ReadValType();
    if (!Check(locals_.size() + uint64_t{count} <= kMaxLocals)) return;
    locals_.insert(locals_.end(), count, type);
  }
  body_.num_params = static_cast<uint32_t>(type_.params.size());
  body_.num_locals = static_cast<uint32_t>(locals_.size());
}

void FunctionDecoder::NoteHeight(size_t height) {
  max_height_ = std::max(max_height_, height);
  Check(height <= kMaxHeight);
}

void FunctionDecoder::Push(ValType type) {
  stack_.push_back(type);
  NoteHeight(stack_.size());
}

ValType FunctionDecoder::Pop(ValType expected) {
  const Control& control = control_.back();
  if (stack_.size() == control.height) {
    Check(control.unreachable);
    return expected;
  }
  const ValType type = stack_.back();
  stack_.pop_back();
  if (type == kUnknown) return expected;
  Check(expected == kUnknown || type == expected);
  return type;
}

void FunctionDecoder::PushAll(absl::Span<const ValType> types) {
  stack_.insert(stack_.end(), types.begin(), types.end());
  NoteHeight(stack_.size());
}

void FunctionDecoder::PopAll(absl::Span<const ValType> types) {
  for (size_t i = types.size(); i-- > 0;) Pop(types[i]);
}

ValType FunctionDecoder::TypeOf(char letter) {
  switch (letter) {
    case 'i':
      return ValType::kI32;
    case 'l':
      return ValType::kI64;
    case 'f':
      return ValType::kF32;
    case 'd':
      return ValType::kF64;
    case 'v':
      return ValType::kV128;
  }
  CHECK(false) << letter;
}

void FunctionDecoder::PopLetters(std::string_view letters) {
  for (size_t i = letters.size(); i-- > 0;) Pop(TypeOf(letters[i]));
}

void FunctionDecoder::SetUnreachable() {
  stack_.resize(control_.back().height);
  control_.back().unreachable = true;
  BeginSegment();
}

ValType FunctionDecoder::ReadValType() {
  const ValType type{reader_.Byte()};
  switch (type) {
    case ValType::kI32:
    case ValType::kI64:
    case ValType::kF32:
    case ValType::kF64:
    case ValType::kV128:
    case ValType::kFuncRef:
    case ValType::kExternRef:
      return type;
  }
  Fail();
  return ValType::kI32;
}

uint32_t FunctionDecoder::ReadIndex(size_t size) {
  const uint32_t index = reader_.U32();
  return Check(index < size) ? index : 0;
}

FunctionDecoder::MemoryArgument FunctionDecoder::ReadMemoryArgument(uint32_t bytes) {
  constexpr uint32_t kHasMemory = 64;
  MemoryArgument argument;
  const uint32_t flags = reader_.U32();
  if ((flags & kHasMemory) != 0) argument.memory = reader_.U32();
  const uint32_t align = flags & ~kHasMemory;
  if (!Check(argument.memory < module_.memories.size() && align < 5 &&
             uint32_t{1} << align <= bytes)) {
    return {};
  }
  argument.offset = reader_.Unsigned(module_.memories[argument.memory].is_64 ? 64 : 32);
  return argument;
}

ValType FunctionDecoder::AddressType(uint32_t memory) const {
  return memory < module_.memories.size() && module_.memories[memory].is_64 ? ValType::kI64
                                                                            : ValType::kI32;
}

ValType FunctionDecoder::IndexType(uint32_t table) const {
  return table < module_.tables.size() && module_.tables[table].type.is_64 ? ValType::kI64
                                                                           : ValType::kI32;
}

void FunctionDecoder::Count() {
  if (!reachable()) return;
  if (segment_pending_) {
    segment_pending_ = false;
    site_.segment = static_cast<uint32_t>(body_.segment_costs.size());
    body_.segment_costs.push_back(0);
    site_ = {.offset = instruction_, .segment = site_.segment, .rank = 0};
    Emit(Code::kCharge, site_.segment);
  }
  uint32_t& cost = body_.segment_costs[site_.segment];
  site_.offset = instruction_;
  site_.rank = cost++;
}

void FunctionDecoder::Emit(Code code, uint32_t a, uint16_t b, uint64_t imm) {
  if (reachable()) EmitAlways({.code = code, .b = b, .a = a, .imm = imm});
}

void FunctionDecoder::EmitAlways(const Op& op) {
  body_.ops.push_back(op);
  body_.sites.push_back(site_);
}

uint32_t FunctionDecoder::AddVector(const uint8_t* bytes) {
  std::copy_n(bytes, 16, body_.vectors.emplace_back().begin());
  return static_cast<uint32_t>(body_.vectors.size() - 1);
}

}  // namespace precast::runtime::wasm::interpreter
