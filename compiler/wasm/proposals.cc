#include "compiler/wasm/proposals.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace precast::wasm {
namespace {

constexpr std::string_view kExceptions = "exception handling";
constexpr std::string_view kFunctionReferences = "typed function references";
constexpr std::string_view kGarbageCollection = "garbage collection";
constexpr std::string_view kCompactImports = "compact import sections";
constexpr std::string_view kStackSwitching = "stack switching";

std::string_view OfOpcode(uint8_t byte) {
  switch (byte) {
    case 0x06:  // try, catch, delegate and so on: from before 3.0, but what most compilers still make.
    case 0x07:
    case 0x09:
    case 0x18:
    case 0x19:
    case 0x08:  // throw
    case 0x0a:  // throw_ref
    case 0x1f:  // try_table
      return kExceptions;
    case 0x14:  // call_ref
    case 0x15:  // return_call_ref
    case 0xd4:  // ref.as_non_null
    case 0xd5:  // br_on_null
    case 0xd6:  // br_on_non_null
      return kFunctionReferences;
    case 0xd3:  // ref.eq
    case 0xfb:  // the prefix of structures and arrays
      return kGarbageCollection;
    default:
      return byte >= 0xe0 && byte <= 0xe6 ? kStackSwitching : "";
  }
}

std::string_view OfType(uint8_t byte) {
  switch (byte) {
    case 0x69:  // exnref
    case 0x74:  // noexnref
      return kExceptions;
    case 0x63:  // ref null
    case 0x64:  // ref
      return kFunctionReferences;
    case 0x5d:  // cont
      return kStackSwitching;
    case 0x4e:  // rec
    case 0x4f:  // sub final
    case 0x50:  // sub
    case 0x5e:  // array
    case 0x5f:  // struct
    case 0x77:  // i16, packed
    case 0x78:  // i8, packed
      return kGarbageCollection;
    default:  // arrayref, structref, i31ref, eqref, anyref, and what is below all externs, functions and others
      return byte >= 0x6a && byte <= 0x73 && byte != 0x6f && byte != 0x70 ? kGarbageCollection : "";
  }
}

}  // namespace

std::string_view UnsupportedProposal(ByteRole role, uint8_t byte) {
  constexpr uint8_t kTagSection = 13;
  constexpr uint8_t kTag = 4;
  switch (role) {
    case ByteRole::kOpcode:
      return OfOpcode(byte);
    case ByteRole::kSection:
      return byte == kTagSection ? kExceptions : "";
    case ByteRole::kExternKind:
      if (byte == 0x7e || byte == 0x7f) return kCompactImports;
      return byte == kTag ? kExceptions : "";
    case ByteRole::kType:
      return OfType(byte);
  }
  return "";
}

std::string MalformedByte(std::string_view what, ByteRole role, uint8_t byte) {
  const std::string_view proposal = UnsupportedProposal(role, byte);
  std::string message = absl::StrFormat("%s 0x%02x", what, byte);
  if (!proposal.empty()) absl::StrAppend(&message, " (", proposal, ", not supported)");
  return message;
}

}  // namespace precast::wasm
