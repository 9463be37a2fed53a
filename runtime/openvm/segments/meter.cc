#include "runtime/openvm/segments/meter.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_format.h"
#include "loader/format/sha256.h"
#include "openvm/metering_json.h"
#include "runtime/byte_stream.h"

namespace precast::runtime {

using precast::openvm::AddressSpace;
using precast::openvm::MeteringConfig;
using precast::openvm::Segment;

Meter::Meter(const MeteringConfig& config, const precast::openvm::Registry& registry,
             CountedMemory memory, uint64_t first_instruction)
    : config_(config),
      page_rows_(precast::openvm::RowsOfPage(config)),
      first_instruction_(first_instruction),
      rows_(config, registry, memory),
      until_check_(
          static_cast<uint32_t>(config.check_interval - first_instruction % config.check_interval)),
      heights_(config.chips.size()),
      check_heights_(config.chips.size()),
      check_instructions_(first_instruction),
      in_segment_(memory.memory_bits),
      since_check_(memory.memory_bits) {
  instructions_ = first_instruction + until_check_;
  for (size_t i = 0; i < heights_.size(); ++i)
    heights_[i] = config.chips[i].constant_height.value_or(0);
  // Page faults that every run would have, of the lowest 16 MB and public values.
  for (const AddressSpace space : {AddressSpace::kMemory, AddressSpace::kPublicValues})
    in_segment_.Insert(in_segment_.PageOf(space, 0));
  in_segment_.Clear();
  TouchRegisters();
  AddPages();
}

void Meter::OnInstruction(uint32_t, uint32_t word, const uint32_t* x) {
  if (until_check_ == 0) Check();
  --until_check_;
  rows_.Count(word, x, [this](uint32_t chip, uint32_t rows) { heights_[chip] += rows; });
}

void Meter::OnAccess(AddressSpace space, uint32_t address, uint32_t size, bool) {
  const uint32_t last = since_check_.PageOf(space, address + (size - 1));
  for (uint32_t page = since_check_.PageOf(space, address); page <= last; ++page) {
    if (since_check_.Insert(page) && in_segment_.Insert(page)) ++new_pages_;
  }
}

void Meter::TouchRegisters() {
  const uint32_t page = in_segment_.PageOf(AddressSpace::kRegisters, 0);
  since_check_.Insert(page);
  if (in_segment_.Insert(page)) ++new_pages_;
}

void Meter::AddPages() {
  heights_[config_.boundary] += new_pages_ * page_rows_.boundary;
  heights_[config_.merkle] += new_pages_ * page_rows_.merkle;
  heights_[config_.poseidon2] += new_pages_ * page_rows_.poseidon2;
  new_pages_ = 0;
}

uint64_t Meter::SegmentBegin() const {
  return segments_.empty() ? first_instruction_
                           : segments_.back().first_instruction + segments_.back().instructions;
}

void Meter::EndSegment(uint64_t end, const std::vector<uint32_t>& heights) {
  const uint64_t begin = SegmentBegin();
  segments_.push_back(
      {.first_instruction = begin, .instructions = end - begin, .heights = heights});
}

void Meter::Check() {
  AddPages();
  if (precast::openvm::ExceededLimit(config_, heights_) != precast::openvm::Limit::kNone) {
    if (check_instructions_ > SegmentBegin()) {
      EndSegment(check_instructions_, check_heights_);
    } else {
      EndSegment(instructions_, heights_);
    }
    const std::vector<uint32_t>& ended = segments_.back().heights;
    for (size_t i = 0; i < heights_.size(); ++i) {
      if (!config_.chips[i].constant_height.has_value()) heights_[i] -= ended[i];
    }
    heights_[config_.boundary] = heights_[config_.merkle] = heights_[config_.poseidon2] = 0;
    in_segment_.Clear();
    for (uint32_t page : since_check_.pages()) {
      if (in_segment_.Insert(page)) ++new_pages_;
    }
    TouchRegisters();
    AddPages();
  }
  check_heights_ = heights_;
  check_instructions_ = instructions_;
  since_check_.Clear();
  until_check_ = config_.check_interval;
  instructions_ += config_.check_interval;
}

bool Meter::WouldExceed(absl::Span<const uint64_t> rows, uint64_t new_pages) const {
  std::vector<uint32_t> heights = heights_;
  new_pages += new_pages_;
  // A sum of more than 32 bits is over every limit, and must stay so.
  const auto add = [&](size_t chip, uint64_t more) {
    heights[chip] = static_cast<uint32_t>(std::min<uint64_t>(heights[chip] + more, UINT32_MAX));
  };
  for (size_t i = 0; i < heights.size(); ++i) add(i, rows[i]);
  add(config_.boundary, new_pages * page_rows_.boundary);
  add(config_.merkle, new_pages * page_rows_.merkle);
  add(config_.poseidon2, new_pages * page_rows_.poseidon2);
  return precast::openvm::ExceededLimit(config_, heights) != precast::openvm::Limit::kNone;
}

uint64_t Meter::CountNew(absl::Span<const uint32_t> pages) const {
  return static_cast<uint64_t>(std::count_if(
      pages.begin(), pages.end(), [&](uint32_t page) { return !in_segment_.Contains(page); }));
}

void Meter::Add(const Batch& batch) {
  if (batch.instructions == 0) return;
  for (size_t i = 0; i < heights_.size(); ++i) heights_[i] += static_cast<uint32_t>(batch.rows[i]);
  // After more than an interval a limit is not exceeded, and nobody will ask which pages have been
  // touched in the last one.
  const bool may_end = batch.instructions <= config_.check_interval;
  for (uint32_t page : batch.pages) {
    if (may_end) since_check_.Insert(page);
    if (in_segment_.Insert(page)) ++new_pages_;
  }
  const uint64_t total = instructions() + batch.instructions;
  const uint64_t interval = config_.check_interval;
  instructions_ = (total + interval - 1) / interval * interval;
  until_check_ = static_cast<uint32_t>(instructions_ - total);
}

void Meter::Finish() {
  AddPages();
  EndSegment(instructions(), heights_);
}

namespace {

constexpr uint32_t kStateVersion = 2;

// Of the configuration and what follows the digest.
std::array<uint8_t, 32> DigestOf(const MeteringConfig& config, absl::Span<const uint8_t> rest) {
  const std::string text = precast::openvm::MeteringToJson(config);
  format::Sha256 hash;
  hash.Update(absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  hash.Update(rest);
  return hash.Finish();
}

}  // namespace

// Version, digest; then the fields in their order, vectors with their sizes.
std::string Meter::SaveState() const {
  ByteWriter out;
  auto heights = [&](const std::vector<uint32_t>& values) {
    out.Number(static_cast<uint32_t>(values.size()));
    for (uint32_t value : values) out.Number(value);
  };
  out.Number(first_instruction_);
  out.Number(instructions_);
  out.Number(until_check_);
  heights(heights_);
  heights(check_heights_);
  out.Number(check_instructions_);
  heights(in_segment_.pages());
  heights(since_check_.pages());
  out.Number(new_pages_);
  out.Number(static_cast<uint32_t>(segments_.size()));
  for (const Segment& segment : segments_) {
    out.Number(segment.first_instruction);
    out.Number(segment.instructions);
    heights(segment.heights);
  }
  const std::string rest = out.Take();
  const absl::Span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(rest.data()), rest.size());
  ByteWriter whole;
  whole.Number(kStateVersion);
  whole.Bytes(DigestOf(config_, bytes));
  whole.Bytes(bytes);
  return whole.Take();
}

absl::Status Meter::RestoreState(absl::Span<const uint8_t> state) {
  ByteReader in(state);
  if (const auto version = in.Number<uint32_t>(); version != kStateVersion) {
    return absl::InvalidArgumentError(
        absl::StrFormat("metering state: version: expected %d, actual %d", kStateVersion, version));
  }
  std::array<uint8_t, 32> digest = {};
  const absl::Span<const uint8_t> stated = in.Bytes(digest.size());
  std::copy(stated.begin(), stated.end(), digest.begin());
  if (!in.ok() || DigestOf(config_, state.subspan(in.offset())) != digest) {
    return absl::InvalidArgumentError(
        "metering state: digest: expected that of the state and of the metering configuration, "
        "actual another one; the file is damaged, or --metering was another");
  }
  bool good = true;
  const auto first_instruction = in.Number<uint64_t>();
  auto numbers = [&](uint64_t least, uint64_t most, uint64_t limit) {
    std::vector<uint32_t> values(std::min<uint64_t>(in.Number<uint32_t>(), state.size() / 4));
    good = good && in.ok() && values.size() >= least && values.size() <= most;
    if (!good) return std::vector<uint32_t>();
    for (uint32_t& value : values) {
      value = in.Number<uint32_t>();
      good = good && value <= limit;
    }
    return values;
  };
  const size_t chips = heights_.size();
  const auto instructions = in.Number<uint64_t>();
  const auto until_check = in.Number<uint32_t>();
  const std::vector<uint32_t> heights = numbers(chips, chips, UINT32_MAX);
  const std::vector<uint32_t> check_heights = numbers(chips, chips, UINT32_MAX);
  const auto check_instructions = in.Number<uint64_t>();
  const std::vector<uint32_t> in_segment = numbers(0, UINT32_MAX, in_segment_.limit() - 1);
  const std::vector<uint32_t> since_check = numbers(0, UINT32_MAX, in_segment_.limit() - 1);
  const auto new_pages = in.Number<uint32_t>();
  const auto count = in.Number<uint32_t>();
  std::vector<Segment> segments;
  uint64_t end = first_instruction;
  for (uint32_t i = 0; i < count && good && in.ok(); ++i) {
    Segment segment{.first_instruction = in.Number<uint64_t>(),
                    .instructions = in.Number<uint64_t>(),
                    .heights = numbers(chips, chips, UINT32_MAX)};
    good = good && segment.first_instruction == end && segment.instructions < uint64_t{1} << 62;
    end += segment.instructions;
    segments.push_back(std::move(segment));
  }
  good = good && in.ok() && in.AtEnd() && until_check <= config_.check_interval &&
         instructions % config_.check_interval == 0 && until_check <= instructions &&
         check_instructions <= instructions && end <= instructions - until_check &&
         new_pages <= in_segment.size();
  if (!good) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "metering state of %d bytes, offset %d: malformed", state.size(), in.offset()));
  }
  first_instruction_ = first_instruction;
  instructions_ = instructions;
  until_check_ = until_check;
  heights_ = heights;
  check_heights_ = check_heights;
  check_instructions_ = check_instructions;
  in_segment_.Clear();
  since_check_.Clear();
  for (uint32_t page : in_segment) in_segment_.Insert(page);
  for (uint32_t page : since_check) since_check_.Insert(page);
  new_pages_ = new_pages;
  segments_ = std::move(segments);
  return absl::OkStatus();
}

CostMeter::CostMeter(const MeteringConfig& config, const precast::openvm::Registry& registry,
                     CountedMemory memory, uint64_t max_cost)
    : config_(config), rows_(config, registry, memory), max_cost_(max_cost) {}

void CostMeter::OnInstruction(uint32_t, uint32_t word, const uint32_t* x) {
  rows_.Count(word, x, [this](uint32_t chip, uint32_t rows) {
    cost_ += uint64_t{rows} * config_.chips[chip].width;
  });
}

uint64_t CostMeter::CostOf(absl::Span<const uint64_t> rows) const {
  uint64_t cost = 0;
  for (size_t i = 0; i < rows.size(); ++i) cost += rows[i] * config_.chips[i].width;
  return cost;
}

void SetProgramHeight(uint64_t instructions, MeteringConfig& config) {
  if (const std::optional<uint32_t> chip = config.FindChip("Program")) {
    if (!config.chips[*chip].constant_height.has_value())
      config.chips[*chip].constant_height =
          static_cast<uint32_t>(std::min<uint64_t>(instructions, UINT32_MAX));
  }
}

}  // namespace precast::runtime
