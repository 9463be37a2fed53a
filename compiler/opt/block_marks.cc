// See block_marks.h.
#include "compiler/opt/block_marks.h"

#include <cstdlib>
#include <iterator>
#include <map>
#include <set>

#include "compiler/ir/mark_mode.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Value;

// Whether native code may be left there, to go on behind it another time.
bool IsBarrier(Opcode op) {
  return op == Opcode::kMeter || op == Opcode::kMeterCheck || op == Opcode::kCall ||
         op == Opcode::kCallDispatch || op == Opcode::kCallPointer;
}

// Those of what `b` touches of one root, and what is known of it does not cover.
void MarkRoot(const Function& f, const MarkedFacts& facts, Block b, Value root, Inst first,
              int64_t first_at, std::set<int64_t>& needed, std::vector<Mark>& marks) {
  const Value address = f.args(first)[0];
  const int64_t first_displacement = f.inst(first).imm;
  std::set<int64_t> known = facts.Known(b, root, needed);
  const auto mark = [&](int64_t at) {
    // Near to what is marked it is another page seldom.
    uint8_t mode = ir::kMarkAlways;
    int64_t nearest = kMarkedPage / 2 + 1;
    const auto above = known.lower_bound(at);
    if (above != known.begin() && at - *std::prev(above) < nearest) {
      nearest = at - *std::prev(above);
      mode = StepMode(nearest);
    }
    if (above != known.end() && *above - at < nearest) mode = StepMode(at - *above);
    marks.push_back({first, address, first_displacement + (at - first_at), root, at, mode});
    known.insert(at);
  };
  if (!root.valid()) {  // addresses: pages are known
    std::set<int64_t> pages;
    for (int64_t at : known) pages.insert(at / kMarkedPage);
    for (int64_t at : needed) {
      if (pages.insert(at / kMarkedPage).second) {
        marks.push_back({first, Value(), at, Value(), at, ir::kMarkAlways});
      }
    }
    return;
  }
  const auto covered = [&](int64_t at) {
    const auto above = known.lower_bound(at);
    if (above == known.end()) return false;
    if (*above == at) return true;
    return above != known.begin() && *above - *std::prev(above) <= kMarkedPage;
  };
  std::erase_if(needed, covered);
  while (!needed.empty()) {
    const int64_t low = *needed.begin();
    const int64_t high = *std::prev(needed.upper_bound(low + kMarkedPage));
    // One end may have been touched already.
    const auto below = known.lower_bound(high - kMarkedPage);
    const auto above = known.lower_bound(high);
    const bool has_below = below != known.end() && *below < low;
    const bool has_above = above != known.end() && *above - low <= kMarkedPage;
    if (!has_below) mark(low);
    if (high != low || has_below) {
      if (has_below || !has_above) mark(high);
    }
    needed.erase(needed.begin(), needed.upper_bound(high));
  }
}

}  // namespace

uint8_t StepMode(int64_t step) {
  uint8_t bits = 0;
  while ((int64_t{1} << bits) < std::abs(step)) ++bits;
  return static_cast<uint8_t>((step < 0 ? ir::kMarkDown : ir::kMarkUp) + bits);
}

bool IsExactMeter(const Function& f, Inst meter) {
  const InstData& inst = f.inst(meter);
  return int64_t{inst.site.refund} == (inst.op == Opcode::kMeter ? inst.imm : 0);
}

BlockMarks MarksOf(const Function& f, const TouchedPositions& positions, const MarkedFacts& facts,
                   Block b) {
  // By root: the positions to be touched, the first access, and those touched already.
  struct Root {
    Inst first;
    int64_t first_at = 0;
    std::set<int64_t> needed;
  };
  std::map<Value, Root> roots;
  BlockMarks result;
  std::vector<Mark>& marks = result.marks;
  bool accessed = false;
  result.first_group = SIZE_MAX;
  bool metered = false;
  const auto flush = [&] {
    for (auto& [value, root] : roots)
      MarkRoot(f, facts, b, value, root.first, root.first_at, root.needed, marks);
    accessed |= !roots.empty();
    if (accessed && result.first_group == SIZE_MAX) {
      result.first_group = marks.size();
      result.asks = metered;
    }
    roots.clear();
  };
  for (Inst i : f.block(b).insts) {
    const Opcode op = f.inst(i).op;
    if (IsBarrier(op)) {
      flush();
      // Only one meter before the first group, and nothing else.
      if (result.first_group == SIZE_MAX) {
        if (metered || (op != Opcode::kMeter && op != Opcode::kMeterCheck) || !IsExactMeter(f, i))
          result.first_group = 0;
        metered = true;
      }
    }
    positions.ForEachPosition(i, [&](const Position& p) {
      Root& root = roots[p.root];
      if (!root.first.valid()) {
        root.first = i;
        root.first_at = p.at;
      }
      root.needed.insert(p.at);
    });
  }
  flush();
  if (result.first_group == SIZE_MAX) result.first_group = 0;
  return result;
}

}  // namespace precast::opt
