// The custom section `name` (core specification 2.0, appendix "Custom Sections"): what a compiler
// called the module and its functions. Only for people to read: a malformed one is ignored.
#ifndef PRECAST_COMPILER_WASM_NAME_SECTION_H_
#define PRECAST_COMPILER_WASM_NAME_SECTION_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "compiler/wasm/byte_reader.h"

namespace precast::wasm {

struct NameSection {
  std::string_view module;
  // Function index and name, indices ascending.
  std::vector<std::pair<uint32_t, std::string_view>> functions;

  bool IsEmpty() const { return module.empty() && functions.empty(); }
};

// What follows the section's own name; nullopt if malformed.
std::optional<NameSection> ReadNameSection(ByteReader in);

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_NAME_SECTION_H_
