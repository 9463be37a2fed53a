// The vector instructions that touch no memory, as a table by opcode.
#ifndef PRECAST_RUNTIME_WASM_INTERPRETER_SIMD_H_
#define PRECAST_RUNTIME_WASM_INTERPRETER_SIMD_H_

#include <cstdint>

#include "runtime/wasm/interpreter/slot.h"

namespace precast::runtime::wasm::interpreter {

struct SimdOperation {
  // One letter each: v = v128, i = i32, l = i64, f = f32, d = f64.
  const char* operands;
  char result;
  // 0, or a lane number below it follows the opcode.
  uint8_t lanes;
  // What of the result the option for canonical NaNs acts on: 0, or the size of its lanes in bytes
  // (4 or 8).
  uint8_t float_lane;
  // Operands from slots[0] on; the result replaces slots[0].
  void (*run)(Slot* slots, uint32_t lane);
};

// By the number after the prefix 0xfd. Null: not such an instruction (it may be one that touches
// memory, v128.const or i8x16.shuffle).
const SimdOperation* FindSimdOperation(uint32_t number);

// i8x16.shuffle: `lanes` are numbers below 32.
void Shuffle(Slot* slots, const uint8_t* lanes);

// Makes the NaNs among the lanes canonical.
void MakeLanesCanonical(Slot& slot, uint32_t lane_bytes);

}  // namespace precast::runtime::wasm::interpreter

#endif  // PRECAST_RUNTIME_WASM_INTERPRETER_SIMD_H_
