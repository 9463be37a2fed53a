// The byte stream all variable-length records of an image are written in: numbers take 1, 2, 4 or 5
// bytes, as in Mono's AOT images, so that small numbers (nearly all are) are cheap and the first
// byte alone says how many follow. Writer and reader are side by side; the reader never reads
// beyond its span.
//
//   0xxxxxxx                        0 .. 127                7 bits
//   10xxxxxx yyyyyyyy               .. 0x3fff              14 bits, high part first
//   110xxxxx yyyyyyyy * 3           .. 0x1fffffff          29 bits, high part first
//   11111111 yyyyyyyy * 4           any 32-bit value, high part first
//
// Other first bytes (0xe0 .. 0xfe) are errors. Signed numbers are zigzag-coded first: 0, -1, 1, -2,
// ...
#ifndef PRECAST_LOADER_FORMAT_VARINT_H_
#define PRECAST_LOADER_FORMAT_VARINT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace precast::format {

// Little-endian fields at any alignment. The caller has checked the bounds.
inline uint16_t LoadLe16(const uint8_t* p) { return static_cast<uint16_t>(p[0] | p[1] << 8); }
inline uint32_t LoadLe32(const uint8_t* p) {
  return uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24;
}
inline uint64_t LoadLe64(const uint8_t* p) {
  return LoadLe32(p) | static_cast<uint64_t>(LoadLe32(p + 4)) << 32;
}

constexpr uint32_t ZigZag(int32_t value) {
  return static_cast<uint32_t>(value) << 1 ^ (value < 0 ? ~uint32_t{0} : 0);
}
constexpr int32_t UnZigZag(uint32_t value) {
  return static_cast<int32_t>(value >> 1 ^ (value & 1 ? ~uint32_t{0} : 0));
}

// Writes a number at `out`, where there are kMaxVarint bytes; returns what is behind it.
inline constexpr size_t kMaxVarint = 5;
inline uint8_t* PutVarint(uint8_t* out, uint32_t value) {
  if (value <= 0x7f) {
    *out++ = static_cast<uint8_t>(value);
    return out;
  }
  if (value <= 0x3fff) {
    *out++ = static_cast<uint8_t>(0x80 | value >> 8);
    *out++ = static_cast<uint8_t>(value);
    return out;
  }
  *out++ = value <= 0x1fffffff ? static_cast<uint8_t>(0xc0 | value >> 24) : 0xff;
  if (value > 0x1fffffff) *out++ = static_cast<uint8_t>(value >> 24);
  *out++ = static_cast<uint8_t>(value >> 16);
  *out++ = static_cast<uint8_t>(value >> 8);
  *out++ = static_cast<uint8_t>(value);
  return out;
}
inline uint8_t* PutSigned(uint8_t* out, int32_t value) { return PutVarint(out, ZigZag(value)); }

class ByteWriter {
 public:
  // Room for that many bytes without moving what is there.
  void Reserve(size_t size) {
    if (bytes_.size() < size) bytes_.resize(size);
  }
  // For several small things at once: where at least `size` bytes can be written, and the end of
  // what was.
  uint8_t* Room(size_t size) {
    if (bytes_.size() - size_ < size) bytes_.resize(2 * bytes_.size() + size);
    return bytes_.data() + size_;
  }
  void Advance(const uint8_t* end) { size_ = static_cast<size_t>(end - bytes_.data()); }

  // Begins anew, in the same room.
  void Clear() { size_ = 0; }

  void Byte(uint8_t value) {
    *Room(1) = value;
    ++size_;
  }
  void Le16(uint16_t value) {
    Byte(static_cast<uint8_t>(value));
    Byte(static_cast<uint8_t>(value >> 8));
  }
  void Le32(uint32_t value) {
    uint8_t* const at = Room(4);
    for (int i = 0; i < 4; ++i) at[i] = static_cast<uint8_t>(value >> (8 * i));
    size_ += 4;
  }
  void Varint(uint32_t value) { Advance(PutVarint(Room(kMaxVarint), value)); }
  void Signed(int32_t value) { Varint(ZigZag(value)); }
  void Bytes(absl::Span<const uint8_t> bytes) {
    if (bytes.empty()) return;
    std::memcpy(Room(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // Length, then the bytes.
  void String(std::string_view text) {
    Varint(static_cast<uint32_t>(text.size()));
    Bytes(absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  }

  size_t size() const { return size_; }
  absl::Span<const uint8_t> bytes() const { return absl::MakeConstSpan(bytes_.data(), size_); }
  std::vector<uint8_t> Take() {
    bytes_.resize(size_);
    size_ = 0;
    return std::move(bytes_);
  }

 private:
  std::vector<uint8_t> bytes_;  // its first size_ bytes are written
  size_t size_ = 0;
};

// Reads from a span that outlives it. After a read beyond the end or of an ill-formed number, ok()
// is false and stays so, and every further read gives 0: a decoder may check once, after a whole
// record.
class ByteReader {
 public:
  ByteReader() = default;
  explicit ByteReader(absl::Span<const uint8_t> bytes)
      : begin_(bytes.data()), next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return ok_; }
  size_t offset() const { return static_cast<size_t>(next_ - begin_); }
  size_t remaining() const { return static_cast<size_t>(end_ - next_); }
  void Fail() {
    ok_ = false;
    next_ = end_;
  }

  uint8_t Byte() {
    if (next_ == end_) {
      Fail();
      return 0;
    }
    return *next_++;
  }
  uint32_t Varint() {
    if (next_ == end_) {
      Fail();
      return 0;
    }
    const uint8_t first = *next_;
    if (first < 0x80) {
      ++next_;
      return first;
    }
    const size_t size = first < 0xc0 ? 2 : first < 0xe0 ? 4 : first == 0xff ? 5 : 0;
    if (size == 0 || remaining() < size) {
      Fail();
      return 0;
    }
    uint32_t value = first < 0xc0 ? first & 0x3f : first < 0xe0 ? first & 0x1f : 0;
    for (size_t i = 1; i < size; ++i) value = value << 8 | next_[i];
    next_ += size;
    return value;
  }
  int32_t Signed() { return UnZigZag(Varint()); }
  // The next `size` bytes, inside the span; empty on failure.
  absl::Span<const uint8_t> Bytes(size_t size) {
    if (size > remaining()) {
      Fail();
      return {};
    }
    absl::Span<const uint8_t> result(next_, size);
    next_ += size;
    return result;
  }
  std::string_view String() {
    absl::Span<const uint8_t> bytes = Bytes(Varint());
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  // A count of things that take at least `min_size` bytes each, so that a hostile count cannot make
  // a decoder allocate more than the bytes that are there.
  uint32_t Count(size_t min_size = 1) {
    const uint32_t count = Varint();
    if (count > remaining() / min_size) {
      Fail();
      return 0;
    }
    return count;
  }

 private:
  const uint8_t* begin_ = nullptr;
  const uint8_t* next_ = nullptr;
  const uint8_t* end_ = nullptr;
  bool ok_ = true;
};

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_VARINT_H_
