// The three tables that are not sections: the ELF header, the program headers (what a loader maps)
// and the section headers (what tools read).
//
// Sources: gABI chapter 4 "ELF Header", "Sections"; chapter 5 "Program Header"; x86-64 psABI 4.1;
// LSB 5.0 core, 10.1 for PT_GNU_*.

#ifndef PRECAST_ELFWRITER_HEADERS_H_
#define PRECAST_ELFWRITER_HEADERS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "elfwriter/section.h"
#include "elfwriter/string_table.h"

namespace precast::elfwriter {

// One Elf64_Phdr; fields in bytes, p_paddr equals p_vaddr. gABI figure 5-1.
struct ProgramHeader {
  uint32_t type = 0;   // PT_*
  uint32_t flags = 0;  // PF_*
  uint64_t offset = 0;
  uint64_t address = 0;
  uint64_t file_size = 0;
  uint64_t memory_size = 0;
  uint64_t alignment = 0;
};

// The ELF header: class 64, little-endian, ET_DYN, EM_X86_64, no entry point. gABI figure 4-3.
class ElfHeader {
 public:
  static constexpr uint64_t kSize = 64;

  uint16_t program_header_count = 0;  // They follow the ELF header at once.
  uint64_t section_headers_offset = 0;
  uint16_t section_header_count = 0;  // With the null section.
  uint16_t section_names_index = 0;   // Of .shstrtab.

  // Writes kSize bytes.
  void WriteTo(absl::Span<uint8_t> out) const;
};

// The program headers. How many there will be must be settled before the first section is placed,
// what they say afterwards.
class ProgramHeaderTable {
 public:
  static constexpr uint64_t kEntrySize = 56;

  void SetCount(uint32_t count) { count_ = count; }
  uint32_t count() const { return count_; }
  void Add(const ProgramHeader& entry) { entries_.push_back(entry); }
  absl::Span<const ProgramHeader> entries() const { return entries_; }

  uint64_t Size() const { return count_ * kEntrySize; }
  void WriteTo(absl::Span<uint8_t> out) const;

 private:
  uint32_t count_ = 0;
  std::vector<ProgramHeader> entries_;
};

// The section headers: the null section, then one for each section. gABI figure 4-8.
class SectionHeaderTable {
 public:
  static constexpr uint64_t kEntrySize = 64;

  // Adds the header of a section and its name to `names`. The section gets index count() - 1; it
  // is not owned.
  void Add(const Section* section, StringTable& names);
  // With the null section.
  uint32_t count() const { return static_cast<uint32_t>(entries_.size()) + 1; }

  uint64_t Size() const { return count() * kEntrySize; }
  void WriteTo(absl::Span<uint8_t> out) const;

 private:
  struct Entry {
    const Section* section;
    uint32_t name_offset;
  };
  std::vector<Entry> entries_;
};

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_HEADERS_H_
