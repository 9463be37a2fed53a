// What is marked before its block (mark_pages.h). Where a block touches in its first group what
// some of its predecessors have touched already (itself, maybe, in the round of a loop before), it
// is marked in the others, and the block does nothing; or it needs another look only where the
// constant that a loop adds to a pointer may have led to the next page.
#ifndef PRECAST_COMPILER_OPT_HOIST_MARKS_H_
#define PRECAST_COMPILER_OPT_HOIST_MARKS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/block_marks.h"
#include "compiler/opt/marked_facts.h"
#include "compiler/opt/touched_positions.h"

namespace precast::opt {

class HoistedMarks {
 public:
  // All outlive this. What is found is touched at the ends of predecessors from then on, and a fact
  // there.
  HoistedMarks(const ir::Function& f, const ir::Cfg& cfg, TouchedPositions& positions,
               MarkedFacts& facts)
      : f_(f), cfg_(cfg), positions_(positions), facts_(facts) {}

  // Finds marks to be made at the ends of predecessors. False if there are none; else once more
  // after MarkedFacts::Propagate().
  bool Find();

  // The marks of `b` itself, with what is marked before it in mind.
  std::vector<Mark> Remaining(ir::Block b) const;

  // By block, before its end.
  const std::map<uint32_t, std::vector<Mark>>& ahead() const { return ahead_; }

 private:
  // The only way to a block: from the head of a loop that tests something and does nothing else.
  struct Guard {
    ir::Block block;  // not valid: there is none
    size_t edge = 0;
    bool asks = false;  // for fuel
  };
  Guard GuardOf(ir::Block b) const;
  bool CanCopy(ir::Block g, ir::Value v, size_t& copies) const;
  bool IsStride(ir::Block b, const Mark& mark, uint8_t mode) const;
  uint8_t ModeAhead(ir::Block from, const Position& there) const;
  bool Hoist(ir::Block b, const Guard& guard, const Mark& mark, bool asks, bool in_pair,
             const Mark* other);

  const ir::Function& f_;
  const ir::Cfg& cfg_;
  TouchedPositions& positions_;
  MarkedFacts& facts_;
  std::map<uint32_t, std::vector<Mark>> ahead_;
  std::map<std::pair<uint32_t, Position>, uint8_t> strides_;  // by block: the modes of its marks
  // By block: what is known once another position, relative to the same root, has been marked.
  std::map<std::pair<uint32_t, Position>, int64_t> granted_;
};

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_HOIST_MARKS_H_
