// Random problems through allocator, checker and simulator; small problems whose answer is known;
// and wrong answers that the checker has to find.
#include "compiler/regalloc/regalloc.h"

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "compiler/regalloc/checker.h"
#include "compiler/regalloc/guest_like_problem.h"
#include "compiler/regalloc/problem_text.h"
#include "compiler/regalloc/random_problem.h"
#include "compiler/regalloc/validate.h"
#include "gtest/gtest.h"

namespace precast::regalloc {
namespace {

using Constraint = Operand::Constraint;
using Kind = Operand::Kind;
using Pos = Operand::Pos;

void TryOne(uint64_t seed) {
  const Problem problem = RandomProblem(seed, RandomOptionsFor(seed));
  const absl::Status valid = ValidateProblem(problem);
  ASSERT_TRUE(valid.ok()) << "seed " << seed << ": " << valid << "\n" << ToString(problem);
  const Solution solution = Allocate(problem);
  const absl::Status checked = Check(problem, solution);
  ASSERT_TRUE(checked.ok()) << "seed " << seed << ": " << checked << "\n"
                            << ToString(problem, &solution);
  const absl::Status same = Simulate(problem, solution, seed, 200);
  ASSERT_TRUE(same.ok()) << "seed " << seed << ": " << same << "\n" << ToString(problem, &solution);
}

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// More of them, or one case alone: --test_env=REGALLOC_TEST_SEED=first
// --test_env=REGALLOC_TEST_COUNT=n.
TEST(RandomAllocationTest, ChecksAndRuns) {
  const uint64_t first = FromEnvironment("REGALLOC_TEST_SEED", 0);
  const uint64_t count = FromEnvironment("REGALLOC_TEST_COUNT", 4000);
  for (uint64_t seed = first; seed < first + count && !HasFatalFailure(); ++seed) TryOne(seed);
}

TEST(GuestLikeAllocationTest, ChecksAndRuns) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    GuestLikeOptions options;
    options.insts = seed < 10 ? 300 : 4000;
    options.call_rate = seed % 3 * 0.03;
    const Problem problem = GuestLikeProblem(seed, options);
    ASSERT_EQ(ValidateProblem(problem), absl::OkStatus()) << ToString(problem);
    const Solution solution = Allocate(problem);
    ASSERT_EQ(Check(problem, solution), absl::OkStatus()) << ToString(problem, &solution);
    ASSERT_EQ(Simulate(problem, solution, seed, 20000), absl::OkStatus());
  }
}

TEST(RandomAllocationTest, IsDeterministic) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Problem problem = RandomProblem(seed, RandomOptionsFor(seed));
    const Solution a = Allocate(problem);
    const Solution b = Allocate(problem);
    EXPECT_EQ(ToString(problem, &a), ToString(problem, &b));
  }
}

