// The marks that a block needs, by itself and by what is known before it: of what it touches within
// a page only the lowest and the highest (mark_pages.h).
#ifndef PRECAST_COMPILER_OPT_BLOCK_MARKS_H_
#define PRECAST_COMPILER_OPT_BLOCK_MARKS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compiler/ir/ir.h"
#include "compiler/opt/marked_facts.h"
#include "compiler/opt/touched_positions.h"

namespace precast::opt {

// What is to be marked before instruction `before`: `address` + `displacement`, which is position
// `at` of `root`.
struct Mark {
  ir::Inst before;
  ir::Value address;  // not valid: a constant
  int64_t displacement;
  ir::Value root;
  int64_t at;
  uint8_t mode;
  // If valid: only if that block, to which the edge at hand leads, goes on to its edge `guarded`.
  ir::Block guard = ir::Block();
  size_t guarded = 0;
};

// The mode of a mark at most `step` from what is marked.
uint8_t StepMode(int64_t step);

// Whether all that has been charged before this meter has been executed.
bool IsExactMeter(const ir::Function& f, ir::Inst meter);

// The marks that `b` needs, in their order.
struct BlockMarks {
  std::vector<Mark> marks;
  // So many are of accesses before which there is no barrier but at most one meter, before which
  // fuel is exact.
  size_t first_group = 0;
  bool asks = false;  // there is one
};
BlockMarks MarksOf(const ir::Function& f, const TouchedPositions& positions,
                   const MarkedFacts& facts, ir::Block b);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_BLOCK_MARKS_H_
