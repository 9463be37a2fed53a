// What the loader says about an image: every mismatch it found, each with the field, where that is
// in the file, what was expected and what is there. `aotc check` prints it, Load turns it into a
// status.
#ifndef PRECAST_LOADER_CHECK_REPORT_H_
#define PRECAST_LOADER_CHECK_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace precast::loader {

struct Finding {
  enum class Kind : uint8_t {
    // No compiler writes this: not an image, cut off, altered, or of a format we do not know.
    kDamaged,
    // A well-formed image of another program, other options, for another runtime or machine.
    kMismatch,
  };
  Kind kind;
  std::string field;
  uint64_t offset;  // in the file
  std::string expected;
  std::string actual;

  // "field: expected X, actual Y (offset 0xZ)".
  std::string ToString() const;
};

struct CheckReport {
  std::vector<Finding> findings;

  bool ok() const { return findings.empty(); }
  // All findings in one message. FailedPrecondition if all of them are mismatches, otherwise
  // InvalidArgument.
  absl::Status ToStatus() const;
};

}  // namespace precast::loader

#endif  // PRECAST_LOADER_CHECK_REPORT_H_