// A wrong answer may still be right by accident (another place holds the same value, or nobody
// looks), so the checker is held against the simulator: whatever the simulator sees go wrong, the
// checker has to report.
TEST(CheckerTest, FindsEveryFaultThatMatters) {
  int harmful = 0;
  int found = 0;
  int mutations = 0;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    const Problem problem = RandomProblem(seed, RandomOptionsFor(seed));
    const Solution good = Allocate(problem);
    std::mt19937_64 random(seed);
    auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
    auto other = [&](Location& location, RegClass cls) {
      const uint32_t slots = cls == RegClass::kInt ? good.num_int_slots : good.num_vector_slots;
      if (slots > 0 && below(2) == 0) {
        location = {Location::Kind::kSlot, {}, static_cast<uint32_t>(below(slots))};
      } else {
        location = {Location::Kind::kReg, {cls, static_cast<uint8_t>(below(16))}, 0};
      }
    };
    for (int k = 0; k < 12; ++k) {
      Solution bad = good;
      switch (below(8)) {
        case 0:  // move lost
          if (bad.moves.empty()) continue;
          bad.moves.erase(bad.moves.begin() + below(bad.moves.size()));
          break;
        case 1:  // move to or from the wrong place
        {
          if (bad.moves.empty()) continue;
          Move& move = bad.moves[below(bad.moves.size())];
          other(below(2) ? move.from : move.to, move.cls);
          break;
        }
        case 2:  // operand in the wrong place
        {
          if (bad.operands.empty()) continue;
          const size_t index = below(bad.operands.size());
          other(bad.operands[index], problem.vreg_class[problem.operands[index].vreg]);
          break;
        }
        case 3:  // tracked in the wrong place
        {
          if (bad.tracked.empty()) continue;
          TrackedLocation& t = bad.tracked[below(bad.tracked.size())];
          other(t.location, problem.vreg_class[t.vreg]);
          break;
        }
        case 4:  // moves in the wrong order
        {
          if (bad.moves.size() < 2) continue;
          const size_t index = below(bad.moves.size() - 1);
          if (bad.moves[index].before != bad.moves[index + 1].before) continue;
          std::swap(bad.moves[index], bad.moves[index + 1]);
          break;
        }
        case 5:  // only half of a value moved
        {
          if (bad.moves.empty()) continue;
          bad.moves[below(bad.moves.size())].half = true;
          break;
        }
        case 6:  // a slot for half of a value
        {
          if (bad.num_int_slots == 0) continue;
          bad.int_slot_wide[below(bad.num_int_slots)] = false;
          break;
        }
        default:  // one move too many
        {
          if (bad.moves.empty()) continue;
          Move extra = bad.moves[below(bad.moves.size())];
          extra.swap = false;
          other(extra.to, extra.cls);
          const size_t at = below(bad.moves.size());
          extra.before = bad.moves[at].before;
          bad.moves.insert(bad.moves.begin() + at, extra);
          break;
        }
      }
      ++mutations;
      const bool reported = !Check(problem, bad).ok();
      found += reported;
      bool wrong = false;
      for (uint64_t run = 0; run < 5; ++run) wrong |= !Simulate(problem, bad, run, 300).ok();
      harmful += wrong;
      ASSERT_TRUE(reported || !wrong) << "seed " << seed << " mutation " << k << "\n"
                                      << ToString(problem, &bad);
    }
  }
  EXPECT_GT(mutations, 3000);
  EXPECT_GT(harmful, mutations / 4);
  EXPECT_GT(found, mutations / 2);
}

// --- Small problems
// -------------------------------------------------------------------------------

// Builds problems by hand. Blocks are added in order; edges name blocks that may come later.
class Maker {
 public:
  Maker() {
    for (uint8_t hw = 0; hw < 4; ++hw) p_.allocatable |= Bit(Int(hw)) | Bit(Vector(hw));
  }

  static PReg Int(uint8_t hw) { return {RegClass::kInt, hw}; }
  static PReg Vector(uint8_t hw) { return {RegClass::kVector, hw}; }

  VReg New(RegClass cls = RegClass::kInt) {
    p_.vreg_class.push_back(cls);
    return static_cast<VReg>(p_.vreg_class.size() - 1);
  }

  void BeginBlock(std::vector<VReg> params = {}, float frequency = 1) {
    Block block;
    block.begin = static_cast<InstIndex>(p_.insts.size());
    block.params_begin = static_cast<uint32_t>(p_.block_params.size());
    block.params_count = static_cast<uint32_t>(params.size());
    block.frequency = frequency;
    p_.block_params.insert(p_.block_params.end(), params.begin(), params.end());
    p_.blocks.push_back(block);
    succs_.emplace_back();
  }

  InstIndex Add(std::vector<Operand> operands, PRegSet clobbers = 0, bool is_move = false) {
    Inst inst;
    inst.operands_begin = static_cast<uint32_t>(p_.operands.size());
    inst.operands_count = static_cast<uint16_t>(operands.size());
    inst.clobbers = clobbers;
    inst.is_move = is_move;
    p_.operands.insert(p_.operands.end(), operands.begin(), operands.end());
    p_.insts.push_back(inst);
    p_.blocks.back().end = static_cast<InstIndex>(p_.insts.size());
    return static_cast<InstIndex>(p_.insts.size() - 1);
  }

