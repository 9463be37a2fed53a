// Finds what the user probably meant.
#ifndef PRECAST_TOOLS_CLI_SUGGEST_H_
#define PRECAST_TOOLS_CLI_SUGGEST_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace precast::cli {

// Insertions, removals, replacements and swaps of neighbours that make `b` from `a`.
int EditDistance(std::string_view a, std::string_view b);

// The candidate nearest to `word`, the first of several, if it is near enough to be meant: a typing
// mistake away, or beginning with `word`.
std::optional<std::string> Closest(std::string_view word, absl::Span<const std::string> candidates);

}  // namespace precast::cli

#endif  // PRECAST_TOOLS_CLI_SUGGEST_H_
