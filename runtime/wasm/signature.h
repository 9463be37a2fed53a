// Function types, one object for equal ones in the whole process, so that comparing them is
// comparing pointers; and where their parameters and results travel.
#ifndef PRECAST_RUNTIME_WASM_SIGNATURE_H_
#define PRECAST_RUNTIME_WASM_SIGNATURE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/abi/wasm_context.h"
#include "runtime/wasm/trampolines.h"
#include "runtime/wasm/types.h"

namespace precast::runtime::wasm {

// Where a parameter or result is (runtime/abi/wasm_context.h).
struct Place {
  enum class Kind : uint8_t { kInteger, kVector, kArgs } kind;
  uint8_t size;    // meaningful bytes
  uint16_t index;  // in PassedArea::integers or vectors, or in WasmContext::args
};

struct Signature {
  // How many of WasmContext::args to hand from context to context. Read by trampolines.S.
  uint32_t args_params = 0, args_results = 0;
  FuncType type;
  std::vector<Place> params, results;

  size_t max_values() const {
    return params.size() > results.size() ? params.size() : results.size();
  }
};
static_assert(offsetof(Signature, args_results) == 4);

// Thread-safe.
std::shared_ptr<const Signature> InternSignature(const FuncType& type);

// Between values in a row and where a call has them.
void ToPlaces(const std::vector<Place>& places, const abi::WasmValue* values, PassedArea& area,
              abi::WasmValue* args);
void FromPlaces(const std::vector<Place>& places, const PassedArea& area,
                const abi::WasmValue* args, abi::WasmValue* values);

}  // namespace precast::runtime::wasm

#endif  // PRECAST_RUNTIME_WASM_SIGNATURE_H_
