#include "runtime/openvm/segments/native_meter.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/log/check.h"
#include "openvm/counted_rows.h"

namespace precast::runtime {

using precast::openvm::AddressSpace;
using precast::openvm::Instruction;
using precast::openvm::MeteringConfig;
using precast::openvm::Operands;
using precast::openvm::Registry;

namespace {

// Instructions of the longest stretch, which the first one is. What a stretch costs by itself, some
// ten microseconds, does not matter then, and the pages it touches, each of which is copied (but in
// the first stretch), are few.
constexpr uint64_t kLongest = uint64_t{5} << 20;
// Cost mode: less is interpreted.
constexpr uint64_t kShortest = 1000;
// A stretch ends after so many custom instructions by the runtime: each takes long and may add many
// rows, and it would be a pity to do much in vain. They may become more while a guest goes on as
// before.
constexpr uint64_t kFewCustomCalls = 8 * 1024, kMostCustomCalls = 64 * 1024;
// Intervals of a sample that says how a guest goes on.
constexpr uint64_t kLongSample = 16;
// A part of a stretch that does not matter.
constexpr uint64_t kPrecisely = 512;
// Interpreted are the ends of stretches only, far apart: a larger table would not be in a cache.
constexpr int kKnownBits = 8;
// Of the log, kept in memory from stretch to stretch.
constexpr uint64_t kKeptLog = uint64_t{64} << 20;

OpenVmHost& HostOf(Instance& instance) { return static_cast<OpenVmHost&>(instance.host()); }

CountedMemory MemoryOf(Instance& instance) {
  return {instance.memory().base(), instance.host().memory_bits()};
}

}  // namespace

Attempt::Attempt(Instance& instance, const MeteringConfig& config, const Registry& registry)
    : instance_(instance),
      host_(HostOf(instance)),
      marks_(instance.memory().page_marks()),
      counter_(config, registry, MemoryOf(instance), kKnownBits),
      numbers_(instance.host().memory_bits()),
      rows_(config.chips.size()) {
  CHECK(instance.counts_rows());
  const auto chip_of = [&](std::string_view name) {
    const std::optional<uint32_t> chip = name.empty() ? std::nullopt : config.FindChip(name);
    return chip.has_value() ? static_cast<int32_t>(*chip) : -1;
  };
  for (size_t lane = 0; lane < chip_of_lane_.size(); ++lane)
    chip_of_lane_[lane] = chip_of(precast::openvm::kCountedChips[lane]);
  chip_of_uncounted_ = chip_of(precast::openvm::kUncountedChip);
  instance.memory().BeginPageLog();
  seen_pages = marks_;
}

Attempt::~Attempt() { instance_.memory().EndPageLog(); }

absl::Span<const abi::TouchedPage> Attempt::Log() const {
  const abi::TouchedPage* begin = instance_.memory().page_log();
  return {begin, static_cast<size_t>(instance_.memory().meter_area().log - begin)};
}

bool Attempt::AtStart() const { return instance_.retired() == 0 && instance_.memory().as_mapped(); }

void Attempt::Begin() {
  before_ = instance_.SaveCheckpoint();
  keeps_ = !AtStart();
  instance_.memory().meter_area().contents = keeps_ ? instance_.memory().page_contents() : nullptr;
  host_.Attempt();
  std::fill(rows_.begin(), rows_.end(), 0);
  instance_.TakeRows();
  instance_.interpreter().TakeCustomTimes([](const Instruction&, uint64_t) {});
  instance_.interpreter().SetObserver(this);
}

RunResult Attempt::Run(int64_t limit, int64_t unit, uint64_t calls) {
  instance_.LimitCustomCalls(calls, unit);
  RunResult result = instance_.Run(limit);
  instance_.LimitCustomCalls(0, 1);
  TakeNativeRows();
  return result;
}

void Attempt::TakeNativeRows() {
  const Instance::Rows rows = instance_.TakeRows();
  const auto add = [&](int32_t chip, uint64_t more) {
    if (chip >= 0) rows_[static_cast<size_t>(chip)] += more;
  };
  for (size_t lane = 0; lane < rows.lanes.size(); ++lane)
    add(chip_of_lane_[lane], rows.lanes[lane]);
  add(chip_of_uncounted_, rows.uncounted);
  instance_.interpreter().TakeCustomTimes([&](const Instruction& instruction, uint64_t times) {
    for (const precast::openvm::RowUse& use : counter_.UsesOf(instruction.word))
      rows_[use.chip] += use.rows * times;
  });
}

void Attempt::End() {
  instance_.interpreter().SetObserver(nullptr);
  GuestMemory& memory = instance_.memory();
  for (const abi::TouchedPage& entry : Log()) memory.page_marks()[entry.page] = 0;
  if (keeps_) {
    auto* const contents = reinterpret_cast<uint8_t*>(memory.page_contents());
    const auto used =
        static_cast<uint64_t>(reinterpret_cast<uint8_t*>(memory.meter_area().contents) - contents);
    if (used > kKeptLog) {
      const uint64_t end = (used + kPageSize - 1) / kPageSize * kPageSize;
      madvise(contents + kKeptLog, end - kKeptLog, MADV_DONTNEED);
    }
  }
  memory.meter_area().log = memory.page_log();
  other_pages_.clear();
}

void Attempt::Commit() {
  End();
  host_.Commit();
}

// As MapProgram() does.
void Attempt::RestoreProgram(uint32_t page) {
  constexpr uint64_t kSize = sizeof(abi::PageContents);
  const uint64_t begin = page * kSize, end = begin + kSize;
  uint8_t* const base = instance_.memory().base();
  std::memset(base + begin, 0, kSize);
  for (const ProgramSegment& segment : instance_.program().segments) {
    const uint64_t first = std::max<uint64_t>(begin, segment.address);
    const uint64_t last = std::min<uint64_t>(end, segment.address + segment.data.size());
    if (first < last)
      std::memcpy(base + first, segment.data.data() + (first - segment.address), last - first);
  }
}

void Attempt::RollBack() {
  const abi::PageContents* kept = instance_.memory().page_contents();
  for (const abi::TouchedPage& entry : Log()) {
    uint8_t* const page =
        instance_.memory().base() + (uint64_t{entry.page} << abi::kMarkedPageBits);
    if (!keeps_) {
      RestoreProgram(entry.page);
    } else if (entry.kept != 0) {
      std::memcpy(page, *kept++, sizeof(*kept));
    } else {
      std::memset(page, 0, sizeof(*kept));
    }
  }
  End();
  host_.RollBack();
  instance_.RestoreCheckpoint(before_);
}

std::vector<uint32_t> Attempt::Pages() const {
  const uint32_t first = numbers_.PageOf(AddressSpace::kMemory, 0);
  std::vector<uint32_t> pages = other_pages_;
  for (const abi::TouchedPage& entry : Log()) pages.push_back(first + entry.page);
  return pages;
}

void Attempt::OnInstruction(uint32_t, uint32_t word, const uint32_t* x) {
  counter_.Count(word, x, [this](uint32_t chip, uint32_t rows) { rows_[chip] += rows; });
}

void Attempt::OnAccess(AddressSpace space, uint32_t address, uint32_t size, bool) {
  if (space != AddressSpace::kMemory) [[unlikely]] {
    return TouchOther(space, address, size);
  }
  uint32_t page = address >> abi::kMarkedPageBits;
  const uint32_t last = (address + (size - 1)) >> abi::kMarkedPageBits;
  do {
    if (marks_[page] == 0) [[unlikely]]
      Touch(page);
  } while (page++ != last);
}

void Attempt::Touch(uint32_t page) { instance_.TouchPage(page); }

void Attempt::TouchOther(AddressSpace space, uint32_t address, uint32_t size) {
  const uint32_t last = numbers_.PageOf(space, address + (size - 1));
  for (uint32_t page = numbers_.PageOf(space, address); page <= last; ++page) {
    if (std::find(other_pages_.begin(), other_pages_.end(), page) == other_pages_.end())
      other_pages_.push_back(page);
  }
}

void Attempt::OnNativeCustom(const Instruction& instruction, const Operands& operands) {
  custom_uses_ = counter_.UsesOf(instruction.word);
  size_t n = 0;
  for (const precast::openvm::RowUse& use : custom_uses_) {
    if (n == custom_rows_.size()) custom_rows_.emplace_back();
    custom_rows_[n++] = counter_.RowsOf(use, instruction, operands);
  }
}

void Attempt::OnNativeCustomRetired() {
  for (size_t n = 0; n < custom_uses_.size(); ++n) rows_[custom_uses_[n].chip] += custom_rows_[n];
}

NativeMeter::NativeMeter(Instance& instance, Meter& meter, const MeteringConfig& config,
                         const Registry& registry)
    : instance_(instance),
      meter_(meter),
      config_(config),
      attempt_(instance, config, registry),
      most_custom_calls_(kFewCustomCalls),
      sample_rows_(config.chips.size()) {
  // The first row of a chip with such cells may lower the estimate.
  for (const precast::openvm::Chip& chip : config.chips) monotonic_ &= chip.constraint_cells == 0;
}

uint64_t NativeMeter::ChooseLength(uint64_t most) const {
  const uint64_t now = instance_.retired();
  if (!monotonic_) return 1;
  if (exceeded_at_ > now) {
    // Less than to there. If the guess was too much, too: halfway.
    const uint64_t left = (exceeded_at_ - now) / config_.check_interval;
    if (left <= 1) return 1;
    most = std::min(most, guessed_ ? left / 2 : left - 1);
    if (guessed_) return most;
  }
  if (sample_intervals_ == 0) return most;
  return std::max<uint64_t>(MostThatFits(most), 1);
}

uint64_t NativeMeter::MostThatFits(uint64_t most) const {
  if (Fits(most)) return most;
  uint64_t good = 0;
  while (most - good > good / kPrecisely + 1) {
    const uint64_t middle = good + (most - good) / 2;
    (Fits(middle) ? good : most) = middle;
  }
  return good;
}

// A stretch that need not keep what pages hold is worth more than the next one.
uint64_t NativeMeter::Extension(uint64_t executed, uint64_t most) const {
  if (attempt_.keeps() || exceeded_at_ != 0 || !monotonic_) return 0;
  const uint64_t good = MostThatFits(executed + most);
  return good > executed + executed / 64 ? good - executed : 0;
}

bool NativeMeter::Fits(uint64_t length) const {
  if (!precise_) length += length / (varies_ && !steady_ ? 8 : 64);
  length += length / kPrecisely + 1;
  std::vector<uint64_t> rows(sample_rows_.size());
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = sample_rows_[i] * length / sample_intervals_;
  return !meter_.WouldExceed(rows, sample_pages_ * length / sample_intervals_);
}

void NativeMeter::SetSample(uint64_t new_pages) {
  sample_rows_ = attempt_.rows();
  sample_pages_ = new_pages;
  sample_intervals_ = std::max<uint64_t>(attempt_.instructions() / config_.check_interval, 1);
}

bool NativeMeter::IsAsExpected(uint64_t executed, uint64_t part) const {
  for (size_t i = 0; i < sample_rows_.size(); ++i) {
    const uint64_t expected = sample_rows_[i] * executed,
                   actual = attempt_.rows()[i] * sample_intervals_;
    const uint64_t more = std::max(expected, actual), less = std::min(expected, actual);
    if (more - less > more / part + sample_intervals_ * executed * 32 / part) return false;
  }
  return sample_intervals_ != 0;
}

RunResult NativeMeter::Run(int64_t limit) {
  limit = std::clamp<int64_t>(limit, 0, Instance::kUnlimited);
  const uint64_t end = instance_.retired() + static_cast<uint64_t>(limit);
  const uint64_t interval = config_.check_interval;
  for (;;) {
    const uint64_t begin = instance_.retired();
    const uint64_t left = end - begin;
    if (begin % interval != 0 || left < interval) {
      // To the next check, or to the end.
      instance_.interpreter().SetObserver(&meter_);
      RunResult result = instance_.RunInterpreted(
          static_cast<int64_t>(std::min(left, interval - begin % interval)));
      instance_.interpreter().SetObserver(nullptr);
      if (result.reason != RunResult::Reason::kSuspended || instance_.retired() == end)
        return result;
      continue;
    }
    const uint64_t most = std::max<uint64_t>(kLongest / interval, 1);
    // The check that is due takes place before the first instruction, if there is one.
    if (!instance_.exited() && instance_.pc() % 4 == 0) meter_.BeginInterval();
    uint64_t length = ChooseLength(std::min(left / interval, most));
    attempt_.Begin();
    uint64_t wanted = 0;
    for (bool done = false; !done;) {
      wanted += length;
      RunResult result = attempt_.Run(static_cast<int64_t>(length * interval),
                                      static_cast<int64_t>(interval), most_custom_calls_);
      if (result.reason == RunResult::Reason::kFailed) return result;
      const bool ended =
          result.reason != RunResult::Reason::kSuspended || instance_.retired() == end;
      const std::vector<uint32_t> pages = attempt_.Pages();
      const uint64_t new_pages = meter_.CountNew(pages);
      // There was a check within the stretch, or one was due before the instruction that has
      // trapped.
      const bool trapped = result.reason == RunResult::Reason::kTrapped;
      const bool checked = attempt_.instructions() + (trapped ? 1 : 0) > interval;
      if (checked && meter_.WouldExceed(attempt_.rows(), new_pages)) {
        guessed_ = exceeded_at_ > begin;
        exceeded_at_ = instance_.retired();
        SetSample(new_pages);
        attempt_.RollBack();
        break;
      }
      const uint64_t executed = attempt_.instructions() / interval;
      if (executed >= kLongSample) {
        steady_ = IsAsExpected(executed, 32);
        precise_ = steady_ && executed >= kPrecisely && IsAsExpected(executed, kPrecisely);
      }
      if (executed >= std::min(sample_intervals_ / 2, kLongSample)) SetSample(new_pages);
      const bool limited = !ended && executed < wanted;
      varies_ |= limited;
      if (limited && (steady_ || most_custom_calls_ == kFewCustomCalls))
        most_custom_calls_ = std::min(2 * most_custom_calls_, kMostCustomCalls);
      length = ended ? 0 : Extension(executed, std::min(left / interval - executed, most));
      wanted = executed;
      done = length == 0;
      if (!done) continue;
      meter_.Add({attempt_.instructions(), attempt_.rows(), pages});
      guessed_ = false;
      attempt_.Commit();
      if (ended) return result;
    }
  }
}

NativeCostMeter::NativeCostMeter(Instance& instance, CostMeter& meter, const MeteringConfig& config,
                                 const Registry& registry)
    : instance_(instance), meter_(meter), attempt_(instance, config, registry) {}

RunResult NativeCostMeter::Run(int64_t limit) {
  limit = std::clamp<int64_t>(limit, 0, Instance::kUnlimited);
  const uint64_t end = instance_.retired() + static_cast<uint64_t>(limit);
  uint64_t stretch = kLongest;
  uint64_t stops_at =
      0;  // how far we came when the guest trapped or cost too much, if later than now
  for (;;) {
    const uint64_t begin = instance_.retired();
    uint64_t length = std::min(end - begin, stretch);
    if (stops_at > begin) length = std::min(length, (stops_at - begin) / 2);
    if (length < kShortest) {
      instance_.interpreter().SetObserver(&meter_);
      RunResult result =
          instance_.RunInterpreted(static_cast<int64_t>(std::min(end - begin, kShortest)));
      instance_.interpreter().SetObserver(nullptr);
      if (result.reason != RunResult::Reason::kSuspended || instance_.retired() == end ||
          meter_.exceeded())
        return result;
      continue;
    }
    attempt_.Begin();
    RunResult result = attempt_.Run(static_cast<int64_t>(length), 1, 0);
    if (result.reason == RunResult::Reason::kFailed) return result;
    const uint64_t cost = meter_.CostOf(attempt_.rows());
    // Of a block in which an instruction has trapped native code has counted all.
    if (result.reason == RunResult::Reason::kTrapped || cost > meter_.max_cost() - meter_.cost()) {
      stops_at = instance_.retired();
      attempt_.RollBack();
      stretch = kShortest;
      continue;
    }
    meter_.Add(cost);
    attempt_.Commit();
    stretch = std::min(4 * stretch, kLongest);
    if (result.reason != RunResult::Reason::kSuspended || instance_.retired() == end) return result;
  }
}

}  // namespace precast::runtime
