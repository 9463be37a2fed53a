// Names what a module needs that is not supported, where a byte shows it. To the decoder such a
// byte is as malformed as any other; to the user it makes a difference whether a file is broken, or
// has to be built without a language feature.
#ifndef PRECAST_COMPILER_WASM_PROPOSALS_H_
#define PRECAST_COMPILER_WASM_PROPOSALS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace precast::wasm {

// What a byte stands for (core specification 3.0, chapter 5).
enum class ByteRole {
  kOpcode,
  kSection,
  kExternKind,  // of an import or export
  kType,        // of a value, an element of a table, a block or a definition
};

// The name of the part of WebAssembly that gives `byte` a meaning in this role and that is not
// supported; empty if there is none.
std::string_view UnsupportedProposal(ByteRole role, uint8_t byte);

// "illegal opcode 0x06 (exception handling, not supported)"; without the parentheses if there is
// nothing to say.
std::string MalformedByte(std::string_view what, ByteRole role, uint8_t byte);

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_PROPOSALS_H_
