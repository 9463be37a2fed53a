// JSON that somebody else wrote: configurations, manifests, profiles. The library takes nesting of
// any depth, of which it then cannot copy or print a value without running out of stack; keeps the
// last of two equal keys without a word; and needs time quadratic in the number of keys for objects
// that keep their order. So limits are checked first.
#ifndef PRECAST_LOADER_FORMAT_JSON_TEXT_H_
#define PRECAST_LOADER_FORMAT_JSON_TEXT_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace precast::format {

inline constexpr size_t kMaxJsonDepth = 32;
inline constexpr size_t kMaxJsonKeys = 1000;  // of one object

// InvalidArgument with line and column for what is not JSON (RFC 8259), is nested deeper than
// kMaxJsonDepth, or has an object with more than kMaxJsonKeys keys or with one key twice.
absl::StatusOr<nlohmann::ordered_json> ParseJson(std::string_view text);

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_JSON_TEXT_H_
