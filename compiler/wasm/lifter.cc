// What lifting knows of the whole module, and the way in. The work is done by FunctionLifter.
#include "compiler/wasm/lifter.h"

#include "absl/strings/str_cat.h"
#include "compiler/wasm/lift_function.h"

namespace precast::wasm {

LiftContext::LiftContext(const Module& m) : module(m) {
  const uint32_t num_functions = static_cast<uint32_t>(module.functions.size());
  record_of.assign(num_functions, kNoRecord);
  uint32_t records = 0;
  for (uint32_t f = 0; f < num_functions; ++f) {
    if (module.IsImported(f) || module.declared[f]) record_of[f] = records++;
  }
  layout = {.num_records = records,
            .num_memories = static_cast<uint32_t>(module.memories.size()),
            .num_tables = static_cast<uint32_t>(module.tables.size()),
            .num_globals = static_cast<uint32_t>(module.globals.size())};
  export_of.assign(num_functions, kNoExport);
  for (uint32_t e = 0; e < module.exports.size(); ++e) {
    const Export& item = module.exports[e];
    if (item.kind == ExternKind::kFunction && export_of[item.index] == kNoExport) {
      export_of[item.index] = e;
    }
  }
}

namespace {

std::string NameOr(const Module& module, uint32_t function, std::string_view exported) {
  if (function < module.function_names.size() && !module.function_names[function].empty()) {
    return std::string(module.function_names[function]);
  }
  if (!exported.empty()) return std::string(exported);
  return absl::StrCat("wasm[", function, "]");
}

}  // namespace

std::string FunctionName(const Module& module, uint32_t function) {
  for (const Export& item : module.exports) {
    if (item.kind == ExternKind::kFunction && item.index == function) {
      return NameOr(module, function, item.name);
    }
  }
  return NameOr(module, function, {});
}

std::string FunctionName(const LiftContext& context, uint32_t function) {
  const uint32_t e = context.export_of[function];
  return NameOr(context.module, function,
                e == LiftContext::kNoExport ? "" : context.module.exports[e].name);
}

absl::StatusOr<ir::Function> Lift(const LiftContext& context, uint32_t function,
                                  const LiftOptions& options) {
  return FunctionLifter(context, function, options).Run();
}

}  // namespace precast::wasm
