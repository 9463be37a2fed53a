// A run of an OpenVM guest cut into segments, as a directory: a manifest, and the state at each
// boundary (sparse: what changed since the one before). Anybody who has the program can execute any
// segment by itself, and anybody at all can check that segment k's final memory root is segment
// k+1's initial one.
//
//   DIR/manifest.json     what the run is: program, machine, metering, segments
//   (docs/openvm_segments.md) DIR/state-000000      … one per boundary; the last is the state the
//   guest ended in DIR/program           the file that was run
#ifndef PRECAST_RUNTIME_OPENVM_SEGMENTS_CHAIN_H_
#define PRECAST_RUNTIME_OPENVM_SEGMENTS_CHAIN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "openvm/metering.h"
#include "runtime/instance.h"
#include "runtime/openvm/host.h"
#include "runtime/openvm/segments/boundary_state.h"
#include "runtime/openvm/segments/chain_error.h"
#include "runtime/openvm/segments/memory_hash.h"

namespace precast::runtime {

struct ChainSegment {
  precast::openvm::Segment metered;
  MemoryDigest initial_root = {}, final_root = {};
  uint32_t initial_pc = 0, final_pc = 0;
};

struct Manifest {
  std::string program_guid;  // hexadecimal
  std::string machine;       // canonical text of the configuration (openvm/config.h)
  uint32_t entry_pc = 0;
  MemoryDigest program_commit = {};
  std::string hash;
  uint32_t memory_bits = 0;
  precast::openvm::MeteringConfig metering;
  std::vector<ChainSegment> segments;
  uint32_t exit_code = 0;
  std::string public_values;
};

// The manifest's text, and back: ChainFault kMalformed or kDamaged.
std::string ManifestToJson(const Manifest& manifest);
absl::StatusOr<Manifest> ManifestFromJson(std::string_view text);

// Makes `directory` if it does not exist. AlreadyExists if there is a manifest in it; or why no
// file can be made there. To be asked before a long run; RecordChain asks again.
absl::Status PrepareChainDirectory(const std::string& directory);

// Executes the segments of a metered run again, in `instance`, which is fresh, and writes
// `directory`, the manifest last: it has its name only once everything is there. `program_file`:
// what the file holds that was run. As PrepareChainDirectory; Internal if the run does not end
// where the last segment does. Native code is as good as the interpreter.
absl::Status RecordChain(Instance& instance, const OpenVmHost& host,
                         absl::Span<const precast::openvm::Segment> segments,
                         const precast::openvm::MeteringConfig& metering, const MemoryHash& hash,
                         std::string_view program_file, const std::string& directory);

class Chain {
 public:
  // Reads the manifest and the header of every state. ChainFault kUnreadable, kMalformed or
  // kDamaged.
  static absl::StatusOr<Chain> Open(const std::string& directory);

  // Checks everything that can be checked without executing: that the states follow one another,
  // that they are of one program, that every root is that of the memory and every page has its
  // digest, and how the run ended. With `program`, also that it is that program. The first fault,
  // in the order of states.
  absl::Status Verify(const ProgramImage* program = nullptr) const;

  // Makes a fresh instance of the program continue at the beginning of segment `index`, or at the
  // end of the run for index = segments. ChainFault if it is another program or machine, or
  // contents are wrong; then the instance is not usable. Thread-safe.
  absl::Status Restore(size_t index, Instance& instance) const;

  // The Merkle tree at the beginning of segment `index`; null if the hash is not part of this
  // program. By the digests that the states have, not by their contents.
  std::unique_ptr<MemoryTree> TreeAt(size_t index) const;

  const Manifest& manifest() const { return manifest_; }
  // One more than segments.
  const std::vector<BoundaryState>& states() const { return states_; }

 private:
  absl::Status CheckContents(size_t index) const;

  std::string directory_;
  Manifest manifest_;
  std::vector<BoundaryState> states_;
  std::vector<uint64_t> contents_;  // where they begin in the files
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_SEGMENTS_CHAIN_H_
