#include "loader/check_report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace precast::loader {

std::string Finding::ToString() const {
  return absl::StrFormat("%s: expected %s, actual %s (offset %#x)", field, expected, actual,
                         offset);
}

absl::Status CheckReport::ToStatus() const {
  if (ok()) return absl::OkStatus();
  const bool is_mismatch =
      std::all_of(findings.begin(), findings.end(),
                  [](const Finding& finding) { return finding.kind == Finding::Kind::kMismatch; });
  const std::string message = absl::StrCat(
      "image rejected: ", absl::StrJoin(findings, "; ", [](std::string* out, const Finding& f) {
        absl::StrAppend(out, f.ToString());
      }));
  return is_mismatch ? absl::FailedPreconditionError(message) : absl::InvalidArgumentError(message);
}

}  // namespace precast::loader
