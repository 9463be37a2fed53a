// See script.h.
#include "tools/wast/script.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace precast::wast {
namespace {

using nlohmann::json;

struct KindName {
  std::string_view name;
  Command::Kind kind;
};
constexpr KindName kKinds[] = {
    {"module", Command::Kind::kModule},
    {"register", Command::Kind::kRegister},
    {"action", Command::Kind::kAction},
    {"assert_return", Command::Kind::kAssertReturn},
    {"assert_trap", Command::Kind::kAssertTrap},
    {"assert_exhaustion", Command::Kind::kAssertExhaustion},
    {"assert_malformed", Command::Kind::kAssertMalformed},
    {"assert_invalid", Command::Kind::kAssertInvalid},
    {"assert_unlinkable", Command::Kind::kAssertUnlinkable},
    {"assert_uninstantiable", Command::Kind::kAssertUninstantiable},
};

std::string Text(const json& j, const char* key) {
  const auto it = j.find(key);
  return it != j.end() && it->is_string() ? it->get<std::string>() : std::string();
}

absl::StatusOr<Action> ParseAction(const json& j) {
  Action action;
  const std::string type = Text(j, "type");
  if (type != "invoke" && type != "get") {
    return absl::InvalidArgumentError(absl::StrCat("action of type \"", type, "\""));
  }
  action.kind = type == "get" ? Action::Kind::kGet : Action::Kind::kInvoke;
  action.module = Text(j, "module");
  action.field = Text(j, "field");
  const auto args = j.find("args");
  if (args != j.end() && args->is_array()) {
    for (const json& arg : *args) {
      absl::StatusOr<runtime::wasm::Value> value = ParseValue(arg);
      if (!value.ok()) return value.status();
      action.arguments.push_back(*value);
    }
  }
  return action;
}

absl::StatusOr<std::vector<Pattern>> ParsePatterns(const json& list) {
  std::vector<Pattern> out;
  for (const json& j : list) {
    absl::StatusOr<Pattern> pattern = ParsePattern(j);
    if (!pattern.ok()) return pattern.status();
    out.push_back(*std::move(pattern));
  }
  return out;
}

absl::StatusOr<Command> ParseCommand(const json& j, const ModuleFiles& files) {
  Command c;
  const std::string type = Text(j, "type");
  for (const KindName& k : kKinds) {
    if (k.name == type) c.kind = k.kind;
  }
  if (j.contains("line") && j["line"].is_number_integer()) c.line = j["line"].get<int>();
  c.text = c.kind == Command::Kind::kUnknown    ? type
           : c.kind == Command::Kind::kRegister ? Text(j, "as")
                                                : Text(j, "text");
  c.name = Text(j, "name");
  c.is_text = Text(j, "module_type") == "text";
  c.definition = j.contains("definition");
  if (const std::string file = Text(j, "filename"); !file.empty() && !c.is_text) {
    absl::StatusOr<std::vector<uint8_t>> bytes = files(file);
    if (!bytes.ok()) return bytes.status();
    c.module = *std::move(bytes);
  }
  if (j.contains("action")) {
    absl::StatusOr<Action> action = ParseAction(j["action"]);
    if (!action.ok()) return action.status();
    c.action = *std::move(action);
  }
  if (c.kind != Command::Kind::kAssertReturn) return c;
  if (j.contains("either") && j["either"].is_array()) {
    // Each alternative is one result, or a list of them.
    for (const json& alternative : j["either"]) {
      absl::StatusOr<std::vector<Pattern>> patterns =
          ParsePatterns(alternative.is_array() ? alternative : json::array({alternative}));
      if (!patterns.ok()) return patterns.status();
      c.expected.push_back(*std::move(patterns));
    }
  } else if (j.contains("expected") && j["expected"].is_array()) {
    absl::StatusOr<std::vector<Pattern>> patterns = ParsePatterns(j["expected"]);
    if (!patterns.ok()) return patterns.status();
    c.expected.push_back(*std::move(patterns));
  }
  return c;
}

}  // namespace

absl::StatusOr<Script> ParseScriptJson(std::string_view name, std::string_view text,
                                       const ModuleFiles& files) {
  const json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object() || !root.contains("commands") || !root["commands"].is_array()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": not the JSON form of a script (no list \"commands\")"));
  }
  Script script{.name = std::string(name), .commands = {}};
  for (const json& j : root["commands"]) {
    absl::StatusOr<Command> command =
        j.is_object() ? ParseCommand(j, files) : absl::InvalidArgumentError("not an object");
    if (!command.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(name, ": command ", script.commands.size(),
                                                     ": ", command.status().message()));
    }
    script.commands.push_back(*std::move(command));
  }
  return script;
}

}  // namespace precast::wast
