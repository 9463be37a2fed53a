#include "runtime/openvm/segments/chain_error.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace precast::runtime {
namespace {

constexpr std::string_view kPayload = "precast.chain_error";
constexpr ChainError kLast = ChainError::kExecution;

}  // namespace

std::string_view ChainErrorName(ChainError error) {
  switch (error) {
    case ChainError::kUnreadable:
      return "unreadable";
    case ChainError::kMalformed:
      return "malformed";
    case ChainError::kDamaged:
      return "damaged";
    case ChainError::kProgramCommit:
      return "program-commit";
    case ChainError::kOrder:
      return "order";
    case ChainError::kMemoryRoot:
      return "memory-root";
    case ChainError::kPageContents:
      return "page-contents";
    case ChainError::kState:
      return "state";
    case ChainError::kTermination:
      return "termination";
    case ChainError::kExecution:
      return "execution";
  }
  return "";
}

absl::Status ChainFault(ChainError error, std::string_view message) {
  absl::Status status =
      absl::FailedPreconditionError(absl::StrCat(ChainErrorName(error), ": ", message));
  status.SetPayload(kPayload, absl::Cord(ChainErrorName(error)));
  return status;
}

std::optional<ChainError> ChainErrorOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  if (!payload.has_value()) return std::nullopt;
  for (int i = 0; i <= static_cast<int>(kLast); ++i) {
    if (*payload == ChainErrorName(static_cast<ChainError>(i))) return static_cast<ChainError>(i);
  }
  return std::nullopt;
}

}  // namespace precast::runtime
