// The envelope: only what our object writer can produce is accepted, because whatever else ELF
// offers could give a file a say in how it is loaded.
#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "loader/format/sha256.h"
#include "loader/image_checker.h"

namespace precast::loader::check {
namespace {

constexpr uint32_t kMaxProgramHeaders = 16;

uint64_t PageUp(uint64_t value) { return (value + kPageSize - 1) & ~(kPageSize - 1); }

uint32_t GnuHash(std::string_view name) {
  uint32_t hash = 5381;
  for (char c : name) hash = hash * 33 + static_cast<uint8_t>(c);
  return hash;
}

}  // namespace

bool ImageChecker::CheckElfHeader() {
  Elf64_Ehdr ehdr;
  if (file_.size() > format::kMaxImageSize) {
    Damaged("file size", 0, absl::StrCat("at most ", format::kMaxImageSize),
            absl::StrCat(file_.size()));
    return false;
  }
  if (!Read(0, ehdr)) {
    Damaged("file size", 0, absl::StrCat("at least ", sizeof(ehdr)), absl::StrCat(file_.size()));
    return false;
  }
  if (std::memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0) {
    Damaged("e_ident magic", 0, "7f454c46",
            format::ToHex(absl::MakeConstSpan(ehdr.e_ident, SELFMAG)));
    return false;
  }
  bool good = Expect("e_ident class", EI_CLASS, ELFCLASS64, ehdr.e_ident[EI_CLASS]);
  good &= Expect("e_ident data", EI_DATA, ELFDATA2LSB, ehdr.e_ident[EI_DATA]);
  good &= Expect("e_ident version", EI_VERSION, EV_CURRENT, ehdr.e_ident[EI_VERSION]);
  good &= Expect("e_ident osabi", EI_OSABI, ELFOSABI_NONE, ehdr.e_ident[EI_OSABI]);
  good &= Expect("e_type", offsetof(Elf64_Ehdr, e_type), ET_DYN, ehdr.e_type);
  good &= Expect("e_machine", offsetof(Elf64_Ehdr, e_machine), EM_X86_64, ehdr.e_machine);
  good &= Expect("e_version", offsetof(Elf64_Ehdr, e_version), EV_CURRENT, ehdr.e_version);
  good &= Expect("e_entry", offsetof(Elf64_Ehdr, e_entry), 0, ehdr.e_entry);
  good &= Expect("e_flags", offsetof(Elf64_Ehdr, e_flags), 0, ehdr.e_flags);
  good &= Expect("e_ehsize", offsetof(Elf64_Ehdr, e_ehsize), sizeof(Elf64_Ehdr), ehdr.e_ehsize);
  good &= Expect("e_phoff", offsetof(Elf64_Ehdr, e_phoff), sizeof(Elf64_Ehdr), ehdr.e_phoff);
  good &= Expect("e_phentsize", offsetof(Elf64_Ehdr, e_phentsize), sizeof(Elf64_Phdr),
                 ehdr.e_phentsize);
  good &= ExpectThat(ehdr.e_phnum >= 1 && ehdr.e_phnum <= kMaxProgramHeaders, "e_phnum",
                     offsetof(Elf64_Ehdr, e_phnum), absl::StrCat("1..", kMaxProgramHeaders),
                     ehdr.e_phnum);
  good = good && ExpectThat(file_.size() >= sizeof(Elf64_Ehdr) + ehdr.e_phnum * sizeof(Elf64_Phdr),
                            "program headers", sizeof(Elf64_Ehdr), "inside the file", file_.size());
  phnum_ = ehdr.e_phnum;
  return good;
}

void ImageChecker::CheckProgramHeaders() {
  for (uint32_t i = 0; i < phnum_; ++i) {
    Elf64_Phdr phdr;
    Read(HeaderOffset(i), phdr);
    const std::string name = absl::StrCat("program header ", i);
    const uint64_t at = HeaderOffset(i);
    if (phdr.p_type != PT_GNU_STACK &&
        (phdr.p_offset > file_.size() || phdr.p_filesz > file_.size() - phdr.p_offset)) {
      Damaged(absl::StrCat(name, " p_filesz"), at + offsetof(Elf64_Phdr, p_filesz),
              absl::StrCat("within the file's ", file_.size(), " bytes"),
              absl::StrCat(phdr.p_filesz, " from ", phdr.p_offset));
      continue;
    }
    if ((phdr.p_flags & (PF_W | PF_X)) == (PF_W | PF_X) ||
        (phdr.p_flags & ~(PF_R | PF_W | PF_X)) != 0) {
      Damaged(absl::StrCat(name, " p_flags"), at + offsetof(Elf64_Phdr, p_flags),
              "not both writable and executable", Hex(phdr.p_flags));
    }
    switch (phdr.p_type) {
      case PT_LOAD:
        CheckLoad(name, at, phdr);
        break;
      case PT_DYNAMIC:
        if (dynamic_.size != 0) Damaged(absl::StrCat(name, " p_type"), at, "one PT_DYNAMIC", "two");
        dynamic_ = {static_cast<uint32_t>(phdr.p_offset), static_cast<uint32_t>(phdr.p_filesz)};
        CheckSameAddress(name, at, phdr);
        break;
      case PT_GNU_RELRO:
        if (view_.relro.size != 0)
          Damaged(absl::StrCat(name, " p_type"), at, "one PT_GNU_RELRO", "two");
        CheckSameAddress(name, at, phdr);
        view_.relro = {static_cast<uint32_t>(phdr.p_offset), static_cast<uint32_t>(phdr.p_filesz)};
        break;
      case PT_GNU_STACK:
        Expect(absl::StrCat(name, " p_flags (stack)"), at + offsetof(Elf64_Phdr, p_flags),
               PF_R | PF_W, phdr.p_flags);
        break;
      case PT_NOTE:
      case PT_GNU_EH_FRAME:
        CheckSameAddress(name, at, phdr);
        break;
      // PT_INTERP, PT_TLS, and whatever else could give a file a say in how it is loaded.
      default:
        Damaged(absl::StrCat(name, " p_type"), at,
                "PT_LOAD, PT_DYNAMIC, PT_NOTE, PT_GNU_EH_FRAME, PT_GNU_STACK or PT_GNU_RELRO",
                Hex(phdr.p_type));
    }
  }
  if (view_.segments.empty()) Damaged("program headers", HeaderOffset(0), "a PT_LOAD", "none");
  CheckRelro();
}

void ImageChecker::CheckSameAddress(const std::string& name, uint64_t at, const Elf64_Phdr& phdr) {
  Expect(absl::StrCat(name, " p_vaddr"), at + offsetof(Elf64_Phdr, p_vaddr), phdr.p_offset,
         phdr.p_vaddr);
  Expect(absl::StrCat(name, " p_memsz"), at + offsetof(Elf64_Phdr, p_memsz), phdr.p_filesz,
         phdr.p_memsz);
}

void ImageChecker::CheckLoad(const std::string& name, uint64_t at, const Elf64_Phdr& phdr) {
  CheckSameAddress(name, at, phdr);
  const uint64_t previous_end = view_.segments.empty() ? 0 : PageUp(view_.segments.back().end);
  bool good = Expect(absl::StrCat(name, " p_align"), at + offsetof(Elf64_Phdr, p_align), kPageSize,
                     phdr.p_align);
  good &= ExpectThat((phdr.p_flags & PF_R) != 0, absl::StrCat(name, " p_flags"),
                     at + offsetof(Elf64_Phdr, p_flags), "readable", phdr.p_flags);
  good &= ExpectThat(phdr.p_offset % kPageSize == 0 && phdr.p_offset >= previous_end,
                     absl::StrCat(name, " p_offset"), at + offsetof(Elf64_Phdr, p_offset),
                     absl::StrCat("page-aligned, at least ", Hex(previous_end)), phdr.p_offset);
  if (view_.segments.empty()) {
    good &= Expect(absl::StrCat(name, " p_offset (first)"), at + offsetof(Elf64_Phdr, p_offset), 0,
                   phdr.p_offset);
  }
  if (!good || phdr.p_filesz == 0) return;
  view_.segments.push_back({static_cast<uint32_t>(phdr.p_offset),
                            static_cast<uint32_t>(phdr.p_offset + phdr.p_filesz),
                            (phdr.p_flags & PF_W) != 0, (phdr.p_flags & PF_X) != 0});
}

void ImageChecker::CheckRelro() {
  if (view_.relro.size == 0) return;
  const LoadSegment* segment = SegmentOf(view_.relro);
  const uint64_t end = uint64_t{view_.relro.offset} + view_.relro.size;
  if (segment == nullptr || !segment->writable || segment->begin != view_.relro.offset ||
      end % kPageSize != 0) {
    Damaged("PT_GNU_RELRO", view_.relro.offset, "whole pages at the start of the writable segment",
            absl::StrCat(Hex(view_.relro.offset), "..", Hex(end)));
    view_.relro = {};
  }
}

const LoadSegment* ImageChecker::SegmentOf(Range range) const {
  for (const LoadSegment& segment : view_.segments) {
    if (range.offset >= segment.begin && range.offset <= segment.end &&
        range.size <= segment.end - range.offset) {
      return &segment;
    }
  }
  return nullptr;
}

bool ImageChecker::CheckDynamic() {
  if (dynamic_.size == 0) {
    Damaged("PT_DYNAMIC", HeaderOffset(0), "one", "none");
    return false;
  }
  if (SegmentOf(dynamic_) == nullptr) {
    Damaged("PT_DYNAMIC", dynamic_.offset, "inside a PT_LOAD", Hex(dynamic_.offset));
    return false;
  }
  bool terminated = false;
  for (uint64_t at = dynamic_.offset;
       at + sizeof(Elf64_Dyn) <= dynamic_.offset + uint64_t{dynamic_.size};
       at += sizeof(Elf64_Dyn)) {
    Elf64_Dyn entry;
    Read(at, entry);
    if (entry.d_tag == DT_NULL) {
      terminated = true;
      break;
    }
    const uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
      case DT_SONAME:
        break;
      case DT_GNU_HASH:
        gnu_hash_ = value;
        break;
      case DT_STRTAB:
        strtab_ = value;
        break;
      case DT_SYMTAB:
        symtab_ = value;
        break;
      case DT_STRSZ:
        strsz_ = value;
        break;
      case DT_SYMENT:
        Expect("DT_SYMENT", at, sizeof(Elf64_Sym), value);
        break;
      default:  // needed libraries, constructors, relocations, search paths, ...
        Damaged("dynamic tag", at,
                "DT_SONAME, DT_GNU_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ or DT_SYMENT",
                Hex(static_cast<uint64_t>(entry.d_tag)));
    }
  }
  if (!terminated) Damaged("PT_DYNAMIC", dynamic_.offset, "DT_NULL at its end", "none");
  return terminated;
}

