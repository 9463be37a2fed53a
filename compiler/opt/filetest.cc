// Text tests of passes, see filetest.h.
#include "compiler/opt/filetest.h"

#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/parser.h"
#include "compiler/ir/printer.h"
#include "compiler/ir/verifier.h"
#include "compiler/opt/branch_selects.h"
#include "compiler/opt/byte_swaps.h"
#include "compiler/opt/carry_branches.h"
#include "compiler/opt/dce.h"
#include "compiler/opt/fold_addresses.h"
#include "compiler/opt/gvn.h"
#include "compiler/opt/if_conversion.h"
#include "compiler/opt/inline.h"
#include "compiler/opt/join_bytes.h"
#include "compiler/opt/join_params.h"
#include "compiler/opt/join_stores.h"
#include "compiler/opt/late_state.h"
#include "compiler/opt/likely_charges.h"
#include "compiler/opt/loop_depth.h"
#include "compiler/opt/mark_pages.h"
#include "compiler/opt/meter.h"
#include "compiler/opt/move_invariants.h"
#include "compiler/opt/page_rounds.h"
#include "compiler/opt/pipeline.h"
#include "compiler/opt/place_rows.h"
#include "compiler/opt/preheaders.h"
#include "compiler/opt/profile.h"
#include "compiler/opt/reassociate.h"
#include "compiler/opt/repeat_rounds.h"
#include "compiler/opt/restored_registers.h"
#include "compiler/opt/resume_entries.h"
#include "compiler/opt/resume_guards.h"
#include "compiler/opt/short_branches.h"
#include "compiler/opt/simplify.h"
#include "compiler/opt/sink_meters.h"
#include "compiler/opt/slp_vectorize.h"
#include "compiler/opt/state_stores.h"
#include "compiler/opt/straighten.h"
#include "compiler/opt/thread_switches.h"
#include "compiler/opt/unroll_loops.h"
#include "compiler/opt/wide_arithmetic.h"
#include "compiler/opt/wide_branches.h"
#include "compiler/opt/wide_compare.h"

