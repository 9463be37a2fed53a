// What a prover pays for a run: which chips (AIRs) there are, what their rows cost, how many rows
// each instruction adds, and the segments a run is cut into. Facts and types only; counting is in
// runtime/openvm.
//
// Source of fact: openvm-org/openvm, crates/vm/src/arch/execution_mode/metered.
//
// How counting works, for whoever counts:
//   * Each instruction adds the rows that RowTable names. Heights are sums since the segment's
//     start.
//   * Each touched page of memory (kPageBytes) adds rows to the boundary, Merkle and Poseidon2
//     chips, once a segment. A page counts when it is first touched. The registers' page counts in
//     every segment.
//   * A check takes place whenever the count of retired instructions is a multiple of
//     `check_interval`. If a limit is exceeded there, the segment ends at the check before, and the
//     next one starts with what has been counted since, with the pages touched since.
// Interpreter and Machine report through Observer (machine.h). Native code compiled for metering
// counts how often each block was entered and marks the pages it touches; both are needed at checks
// only.
#ifndef PRECAST_OPENVM_METERING_H_
#define PRECAST_OPENVM_METERING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "openvm/config.h"
#include "openvm/extension.h"

namespace precast::openvm {

inline constexpr uint32_t kLeafBytes = 8;    // a leaf of the memory's Merkle tree
inline constexpr uint32_t kPageLeaves = 64;  // leaves that are counted together
inline constexpr uint32_t kPageBytes = kLeafBytes * kPageLeaves;

struct Chip {
  std::string name;
  uint32_t width = 0;             // columns of the main trace
  uint32_t interactions = 0;      // bus messages of a row
  bool next_row = false;          // opens the next row too ("need_rot")
  uint32_t constraint_cells = 0;  // intermediate cells of constraint evaluation, a row
  std::optional<uint32_t> constant_height =
      std::nullopt;  // the same for every run: never ends a segment
  friend bool operator==(const Chip&, const Chip&) = default;
};

// Parameters of a prover that the estimate of its memory depends on (openvm-org/stark-backend,
// crates/stark-backend/src/memory_metering.rs). The defaults are those of OpenVM's application
// proofs.
struct MemoryModel {
  uint32_t base_field_bytes = 4;
  uint32_t extension_degree = 4;
  uint32_t digest_bytes = 32;
  uint32_t log_blowup = 1;
  uint32_t l_skip = 4;
  uint32_t log_stacked_height = 24;
  uint32_t k_whir = 4;
  uint32_t max_constraint_degree = 3;
  bool cache_stacked_matrix = false;
  bool cache_rs_code_matrix = true;
  bool zerocheck_save_memory = true;
  friend bool operator==(const MemoryModel&, const MemoryModel&) = default;
};

struct MeteringConfig {
  std::vector<Chip> chips;  // a height is an index here
  // Which of `chips` have a part of their own.
  uint32_t boundary = 2, merkle = 3, poseidon2 = 0;
  // Levels of the memory's Merkle tree above its leaves, all address spaces included.
  uint32_t tree_height = 29;
  uint32_t max_height_bits = 24;
  uint64_t max_memory = uint64_t{15} << 30;  // bytes
  uint64_t max_interactions = 0x78000001;    // BabyBear's order
  uint32_t check_interval = 1000;
  uint64_t max_cost = (uint64_t{15} << 30) * 100;  // of metered-cost mode
  MemoryModel memory_model;

  std::optional<uint32_t> FindChip(std::string_view name) const;
  friend bool operator==(const MeteringConfig&, const MeteringConfig&) = default;
};

// OpenVM's chips for this configuration, in its order, with its limits, for its CPU prover; where
// the numbers come from: docs/openvm_segments.md. The "Program" chip has no constant height until
// somebody who knows the program sets it.
MeteringConfig DefaultMetering(const Config& config);

// What is wrong with a configuration, if anything: limits that Meter relies on.
absl::Status Validate(const MeteringConfig& config);

// Rows that one page adds when it is touched first in a segment.
struct PageRows {
  uint32_t boundary, merkle, poseidon2;
};
PageRows RowsOfPage(const MeteringConfig& config);

// Bytes that a prover needs for a segment of these heights, padded to powers of two.
uint64_t EstimateMemory(const MeteringConfig& config, absl::Span<const uint32_t> heights);
// Bus messages of a segment of these heights.
uint64_t CountInteractions(const MeteringConfig& config, absl::Span<const uint32_t> heights);

enum class Limit : uint8_t { kNone, kHeight, kMemory, kInteractions };
// The first limit that the heights exceed.
Limit ExceededLimit(const MeteringConfig& config, absl::Span<const uint32_t> heights);

struct Segment {
  uint64_t first_instruction = 0;
  uint64_t instructions = 0;
  std::vector<uint32_t> heights;  // by chip, not padded
  friend bool operator==(const Segment&, const Segment&) = default;
};

// Rows of one chip that an instruction adds; as ChipRows, with the chip's index.
struct RowUse {
  uint32_t chip = 0;
  uint32_t rows = 1;
  uint32_t (*count)(const Instruction& instruction, const Operands& operands,
                    Machine& machine) = nullptr;
};

// Name of the chip that counts an RV32IM instruction: "BaseAlu", "Phantom" for one without effect,
// such as `addi x0, x0, 0`. Each adds one row. Empty if `word` is none.
std::string_view ChipOfBaseInstruction(uint32_t word);

// Which rows a word adds. Not thread-safe: it remembers what it was asked.
class RowTable {
 public:
  // Both outlive the table.
  RowTable(const MeteringConfig& metering, const Registry& registry)
      : metering_(metering), registry_(registry) {}
  // Valid until the table dies.
  absl::Span<const RowUse> Of(uint32_t word);

 private:
  const MeteringConfig& metering_;
  const Registry& registry_;
  std::unordered_map<uint32_t, std::vector<RowUse>> known_;
};

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_METERING_H_
