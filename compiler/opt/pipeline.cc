// The order of the passes, and why.
#include "compiler/opt/pipeline.h"

#include <optional>
#include <type_traits>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "compiler/ir/verifier.h"
#include "compiler/opt/branch_selects.h"
#include "compiler/opt/byte_swaps.h"
#include "compiler/opt/carry_branches.h"
#include "compiler/opt/constants.h"
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
#include "compiler/opt/place_rows.h"
#include "compiler/opt/preheaders.h"
#include "compiler/opt/reassociate.h"
#include "compiler/opt/repeat_rounds.h"
#include "compiler/opt/restored_registers.h"
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

class Pipeline {
 public:
  Pipeline(ir::Function& function, const PipelineOptions& options, const ir::Graphs& graphs)
      : function_(function), options_(options), graphs_(graphs) {
    Verify("the front end");
  }

  template <typename Pass>
  void Run(const char* name, Pass pass) {
    if constexpr (std::is_invocable_v<Pass, ir::Function&, const ir::Graphs&>) {
      pass(function_, graphs_);
    } else {
      pass(function_);
    }
    Verify(name);
    if (options_.dump) options_.dump(name, function_);
  }

 private:
  void Verify(const char* after) {
    if (!options_.verify) return;
    const absl::Status status = ir::Verify(function_);
    CHECK(status.ok()) << "after " << after << ": " << status.message();
  }

  ir::Function& function_;
  const PipelineOptions& options_;
  const ir::Graphs& graphs_;
};

// Of these, thread_switches wants to see the constants.
bool HasSwitch(const ir::Function& f) {
  if (f.signature().conv != ir::CallConv::kWasm) return false;
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    if (f.inst(f.terminator(ir::Block(n))).op == ir::Opcode::kBrTable) return true;
  }
  return false;
}

}  // namespace

