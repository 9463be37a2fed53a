// Preflight: executes one segment again, from its start state, and records all that a prover's
// trace generation needs. Segments are independent of one another: as many threads as there are
// processors may do one each.
#ifndef PRECAST_RUNTIME_OPENVM_SEGMENTS_PREFLIGHT_H_
#define PRECAST_RUNTIME_OPENVM_SEGMENTS_PREFLIGHT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/instance.h"
#include "runtime/openvm/host.h"
#include "runtime/openvm/segments/chain.h"

namespace precast::runtime {

// A fresh instance of the chain's program, interpreted, with an OpenVmHost. Called by several
// threads at once.
using InstanceFactory = std::function<absl::StatusOr<std::unique_ptr<Instance>>()>;

struct PreflightOptions {
  enum class Records {
    kNone,     // only what is needed to compare
    kDiscard,  // made in full, and thrown away
    kWrite,    // to files in `output`
  };
  Records records = Records::kNone;
  std::string output = {};  // directory for the files segment-000000.preflight …
  unsigned jobs = 1;
  std::vector<size_t> segments = {};  // empty: all
  // After each segment; by one thread at a time.
  std::function<void(size_t done, size_t total)> progress = {};
};

// Executes segments and compares with what the manifest says: instructions, heights, final pc and
// final root, and in the last one how the guest ends. ChainFault kExecution where something
// differs; other faults as Chain::Restore. Of several faults, that of the first segment.
absl::Status Preflight(const Chain& chain, const InstanceFactory& factory,
                       const PreflightOptions& options);

// Where Preflight writes a segment: "DIR/segment-000000.preflight".
std::string PreflightPath(const std::string& directory, size_t segment);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_SEGMENTS_PREFLIGHT_H_
