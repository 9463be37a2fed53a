// .strtab, .dynstr and .shstrtab: NUL-terminated names, each stored once. Read through the offsets
// that symbols, section headers and dynamic entries hold.
//
// Source: gABI chapter 4 "String Table".

#ifndef PRECAST_ELFWRITER_STRING_TABLE_H_
#define PRECAST_ELFWRITER_STRING_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "elfwriter/section.h"

namespace precast::elfwriter {

// A deduplicated string table. Offsets are final as soon as a string is added.
class StringTable : public Section {
 public:
  explicit StringTable(SectionSpec spec);

  // Returns the offset of `text`, adding it if it is new. The empty string is at offset 0.
  // `text` must not contain a NUL byte.
  uint32_t Add(absl::string_view text);
  // Room to find that many strings.
  void Reserve(size_t count) { offsets_.reserve(count); }
  // The string at an offset that Add returned. Valid until the next Add.
  absl::string_view Get(uint32_t offset) const;

  uint64_t Size() const override { return bytes_->size(); }
  void WriteTo(absl::Span<uint8_t> out) const override;

 private:
  // The set holds offsets only; strings are hashed and compared where they are stored.
  struct Hash {
    using is_transparent = void;
    const std::vector<char>* bytes;
    size_t operator()(uint32_t offset) const;
    size_t operator()(absl::string_view text) const;
  };
  struct Equal {
    using is_transparent = void;
    const std::vector<char>* bytes;
    bool operator()(uint32_t a, uint32_t b) const { return a == b; }
    bool operator()(uint32_t offset, absl::string_view text) const;
    bool operator()(absl::string_view text, uint32_t offset) const;
  };

  // On the heap so that Hash and Equal can point to it.
  std::unique_ptr<std::vector<char>> bytes_;
  absl::flat_hash_set<uint32_t, Hash, Equal> offsets_;
};

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_STRING_TABLE_H_
