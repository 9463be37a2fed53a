#include "compiler/baseline/wasm_compiler.h"

#include "compiler/baseline/wasm_function.h"

namespace precast::baseline {

WasmCompiler::WasmCompiler(const wasm::LiftContext& context, const wasm::LiftOptions& options)
    : function_(std::make_unique<WasmFunction>(context, options)) {}

WasmCompiler::~WasmCompiler() = default;

std::optional<codegen::CompiledFunction> WasmCompiler::Compile(uint32_t function) {
  return function_->Compile(function);
}

void WasmCompiler::Recycle(codegen::CompiledFunction& function) { function_->Recycle(function); }

size_t WasmCompiler::instructions() const { return function_->instructions(); }

}  // namespace precast::baseline
