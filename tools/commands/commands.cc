#include "tools/commands/commands.h"

#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "loader/format/cpu_features.h"
#include "tools/commands/image_view.h"
#include "tools/commands/io.h"

namespace precast::aotc {

cli::Flag OptLevelFlag(int* level) {
  return {
      "opt-level", 'O', "N",
      "0: fast to compile; 1: whole regions in SSA form (default); 2: every optimization",
      [level](std::string_view text) {
        if (text != "0" && text != "1" && text != "2") {
          return absl::InvalidArgumentError(
              absl::StrCat("expected 0, 1 or 2, found \"", text, "\""));
        }
        *level = text[0] - '0';
        return absl::OkStatus();
      }};
}

cli::Flag CpuFlag(uint64_t* features) {
  return {"cpu", 0, "NAME",
          "the oldest processor that shall run the code: x86-64, x86-64-v2, x86-64-v3, or native\n"
          "(this machine, up to v3). Default: x86-64 for RISC-V, x86-64-v2 for WebAssembly,\n"
          "which never needs less",
          [features](std::string_view text) {
            const std::optional<uint64_t> found = format::CpuFeaturesOf(text);
            if (!found.has_value()) {
              return absl::InvalidArgumentError(absl::StrCat(
                  "expected x86-64, x86-64-v2, x86-64-v3 or native, found \"", text, "\""));
            }
            *features = *found;
            return absl::OkStatus();
          }};
}

absl::StatusOr<std::vector<ImportFlag>> ParseImports(const std::vector<std::string>& flags) {
  std::vector<ImportFlag> imports;
  for (const std::string& flag : flags) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(flag, absl::MaxSplits('=', 1));
    if (parts.first.empty() || parts.second.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--import: expected NAME=FILE, found \"", flag, "\""));
    }
    imports.push_back({parts.first, parts.second});
  }
  return imports;
}

absl::StatusOr<format::Guid> ProgramGuid(const std::string& file_or_guid) {
  if (std::optional<format::Guid> guid = format::ParseGuid(file_or_guid)) return *guid;
  absl::StatusOr<std::vector<uint8_t>> file = ReadFile(file_or_guid);
  if (!file.ok()) return file.status();
  if (LooksLikeImage(*file)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--program: ", file_or_guid, " is an image, expected a guest program"));
  }
  return format::GuidOf(*file);
}

int UsageError(std::string_view command, std::string_view message) {
  absl::FPrintF(stderr, "%s %s: %s\nTry \"%s %s --help\".\n", kProgram, command, message, kProgram,
                command);
  return cli::kExitUsage;
}

}  // namespace precast::aotc
