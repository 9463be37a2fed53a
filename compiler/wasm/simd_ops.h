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

// A load or store that is a scalar access and an operation; of how many bytes is in the table of
// opcodes.
struct VectorAccess {
  enum class Form : uint8_t {
    kExtend,     // 64 bits are loaded into the low half, then op
    kSplat,      // op of the scalar loaded: in all lanes, or in the low one
    kLoadLane,   // op of a vector and the scalar loaded
    kStoreLane,  // what op takes out of a vector is stored
  };
  Form form;
  ir::SimdOp op;  // on integer lanes
};
// nullopt of all other instructions, v128.load and v128.store too.
std::optional<VectorAccess> VectorAccessOf(Op op);

// Whether NaNs in the result may have more than one bit pattern: of f32 lanes, of f64 lanes, or not
// at all.
enum class VectorNans : uint8_t { kNone, kF32, kF64 };
VectorNans VectorNansOf(ir::SimdOp op);

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_SIMD_OPS_H_
