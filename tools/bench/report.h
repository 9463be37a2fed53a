// Results as tables and plots, and as JSON.
#ifndef PRECAST_TOOLS_BENCH_REPORT_H_
#define PRECAST_TOOLS_BENCH_REPORT_H_

#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "tools/bench/page.h"
#include "tools/bench/results.h"

namespace precast::bench {

// All that is said about how it was measured.
std::vector<std::string> Conditions(const Results& results);
std::vector<Section> Sections(const Results& results);
// Everything, with each run. Times are in seconds, sizes in bytes.
nlohmann::ordered_json ToJson(const Results& results);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_REPORT_H_
