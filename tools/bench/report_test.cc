#include "tools/bench/report.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tools/bench/marks.h"
#include "tools/bench/page.h"
#include "tools/bench/results.h"

namespace precast::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Cell CellOf(double seconds, uint64_t text) {
  Cell cell;
  // The median counts; each takes 0.1 s of start-up.
  for (const double s : {seconds + 0.1, seconds + 5, seconds + 0.1}) {
    cell.runs.push_back({.user = s, .system = 0.5, .wall = s + 1});
  }
  cell.sizes = ElfSizes{.file = 4 * text, .text = text, .tables = text / 2};
  cell.output = "out\n";
  return cell;
}

Engine EngineOf(std::string name, GuestKind kind) {
  Engine engine;
  engine.name = std::move(name);
  engine.kind = kind;
  return engine;
}

Results Example() {
  Results r;
  r.runs = 3;
  r.engines = {EngineOf("gcc-O2", GuestKind::kNative), EngineOf("rv-O1", GuestKind::kRiscv),
               EngineOf("rv-O1-nometer", GuestKind::kRiscv), EngineOf("qemu", GuestKind::kRiscv),
               EngineOf("rv-interp", GuestKind::kRiscv)};
  for (const size_t i : {1, 2, 4}) r.engines[i].ours = true;
  for (const size_t i : {1, 4}) r.engines[i].metered = true;
  r.engines[1].level = r.engines[2].level = 1;
  r.engines[4].small = true;
  r.start_up.resize(5);
  for (StartUp& s : r.start_up) s.runs = {{.user = 0.1, .system = 0, .wall = 0.2}};

  Workload fib, sort, nbody, small;
  fib.program.name = small.program.name = "fib";
  sort.program.name = "sort";
  nbody.program.name = "nbody";
  fib.engines = sort.engines = nbody.engines = {0, 1, 2, 3};
  fib.cells = {CellOf(1, 1000), CellOf(2, 1200), CellOf(1.6, 1000), CellOf(4, 0)};
  sort.cells = {CellOf(1, 1000), CellOf(0.5, 1200), CellOf(0.5, 1000), CellOf(4, 0)};
  nbody.work.soft_float = true;
  nbody.cells = {CellOf(0.01, 1000), CellOf(1, 1200), CellOf(1, 1000), CellOf(4, 0)};
  small.work.scale = 100;
  small.engines = {0, 1, 4};
  small.cells = {CellOf(0.01, 1000), CellOf(0.02, 1000), CellOf(0.3, 0)};
  r.workloads = {fib, sort, nbody, small};
  return r;
}

TEST(Results, StartUpIsTakenAwayAndMediansCount) {
  const Results r = Example();
  EXPECT_NEAR(*r.RunSeconds(r.workloads[0], 1), 2.0, 1e-9);
  EXPECT_NEAR(*r.RatioOf(r.workloads[0], 1), 2.0, 1e-9);
  EXPECT_NEAR(*r.RatioOf(r.workloads[1], 1), 0.5, 1e-9);
}

TEST(Results, TimesTakenInsideAreTheRunAlone) {
  Results r = Example();
  r.engines[3].timed_inside = true;
  EXPECT_NEAR(*r.RunSeconds(r.workloads[0], 3), 4.1, 1e-9);
}

TEST(Results, TheClockIsChosen) {
  Results r = Example();
  r.clock = Clock::kProcessor;
  EXPECT_NEAR(*r.RunSeconds(r.workloads[0], 1), 2.5, 1e-9);
  r.clock = Clock::kWall;
  EXPECT_NEAR(*r.RunSeconds(r.workloads[0], 1), 2.9, 1e-9);
}

TEST(Results, MeansLeaveOutSoftFloatAndKeepInterpretersApart) {
  const Results r = Example();
  EXPECT_EQ(r.Ratios(1).size(), 2u);
  EXPECT_EQ(r.Ratios(4).size(), 1u);
  EXPECT_NEAR(r.Ratios(4)[0], 30, 1e-6);
}

TEST(Results, ARunTooShortToTellFromStartUpIsNoResult) {
  Results r = Example();
  r.workloads[0].cells[1] = CellOf(0.0001, 10);
  EXPECT_FALSE(r.RunSeconds(r.workloads[0], 1).has_value());
  EXPECT_EQ(r.Ratios(1).size(), 1u);
}

