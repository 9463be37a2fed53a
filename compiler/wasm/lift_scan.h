// What lifting must know of a function body before it reads it for good: which locals change inside loops. SSA
// form needs a parameter of the loop's first block for each of them.
#ifndef PRECAST_COMPILER_WASM_LIFT_SCAN_H_
#define PRECAST_COMPILER_WASM_LIFT_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "compiler/wasm/instruction.h"

namespace precast::wasm {

// The loops of a body, numbered as they begin.
class LoopAssignments {
 public:
  // The locals assigned between the start of loop `k` and the last branch back to it, ascending. None if
  // nothing branches to the loop.
  absl::Span<const uint32_t> operator[](size_t k) const {
    return absl::MakeConstSpan(locals_).subspan(loops_[k].begin, loops_[k].count);
  }
  // Whether anything branches back to loop `k`.
  bool IsTargeted(size_t k) const { return loops_[k].targeted; }
  size_t size() const { return loops_.size(); }

 private:
  friend class LoopScanner;
  struct Loop {
    size_t begin = 0, count = 0;
    bool targeted = false;
  };
  std::vector<Loop> loops_;
  std::vector<uint32_t> locals_;
};

// Scans the rest of a valid body, from behind its local declarations. Takes time in proportion to the body and
// the result. ResourceExhausted if the result had more than `limit` entries.
absl::StatusOr<LoopAssignments> ScanLoops(InstructionReader reader, size_t limit);

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_LIFT_SCAN_H_
