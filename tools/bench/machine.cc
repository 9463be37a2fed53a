#include "tools/bench/machine.h"

#include <stdlib.h>
#include <sys/utsname.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace precast::bench {
namespace {

// The values of lines "KEY : VALUE" or KEY=VALUE in a file.
std::vector<std::string> Values(const char* path, std::string_view key, char separator) {
  std::vector<std::string> values;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t at = line.find(separator);
    if (at == std::string::npos || absl::StripAsciiWhitespace(line.substr(0, at)) != key) continue;
    values.emplace_back(absl::StripAsciiWhitespace(line.substr(at + 1)));
  }
  return values;
}

}  // namespace

std::vector<std::string> MachineConditions() {
  std::vector<std::string> lines;
  std::map<std::string, int> models;
  for (const std::string& model : Values("/proc/cpuinfo", "model name", ':')) ++models[model];
  const std::vector<std::string> families = Values("/proc/cpuinfo", "cpu family", ':');
  const std::vector<std::string> numbers = Values("/proc/cpuinfo", "model", ':');
  std::vector<std::string> processors;
  for (const auto& [model, count] : models) {
    processors.push_back(absl::StrCat(count, " × ", model));
  }
  std::string line = absl::StrCat("Machine: ", absl::StrJoin(processors, ", "));
  if (!families.empty() && !numbers.empty()) {
    absl::StrAppend(&line, " (family ", families[0], ", model ", numbers[0], ")");
  }
  for (const std::string& memory : Values("/proc/meminfo", "MemTotal", ':')) {
    const double kilobytes = strtod(memory.c_str(), nullptr);
    absl::StrAppendFormat(&line, ", %.0f GiB", kilobytes / 1048576);
  }
  lines.push_back(line);

  utsname name;
  line = "System:";
  for (const std::string& pretty : Values("/etc/os-release", "PRETTY_NAME", '=')) {
    absl::StrAppend(&line, " ", absl::StripSuffix(absl::StripPrefix(pretty, "\""), "\""));
  }
  if (uname(&name) == 0) absl::StrAppend(&line, ", ", name.sysname, " ", name.release);
  lines.push_back(line);

  double load = 0;
  if (getloadavg(&load, 1) == 1) lines.push_back(absl::StrFormat("Load at the start: %.2f", load));
  return lines;
}

}  // namespace precast::bench
