#include "openvm/metering.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace precast::openvm {

std::optional<uint32_t> MeteringConfig::FindChip(std::string_view name) const {
  for (uint32_t i = 0; i < chips.size(); ++i) {
    if (chips[i].name == name) return i;
  }
  return std::nullopt;
}

std::string_view ChipOfBaseInstruction(uint32_t word) {
  const uint32_t funct3 = word >> 12 & 7, rd = word >> 7 & 31;
  // Where the result of an instruction that does nothing else goes to x0, it is a phantom.
  auto unless_x0 = [&](std::string_view chip) { return rd == 0 ? "Phantom" : chip; };
  auto alu = [&]() -> std::string_view {
    if (funct3 == 1 || funct3 == 5) return "Shift";
    if (funct3 == 2 || funct3 == 3) return "LessThan";
    return "BaseAlu";
  };
  switch (word & 0x7f) {
    case 0x37:  // lui
      return unless_x0("JalLui");
    case 0x17:  // auipc
      return unless_x0("Auipc");
    case 0x6f:  // jal
      return "JalLui";
    case 0x67:  // jalr
      return "Jalr";
    case 0x63:  // branches
      return funct3 < 2 ? "BranchEqual" : "BranchLessThan";
    case 0x03:  // loads: lb and lh extend the sign
      return funct3 < 2 ? "LoadSignExtend" : "LoadStore";
    case 0x23:  // stores
      return "LoadStore";
    case 0x13:  // with an immediate
      return unless_x0(alu());
    case 0x33:
      if (word >> 25 != 1) return unless_x0(alu());
      if (funct3 == 0) return unless_x0("Multiplication");
      return unless_x0(funct3 < 4 ? "MulH" : "DivRem");
    case 0x0f:  // fence
      return "Phantom";
    case 0x73:  // ends the guest, except for csrw with x0
      return (word & 0xfffff) == 0x01073 ? "Phantom" : "";
    default:
      return "";
  }
}

absl::Span<const RowUse> RowTable::Of(uint32_t word) {
  const auto [it, is_new] = known_.try_emplace(word);
  auto& uses = it->second;
  if (!is_new) return uses;
  auto add = [&](std::string_view name, const ChipRows& rows) {
    if (std::optional<uint32_t> chip = metering_.FindChip(name)) {
      uses.push_back({*chip, rows.rows, rows.count});
    }
  };
  if (const Registry::Entry* entry = registry_.Find(word)) {
    for (const ChipRows& rows : entry->opcode->rows) {
      add(absl::StrReplaceAll(rows.chip, {{"%", absl::StrCat(word >> 28)}}), rows);
    }
  } else if (std::string_view chip = ChipOfBaseInstruction(word); !chip.empty()) {
    add(chip, {});
  }
  return uses;
}

}  // namespace precast::openvm
