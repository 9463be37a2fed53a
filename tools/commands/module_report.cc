#include "tools/commands/module_report.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/commands/wasm_values.h"

namespace precast::aotc {
namespace {

using Json = nlohmann::ordered_json;
using runtime::wasm::ExternKind;
using runtime::wasm::ExternType;
using runtime::wasm::ModuleData;

// The type of thing `index` in the index space of `kind`; nothing if the module is damaged.
std::string TypeOf(const ModuleData& module, ExternKind kind, uint32_t index) {
  ExternType type{.kind = kind, .function = {}, .table = {}, .memory = {}, .global = {}};
  switch (kind) {
    case ExternKind::kFunction:
      if (index >= module.num_functions || !module.TypeOf(index)) return "";
      type.function = module.types[*module.TypeOf(index)];
      break;
    case ExternKind::kTable:
      if (index >= module.tables.size()) return "";
      type.table = module.tables[index].type;
      break;
    case ExternKind::kMemory:
      if (index >= module.memories.size()) return "";
      type.memory = module.memories[index];
      break;
    case ExternKind::kGlobal:
      if (index >= module.globals.size()) return "";
      type.global = module.globals[index].type;
      break;
  }
  return TypeText(type);
}

uint64_t DataBytes(const ModuleData& module) {
  uint64_t bytes = 0;
  for (const ModuleData::DataSegment& segment : module.data())
    bytes += segment.bytes.end - segment.bytes.begin;
  return bytes;
}

}  // namespace

std::string ModuleAsText(const ModuleData& module, const Palette& p) {
  std::string out;
  const auto heading = [&](std::string_view text) {
    absl::StrAppend(&out, out.empty() ? "" : "\n", p.bold, text, p.reset, "\n");
  };
  const auto row = [&](std::string_view name, std::string_view value) {
    absl::StrAppendFormat(&out, "  %-18s %s\n", name, value);
  };
  heading("Module");
  row("bytes", Grouped(module.bytes.size()));
  row("functions", absl::StrFormat("%s, and %s imported", Grouped(module.bodies().size()),
                                   Grouped(module.num_imported_functions)));
  row("types", Grouped(module.types.size()));
  for (uint32_t i = 0; i < module.memories.size(); ++i)
    row(absl::StrCat("memory ", i), TypeOf(module, ExternKind::kMemory, i).substr(7));
  for (uint32_t i = 0; i < module.tables.size(); ++i)
    row(absl::StrCat("table ", i), TypeOf(module, ExternKind::kTable, i).substr(6));
  row("globals", Grouped(module.globals.size()));
  row("element segments", Grouped(module.elements.size()));
  row("data segments", absl::StrFormat("%s, %s bytes", Grouped(module.num_data_segments()),
                                       Grouped(DataBytes(module))));
  if (module.start) row("start function", absl::StrCat(*module.start));

  size_t width = 0;
  for (const ModuleData::Import& i : module.imports)
    width = std::max(width, i.module.size() + 1 + i.name.size());
  for (const ModuleData::Export& e : module.exports) width = std::max(width, e.name.size());
  const int column = static_cast<int>(std::min<size_t>(width, 40));
  if (!module.imports.empty()) heading("Imports");
  for (const ModuleData::Import& i : module.imports) {
    absl::StrAppendFormat(&out, "  %-*s  %s\n", column, absl::StrCat(i.module, ".", i.name),
                          TypeOf(module, i.kind, i.index));
  }
  if (!module.exports.empty()) heading("Exports");
  for (const ModuleData::Export& e : module.exports)
    absl::StrAppendFormat(&out, "  %-*s  %s\n", column, e.name, TypeOf(module, e.kind, e.index));
  return out;
}

Json ModuleAsJson(const ModuleData& module) {
  constexpr const char* kKinds[] = {"function", "table", "memory", "global"};
  Json root = {{"bytes", module.bytes.size()},
               {"functions", module.bodies().size()},
               {"imported_functions", module.num_imported_functions},
               {"types", module.types.size()},
               {"globals", module.globals.size()},
               {"element_segments", module.elements.size()},
               {"data_segments", module.num_data_segments()},
               {"data_bytes", DataBytes(module)},
               {"memories", Json::array()},
               {"tables", Json::array()},
               {"imports", Json::array()},
               {"exports", Json::array()}};
  const auto limits = [](const runtime::wasm::Limits& l) {
    Json json = {{"min", l.min}};
    if (l.max) json["max"] = *l.max;
    return json;
  };
  for (const runtime::wasm::MemoryType& m : module.memories) {
    Json json = limits(m.limits);
    json["is_64"] = m.is_64;
    json["shared"] = m.shared;
    root["memories"].push_back(std::move(json));
  }
  for (const ModuleData::Table& t : module.tables) {
    Json json = limits(t.type.limits);
    json["element"] = TypeName(t.type.element);
    json["is_64"] = t.type.is_64;
    root["tables"].push_back(std::move(json));
  }
  if (module.start) root["start"] = *module.start;
  for (const ModuleData::Import& i : module.imports) {
    root["imports"].push_back({{"module", i.module},
                               {"name", i.name},
                               {"kind", kKinds[static_cast<int>(i.kind)]},
                               {"type", TypeOf(module, i.kind, i.index)}});
  }
  for (const ModuleData::Export& e : module.exports) {
    root["exports"].push_back({{"name", e.name},
                               {"kind", kKinds[static_cast<int>(e.kind)]},
                               {"index", e.index},
                               {"type", TypeOf(module, e.kind, e.index)}});
  }
  return root;
}

}  // namespace precast::aotc
