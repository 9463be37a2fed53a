// The Merkle tree over all address spaces of an OpenVM guest. Leaves are pages of kPageSize bytes,
// numbered address space by address space, as OpenVM numbers its own (smaller) leaves; what nobody
// has set is zero. Registers are the first bytes of address space 1, public values those of 3.
#ifndef PRECAST_RUNTIME_OPENVM_SEGMENTS_MEMORY_TREE_H_
#define PRECAST_RUNTIME_OPENVM_SEGMENTS_MEMORY_TREE_H_

#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

#include "openvm/machine.h"
#include "runtime/openvm/segments/memory_hash.h"
#include "runtime/program.h"

namespace precast::runtime {

class MemoryTree {
 public:
  // `hash` outlives the tree. Address spaces of 2^memory_bits bytes, memory_bits 12 to 32.
  MemoryTree(const MemoryHash& hash, uint32_t memory_bits);

  uint32_t LeafOf(precast::openvm::AddressSpace space, uint32_t page) const {
    return ((static_cast<uint32_t>(space) - 1) << space_bits_) + page;
  }
  uint32_t leaves() const { return uint32_t{8} << space_bits_; }
  uint32_t memory_bits() const { return space_bits_ + 12; }
  // leaf < leaves().
  void Set(uint32_t leaf, const MemoryDigest& digest);
  MemoryDigest Leaf(uint32_t leaf) const { return At(0, leaf); }
  const MemoryDigest& zero_leaf() const { return zeros_[0]; }
  // Hashes what lies above the leaves set since the last call.
  MemoryDigest Root();

  const MemoryHash& hash() const { return hash_; }

 private:
  const MemoryDigest& At(uint32_t level, uint32_t index) const;

  const MemoryHash& hash_;
  const uint32_t space_bits_;
  std::vector<MemoryDigest> zeros_;  // of a tree without contents, by level; level 0 is leaves
  std::vector<std::unordered_map<uint32_t, MemoryDigest>> nodes_;
  std::set<uint32_t> changed_;  // leaves
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_SEGMENTS_MEMORY_TREE_H_
