// The limits that end a segment: heights, the prover's memory, interactions.
//
// Source of fact: openvm-org/openvm, crates/vm/src/arch/execution_mode/metered/segment_ctx.rs and
// memory_ctx.rs; openvm-org/stark-backend, crates/stark-backend/src/memory_metering.rs.
#include <algorithm>
#include <limits>

#include "absl/numeric/bits.h"
#include "absl/numeric/int128.h"
#include "absl/strings/str_format.h"
#include "openvm/metering.h"

namespace precast::openvm {
namespace {

using Wide = absl::uint128;  // sums of products of configured numbers may exceed 64 bits

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kBatchConstraintOverhead = 256 * kMiB;
constexpr uint64_t kBatchMleFloor = 6144 * kMiB;
constexpr uint64_t kGkrOverhead = 256 * kMiB;
constexpr uint64_t kGkrMinWorkBuffer = uint64_t{1} << 22;  // entries
constexpr uint64_t kWhirOverhead = 64 * kMiB;

uint64_t Padded(uint32_t height) { return height == 0 ? 0 : absl::bit_ceil(uint64_t{height}); }

Wide BitCeil(Wide value) {
  if (value <= 1) return 1;
  --value;
  const uint64_t high = absl::Uint128High64(value);
  return Wide{1} << static_cast<int>(high != 0 ? 64 + absl::bit_width(high)
                                               : absl::bit_width(absl::Uint128Low64(value)));
}
// Division by 2^bits.
Wide DivideUp(Wide value, uint32_t bits) {
  return (value + (Wide{1} << bits) - 1) >> static_cast<int>(bits);
}

struct Cells {
  Wide with_next_row = 0, without_next_row = 0, interactions = 0, constraints = 0;
};

Wide BatchConstraint(const MemoryModel& m, const Cells& cells) {
  const Wide per_opening =
      Wide{m.extension_degree} * m.base_field_bytes * (Wide{m.max_constraint_degree} + 2);
  auto bytes_of = [&](Wide count, uint32_t openings) {
    return DivideUp(count * openings * per_opening, m.l_skip + 1);
  };
  const Wide main = bytes_of(cells.with_next_row, 2) + bytes_of(cells.without_next_row, 1);
  Wide spill = 0;
  if (cells.interactions != 0) {
    const Wide leaf = Wide{2} * m.extension_degree * m.base_field_bytes;
    spill = cells.interactions * leaf +
            std::max<Wide>(BitCeil(cells.interactions + 1) / 4, kGkrMinWorkBuffer) * leaf;
  }
  if (cells.constraints != 0) {
    const uint32_t cosets = std::max(m.max_constraint_degree, 2u) - 1;
    spill = std::min(spill, cells.constraints * cosets * m.base_field_bytes);
  }
  const Wide working_set = m.zerocheck_save_memory ? std::max(main, spill)
                                                   : main + std::max<Wide>(spill, kBatchMleFloor);
  return working_set + kBatchConstraintOverhead;
}

Wide Gkr(const MemoryModel& m, Wide interactions) {
  if (interactions == 0) return 0;
  const Wide leaf = Wide{2} * m.extension_degree * m.base_field_bytes;
  const Wide logical = BitCeil(interactions + 1);
  return interactions * leaf + std::max<Wide>(logical / 16, kGkrMinWorkBuffer) * leaf +
         logical / 256 * leaf + kGkrOverhead;
}

Wide Whir(const MemoryModel& m) {
  const Wide height = Wide{1} << (m.log_stacked_height + m.log_blowup);
  return Wide{2} * m.digest_bytes * (height >> m.k_whir) +
         Wide{m.extension_degree} * m.base_field_bytes * (height >> 1) +
         Wide{2} * m.digest_bytes * (height >> (m.k_whir + 1)) + kWhirOverhead;
}

Wide Estimate(const MemoryModel& m, const Cells& cells) {
  const Wide count = cells.with_next_row + cells.without_next_row;
  const Wide stacked =
      (DivideUp(count, m.log_stacked_height) << static_cast<int>(m.log_stacked_height)) *
      m.base_field_bytes;
  const Wide code_matrix = stacked << m.log_blowup;
  const Wide phases = std::max(BatchConstraint(m, cells), Gkr(m, cells.interactions));
  const Wide secondary = m.cache_rs_code_matrix ? code_matrix + std::max(Whir(m), phases)
                                                : std::max(code_matrix + Whir(m), phases);
  return count * m.base_field_bytes + (m.cache_stacked_matrix ? stacked : 0) + secondary;
}

absl::Status OutOfRange(std::string_view field, uint64_t actual, std::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrFormat("%s: expected %s, actual %d", field, expected, actual));
}

}  // namespace

