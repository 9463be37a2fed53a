// Builds modules byte by byte, for tests: every part is a string of bytes, so that any part can be
// wrong.
#ifndef PRECAST_COMPILER_WASM_TESTING_MODULE_BUILDER_H_
#define PRECAST_COMPILER_WASM_TESTING_MODULE_BUILDER_H_

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace precast::wasm::testing {

using Bytes = std::vector<uint8_t>;

inline Bytes Concat(const std::vector<Bytes>& parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// Unsigned LEB128, of at least `min_bytes` bytes.
inline Bytes Leb(uint64_t value, size_t min_bytes = 1) {
  Bytes out;
  do {
    out.push_back(static_cast<uint8_t>((value & 0x7f) | 0x80));
    value >>= 7;
  } while (value != 0 || out.size() < min_bytes);
  out.back() &= 0x7f;
  return out;
}

inline Bytes String(std::string_view text) {
  return Concat({Leb(text.size()), Bytes(text.begin(), text.end())});
}

// A count, then the items.
inline Bytes Vector(const std::vector<Bytes>& items) {
  return Concat({Leb(items.size()), Concat(items)});
}

// The length in bytes, then the bytes.
inline Bytes Sized(const Bytes& bytes) { return Concat({Leb(bytes.size()), bytes}); }

inline Bytes Section(uint8_t id, const Bytes& contents) { return Concat({{id}, Sized(contents)}); }

inline Bytes Module(const std::vector<Bytes>& sections) {
  return Concat({{0, 'a', 's', 'm', 1, 0, 0, 0}, Concat(sections)});
}

inline Bytes FunctionType(const Bytes& params, const Bytes& results) {
  return Concat({{0x60}, Sized(params), Sized(results)});
}

// A function body with its size: local declarations (a vector of runs), then the code, `end`
// included.
inline Bytes Body(const std::vector<Bytes>& runs, const Bytes& code) {
  return Sized(Concat({Vector(runs), code}));
}

}  // namespace precast::wasm::testing

#endif  // PRECAST_COMPILER_WASM_TESTING_MODULE_BUILDER_H_
