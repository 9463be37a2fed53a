// Modules: what instantiation needs, computed once.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/wasm/store_data.h"

namespace precast::runtime::wasm {

std::string_view TrapText(abi::TrapCode code) {
  switch (code) {
#define PRECAST_TRAP(Name, text) \
  case abi::TrapCode::k##Name:   \
    return text;
#include "runtime/abi/traps.def"
#undef PRECAST_TRAP
  }
  return "unknown trap";
}

std::string FunctionName(const ModuleData& module, uint32_t function) {
  const std::vector<std::string_view>& names = module.function_names();
  if (function < names.size() && !names[function].empty()) return std::string(names[function]);
  for (const ModuleData::Export& e : module.exports) {
    if (e.kind == ExternKind::kFunction && e.index == function && !e.name.empty())
      return std::string(e.name);
  }
  return absl::StrCat("wasm[", function, "]");
}

std::optional<uint32_t> FunctionAt(const ModuleData& module, uint32_t offset) {
  const std::vector<ByteRange>& bodies = module.bodies();  // in file order
  size_t low = 0, high = bodies.size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (bodies[middle].end <= offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == bodies.size() || offset < bodies[low].begin) return std::nullopt;
  return module.num_imported_functions + static_cast<uint32_t>(low);
}

absl::StatusOr<std::shared_ptr<const Module>> Module::FromImage(
    std::shared_ptr<const loader::Image> image) {
  if (image->guest_module().empty())
    return absl::InvalidArgumentError("the image is not of a WebAssembly module");
  absl::StatusOr<std::unique_ptr<ModuleData>> data = ModuleData::Decode(
      image->guest_module(), image->declared_functions(), image->element_functions());
  if (!data.ok()) return data.status();
  (*data)->metered = image->metered();
  (*data)->image = std::move(image);
  return Create(*std::move(data));
}

absl::StatusOr<std::shared_ptr<const Module>> Module::FromValidatedBytes(
    std::vector<uint8_t> bytes) {
  absl::StatusOr<std::unique_ptr<ModuleData>> data = ModuleData::Decode(bytes);
  if (!data.ok()) return data.status();
  // The data refers to the buffer, which moving does not move.
  (*data)->storage = std::move(bytes);
  return Create(*std::move(data));
}

absl::StatusOr<std::shared_ptr<const Module>> Module::Create(std::unique_ptr<ModuleData> data) {
  auto runtime = std::make_unique<ModuleRuntime>();
  const ModuleData& m = *data;
  for (const FuncType& type : m.types) {
    runtime->signatures.push_back(InternSignature(type));
    runtime->signature_pointers.push_back(runtime->signatures.back().get());
  }
  if (!m.memories.empty()) runtime->memory = 0;
  for (uint32_t i = 0; i < m.exports.size(); ++i) {
    const ModuleData::Export& e = m.exports[i];
    runtime->exports.emplace(e.name, i);
    if (e.kind == ExternKind::kMemory && e.name == "memory") runtime->memory = e.index;
  }
  std::shared_ptr<Module> module(new Module);
  module->data_ = std::move(data);
  module->runtime_ = std::move(runtime);
  return module;
}

Module::~Module() = default;

namespace {

ExternType TypeOf(const ModuleData& m, ExternKind kind, uint32_t index) {
  ExternType type;
  type.kind = kind;
  switch (kind) {
    case ExternKind::kFunction:
      if (const std::optional<uint32_t> known = m.TypeOf(index)) type.function = m.types[*known];
      break;
    case ExternKind::kTable:
      type.table = m.tables[index].type;
      break;
    case ExternKind::kMemory:
      type.memory = m.memories[index];
      break;
    case ExternKind::kGlobal:
      type.global = m.globals[index].type;
      break;
  }
  return type;
}

}  // namespace

std::vector<Module::ImportType> Module::imports() const {
  std::vector<ImportType> result;
  for (const ModuleData::Import& i : data_->imports)
    result.push_back({i.module, i.name, TypeOf(*data_, i.kind, i.index)});
  return result;
}

std::vector<Module::ExportType> Module::exports() const {
  std::vector<ExportType> result;
  for (const ModuleData::Export& e : data_->exports)
    result.push_back({e.name, TypeOf(*data_, e.kind, e.index)});
  return result;
}

bool Module::has_native_code() const { return data_->image != nullptr; }

}  // namespace precast::runtime::wasm