  void AddEdge(BlockIndex target, std::vector<VReg> args = {}) {
    succs_.back().push_back({target, args});
  }

  Problem Finish() {
    std::vector<std::vector<BlockIndex>> preds(p_.blocks.size());
    for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
      p_.blocks[b].succs_begin = static_cast<uint32_t>(p_.edges.size());
      p_.blocks[b].succs_count = static_cast<uint32_t>(succs_[b].size());
      for (const auto& [target, args] : succs_[b]) {
        p_.edges.push_back({target, static_cast<uint32_t>(p_.edge_args.size()),
                            static_cast<uint32_t>(args.size())});
        p_.edge_args.insert(p_.edge_args.end(), args.begin(), args.end());
        preds[target].push_back(b);
      }
    }
    for (BlockIndex b = 0; b < p_.blocks.size(); ++b) {
      p_.blocks[b].preds_begin = static_cast<uint32_t>(p_.pred_blocks.size());
      p_.blocks[b].preds_count = static_cast<uint32_t>(preds[b].size());
      p_.pred_blocks.insert(p_.pred_blocks.end(), preds[b].begin(), preds[b].end());
    }
    return p_;
  }

  Problem p_;

 private:
  std::vector<std::vector<std::pair<BlockIndex, std::vector<VReg>>>> succs_;
};

Operand Use(VReg v, Constraint c = Constraint::kReg, Pos pos = Pos::kEarly) {
  return {v, c, Kind::kUse, pos};
}
Operand Def(VReg v, Constraint c = Constraint::kReg, Pos pos = Pos::kLate) {
  return {v, c, Kind::kDef, pos};
}
Operand FixedUse(VReg v, PReg reg, Pos pos = Pos::kEarly) {
  return {v, Constraint::kFixed, Kind::kUse, pos, 0, reg};
}
Operand FixedDef(VReg v, PReg reg, Pos pos = Pos::kLate) {
  return {v, Constraint::kFixed, Kind::kDef, pos, 0, reg};
}
Operand ReuseDef(VReg v, uint8_t operand) {
  return {v, Constraint::kReuse, Kind::kDef, Pos::kLate, operand};
}

Solution AllocateAndCheck(const Problem& problem) {
  EXPECT_EQ(ValidateProblem(problem), absl::OkStatus()) << ToString(problem);
  Solution solution = Allocate(problem);
  EXPECT_EQ(Check(problem, solution), absl::OkStatus()) << ToString(problem, &solution);
  EXPECT_EQ(Simulate(problem, solution, 1, 100), absl::OkStatus()) << ToString(problem, &solution);
  return solution;
}

TEST(AllocateTest, LoopCounterNeedsNoMoves) {
  Maker m;
  const VReg start = m.New(), i = m.New(), next = m.New(), limit = m.New();
  m.BeginBlock();
  m.Add({Def(start)});
  m.Add({Def(limit)});
  m.Add({});
  m.AddEdge(1, {start});
  m.BeginBlock({i}, 8);
  m.Add({Use(i), ReuseDef(next, 0)});
  m.Add({Use(next), Use(limit)});
  m.AddEdge(2);
  m.AddEdge(3);
  m.BeginBlock({}, 8);
  m.Add({});
  m.AddEdge(1, {next});
  m.BeginBlock();
  m.Add({FixedUse(next, Maker::Int(0))});
  const Problem problem = m.Finish();
  const Solution solution = AllocateAndCheck(problem);
  EXPECT_LE(solution.moves.size(), 1u) << ToString(problem, &solution);
  EXPECT_EQ(solution.num_int_slots, 0u);
}

TEST(AllocateTest, ValueAcrossCallsIsStoredOnce) {
  Maker m;
  const VReg v = m.New();
  m.BeginBlock();
  m.Add({FixedDef(v, Maker::Int(1))});
  for (int k = 0; k < 5; ++k) {
    m.Add({FixedUse(v, Maker::Int(2))}, m.p_.allocatable);
    m.Add({Use(v)});
  }
  const Problem problem = m.Finish();
  const Solution solution = AllocateAndCheck(problem);
  int stores = 0;
  for (const Move& move : solution.moves) stores += move.to.kind == Location::Kind::kSlot;
  EXPECT_EQ(stores, 1) << ToString(problem, &solution);
}

