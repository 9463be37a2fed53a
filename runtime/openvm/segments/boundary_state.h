// The state of a guest where one segment ends and the next begins, as a file: what changed in
// memory since the state before, and all of the rest. The first state of a directory has all pages
// that are not zero.
//
// Format, little-endian. Version 1:
//   magic "PRECSTAT"; u32 version; u32 index; u64 size of header; SHA-256 of the rest of the header
//   program commit (32 bytes); string hash function; u32 memory bits      (string: u32 size, bytes)
//   u64 retired; u8 ended; u32 exit code; u32 pc; u32 x[32]
//   string host ABI name; string host state; string public values; root (32 bytes)
//   u32 number of pages, then for each, ascending: u32 page number, digest (32 bytes)
//   -- end of header --
//   contents of the pages, kPageSize bytes each, in the same order
#ifndef PRECAST_RUNTIME_OPENVM_SEGMENTS_BOUNDARY_STATE_H_
#define PRECAST_RUNTIME_OPENVM_SEGMENTS_BOUNDARY_STATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/openvm/segments/memory_hash.h"
#include "runtime/openvm/segments/memory_tree.h"

namespace precast::runtime {

struct BoundaryState {
  struct Page {
    uint32_t number = 0;
    MemoryDigest digest = {};
  };

  uint32_t index = 0;  // of the segment that begins here
  MemoryDigest program_commit = {};
  std::string hash;
  uint32_t memory_bits = 0;
  uint64_t retired = 0;
  bool ended = false;
  uint32_t exit_code = 0;
  uint32_t pc = 0;
  uint32_t x[32] = {};
  std::string host_name, host_state, public_values;
  MemoryDigest root = {};
  std::vector<Page> pages;  // ascending
};

std::string EncodeHeader(const BoundaryState& state);

// Of a file that begins with these bytes and has `file_size` of them in all; `header_size` is where
// the contents begin. ChainFault kMalformed or kDamaged.
absl::StatusOr<BoundaryState> DecodeHeader(absl::Span<const uint8_t> bytes, uint64_t file_size,
                                           uint64_t& header_size);

// Brings registers, public values and pages into the tree. ChainFault kState or kMalformed if they
// do not fit.
absl::Status SetLeaves(const BoundaryState& state, MemoryTree& tree);

// What identifies a program on a machine: of its GUID, its configuration, its entry and its initial
// memory's root.
MemoryDigest ProgramCommit(std::string_view guid, std::string_view machine, uint32_t entry_pc,
                           const MemoryDigest& initial_root);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_SEGMENTS_BOUNDARY_STATE_H_
