// The WebAssembly interpreter: oracle for generated code, and fallback where there is none. It
// works on the same objects as generated code (WasmContext with its records, memories, tables and
// global cells), decodes function bodies itself and shares no code with the compiler. It checks
// every memory access against the memory's size, never relying on guard pages. Counts fuel as
// docs/wasm_lifting.md says.
#ifndef PRECAST_RUNTIME_WASM_INTERPRETER_INTERPRETER_H_
#define PRECAST_RUNTIME_WASM_INTERPRETER_INTERPRETER_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/abi/wasm_context.h"
#include "runtime/wasm/module_data.h"

namespace precast::runtime::wasm {

// How an interpreted call ended.
struct InterpreterStop {
  enum class Kind : uint8_t {
    kReturned,
    kTrapped,    // `trap` at `offset` in `function`
    kUnwinding,  // a call out ended the guest; InterpreterHost knows the rest
    kMalformed,  // the body cannot be decoded (a damaged image): `offset`
  };
  Kind kind = Kind::kReturned;
  abi::TrapCode trap = abi::TrapCode::kNone;
  uint32_t function = 0;
  uint32_t offset = 0;
};

// What the interpreter asks of the runtime.
class InterpreterHost {
 public:
  virtual ~InterpreterHost() = default;
  // Calls any function that is not the same instance's own code: imports, and what tables hold.
  // `values` are the parameters, replaced by the results (there is room for both). False: the guest
  // has ended.
  virtual bool CallRecord(const abi::FunctionRecord* record, abi::WasmValue* values) = 0;
  // Whether the record's function has the type `canonical_type` of this instance's module.
  virtual bool HasType(const abi::FunctionRecord* record, uint32_t canonical_type) = 0;
  // Runs a helper (wasm_helpers.def) on operands zero-extended to 64 bits; kNone or the trap.
  virtual abi::TrapCode CallHelper(abi::WasmHelper helper, absl::Span<const uint64_t> operands,
                                   uint64_t* result) = 0;
  // Asked now and then (at loop heads and calls): whether to trap with kInterrupted.
  virtual bool Interrupted() = 0;
};

// Bodies decoded for interpretation; one per module, shared by instances and threads, filled in
// lazily.
class InterpretedModule {
 public:
  virtual ~InterpretedModule() = default;
  // `module` must outlive it.
  static std::unique_ptr<InterpretedModule> Create(const ModuleData& module);
};

struct InterpreterOptions {
  bool canonical_nans = false;
  bool metered = true;
  uint64_t stack_size = uint64_t{8}
                        << 20;  // bytes for values and frames; beyond: kCallStackExhausted
};

// One per instance.
class Interpreter {
 public:
  virtual ~Interpreter() = default;
  static std::unique_ptr<Interpreter> Create(InterpretedModule& code, abi::WasmContext* context,
                                             InterpreterHost& host,
                                             const InterpreterOptions& options);
  // Runs defined function `function` (module index); `values` holds the parameters, then the
  // results, and has room for the larger number. Fuel is context->vm.fuel throughout, exact at
  // every call out. Re-entrant: a call out may call in again. Beyond 200 runs inside each other on
  // one thread, in all instances, or without room for the first frame: kCallStackExhausted.
  virtual InterpreterStop Run(uint32_t function, abi::WasmValue* values) = 0;
};

}  // namespace precast::runtime::wasm

#endif  // PRECAST_RUNTIME_WASM_INTERPRETER_INTERPRETER_H_
