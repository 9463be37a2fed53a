#include "runtime/openvm/segments/memory_hash.h"

#include <vector>

#include "absl/log/check.h"
#include "absl/strings/escaping.h"
#include "loader/format/sha256.h"

namespace precast::runtime {
namespace {

class Sha256Hash final : public MemoryHash {
 public:
  std::string_view name() const override { return "sha256"; }
  MemoryDigest Leaf(absl::Span<const uint8_t> page) const override {
    constexpr uint8_t kPrefix[] = {0};
    format::Sha256 hash;
    hash.Update(kPrefix);
    hash.Update(page);
    return hash.Finish();
  }
  MemoryDigest Compress(const MemoryDigest& left, const MemoryDigest& right) const override {
    constexpr uint8_t kPrefix[] = {1};
    format::Sha256 hash;
    hash.Update(kPrefix);
    hash.Update(left);
    hash.Update(right);
    return hash.Finish();
  }
};

std::vector<const MemoryHash*>& Hashes() {
  static auto* const hashes = new std::vector<const MemoryHash*>{&Sha256MemoryHash()};
  return *hashes;
}

}  // namespace

const MemoryHash& Sha256MemoryHash() {
  static const auto* const hash = new Sha256Hash;
  return *hash;
}

const MemoryHash* FindMemoryHash(std::string_view name) {
  for (const MemoryHash* hash : Hashes()) {
    if (hash->name() == name) return hash;
  }
  return nullptr;
}

void RegisterMemoryHash(const MemoryHash* hash) {
  CHECK(FindMemoryHash(hash->name()) == nullptr) << hash->name();
  Hashes().push_back(hash);
}

std::string HexOf(const MemoryDigest& digest) {
  return absl::BytesToHexString(
      std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

}  // namespace precast::runtime
