// .dynamic: where the dynamic linker finds names, symbols and the hash table. There is nothing else
// in it because there are no relocations, no needed libraries and no constructors.
//
// Source: gABI chapter 5 "Dynamic Section".

#ifndef PRECAST_ELFWRITER_DYNAMIC_SECTION_H_
#define PRECAST_ELFWRITER_DYNAMIC_SECTION_H_

#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "elfwriter/section.h"

namespace precast::elfwriter {

// DT_SONAME (optional), DT_GNU_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SYMENT, DT_NULL.
class DynamicSection : public Section {
 public:
  // The sections are not owned and must outlive this.
  DynamicSection(const Section& gnu_hash, const Section& dynstr, const Section& dynsym);

  // `offset` of the name in .dynstr.
  void set_soname(uint32_t offset);

  uint64_t Size() const override;
  void WriteTo(absl::Span<uint8_t> out) const override;

 private:
  const Section& gnu_hash_;
  const Section& dynstr_;
  const Section& dynsym_;
  std::optional<uint32_t> soname_;
};

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_DYNAMIC_SECTION_H_
