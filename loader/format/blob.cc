#include "loader/format/blob.h"

#include <cstring>
#include <limits>

#include "absl/log/check.h"

namespace precast::format {
namespace {

// Eight bytes at a time; only has to be even. Not absl::Hash, which is seeded per process: the
// order of the items does not depend on it, but a collision's probes should be the same in every
// run.
uint64_t HashBytes(absl::Span<const uint8_t> bytes) {
  constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15u;
  uint64_t hash = bytes.size() * kMultiplier;
  const auto mix = [&hash](uint64_t word) {
    hash = (hash ^ word) * kMultiplier;
    hash ^= hash >> 32;
  };
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) mix(LoadLe64(bytes.data() + i));
  uint64_t tail = 0;
  for (; i < bytes.size(); ++i) tail = tail << 8 | bytes[i];
  mix(tail);
  return hash;
}

}  // namespace

uint32_t BlobBuilder::Add(absl::Span<const uint8_t> bytes, uint32_t alignment) {
  CHECK(alignment != 0 && (alignment & (alignment - 1)) == 0) << alignment;
  uint64_t hash = HashBytes(bytes);
  for (auto it = items_.find(hash); it != items_.end(); it = items_.find(++hash)) {
    const Item& item = it->second;
    if (item.size == bytes.size() && item.offset % alignment == 0 &&
        (bytes.empty() ||
         std::memcmp(bytes_.data() + item.offset, bytes.data(), bytes.size()) == 0)) {
      bytes_saved_ += bytes.size();
      return item.offset;
    }
  }
  bytes_.resize((bytes_.size() + alignment - 1) & ~(size_t{alignment} - 1));
  CHECK_LE(bytes_.size() + bytes.size(), std::numeric_limits<uint32_t>::max());
  const auto offset = static_cast<uint32_t>(bytes_.size());
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  // An item must begin inside the blob even if it is empty.
  if (bytes.empty()) bytes_.push_back(0);
  items_[hash] = {offset, static_cast<uint32_t>(bytes.size())};
  return offset;
}

uint32_t BlobBuilder::AddString(std::string_view text) {
  ByteWriter writer;
  writer.String(text);
  return Add(writer.bytes());
}

}  // namespace precast::format
