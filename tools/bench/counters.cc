#include "tools/bench/counters.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace precast::bench {
namespace {

const char* const kPerf[] = {"perf", "stat", "-x,", "-e", "instructions:u", "--"};
const char* const kValgrind[] = {"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"};

}  // namespace

std::optional<uint64_t> CountInPerfOutput(std::string_view text) {
  for (const std::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<std::string_view> fields = absl::StrSplit(line, ',');
    uint64_t count;
    if (fields.size() > 2 && absl::StartsWith(fields[2], "instructions") &&
        absl::SimpleAtoi(fields[0], &count)) {
      return count;
    }
  }
  return std::nullopt;
}

std::optional<uint64_t> CountInCallgrindOutput(std::string_view text) {
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    const size_t at = line.find("Collected :");
    if (at == std::string_view::npos) continue;
    line = absl::StripAsciiWhitespace(line.substr(at + 11));
    uint64_t count;
    if (absl::SimpleAtoi(line, &count)) return count;
  }
  return std::nullopt;
}

Counter Counter::Find() {
  Counter counter;
  for (const Method method : {Method::kPerf, Method::kValgrind}) {
    counter.method_ = method;
    if (counter.Count({"true"}).ok()) {
      counter.name_ =
          method == Method::kPerf ? "perf stat -e instructions:u" : "valgrind --tool=callgrind";
      return counter;
    }
  }
  counter.method_ = Method::kNone;
  counter.name_ = "perf has no counters here, and valgrind is not installed or does not run";
  return counter;
}

absl::StatusOr<uint64_t> Counter::Count(const Argv& argv) const {
  Argv all;
  if (method_ == Method::kPerf) all.assign(std::begin(kPerf), std::end(kPerf));
  if (method_ == Method::kValgrind) all.assign(std::begin(kValgrind), std::end(kValgrind));
  all.insert(all.end(), argv.begin(), argv.end());
  const absl::StatusOr<ProcessResult> result = RunProcess(all, {.timeout = 1200});
  if (!result.ok()) return result.status();
  if (!result->ok()) {
    return absl::InternalError(absl::StrCat(CommandText(all), ": exit code ", result->exit_code));
  }
  const std::optional<uint64_t> count = method_ == Method::kPerf
                                            ? CountInPerfOutput(result->err)
                                            : CountInCallgrindOutput(result->err);
  if (!count || *count == 0) {
    return absl::InternalError(absl::StrCat(CommandText(all), ": printed no count"));
  }
  return *count;
}

}  // namespace precast::bench
