// What of the IR's operations on v128 the instructions are, for both ways to machine code.
#ifndef PRECAST_COMPILER_WASM_SIMD_OPS_H_
#define PRECAST_COMPILER_WASM_SIMD_OPS_H_

#include <cstdint>
#include <optional>

#include "compiler/ir/ir.h"
#include "compiler/wasm/instruction.h"

namespace precast::wasm {

// The operation that the instruction is; nullopt if it is none, or one on memory.
std::optional<ir::SimdOp> SimdOpOf(Op op);

// Whether NaNs in the result may have more than one bit pattern: of f32 lanes, of f64 lanes, or not at all.
enum class VectorNans : uint8_t { kNone, kF32, kF64 };
VectorNans VectorNansOf(ir::SimdOp op);

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_SIMD_OPS_H_
