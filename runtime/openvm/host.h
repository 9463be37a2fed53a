// The host ABI of OpenVM guests: memory of 2^k bytes that may all be read and written, naturally
// aligned accesses, hint streams, public values, and the custom instructions of the extensions
// linked into this program. docs/openvm.md describes it.
#ifndef PRECAST_RUNTIME_OPENVM_HOST_H_
#define PRECAST_RUNTIME_OPENVM_HOST_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "openvm/config.h"
#include "openvm/extension.h"
#include "openvm/machine.h"
#include "runtime/host/host_abi.h"
#include "runtime/interpreter/custom.h"
#include "runtime/openvm/random.h"

namespace precast::runtime {

// Exit code of a guest that executes `ecall`, `ebreak` or touches a CSR: OpenVM has none of them.
inline constexpr uint32_t kUnimplementedExitCode = 2;

struct OpenVmHostOptions {
  precast::openvm::Config config;
  std::vector<std::vector<uint8_t>> inputs;         // what hintinput gives, one after the other
  int stdout_fd = 1;                                // of printstr
  uint64_t seed = 0;                                // of hintrandom
  precast::openvm::Deferrals* deferrals = nullptr;  // outlives the host; null: there are none
};

class OpenVmHost final : public HostAbi, private CustomInstructions {
 public:
  // NotFound, naming them, if this program lacks one of these extensions (openvm::ExtensionId) or
  // has another version of it.
  static absl::Status CheckExtensions(absl::Span<const std::string> ids);

  // InvalidArgument if an extension does not take the configuration; NotFound if it names one that
  // is not linked into this program.
  static absl::StatusOr<std::unique_ptr<OpenVmHost>> Create(OpenVmHostOptions options);

  std::string name() const override { return "openvm"; }
  absl::Status SetUp(const ProgramImage& program, GuestMemory& memory,
                     abi::VmContext& context) override;
  CustomInstructions* custom_instructions() override { return this; }
  bool strict_alignment() const override { return true; }
  uint32_t memory_bits() const override { return options_.config.memory_bits; }
  // ecall and its like.
  HostCallResult HandleCall(abi::VmContext& context, GuestMemory& memory) override;
  absl::StatusOr<std::string> SaveState() override;
  absl::Status RestoreState(absl::Span<const uint8_t> state) override;

  // What the guest does from Attempt() on is as if it had never been after RollBack(); it is for
  // ever after Commit(), and only then is printed what it printed. In that order, and in turn.
  void Attempt();
  void Commit();
  void RollBack();

  const precast::openvm::Config& config() const { return options_.config; }
  absl::Span<const uint8_t> public_values() const { return state_.public_values; }
  const precast::openvm::HostState& state() const { return state_; }

 private:
  explicit OpenVmHost(OpenVmHostOptions options);

  const precast::openvm::Registry::Entry* Find(uint32_t word) const override;
  CustomResult Execute(const precast::openvm::Registry::Entry& entry,
                       const precast::openvm::Instruction& instruction,
                       const precast::openvm::Operands& operands, GuestMemory& memory,
                       precast::openvm::Observer* observer) override;
  void Print(std::string_view text);

  struct Configured {
    bool enabled = false;
    std::unique_ptr<precast::openvm::ExtensionState> state;
  };

  OpenVmHostOptions options_;
  std::unordered_map<const precast::openvm::Extension*, Configured> extensions_;
  std::vector<const Configured*> by_entry_;  // by Registry::Entry::index
  precast::openvm::HostState state_;
  openvm::ChaCha12Rng random_;

  // At Attempt(). The hint stream may be long; SetHint keeps it when it is replaced.
  struct Before {
    size_t next_input, hint_position;
    std::vector<uint8_t> public_values;
    openvm::ChaCha12Rng random;
    std::string printed;  // since
  };
  std::optional<Before> before_;
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_HOST_H_
