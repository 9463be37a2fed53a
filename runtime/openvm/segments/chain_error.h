// What may be wrong with a directory of segments (chain.h): a closed enumeration, carried by
// absl::Status.
#ifndef PRECAST_RUNTIME_OPENVM_SEGMENTS_CHAIN_ERROR_H_
#define PRECAST_RUNTIME_OPENVM_SEGMENTS_CHAIN_ERROR_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"

namespace precast::runtime {

enum class ChainError : uint8_t {
  kUnreadable,     // a file is missing or cannot be read
  kMalformed,      // a file is not of the format, or of another version
  kDamaged,        // a file does not have the digest it says it has
  kProgramCommit,  // not of the program, or the files are not all of one program
  kOrder,          // a segment or state is not where it belongs
  kMemoryRoot,  // a root is not that of the memory, or a segment's final root not the next one's initial root
  kPageContents,  // a page does not have the digest that the root was made with
  kState,         // pc, public values or machine of a state are not what the manifest says
  kTermination,  // the last segment does not end the guest as the manifest says, or an earlier one does
  kExecution,  // executing a segment again gives something else
};

// "memory-root".
std::string_view ChainErrorName(ChainError error);
// FailedPrecondition; `message` says where, what was expected and what was found.
absl::Status ChainFault(ChainError error, std::string_view message);
// nullopt for a status that ChainFault did not make.
std::optional<ChainError> ChainErrorOf(const absl::Status& status);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_SEGMENTS_CHAIN_ERROR_H_
