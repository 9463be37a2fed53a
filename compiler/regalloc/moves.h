// Parallel moves as a sequence of single ones.
#ifndef PRECAST_COMPILER_REGALLOC_MOVES_H_
#define PRECAST_COMPILER_REGALLOC_MOVES_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "compiler/regalloc/regalloc.h"

namespace precast::regalloc {

// One of a set of moves that happen at the same time: all sources are read before any target is
// written.
struct ParallelMove {
  Location from, to;
  RegClass cls;
  bool half = false;  // as in Move
};

// Appends moves in an order that has the same effect. Targets must be different from one another.
// Cycles: int registers through a free one if there is, or else by swaps; vector registers through
// the scratch register; where memory is part of the cycle, through one extra slot, for which
// num_slots[class] is raised.
class MoveSequencer {
 public:
  // num_slots: per class, read and raised; must outlive the sequencer.
  MoveSequencer(PReg vector_scratch, uint32_t* num_slots)
      : vector_scratch_(vector_scratch), num_slots_(num_slots) {}

  // `free` is asked if there are cycles: int registers that hold nothing then, before or after the
  // moves. Targets may be among them.
  void Sequence(absl::Span<const ParallelMove> moves, InstIndex before,
                absl::FunctionRef<PRegSet()> free, std::vector<Move>& out);

 private:
  static uint32_t Index(const Location& location, RegClass cls);
  static Location FromIndex(uint32_t index);
  void Grow(uint32_t index);
  uint32_t TemporarySlot(RegClass cls);
  void BreakCycle(uint32_t member, InstIndex before, PRegSet free, std::vector<Move>& out);

  static constexpr uint32_t kNone = ~uint32_t{0};

  PReg vector_scratch_;
  uint32_t* num_slots_;
  // By location index; all zero / kNone between calls.
  std::vector<uint32_t> readers_;  // moves not yet emitted that read it
  std::vector<uint32_t> source_;   // 1 + location the move into it reads; 0 if there is none (left)
  std::vector<bool> half_;         // of the move into it
  std::vector<uint32_t> targets_;
  std::vector<uint32_t> ready_;
  std::vector<uint32_t> cycle_;
  uint32_t temporary_[kNumClasses] = {kNone, kNone};
};

}  // namespace precast::regalloc

#endif  // PRECAST_COMPILER_REGALLOC_MOVES_H_
