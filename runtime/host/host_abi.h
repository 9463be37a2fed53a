// What a guest finds around it: how it starts, and what an `ecall` does. One folder beside this
// file per kind of guest.
#ifndef PRECAST_RUNTIME_HOST_HOST_ABI_H_
#define PRECAST_RUNTIME_HOST_HOST_ABI_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/abi/vm_context.h"
#include "runtime/interpreter/custom.h"
#include "runtime/memory.h"
#include "runtime/program.h"

namespace precast::runtime {

struct HostCallResult {
  bool exited = false;
  uint32_t exit_code = 0;

  static HostCallResult Continue() { return {}; }
  static HostCallResult Exit(uint32_t code) { return {.exited = true, .exit_code = code}; }
};

// Belongs to one instance.
class HostAbi {
 public:
  virtual ~HostAbi() = default;

  // A name for snapshots: one ABI does not read the state of another.
  virtual std::string name() const = 0;

  // Gives the guest its stack and first registers; the program is mapped already, context.pc is its
  // entry.
  virtual absl::Status SetUp(const ProgramImage& program, GuestMemory& memory,
                             abi::VmContext& context) = 0;

  // The guest's instructions beyond RV32IM, which also says that it is an OpenVM guest
  // (docs/openvm.md); null: it has none. Belongs to this; asked once.
  virtual CustomInstructions* custom_instructions() { return nullptr; }
  // Whether loads and stores have to be naturally aligned. Native code was compiled for the same
  // answer.
  virtual bool strict_alignment() const { return false; }
  // Guest memory is in [0, 2^memory_bits()).
  virtual uint32_t memory_bits() const { return 32; }

  // Performs the host call that the registers ask for and puts its result into them. Does not touch
  // pc. Nothing that a guest asks for is an error of the host: it gets an error number.
  virtual HostCallResult HandleCall(abi::VmContext& context, GuestMemory& memory) = 0;

  // What is not in the guest's memory and registers, such as open files. RestoreState takes bytes
  // from anywhere and returns a status for whatever it cannot restore.
  virtual absl::StatusOr<std::string> SaveState() = 0;
  virtual absl::Status RestoreState(absl::Span<const uint8_t> state) = 0;
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_HOST_HOST_ABI_H_
