// A small reader of ELF files for tests: it shares no code with the writer, so that what the writer
// got wrong the reader does not get wrong in the same way.

#ifndef PRECAST_ELFWRITER_ELF_READER_H_
#define PRECAST_ELFWRITER_ELF_READER_H_

#include <elf.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace precast::elfwriter {

struct ReadSection {
  std::string name;
  Elf64_Shdr header;
  std::vector<uint8_t> bytes;  // Empty if SHT_NOBITS.
};

struct ReadSymbol {
  std::string name;
  std::string section;  // Its name; "ABS" if absolute.
  Elf64_Sym entry;
};

struct ReadElf {
  Elf64_Ehdr header;
  std::vector<Elf64_Phdr> program_headers;
  std::vector<ReadSection> sections;  // With the null section.
  std::vector<ReadSymbol> symbols;    // .symtab without the null symbol.
  std::vector<ReadSymbol> dynsym;     // .dynsym without the null symbol.
  std::vector<Elf64_Dyn> dynamic;     // With DT_NULL.

  // The section of that name, or null.
  const ReadSection* Find(absl::string_view name) const;
};

// Reads a file, or says what is out of bounds.
absl::StatusOr<ReadElf> ParseElf(absl::Span<const uint8_t> file);

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_ELF_READER_H_
