// What is known of pages before and behind each block of a function: which positions have been
// touched on every way there, and so are in pages that are marked (mark_pages.h).
#ifndef PRECAST_COMPILER_OPT_MARKED_FACTS_H_
#define PRECAST_COMPILER_OPT_MARKED_FACTS_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/touched_positions.h"

namespace precast::opt {

class MarkedFacts {
 public:
  // All outlive this. Nothing is known before Propagate().
  MarkedFacts(const ir::Function& f, const ir::Cfg& cfg, const TouchedPositions& positions)
      : cfg_(cfg), positions_(positions), in_(f.num_blocks()), given_(f.num_blocks()) {}

  // From what is touched now. At an entry of the function nothing is known.
  void Propagate();

  // Distances from a position of the nearest ones, relative to the same root, that are known; kFar
  // if there are none near.
  struct Near {
    int64_t below, above;  // both 0 if it is known itself
    // Whether its page is known to be marked: it is between two that are.
    bool Covers() const { return below + above <= kMarkedPage; }
  };
  static constexpr int64_t kFar = kMarkedPage + 1;
  Near FindNear(ir::Block behind, const Position& p) const {
    return FindNear(out_[behind.index], p);
  }

  // Positions relative to `root` that have been touched before `b`, of those at most a page from
  // one of `needed`. (All would be too many: constant addresses have one root, and a function may
  // use thousands.)
  std::set<int64_t> Known(ir::Block b, ir::Value root, const std::set<int64_t>& needed) const;

  // Position `number` is marked wherever `b` is entered, from the next Propagate() on.
  void GiveBefore(ir::Block b, uint32_t number) { given_[b.index].push_back(number); }
  // It is known behind `b`, until then.
  void SetBehind(ir::Block b, uint32_t number) { SetFact(out_[b.index], number, true); }

 private:
  using Facts = std::vector<uint64_t>;  // bits by number of position

  static bool IsFact(const Facts& facts, size_t number) {
    return (facts[number / 64] >> (number % 64) & 1) != 0;
  }
  static void SetFact(Facts& facts, size_t number, bool is) {
    const uint64_t bit = uint64_t{1} << (number % 64);
    facts[number / 64] = (facts[number / 64] & ~bit) | (is ? bit : 0);
  }
  Near FindNear(const Facts& facts, const Position& p) const;

  const ir::Cfg& cfg_;
  const TouchedPositions& positions_;
  std::vector<Facts> in_, out_;               // by block
  std::vector<std::vector<uint32_t>> given_;  // by block
};

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_MARKED_FACTS_H_
