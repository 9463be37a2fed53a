// Which places of memory a function touches, as sums of a value and a constant: what mark_pages
// (mark_pages.h) reasons about. Positions have numbers, so that what is known of them is a set of
// bits (marked_facts.h).
#ifndef PRECAST_COMPILER_OPT_TOUCHED_POSITIONS_H_
#define PRECAST_COMPILER_OPT_TOUCHED_POSITIONS_H_

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/mark_mode.h"
#include "runtime/abi/meter_area.h"

namespace precast::opt {

inline constexpr int64_t kMarkedPage = int64_t{1} << abi::kMarkedPageBits;
// Where more ways meet, nothing is followed back.
inline constexpr size_t kMostMarkedWays = 32;

// A guest address as a sum; without a value, a constant.
struct Position {
  ir::Value root;
  int64_t at = 0;  // for a root: of int32 range
  auto operator<=>(const Position&) const = default;
};

class TouchedPositions {
 public:
  // Of the function as it is now; both outlive this. Instructions that are added later touch
  // nothing.
  TouchedPositions(const ir::Function& f, const ir::Cfg& cfg);

  Position PositionOf(ir::Value v, int64_t displacement) const;

  // Calls visit(position) for those that say which pages `inst` touches.
  template <typename Visit>
  void ForEachPosition(ir::Inst i, Visit visit) const {
    const ir::InstData& inst = f_.inst(i);
    const bool touched = ir::IsTouch(inst);
    if (inst.op != ir::Opcode::kLoad && inst.op != ir::Opcode::kStore && !touched) return;
    const ir::Value address = f_.args(i)[0];
    visit(PositionOf(address, inst.imm));
    if (touched) return;
    const int bytes = ir::AccessBytes(static_cast<ir::MemKind>(inst.aux));
    // Two words that became one, or part of a larger number: anywhere.
    if (bytes > 4) visit(PositionOf(address, inst.imm + bytes - 1));
  }

  // Calls visit(predecessor, edge) for each edge to `b`.
  template <typename Visit>
  void ForEachEdge(ir::Block b, Visit visit) const {
    const absl::Span<const ir::Block> from = cfg_.predecessors(b);
    for (size_t k = 0; k < from.size(); ++k) {
      if (std::find(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(k), from[k]) !=
          from.begin() + static_cast<std::ptrdiff_t>(k))
        continue;
      for (const ir::Edge& edge : ir::Successors(f_, from[k])) {
        if (edge.target == b) visit(from[k], edge);
      }
    }
  }

  // Ascending; the number of a position is its place.
  const std::vector<Position>& all() const { return positions_; }
  // Number of a position, if it has one.
  std::optional<uint32_t> NumberOf(const Position& p) const;
  // Words of a set of them; 0: there are too many for sets of all blocks.
  size_t words() const { return words_; }

  // Numbers of what a block touches.
  const std::vector<uint32_t>& of(ir::Block b) const { return touched_[b.index]; }
  // As if it were touched at the end of `b`, which leads to one block.
  void Add(ir::Block b, uint32_t number) { touched_[b.index].push_back(number); }

  // What a position relative to a parameter of a block, or one that a block touches where ways
  // meet, is at the ends of the predecessors.
  struct Translation {
    uint32_t number;
    std::vector<std::pair<ir::Block, Position>> sources;
  };
  const std::vector<Translation>& translations(ir::Block b) const { return translations_[b.index]; }

  bool IsDefinedIn(ir::Block b, ir::Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? data.def == b.index : home_[data.def] == b.index;
  }

 private:
  void Collect();
  void FindTranslations();
  template <typename Visit>
  void ForEachSource(const Position& p, Visit visit) const;

  const ir::Function& f_;
  const ir::Cfg& cfg_;
  std::vector<uint32_t> home_;  // of instructions: the block
  std::vector<Position> positions_;
  std::vector<std::vector<uint32_t>> touched_;          // by block
  std::vector<std::vector<Translation>> translations_;  // by block
  size_t words_ = 0;
};

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_TOUCHED_POSITIONS_H_
