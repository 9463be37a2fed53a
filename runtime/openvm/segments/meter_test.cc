#include "runtime/openvm/segments/meter.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "runtime/openvm/segments/testing/guests.h"

namespace precast::runtime {
namespace {

using precast::openvm::AddressSpace;
using precast::openvm::MeteringConfig;
using precast::openvm::Registry;
using precast::openvm::Segment;

CountedMemory MemoryOf(Instance& instance) { return {instance.memory().base(), kGuestMemoryBits}; }

std::vector<Segment> Metered(const ProgramImage& program, const MeteringConfig& config) {
  std::unique_ptr<Instance> instance = StartGuest(program);
  Meter meter(config, Registry::Global(), MemoryOf(*instance));
  instance->interpreter().SetObserver(&meter);
  EXPECT_EQ(instance->Run().reason, RunResult::Reason::kExited);
  EXPECT_EQ(meter.instructions(), instance->retired());
  meter.Finish();
  return meter.segments();
}

// The oracle: remembers all that is executed, and computes the heights of any range from nothing.
class Recorder final : public precast::openvm::Observer {
 public:
  void OnInstruction(uint32_t, uint32_t word, const uint32_t*) override {
    words.push_back(word);
    pages.emplace_back();
  }
  void OnAccess(AddressSpace space, uint32_t address, uint32_t size, bool) override {
    for (uint32_t i = 0; i < size; ++i)
      pages.back().insert({static_cast<int>(space), (address + i) / 512});
  }
  std::vector<uint32_t> words;
  std::vector<std::set<std::pair<int, uint32_t>>> pages;
};

std::vector<uint32_t> HeightsOf(const Recorder& run, const MeteringConfig& config,
                                precast::openvm::RowTable& table, size_t begin, size_t end,
                                size_t pages_begin) {
  std::vector<uint32_t> heights(config.chips.size());
  for (size_t i = begin; i < end; ++i) {
    for (const precast::openvm::RowUse& use : table.Of(run.words[i])) heights[use.chip] += use.rows;
  }
  std::set<std::pair<int, uint32_t>> pages = {{1, 0}};
  for (size_t i = pages_begin; i < end; ++i) pages.insert(run.pages[i].begin(), run.pages[i].end());
  const precast::openvm::PageRows rows = RowsOfPage(config);
  const auto count = static_cast<uint32_t>(pages.size());
  heights[config.boundary] += count * rows.boundary;
  heights[config.merkle] += count * rows.merkle;
  heights[config.poseidon2] += count * rows.poseidon2;
  for (size_t i = 0; i < heights.size(); ++i)
    heights[i] = config.chips[i].constant_height.value_or(heights[i]);
  return heights;
}

std::vector<Segment> Expected(const ProgramImage& program, const MeteringConfig& config) {
  std::unique_ptr<Instance> instance = StartGuest(program);
  Recorder run;
  instance->interpreter().SetObserver(&run);
  instance->Run();
  precast::openvm::RowTable table(config, Registry::Global());
  std::vector<Segment> segments;
  size_t begin = 0, pages_begin = 0;
  for (size_t check = config.check_interval; check < run.words.size();
       check += config.check_interval) {
    const std::vector<uint32_t> heights = HeightsOf(run, config, table, begin, check, pages_begin);
    if (ExceededLimit(config, heights) == precast::openvm::Limit::kNone) continue;
    const size_t before = check - config.check_interval;
    const size_t end = before > begin ? before : check;
    segments.push_back(
        {begin, end - begin, HeightsOf(run, config, table, begin, end, pages_begin)});
    begin = end;
    pages_begin = before;  // also where the segment ends at `check`
  }
  segments.push_back({begin, run.words.size() - begin,
                      HeightsOf(run, config, table, begin, run.words.size(), pages_begin)});
  return segments;
}

TEST(Meter, CutsWhereTheLimitsAreExceeded) {
  for (uint32_t stride : {4u, 516u, 4096u}) {
    for (uint32_t bits : {11u, 12u, 13u, 24u}) {
      const ProgramImage program = LoopGuest(2500, stride);
      const MeteringConfig config = SmallMetering(bits);
      const std::vector<Segment> segments = Metered(program, config);
      EXPECT_EQ(segments, Expected(program, config)) << "stride " << stride << ", bits " << bits;
      EXPECT_EQ(segments.size() > 1, bits < 24);
    }
  }
}

TEST(Meter, SegmentWithoutAGoodCheckPoint) {
  // Every interval exceeds the limit by itself: each segment is one interval.
  const ProgramImage program = LoopGuest(1000, 4096);
  const MeteringConfig config = SmallMetering(9);
  const std::vector<Segment> segments = Metered(program, config);
  EXPECT_EQ(segments, Expected(program, config));
  EXPECT_EQ(segments[0].instructions, 1000u);
  EXPECT_EQ(segments[1].instructions, 1000u);
}

TEST(Meter, LimitsOfMemoryAndInteractions) {
  const ProgramImage program = LoopGuest(2500, 4);
  MeteringConfig config = SmallMetering(24);
  config.max_interactions = 200000;
  std::vector<Segment> segments = Metered(program, config);
  EXPECT_EQ(segments, Expected(program, config));
  EXPECT_GT(segments.size(), 1u);
  config = SmallMetering(24);
  std::vector<uint32_t> heights(config.chips.size(), 0);
  heights[*config.FindChip("BaseAlu")] = 8192;
  config.memory_model.log_stacked_height = 4;
  config.max_memory = EstimateMemory(config, Metered(LoopGuest(1000, 4), config)[0].heights);
  segments = Metered(program, config);
  EXPECT_EQ(segments, Expected(program, config));
  EXPECT_GT(segments.size(), 1u);
}

TEST(Meter, CheckIntervalAndProgramHeight) {
  const ProgramImage program = LoopGuest(2500, 64);
  MeteringConfig config = SmallMetering(11);
  config.check_interval = 37;
  SetProgramHeight(25, config);
  const std::vector<Segment> segments = Metered(program, config);
  EXPECT_EQ(segments, Expected(program, config));
  EXPECT_EQ(segments[0].instructions % 37, 0u);
  EXPECT_EQ(segments[0].heights[0], 25u);
  EXPECT_EQ(segments[0].heights[1], 2u);
}

// What is more than a height can hold is too much, however much it is.
TEST(Meter, AStretchMayHaveRowsOfMoreThan32Bits) {
  std::unique_ptr<Instance> instance = StartGuest(LoopGuest(2500, 64));
  MeteringConfig config = SmallMetering(31);
  config.max_interactions = config.max_memory = UINT64_MAX;
  const Meter meter(config, Registry::Global(), MemoryOf(*instance));
  std::vector<uint64_t> rows(config.chips.size());
  EXPECT_FALSE(meter.WouldExceed(rows, 0));
  EXPECT_TRUE(meter.WouldExceed(rows, uint64_t{1} << 32));
  rows[*config.FindChip("BaseAlu")] = uint64_t{1} << 32;
  EXPECT_TRUE(meter.WouldExceed(rows, 0));
}

// Suspended anywhere, moved to another meter and another instance: nobody can tell.
TEST(Meter, StateMoves) {
  const ProgramImage program = LoopGuest(2500, 516);
  const MeteringConfig config = SmallMetering(12);
  const std::vector<Segment> expected = Metered(program, config);
  std::string meter_state;
  std::unique_ptr<Instance> instance = StartGuest(program);
  int moves = 0;
  for (;; ++moves) {
    Meter meter(config, Registry::Global(), MemoryOf(*instance));
    if (!meter_state.empty()) {
      ASSERT_TRUE(meter
                      .RestoreState(absl::MakeConstSpan(
                          reinterpret_cast<const uint8_t*>(meter_state.data()), meter_state.size()))
                      .ok());
    }
    instance->interpreter().SetObserver(&meter);
    const RunResult result = instance->Run(moves % 2 == 0 ? 1237 : 763);
    if (result.reason == RunResult::Reason::kExited) {
      meter.Finish();
      EXPECT_EQ(meter.segments(), expected);
      break;
    }
    meter_state = meter.SaveState();
  }
  EXPECT_GT(moves, 10);
  // Damage is refused.
  Meter meter(config, Registry::Global(), MemoryOf(*instance));
  for (size_t size = 0; size < std::min<size_t>(meter_state.size(), 200); ++size) {
    EXPECT_FALSE(meter
                     .RestoreState(absl::MakeConstSpan(
                         reinterpret_cast<const uint8_t*>(meter_state.data()), size))
                     .ok());
  }
  for (size_t at = 0; at < meter_state.size(); at += 1 + at / 16) {
    std::string flipped = meter_state;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    EXPECT_FALSE(meter
                     .RestoreState(absl::MakeConstSpan(
                         reinterpret_cast<const uint8_t*>(flipped.data()), flipped.size()))
                     .ok())
        << at;
  }
  MeteringConfig other = config;
  other.max_height_bits = 13;
  Meter other_meter(other, Registry::Global(), MemoryOf(*instance));
  EXPECT_FALSE(other_meter
                   .RestoreState(absl::MakeConstSpan(
                       reinterpret_cast<const uint8_t*>(meter_state.data()), meter_state.size()))
                   .ok());
}

TEST(CostMeter, StopsBeforeTheFirstInstructionBeyond) {
  const ProgramImage program = LoopGuest(1000, 4);
  const MeteringConfig config = SmallMetering(24);
  auto cost_after = [&](int64_t instructions) {
    std::unique_ptr<Instance> instance = StartGuest(program);
    CostMeter meter(config, Registry::Global(), MemoryOf(*instance), UINT64_MAX);
    instance->interpreter().SetObserver(&meter);
    instance->Run(instructions);
    return meter.cost();
  };
  const uint64_t limit = cost_after(5000);
  auto stopped_at = [&](uint64_t max_cost) {
    std::unique_ptr<Instance> instance = StartGuest(program);
    CostMeter meter(config, Registry::Global(), MemoryOf(*instance), max_cost);
    instance->interpreter().SetObserver(&meter);
    EXPECT_EQ(instance->Run().reason, RunResult::Reason::kSuspended);
    EXPECT_TRUE(meter.exceeded());
    EXPECT_EQ(meter.cost(), cost_after(static_cast<int64_t>(instance->retired())));
    return instance->retired();
  };
  EXPECT_EQ(stopped_at(limit - 1), 5000u);
  EXPECT_EQ(stopped_at(limit), 5001u);
  // The cells of 3 instructions: lui, addi, lui.
  EXPECT_EQ(cost_after(3), 18u + 36 + 18);
}

}  // namespace
}  // namespace precast::runtime
