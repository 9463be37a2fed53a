// Compiles a function of a WebAssembly module in one pass, for -O0: every instruction is decoded
// once and becomes machine code at once, by a template. No IR, no register allocation.
//
// Locals and the operand stack have slots in the frame, registers are a cache of them
// (wasm_operands.h). Calling convention, sites, traps and counting are those of
// docs/wasm_lifting.md and runtime/abi/wasm_context.h, so functions compiled either way live in one
// image and call one another.
#ifndef PRECAST_COMPILER_BASELINE_WASM_COMPILER_H_
#define PRECAST_COMPILER_BASELINE_WASM_COMPILER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "compiler/codegen/compiled_function.h"
#include "compiler/wasm/lifter.h"

namespace precast::baseline {

class WasmFunction;

// Holds the buffers, to be used for one function after another, on one thread at a time.
class WasmCompiler {
 public:
  // `context` must outlive the compiler.
  WasmCompiler(const wasm::LiftContext& context, const wasm::LiftOptions& options);
  ~WasmCompiler();

  // Machine code of a defined function, whose body must be valid. nullopt if it has an instruction
  // that only the way through the IR compiles, or a frame that that way would make much smaller.
  // Deterministic. Name and guest range are left to the caller.
  std::optional<codegen::CompiledFunction> Compile(uint32_t function);
  // Takes the room of a function's side tables, which nobody needs any more, for the next
  // function's.
  void Recycle(codegen::CompiledFunction& function);

  // In the function compiled last.
  size_t instructions() const;

 private:
  std::unique_ptr<WasmFunction> function_;
};

}  // namespace precast::baseline

#endif  // PRECAST_COMPILER_BASELINE_WASM_COMPILER_H_
