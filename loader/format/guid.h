// 16-byte identities (of a program, of compile options), shown in the text form of a UUID (RFC
// 9562, section 4: 8-4-4-4-12 hexadecimal digits). The bytes are the start of a SHA-256; version
// and variant bits are not forced, because 128 bits of hash are worth more than the claim of a
// version.
#ifndef PRECAST_LOADER_FORMAT_GUID_H_
#define PRECAST_LOADER_FORMAT_GUID_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace precast::format {

using Guid = std::array<uint8_t, 16>;

// First 16 bytes of the SHA-256 of `bytes`.
Guid GuidOf(absl::Span<const uint8_t> bytes);
Guid GuidOf(std::string_view text);

// Lower case, as "01234567-89ab-cdef-0123-456789abcdef". `guid` must have 16 bytes.
std::string GuidToString(absl::Span<const uint8_t> guid);
// Exactly that form, in either case; anything else is nothing.
std::optional<Guid> ParseGuid(std::string_view text);

// Any bytes as lower-case hexadecimal digits.
std::string ToHex(absl::Span<const uint8_t> bytes);

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_GUID_H_
