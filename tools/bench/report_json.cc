// Results as JSON; see report.h.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nlohmann/json.hpp"
#include "tools/bench/marks.h"
#include "tools/bench/process.h"
#include "tools/bench/report.h"
#include "tools/bench/results.h"
#include "tools/bench/stats.h"

namespace precast::bench {
namespace {

using Json = nlohmann::ordered_json;

Json Maybe(std::optional<double> value) { return value ? Json(*value) : Json(nullptr); }

std::string_view OutcomeName(Cell::Outcome outcome) {
  switch (outcome) {
    case Cell::Outcome::kOk:
      return "ok";
    case Cell::Outcome::kSkipped:
      return "skipped";
    case Cell::Outcome::kFailed:
      return "failed";
    case Cell::Outcome::kWrong:
      return "wrong";
  }
  return "";
}

Json Runs(const std::vector<Sample>& samples) {
  Json list = Json::array();
  for (const Sample& s : samples) {
    list.push_back({{"user", s.user}, {"system", s.system}, {"wall", s.wall}});
  }
  return list;
}

Json EngineJson(const Results& r, size_t i) {
  const Engine& e = r.engines[i];
  Json compile = Json::array();
  for (const Argv& argv : e.compile) compile.push_back(CommandText(argv));
  std::vector<double> wall;
  for (const Sample& s : r.start_up[i].runs) wall.push_back(s.wall);
  const std::vector<double> ratios = r.Ratios(i);
  Json json = {{"name", e.name},
               {"guest", GuestKindName(e.kind)},
               {"version", e.version},
               {"compile", compile},
               {"run", CommandText(e.run)},
               {"ratio_geometric_mean", Maybe(GeometricMean(ratios))},
               {"ratio_programs", ratios.size()},
               {"hello_wall_seconds", Maybe(Median(wall))},
               {"hello_peak_bytes", r.start_up[i].peak_bytes},
               {"hello_runs", Runs(r.start_up[i].runs)}};
  if (e.ours) {
    json["level"] = e.level;
    json["metered"] = e.metered;
  }
  return json;
}

Json CellJson(const Results& r, const Workload& w, size_t i) {
  const Cell& cell = w.cells[i];
  const size_t engine = w.engines[i];
  Json json = {{"engine", r.engines[engine].name}, {"outcome", OutcomeName(cell.outcome)}};
  if (!cell.reason.empty()) json["reason"] = cell.reason;
  if (!cell.runs.empty()) {
    json["run_seconds"] = Maybe(r.RunSeconds(w, engine));
    json["ratio"] = Maybe(r.RatioOf(w, engine));
    json["peak_bytes"] = cell.peak_bytes;
    json["runs"] = Runs(cell.runs);
  }
  if (cell.compile_seconds) json["compile_seconds"] = *cell.compile_seconds;
  if (cell.compile_peak_bytes != 0) json["compile_peak_bytes"] = cell.compile_peak_bytes;
  if (cell.sizes) {
    json["code_bytes"] = cell.sizes->text;
    json["table_bytes"] = cell.sizes->tables;
    json["guest_data_bytes"] = cell.sizes->guest;
    json["file_bytes"] = cell.sizes->file;
    json["code_ratio"] = Maybe(r.TextRatioOf(w, engine));
  }
  if (cell.retired) json["guest_instructions"] = *cell.retired;
  if (cell.machine_instructions) {
    json["machine_instructions"] = *cell.machine_instructions;
    json["machine_instruction_ratio"] = Maybe(r.InstructionRatioOf(w, engine));
  }
  return json;
}

Json WorkloadsJson(const Results& r, const std::vector<Workload>& workloads) {
  Json list = Json::array();
  for (const Workload& w : workloads) {
    Json cells = Json::array();
    for (size_t i = 0; i < w.cells.size(); ++i) cells.push_back(CellJson(r, w, i));
    Json json = {{"program", w.program.name},
                 {"work_divided_by", w.work.scale},
                 {"soft_float", w.work.soft_float},
                 {"floating", w.program.floating}};
    if (!w.cells.empty()) {
      json["reference"] = r.engines[w.engines[w.reference]].name;
      json["output"] = w.cells[w.reference].output.substr(0, 200);
    }
    json["engines"] = cells;
    list.push_back(json);
  }
  return list;
}

}  // namespace

Json ToJson(const Results& results) {
  Json engines = Json::array(), marks = Json::array();
  for (size_t i = 0; i < results.engines.size(); ++i) engines.push_back(EngineJson(results, i));
  for (const Mark& mark : MarksOf(results)) {
    marks.push_back({{"name", mark.name},
                     {"limit", mark.limit},
                     {"measured", mark.measured},
                     {"met", mark.met}});
  }
  Json json = {{"format", 1},
               {"conditions", results.conditions},
               {"runs", results.runs},
               {"clock", results.clock == Clock::kUser        ? "user"
                         : results.clock == Clock::kProcessor ? "cpu"
                                                              : "wall"},
               {"engines", engines},
               {"skipped", results.skipped},
               {"workloads", WorkloadsJson(results, results.workloads)}};
  if (!results.counter.empty()) {
    json["instruction_counter"] = results.counter;
    json["instruction_counts"] = WorkloadsJson(results, results.counted);
  }
  json["targets"] = marks;
  json["faults"] = results.Faults();
  return json;
}

}  // namespace precast::bench
