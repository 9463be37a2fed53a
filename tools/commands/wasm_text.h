// WebAssembly instructions as text, one at a time from their offset in the module: for listings
// beside machine code.
#ifndef PRECAST_TOOLS_COMMANDS_WASM_TEXT_H_
#define PRECAST_TOOLS_COMMANDS_WASM_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/types/span.h"

namespace precast::aotc {

struct WasmLine {
  std::string text;   // as in the text format: "i32.load 1 offset=8"
  uint32_t next = 0;  // offset of the next instruction
};

// The instruction at `offset` of a function body that ends at `end`; nothing if it cannot be
// decoded. Safe on any bytes.
std::optional<WasmLine> WasmLineAt(absl::Span<const uint8_t> module, uint32_t offset, uint32_t end);

// The local declarations that a body begins with.
std::optional<WasmLine> WasmLocalsAt(absl::Span<const uint8_t> module, uint32_t offset,
                                     uint32_t end);

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_WASM_TEXT_H_
