#include "elfwriter/gnu_hash.h"

#include <elf.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "absl/log/check.h"
#include "elfwriter/little_endian.h"

namespace precast::elfwriter {
namespace {

// The second bit that a symbol sets in the Bloom filter comes from its hash shifted by this.
constexpr uint32_t kBloomShift = 26;
constexpr uint64_t kHeaderSize = 16;

}  // namespace

uint32_t GnuHash(absl::string_view name) {
  uint32_t hash = 5381;
  for (const char c : name) hash = hash * 33 + static_cast<uint8_t>(c);
  return hash;
}

GnuHashSection::GnuHashSection(SymbolTable* dynsym)
    : Section({.name = ".gnu.hash", .alignment = 8, .type = SHT_GNU_HASH}), dynsym_(dynsym) {
  set_link(dynsym);
}

void GnuHashSection::SortSymbols() {
  CheckNotPlaced();
  const absl::Span<const SymbolEntry> symbols = dynsym_->globals();
  const auto count = static_cast<uint32_t>(symbols.size());
  // About two symbols a bucket, and eight bits of the filter for each symbol.
  bucket_count_ = std::max(1u, count / 2);
  bloom_words_ = std::bit_ceil(std::max(1u, count / 8));

  std::vector<uint32_t> hashes(count);
  for (uint32_t i = 0; i < count; ++i) {
    hashes[i] = GnuHash(dynsym_->strings().Get(symbols[i].name_offset));
  }
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return hashes[a] % bucket_count_ < hashes[b] % bucket_count_;
  });
  dynsym_->ReorderGlobals(order);
  hashes_.clear();
  hashes_.reserve(count);
  for (const uint32_t i : order) hashes_.push_back(hashes[i]);
}

uint64_t GnuHashSection::Size() const {
  return kHeaderSize + uint64_t{8} * bloom_words_ + uint64_t{4} * bucket_count_ +
         4 * hashes_.size();
}

void GnuHashSection::WriteTo(absl::Span<uint8_t> out) const {
  CHECK_EQ(hashes_.size(), dynsym_->globals().size()) << "symbols added after SortSymbols";
  const uint32_t first_symbol = dynsym_->HeaderInfo();

  std::vector<uint64_t> bloom(bloom_words_);
  std::vector<uint32_t> buckets(bucket_count_);
  for (uint32_t i = 0; i < hashes_.size(); ++i) {
    const uint32_t hash = hashes_[i];
    bloom[(hash / 64) % bloom_words_] |=
        uint64_t{1} << (hash % 64) | uint64_t{1} << ((hash >> kBloomShift) % 64);
    uint32_t& bucket = buckets[hash % bucket_count_];
    if (bucket == 0) bucket = first_symbol + i;
  }

  SpanWriter writer(out);
  writer.U32(bucket_count_).U32(first_symbol).U32(bloom_words_).U32(kBloomShift);
  for (const uint64_t word : bloom) writer.U64(word);
  for (const uint32_t bucket : buckets) writer.U32(bucket);
  for (uint32_t i = 0; i < hashes_.size(); ++i) {
    const bool is_last =
        i + 1 == hashes_.size() || hashes_[i] % bucket_count_ != hashes_[i + 1] % bucket_count_;
    writer.U32((hashes_[i] & ~1u) | (is_last ? 1u : 0u));
  }
  CHECK_EQ(writer.remaining(), 0u);
}

}  // namespace precast::elfwriter
