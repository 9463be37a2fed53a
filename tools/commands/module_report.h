// What is in a WebAssembly module, for `aotc inspect`: of a module file or of the one inside an
// image.
#ifndef PRECAST_TOOLS_COMMANDS_MODULE_REPORT_H_
#define PRECAST_TOOLS_COMMANDS_MODULE_REPORT_H_

#include <string>

#include "nlohmann/json.hpp"
#include "runtime/wasm/module_data.h"
#include "tools/commands/io.h"

namespace precast::aotc {

// Imports, exports, memories, tables and counts of the rest, under headings as `aotc inspect`
// prints them.
std::string ModuleAsText(const runtime::wasm::ModuleData& module, const Palette& palette);
nlohmann::ordered_json ModuleAsJson(const runtime::wasm::ModuleData& module);

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_MODULE_REPORT_H_
