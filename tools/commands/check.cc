// aotc check: what a loader says about an image.
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "compiler/driver/driver.h"
#include "compiler/guest/program.h"
#include "loader/format/guid.h"
#include "loader/image_check.h"
#include "nlohmann/json.hpp"
#include "tools/commands/commands.h"
#include "tools/commands/image_view.h"
#include "tools/commands/io.h"

namespace precast::aotc {
namespace {

const char* KindName(loader::Finding::Kind kind) {
  switch (kind) {
    case loader::Finding::Kind::kDamaged:
      return "damaged";
    case loader::Finding::Kind::kMismatch:
      return "mismatch";
  }
  return "";
}

std::string AsJson(const std::string& path, const loader::CheckReport& report) {
  using Json = nlohmann::ordered_json;
  Json root = {{"image", path}, {"ok", report.ok()}, {"findings", Json::array()}};
  for (const loader::Finding& f : report.findings) {
    root["findings"].push_back({{"kind", KindName(f.kind)},
                                {"field", f.field},
                                {"offset", f.offset},
                                {"expected", f.expected},
                                {"actual", f.actual}});
  }
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string AsText(const std::string& path, const loader::CheckReport& report, bool against_program,
                   const Palette& p) {
  if (report.ok()) {
    return absl::StrCat(path, ": ", p.green, "good", p.reset,
                        against_program ? ", and an image of that program\n" : "\n");
  }
  std::string out;
  bool damaged = false, other_program = false;
  for (const loader::Finding& f : report.findings) {
    absl::StrAppendFormat(
        &out, "%s: %s%s%s: %s%s%s at offset 0x%x\n  expected  %s\n  actual    %s\n", path, p.red,
        KindName(f.kind), p.reset, p.bold, f.field, p.reset, f.offset, f.expected, f.actual);
    other_program |= f.field == "program_guid";
    damaged |= f.kind == loader::Finding::Kind::kDamaged;
  }
  absl::StrAppendFormat(&out, "%s: %d %s; a loader rejects it. %s\n", path, report.findings.size(),
                        report.findings.size() == 1 ? "finding" : "findings",
                        damaged ? "Was the file cut off or altered? Compile the program again."
                        : other_program
                            ? "It was compiled from another program, or another version of it."
                            : "Compile the program again, with this aotc and for this machine.");
  return out;
}

// Whether a module that is not compiled is valid.
int CheckModule(const std::string& path, absl::Span<const uint8_t> file,
                const std::optional<format::Guid>& guid, bool json) {
  const absl::StatusOr<guest::Program> program = driver::ReadProgram(file);
  loader::CheckReport report;
  if (!program.ok()) {
    report.findings.push_back({loader::Finding::Kind::kDamaged, "module", 0, "a valid module",
                               std::string(program.status().message())});
  } else if (guid && *guid != program->guid) {
    report.findings.push_back({loader::Finding::Kind::kMismatch, "program_guid", 0,
                               format::GuidToString(*guid), format::GuidToString(program->guid)});
  }
  if (json) {
    if (absl::Status s = WriteFileOrStdout("-", AsJson(path, report)); !s.ok())
      PrintError(s.message());
  } else if (report.ok()) {
    absl::PrintF("%s: good, a valid WebAssembly module\n", path);
  } else {
    const loader::Finding& f = report.findings[0];
    absl::PrintF("%s: %s: expected %s\n  actual  %s\n", path, f.field, f.expected, f.actual);
  }
  return report.ok() ? cli::kExitOk : cli::kExitFailure;
}

}  // namespace

int CheckMain(int argc, char** argv) {
  std::string program;
  bool json = false;
  cli::Command command{
      .name = "check",
      .usage = "IMAGE|MODULE.wasm [--program=P] [--json]",
      .summary = "Say whether an image can be loaded here, and if not, everything that is wrong",
      .description =
          "Checks IMAGE as the loader does before it maps anything, and on top of that every "
          "record\n"
          "of every function. Prints all findings with what was expected and what is there.\n"
          "A WebAssembly module that is not compiled is validated.\n"
          "Exit code: 0 the image is good, 1 it is not (or cannot be read).",
      .examples =
          "  aotc check hello.so --program=hello.elf\n"
          "  aotc check hello.so --program=e3b0c442-98fc-1c14-9afb-f4c8996fb924\n",
      .flags = {cli::Text("program", 'p', "P",
                          "what IMAGE must be compiled from: a program file, or a program GUID",
                          &program),
                cli::Switch("json", 0, "print JSON", &json)},
      .positional = {}};
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (command.positional.size() != 1) return UsageError("check", "expected one IMAGE");
  const std::string& path = command.positional[0];

  loader::CheckOptions options;
  options.deep = true;
  if (!program.empty()) {
    absl::StatusOr<format::Guid> guid = ProgramGuid(program);
    if (!guid.ok()) {
      PrintError(guid.status().message());
      return cli::kExitFailure;
    }
    options.program_guid = *guid;
  }
  absl::StatusOr<std::vector<uint8_t>> file = ReadFile(path);
  if (!file.ok()) {
    PrintError(file.status().message());
    return cli::kExitFailure;
  }
  if (LooksLikeWasm(*file)) return CheckModule(path, *file, options.program_guid, json);
  const loader::CheckReport report = loader::CheckImage(*file, options, nullptr);
  const std::string text =
      json ? AsJson(path, report)
           : AsText(path, report, options.program_guid.has_value(), Palette(UseColor(1)));
  if (absl::Status s = WriteFileOrStdout("-", text); !s.ok()) PrintError(s.message());
  return report.ok() ? cli::kExitOk : cli::kExitFailure;
}

}  // namespace precast::aotc
