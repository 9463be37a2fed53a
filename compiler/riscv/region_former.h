// The second half of control-flow recovery: from instructions that were reached to basic blocks and
// regions.
#ifndef PRECAST_COMPILER_RISCV_REGION_FORMER_H_
#define PRECAST_COMPILER_RISCV_REGION_FORMER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "compiler/guest/program.h"
#include "compiler/riscv/control_flow.h"

namespace precast::riscv {

// What has been found, by instruction.
struct FoundCode {
  enum Flag : uint8_t {
    kReached = 1,
    // Starts a basic block; reached, too, once all has been followed. What follows the end of a
    // block is a leader, or was not reached.
    kLeader = 2,
    kStart = 4,        // a function starts here: never merged with its predecessors
    kTaken = 8,        // its address was found: needs an entry
    kReturnSite = 16,  // follows a call
    kEntry = 32,       // the dispatcher may enter here
    kTarget = 64,      // a jalr to a constant, which is in jump_target
    kCustom = 128      // of an OpenVM extension
  };
  // Flags are looked at eight at a time.
  static constexpr uint64_t kEach = 0x0101010101010101;

  explicit FoundCode(uint32_t num_instructions)
      : flags(8 * (size_t{num_instructions} / 8 + 1)),
        jump_target(std::make_unique_for_overwrite<uint32_t[]>(num_instructions)) {}

  // By instruction index; behind the last there is at least one more, and they are a multiple of
  // eight.
  std::vector<uint8_t> flags;
  std::unique_ptr<uint32_t[]> jump_target;  // by instruction index; only with kTarget
  // By instruction index of the jump; ascending, unique.
  absl::flat_hash_map<uint32_t, std::vector<uint32_t>> switch_targets;
};

// On that many threads (0 = one per processor).
ControlFlow FormRegions(const guest::Program& program, const Code& code, FoundCode found,
                        int threads);

}  // namespace precast::riscv

#endif  // PRECAST_COMPILER_RISCV_REGION_FORMER_H_
