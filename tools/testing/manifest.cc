#include "tools/testing/manifest.h"

#include <algorithm>

#include "absl/log/check.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace precast::testing {
namespace {

std::vector<std::string> Words(const std::string& field) {
  return absl::StrSplit(field, ' ', absl::SkipEmpty());
}

}  // namespace

bool GuestCase::Has(std::string_view tag) const {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

std::vector<GuestCase> ParseManifest(std::string_view text) {
  std::vector<GuestCase> cases;
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    if (line.empty() || absl::StartsWith(line, "#")) continue;
    std::vector<std::string> fields = absl::StrSplit(line, '|');
    CHECK_EQ(fields.size(), 8u) << line;
    for (std::string& field : fields) {
      absl::StripAsciiWhitespace(&field);
      if (field == "-") field.clear();
    }
    cases.push_back({.name = fields[0],
                     .elf = fields[1],
                     .arguments = Words(fields[2]),
                     .input = fields[3],
                     .grants = Words(fields[4]),
                     .expect = fields[5],
                     .tags = Words(fields[6])});
  }
  return cases;
}

}  // namespace precast::testing
