#include "runtime/openvm/segments/memory_tree.h"

#include <map>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace precast::runtime {
namespace {

// The whole tree, without cleverness.
MemoryDigest PlainRoot(const MemoryHash& hash, const std::map<uint32_t, MemoryDigest>& leaves,
                       uint32_t count) {
  std::vector<MemoryDigest> level(count, hash.Leaf(std::vector<uint8_t>(kPageSize)));
  for (const auto& [leaf, digest] : leaves) level[leaf] = digest;
  while (level.size() > 1) {
    std::vector<MemoryDigest> above;
    for (size_t i = 0; i < level.size(); i += 2)
      above.push_back(hash.Compress(level[i], level[i + 1]));
    level = std::move(above);
  }
  return level[0];
}

TEST(MemoryTree, IncrementalRootIsThatOfAll) {
  const MemoryHash& hash = Sha256MemoryHash();
  MemoryTree tree(hash, 17);
  ASSERT_EQ(tree.leaves(), 256u);
  std::map<uint32_t, MemoryDigest> leaves;
  EXPECT_EQ(tree.Root(), PlainRoot(hash, leaves, 256));
  std::mt19937 random(1);
  for (int round = 0; round < 30; ++round) {
    for (uint32_t i = 0; i < random() % 20; ++i) {
      std::vector<uint8_t> page(kPageSize);
      page[random() % kPageSize] = static_cast<uint8_t>(random());
      const uint32_t leaf = random() % 256;
      leaves[leaf] = hash.Leaf(page);
      tree.Set(leaf, leaves[leaf]);
    }
    ASSERT_EQ(tree.Root(), PlainRoot(hash, leaves, 256)) << round;
  }
}

TEST(MemoryTree, AddressSpacesFollowOneAnother) {
  MemoryTree tree(Sha256MemoryHash(), 20);
  EXPECT_EQ(tree.LeafOf(precast::openvm::AddressSpace::kRegisters, 0), 0u);
  EXPECT_EQ(tree.LeafOf(precast::openvm::AddressSpace::kMemory, 5), 256u + 5);
  EXPECT_EQ(tree.LeafOf(precast::openvm::AddressSpace::kPublicValues, 0), 512u);
}

// As an extension would add Poseidon2.
class XorHash final : public MemoryHash {
 public:
  std::string_view name() const override { return "xor"; }
  MemoryDigest Leaf(absl::Span<const uint8_t> page) const override {
    MemoryDigest digest = {};
    for (size_t i = 0; i < page.size(); ++i) digest[i % digest.size()] ^= page[i];
    return digest;
  }
  MemoryDigest Compress(const MemoryDigest& left, const MemoryDigest& right) const override {
    MemoryDigest digest;
    for (size_t i = 0; i < digest.size(); ++i)
      digest[i] = static_cast<uint8_t>(left[i] ^ right[(i + 1) % right.size()]);
    return digest;
  }
};

TEST(MemoryHash, CanBeAdded) {
  EXPECT_EQ(FindMemoryHash("sha256"), &Sha256MemoryHash());
  EXPECT_EQ(FindMemoryHash("xor"), nullptr);
  static const XorHash hash;
  RegisterMemoryHash(&hash);
  ASSERT_EQ(FindMemoryHash("xor"), &hash);
  MemoryTree tree(hash, 12);
  EXPECT_EQ(tree.Root(), MemoryDigest{});
}

}  // namespace
}  // namespace precast::runtime
