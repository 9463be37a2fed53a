// The types of WebAssembly (core specification 2.0, section 2.3, with the index types of memory64
// and the sharing of threads).
#ifndef PRECAST_COMPILER_WASM_TYPES_H_
#define PRECAST_COMPILER_WASM_TYPES_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace precast::wasm {

// A value type. `code` is the byte of the binary format; `heap_type` and `nullable` leave room for
// typed references (3.0), of which only the two abstract ones of 2.0 exist so far, both nullable.
struct ValType {
  uint8_t code = 0;
  bool nullable = false;
  uint32_t heap_type = 0;

  constexpr auto operator<=>(const ValType&) const = default;
  template <typename H>
  friend H AbslHashValue(H hash, const ValType& type) {
    return H::combine(std::move(hash), type.code, type.nullable, type.heap_type);
  }
  constexpr bool IsReference() const { return code == 0x70 || code == 0x6f; }
  constexpr bool IsNumeric() const { return code >= 0x7c && code <= 0x7f; }
};
inline constexpr ValType kI32{0x7f}, kI64{0x7e}, kF32{0x7d}, kF64{0x7c}, kV128{0x7b};
inline constexpr ValType kFuncRef{0x70, true}, kExternRef{0x6f, true};

// Of addresses, sizes and indices of a memory or table.
constexpr ValType AddressType(bool is_64) { return is_64 ? kI64 : kI32; }

// The value type that `byte` encodes, if it is one.
constexpr std::optional<ValType> ValTypeFromByte(uint8_t byte) {
  if (byte >= 0x7b && byte <= 0x7f) return ValType{byte};
  if (byte == kFuncRef.code) return kFuncRef;
  if (byte == kExternRef.code) return kExternRef;
  return std::nullopt;
}

// "i32", "funcref": the name in the text format.
constexpr std::string_view Name(ValType type) {
  switch (type.code) {
    case kI32.code:
      return "i32";
    case kI64.code:
      return "i64";
    case kF32.code:
      return "f32";
    case kF64.code:
      return "f64";
    case kV128.code:
      return "v128";
    case kFuncRef.code:
      return "funcref";
    case kExternRef.code:
      return "externref";
  }
  return "unknown";
}

struct FuncType {
  std::vector<ValType> params;
  std::vector<ValType> results;
  bool operator==(const FuncType&) const = default;
  template <typename H>
  friend H AbslHashValue(H hash, const FuncType& type) {
    return H::combine(std::move(hash), type.params, type.results);
  }
};

struct Limits {
  uint64_t min = 0;
  std::optional<uint64_t> max;
  bool operator==(const Limits&) const = default;
};

struct TableType {
  ValType element;
  Limits limits;  // elements
  bool is_64 = false;
};

struct MemoryType {
  Limits limits;  // pages of 64 KiB
  bool is_64 = false;
  bool shared = false;
};

struct GlobalType {
  ValType type;
  bool is_mutable = false;
};

enum class ExternKind : uint8_t { kFunction = 0, kTable = 1, kMemory = 2, kGlobal = 3 };

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_TYPES_H_
