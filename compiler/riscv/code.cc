// The program's instructions, decoded on all threads: Code of control_flow.h.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <new>
#include <vector>

#include "compiler/guest/program.h"
#include "compiler/parallel.h"
#include "compiler/riscv/control_flow.h"
#include "compiler/riscv/decoder.h"

namespace precast::riscv {

// Code ranges and segments are both ascending and without overlap.
Code::Code(const guest::Program& program, int threads) {
  const Dialect dialect = program.openvm         ? Dialect::kOpenVm
                          : program.fast_helpers ? Dialect::kFastHelpers
                                                 : Dialect::kBase;
  // Where the instructions are in the program.
  struct Piece {
    const uint8_t* words;
    uint32_t index, count;
  };
  constexpr uint32_t kMostInPiece = 16 << 10;
  std::vector<Piece> pieces;
  size_t first = 0;  // segments before it end before the code range at hand begins
  for (const guest::CodeRange& code : program.code) {
    while (first < program.segments.size() &&
           program.segments[first].address + program.segments[first].size <= code.begin) {
      ++first;
    }
    for (size_t i = first; i < program.segments.size(); ++i) {
      const guest::Segment& s = program.segments[i];
      if (s.address >= code.end) break;
      const uint64_t begin = std::max<uint64_t>(code.begin, s.address);
      const uint64_t end = std::min<uint64_t>(code.end, s.address + uint64_t{s.data.size()});
      if (begin + 4 > end) continue;
      if (ranges_.empty() || ranges_.back().end != begin) {
        ranges_.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(begin), size()});
      }
      const uint32_t count = static_cast<uint32_t>((end - begin) / 4);
      for (uint32_t k = 0; k < count; k += kMostInPiece) {
        pieces.push_back({s.data.data() + (begin - s.address) + 4 * size_t{k}, size_ + k,
                          std::min(kMostInPiece, count - k)});
      }
      size_ += count;
      ranges_.back().end = static_cast<uint32_t>(begin) + 4 * count;
    }
  }
  if (!ranges_.empty()) first_ = ranges_[0];
  instructions_.reset(
      static_cast<Instruction*>(::operator new (sizeof(Instruction) * size_t{size_})));
  ParallelFor(pieces.size(), threads, [&](size_t i) {
    const Piece& piece = pieces[i];
    DecodeAll(piece.words, piece.count, dialect, instructions_.get() + piece.index);
  });
}

uint32_t Code::IndexInRanges(uint32_t pc) const {
  auto it = std::upper_bound(ranges_.begin(), ranges_.end(), pc,
                             [](uint32_t p, const Range& r) { return p < r.begin; });
  if (it == ranges_.begin() || pc % 4 != 0) return kNone;
  --it;
  return pc < it->end ? it->base + (pc - it->begin) / 4 : kNone;
}

const Code::Range& Code::FindRange(uint32_t index) const {
  return *std::prev(std::upper_bound(ranges_.begin(), ranges_.end(), index,
                                     [](uint32_t i, const Range& r) { return i < r.base; }));
}

}  // namespace precast::riscv
