// `aotc run` of a WebAssembly module: a WASI command, or one of its functions.
#ifndef PRECAST_TOOLS_COMMANDS_RUN_WASM_H_
#define PRECAST_TOOLS_COMMANDS_RUN_WASM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/host/wasi/wasi.h"
#include "tools/commands/session.h"

namespace precast::aotc {

struct WasmRunOptions {
  std::string file;                   // what is run, for messages
  runtime::wasi::WasiOptions wasi;    // its `arguments` are also those of an invoked function
  std::optional<std::string> invoke;  // the export to call; none: _start
  std::optional<uint64_t> fuel;       // none: unlimited
  std::vector<ImportFlag> imports;    // what other modules and images provide
  uint64_t native_stack = uint64_t{8} << 20;
  bool huge_pages = true;
  bool stats = false, json = false;  // at the end, counts and times, as text or JSON
  std::string stats_file;            // there instead of stderr
  SessionOptions session;            // as the session was opened; imports are opened so too
};

// Runs it, prints results and what went wrong; returns the exit code of the process.
int RunWasm(const Session& session, const WasmRunOptions& options);

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_RUN_WASM_H_