// Three times as many as there are registers and slots that are searched: a value that comes when
// others are over takes the place of one.
TEST(AllocateTest, ManyValuesInMemory) {
  constexpr size_t kValues = 700, kRounds = 3;
  Maker m;
  m.BeginBlock();
  for (size_t round = 0; round < kRounds; ++round) {
    std::vector<VReg> values;
    for (size_t k = 0; k < kValues; ++k) {
      values.push_back(m.New());
      m.Add({Def(values.back())});
    }
    for (int k = 0; k < 8; ++k) m.Add({});
    for (const VReg v : values) m.Add({Use(v)});
    for (int k = 0; k < 8; ++k) m.Add({});
  }
  const Problem problem = m.Finish();
  const Solution solution = AllocateAndCheck(problem);
  EXPECT_GT(solution.num_int_slots, 600u);
  EXPECT_LT(solution.num_int_slots, 1000u);
}

// Of the size of a large function. A pass that is quadratic takes longer than a test may.
TEST(AllocateTest, VeryManyValuesInMemory) {
  constexpr size_t kValues = 300'000;
  Maker m;
  m.BeginBlock();
  std::vector<VReg> values;
  for (size_t k = 0; k < kValues; ++k) {
    values.push_back(m.New());
    m.Add({Def(values.back())});
  }
  for (const VReg v : values) m.Add({Use(v)});
  EXPECT_GT(Allocate(m.Finish()).num_int_slots, kValues / 2);
}

TEST(AllocateTest, ColdCallLeavesTheLoopAlone) {
  Maker m;
  const VReg start = m.New(), i = m.New(), next = m.New();
  m.BeginBlock();
  m.Add({Def(start)});
  m.Add({});
  m.AddEdge(1, {start});
  m.BeginBlock({i}, 100);
  m.Add({Use(i), ReuseDef(next, 0)});
  m.Add({Use(next)});
  m.AddEdge(2);
  m.AddEdge(4);
  m.AddEdge(5);
  m.BeginBlock({}, 100);
  m.Add({});
  m.AddEdge(3);
  m.BeginBlock({}, 100);
  m.Add({});
  m.AddEdge(1, {next});
  m.BeginBlock({}, 1);
  m.Add({FixedUse(next, Maker::Int(0))});
  m.BeginBlock({}, 0.01f);
  m.Add({}, m.p_.allocatable);
  m.Add({});
  m.AddEdge(3);
  const Problem problem = m.Finish();
  const Solution solution = AllocateAndCheck(problem);
  for (const Move& move : solution.moves) {
    for (const Block& block : problem.blocks) {
      if (block.frequency < 50) continue;
      EXPECT_FALSE(block.begin <= move.before && move.before < block.end)
          << ToString(problem, &solution);
    }
  }
}

// Three values that the loop uses and three that it leaves alone, of which one goes through block
// parameters, in four registers.
TEST(AllocateTest, LoopKeepsWhatItUses) {
  Maker m;
  std::vector<VReg> used, alone;
  m.BeginBlock();
  for (int k = 0; k < 3; ++k) {
    alone.push_back(m.New());
    m.Add({Def(alone.back())});
    used.push_back(m.New());
    m.Add({Def(used.back())});
  }
  m.Add({});
  m.AddEdge(1, {used[0], alone[0]});
  const VReg i = m.New(), passed = m.New(), next = m.New(), t = m.New();
  m.BeginBlock({i, passed}, 64);
  m.Add({Use(i), Use(used[1]), Def(t)});
  m.Add({Use(t), Use(used[2])});
  m.Add({Use(i), ReuseDef(next, 0)});
  m.Add({Use(next)});
  m.AddEdge(2);
  m.AddEdge(3);
  m.BeginBlock({}, 64);
  m.Add({});
  m.AddEdge(1, {next, passed});
  m.BeginBlock();
  m.Add({Use(passed), Use(alone[1]), Use(alone[2])});
  m.Add({});
  const Problem problem = m.Finish();
  const Solution solution = AllocateAndCheck(problem);
  for (const Move& move : solution.moves) {
    for (const Block& block : problem.blocks) {
      if (block.frequency < 50) continue;
      EXPECT_FALSE(block.begin <= move.before && move.before < block.end)
          << ToString(problem, &solution);
    }
  }
}

