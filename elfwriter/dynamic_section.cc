// Writes the few entries that the dynamic linker needs.

#include "elfwriter/dynamic_section.h"

#include <elf.h>

#include "absl/log/check.h"
#include "elfwriter/little_endian.h"
#include "elfwriter/symbol_table.h"

namespace precast::elfwriter {
namespace {

constexpr uint64_t kEntrySize = 16;

}  // namespace

DynamicSection::DynamicSection(const Section& gnu_hash, const Section& dynstr,
                               const Section& dynsym)
    : Section({.name = ".dynamic",
               .segment = Segment::kRelro,
               .alignment = 8,
               .type = SHT_DYNAMIC,
               .entry_size = kEntrySize}),
      gnu_hash_(gnu_hash),
      dynstr_(dynstr),
      dynsym_(dynsym) {
  set_link(&dynstr);
}

void DynamicSection::set_soname(uint32_t offset) {
  CheckNotPlaced();
  soname_ = offset;
}

uint64_t DynamicSection::Size() const { return (soname_.has_value() ? 7 : 6) * kEntrySize; }

void DynamicSection::WriteTo(absl::Span<uint8_t> out) const {
  SpanWriter writer(out);
  if (soname_.has_value()) writer.U64(DT_SONAME).U64(*soname_);
  writer.U64(DT_GNU_HASH).U64(gnu_hash_.address());
  writer.U64(DT_STRTAB).U64(dynstr_.address());
  writer.U64(DT_SYMTAB).U64(dynsym_.address());
  writer.U64(DT_STRSZ).U64(dynstr_.Size());
  writer.U64(DT_SYMENT).U64(SymbolTable::kEntrySize);
  writer.U64(DT_NULL).U64(0);
  CHECK_EQ(writer.remaining(), 0u);
}

}  // namespace precast::elfwriter
