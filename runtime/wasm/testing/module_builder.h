// Writes WebAssembly modules byte by byte, for tests of the runtime: they must not depend on a text
// format library, nor on the compiler.
#ifndef PRECAST_RUNTIME_WASM_TESTING_MODULE_BUILDER_H_
#define PRECAST_RUNTIME_WASM_TESTING_MODULE_BUILDER_H_

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace precast::runtime::wasm::testing {

using Bytes = std::vector<uint8_t>;

inline Bytes Leb(uint64_t v) {
  Bytes out;
  do {
    out.push_back(static_cast<uint8_t>((v & 0x7f) | (v > 0x7f ? 0x80 : 0)));
    v >>= 7;
  } while (v != 0);
  return out;
}

// Of signed constants.
inline Bytes Sleb(int64_t v) {
  Bytes out;
  for (;;) {
    uint8_t b = static_cast<uint8_t>(v & 0x7f);
    v >>= 7;
    bool last = (v == 0 && (b & 0x40) == 0) || (v == -1 && (b & 0x40) != 0);
    out.push_back(last ? b : static_cast<uint8_t>(b | 0x80));
    if (last) return out;
  }
}

inline Bytes Cat(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// A vector of the format: count, then the items.
inline Bytes Vec(const std::vector<Bytes>& items) {
  Bytes out = Leb(items.size());
  for (const Bytes& item : items) out.insert(out.end(), item.begin(), item.end());
  return out;
}

inline Bytes Sized(const Bytes& contents) { return Cat({Leb(contents.size()), contents}); }
inline Bytes Name(std::string_view name) { return Sized(Bytes(name.begin(), name.end())); }
inline Bytes Section(uint8_t id, const Bytes& contents) {
  return Cat({Bytes{id}, Sized(contents)});
}
inline Bytes SectionOf(uint8_t id, const std::vector<Bytes>& items) {
  return Section(id, Vec(items));
}

inline Bytes FunctionType(const Bytes& params, const Bytes& results) {
  return Cat({Bytes{0x60}, Sized(params), Sized(results)});
}
inline Bytes Import(std::string_view module, std::string_view name, const Bytes& description) {
  return Cat({Name(module), Name(name), description});
}
inline Bytes Export(std::string_view name, uint8_t kind, uint32_t index) {
  return Cat({Name(name), Bytes{kind}, Leb(index)});
}
// `locals`: as encoded, {0} for none; `code` without the last `end`.
inline Bytes Body(const Bytes& locals, const Bytes& code) {
  return Sized(Cat({locals, code, Bytes{0x0b}}));
}
inline Bytes Body(const Bytes& code) { return Body(Bytes{0}, code); }

inline Bytes Module(std::initializer_list<Bytes> sections) {
  return Cat({Bytes{0, 'a', 's', 'm', 1, 0, 0, 0}, Cat(sections)});
}

inline constexpr uint8_t kI32 = 0x7f, kI64 = 0x7e, kF32 = 0x7d, kF64 = 0x7c, kV128 = 0x7b,
                         kFuncRef = 0x70, kExternRef = 0x6f;

}  // namespace precast::runtime::wasm::testing

#endif  // PRECAST_RUNTIME_WASM_TESTING_MODULE_BUILDER_H_
