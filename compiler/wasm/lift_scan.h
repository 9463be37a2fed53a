// What lifting must know of a function body before it reads it for good: which locals change inside
// loops (SSA form needs a parameter of the loop's first block for each), and which are still wanted
// where branches meet (the others need none).
#ifndef PRECAST_COMPILER_WASM_LIFT_SCAN_H_
#define PRECAST_COMPILER_WASM_LIFT_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "compiler/wasm/instruction.h"

namespace precast::wasm {

// Blocks (`block`, `loop`, `if`) are numbered as they begin, loops also by themselves.
class BodyScan {
 public:
  // The locals that are assigned inside loop `loop` where a branch back to it can follow, and
  // wanted at its start, ascending. None if nothing branches to the loop.
  absl::Span<const uint32_t> Changed(size_t loop) const {
    return absl::MakeConstSpan(changed_).subspan(loops_[loop].begin, loops_[loop].count);
  }
  // Whether anything branches back to loop `loop`.
  bool IsTargeted(size_t loop) const { return loops_[loop].targeted; }
  // Whether the value that `local` has at the label of block `block` may still be read. (In a body
  // that is too large to find out: yes.)
  bool IsLive(size_t block, uint32_t local) const {
    return live_.empty() || (live_[block * words_ + local / 64] >> (local % 64) & 1) != 0;
  }

 private:
  friend class BodyScanner;
  struct Loop {
    size_t block = 0;
    size_t begin = 0, count = 0;  // in `changed_`
    bool targeted = false;
  };
  std::vector<Loop> loops_;
  std::vector<uint32_t> changed_;
  std::vector<uint64_t> live_;  // `words_` words for each block, a bit for each local
  size_t words_ = 0;
};

// Scans the rest of a valid body with `num_locals` locals, from behind its local declarations.
// Takes time in proportion to the body and `limit`. ResourceExhausted if there are more than
// `limit` changed locals, of all loops together.
absl::StatusOr<BodyScan> ScanBody(InstructionReader reader, uint32_t num_locals, size_t limit);

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_LIFT_SCAN_H_
