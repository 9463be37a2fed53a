// Imports by name.
#include "absl/strings/str_format.h"
#include "runtime/wasm/module_data.h"
#include "runtime/wasm/store.h"

namespace precast::runtime::wasm {

void Linker::Define(std::string_view module, std::string_view name, Extern what) {
  definitions_.insert_or_assign({std::string(module), std::string(name)}, std::move(what));
}

void Linker::DefineInstance(std::string_view module, Instance* instance) {
  for (const ModuleData::Export& e : instance->module().data().exports)
    if (std::optional<Extern> found = instance->FindExport(e.name)) Define(module, e.name, *found);
}

std::optional<Extern> Linker::Find(std::string_view module, std::string_view name) const {
  auto it = definitions_.find({std::string(module), std::string(name)});
  if (it == definitions_.end()) return std::nullopt;
  return it->second;
}

absl::StatusOr<Instance*> Linker::Instantiate(std::shared_ptr<const Module> module,
                                              const InstanceOptions& options) {
  std::vector<Extern> imports;
  for (const ModuleData::Import& import : module->data().imports) {
    std::optional<Extern> found = Find(import.module, import.name);
    if (!found.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("unknown import: \"%s\" \"%s\"", import.module, import.name));
    }
    imports.push_back(*std::move(found));
  }
  return store_.Instantiate(std::move(module), imports, options);
}

}  // namespace precast::runtime::wasm
