// Why a run of an OpenVM guest is no success, as a closed enumeration: what a caller decides by,
// and reports print.
#ifndef PRECAST_RUNTIME_OPENVM_ERROR_H_
#define PRECAST_RUNTIME_OPENVM_ERROR_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/instance.h"

namespace precast::runtime {

enum class OpenVmErrorKind : uint8_t {
  kPcNotFound,  // no instruction at the pc, or it is not a multiple of 4
  kInvalidInstruction,
  kDisabledOperation,  // an extension, modulus or curve that the machine does not have
  kAddressOutOfRange,
  kMisalignedAccess,
  kPublicValueIndexOutOfBounds,
  kHintOutOfBounds,
  kInputExhausted,
  kInvalidOperand,
  kSetupMismatch,
  kNotInvertible,
  kDeferralNotFound,
  kDidNotTerminate,     // the limit of instructions is reached
  kFailedWithExitCode,  // `terminate` with a code other than 0
  kBrokenImage,         // native code broke its contract: RunResult::failure
};

// "pc-not-found".
std::string_view OpenVmErrorName(OpenVmErrorKind kind);

struct OpenVmError {
  OpenVmErrorKind kind;
  uint32_t pc = 0;            // of the instruction
  uint64_t instructions = 0;  // retired before
  uint32_t address = 0;    // kAddressOutOfRange, kMisalignedAccess, …: RunResult::fault_address
  uint32_t exit_code = 0;  // kFailedWithExitCode
};

// nullopt: the guest ended with exit code 0.
std::optional<OpenVmError> OpenVmErrorOf(const Instance& instance, const RunResult& result);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_ERROR_H_
