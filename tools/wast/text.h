// The text format of specification scripts and modules, read by the WebAssembly Binary Toolkit.
#ifndef PRECAST_TOOLS_WAST_TEXT_H_
#define PRECAST_TOOLS_WAST_TEXT_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/wast/script.h"

namespace precast::wast {

// A script (`.wast`). `name` is for messages.
absl::StatusOr<Script> ParseScriptText(std::string_view name, std::string_view text);

// A module (`.wat`) as binary, with names.
absl::StatusOr<std::vector<uint8_t>> ModuleFromText(std::string_view name, std::string_view text);

}  // namespace precast::wast

#endif  // PRECAST_TOOLS_WAST_TEXT_H_
