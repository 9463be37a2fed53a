// What preflight records of a segment, as a file: the input of trace generation.
//
// Format, little-endian. Version 1:
//   magic "PRECPREF"; u32 version; u32 segment; program commit (32 bytes)
//   u64 first instruction; u64 instructions; u32 initial pc; u32 number of chips, then their names
//     (string: u32 size, bytes)
//   blocks, each: 4 bytes tag; u32 chip; u32 number of entries, at most 2^22; the entries
//     "MEMO"  MemoryEntry, 24 bytes: u32 timestamp; u32 previous timestamp; u32 address; u8 address
//     space; u8 write;
//             u16 0; u32 previous value; u32 value
//     "CHIP"  ChipEntry of `chip`, 28 bytes: u32 pc; u32 word; u32 timestamp; u32 rd; u32 rs1; u32
//     rs2; u32 rows "FREQ"  u32 pc; u32 times executed; ascending by pc
//     "ROWS"  u32 height of each chip, in their order
//     "DONE"  no entries; then u32 final pc; SHA-256 of the file up to this block
//   and nothing after "DONE". MEMO and CHIP blocks come in the order of execution.
#ifndef PRECAST_RUNTIME_OPENVM_SEGMENTS_PREFLIGHT_FILE_H_
#define PRECAST_RUNTIME_OPENVM_SEGMENTS_PREFLIGHT_FILE_H_

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "loader/format/sha256.h"
#include "runtime/openvm/segments/memory_hash.h"

namespace precast::runtime {

// An access to four bytes, aligned. Of an access that covers some of them only, all are recorded;
// of a larger one each four bytes are an entry. The clock is 1 at the segment's start and goes on
// by one with each entry.
struct MemoryEntry {
  uint32_t timestamp = 0;
  uint32_t previous_timestamp = 0;  // of the last entry with this address; 0: none in the segment
  uint32_t address = 0;
  uint8_t space = 0;  // precast::openvm::AddressSpace
  bool write = false;
  uint32_t previous = 0;  // before the instruction
  uint32_t value = 0;     // after the instruction; for reads the same as `previous`
  friend bool operator==(const MemoryEntry&, const MemoryEntry&) = default;
};

// An instruction that adds rows to a chip.
struct ChipEntry {
  uint32_t pc = 0, word = 0;
  uint32_t timestamp = 0;  // when it began
  uint32_t rd = 0, rs1 = 0,
           rs2 = 0;  // values that those registers had, by the word's bits; 0 for fields it lacks
  uint32_t rows = 0;
  friend bool operator==(const ChipEntry&, const ChipEntry&) = default;
};

struct PreflightHeader {
  uint32_t segment = 0;
  MemoryDigest program_commit = {};
  uint64_t first_instruction = 0, instructions = 0;
  uint32_t initial_pc = 0;
  std::vector<std::string> chips;
};

// Writes as it is told, to a name of its own until the file is whole. Errors stay and come out of
// Finish.
class PreflightWriter {
 public:
  static absl::StatusOr<std::unique_ptr<PreflightWriter>> Create(const std::string& path,
                                                                 const PreflightHeader& header);
  // Does all that a writer does, its digest too, but keeps nothing.
  static std::unique_ptr<PreflightWriter> Discarding(const PreflightHeader& header);
  ~PreflightWriter();

  void Memory(const std::vector<MemoryEntry>& entries);
  void Chip(uint32_t chip, const std::vector<ChipEntry>& entries);
  absl::Status Finish(const std::map<uint32_t, uint32_t>& frequencies,
                      const std::vector<uint32_t>& heights, uint32_t final_pc);

 private:
  PreflightWriter() = default;
  void Begin(const PreflightHeader& header);
  void Put(std::string_view bytes);

  std::string path_, partial_path_;
  std::FILE* file_ = nullptr;  // null: nothing is kept
  format::Sha256 hash_;
  absl::Status status_;
};

// A whole file. `memory` and `chips` are called for each entry, if not null.
struct PreflightSummary {
  PreflightHeader header;
  std::map<uint32_t, uint32_t> frequencies;
  std::vector<uint32_t> heights;
  uint32_t final_pc = 0;
  uint64_t memory_entries = 0;
  std::vector<uint64_t> chip_entries;  // by chip
};
// InvalidArgument, naming offset, what was expected and what was found, for files that are not as
// above.
absl::StatusOr<PreflightSummary> ReadPreflight(
    const std::string& path, const std::function<void(const MemoryEntry&)>& memory,
    const std::function<void(uint32_t chip, const ChipEntry&)>& chips);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_SEGMENTS_PREFLIGHT_FILE_H_
