#include "compiler/riscv/code_pointers.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace precast::riscv {
namespace {

uint32_t LoadWord(const uint8_t* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, 4);
  return word;
}

constexpr size_t kGroup = 16;  // of words looked at together

}  // namespace

LikelyCode::LikelyCode(const guest::Program& program, const Code& code)
    : program_(program), code_(code) {
  if (program.code_hint.empty()) return;
  begin_ = program.code_hint.front().begin & ~uint32_t{3};
  size_ = (program.code_hint.back().end - begin_ + 3) / 4;
}

bool LikelyCode::IsInside(uint32_t pc) const {
  const std::vector<guest::CodeRange>& hint = program_.code_hint;
  auto it = std::upper_bound(hint.begin(), hint.end(), pc,
                             [](uint32_t p, const guest::CodeRange& r) { return p < r.begin; });
  return it != hint.begin() && pc < std::prev(it)->end && code_.Contains(pc);
}

bool LikelyCode::MayContainAny(const uint8_t* words) const {
  // Without branches, so that it becomes vector instructions.
  uint32_t any = 0;
  for (size_t i = 0; i < kGroup; ++i) any |= IsNear(LoadWord(words + 4 * i)) ? 1 : 0;
  return any != 0;
}

void CodePointers::Find(const guest::Program& program, const LikelyCode& likely) {
  for (const guest::Segment& segment : program.segments) {
    const uint8_t* const data = segment.data.data();
    const size_t count = segment.data.size() / 4;  // whole pages: whole groups
    for (size_t group = 0; group < count; group += kGroup) {
      if (!likely.MayContainAny(data + 4 * group)) continue;
      for (size_t i = group; i < group + kGroup; ++i) {
        const uint32_t word = LoadWord(data + 4 * i);
        const uint32_t address = segment.address + static_cast<uint32_t>(4 * i);
        if (likely.Contains(word)) words_.push_back(uint64_t{word} << 32 | address);
      }
    }
  }
  std::sort(words_.begin(), words_.end());
}

std::pair<size_t, size_t> CodePointers::Into(uint32_t begin, uint32_t end) const {
  const auto first = std::lower_bound(words_.begin(), words_.end(), uint64_t{begin} << 32);
  const auto last = std::lower_bound(first, words_.end(), uint64_t{end} << 32);
  return {static_cast<size_t>(first - words_.begin()), static_cast<size_t>(last - words_.begin())};
}

void CodePointers::AddToTable(uint32_t target, uint32_t address) {
  const uint64_t word = uint64_t{target} << 32 | address;
  const auto it = std::lower_bound(words_.begin(), words_.end(), word);
  if (it != words_.end() && *it == word) use_[static_cast<size_t>(it - words_.begin())] |= kInTable;
}

}  // namespace precast::riscv
