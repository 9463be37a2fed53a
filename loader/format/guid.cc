#include "loader/format/guid.h"

#include <algorithm>
#include <cstddef>

#include "absl/log/check.h"
#include "loader/format/sha256.h"

namespace precast::format {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

bool DashBefore(size_t byte) { return byte == 4 || byte == 6 || byte == 8 || byte == 10; }

int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Guid GuidOf(absl::Span<const uint8_t> bytes) {
  const Sha256Digest digest = Sha256::Hash(bytes);
  Guid guid;
  std::copy_n(digest.begin(), guid.size(), guid.begin());
  return guid;
}

Guid GuidOf(std::string_view text) {
  return GuidOf(absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

std::string GuidToString(absl::Span<const uint8_t> guid) {
  CHECK_EQ(guid.size(), 16u);
  std::string text;
  text.reserve(36);
  for (size_t i = 0; i < 16; ++i) {
    if (DashBefore(i)) text += '-';
    text += kDigits[guid[i] >> 4];
    text += kDigits[guid[i] & 15];
  }
  return text;
}

std::optional<Guid> ParseGuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Guid guid;
  size_t at = 0;
  for (size_t i = 0; i < 16; ++i) {
    if (DashBefore(i) && text[at++] != '-') return std::nullopt;
    const int high = DigitValue(text[at++]);
    const int low = DigitValue(text[at++]);
    if (high < 0 || low < 0) return std::nullopt;
    guid[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return guid;
}

std::string ToHex(absl::Span<const uint8_t> bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace precast::format