bool ImageChecker::CheckSymbol() {
  Elf64_Sym symbol;
  const uint64_t symbol_at = symtab_ + sizeof(Elf64_Sym);
  if (symtab_ > file_.size() || !Read(symbol_at, symbol)) {
    Damaged("DT_SYMTAB", symtab_, "two symbols inside the file", Hex(symtab_));
    return false;
  }
  const std::string_view expected = format::kAotFileInfoSymbol;
  std::string_view name;
  if (strtab_ <= file_.size() && strsz_ <= file_.size() - strtab_ && symbol.st_name < strsz_) {
    name = std::string_view(reinterpret_cast<const char*>(file_.data() + strtab_ + symbol.st_name),
                            strsz_ - symbol.st_name);
    name = name.substr(0, name.find('\0'));
  }
  if (name != expected) {
    Damaged("dynamic symbol 1", symbol_at, std::string(expected),
            name.empty() ? "no name" : absl::CHexEscape(name));
    return false;
  }
  CheckGnuHash();
  Expect("aot_file_info st_info", symbol_at + offsetof(Elf64_Sym, st_info),
         ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), symbol.st_info);
  const bool good = Expect("aot_file_info st_size", symbol_at + offsetof(Elf64_Sym, st_size),
                           sizeof(AotFileInfo), symbol.st_size);
  const uint64_t at = symbol.st_value;
  if (at > file_.size() || sizeof(AotFileInfo) > file_.size() - at ||
      at % alignof(AotFileInfo) != 0 ||
      SegmentOf({static_cast<uint32_t>(at), sizeof(AotFileInfo)}) == nullptr) {
    Damaged("aot_file_info st_value", symbol_at + offsetof(Elf64_Sym, st_value),
            "8-aligned, inside a PT_LOAD", Hex(at));
    return false;
  }
  view_.info_offset = static_cast<uint32_t>(at);
  // An older or newer struct may have another size; magic and version are at the start of all of
  // them.
  static_cast<void>(good);
  return true;
}

