// The hash functions that a Merkle root over a guest's memory may be made with, by name. SHA-256 is
// built in; others, such as Poseidon2 over BabyBear for roots that a prover's circuit can open, are
// added by whoever links them.
#ifndef PRECAST_RUNTIME_OPENVM_SEGMENTS_MEMORY_HASH_H_
#define PRECAST_RUNTIME_OPENVM_SEGMENTS_MEMORY_HASH_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace precast::runtime {

// Eight field elements of 32 bits, or 256 bits.
using MemoryDigest = std::array<uint8_t, 32>;

// Thread-safe.
class MemoryHash {
 public:
  virtual ~MemoryHash() = default;
  // Lower case, no spaces. Directories of segments name it.
  virtual std::string_view name() const = 0;
  // Of a page of guest memory: kPageSize bytes.
  virtual MemoryDigest Leaf(absl::Span<const uint8_t> page) const = 0;
  // Of an inner node.
  virtual MemoryDigest Compress(const MemoryDigest& left, const MemoryDigest& right) const = 0;
};

// "sha256": Leaf is SHA-256 of a zero byte and the page, Compress that of a one byte and both
// digests.
const MemoryHash& Sha256MemoryHash();

// Null if there is none of that name.
const MemoryHash* FindMemoryHash(std::string_view name);
// `hash` lives for ever; CHECK-fails if its name is taken. Before other threads are started.
void RegisterMemoryHash(const MemoryHash* hash);

std::string HexOf(const MemoryDigest& digest);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_SEGMENTS_MEMORY_HASH_H_
