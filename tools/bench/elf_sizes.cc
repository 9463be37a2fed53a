#include "tools/bench/elf_sizes.h"

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace precast::bench {
namespace {

template <typename T>
absl::StatusOr<T> ReadAt(absl::Span<const uint8_t> file, uint64_t offset) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) {
    return absl::InvalidArgumentError(absl::StrCat("ELF: nothing at offset ", offset));
  }
  T value;
  memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

template <typename Header, typename Section>
absl::StatusOr<ElfSizes> Read(absl::Span<const uint8_t> file) {
  const absl::StatusOr<Header> header = ReadAt<Header>(file, 0);
  if (!header.ok()) return header.status();
  std::vector<Section> sections;
  for (uint64_t i = 0; i < header->e_shnum; ++i) {
    if (header->e_shoff > file.size()) break;
    const absl::StatusOr<Section> section =
        ReadAt<Section>(file, header->e_shoff + i * sizeof(Section));
    if (!section.ok()) return section.status();
    sections.push_back(*section);
  }
  if (header->e_shstrndx >= sections.size()) {
    return absl::InvalidArgumentError("ELF: no section names");
  }
  const Section& names = sections[header->e_shstrndx];
  if (names.sh_offset > file.size() || names.sh_size > file.size() - names.sh_offset) {
    return absl::InvalidArgumentError("ELF: section names lie outside the file");
  }
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + names.sh_offset,
                              names.sh_size);
  ElfSizes sizes{.file = file.size()};
  for (const Section& section : sections) {
    if (section.sh_name >= text.size()) continue;
    std::string_view name = text.substr(section.sh_name);
    name = name.substr(0, name.find('\0'));
    if (name == ".text" || name == ".plt") {
      sizes.text += section.sh_size;
    } else if (name == ".rodata" || name == ".eh_frame" || name == ".eh_frame_hdr") {
      sizes.tables += section.sh_size;
    } else if (absl::StartsWith(name, ".guest")) {
      sizes.guest += section.sh_size;
    }
  }
  return sizes;
}

}  // namespace

absl::StatusOr<ElfSizes> ReadElfSizes(absl::Span<const uint8_t> file) {
  if (file.size() < EI_NIDENT || memcmp(file.data(), ELFMAG, SELFMAG) != 0 ||
      file[EI_DATA] != ELFDATA2LSB) {
    return absl::InvalidArgumentError("not a little-endian ELF file");
  }
  if (file[EI_CLASS] == ELFCLASS64) return Read<Elf64_Ehdr, Elf64_Shdr>(file);
  if (file[EI_CLASS] == ELFCLASS32) return Read<Elf32_Ehdr, Elf32_Shdr>(file);
  return absl::InvalidArgumentError(absl::StrCat("ELF of unknown class ", file[EI_CLASS]));
}

}  // namespace precast::bench