void ImageChecker::CheckGnuHash() {
  struct Header {
    uint32_t buckets, first_symbol, bloom_words, bloom_shift;
  } header;
  if (gnu_hash_ > file_.size() || !Read(gnu_hash_, header)) {
    Damaged("DT_GNU_HASH", gnu_hash_, "inside the file", Hex(gnu_hash_));
    return;
  }
  const uint64_t buckets_at = gnu_hash_ + sizeof(header) + uint64_t{8} * header.bloom_words;
  const uint64_t chain_at = buckets_at + uint64_t{4} * header.buckets;
  uint32_t chain;
  if (header.buckets == 0 || !Read(chain_at, chain)) {
    Damaged("DT_GNU_HASH", gnu_hash_, "a table inside the file",
            absl::StrCat(header.buckets, " buckets"));
    return;
  }
  Expect(".gnu.hash first symbol", gnu_hash_ + 4, 1, header.first_symbol);
  // The only symbol: in its bucket, with its hash, and the end of its chain.
  const uint32_t hash = GnuHash(format::kAotFileInfoSymbol);
  Expect(".gnu.hash chain", chain_at, hash | 1, chain);
  for (uint64_t b = 0; b < header.buckets; ++b) {
    uint32_t bucket = 0;
    Read(buckets_at + 4 * b, bucket);
    if (!Expect(absl::StrCat(".gnu.hash bucket ", b), buckets_at + 4 * b,
                b == hash % header.buckets ? 1 : 0, bucket)) {
      break;
    }
  }
}

}  // namespace precast::loader::check
