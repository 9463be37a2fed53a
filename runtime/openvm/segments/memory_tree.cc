#include "runtime/openvm/segments/memory_tree.h"

#include "absl/log/check.h"

namespace precast::runtime {

MemoryTree::MemoryTree(const MemoryHash& hash, uint32_t memory_bits)
    : hash_(hash), space_bits_(memory_bits - 12) {
  static_assert(kPageSize == 1 << 12);
  constexpr uint32_t kSpaceLevels = 3;
  zeros_.push_back(hash.Leaf(std::vector<uint8_t>(kPageSize)));
  for (uint32_t level = 0; level < space_bits_ + kSpaceLevels; ++level)
    zeros_.push_back(hash.Compress(zeros_.back(), zeros_.back()));
  nodes_.resize(zeros_.size());
}

const MemoryDigest& MemoryTree::At(uint32_t level, uint32_t index) const {
  auto it = nodes_[level].find(index);
  return it == nodes_[level].end() ? zeros_[level] : it->second;
}

void MemoryTree::Set(uint32_t leaf, const MemoryDigest& digest) {
  CHECK_LT(leaf, leaves());
  nodes_[0][leaf] = digest;
  changed_.insert(leaf);
}

MemoryDigest MemoryTree::Root() {
  std::vector<uint32_t> changed(changed_.begin(), changed_.end());
  changed_.clear();
  for (uint32_t level = 0; level + 1 < nodes_.size(); ++level) {
    std::vector<uint32_t> parents;
    for (uint32_t index : changed) {
      const uint32_t parent = index / 2;
      if (!parents.empty() && parents.back() == parent) continue;
      parents.push_back(parent);
      nodes_[level + 1][parent] = hash_.Compress(At(level, 2 * parent), At(level, 2 * parent + 1));
    }
    changed = std::move(parents);
  }
  return At(static_cast<uint32_t>(nodes_.size() - 1), 0);
}

}  // namespace precast::runtime
