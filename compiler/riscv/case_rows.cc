#include "compiler/riscv/case_rows.h"

#include <algorithm>

#include "compiler/riscv/decoder.h"

namespace precast::riscv {
namespace {

// Instructions from a jump back to where its index is scaled.
constexpr uint32_t kMaxLookBack = 8;

}  // namespace

uint32_t FindScale(const Code& code, uint32_t index, uint8_t r) {
  const uint32_t in_run = (code.PcOf(index) - code.RunOf(index).first) / 4;
  const uint32_t first = index - std::min(kMaxLookBack, in_run);
  uint32_t operands = uint32_t{1} << r;
  for (bool is_sum = false; index-- > first;) {
    const Instruction& in = code.At(index);
    if (EndsBlock(in.op) || (operands >> in.rd & 1) == 0) continue;
    if (!is_sum && in.op == Op::kAdd) {
      is_sum = true;
      operands = (uint32_t{1} << in.rs1 | uint32_t{1} << in.rs2) & ~uint32_t{1};
    } else if (is_sum && in.op == Op::kSlli) {
      return uint32_t{1} << in.imm;
    } else {
      operands &= ~(uint32_t{1} << in.rd);
    }
  }
  return 0;
}

std::vector<uint32_t> CasesOf(const Code& code, const CaseRow& row, uint32_t begin, uint32_t end) {
  const auto is_case = [&](uint32_t pc) {
    return pc % 4 == 0 && pc >= begin && pc < end && end - pc >= row.stride;
  };
  const auto falls_through = [&](uint32_t pc) {
    const uint32_t index = code.IndexOf(pc);
    for (uint32_t i = index; i < index + row.stride / 4; ++i) {
      const Op op = code.At(i).op;
      if (EndsBlock(op) && !IsBranch(op)) return false;
    }
    return true;
  };
  std::vector<uint32_t> cases;
  uint32_t pc = row.first;
  if (is_case(pc) && !falls_through(pc) && is_case(pc + row.stride) &&
      falls_through(pc + row.stride)) {
    pc += row.stride;
  }
  if (!is_case(pc)) return cases;
  const bool all_fall_through = falls_through(pc);
  for (; cases.size() < CaseRow::kMaxCases && is_case(pc); pc += row.stride) {
    const bool is_other = falls_through(pc) != all_fall_through;
    if (is_other && !all_fall_through) break;
    cases.push_back(pc);
    if (is_other) break;
  }
  return cases;
}

}  // namespace precast::riscv