TEST(Results, AWrongOutputIsAFaultAndNoResult) {
  Results r = Example();
  EXPECT_TRUE(r.Faults().empty());
  r.workloads[0].cells[1].outcome = Cell::Outcome::kWrong;
  r.workloads[0].cells[1].reason = "printed \"1\"";
  EXPECT_EQ(r.RunSeconds(r.workloads[0], 1), std::nullopt);
  EXPECT_THAT(r.Faults(), ElementsAre("fib, rv-O1: printed \"1\""));
  const std::string page = MarkdownPage({}, Sections(r));
  EXPECT_THAT(page, HasSubstr("WRONG"));
  EXPECT_THAT(page, HasSubstr("FAULT  fib, rv-O1"));
}

TEST(Marks, WhatCountingCostsIsOfRunsThatAreLongEnough) {
  Results r = Example();
  Workload brief = r.workloads[1];
  brief.program.name = "brief";
  brief.cells[1] = CellOf(0.09, 1200);
  brief.cells[2] = CellOf(0.01, 1000);
  r.workloads.push_back(brief);
  EXPECT_EQ(MeteringCostOf(r, 1).worst_program, "fib");
}

TEST(Marks, MetAndMissed) {
  const Results r = Example();
  const MeteringCost cost = MeteringCostOf(r, 1);
  EXPECT_NEAR(*cost.worst, 1.25, 1e-9);
  EXPECT_EQ(cost.worst_program, "fib");
  EXPECT_NEAR(*SoftFloatAdvantage(r, r.workloads[2]), 4, 1e-9);
  std::string text;
  for (const Mark& mark : MarksOf(r)) {
    text += mark.name + " | " + mark.limit + " | " + mark.measured +
            (mark.met ? " | met\n" : " | missed\n");
  }
  EXPECT_EQ(text,
            "rv-O1, geometric mean to native gcc -O2 | ≤ 1.35 | 1.00 | met\n"
            "rv-O1, worst program | ≤ 2.50 | 2.00 | met\n"
            "rv-O1, geometric mean against qemu | ≤ 4.00 | 1.00 | met\n"
            "soft float: fastest peer's time to ours, least | ≥ 3.00 | 4.00 | met\n"
            "rv-O1, cost of counting, geometric mean | ≤ 5 % | 7.7 % | missed\n"
            "rv-O1, cost of counting, worst (fib) | ≤ 10 % | 25.0 % | missed\n"
            "rv-O1, code to native .text, geometric mean | ≤ 1.30 | 1.20 | met\n");
}

TEST(Report, Tables) {
  const std::string page = MarkdownPage({"one condition"}, Sections(Example()));
  EXPECT_THAT(page, HasSubstr("* one condition\n"));
  EXPECT_THAT(page, HasSubstr("| fib            |    1.000 |  2.00 |          1.60 | 4.00 |\n"));
  EXPECT_THAT(page, HasSubstr("| geometric mean |          |  1.00 |"));
  EXPECT_THAT(page, HasSubstr("| worst          |          |  2.00 |"));
  EXPECT_THAT(page, HasSubstr("## RISC-V, floating point in software: seconds"));
  EXPECT_THAT(page, HasSubstr("## Interpreters"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(Report, WithoutNativeCodeThereAreSeconds) {
  Results r = Example();
  r.engines[0].name = "other";
  const std::string page = MarkdownPage({}, Sections(r));
  EXPECT_THAT(page, HasSubstr("seconds"));
  EXPECT_THAT(page, HasSubstr("| fib     |        – | 2.000 |"));
}

TEST(Report, OfNothing) {
  Results r;
  EXPECT_THAT(MarkdownPage(Conditions(r), Sections(r)), HasSubstr("Measured:"));
  EXPECT_TRUE(ToJson(r).contains("workloads"));
}

TEST(Report, JsonHasEachRun) {
  const nlohmann::ordered_json json = ToJson(Example());
  const auto& cell = json["workloads"][0]["engines"][1];
  EXPECT_EQ(cell["engine"], "rv-O1");
  EXPECT_EQ(cell["outcome"], "ok");
  EXPECT_EQ(cell["runs"].size(), 3u);
  EXPECT_NEAR(cell["ratio"].get<double>(), 2.0, 1e-9);
  EXPECT_EQ(cell["code_bytes"], 1200);
  EXPECT_EQ(json["targets"].size(), 7u);
  EXPECT_EQ(json["engines"][0]["guest"], "native");
}

TEST(Report, HtmlIsOnePageWithoutScripts) {
  const std::string page = HtmlPage("a <title>", {"c & d"}, Sections(Example()));
  EXPECT_THAT(page, HasSubstr("<title>a &lt;title&gt;</title>"));
  EXPECT_THAT(page, HasSubstr("<li>c &amp; d</li>"));
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("href=")));
}

}  // namespace
}  // namespace precast::bench
