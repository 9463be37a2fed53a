#include "openvm/counted_rows.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "openvm/metering.h"

namespace precast::openvm {
namespace {

std::optional<size_t> LaneOf(std::string_view chip) {
  const auto it = std::find(kCountedChips.begin(), kCountedChips.end(), chip);
  if (chip.empty() || it == kCountedChips.end()) return std::nullopt;
  return static_cast<size_t>(it - kCountedChips.begin());
}

}  // namespace

void AddBaseRows(uint32_t word, CountedRows& rows) {
  if (const std::optional<size_t> lane = LaneOf(ChipOfBaseInstruction(word))) ++rows[*lane];
}

bool AddCustomRows(const Opcode& opcode, CountedRows& rows) {
  if (opcode.rows.size() != 1) return false;
  const ChipRows& use = opcode.rows.front();
  const std::optional<size_t> lane = LaneOf(use.chip);
  if (use.count != nullptr || use.rows != 1 || !lane.has_value()) return false;
  ++rows[*lane];
  return true;
}

}  // namespace precast::openvm