// A value that a loop hands on to itself is in its slot from before the loop.
TEST(AllocateTest, PassedOnValueIsStoredBeforeTheLoop) {
  Maker m;
  const VReg start = m.New(), value = m.New(), i = m.New(), passed = m.New(), next = m.New();
  m.BeginBlock();
  m.Add({Def(start)});
  m.Add({Def(value)});
  m.Add({});
  m.AddEdge(1, {start, value});
  m.BeginBlock({i, passed}, 64);
  m.Add({Use(passed)});
  m.Add({}, m.p_.allocatable);
  m.Add({Use(passed)});
  m.Add({Use(i), ReuseDef(next, 0)});
  m.Add({Use(next)});
  m.AddEdge(2);
  m.AddEdge(3);
  m.BeginBlock({}, 64);
  m.Add({});
  m.AddEdge(1, {next, passed});
  m.BeginBlock();
  m.Add({Use(passed)});
  m.Add({});
  const Problem problem = m.Finish();
  const Solution solution = AllocateAndCheck(problem);
  int stores = 0;
  for (const Move& move : solution.moves) {
    const bool hot = problem.blocks[1].begin <= move.before && move.before < problem.blocks[2].end;
    stores += hot && move.to.kind == Location::Kind::kSlot;
  }
  EXPECT_EQ(stores, 1) << ToString(problem, &solution);  // only the counter's
}

TEST(AllocateTest, TrackedOnlyValuesGoToMemoryFirst) {
  Maker m;
  std::vector<VReg> kept, used;
  m.BeginBlock();
  for (int k = 0; k < 4; ++k) {
    kept.push_back(m.New());
    m.Add({Def(kept.back())});
  }
  for (int k = 0; k < 4; ++k) {
    used.push_back(m.New());
    m.Add({Def(used.back())});
  }
  InstIndex last = 0;
  for (VReg v : used) last = m.Add({Use(v)});
  for (VReg v : kept) m.p_.tracked.push_back({v, 4, last, static_cast<uint8_t>(v)});
  const Problem problem = m.Finish();
  const Solution solution = AllocateAndCheck(problem);
  for (const Move& move : solution.moves) {
    EXPECT_EQ(move.to.kind, Location::Kind::kSlot) << ToString(problem, &solution);
  }
  EXPECT_EQ(solution.moves.size(), 4u);
}

TEST(AllocateTest, TrackedPiecesMeetAndDiffer) {
  Maker m;
  const VReg v = m.New();
  m.BeginBlock();
  m.Add({Def(v)});
  m.Add({});
  m.Add({}, m.p_.allocatable);
  m.Add({});
  m.Add({Use(v)});
  m.p_.tracked.push_back({v, 1, 4, 7});
  const Problem problem = m.Finish();
  const Solution solution = AllocateAndCheck(problem);
  ASSERT_FALSE(solution.tracked.empty());
  EXPECT_EQ(solution.tracked.front().from, 1u);
  EXPECT_EQ(solution.tracked.back().to, 4u);
  for (size_t k = 1; k < solution.tracked.size(); ++k) {
    EXPECT_EQ(solution.tracked[k].from, solution.tracked[k - 1].to + 1);
    EXPECT_FALSE(solution.tracked[k].location == solution.tracked[k - 1].location);
  }
}

