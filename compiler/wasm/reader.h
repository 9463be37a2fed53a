// The binary reader: bytes in, Module out (core specification 2.0, chapter 5).
#ifndef PRECAST_COMPILER_WASM_READER_H_
#define PRECAST_COMPILER_WASM_READER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "compiler/wasm/module.h"

namespace precast::wasm {

// Whether `bytes` begin as a module does (magic and version 1).
bool IsModule(absl::Span<const uint8_t> bytes);

// Reads everything but function bodies. `bytes` must outlive the module. InvalidArgument with
// offset and reason if the module is malformed, ResourceExhausted if it exceeds a limit of
// limits.h.
absl::StatusOr<Module> ReadModule(absl::Span<const uint8_t> bytes, const Features& features);

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_READER_H_
