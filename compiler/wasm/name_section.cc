#include "compiler/wasm/name_section.h"

namespace precast::wasm {
namespace {

enum SubsectionId : uint8_t { kModuleName = 0, kFunctionNames = 1 };

bool ReadFunctionNames(ByteReader& in, uint32_t end, NameSection& out) {
  uint32_t count = 0;
  if (!in.U32(count)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t index = 0;
    std::string_view name;
    if (!in.U32(index) || !in.Name(name) || in.offset() > end) return false;
    if (!out.functions.empty() && index <= out.functions.back().first) return false;
    out.functions.emplace_back(index, name);
  }
  return true;
}

}  // namespace

std::optional<NameSection> ReadNameSection(ByteReader in) {
  NameSection names;
  int last_id = -1;
  while (!in.AtEnd()) {
    uint8_t id = 0;
    uint32_t size = 0;
    if (!in.Byte(id) || !in.U32(size) || size > in.Left() || id <= last_id) return std::nullopt;
    last_id = id;
    const uint32_t end = in.offset() + size;
    if (id == kModuleName && (!in.Name(names.module) || in.offset() != end)) return std::nullopt;
    if (id == kFunctionNames && (!ReadFunctionNames(in, end, names) || in.offset() != end)) {
      return std::nullopt;
    }
    in.SkipTo(end);
  }
  return names;
}

}  // namespace precast::wasm
