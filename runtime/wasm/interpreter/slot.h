// What the interpreter's stack consists of: untyped slots of 16 bytes. A number or reference is in
// the low 8 bytes, zero-extended; what is above it then means nothing.
#ifndef PRECAST_RUNTIME_WASM_INTERPRETER_SLOT_H_
#define PRECAST_RUNTIME_WASM_INTERPRETER_SLOT_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "runtime/abi/wasm_context.h"

namespace precast::runtime::wasm::interpreter {

using Slot = abi::WasmValue;

template <typename T>
T Get(const Slot& slot) {
  T value;
  std::memcpy(&value, slot.bytes, sizeof value);
  return value;
}

// 32-bit values are zero-extended to 64 bits.
template <typename T>
void Put(Slot& slot, T value) {
  if constexpr (sizeof(T) == 4) {
    const uint64_t wide = std::bit_cast<uint32_t>(value);
    std::memcpy(slot.bytes, &wide, sizeof wide);
  } else {
    static_assert(sizeof(T) == 8 || sizeof(T) == 16);
    std::memcpy(slot.bytes, &value, sizeof value);
  }
}

}  // namespace precast::runtime::wasm::interpreter

#endif  // PRECAST_RUNTIME_WASM_INTERPRETER_SLOT_H_
