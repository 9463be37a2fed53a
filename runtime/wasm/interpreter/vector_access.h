// The vector instructions that access memory, as a table.
#ifndef PRECAST_RUNTIME_WASM_INTERPRETER_VECTOR_ACCESS_H_
#define PRECAST_RUNTIME_WASM_INTERPRETER_VECTOR_ACCESS_H_

#include <cstdint>
#include <optional>

#include "runtime/wasm/interpreter/slot.h"

namespace precast::runtime::wasm::interpreter {

struct VectorAccess {
  uint32_t number;  // after the prefix 0xfd
  uint8_t bytes;    // accessed
  bool store;
  bool has_lane;  // a lane number follows the memory argument; there is a vector operand
  // slots[0] is the address, which the result of a load replaces; slots[1] the vector, if there is
  // one.
  void (*run)(uint8_t* memory, Slot* slots, uint32_t lane);
};

// Position in the table, or nothing if `number` is no such instruction.
std::optional<uint8_t> FindVectorAccess(uint32_t number);
const VectorAccess& VectorAccessAt(uint8_t position);

}  // namespace precast::runtime::wasm::interpreter

#endif  // PRECAST_RUNTIME_WASM_INTERPRETER_VECTOR_ACCESS_H_
