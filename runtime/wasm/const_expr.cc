// Constant expressions (core specification 2.0, section 3.3.11, and extended constant expressions).
#include <cstring>

#include "absl/strings/str_format.h"
#include "runtime/wasm/store_data.h"

namespace precast::runtime::wasm {

namespace {

// LEB128; ModuleData::Decode has made sure that it ends in the range.
uint64_t ReadUnsigned(absl::Span<const uint8_t> bytes, uint32_t& at) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t b = bytes[at++];
    value |= static_cast<uint64_t>(b & 0x7f) << shift;
    if ((b & 0x80) == 0) break;
  }
  return value;
}

int64_t ReadSigned(absl::Span<const uint8_t> bytes, uint32_t& at) {
  uint64_t value = 0;
  int shift = 0;
  uint8_t b;
  do {
    b = bytes[at++];
    value |= static_cast<uint64_t>(b & 0x7f) << shift;
    shift += 7;
  } while ((b & 0x80) != 0 && shift < 64);
  if (shift < 64 && (b & 0x40) != 0) value |= ~uint64_t{0} << shift;
  return static_cast<int64_t>(value);
}

// Extended constant expressions nest, but nobody writes them by hand.
constexpr size_t kMaxDepth = 1024;

}  // namespace

absl::StatusOr<abi::WasmValue> InstanceImpl::Evaluate(ByteRange expression) const {
  const absl::Span<const uint8_t> bytes = data_->bytes;
  std::vector<abi::WasmValue> stack;
  auto push = [&](const void* data, size_t size) {
    abi::WasmValue v = {};
    std::memcpy(v.bytes, data, size);
    stack.push_back(v);
  };
  auto push64 = [&](uint64_t v) { push(&v, 8); };
  auto low = [](const abi::WasmValue& v) {
    uint64_t bits;
    std::memcpy(&bits, v.bytes, 8);
    return bits;
  };
  auto bad = [&](uint32_t at, std::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrFormat("constant expression, offset 0x%x: %s", at, what));
  };
  for (uint32_t at = expression.begin; at < expression.end;) {
    const uint32_t start = at;
    const uint8_t op = bytes[at++];
    if (stack.size() > kMaxDepth) return bad(start, "too deep");
    switch (op) {
      case 0x0b:
        if (stack.size() != 1 || at != expression.end) return bad(start, "one value expected");
        return stack.back();
      case 0x23: {
        const auto global = static_cast<uint32_t>(ReadUnsigned(bytes, at));
        stack.push_back(*GlobalCell(global));
        break;
      }
      case 0x41:
        push64(static_cast<uint32_t>(ReadSigned(bytes, at)));
        break;
      case 0x42:
        push64(static_cast<uint64_t>(ReadSigned(bytes, at)));
        break;
      case 0x43:
        push(&bytes[at], 4);
        at += 4;
        break;
      case 0x44:
        push(&bytes[at], 8);
        at += 8;
        break;
      case 0x6a:
      case 0x6b:
      case 0x6c:
      case 0x7c:
      case 0x7d:
      case 0x7e: {
        if (stack.size() < 2) return bad(start, "operands missing");
        const uint64_t b = low(stack.back());
        stack.pop_back();
        const uint64_t a = low(stack.back());
        stack.pop_back();
        const int which = (op - 0x6a) % 0x12;
        uint64_t v = which == 0 ? a + b : which == 1 ? a - b : a * b;
        if (op < 0x70) v = static_cast<uint32_t>(v);
        push64(v);
        break;
      }
      case 0xd0:
        ++at;
        push64(0);
        break;
      case 0xd2: {
        const auto function = static_cast<uint32_t>(ReadUnsigned(bytes, at));
        const uint32_t record = data_->RecordOf(function);
        if (record == ModuleData::kNone) return bad(start, "undeclared function");
        push64(reinterpret_cast<uint64_t>(RecordAt(record)));
        break;
      }
      case 0xfd:
        ReadUnsigned(bytes, at);
        push(&bytes[at], 16);
        at += 16;
        break;
      default:
        return bad(start, "unknown instruction");
    }
  }
  return bad(expression.end, "unexpected end");
}

}  // namespace precast::runtime::wasm
