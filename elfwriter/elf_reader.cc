// Reads through the structures of <elf.h>, which the writer does not use.

#include "elfwriter/elf_reader.h"

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace precast::elfwriter {
namespace {

// Reads `count` records of type T at `offset`.
template <typename T>
absl::StatusOr<std::vector<T>> ReadTable(absl::Span<const uint8_t> bytes, uint64_t offset,
                                         uint64_t count, absl::string_view what) {
  if (offset > bytes.size() || count > (bytes.size() - offset) / sizeof(T)) {
    return absl::OutOfRangeError(absl::StrCat(what, " at ", offset, " does not fit"));
  }
  std::vector<T> records(count);
  if (count != 0) std::memcpy(records.data(), bytes.data() + offset, count * sizeof(T));
  return records;
}

absl::StatusOr<std::string> ReadString(absl::Span<const uint8_t> table, uint64_t offset) {
  if (offset >= table.size()) {
    return absl::OutOfRangeError(absl::StrCat("name offset ", offset, " is outside its table"));
  }
  const void* end = std::memchr(table.data() + offset, 0, table.size() - offset);
  if (end == nullptr) return absl::OutOfRangeError("name without end");
  return std::string(table.begin() + static_cast<ptrdiff_t>(offset),
                     static_cast<const uint8_t*>(end));
}

absl::StatusOr<std::vector<ReadSymbol>> ReadSymbols(const ReadElf& elf, const ReadSection& table) {
  if (table.header.sh_link >= elf.sections.size()) return absl::OutOfRangeError("sh_link");
  const ReadSection& strings = elf.sections[table.header.sh_link];
  const auto entries =
      ReadTable<Elf64_Sym>(table.bytes, 0, table.bytes.size() / sizeof(Elf64_Sym), table.name);
  if (!entries.ok()) return entries.status();
  std::vector<ReadSymbol> symbols;
  for (size_t i = 1; i < entries->size(); ++i) {
    ReadSymbol symbol = {.name = "", .section = "ABS", .entry = (*entries)[i]};
    auto name = ReadString(strings.bytes, symbol.entry.st_name);
    if (!name.ok()) return name.status();
    symbol.name = *std::move(name);
    if (symbol.entry.st_shndx != SHN_ABS) {
      if (symbol.entry.st_shndx >= elf.sections.size()) return absl::OutOfRangeError("st_shndx");
      symbol.section = elf.sections[symbol.entry.st_shndx].name;
    }
    symbols.push_back(std::move(symbol));
  }
  return symbols;
}

}  // namespace

const ReadSection* ReadElf::Find(absl::string_view name) const {
  for (const ReadSection& section : sections) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

absl::StatusOr<ReadElf> ParseElf(absl::Span<const uint8_t> file) {
  ReadElf elf;
  const auto headers = ReadTable<Elf64_Ehdr>(file, 0, 1, "ELF header");
  if (!headers.ok()) return headers.status();
  elf.header = headers->front();
  if (std::memcmp(elf.header.e_ident, ELFMAG, SELFMAG) != 0) {
    return absl::InvalidArgumentError("no ELF magic");
  }

  auto program_headers =
      ReadTable<Elf64_Phdr>(file, elf.header.e_phoff, elf.header.e_phnum, "program headers");
  if (!program_headers.ok()) return program_headers.status();
  elf.program_headers = *std::move(program_headers);

  const auto section_headers =
      ReadTable<Elf64_Shdr>(file, elf.header.e_shoff, elf.header.e_shnum, "section headers");
  if (!section_headers.ok()) return section_headers.status();
  for (const Elf64_Shdr& header : *section_headers) {
    ReadSection section = {.name = "", .header = header, .bytes = {}};
    if (header.sh_type != SHT_NOBITS) {
      auto bytes = ReadTable<uint8_t>(file, header.sh_offset, header.sh_size, "section");
      if (!bytes.ok()) return bytes.status();
      section.bytes = *std::move(bytes);
    }
    elf.sections.push_back(std::move(section));
  }
  if (elf.header.e_shstrndx >= elf.sections.size()) return absl::OutOfRangeError("e_shstrndx");
  const std::vector<uint8_t> names = elf.sections[elf.header.e_shstrndx].bytes;
  for (ReadSection& section : elf.sections) {
    auto name = ReadString(names, section.header.sh_name);
    if (!name.ok()) return name.status();
    section.name = *std::move(name);
  }

  for (const ReadSection& section : elf.sections) {
    const uint32_t type = section.header.sh_type;
    if (type == SHT_SYMTAB || type == SHT_DYNSYM) {
      auto symbols = ReadSymbols(elf, section);
      if (!symbols.ok()) return symbols.status();
      (type == SHT_SYMTAB ? elf.symbols : elf.dynsym) = *std::move(symbols);
    } else if (type == SHT_DYNAMIC) {
      auto entries = ReadTable<Elf64_Dyn>(section.bytes, 0,
                                          section.bytes.size() / sizeof(Elf64_Dyn), ".dynamic");
      if (!entries.ok()) return entries.status();
      elf.dynamic = *std::move(entries);
    }
  }
  return elf;
}

}  // namespace precast::elfwriter
