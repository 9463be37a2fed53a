#include "compiler/riscv/elf_reader.h"

#include <elf.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "loader/format/guid.h"

namespace precast::riscv {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kAddressSpace = uint64_t{1} << 32;

uint64_t PageFloor(uint64_t a) { return a & ~(kPage - 1); }
uint64_t PageCeil(uint64_t a) { return PageFloor(a + kPage - 1); }

// A faulty field of the file.
absl::Status Bad(std::string_view field, uint64_t offset, std::string_view expected,
                 std::string_view actual) {
  return absl::InvalidArgumentError(absl::StrFormat(
      "ELF %s (file offset 0x%x): expected %s, found %s", field, offset, expected, actual));
}

// Reads fixed-size records of the file; nullopt if they are not wholly inside.
class File {
 public:
  explicit File(absl::Span<const uint8_t> bytes) : bytes_(bytes) {}

  template <typename T>
  std::optional<T> Read(uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
    T record;
    std::memcpy(&record, bytes_.data() + offset, sizeof record);
    return record;
  }
  uint64_t size() const { return bytes_.size(); }
  bool Contains(uint64_t offset, uint64_t size) const {
    return offset <= bytes_.size() && size <= bytes_.size() - offset;
  }
  absl::Span<const uint8_t> Bytes(uint64_t offset, uint64_t size) const {
    return bytes_.subspan(offset, size);
  }
  // The NUL-terminated string at `offset` of a string table section; empty if it runs out of the
  // table.
  std::string_view String(const Elf32_Shdr& table, uint32_t offset) const {
    if (offset >= table.sh_size || !Contains(table.sh_offset, table.sh_size)) return {};
    const char* begin = reinterpret_cast<const char*>(bytes_.data()) + table.sh_offset + offset;
    return std::string_view(begin, strnlen(begin, table.sh_size - offset));
  }

