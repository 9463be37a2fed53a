// .gnu.hash: from a name to its symbol in .dynsym, through a Bloom filter and a chain per bucket.
// Read by the dynamic linker for every lookup.
//
// Source: the format has no standard; glibc elf/dl-lookup.c (do_lookup_x) is its definition.

#ifndef PRECAST_ELFWRITER_GNU_HASH_H_
#define PRECAST_ELFWRITER_GNU_HASH_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "elfwriter/section.h"
#include "elfwriter/symbol_table.h"

namespace precast::elfwriter {

// The hash of a symbol name: h = h * 33 + c from 5381, modulo 2^32.
uint32_t GnuHash(absl::string_view name);

// The hash table over the symbols of `dynsym` that are not local.
class GnuHashSection : public Section {
 public:
  // `dynsym` is not owned and must outlive this.
  explicit GnuHashSection(SymbolTable* dynsym);

  // Groups the symbols of .dynsym by bucket, as the format demands, in the order they were added
  // within a bucket. After the last symbol was added and before layout; fixes the size.
  void SortSymbols();

  uint64_t Size() const override;
  void WriteTo(absl::Span<uint8_t> out) const override;

 private:
  SymbolTable* dynsym_;
  // Hash of each symbol in final order.
  std::vector<uint32_t> hashes_;
  uint32_t bucket_count_ = 1;
  uint32_t bloom_words_ = 1;
  // The second bit that a symbol sets in the filter is from its hash shifted by this.
  uint32_t bloom_shift_ = 6;
};

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_GNU_HASH_H_
