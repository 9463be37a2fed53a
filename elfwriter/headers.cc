// Writes the headers field by field, in the order of the gABI figures.

#include "elfwriter/headers.h"

#include <elf.h>

#include "absl/log/check.h"
#include "elfwriter/little_endian.h"

namespace precast::elfwriter {

void ElfHeader::WriteTo(absl::Span<uint8_t> out) const {
  SpanWriter writer(out);
  writer.U8(0x7f).Text("ELF");
  writer.U8(ELFCLASS64).U8(ELFDATA2LSB).U8(EV_CURRENT).U8(ELFOSABI_NONE);
  writer.Skip(8);  // ABI version, padding.
  writer.U16(ET_DYN).U16(EM_X86_64).U32(EV_CURRENT);
  writer.U64(0);      // e_entry
  writer.U64(kSize);  // e_phoff
  writer.U64(section_headers_offset);
  writer.U32(0);  // e_flags
  writer.U16(kSize);
  writer.U16(ProgramHeaderTable::kEntrySize).U16(program_header_count);
  writer.U16(SectionHeaderTable::kEntrySize).U16(section_header_count);
  writer.U16(section_names_index);
  CHECK_EQ(writer.position(), kSize);
}

void ProgramHeaderTable::WriteTo(absl::Span<uint8_t> out) const {
  CHECK_EQ(entries_.size(), count_);
  SpanWriter writer(out);
  for (const ProgramHeader& entry : entries_) {
    writer.U32(entry.type)
        .U32(entry.flags)
        .U64(entry.offset)
        .U64(entry.address)
        .U64(entry.address)
        .U64(entry.file_size)
        .U64(entry.memory_size)
        .U64(entry.alignment);
  }
  CHECK_EQ(writer.remaining(), 0u);
}

void SectionHeaderTable::Add(const Section* section, StringTable& names) {
  entries_.push_back({section, names.Add(section->name())});
}

void SectionHeaderTable::WriteTo(absl::Span<uint8_t> out) const {
  SpanWriter writer(out);
  writer.Skip(kEntrySize);  // SHN_UNDEF is all zero.
  for (const Entry& entry : entries_) {
    const Section& section = *entry.section;
    writer.U32(entry.name_offset)
        .U32(section.type())
        .U64(section.flags())
        .U64(section.address())
        .U64(section.file_offset())
        .U64(section.Size())
        .U32(section.link() == nullptr ? uint32_t{SHN_UNDEF} : section.link()->index())
        .U32(section.HeaderInfo())
        .U64(section.alignment())
        .U64(section.entry_size());
  }
  CHECK_EQ(writer.remaining(), 0u);
}

}  // namespace precast::elfwriter
