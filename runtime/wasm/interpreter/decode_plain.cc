// Decoding of a function body: the instructions that go on with the next one.

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "runtime/wasm/interpreter/function_decoder.h"
#include "runtime/wasm/interpreter/simd.h"
#include "runtime/wasm/interpreter/vector_access.h"

namespace precast::runtime::wasm::interpreter {
namespace {

template <typename T>
constexpr ValType TypeFor() {
  if constexpr (std::is_same_v<T, float>) return ValType::kF32;
  if constexpr (std::is_same_v<T, double>) return ValType::kF64;
  return sizeof(T) == 8 ? ValType::kI64 : ValType::kI32;
}

bool IsReference(ValType type) { return type == ValType::kFuncRef || type == ValType::kExternRef; }

}  // namespace

void FunctionDecoder::PlainInstruction(uint32_t opcode) {
  switch (opcode) {
    case 0x00:
      Emit(Code::kUnreachable);
      SetUnreachable();
      return;
    case 0x0c:
      BranchTo(Code::kJump, Code::kBranch, reader_.U32());
      if (ok()) SetUnreachable();
      return;
    case 0x0d:
      Pop(ValType::kI32);
      BranchTo(Code::kJumpIf, Code::kBranchIf, reader_.U32());
      if (reachable()) BeginSegment();
      return;
    case 0x0e:
      BranchTable();
      return;
    case 0x0f:
      Return();
      return;
    case 0x10:
      Call(/*tail=*/false);
      return;
    case 0x11:
      CallIndirect(/*tail=*/false);
      return;
    case 0x12:
      Call(/*tail=*/true);
      return;
    case 0x13:
      CallIndirect(/*tail=*/true);
      return;
    case 0x1a:
      Pop(kUnknown);
      Emit(Code::kDrop);
      return;
    case 0x1b:
      Select(/*typed=*/false);
      return;
    case 0x1c:
      Select(/*typed=*/true);
      return;
    case 0x20:
    case 0x21:
    case 0x22:
      LocalInstruction(static_cast<uint8_t>(opcode));
      return;
    case 0x23:
      GlobalInstruction(/*set=*/false);
      return;
    case 0x24:
      GlobalInstruction(/*set=*/true);
      return;
    case 0x25: {
      const uint32_t table = ReadIndex(module_.tables.size());
      if (!ok()) return;
      Pop(IndexType(table));
      Emit(Code::kTableGet, table);
      Push(module_.tables[table].type.element);
      return;
    }
    case 0x26: {
      const uint32_t table = ReadIndex(module_.tables.size());
      if (!ok()) return;
      Pop(module_.tables[table].type.element);
      Pop(IndexType(table));
      Emit(Code::kTableSet, table);
      return;
    }
    case 0x3f: {
      const uint32_t memory = ReadIndex(module_.memories.size());
      Emit(Code::kMemorySize, memory);
      Push(AddressType(memory));
      return;
    }
    case 0x40: {
      const uint32_t memory = ReadIndex(module_.memories.size());
      const bool wide = AddressType(memory) == ValType::kI64;
      Helper({.helper = abi::WasmHelper::kMemoryGrow,
              .num_immediates = 1,
              .immediates = {memory, 0},
              .result_bytes = uint8_t{wide ? uint8_t{8} : uint8_t{4}}},
             wide ? "l" : "i");
      Push(AddressType(memory));
      return;
    }
    case 0x41:
      Emit(Code::kConst, 0, 0, static_cast<uint32_t>(reader_.Signed(32)));
      Push(ValType::kI32);
      return;
    case 0x42:
      Emit(Code::kConst, 0, 0, static_cast<uint64_t>(reader_.Signed(64)));
      Push(ValType::kI64);
      return;
    case 0x43:
    case 0x44: {
      uint64_t bits = 0;
      for (uint32_t i = 0; i < (opcode == 0x43 ? 4 : 8); ++i)
        bits |= uint64_t{reader_.Byte()} << (8 * i);
      Emit(Code::kConst, 0, 0, bits);
      Push(opcode == 0x43 ? ValType::kF32 : ValType::kF64);
      return;
    }
    case 0xd0: {
      const ValType type = ReadValType();
      if (!Check(IsReference(type))) return;
      Emit(Code::kConst);
      Push(type);
      return;
    }
    case 0xd1: {
      const ValType type = Pop(kUnknown);
      Check(type == kUnknown || IsReference(type));
      Emit(Code::kRefIsNull);
      Push(ValType::kI32);
      return;
    }
    case 0xd2: {
      const uint32_t function = ReadIndex(module_.num_functions);
      if (!ok()) return;
      const uint32_t record = module_.RecordOf(function);
      if (!Check(record < module_.layout.num_records)) return;
      Emit(Code::kRefFunc, 0, 0, module_.layout.Record(record));
      Push(ValType::kFuncRef);
      return;
    }
  }
  if (NumberInstruction(opcode) || MemoryInstruction(opcode) || BulkInstruction(opcode) ||
      AtomicHelperInstruction(opcode)) {
    return;
  }
  if (opcode >> 16 == 0xfd) {
    VectorInstruction(opcode & 0xffff);
    return;
  }
  Fail();
}

void FunctionDecoder::Select(bool typed) {
  ValType type = kUnknown;
  if (typed) {
    if (!Check(reader_.U32() == 1)) return;
    type = ReadValType();
  }
  Pop(ValType::kI32);
  if (typed) {
    Pop(type);
    Pop(type);
  } else {
    type = Pop(kUnknown);
    type = Pop(type);
    Check(!IsReference(type));
  }
  Emit(type == ValType::kV128 ? Code::kSelectV128 : Code::kSelect);
  Push(type);
}

void FunctionDecoder::LocalInstruction(uint8_t opcode) {
  const uint32_t local = ReadIndex(locals_.size());
  if (!ok()) return;
  const ValType type = locals_[local];
  const bool vector = type == ValType::kV128;
  switch (opcode) {
    case 0x20:
      Emit(vector ? Code::kLocalGetV128 : Code::kLocalGet, local);
      break;
    case 0x21:
      Pop(type);
      Emit(vector ? Code::kLocalSetV128 : Code::kLocalSet, local);
      return;
    default:
      Pop(type);
      Emit(vector ? Code::kLocalTeeV128 : Code::kLocalTee, local);
  }
  Push(type);
}

void FunctionDecoder::GlobalInstruction(bool set) {
  const uint32_t global = ReadIndex(module_.globals.size());
  if (!ok() || !Check(global < module_.layout.num_globals)) return;
  const GlobalType& type = module_.globals[global].type;
  const bool vector = type.type == ValType::kV128;
  const bool imported = global < module_.num_imported_globals;
  const uint64_t cell = module_.layout.Global(global);
  if (set) {
    Check(type.is_mutable);
    Pop(type.type);
    Emit(imported ? vector ? Code::kImportedGlobalSetV128 : Code::kImportedGlobalSet
         : vector ? Code::kGlobalSetV128
                  : Code::kGlobalSet,
         0, 0, cell);
  } else {
    Emit(imported ? vector ? Code::kImportedGlobalGetV128 : Code::kImportedGlobalGet
         : vector ? Code::kGlobalGetV128
                  : Code::kGlobalGet,
         0, 0, cell);
    Push(type.type);
  }
}

bool FunctionDecoder::NumberInstruction(uint32_t opcode) {
  switch (opcode) {
#define PRECAST_NUM1(Name, number, R, A, ...) \
  case number:                                \
    Pop(TypeFor<A>());                        \
    Emit(Code::k##Name);                      \
    Push(TypeFor<R>());                       \
    return true;
#define PRECAST_NUM2(Name, number, R, A, B, ...) \
  case number:                                   \
    Pop(TypeFor<B>());                           \
    Pop(TypeFor<A>());                           \
    Emit(Code::k##Name);                         \
    Push(TypeFor<R>());                          \
    return true;
#include "runtime/wasm/interpreter/numeric.def"
#undef PRECAST_NUM1
#undef PRECAST_NUM2
  }
  Code code;
  switch (opcode) {
    case 0xfc0013:
      code = Code::kI64Add128;
      break;
    case 0xfc0014:
      code = Code::kI64Sub128;
      break;
    case 0xfc0015:
      code = Code::kI64MulWideS;
      break;
    case 0xfc0016:
      code = Code::kI64MulWideU;
      break;
    default:
      return false;
  }
  PopLetters(opcode < 0xfc0015 ? "llll" : "ll");
  Emit(code);
  Push(ValType::kI64);
  Push(ValType::kI64);
  return true;
}

bool FunctionDecoder::MemoryInstruction(uint32_t opcode) {
  const auto load = [this](Code code, ValType result, uint32_t bytes) {
    const MemoryArgument argument = ReadMemoryArgument(bytes);
    Pop(AddressType(argument.memory));
    Emit(code, argument.memory, 0, argument.offset);
    Push(result);
  };
  const auto store = [this](Code code, ValType value, uint32_t bytes) {
    const MemoryArgument argument = ReadMemoryArgument(bytes);
    Pop(value);
    Pop(AddressType(argument.memory));
    Emit(code, argument.memory, 0, argument.offset);
  };
  switch (opcode) {
#define PRECAST_LOAD(Name, number, R, T)          \
  case number:                                    \
    load(Code::k##Name, TypeFor<R>(), sizeof(T)); \
    return true;
#define PRECAST_STORE(Name, number, V, T)          \
  case number:                                     \
    store(Code::k##Name, TypeFor<V>(), sizeof(T)); \
    return true;
#define PRECAST_ATOMIC_LOAD PRECAST_LOAD
#define PRECAST_ATOMIC_STORE PRECAST_STORE
#define PRECAST_ATOMIC_RMW(Name, number, V, T, operation)          \
  case number: {                                                   \
    const MemoryArgument argument = ReadMemoryArgument(sizeof(T)); \
    Pop(TypeFor<V>());                                             \
    Pop(AddressType(argument.memory));                             \
    Emit(Code::k##Name, argument.memory, 0, argument.offset);      \
    Push(TypeFor<V>());                                            \
    return true;                                                   \
  }
#define PRECAST_ATOMIC_CMPXCHG(Name, number, V, T)                 \
  case number: {                                                   \
    const MemoryArgument argument = ReadMemoryArgument(sizeof(T)); \
    Pop(TypeFor<V>());                                             \
    Pop(TypeFor<V>());                                             \
    Pop(AddressType(argument.memory));                             \
    Emit(Code::k##Name, argument.memory, 0, argument.offset);      \
    Push(TypeFor<V>());                                            \
    return true;                                                   \
  }
#include "runtime/wasm/interpreter/memory.def"
#undef PRECAST_LOAD
#undef PRECAST_STORE
#undef PRECAST_ATOMIC_LOAD
#undef PRECAST_ATOMIC_STORE
#undef PRECAST_ATOMIC_RMW
#undef PRECAST_ATOMIC_CMPXCHG
  }
  return false;
}

void FunctionDecoder::Helper(const HelperCall& call, std::string_view operands) {
  PopLetters(operands);
  if (!ok()) return;
  const auto index = static_cast<uint32_t>(body_.helpers.size());
  body_.helpers.push_back(call);
  body_.helpers.back().num_operands = static_cast<uint8_t>(operands.size());
  Emit(Code::kHelper, 0, 0, index);
}

bool FunctionDecoder::BulkInstruction(uint32_t opcode) {
  using abi::WasmHelper;
  const auto memory = [this] { return ReadIndex(module_.memories.size()); };
  const auto table = [this] { return ReadIndex(module_.tables.size()); };
  const auto letter = [](ValType type) { return type == ValType::kI64 ? 'l' : 'i'; };
  const auto two = [this](WasmHelper helper, uint32_t first, uint32_t second,
                          std::string_view operands) {
    Helper({.helper = helper, .num_immediates = 2, .immediates = {first, second}}, operands);
  };
  switch (opcode) {
    case 0xfc0008: {
      const uint32_t segment = ReadIndex(module_.num_data_segments());
      const uint32_t to = memory();
      const char letters[] = {letter(AddressType(to)), 'i', 'i'};
      two(WasmHelper::kMemoryInit, segment, to, {letters, sizeof letters});
      return true;
    }
    case 0xfc0009:
      Helper({.helper = WasmHelper::kDataDrop,
              .num_immediates = 1,
              .immediates = {ReadIndex(module_.num_data_segments()), 0}},
             "");
      return true;
    case 0xfc000a: {
      const uint32_t to = memory();
      const uint32_t from = memory();
      const char to_letter = letter(AddressType(to)), from_letter = letter(AddressType(from));
      const char letters[] = {to_letter, from_letter, to_letter == 'l' ? from_letter : 'i'};
      two(WasmHelper::kMemoryCopy, to, from, {letters, sizeof letters});
      return true;
    }
    case 0xfc000b: {
      const uint32_t to = memory();
      const char address = letter(AddressType(to));
      const char letters[] = {address, 'i', address};
      Helper({.helper = WasmHelper::kMemoryFill, .num_immediates = 1, .immediates = {to, 0}},
             {letters, sizeof letters});
      return true;
    }
    case 0xfc000c: {
      const uint32_t segment = ReadIndex(module_.elements.size());
      const uint32_t to = table();
      if (!ok() || !Check(module_.elements[segment].type == module_.tables[to].type.element)) {
        return true;
      }
      const char letters[] = {letter(IndexType(to)), 'i', 'i'};
      two(WasmHelper::kTableInit, segment, to, {letters, sizeof letters});
      return true;
    }
    case 0xfc000d:
      Helper({.helper = WasmHelper::kElemDrop,
              .num_immediates = 1,
              .immediates = {ReadIndex(module_.elements.size()), 0}},
             "");
      return true;
    case 0xfc000e: {
      const uint32_t to = table();
      const uint32_t from = table();
      if (!ok() || !Check(module_.tables[to].type.element == module_.tables[from].type.element)) {
        return true;
      }
      const char to_letter = letter(IndexType(to)), from_letter = letter(IndexType(from));
      const char letters[] = {to_letter, from_letter, to_letter == 'l' ? from_letter : 'i'};
      two(WasmHelper::kTableCopy, to, from, {letters, sizeof letters});
      return true;
    }
    case 0xfc000f:
    case 0xfc0011: {
      // table.grow: reference, elements; table.fill: offset, reference, size
      const bool grow = opcode == 0xfc000f;
      const uint32_t which = table();
      if (!ok()) return true;
      const ValType index = IndexType(which);
      Pop(index);
      Pop(module_.tables[which].type.element);
      if (!grow) Pop(index);
      const auto call = static_cast<uint32_t>(body_.helpers.size());
      HelperCall& helper = body_.helpers.emplace_back();
      helper.helper = grow ? WasmHelper::kTableGrow : WasmHelper::kTableFill;
      helper.num_immediates = 1;
      helper.immediates[0] = which;
      helper.num_operands = grow ? 2 : 3;
      if (grow) helper.result_bytes = index == ValType::kI64 ? 8 : 4;
      Emit(Code::kHelper, 0, 0, call);
      if (grow) Push(index);
      return true;
    }
    case 0xfc0010: {
      const uint32_t which = table();
      Emit(Code::kTableSize, which);
      Push(IndexType(which));
      return true;
    }
  }
  return false;
}

bool FunctionDecoder::AtomicHelperInstruction(uint32_t opcode) {
  HelperCall call = {};
  std::string_view operands;
  switch (opcode) {
    case 0xfe0000:
      call.helper = abi::WasmHelper::kAtomicNotify;
      call.align = 4;
      operands = "i";
      break;
    case 0xfe0001:
      call.helper = abi::WasmHelper::kAtomicWait32;
      call.align = 4;
      operands = "il";
      break;
    case 0xfe0002:
      call.helper = abi::WasmHelper::kAtomicWait64;
      call.align = 8;
      operands = "ll";
      break;
    case 0xfe0003:
      Check(reader_.Byte() == 0);
      Emit(Code::kFence);
      return true;
    default:
      return false;
  }
  const MemoryArgument argument = ReadMemoryArgument(call.align);
  call.num_immediates = 1;
  call.immediates[0] = argument.memory;
  call.offset = argument.offset;
  call.num_operands = static_cast<uint8_t>(operands.size() + 1);
  call.result_bytes = 4;
  PopLetters(operands);
  Pop(AddressType(argument.memory));
  const auto index = static_cast<uint32_t>(body_.helpers.size());
  body_.helpers.push_back(call);
  Emit(Code::kHelper, 0, 0, index);
  Push(ValType::kI32);
  return true;
}

void FunctionDecoder::VectorInstruction(uint32_t number) {
  constexpr uint32_t kConst = 0x0c, kShuffle = 0x0d;
  if (VectorMemoryInstruction(number)) return;
  if (number == kConst || number == kShuffle) {
    uint8_t bytes[16];
    reader_.Bytes(bytes, sizeof bytes);
    if (!ok()) return;
    if (number == kConst) {
      Emit(Code::kConstV128, 0, 0, AddVector(bytes));
    } else {
      for (const uint8_t lane : bytes) Check(lane < 32);
      PopLetters("vv");
      Emit(Code::kShuffle, 0, 0, AddVector(bytes));
    }
    Push(ValType::kV128);
    return;
  }
  const SimdOperation* operation = FindSimdOperation(number);
  if (!Check(operation != nullptr)) return;
  uint16_t lane = 0;
  if (operation->lanes != 0) {
    lane = reader_.Byte();
    if (!Check(lane < operation->lanes)) return;
  }
  PopLetters(operation->operands);
  Emit(Code::kSimd, 0, lane, number);
  Push(TypeOf(operation->result));
}

bool FunctionDecoder::VectorMemoryInstruction(uint32_t number) {
  const std::optional<uint8_t> position = FindVectorAccess(number);
  if (!position) return false;
  const VectorAccess& access = VectorAccessAt(*position);
  const MemoryArgument argument = ReadMemoryArgument(access.bytes);
  uint16_t lane = 0;
  if (access.has_lane) {
    lane = reader_.Byte();
    Check(lane < 16 / access.bytes);
  }
  if (access.store || access.has_lane) Pop(ValType::kV128);
  Pop(AddressType(argument.memory));
  Emit(Code::kVectorAccess, argument.memory, static_cast<uint16_t>(lane + 256 * *position),
       argument.offset);
  if (!access.store) Push(ValType::kV128);
  return true;
}

}  // namespace precast::runtime::wasm::interpreter
