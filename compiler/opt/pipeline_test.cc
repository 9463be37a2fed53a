// Runs random functions before and after each pass, and compares everything that can be seen:
// results, memory, guest state, fuel, calls, traps, and where execution suspends.
#include "compiler/opt/pipeline.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/ir/eval.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/printer.h"
#include "compiler/ir/random.h"
#include "compiler/ir/verifier.h"
#include "compiler/opt/dce.h"
#include "compiler/opt/gvn.h"
#include "compiler/opt/join_params.h"
#include "compiler/opt/meter.h"
#include "compiler/opt/move_invariants.h"
#include "compiler/opt/preheaders.h"
#include "compiler/opt/simplify.h"
#include "gtest/gtest.h"

namespace precast::opt {
namespace {

using ir::EvalMachine;
using ir::EvalResult;
using ir::Function;

constexpr uint32_t kMemorySize = 512;

uint64_t Hash(uint64_t h, uint64_t v) { return (h ^ v) * 0x9e3779b97f4a7c15u + (h >> 31); }

uint64_t HashMachine(const EvalMachine& m) {
  uint64_t h = 1;
  for (uint8_t byte : m.memory) h = Hash(h, byte);
  for (uint32_t x : m.state) h = Hash(h, x);
  for (uint8_t byte : m.context) h = Hash(h, byte);
  for (uint8_t byte : m.host) h = Hash(h, byte);
  return h;
}

// What there is to see of one run.
struct Observation {
  EvalResult result;
  int64_t fuel;
  uint64_t machine;             // hash of memory and state
  std::vector<uint64_t> calls;  // hash of each call: what, operands, machine, fuel
  // Everything about each place where the function could have suspended: pc, fuel, machine, calls
  // so far.
  std::vector<std::tuple<uint32_t, int64_t, uint64_t, size_t>> meters;
};

Observation Observe(const Function& f, ir::Block entry, const std::vector<uint64_t>& args,
                    int64_t fuel, bool record_meters) {
  EvalMachine machine;
  machine.fuel = fuel;
  machine.memory.resize(kMemorySize);
  for (uint32_t i = 0; i < kMemorySize; ++i) {
    machine.memory[i] = static_cast<uint8_t>(i * 37 + (i >> 8));
  }
  for (uint32_t i = 0; i < 256; ++i) machine.state[i] = 0x100 + i;
  machine.context.assign(ir::RandomOptions{}.context_size, 7);
  machine.host = machine.memory;
  machine.host_address = ir::RandomOptions{}.host_address;
  Observation o;
  ir::EvalOptions options;
  options.max_steps = 5000;
  options.call = [&](const ir::InstData& inst, absl::Span<const uint64_t> operands,
                     EvalMachine& m) -> std::optional<std::vector<uint64_t>> {
    uint64_t h = Hash(static_cast<uint64_t>(inst.op), static_cast<uint64_t>(inst.imm));
    h = Hash(Hash(h, inst.aux), inst.site.guest_pc);
    h = Hash(h, inst.site.refund);
    for (uint64_t v : operands) h = Hash(h, v);
    h = Hash(Hash(h, HashMachine(m)), static_cast<uint64_t>(m.fuel));
    o.calls.push_back(h);
    // The callee does something to everything.
    m.fuel -= static_cast<int64_t>(h % 50);
    m.state[1 + h % 6] = static_cast<uint32_t>(h);
    m.memory[h % kMemorySize] = static_cast<uint8_t>(h >> 8);
    m.context[h % m.context.size()] = static_cast<uint8_t>(h >> 16);
    std::vector<uint64_t> results;
    for (uint32_t k = 0; k < inst.results_count; ++k) {
      h = Hash(h, k);
      results.push_back(h % 3 == 0 ? h & 3 : h & 0xffffffffu);
    }
    return results;
  };
  if (record_meters) {
    options.meter = [&](const ir::InstData& inst, const EvalMachine& m) {
      o.meters.emplace_back(inst.site.guest_pc, m.fuel, HashMachine(m), o.calls.size());
    };
  }
  o.result = ir::Eval(f, entry, args, machine, options);
  o.fuel = machine.fuel;
  o.machine = HashMachine(machine);
  return o;
}

// Compares function `before` with `after`. Says what differs, or nothing.
std::string Difference(const Observation& before, const Observation& after) {
  using Outcome = EvalResult::Outcome;
  const EvalResult& a = before.result;
  const EvalResult& b = after.result;
  if (a.outcome == Outcome::kOutOfSteps || b.outcome == Outcome::kOutOfSteps) return "";
  if (b.outcome == Outcome::kSuspended) {
    // Somewhere on the way before has been in exactly this state, and could have suspended.
    for (size_t k = 0; k < after.calls.size(); ++k) {
      if (k >= before.calls.size() || before.calls[k] != after.calls[k]) return "calls differ";
    }
    for (const auto& m : before.meters) {
      if (m == std::tuple(b.site.guest_pc, after.fuel, after.machine, after.calls.size()))
        return "";
    }
    return absl::StrCat("suspended where it was not before: pc ", b.site.guest_pc, ", fuel ",
                        after.fuel);
  }
  if (a.outcome != b.outcome) {
    return absl::StrCat("outcome ", static_cast<int>(a.outcome), " became ",
                        static_cast<int>(b.outcome));
  }
  if (a.values != b.values) return "values differ";
  if (a.callee != b.callee) return "callee differs";
  if (a.site.guest_pc != b.site.guest_pc) return "pc differs";
  if (a.trap_code != b.trap_code) return "trap differs";
  if (a.address != b.address) return "fault address differs";
  if (before.fuel != after.fuel) {
    return absl::StrCat("fuel ", before.fuel, " became ", after.fuel);
  }
  if (before.machine != after.machine) return "memory or state differs";
  if (before.calls != after.calls) return "calls differ";
  return "";
}

void TestPass(const std::function<void(Function&)>& pass, uint64_t first_seed, uint64_t count,
              const ir::RandomOptions& options) {
  for (uint64_t seed = first_seed; seed < first_seed + count; ++seed) {
    const Function before = ir::RandomFunction(seed, options);
    ASSERT_TRUE(ir::Verify(before).ok()) << ir::Verify(before) << "\n" << ir::Print(before);
    Function after = before;
    pass(after);
    ASSERT_TRUE(ir::Verify(after).ok()) << ir::Verify(after) << "\n"
                                        << ir::Print(before) << ir::Print(after);
    ASSERT_EQ(before.entries().size(), after.entries().size());
    for (uint32_t run = 0; run < 6; ++run) {
      const size_t e = run % before.entries().size();
      std::vector<uint64_t> args;
      for (uint32_t k = 0; k < options.num_params; ++k) {
        const uint64_t h = Hash(seed * 31 + run, k);
        args.push_back(h % 4 == 0 ? h % 40 : h & 0xffffffffu);
      }
      const int64_t fuel = run % 2 == 0 ? 2000 : 20 + static_cast<int64_t>(Hash(seed, run) % 300);
      const Observation x = Observe(before, before.entries()[e], args, fuel, true);
      const Observation y = Observe(after, after.entries()[e], args, fuel, false);
      ASSERT_NE(x.result.outcome, EvalResult::Outcome::kUnsupported);
      ASSERT_EQ(Difference(x, y), "") << "seed " << seed << ", run " << run << "\n"
                                      << ir::Print(before) << "\n"
                                      << ir::Print(after);
    }
  }
}

TEST(PassTest, DeadCodeElimination) {
  TestPass([](Function& f) { EliminateDeadCode(f); }, 0, 1500, {});
}

TEST(PassTest, Simplify) {
  TestPass(
      [](Function& f) {
        RemoveUnreachableBlocks(f);
        Simplify(f);
      },
      10000, 1500, {});
}

TEST(PassTest, MoveInvariants) {
  TestPass(
      [](Function& f) {
        RemoveUnreachableBlocks(f);
        MoveInvariants(f);
      },
      20000, 1500, {});
}

TEST(PassTest, PlaceMeters) {
  for (int64_t max_headroom : {1, 20, 256}) {
    TestPass(
        [&](Function& f) {
          RemoveUnreachableBlocks(f);
          PlaceMeters(f, {.max_headroom = max_headroom});
        },
        20000, 1000, {});
  }
}

TEST(PassTest, PlaceMetersInLargeGraphs) {
  TestPass(
      [&](Function& f) {
        RemoveUnreachableBlocks(f);
        PlaceMeters(f);
      },
      30000, 500, {.max_blocks = 60, .max_insts = 2, .calls = false});
}

TEST(PassTest, JoinParams) {
  TestPass(
      [](Function& f) {
        RemoveUnreachableBlocks(f);
        JoinParams(f);
      },
      80000, 1000, {});
}

TEST(PassTest, Preheaders) {
  const auto pass = [](Function& f) {
    RemoveUnreachableBlocks(f);
    AddPreheaders(f);
  };
  TestPass(pass, 85000, 1000, {});
  TestPass(pass, 86000, 300, {.max_blocks = 60, .max_insts = 4});
}

TEST(PassTest, ValueNumbering) {
  const auto pass = [](Function& f) {
    RemoveUnreachableBlocks(f);
    NumberValues(f);
    EliminateDeadCode(f);
  };
  TestPass(pass, 81000, 2000, {});
  TestPass(pass, 83000, 300, {.max_blocks = 60, .max_insts = 20});
  TestPass(pass, 84000, 2000, {.wasm = true});
}

TEST(PassTest, WholePipeline) {
  for (int level : {1, 2}) {
    TestPass([&](Function& f) { Optimize(f, {.level = level, .verify = true}); }, 40000, 1500, {});
  }
}

TEST(PassTest, WholePipelineLarge) {
  for (int level : {1, 2}) {
    TestPass([&](Function& f) { Optimize(f, {.level = level, .verify = true}); }, 50000, 200,
             {.max_blocks = 80, .max_insts = 20});
  }
}

TEST(PassTest, WebAssembly) {
  TestPass([](Function& f) { EliminateDeadCode(f); }, 60000, 500, {.wasm = true});
  TestPass(
      [](Function& f) {
        RemoveUnreachableBlocks(f);
        Simplify(f);
      },
      61000, 2000, {.wasm = true});
  for (int level : {1, 2}) {
    TestPass([&](Function& f) { Optimize(f, {.level = level, .verify = true}); }, 64000, 2000,
             {.wasm = true});
    TestPass([&](Function& f) { Optimize(f, {.level = level, .verify = true}); }, 67000, 200,
             {.max_blocks = 80, .max_insts = 20, .state = false, .wasm = true});
  }
}

// A run of WebAssembly ends for want of fuel at exactly the same instruction.
TEST(PassTest, WebAssemblyIsMeteredExactly) {
  uint32_t suspended = 0;
  for (uint64_t seed = 70000; seed < 70500; ++seed) {
    const Function before = ir::RandomFunction(seed, {.wasm = true});
    Function after = before;
    Optimize(after, {.level = 2, .verify = true});
    for (int64_t fuel : {5, 50, 150}) {
      const std::vector<uint64_t> args = {1, seed, 3};
      const Observation x = Observe(before, before.entries()[0], args, fuel, false);
      const Observation y = Observe(after, after.entries()[0], args, fuel, false);
      using Outcome = EvalResult::Outcome;
      // Endless without a meter.
      if (x.result.outcome == Outcome::kOutOfSteps || y.result.outcome == Outcome::kOutOfSteps) {
        continue;
      }
      ASSERT_EQ(x.result.outcome, y.result.outcome) << "seed " << seed;
      ASSERT_EQ(x.fuel, y.fuel) << "seed " << seed;
      ASSERT_EQ(x.result.site.guest_pc, y.result.site.guest_pc) << "seed " << seed;
      suspended += x.result.outcome == Outcome::kSuspended ? 1 : 0;
    }
  }
  EXPECT_GT(suspended, 100u);
}

TEST(PipelineTest, LevelZeroDoesNothing) {
  Function f = ir::RandomFunction(1);
  const std::string before = ir::Print(f);
  Optimize(f, {.level = 0, .verify = true});
  EXPECT_EQ(ir::Print(f), before);
}

TEST(PipelineTest, DumpsAfterEveryPass) {
  Function f = ir::RandomFunction(1);
  std::string passes;
  Optimize(f, {.dump = [&](std::string_view pass, const Function&) {
             absl::StrAppend(&passes, pass, " ");
           }});
  EXPECT_EQ(passes, "dce simplify dce meter dce loop_depth ");
}

}  // namespace
}  // namespace precast::opt