 private:
  absl::Span<const uint8_t> bytes_;
};

absl::StatusOr<Elf32_Ehdr> ReadHeader(const File& file) {
  std::optional<Elf32_Ehdr> header = file.Read<Elf32_Ehdr>(0);
  if (!header) return Bad("header", 0, "52 bytes", "a shorter file");
  const Elf32_Ehdr& h = *header;
  if (std::memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
    return Bad("magic", 0, "7f 45 4c 46", "other bytes");
  if (h.e_ident[EI_CLASS] != ELFCLASS32) {
    return Bad("EI_CLASS", EI_CLASS, "1 (32-bit)", absl::StrFormat("%d", h.e_ident[EI_CLASS]));
  }
  if (h.e_ident[EI_DATA] != ELFDATA2LSB) {
    return Bad("EI_DATA", EI_DATA, "1 (little-endian)", absl::StrFormat("%d", h.e_ident[EI_DATA]));
  }
  if (h.e_machine != EM_RISCV) {
    return Bad("e_machine", offsetof(Elf32_Ehdr, e_machine), "243 (RISC-V)",
               absl::StrFormat("%d", h.e_machine));
  }
  if (h.e_type != ET_EXEC) {
    return Bad("e_type", offsetof(Elf32_Ehdr, e_type), "2 (ET_EXEC: link statically, without -pie)",
               absl::StrFormat("%d", h.e_type));
  }
  if ((h.e_flags & (EF_RISCV_RVC | EF_RISCV_FLOAT_ABI | EF_RISCV_RVE)) != 0) {
    return Bad(
        "e_flags", offsetof(Elf32_Ehdr, e_flags),
        "RV32IM, soft-float (build with -march=rv32im -mabi=ilp32)",
        absl::StrFormat("0x%x (%s%s%s)", h.e_flags, (h.e_flags & EF_RISCV_RVC) ? " compressed" : "",
                        (h.e_flags & EF_RISCV_FLOAT_ABI) ? " hard-float" : "",
                        (h.e_flags & EF_RISCV_RVE) ? " RVE" : ""));
  }
  if (h.e_phentsize != sizeof(Elf32_Phdr)) {
    return Bad("e_phentsize", offsetof(Elf32_Ehdr, e_phentsize), "32",
               absl::StrFormat("%d", h.e_phentsize));
  }
  if (h.e_phnum == 0 || h.e_phnum == PN_XNUM) {
    return Bad("e_phnum", offsetof(Elf32_Ehdr, e_phnum), "1 to 65534",
               absl::StrFormat("%d", h.e_phnum));
  }
  return h;
}

// A program header and where it is in the file.
struct Load {
  Elf32_Phdr header;
  uint64_t at;
};

// PT_LOAD headers by ascending address, each checked against the file, the address space and the
// others.
absl::StatusOr<std::vector<Elf32_Phdr>> ReadLoads(const File& file, const Elf32_Ehdr& header) {
  std::vector<Load> loads;
  uint64_t file_bytes = 0;
  for (uint32_t i = 0; i < header.e_phnum; ++i) {
    const uint64_t at = uint64_t{header.e_phoff} + i * sizeof(Elf32_Phdr);
    std::optional<Elf32_Phdr> ph = file.Read<Elf32_Phdr>(at);
    if (!ph) return Bad("program header", at, "32 bytes", "the end of the file");
    if (ph->p_type == PT_INTERP || ph->p_type == PT_DYNAMIC) {
      return Bad("p_type", at, "a statically linked program",
                 ph->p_type == PT_INTERP ? "PT_INTERP" : "PT_DYNAMIC");
    }
    if (ph->p_type != PT_LOAD || ph->p_memsz == 0) continue;
    if (ph->p_filesz > ph->p_memsz) {
      return Bad("p_filesz", at + offsetof(Elf32_Phdr, p_filesz),
                 absl::StrFormat("at most p_memsz = 0x%x", ph->p_memsz),
                 absl::StrFormat("0x%x", ph->p_filesz));
    }
    if (!file.Contains(ph->p_offset, ph->p_filesz)) {
      return Bad("p_offset", at + offsetof(Elf32_Phdr, p_offset), "segment inside the file",
                 absl::StrFormat("0x%x + 0x%x bytes", ph->p_offset, ph->p_filesz));
    }
    // Segments may not share bytes of the file, or a small file could fill the address space.
    file_bytes += ph->p_filesz;
    if (file_bytes > file.size()) {
      return Bad(
          "p_filesz", at + offsetof(Elf32_Phdr, p_filesz),
          absl::StrFormat("all segments together at most the file's 0x%x bytes", file.size()),
          absl::StrFormat("0x%x bytes up to this one", file_bytes));
    }
    if (uint64_t{ph->p_vaddr} + ph->p_memsz > kAddressSpace) {
      return Bad("p_vaddr", at + offsetof(Elf32_Phdr, p_vaddr), "segment below 2^32",
                 absl::StrFormat("0x%x + 0x%x bytes", ph->p_vaddr, ph->p_memsz));
    }
    loads.push_back({*ph, at});
  }
  if (loads.empty())
    return Bad("program headers", header.e_phoff, "at least one non-empty PT_LOAD", "none");
  std::stable_sort(loads.begin(), loads.end(), [](const Load& a, const Load& b) {
    return a.header.p_vaddr < b.header.p_vaddr;
  });
  std::vector<Elf32_Phdr> headers;
  uint64_t previous_end = 0;
  for (const Load& load : loads) {
    const Elf32_Phdr& ph = load.header;
    if (ph.p_vaddr < previous_end) {
      return Bad("p_vaddr", load.at + offsetof(Elf32_Phdr, p_vaddr),
                 absl::StrFormat("at least 0x%x, where another segment ends", previous_end),
                 absl::StrFormat("0x%x", ph.p_vaddr));
    }
    previous_end = uint64_t{ph.p_vaddr} + ph.p_memsz;
    headers.push_back(ph);
  }
  return headers;
}

// As Linux maps them: whatever may be written or executed may be read.
void AddPermissions(guest::Segment& segment, uint32_t p_flags) {
  segment.readable |= (p_flags & (PF_R | PF_W | PF_X)) != 0;
  segment.writable |= (p_flags & PF_W) != 0;
  segment.executable |= (p_flags & PF_X) != 0;
}

// Whole-page segments without overlap. Where two program headers share a page, that page becomes a
// segment of its own with the permissions of both.
std::vector<guest::Segment> LayOutPages(const std::vector<Elf32_Phdr>& loads) {
  std::vector<guest::Segment> pages;
  auto append = [&](uint64_t begin, uint64_t end, const guest::Segment& permissions) {
    if (begin == end) return;
    pages.push_back(permissions);
    pages.back().address = static_cast<uint32_t>(begin);
    pages.back().size = end - begin;
  };
  for (const Elf32_Phdr& ph : loads) {
    uint64_t begin = PageFloor(ph.p_vaddr);
    const uint64_t end = PageCeil(uint64_t{ph.p_vaddr} + ph.p_memsz);
    if (!pages.empty() && pages.back().address + pages.back().size > begin) {
      guest::Segment shared = pages.back();
      const uint64_t shared_begin = shared.address, shared_end = shared_begin + shared.size;
      pages.pop_back();
      append(shared_begin, begin, shared);
      AddPermissions(shared, ph.p_flags);
      append(begin, shared_end, shared);
      begin = shared_end;
    }
    guest::Segment own{};
    AddPermissions(own, ph.p_flags);
    append(begin, std::max(begin, end), own);
  }
  return pages;
}

// Both `loads` and `pages` are ascending.
void CopyContents(const File& file, const std::vector<Elf32_Phdr>& loads,
                  std::vector<guest::Segment>& pages) {
  size_t first = 0;  // segments before it end before the program header at hand begins
  for (const Elf32_Phdr& ph : loads) {
    const absl::Span<const uint8_t> bytes = file.Bytes(ph.p_offset, ph.p_filesz);
    const uint64_t begin = ph.p_vaddr, end = begin + bytes.size();
    while (pages[first].address + pages[first].size <= begin) ++first;
    for (size_t i = first; i < pages.size() && pages[i].address < end; ++i) {
      guest::Segment& segment = pages[i];
      const uint64_t from = std::max<uint64_t>(begin, segment.address);
      const uint64_t to = std::min<uint64_t>(end, segment.address + segment.size);
      if (from >= to) continue;
      // Ascending: what is there from here on is the rest of a page.
      std::vector<uint8_t>& data = segment.data;
      data.reserve(PageCeil(to) - segment.address);
      data.resize(from - segment.address);
      data.insert(data.end(), bytes.begin() + static_cast<ptrdiff_t>(from - begin),
                  bytes.begin() + static_cast<ptrdiff_t>(to - begin));
      data.resize(PageCeil(to) - segment.address);
    }
  }
}

// Where instructions are likely, for control-flow recovery: the executable sections if there are
// section headers (so that constants in a text segment are not taken for code), else empty.
std::vector<guest::CodeRange> ReadCodeHint(const std::vector<Elf32_Shdr>& sections,
                                           const std::vector<guest::CodeRange>& code) {
  struct Range {
    uint64_t begin, end;
  };
  std::vector<Range> executable;
  for (const Elf32_Shdr& s : sections) {
    if ((s.sh_flags & SHF_EXECINSTR) == 0 || s.sh_type != SHT_PROGBITS) continue;
    const uint64_t begin = (uint64_t{s.sh_addr} + 3) & ~uint64_t{3};
    const uint64_t end = (uint64_t{s.sh_addr} + s.sh_size) & ~uint64_t{3};
    if (begin < end) executable.push_back({begin, end});
  }
  std::sort(executable.begin(), executable.end(), [](const Range& a, const Range& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::vector<Range> merged;
  for (const Range& range : executable) {
    if (!merged.empty() && range.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, range.end);
    } else {
      merged.push_back(range);
    }
  }
  // Both lists are ascending and without overlap; so is what they have in common.
  std::vector<guest::CodeRange> hint;
  for (size_t m = 0, c = 0; m < merged.size() && c < code.size();) {
    const uint64_t from = std::max<uint64_t>(merged[m].begin, code[c].begin);
    const uint64_t to = std::min<uint64_t>(merged[m].end, code[c].end);
    if (from < to) hint.push_back({static_cast<uint32_t>(from), static_cast<uint32_t>(to)});
    if (merged[m].end < code[c].end) {
      ++m;
    } else {
      ++c;
    }
  }
  return hint;
}

std::vector<Elf32_Shdr> ReadSections(const File& file, const Elf32_Ehdr& header) {
  std::vector<Elf32_Shdr> sections;
  if (header.e_shoff == 0 || header.e_shentsize != sizeof(Elf32_Shdr)) return sections;
  for (uint32_t i = 0; i < header.e_shnum; ++i) {
    std::optional<Elf32_Shdr> s =
        file.Read<Elf32_Shdr>(uint64_t{header.e_shoff} + i * sizeof(Elf32_Shdr));
    if (!s) return {};
    sections.push_back(*s);
  }
  return sections;
}

std::vector<guest::Symbol> SortedByAddress(std::vector<guest::Symbol> symbols) {
  std::vector<uint64_t> order;  // the address, then the place
  order.reserve(symbols.size());
  for (const guest::Symbol& symbol : symbols) {
    order.push_back(uint64_t{symbol.address} << 32 | order.size());
  }
  std::sort(order.begin(), order.end());
  std::vector<guest::Symbol> sorted;
  sorted.reserve(symbols.size());
  for (uint64_t place : order) sorted.push_back(std::move(symbols[static_cast<uint32_t>(place)]));
  return sorted;
}

// The symbols of the first symbol table (there is at most one: gABI chapter 4, "Sections"). Names
// may overlap in the string table; a file whose names add up to more than itself loses the rest of
// them.
std::vector<guest::Symbol> ReadSymbols(const File& file, const std::vector<Elf32_Shdr>& sections) {
  std::vector<guest::Symbol> symbols;
  const auto table = std::find_if(sections.begin(), sections.end(),
                                  [](const Elf32_Shdr& s) { return s.sh_type == SHT_SYMTAB; });
  if (table == sections.end() || table->sh_link >= sections.size() ||
      !file.Contains(table->sh_offset, table->sh_size)) {
    return symbols;
  }
  symbols.reserve(table->sh_size / sizeof(Elf32_Sym));
  uint64_t name_bytes = 0;
  for (uint64_t at = 0; at + sizeof(Elf32_Sym) <= table->sh_size; at += sizeof(Elf32_Sym)) {
    const Elf32_Sym sym = *file.Read<Elf32_Sym>(table->sh_offset + at);
    const int type = ELF32_ST_TYPE(sym.st_info);
    if (sym.st_shndx == SHN_UNDEF || sym.st_shndx >= SHN_LORESERVE) continue;
    if (type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE) continue;
    std::string_view name = file.String(sections[table->sh_link], sym.st_name);
    if (name.empty() || name[0] == '$') continue;  // mapping symbols ($x, $d) are not names
    name_bytes += name.size();
    if (name_bytes > file.size()) break;
    symbols.push_back({std::string(name), sym.st_value, sym.st_size, type == STT_FUNC});
  }
  return SortedByAddress(std::move(symbols));
}

// Address of the program headers in guest memory, for the auxiliary vector; 0 if no segment holds
// them.
uint32_t FindProgramHeaders(const Elf32_Ehdr& header, const std::vector<Elf32_Phdr>& loads) {
  const uint64_t size = uint64_t{header.e_phnum} * sizeof(Elf32_Phdr);
  for (const Elf32_Phdr& ph : loads) {
    if (header.e_phoff >= ph.p_offset && header.e_phoff - ph.p_offset + size <= ph.p_filesz) {
      return ph.p_vaddr + (header.e_phoff - ph.p_offset);
    }
  }
  return 0;
}

// Contents of the section with this name, if there is one.
std::optional<std::vector<uint8_t>> ReadSection(const File& file, const Elf32_Ehdr& header,
                                                const std::vector<Elf32_Shdr>& sections,
                                                std::string_view name) {
  if (header.e_shstrndx >= sections.size()) return std::nullopt;
  for (const Elf32_Shdr& s : sections) {
    if (s.sh_type == SHT_NOBITS || !file.Contains(s.sh_offset, s.sh_size)) continue;
    if (file.String(sections[header.e_shstrndx], s.sh_name) != name) continue;
    const absl::Span<const uint8_t> bytes = file.Bytes(s.sh_offset, s.sh_size);
    return std::vector<uint8_t>(bytes.begin(), bytes.end());
  }
  return std::nullopt;
}

}  // namespace

bool LooksLikeOpenVm(const guest::Program& program) {
  if (program.openvm_section.has_value()) return true;
  for (const guest::CodeRange& range : program.code_hint) {
    for (const guest::Segment& segment : program.segments) {
      const uint64_t begin = std::max<uint64_t>(range.begin, segment.address);
      const uint64_t end = std::min<uint64_t>(range.end, segment.address + segment.data.size());
      for (uint64_t pc = begin; pc + 4 <= end; pc += 4) {
        const uint8_t* bytes = segment.data.data() + (pc - segment.address);
        // terminate with a code of one byte.
        if (bytes[0] == 0x0b && bytes[1] == 0 && (bytes[2] & 0x0f) == 0 && bytes[3] < 0x10)
          return true;
      }
    }
  }
  return false;
}

uint32_t WordAt(const guest::Program& program, uint32_t pc) {
  for (const guest::Segment& s : program.segments) {
    if (pc < s.address || uint64_t{pc} - s.address + 4 > s.data.size()) continue;
    const uint8_t* bytes = s.data.data() + (pc - s.address);
    return bytes[0] | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
  }
  return 0;
}

bool LooksLikeRiscVElf(absl::Span<const uint8_t> file) {
  std::optional<Elf32_Ehdr> header = File(file).Read<Elf32_Ehdr>(0);
  return header && std::memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
         header->e_machine == EM_RISCV;
}

absl::StatusOr<guest::Program> ReadElf(absl::Span<const uint8_t> bytes, bool with_guid) {
  const File file(bytes);
  absl::StatusOr<Elf32_Ehdr> header = ReadHeader(file);
  if (!header.ok()) return header.status();
  absl::StatusOr<std::vector<Elf32_Phdr>> loads = ReadLoads(file, *header);
  if (!loads.ok()) return loads.status();

  guest::Program program;
  program.kind = guest::Kind::kRiscV32;
  if (with_guid) program.guid = format::GuidOf(bytes);
  program.entry = header->e_entry;
  program.phdr_address = FindProgramHeaders(*header, *loads);
  program.phdr_count = program.phdr_address != 0 ? header->e_phnum : 0;
  program.segments = LayOutPages(*loads);
  CopyContents(file, *loads, program.segments);
  for (const Elf32_Phdr& ph : *loads) {
    const uint64_t end = uint64_t{ph.p_vaddr} + ph.p_memsz;
    program.initial_brk = static_cast<uint32_t>(std::min(end, kAddressSpace - kPage));
    if ((ph.p_flags & PF_X) == 0) continue;
    const uint64_t code_begin = (uint64_t{ph.p_vaddr} + 3) & ~uint64_t{3};
    const uint64_t code_end = std::min(end, kAddressSpace - 4) & ~uint64_t{3};
    if (code_begin < code_end) {
      program.code.push_back({static_cast<uint32_t>(code_begin), static_cast<uint32_t>(code_end)});
    }
  }
  if (program.code.empty())
    return Bad("program headers", header->e_phoff, "an executable segment", "none");
  const bool entry_in_code = std::any_of(
      program.code.begin(), program.code.end(),
      [&](const guest::CodeRange& r) { return program.entry >= r.begin && program.entry < r.end; });
  if (!entry_in_code || program.entry % 4 != 0) {
    return Bad("e_entry", offsetof(Elf32_Ehdr, e_entry),
               "a multiple of 4 inside an executable segment",
               absl::StrFormat("0x%x", program.entry));
  }
  const std::vector<Elf32_Shdr> sections = ReadSections(file, *header);
  program.code_hint = ReadCodeHint(sections, program.code);
  program.code_hint_is_exact = !program.code_hint.empty();
  if (program.code_hint.empty()) program.code_hint = program.code;
  program.symbols = ReadSymbols(file, sections);
  program.openvm_section = ReadSection(file, *header, sections, ".openvm");
  return program;
}

}  // namespace precast::riscv
