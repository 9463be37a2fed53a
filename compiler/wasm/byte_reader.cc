#include "compiler/wasm/byte_reader.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace precast::wasm {

absl::Status FaultAt(uint32_t offset, std::string_view message) {
  return absl::InvalidArgumentError(absl::StrFormat("%s at offset 0x%x", message, offset));
}

absl::Status LimitAt(uint32_t offset, std::string_view what, uint64_t actual, uint64_t limit) {
  return absl::ResourceExhaustedError(
      absl::StrFormat("%s: %u, at most %u allowed at offset 0x%x", what, actual, limit, offset));
}

bool ByteReader::Fail(uint32_t offset, std::string_view message) {
  fault_offset_ = offset;
  fault_ = message;
  return false;
}

bool ByteReader::Unsigned(int bits, uint64_t& out) {
  const uint32_t begin = at_;
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    if (at_ == end_) return Fail(begin, "unexpected end");
    const uint8_t byte = data_[at_++];
    value |= uint64_t{byte & 0x7fu} << shift;
    const int room = bits - shift;  // value bits that this byte may still have
    if (room <= 7) {
      if (byte & 0x80) return Fail(begin, "integer representation too long");
      if (room < 7 && (byte >> room) != 0) return Fail(begin, "integer too large");
    }
    if (!(byte & 0x80)) break;
  }
  out = value;
  return true;
}

bool ByteReader::Signed(int bits, int64_t& out) {
  const uint32_t begin = at_;
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    if (at_ == end_) return Fail(begin, "unexpected end");
    const uint8_t byte = data_[at_++];
    value |= uint64_t{byte & 0x7fu} << shift;
    const int room = bits - shift;
    if (room <= 7) {
      if (byte & 0x80) return Fail(begin, "integer representation too long");
      // The sign bit and all bits above it must agree.
      const uint8_t sign_and_above = static_cast<uint8_t>((byte & 0x7f) >> (room - 1));
      if (sign_and_above != 0 && sign_and_above != (0x7f >> (room - 1))) {
        return Fail(begin, "integer too large");
      }
    }
    if (!(byte & 0x80)) {
      if ((byte & 0x40) != 0 && shift + 7 < 64) value |= ~uint64_t{0} << (shift + 7);
      break;
    }
  }
  out = static_cast<int64_t>(value);
  return true;
}

bool ByteReader::Fixed(uint32_t size, uint64_t& out) {
  if (Left() < size) return Fail(at_, "unexpected end");
  uint64_t value = 0;
  for (uint32_t i = 0; i < size; ++i) value |= uint64_t{data_[at_ + i]} << (8 * i);
  at_ += size;
  out = value;
  return true;
}

bool ByteReader::Bytes(uint32_t size, absl::Span<const uint8_t>& out) {
  if (Left() < size) {
    return Fail(at_, absl::StrCat("length out of bounds: ", size, " bytes, ", Left(), " left"));
  }
  out = absl::MakeConstSpan(data_ + at_, size);
  at_ += size;
  return true;
}

bool ByteReader::Name(std::string_view& out) {
  uint32_t size = 0;
  if (!U32(size)) return false;
  const uint32_t begin = at_;
  absl::Span<const uint8_t> bytes;
  if (!Bytes(size, bytes)) return false;
  out = std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!IsUtf8(out)) return Fail(begin, "malformed UTF-8 encoding");
  return true;
}

bool IsUtf8(std::string_view bytes) {
  // Unicode 15, table 3-7 "Well-Formed UTF-8 Byte Sequences".
  for (size_t i = 0; i < bytes.size();) {
    const auto at = [&](size_t k) { return static_cast<uint8_t>(bytes[k]); };
    const uint8_t lead = at(i++);
    if (lead < 0x80) continue;
    int more;
    uint8_t low = 0x80, high = 0xbf;  // of the second byte
    if (lead >= 0xc2 && lead <= 0xdf) {
      more = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    for (; more > 0; --more, ++i) {
      if (i == bytes.size() || at(i) < low || at(i) > high) return false;
      low = 0x80;
      high = 0xbf;
    }
  }
  return true;
}

}  // namespace precast::wasm
