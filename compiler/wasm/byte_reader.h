// Reads the primitive pieces of the binary format: bytes, LEB128 integers, names (core
// specification 2.0, section 5.2). Module reader and instruction reader are built from it.
#ifndef PRECAST_COMPILER_WASM_BYTE_READER_H_
#define PRECAST_COMPILER_WASM_BYTE_READER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "compiler/wasm/module.h"

namespace precast::wasm {

// "<message> at offset 0x1f": how all faults in a module are reported.
absl::Status FaultAt(uint32_t offset, std::string_view message);
// The same for a module that is beyond a limit of limits.h: "<what>: <actual>, at most <limit>
// allowed at offset 0x1f".
absl::Status LimitAt(uint32_t offset, std::string_view what, uint64_t actual, uint64_t limit);

// A cursor in a range of the file. Every function returns whether it succeeded; after a failure
// status() says why and where, and the position is unspecified.
class ByteReader {
 public:
  ByteReader(absl::Span<const uint8_t> file, ByteRange range)
      : data_(file.data()), at_(range.begin), end_(range.end) {}

  uint32_t offset() const { return at_; }
  uint32_t end() const { return end_; }
  uint32_t Left() const { return end_ - at_; }
  bool AtEnd() const { return at_ == end_; }
  void SkipTo(uint32_t offset) { at_ = offset; }

  bool Byte(uint8_t& out) {
    if (at_ == end_) return Fail(at_, "unexpected end");
    out = data_[at_++];
    return true;
  }
  // Only with bytes left.
  uint8_t Peek() const { return data_[at_]; }
  // For who looks at several bytes at once; only as many as are left.
  const uint8_t* data() const { return data_ + at_; }
  void Skip(uint32_t bytes) { at_ += bytes; }

  bool U32(uint32_t& out) {
    if (at_ != end_ && data_[at_] < 0x80) {
      out = data_[at_++];
      return true;
    }
    uint64_t value = 0;
    if (!Unsigned(32, value)) return false;
    out = static_cast<uint32_t>(value);
    return true;
  }
  bool U64(uint64_t& out) {
    if (at_ != end_ && data_[at_] < 0x80) {
      out = data_[at_++];
      return true;
    }
    return Unsigned(64, out);
  }
  bool S32(int64_t& out) { return SmallSigned(out) || Signed(32, out); }
  bool S33(int64_t& out) { return SmallSigned(out) || Signed(33, out); }
  bool S64(int64_t& out) { return SmallSigned(out) || Signed(64, out); }

  // `size` bytes, little-endian; at most 8.
  bool Fixed(uint32_t size, uint64_t& out);
  bool Bytes(uint32_t size, absl::Span<const uint8_t>& out);
  // A length and as many bytes of UTF-8.
  bool Name(std::string_view& out);

  // Notes a fault and returns false.
  bool Fail(uint32_t offset, std::string_view message);
  absl::Status status() const { return FaultAt(fault_offset_, fault_); }

 private:
  // One of a single byte, which most are; else nothing is read.
  bool SmallSigned(int64_t& out) {
    if (at_ == end_ || data_[at_] >= 0x80) return false;
    const int64_t byte = data_[at_++];
    out = (byte ^ 0x40) - 0x40;
    return true;
  }
  bool Unsigned(int bits, uint64_t& out);
  bool Signed(int bits, int64_t& out);

  const uint8_t* data_;
  uint32_t at_, end_;
  uint32_t fault_offset_ = 0;
  std::string fault_;
};

// Whether `bytes` are well-formed UTF-8: no over-long forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view bytes);

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_BYTE_READER_H_
