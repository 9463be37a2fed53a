#include "tools/bench/engine.h"

#include <fnmatch.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace precast::bench {

std::string GuestKindName(GuestKind kind) {
  switch (kind) {
    case GuestKind::kNative:
      return "native";
    case GuestKind::kRiscv:
      return "riscv";
    case GuestKind::kWasm:
      return "wasm";
  }
  return "?";
}

Argv Expand(const Argv& argv, const Placeholders& placeholders) {
  std::vector<std::pair<std::string, std::string>> replacements;
  for (const auto& [name, value] : placeholders.words) {
    replacements.emplace_back(absl::StrCat("{", name, "}"), value);
  }
  Argv result;
  for (const std::string& word : argv) {
    bool is_list = false;
    for (const auto& [name, values] : placeholders.lists) {
      if (word != absl::StrCat("{", name, "}")) continue;
      result.insert(result.end(), values.begin(), values.end());
      is_list = true;
    }
    if (!is_list) result.push_back(absl::StrReplaceAll(word, replacements));
  }
  return result;
}

bool IsSelected(const std::string& patterns, const std::string& name) {
  bool first = true, selected = true;
  for (const std::string_view part : absl::StrSplit(patterns, ',', absl::SkipEmpty())) {
    const bool removes = absl::StartsWith(part, "-");
    const std::string pattern(part.substr(removes ? 1 : 0));
    if (first) selected = removes;
    first = false;
    if (fnmatch(pattern.c_str(), name.c_str(), 0) == 0) selected = !removes;
  }
  return selected;
}

}  // namespace precast::bench