namespace precast::opt {
namespace {

using Pass = std::function<void(ir::Function&)>;

template <void pass(ir::Function&, const ir::Graphs&)>
void Run(ir::Function& f) {
  pass(f, ir::Graphs());
}

const std::map<std::string, Pass, std::less<>>& Passes() {
  static const auto* const passes = new std::map<std::string, Pass, std::less<>>{
      {"branch_selects", Run<BranchSelects>},
      {"byte-swaps", FindByteSwaps},
      {"carry-branches", Run<AddCarries>},
      {"dce", Run<EliminateDeadCode>},
      {"dce-early", Run<EliminateDeadCodeEarly>},
      {"fold_addresses", Run<FoldAddresses>},
      {"gvn", [](ir::Function& f) { NumberValues(f); }},
      {"if-conversion", Run<ConvertBranches>},
      {"inline-self",
       [](ir::Function& f) {
         const ir::Function body = f;
         InlineCalls(f, [&](ir::FuncRef) { return &body; });
       }},
      {"join-bytes", [](ir::Function& f) { JoinBytes(f); }},
      {"join-bytes-marked", [](ir::Function& f) { JoinBytes(f, ir::Graphs(), true); }},
      {"join-params", Run<JoinParams>},
      {"join-stores", [](ir::Function& f) { JoinStores(f); }},
      {"join-stores-marked", [](ir::Function& f) { JoinStores(f, true); }},
      {"late-state", Run<DelayState>},
      {"likely-charges", Run<MoveCharges>},
      {"loop_depth", Run<SetLoopDepths>},
      {"mark_pages", MarkPages},
      {"meter", [](ir::Function& f) { PlaceMeters(f); }},
      {"meter-32", [](ir::Function& f) { PlaceMeters(f, {.max_headroom = 32}); }},
      {"move-invariants", Run<MoveInvariants>},
      {"O1", [](ir::Function& f) { Optimize(f, {.level = 1, .verify = true}); }},
      {"O2", [](ir::Function& f) { Optimize(f, {.level = 2, .verify = true}); }},
      {"O2-delayed",
       [](ir::Function& f) { Optimize(f, {.level = 2, .verify = true, .delay_state = true}); }},
      {"move-state-stores", Run<MoveStateStores>},
      {"page-rounds", Run<SeparatePageRounds>},
      {"place_rows", PlaceRows},
      {"preheaders", Run<AddPreheaders>},
      {"profile",
       [](ir::Function& f) {
         ApplyProfile(f, {.counts = {{0x10, 1}, {0x20, 20000}, {0x30, 20}, {0x40, 19}, {0x50, 0}},
                          .hottest = 80000});
       }},
      {"reassociate", Run<Reassociate>},
      {"redundant-params", RemoveRedundantParams},
      {"repeat-rounds", Run<RepeatRounds>},
      {"restored-registers", Run<ForwardRestores>},
      // What remains, and what is split off.
      {"resume-entries", [](ir::Function& f) { SplitResumeEntries(f); }},
      {"resumed",
       [](ir::Function& f) {
         if (std::optional<ir::Function> copy = SplitResumeEntries(f)) f = *std::move(copy);
       }},
      {"resume-guards", Run<GuardResumeEntries>},
      {"short-branches", Run<ConvertShortBranches>},
      {"simplify", [](ir::Function& f) { Simplify(f); }},
      {"sink_meters", Run<SinkMeters>},
      {"slp_vectorize", [](ir::Function& f) { VectorizeLoops(f, /*bounded_memory=*/true); }},
      {"state-stores", [](ir::Function& f) { RemoveStateStores(f); }},
      {"straighten", Run<Straighten>},
      {"thread-switches", [](ir::Function& f) { ThreadSwitches(f); }},
      {"unchanged-state", Run<RemoveUnchangedState>},
      {"unreachable", Run<RemoveUnreachableBlocks>},
      {"unseen-state", RemoveUnseenState},
      {"unroll-loops", Run<UnrollLoops>},
      {"unused-values", RemoveUnusedValues},
      {"wide", Run<FuseWideArithmetic>},
      {"wide-branches", JoinWideBranches},
      {"wide-compare", Run<WidenComparisons>},
  };
  return *passes;
}

absl::StatusOr<std::string> RunCase(std::string_view passes, std::string_view text) {
  absl::StatusOr<ir::Function> f = ir::Parse(text);
  if (!f.ok()) return f.status();
  if (absl::Status status = ir::Verify(*f); !status.ok()) return status;
  for (std::string_view name : absl::StrSplit(passes, ' ', absl::SkipWhitespace())) {
    const auto pass = Passes().find(name);
    if (pass == Passes().end()) {
      return absl::InvalidArgumentError(absl::StrCat("no pass is named ", name));
    }
    pass->second(*f);
    if (absl::Status status = ir::Verify(*f); !status.ok()) {
      return absl::InternalError(absl::StrCat("after ", name, ": ", status.message()));
    }
  }
  return ir::Print(*f);
}

}  // namespace

absl::StatusOr<std::string> RunFileTest(std::string_view text) {
  constexpr std::string_view kPass = "//! pass:";
  constexpr std::string_view kExpect = "//! expect";
  std::string result;
  std::string_view passes;
  std::string input;
  bool in_input = false;
  bool after_expect = false;    // an expectation may begin here
  bool in_expectation = false;  // to be replaced
  int cases = 0;
  for (std::string_view line : absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    if (after_expect) in_expectation = absl::StartsWith(line, "function");
    after_expect = false;
    if (in_expectation) {
      in_expectation = line != "}";
      continue;
    }
    std::string_view rest = line;
    if (absl::ConsumePrefix(&rest, kPass)) {
      in_input = true;
      passes = rest;
      input.clear();
    } else if (line == kExpect) {
      absl::StatusOr<std::string> output = RunCase(passes, input);
      if (!output.ok()) {
        return absl::Status(output.status().code(),
                            absl::StrCat("case ", cases + 1, ": ", output.status().message()));
      }
      absl::StrAppend(&result, line, "\n", *output);
      ++cases;
      in_input = false;
      after_expect = true;
      continue;
    }
    if (in_input && rest == line) absl::StrAppend(&input, line, "\n");
    absl::StrAppend(&result, line, "\n");
  }
  if (in_input) return absl::InvalidArgumentError("the last case has no `//! expect`");
  if (cases == 0) return absl::InvalidArgumentError("no case in the file");
  return result;
}

}  // namespace precast::opt
