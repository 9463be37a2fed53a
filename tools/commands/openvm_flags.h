// The flags for OpenVM guests that several commands share: --abi, --openvm-config, --input.
#ifndef PRECAST_TOOLS_COMMANDS_OPENVM_FLAGS_H_
#define PRECAST_TOOLS_COMMANDS_OPENVM_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "compiler/driver/driver.h"
#include "openvm/config.h"
#include "tools/cli/command.h"

namespace precast::aotc {

struct OpenVmFlags {
  std::string abi = "auto", config_file;
  std::vector<std::string> inputs;

  // --abi and --openvm-config; with `with_inputs` also --input.
  void AddTo(std::vector<cli::Flag>& flags, bool with_inputs);

  // InvalidArgument for a flag that makes no sense; else about the file.
  absl::StatusOr<driver::CompileOptions::Abi> Abi() const;
  absl::StatusOr<std::optional<openvm::Config>> Config() const;
  absl::StatusOr<std::vector<std::vector<uint8_t>>> Inputs() const;
};

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_OPENVM_FLAGS_H_
