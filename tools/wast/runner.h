// Runs specification scripts and counts what holds.
#ifndef PRECAST_TOOLS_WAST_RUNNER_H_
#define PRECAST_TOOLS_WAST_RUNNER_H_

#include <map>
#include <string>
#include <vector>

#include "tools/wast/engine.h"
#include "tools/wast/script.h"

namespace precast::wast {

struct Report {
  std::string script;
  int passed = 0, failed = 0, skipped = 0;  // assertions
  std::vector<std::string> failures;        // "line 12: …", each assertion or module that failed
  std::map<std::string, int> skips;         // reason -> how many
  std::string error;                        // the script itself could not be read
};

// Commands that are no assertions (modules, registrations, actions) count only if they fail.
Report RunScript(const Script& script, const Engine& engine);

}  // namespace precast::wast

#endif  // PRECAST_TOOLS_WAST_RUNNER_H_
