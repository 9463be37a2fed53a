#include "compiler/driver/profile_file.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "loader/format/json_text.h"
#include "nlohmann/json.hpp"

namespace precast::driver {
namespace {

using Json = nlohmann::ordered_json;

absl::Status Wrong(std::string_view field, std::string_view expected, const Json& actual) {
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": expected ", expected, ", actual ",
                   actual.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 100)));
}

}  // namespace

absl::StatusOr<GuestProfile> ReadProfile(std::string_view text) {
  const absl::StatusOr<Json> root = format::ParseJson(text);
  if (!root.ok()) return root.status();
  if (!root->is_object()) return absl::InvalidArgumentError("expected a JSON object");
  const Json null;
  auto field = [&](const char* name) -> const Json& {
    const auto it = root->find(name);
    return it != root->end() ? *it : null;
  };
  if (const Json& format = field("format"); format != "precast-profile")
    return Wrong("format", "\"precast-profile\"", format);
  if (const Json& version = field("version"); version != 1) return Wrong("version", "1", version);
  const Json& guid = field("guid");
  const std::optional<format::Guid> parsed =
      guid.is_string() ? format::ParseGuid(guid.get_ref<const std::string&>()) : std::nullopt;
  if (!parsed) return Wrong("guid", "a GUID as `aotc inspect` prints it", guid);
  const Json& counts = field("counts");
  if (!counts.is_array()) return Wrong("counts", "an array", counts);
  GuestProfile result{.guid = *parsed, .profile = {}};
  for (size_t i = 0; i < counts.size(); ++i) {
    const Json& pair = counts[i];
    const std::string name = absl::StrCat("counts[", i, "]");
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_unsigned() ||
        !pair[1].is_number_unsigned() || pair[0].get<uint64_t>() > UINT32_MAX)
      return Wrong(name, "[place, times]", pair);
    const auto place = pair[0].get<uint32_t>();
    if (!result.profile.counts.emplace(place, pair[1].get<uint64_t>()).second)
      return Wrong(name, "each place once", pair);
    result.profile.hottest = std::max(result.profile.hottest, pair[1].get<uint64_t>());
  }
  return result;
}

std::string ProfileDigest(const opt::Profile& profile) {
  std::vector<std::pair<uint32_t, uint64_t>> counts(profile.counts.begin(), profile.counts.end());
  std::sort(counts.begin(), counts.end());
  std::string text;
  for (const auto& [place, times] : counts) absl::StrAppend(&text, place, " ", times, "\n");
  return format::GuidToString(format::GuidOf(text));
}

}  // namespace precast::driver
