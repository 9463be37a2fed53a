// Lifting: a validated function body becomes SSA IR, directly from the stack machine.
//
// What the IR relies on is said in runtime/abi/wasm_context.h (calling convention, layout of the
// context) and docs/wasm_lifting.md (traps, fuel).
#ifndef PRECAST_COMPILER_WASM_LIFTER_H_
#define PRECAST_COMPILER_WASM_LIFTER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "compiler/ir/ir.h"
#include "compiler/wasm/module.h"
#include "runtime/abi/wasm_context.h"

namespace precast::wasm {

struct LiftOptions {
  // Charge fuel (ir kMeter at every segment, see docs/wasm_lifting.md).
  bool metered = true;
  // Results of floating-point arithmetic that are NaN become the canonical NaN, so that runs are
  // equal on every machine and engine.
  bool canonical_nans = false;
};

// What lifting needs to know of the whole module, computed once.
struct LiftContext {
  explicit LiftContext(const Module& module);

  const Module& module;
  abi::WasmLayout layout;
  std::vector<uint32_t> record_of;  // by function index: number of its FunctionRecord, or none
  std::vector<uint32_t> export_of;  // by function index: its first export, or none
  static constexpr uint32_t kNoRecord = 0xffffffffu, kNoExport = 0xffffffffu;
};

// SSA form may need room in proportion to locals × branches. A function that needs more than so
// many values on its branches is not lifted. (Real ones stay far below; so do those with very many
// locals or branches, but not both at once.)
inline constexpr size_t kMaxJoinValues = size_t{8} << 20;

// The name for a function in symbols and reports: from the name section, else from an export, else
// "wasm[index]".
std::string FunctionName(const Module& module, uint32_t function);
std::string FunctionName(const LiftContext& context, uint32_t function);  // in constant time

// Lifts defined function `function`, whose body must be valid. Deterministic, thread-safe.
// ResourceExhausted if it is too complex (kMaxJoinValues).
absl::StatusOr<ir::Function> Lift(const LiftContext& context, uint32_t function,
                                  const LiftOptions& options);

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_LIFTER_H_