TEST(AllocateTest, SwappingLoopGoesThroughAFreeRegisterOrSwaps) {
  struct Case {
    RegClass cls;
    bool free;
    size_t moves;
  };
  for (const auto& [cls, free, moves] :
       {Case{RegClass::kInt, true, 3}, {RegClass::kInt, false, 1}, {RegClass::kVector, true, 3}}) {
    Maker maker;
    const VReg a = maker.New(cls), b = maker.New(cls), x = maker.New(cls), y = maker.New(cls);
    maker.BeginBlock();
    maker.Add({Def(a)});
    maker.Add({Def(b)});
    maker.Add({});
    maker.AddEdge(1, {a, b});
    maker.BeginBlock({x, y}, 8);
    maker.Add({Use(x), Use(y)});
    maker.AddEdge(2);
    maker.AddEdge(3);
    maker.BeginBlock({}, 8);
    maker.Add({});
    maker.AddEdge(1, {y, x});
    maker.BeginBlock();
    maker.Add({});
    if (!free) maker.p_.allocatable = 3;
    const Problem problem = maker.Finish();
    const Solution solution = AllocateAndCheck(problem);
    EXPECT_EQ(solution.moves.size(), moves) << ToString(problem, &solution);
    EXPECT_EQ(solution.moves.front().swap, !free);
  }
}

// Instructions whose operands only just fit.
TEST(AllocateTest, TightInstructions) {
  Maker m;
  std::vector<VReg> v;
  m.BeginBlock();
  for (int k = 0; k < 4; ++k) {
    v.push_back(m.New());
    m.Add({Def(v.back())});
  }
  const VReg temporary = m.New(), late = m.New(), quotient = m.New(), remainder = m.New();
  // Three of four registers clobbered: the temporary has one choice.
  m.Add({Use(v[0]), Use(v[1]), Use(v[2]), Def(temporary, Constraint::kReg, Pos::kEarly)},
        m.p_.allocatable & 7);
  m.Add({Use(v[0]), Use(v[1], Constraint::kReg, Pos::kLate), Use(v[2]), Use(v[3]), Def(late)},
        m.p_.allocatable & 6);
  m.Add({FixedUse(v[0], Maker::Int(0)), FixedUse(v[0], Maker::Int(2)), Use(v[1]), Use(v[3]),
         FixedDef(quotient, Maker::Int(0)), FixedDef(remainder, Maker::Int(2))});
  for (VReg u : {v[0], v[1], v[2], v[3], late, quotient, remainder}) m.Add({Use(u)});
  AllocateAndCheck(m.Finish());
}

TEST(ValidateTest, NamesWhatIsWrong) {
  auto expect = [](Maker& m, const char* text) {
    const absl::Status status = ValidateProblem(m.Finish());
    EXPECT_TRUE(absl::StrContains(status.message(), text)) << status;
  };
  {
    Maker m;
    m.BeginBlock();
    m.Add({Use(m.New())});
    expect(m, "not defined on every path");
  }
  {
    Maker m;
    const VReg v = m.New();
    m.BeginBlock();
    m.Add({Def(v)});
    m.Add({Def(v)});
    expect(m, "defined twice");
  }
  {
    Maker m;
    m.BeginBlock();
    m.Add({});
    m.AddEdge(1);
    m.AddEdge(2);
    m.BeginBlock();
    m.Add({});
    m.AddEdge(2);
    m.BeginBlock();
    m.Add({});
    expect(m, "critical");
  }
  {
    Maker m;
    const VReg v = m.New();
    m.BeginBlock();
    m.Add({});
    m.BeginBlock({v});
    m.Add({});
    expect(m, "entry with parameters");
  }
  {
    Maker m;
    const VReg v = m.New();
    m.BeginBlock();
    m.Add({Def(v)});
    m.Add({});
    m.p_.tracked.push_back({v, 0, 1, 3});
    expect(m, "not defined on every path");
  }
  {
    Maker m;
    const VReg v = m.New(), w = m.New();
    m.BeginBlock();
    m.Add({Def(v)});
    m.Add({Def(w)});
    m.Add({FixedUse(v, Maker::Int(1)), FixedUse(w, Maker::Int(1))});
    expect(m, "two values fixed to one register");
  }
}

}  // namespace
}  // namespace precast::regalloc
