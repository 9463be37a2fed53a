// WebAssembly types and values as the embedder sees them.
#ifndef PRECAST_RUNTIME_WASM_TYPES_H_
#define PRECAST_RUNTIME_WASM_TYPES_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "runtime/abi/wasm_context.h"

namespace precast::runtime::wasm {

// The byte of the binary format.
enum class ValType : uint8_t {
  kI32 = 0x7f,
  kI64 = 0x7e,
  kF32 = 0x7d,
  kF64 = 0x7c,
  kV128 = 0x7b,
  kFuncRef = 0x70,
  kExternRef = 0x6f,
};

struct FuncType {
  std::vector<ValType> params, results;
  bool operator==(const FuncType&) const = default;
};

struct Limits {
  uint64_t min = 0;
  std::optional<uint64_t> max = {};
};
struct TableType {
  ValType element = ValType::kFuncRef;
  Limits limits;
  bool is_64 = false;
};
struct MemoryType {
  Limits limits;  // pages
  bool is_64 = false;
  bool shared = false;
};
struct GlobalType {
  ValType type = ValType::kI32;
  bool is_mutable = false;
};
enum class ExternKind : uint8_t { kFunction = 0, kTable = 1, kMemory = 2, kGlobal = 3 };

// The type of the `kind`; the others mean nothing.
struct ExternType {
  ExternKind kind = ExternKind::kFunction;
  FuncType function;
  TableType table;
  MemoryType memory;
  GlobalType global;
};

// A value with its type. References: the address of a FunctionRecord or the host's number, 0 for
// null.
struct Value {
  ValType type = ValType::kI32;
  abi::WasmValue bits = {};

  template <typename T>
  static Value Of(ValType type, T v) {
    Value out{type, {}};
    static_assert(sizeof(T) <= sizeof out.bits.bytes);
    std::memcpy(out.bits.bytes, &v, sizeof v);
    return out;
  }
  static Value I32(uint32_t v) { return Of(ValType::kI32, v); }
  static Value I64(uint64_t v) { return Of(ValType::kI64, v); }
  static Value F32(float v) { return Of(ValType::kF32, v); }
  static Value F64(double v) { return Of(ValType::kF64, v); }
  static Value V128(const std::array<uint8_t, 16>& v) { return Of(ValType::kV128, v); }
  static Value FuncRef(uint64_t v) { return Of(ValType::kFuncRef, v); }
  static Value ExternRef(uint64_t v) { return Of(ValType::kExternRef, v); }

  template <typename T>
  T As() const {
    T v;
    std::memcpy(&v, bits.bytes, sizeof v);
    return v;
  }
};

}  // namespace precast::runtime::wasm

#endif  // PRECAST_RUNTIME_WASM_TYPES_H_
