#include "tools/commands/openvm_flags.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "openvm/toml.h"
#include "tools/commands/io.h"

namespace precast::aotc {

void OpenVmFlags::AddTo(std::vector<cli::Flag>& flags, bool with_inputs) {
  flags.push_back(
      cli::Text("abi", 0, "ABI",
                "what a RISC-V program finds around it: linux, openvm, or auto (default:\n"
                "openvm if it has a section .openvm or ends as OpenVM guests do)",
                &abi));
  flags.push_back(cli::Text("openvm-config", 0, "FILE",
                            "OpenVM: the machine, an openvm.toml (extensions, moduli, curves)",
                            &config_file));
  if (!with_inputs) return;
  flags.push_back(cli::Texts("input", 0, "FILE|hex:DIGITS",
                             "OpenVM: the next byte vector that the guest reads; repeatable",
                             &inputs));
}

absl::StatusOr<driver::CompileOptions::Abi> OpenVmFlags::Abi() const {
  using Abi = driver::CompileOptions::Abi;
  if (abi == "auto") return Abi::kAuto;
  if (abi == "linux") return Abi::kLinux;
  if (abi == "openvm") return Abi::kOpenVm;
  return absl::InvalidArgumentError(
      absl::StrCat("--abi: expected auto, linux or openvm, found \"", abi, "\""));
}

absl::StatusOr<std::optional<openvm::Config>> OpenVmFlags::Config() const {
  if (config_file.empty()) return std::nullopt;
  absl::StatusOr<std::vector<uint8_t>> bytes = ReadFile(config_file);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<openvm::Config> config =
      openvm::ReadConfig({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  if (!config.ok()) {
    return absl::Status(config.status().code(),
                        absl::StrCat(config_file, ": ", config.status().message()));
  }
  return *std::move(config);
}

absl::StatusOr<std::vector<std::vector<uint8_t>>> OpenVmFlags::Inputs() const {
  std::vector<std::vector<uint8_t>> vectors;
  for (const std::string& input : inputs) {
    std::string_view digits = input;
    if (!absl::ConsumePrefix(&digits, "hex:")) {
      absl::StatusOr<std::vector<uint8_t>> bytes = ReadFile(input);
      if (!bytes.ok()) return bytes.status();
      vectors.push_back(*std::move(bytes));
      continue;
    }
    auto value = [](char c) {
      return c >= '0' && c <= '9'                 ? c - '0'
             : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                  : -1;
    };
    std::vector<uint8_t>& bytes = vectors.emplace_back();
    for (size_t i = 0; i < digits.size(); i += 2) {
      if (i + 1 == digits.size() || value(digits[i]) < 0 || value(digits[i + 1]) < 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("--input: expected pairs of hexadecimal digits, found \"", input, "\""));
      }
      bytes.push_back(static_cast<uint8_t>(value(digits[i]) << 4 | value(digits[i + 1])));
    }
  }
  return vectors;
}

}  // namespace precast::aotc
