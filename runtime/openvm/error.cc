#include "runtime/openvm/error.h"

namespace precast::runtime {
namespace {

OpenVmErrorKind KindOf(abi::TrapCode trap) {
  switch (trap) {
    case abi::TrapCode::kMemoryFault:
    case abi::TrapCode::kStackOverflow:
      return OpenVmErrorKind::kAddressOutOfRange;
    case abi::TrapCode::kMisalignedAccess:
      return OpenVmErrorKind::kMisalignedAccess;
    case abi::TrapCode::kMisalignedPc:
    case abi::TrapCode::kPcNotExecutable:
      return OpenVmErrorKind::kPcNotFound;
    case abi::TrapCode::kDisabledOperation:
      return OpenVmErrorKind::kDisabledOperation;
    case abi::TrapCode::kPublicValueOutOfBounds:
      return OpenVmErrorKind::kPublicValueIndexOutOfBounds;
    case abi::TrapCode::kHintOutOfBounds:
      return OpenVmErrorKind::kHintOutOfBounds;
    case abi::TrapCode::kInputExhausted:
      return OpenVmErrorKind::kInputExhausted;
    case abi::TrapCode::kInvalidOperand:
      return OpenVmErrorKind::kInvalidOperand;
    case abi::TrapCode::kSetupMismatch:
      return OpenVmErrorKind::kSetupMismatch;
    case abi::TrapCode::kNotInvertible:
      return OpenVmErrorKind::kNotInvertible;
    case abi::TrapCode::kDeferralNotFound:
      return OpenVmErrorKind::kDeferralNotFound;
    default:
      return OpenVmErrorKind::kInvalidInstruction;
  }
}

}  // namespace

std::string_view OpenVmErrorName(OpenVmErrorKind kind) {
  switch (kind) {
    case OpenVmErrorKind::kPcNotFound:
      return "pc-not-found";
    case OpenVmErrorKind::kInvalidInstruction:
      return "invalid-instruction";
    case OpenVmErrorKind::kDisabledOperation:
      return "disabled-operation";
    case OpenVmErrorKind::kAddressOutOfRange:
      return "address-out-of-range";
    case OpenVmErrorKind::kMisalignedAccess:
      return "misaligned-access";
    case OpenVmErrorKind::kPublicValueIndexOutOfBounds:
      return "public-value-index-out-of-bounds";
    case OpenVmErrorKind::kHintOutOfBounds:
      return "hint-out-of-bounds";
    case OpenVmErrorKind::kInputExhausted:
      return "input-exhausted";
    case OpenVmErrorKind::kInvalidOperand:
      return "invalid-operand";
    case OpenVmErrorKind::kSetupMismatch:
      return "setup-mismatch";
    case OpenVmErrorKind::kNotInvertible:
      return "not-invertible";
    case OpenVmErrorKind::kDeferralNotFound:
      return "deferral-not-found";
    case OpenVmErrorKind::kDidNotTerminate:
      return "did-not-terminate";
    case OpenVmErrorKind::kFailedWithExitCode:
      return "failed-with-exit-code";
    case OpenVmErrorKind::kBrokenImage:
      return "broken-image";
  }
  return "unknown";
}

std::optional<OpenVmError> OpenVmErrorOf(const Instance& instance, const RunResult& result) {
  OpenVmError error{.kind = OpenVmErrorKind::kBrokenImage,
                    .pc = instance.pc(),
                    .instructions = instance.retired()};
  switch (result.reason) {
    case RunResult::Reason::kExited:
      if (result.exit_code == 0) return std::nullopt;
      error.kind = OpenVmErrorKind::kFailedWithExitCode;
      error.exit_code = result.exit_code;
      break;
    case RunResult::Reason::kTrapped:
      error.kind = KindOf(result.trap);
      error.address = result.fault_address;
      break;
    case RunResult::Reason::kSuspended:
      error.kind = OpenVmErrorKind::kDidNotTerminate;
      break;
    case RunResult::Reason::kFailed:
      break;
  }
  return error;
}

}  // namespace precast::runtime