void Optimize(ir::Function& function, const PipelineOptions& options, const ir::Graphs& graphs) {
  Pipeline pipeline(function, options, graphs);
  if (options.level == 0) {
    if (options.mark_pages) pipeline.Run("mark_pages", MarkPages);
    return;
  }
  if (options.level >= 2 && options.body) {
    pipeline.Run("inline", [&](ir::Function& f) { InlineCalls(f, options.body, graphs); });
  }
  if (options.level >= 2) {
    pipeline.Run("unreachable", RemoveUnreachableBlocks);
    pipeline.Run("preheaders", AddPreheaders);
  }
  // A parameter with one value may hide a constant, a constant may hide a dead block: both around
  // the simplification.
  bool decided = false;
  pipeline.Run("dce", EliminateDeadCode);
  // Where no branch is decided, value numbering can do the rest as well.
  std::optional<ConstantPropagation> constants;
  if (options.level >= 2 && !HasSwitch(function)) {
    const ir::Cfg& cfg = graphs.cfg(function);
    constants.emplace(function, cfg);
    if (constants->DecidesBranches(cfg)) constants.reset();
  }
  if (!constants) {
    pipeline.Run("simplify", [&](ir::Function& f) { decided = Simplify(f, graphs); });
  }
  // What else is dead is in nobody's way until the next look.
  if (decided) pipeline.Run("dce", EliminateDeadCode);
  if (options.level >= 2 && function.signature().conv == ir::CallConv::kWasm) {
    bool threaded = false;
    pipeline.Run("thread_switches", [&](ir::Function& f) { threaded = ThreadSwitches(f, graphs); });
    if (threaded) pipeline.Run("dce", EliminateDeadCode);
  }
  if (options.level >= 2) {
    pipeline.Run("join_params", JoinParams);
    pipeline.Run("gvn", [&](ir::Function& f) {
      NumberValues(f, graphs, constants ? &*constants : nullptr);
    });
    pipeline.Run("byte_swaps", FindByteSwaps);
    pipeline.Run("dce", EliminateDeadCode);
    // Where pages are marked, a segment may end in between.
    if (function.signature().conv == ir::CallConv::kGuest && !options.mark_pages) {
      pipeline.Run("restored_registers", ForwardRestores);
    }
  }
  // Something that is dead since the last look.
  const bool may_be_dead = options.level < 2 || function.signature().conv == ir::CallConv::kGuest;
  // Before pairs of words are looked for, which these may be.
  const bool guest2 = options.level >= 2 && function.signature().conv == ir::CallConv::kGuest;
  if (guest2 && options.delay_state) {
    pipeline.Run("join_bytes", [&](ir::Function& f) { JoinBytes(f, graphs, options.mark_pages); });
    pipeline.Run("join_stores", [&](ir::Function& f) { JoinStores(f, options.mark_pages); });
  }
  // Where rows are counted, each way has its own.
  if (guest2 && !options.mark_pages) {
    pipeline.Run("short_branches", [&](ir::Function& f) { ConvertShortBranches(f, graphs); });
  }
  // Last, on the final control flow. It removes sites, and with them uses of deferred state.
  if (options.metered || guest2) {
    pipeline.Run("meter", [&](ir::Function& f) {
      const bool loops = options.level >= 2;
      PlaceMeters(f, {.split_edges = loops, .spread_checks = loops && !options.mark_pages}, graphs);
    });
  }
  // Rows follow the meters, as blocks that do not ask for fuel may count for others.
  if (options.mark_pages) pipeline.Run("place_rows", PlaceRows);
  // After that: it moves what begins a block.
  bool unchanged_state = false;
  if (guest2) {
    pipeline.Run("carry_branches", [&](ir::Function& f) { AddCarries(f, graphs); });
    pipeline.Run("wide_compare", WidenComparisons);
    pipeline.Run("wide_arithmetic", FuseWideArithmetic);
    pipeline.Run("wide_branches", JoinWideBranches);
    pipeline.Run("if_conversion", [&](ir::Function& f) { ConvertBranches(f, graphs); });
    if (options.delay_state) pipeline.Run("late_state", DelayState);
    pipeline.Run("state_stores",
                 [&](ir::Function& f) { unchanged_state = RemoveStateStores(f, graphs); });
    if (!options.metered) pipeline.Run("remove_meters", RemoveMeters);
  }
  if (may_be_dead) pipeline.Run("dce", EliminateDeadCode);
  if (unchanged_state) {
    pipeline.Run("unchanged_state", [&](ir::Function& f) { RemoveUnchangedState(f, graphs); });
  }
  if (guest2) {
    pipeline.Run("move_state_stores", [&](ir::Function& f) { MoveStateStores(f, graphs); });
  }
  // On the final control flow.
  if (options.level >= 2) {
    pipeline.Run("move_invariants", MoveInvariants);
    pipeline.Run("straighten", Straighten);
    pipeline.Run("sink_meters", SinkMeters);
  }
  if (guest2 && options.metered && !options.mark_pages) {
    pipeline.Run("likely_charges", MoveCharges);
  }
  // Last, since what is in what order matters to nothing before.
  if (options.level >= 2) pipeline.Run("reassociate", Reassociate);
  if (options.level >= 2 && function.signature().conv == ir::CallConv::kWasm) {
    if (options.fold_addresses) pipeline.Run("fold_addresses", FoldAddresses);
    if (options.vectorize) {
      pipeline.Run("slp_vectorize",
                   [&](ir::Function& f) { VectorizeLoops(f, options.fold_addresses); });
    }
  }
  // Last of what changes loops. Where rows are counted, a round counts more than its instructions.
  if (guest2 && options.delay_state && !options.mark_pages) {
    pipeline.Run("repeat_rounds", RepeatRounds);
  }
  if (options.level >= 2 && (options.metered || guest2) && !options.mark_pages) {
    pipeline.Run("unroll_loops", UnrollLoops);
  }
  if (options.level >= 2 && options.mark_pages) {
    pipeline.Run("page_rounds", [&](ir::Function& f) { SeparatePageRounds(f, graphs); });
  }
  // When it is known which accesses there are.
  if (options.mark_pages) pipeline.Run("mark_pages", MarkPages);
  pipeline.Run("loop_depth", SetLoopDepths);
  // After that: it asks which selections are in loops.
  if (options.level >= 2 && function.signature().conv == ir::CallConv::kWasm) {
    pipeline.Run("branch_selects", BranchSelects);
  }
}

bool MakeInlinable(ir::Function& function) {
  const ir::Graphs graphs;
  EliminateDeadCode(function, graphs);
  Simplify(function, graphs);
  EliminateDeadCode(function, graphs);
  return IsInlinable(function);
}

}  // namespace precast::opt
