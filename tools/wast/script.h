// A WebAssembly specification script as a list of commands: what both of its forms on disk say. The
// forms: the text (`.wast`, read by the text format's library, text.h), and the JSON that
// `wast2json` of the WebAssembly Binary Toolkit makes of it, with a module file beside it for each
// module.
#ifndef PRECAST_TOOLS_WAST_SCRIPT_H_
#define PRECAST_TOOLS_WAST_SCRIPT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/wast/values.h"

namespace precast::wast {

struct Action {
  enum class Kind : uint8_t { kInvoke, kGet } kind = Kind::kInvoke;
  std::string module;  // name in the script; empty: the latest module
  std::string field;
  std::vector<runtime::wasm::Value> arguments;
};

struct Command {
  enum class Kind : uint8_t {
    kModule,
    kRegister,
    kAction,
    kAssertReturn,
    kAssertTrap,
    kAssertExhaustion,
    kAssertMalformed,
    kAssertInvalid,
    kAssertUnlinkable,
    kAssertUninstantiable,
    kUnknown,  // `text` says what
  };
  Kind kind = Kind::kUnknown;
  int line = 0;
  // Commands with a module.
  std::string name;  // with $, or empty
  std::vector<uint8_t> module;
  bool is_text = false;     // assert_malformed: the module is text, not bytes
  bool definition = false;  // not instantiated
  // kRegister: `name` is known to later modules as `text`. Assertions: the text expected. kUnknown:
  // what it is.
  std::string text;
  Action action;
  // kAssertReturn: the results match all of one of these lists.
  std::vector<std::vector<Pattern>> expected;
};

struct Script {
  std::string name;
  std::vector<Command> commands;
};

// Gives the bytes of a module file that the JSON names.
using ModuleFiles = std::function<absl::StatusOr<std::vector<uint8_t>>(const std::string& name)>;

absl::StatusOr<Script> ParseScriptJson(std::string_view name, std::string_view json,
                                       const ModuleFiles& files);

}  // namespace precast::wast

#endif  // PRECAST_TOOLS_WAST_SCRIPT_H_
