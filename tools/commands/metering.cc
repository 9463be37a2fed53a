// aotc metering: the configuration that a program is metered with, to be read or changed.
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "openvm/metering_json.h"
#include "openvm/metering_schema.h"
#include "tools/commands/commands.h"
#include "tools/commands/io.h"
#include "tools/commands/openvm_flags.h"
#include "tools/commands/run_metered.h"
#include "tools/commands/session.h"

namespace precast::aotc {
namespace {

absl::StatusOr<std::string> Configuration(const std::string& program, const std::string& changes,
                                          const OpenVmFlags& openvm) {
  SessionOptions options;
  options.interpret = true;
  absl::StatusOr<driver::CompileOptions::Abi> abi = openvm.Abi();
  if (!abi.ok()) return abi.status();
  options.abi = *abi;
  absl::StatusOr<std::optional<openvm::Config>> machine = openvm.Config();
  if (!machine.ok()) return machine.status();
  options.openvm_config = *std::move(machine);
  absl::StatusOr<Session> session = Session::Open(program, options);
  if (!session.ok()) return session.status();
  if (!session->is_openvm()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s: not a program for the OpenVM machine; --abi=openvm takes it as one", program));
  }
  absl::StatusOr<openvm::MeteringConfig> config = MeteringOf(*session, changes);
  if (!config.ok()) return config.status();
  return openvm::MeteringToJson(*config);
}

}  // namespace

int MeteringMain(int argc, char** argv) {
  std::string changes;
  bool schema = false;
  OpenVmFlags openvm;
  cli::Command command{
      .name = "metering",
      .usage = "PROGRAM [flags]",
      .summary = "Print what a program is metered with",
      .description =
          "Prints the chips, their costs and the limits that end segments of an OpenVM guest, as "
          "JSON:\n"
          "all fields, OpenVM's defaults for the program's machine, changed by --metering. Change "
          "a\n"
          "copy and give it to `aotc run --metering=FILE`; docs/openvm_segments.md says what each "
          "field\n"
          "means, --schema prints a JSON Schema.",
      .examples =
          "  aotc metering guest.elf >prover.json && aotc run guest.elf "
          "--metering=prover.json\n"
          "  aotc metering --schema >metering.schema.json\n",
      .flags = {cli::Text("metering", 0, "FILE", "changes to the defaults, JSON", &changes),
                cli::Switch("schema", 0, "print the schema of such files; no PROGRAM", &schema)},
      .positional = {}};
  openvm.AddTo(command.flags, /*with_inputs=*/false);
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (schema) {
    if (!command.positional.empty()) return UsageError("metering", "--schema is of no PROGRAM");
    absl::PrintF("%s", openvm::kMeteringSchema);
    return cli::kExitOk;
  }
  if (command.positional.size() != 1) return UsageError("metering", "which PROGRAM?");
  absl::StatusOr<std::string> text = Configuration(command.positional[0], changes, openvm);
  if (!text.ok()) {
    PrintError(text.status().message());
    return cli::kExitFailure;
  }
  absl::PrintF("%s", *text);
  return cli::kExitOk;
}

}  // namespace precast::aotc
