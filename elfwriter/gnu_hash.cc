// Builds the Bloom filter, the buckets and the chains of .gnu.hash.

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

constexpr uint64_t kHeaderSize = 16;
// One word of the Bloom filter.
constexpr uint32_t kMinBloomBitsLog2 = 6;

// The sizes that the GNU linker chooses, so that its tables and ours can be compared byte for byte:
// the largest of these numbers of buckets that is not above the number of symbols, but at least 2,
constexpr uint32_t kBucketCounts[] = {2,   3,   17,   37,   67,   97,   131,   197,
                                      263, 521, 1031, 2053, 4099, 8209, 16411, 32771};

uint32_t BucketCount(uint32_t symbols) {
  uint32_t best = kBucketCounts[0];
  for (const uint32_t count : kBucketCounts) {
    if (count <= symbols) best = count;
  }
  return best;
}

// and a filter of 2^n bits, about eight for each symbol.
uint32_t BloomBitsLog2(uint32_t symbols) {
  if (symbols == 0) return kMinBloomBitsLog2;
  const auto width = static_cast<uint32_t>(std::bit_width(symbols));
  if (width < 3) return kMinBloomBitsLog2;
  const bool upper_half = (symbols >> (width - 2) & 1) != 0;
  return std::max(kMinBloomBitsLog2, width + (upper_half ? 3 : 2));
}

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
  bucket_count_ = BucketCount(count);
  bloom_shift_ = BloomBitsLog2(count);
  bloom_words_ = 1u << (bloom_shift_ - kMinBloomBitsLog2);

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
        uint64_t{1} << (hash % 64) | uint64_t{1} << ((hash >> bloom_shift_) % 64);
    uint32_t& bucket = buckets[hash % bucket_count_];
    if (bucket == 0) bucket = first_symbol + i;
  }

  SpanWriter writer(out);
  writer.U32(bucket_count_).U32(first_symbol).U32(bloom_words_).U32(bloom_shift_);
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