PageRows RowsOfPage(const MeteringConfig& config) {
  constexpr uint32_t kPageBits = 6;
  static_assert(kPageLeaves == 1 << kPageBits);
  const uint32_t nodes = kPageLeaves - 1 + config.tree_height - kPageBits;
  return {
      .boundary = 2 * kPageLeaves, .merkle = 2 * nodes, .poseidon2 = 2 * kPageLeaves + 2 * nodes};
}

uint64_t EstimateMemory(const MeteringConfig& config, absl::Span<const uint32_t> heights) {
  Cells cells;
  for (size_t i = 0; i < config.chips.size(); ++i) {
    const Chip& chip = config.chips[i];
    const uint64_t rows = Padded(heights[i]);  // of at most 2^20 cells each: 64 bits are enough
    (chip.next_row ? cells.with_next_row : cells.without_next_row) += rows * chip.width;
    cells.interactions += rows * chip.interactions;
    cells.constraints += rows * chip.constraint_cells;
  }
  const Wide bytes = Estimate(config.memory_model, cells);
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  return bytes > kMost ? kMost : absl::Uint128Low64(bytes);
}

uint64_t CountInteractions(const MeteringConfig& config, absl::Span<const uint32_t> heights) {
  uint64_t sum = 0;
  for (size_t i = 0; i < config.chips.size(); ++i) {
    // All padding rows together are taken to send one message more.
    if (heights[i] != 0) sum += (uint64_t{heights[i]} + 1) * config.chips[i].interactions;
  }
  return sum;
}

Limit ExceededLimit(const MeteringConfig& config, absl::Span<const uint32_t> heights) {
  const uint64_t most = uint64_t{1} << config.max_height_bits;
  for (size_t i = 0; i < config.chips.size(); ++i) {
    if (!config.chips[i].constant_height.has_value() && Padded(heights[i]) > most)
      return Limit::kHeight;
  }
  if (EstimateMemory(config, heights) > config.max_memory) return Limit::kMemory;
  if (CountInteractions(config, heights) > config.max_interactions) return Limit::kInteractions;
  return Limit::kNone;
}

absl::Status Validate(const MeteringConfig& config) {
  constexpr uint32_t kMostChips = 4096, kMostCells = 1 << 20;
  if (config.chips.empty() || config.chips.size() > kMostChips)
    return OutOfRange("chips", config.chips.size(), "1 to 4096 of them");
  for (size_t i = 0; i < config.chips.size(); ++i) {
    const Chip& chip = config.chips[i];
    if (chip.name.empty())
      return absl::InvalidArgumentError(
          absl::StrFormat("chips[%d].name: expected a name, actual \"\"", i));
    if (*config.FindChip(chip.name) != i) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "chips[%d].name: expected another name than that of chips[%d], actual \"%s\"", i,
          *config.FindChip(chip.name), chip.name));
    }
    for (const auto& [field, value] :
         {std::pair{"width", chip.width}, std::pair{"interactions", chip.interactions},
          std::pair{"constraint_cells", chip.constraint_cells}}) {
      if (value > kMostCells)
        return OutOfRange(absl::StrFormat("chips[%d].%s", i, field), value, "at most 2^20");
    }
  }
  for (const auto& [field, value] :
       {std::pair{"boundary", config.boundary}, std::pair{"merkle", config.merkle},
        std::pair{"poseidon2", config.poseidon2}}) {
    if (value >= config.chips.size())
      return OutOfRange(field, value, absl::StrFormat("one of %d chips", config.chips.size()));
    if (config.chips[value].constant_height.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: expected a chip without constant_height, actual \"%s\"", field,
                          config.chips[value].name));
    }
  }
  if (config.tree_height < 6 || config.tree_height > 64)
    return OutOfRange("tree_height", config.tree_height, "6 to 64");
  if (config.max_height_bits > 31)
    return OutOfRange("max_height_bits", config.max_height_bits, "at most 31");
  if (config.check_interval == 0 || config.check_interval > 1000000)
    return OutOfRange("check_interval", config.check_interval, "1 to 1000000");
  const MemoryModel& m = config.memory_model;
  for (const auto& [field, value] :
       {std::pair{"log_blowup", m.log_blowup}, std::pair{"l_skip", m.l_skip},
        std::pair{"k_whir", m.k_whir}, std::pair{"log_stacked_height", m.log_stacked_height}}) {
    if (value > 31)
      return OutOfRange(absl::StrFormat("memory_model.%s", field), value, "at most 31");
  }
  for (const auto& [field, value] : {std::pair{"base_field_bytes", m.base_field_bytes},
                                     std::pair{"extension_degree", m.extension_degree},
                                     std::pair{"digest_bytes", m.digest_bytes},
                                     std::pair{"max_constraint_degree", m.max_constraint_degree}}) {
    if (value == 0 || value > 256)
      return OutOfRange(absl::StrFormat("memory_model.%s", field), value, "1 to 256");
  }
  return absl::OkStatus();
}

}  // namespace precast::openvm
