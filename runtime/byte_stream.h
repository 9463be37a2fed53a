// Little-endian numbers and sized strings, for the state files of the runtime. The reader takes any
// bytes.
#ifndef PRECAST_RUNTIME_BYTE_STREAM_H_
#define PRECAST_RUNTIME_BYTE_STREAM_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/types/span.h"

namespace precast::runtime {

class ByteWriter {
 public:
  template <typename T>
  void Number(T value) {
    static_assert(std::is_unsigned_v<T>);
    char bytes[sizeof(T)];
    for (size_t i = 0; i < sizeof(T); ++i)
      bytes[i] = static_cast<char>(uint64_t{value} >> (8 * i) & 0xFF);
    bytes_.append(bytes, sizeof(T));
  }
  void Bytes(absl::Span<const uint8_t> bytes) {
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void String(std::string_view text) {
    Number(static_cast<uint32_t>(text.size()));
    bytes_.append(text);
  }
  void Reserve(size_t size) { bytes_.reserve(size); }
  size_t size() const { return bytes_.size(); }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reading past the end gives zeros and makes ok() false for good.
class ByteReader {
 public:
  explicit ByteReader(absl::Span<const uint8_t> bytes) : bytes_(bytes) {}

  template <typename T>
  T Number() {
    static_assert(std::is_unsigned_v<T>);
    absl::Span<const uint8_t> bytes = Bytes(sizeof(T));
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{bytes[i]} << (8 * i);
    return static_cast<T>(value);
  }
  // Empty when there are not as many.
  absl::Span<const uint8_t> Bytes(uint64_t count) {
    if (count > bytes_.size() - offset_) {
      ok_ = false;
      offset_ = bytes_.size();
      return {};
    }
    absl::Span<const uint8_t> result = bytes_.subspan(offset_, count);
    offset_ += count;
    return result;
  }
  std::string String() {
    absl::Span<const uint8_t> bytes = Bytes(Number<uint32_t>());
    return std::string(bytes.begin(), bytes.end());
  }
  bool ok() const { return ok_; }
  size_t offset() const { return offset_; }
  bool AtEnd() const { return offset_ == bytes_.size(); }

 private:
  absl::Span<const uint8_t> bytes_;
  size_t offset_ = 0;
  bool ok_ = true;
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_BYTE_STREAM_H_
