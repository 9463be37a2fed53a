// Reads bytes and LEB128 numbers of a function body. After the first failure everything reads as 0
// and failed() says so.
#ifndef PRECAST_RUNTIME_WASM_INTERPRETER_READER_H_
#define PRECAST_RUNTIME_WASM_INTERPRETER_READER_H_

#include <cstdint>
#include <cstring>

#include "absl/types/span.h"

namespace precast::runtime::wasm::interpreter {

class Reader {
 public:
  // The bytes [begin, end) of the file.
  Reader(absl::Span<const uint8_t> file, uint32_t begin, uint32_t end)
      : file_(file), at_(begin), end_(end) {
    if (begin > end || end > file.size()) Fail();
  }

  bool failed() const { return failed_; }
  void Fail() {
    failed_ = true;
    at_ = end_ = 0;
  }
  uint32_t offset() const { return at_; }
  bool at_end() const { return at_ == end_; }
  uint32_t remaining() const { return end_ - at_; }

  uint8_t Byte() {
    if (at_ == end_) {
      Fail();
      return 0;
    }
    return file_[at_++];
  }
  uint8_t Peek() {
    if (at_ == end_) {
      Fail();
      return 0;
    }
    return file_[at_];
  }
  void Bytes(uint8_t* to, uint32_t size) {
    if (remaining() < size) {
      Fail();
      std::memset(to, 0, size);
      return;
    }
    std::memcpy(to, &file_[at_], size);
    at_ += size;
  }

  uint64_t Unsigned(uint32_t bits) {
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < bits; shift += 7) {
      const uint8_t byte = Byte();
      if (bits - shift < 7 && (byte & 0x7f) >> (bits - shift) != 0) break;
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return failed_ ? 0 : value;
    }
    Fail();
    return 0;
  }
  uint32_t U32() { return static_cast<uint32_t>(Unsigned(32)); }

  // Sign-extended to 64 bits.
  int64_t Signed(uint32_t bits) {
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < bits; shift += 7) {
      const uint8_t byte = Byte();
      if (bits - shift < 7) {
        // What is beyond the number must repeat its sign.
        const uint32_t rest = (byte & 0x7fu) >> (bits - shift - 1);
        if (rest != 0 && rest != 0x7fu >> (bits - shift - 1)) break;
      }
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) {
        if (shift + 7 < 64 && (byte & 0x40) != 0) value |= ~uint64_t{0} << (shift + 7);
        return failed_ ? 0 : static_cast<int64_t>(value);
      }
    }
    Fail();
    return 0;
  }

 private:
  absl::Span<const uint8_t> file_;
  uint32_t at_, end_;
  bool failed_ = false;
};

}  // namespace precast::runtime::wasm::interpreter

#endif  // PRECAST_RUNTIME_WASM_INTERPRETER_READER_H_
