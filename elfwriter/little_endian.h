// ELF64 for x86-64 is little-endian whatever machine writes it; and its fields may be anywhere. So
// values are stored a byte at a time, which compilers turn into one move.

#ifndef PRECAST_ELFWRITER_LITTLE_ENDIAN_H_
#define PRECAST_ELFWRITER_LITTLE_ENDIAN_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace precast::elfwriter {

// Stores the low `size` bytes of `value` at `out`.
template <size_t size>
inline void StoreLittleEndian(uint8_t* out, uint64_t value) {
  static_assert(size <= 8);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<uint8_t>(value >> (8 * i));
}

// Writes values one after another into a span; running over its end asserts.
class SpanWriter {
 public:
  // `out` must outlive the writer.
  explicit SpanWriter(absl::Span<uint8_t> out) : out_(out) {}

  SpanWriter& U8(uint8_t value) { return Store<1>(value); }
  SpanWriter& U16(uint16_t value) { return Store<2>(value); }
  SpanWriter& U32(uint32_t value) { return Store<4>(value); }
  SpanWriter& U64(uint64_t value) { return Store<8>(value); }
  SpanWriter& Bytes(absl::Span<const uint8_t> bytes) {
    CHECK_LE(bytes.size(), remaining());
    if (!bytes.empty()) std::memcpy(out_.data() + position_, bytes.data(), bytes.size());
    position_ += bytes.size();
    return *this;
  }
  SpanWriter& Text(absl::string_view text) {
    return Bytes({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }
  // Leaves `count` bytes as they are.
  SpanWriter& Skip(size_t count) {
    CHECK_LE(count, remaining());
    position_ += count;
    return *this;
  }

  size_t position() const { return position_; }
  size_t remaining() const { return out_.size() - position_; }

 private:
  template <size_t size>
  SpanWriter& Store(uint64_t value) {
    CHECK_LE(size, remaining());
    StoreLittleEndian<size>(out_.data() + position_, value);
    position_ += size;
    return *this;
  }

  absl::Span<uint8_t> out_;
  size_t position_ = 0;
};

// Appends the low `size` bytes of `value`.
template <size_t size>
inline void AppendLittleEndian(uint64_t value, std::vector<uint8_t>& out) {
  const size_t at = out.size();
  out.resize(at + size);
  StoreLittleEndian<size>(out.data() + at, value);
}

// Appends an unsigned LEB128 number (DWARF 5, section 7.6).
inline void AppendUleb128(uint64_t value, std::vector<uint8_t>& out) {
  while (value >= 0x80) {
    out.push_back(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<uint8_t>(value));
}

// Appends a signed LEB128 number (DWARF 5, section 7.6).
inline void AppendSleb128(int64_t value, std::vector<uint8_t>& out) {
  while (value < -0x40 || value >= 0x40) {
    out.push_back(static_cast<uint8_t>(value | 0x80));
    value >>= 7;  // Arithmetic, as C++20 says.
  }
  out.push_back(static_cast<uint8_t>(value & 0x7f));
}

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_LITTLE_ENDIAN_H_
