#include "loader/image_check.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "loader/format/sha256.h"
#include "loader/format/varint.h"

namespace precast::loader {
namespace {

using format::AotFileInfo;
using format::LoadLe32;
using format::Range;
using format::Table;

constexpr uint64_t kPageSize = 0x1000;
constexpr uint32_t kMaxProgramHeaders = 16;

uint64_t PageUp(uint64_t value) { return (value + kPageSize - 1) & ~(kPageSize - 1); }

std::string Hex(uint64_t value) { return absl::StrFormat("%#x", value); }

uint32_t GnuHash(std::string_view name) {
  uint32_t hash = 5381;
  for (char c : name) hash = hash * 33 + static_cast<uint8_t>(c);
  return hash;
}

class Checker {
 public:
  Checker(absl::Span<const uint8_t> file, const CheckOptions& options, ImageView& view)
      : file_(file), options_(options), view_(view) {
    view_.file = file;
  }

  CheckReport Run() {
    if (CheckElfHeader()) {
      CheckProgramHeaders();
      if (CheckDynamic() && CheckSymbol() && CheckVersion()) {
        CheckIdentity();
        if (options_.verify_digest) CheckDigest();
        CheckRanges();
        CheckTables();
        CheckGotAndPlt();
        CheckDispatch();
        CheckEhFrame();
        if (options_.deep && report_.ok()) CheckFunctions();
      }
    }
    return std::move(report_);
  }

 private:
  // --- Reading and reporting ---

  template <typename T>
  bool Read(uint64_t offset, T& out) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (offset > file_.size() || sizeof(T) > file_.size() - offset) return false;
    std::memcpy(&out, file_.data() + offset, sizeof(T));
    return true;
  }

  void Damaged(std::string_view field, uint64_t offset, std::string expected, std::string actual) {
    report_.findings.push_back({Finding::Kind::kDamaged, std::string(field), offset,
                                std::move(expected), std::move(actual)});
  }
  void Mismatch(std::string_view field, uint64_t offset, std::string expected, std::string actual) {
    report_.findings.push_back({Finding::Kind::kMismatch, std::string(field), offset,
                                std::move(expected), std::move(actual)});
  }
  bool Expect(std::string_view field, uint64_t offset, uint64_t expected, uint64_t actual) {
    if (expected == actual) return true;
    Damaged(field, offset, Hex(expected), Hex(actual));
    return false;
  }
  bool ExpectThat(bool condition, std::string_view field, uint64_t offset,
                  std::string_view expected, uint64_t actual) {
    if (!condition) Damaged(field, offset, std::string(expected), Hex(actual));
    return condition;
  }

  // --- Envelope ---

  bool CheckElfHeader() {
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
    good =
        good && ExpectThat(file_.size() >= sizeof(Elf64_Ehdr) + ehdr.e_phnum * sizeof(Elf64_Phdr),
                           "program headers", sizeof(Elf64_Ehdr), "inside the file", file_.size());
    phnum_ = ehdr.e_phnum;
    return good;
  }

  static uint64_t HeaderOffset(uint32_t i) { return sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr); }

  void CheckProgramHeaders() {
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
          if (dynamic_.size != 0)
            Damaged(absl::StrCat(name, " p_type"), at, "one PT_DYNAMIC", "two");
          dynamic_ = {static_cast<uint32_t>(phdr.p_offset), static_cast<uint32_t>(phdr.p_filesz)};
          CheckSameAddress(name, at, phdr);
          break;
        case PT_GNU_RELRO:
          if (view_.relro.size != 0)
            Damaged(absl::StrCat(name, " p_type"), at, "one PT_GNU_RELRO", "two");
          CheckSameAddress(name, at, phdr);
          view_.relro = {static_cast<uint32_t>(phdr.p_offset),
                         static_cast<uint32_t>(phdr.p_filesz)};
          break;
        case PT_GNU_STACK:
          Expect(absl::StrCat(name, " p_flags (stack)"), at + offsetof(Elf64_Phdr, p_flags),
                 PF_R | PF_W, phdr.p_flags);
          break;
        case PT_NOTE:
        case PT_GNU_EH_FRAME:
          CheckSameAddress(name, at, phdr);
          break;
        default:  // PT_INTERP, PT_TLS, and whatever else could give a file a say in how it is
                  // loaded
          Damaged(absl::StrCat(name, " p_type"), at,
                  "PT_LOAD, PT_DYNAMIC, PT_NOTE, PT_GNU_EH_FRAME, PT_GNU_STACK or PT_GNU_RELRO",
                  Hex(phdr.p_type));
      }
    }
    if (view_.segments.empty()) Damaged("program headers", HeaderOffset(0), "a PT_LOAD", "none");
    CheckRelro();
  }

  void CheckSameAddress(const std::string& name, uint64_t at, const Elf64_Phdr& phdr) {
    Expect(absl::StrCat(name, " p_vaddr"), at + offsetof(Elf64_Phdr, p_vaddr), phdr.p_offset,
           phdr.p_vaddr);
    Expect(absl::StrCat(name, " p_memsz"), at + offsetof(Elf64_Phdr, p_memsz), phdr.p_filesz,
           phdr.p_memsz);
  }

  void CheckLoad(const std::string& name, uint64_t at, const Elf64_Phdr& phdr) {
    CheckSameAddress(name, at, phdr);
    const uint64_t previous_end = view_.segments.empty() ? 0 : PageUp(view_.segments.back().end);
    bool good = Expect(absl::StrCat(name, " p_align"), at + offsetof(Elf64_Phdr, p_align),
                       kPageSize, phdr.p_align);
    good &= ExpectThat((phdr.p_flags & PF_R) != 0, absl::StrCat(name, " p_flags"),
                       at + offsetof(Elf64_Phdr, p_flags), "readable", phdr.p_flags);
    good &= ExpectThat(phdr.p_offset % kPageSize == 0 && phdr.p_offset >= previous_end,
                       absl::StrCat(name, " p_offset"), at + offsetof(Elf64_Phdr, p_offset),
                       absl::StrCat("page-aligned, at least ", Hex(previous_end)), phdr.p_offset);
    if (view_.segments.empty()) {
      good &= Expect(absl::StrCat(name, " p_offset (first)"), at + offsetof(Elf64_Phdr, p_offset),
                     0, phdr.p_offset);
    }
    if (!good || phdr.p_filesz == 0) return;
    view_.segments.push_back({static_cast<uint32_t>(phdr.p_offset),
                              static_cast<uint32_t>(phdr.p_offset + phdr.p_filesz),
                              (phdr.p_flags & PF_W) != 0, (phdr.p_flags & PF_X) != 0});
  }

  void CheckRelro() {
    if (view_.relro.size == 0) return;
    const LoadSegment* segment = SegmentOf(view_.relro);
    const uint64_t end = uint64_t{view_.relro.offset} + view_.relro.size;
    if (segment == nullptr || !segment->writable || segment->begin != view_.relro.offset ||
        end % kPageSize != 0) {
      Damaged("PT_GNU_RELRO", view_.relro.offset,
              "whole pages at the start of the writable segment",
              absl::StrCat(Hex(view_.relro.offset), "..", Hex(end)));
      view_.relro = {};
    }
  }

  const LoadSegment* SegmentOf(Range range) const {
    for (const LoadSegment& segment : view_.segments) {
      if (range.offset >= segment.begin && range.offset <= segment.end &&
          range.size <= segment.end - range.offset) {
        return &segment;
      }
    }
    return nullptr;
  }

  // --- Dynamic section and symbol ---

  bool CheckDynamic() {
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

  // One symbol, found as a dynamic linker would find it: hash table, chain, name.
  bool CheckSymbol() {
    Elf64_Sym symbol;
    const uint64_t symbol_at = symtab_ + sizeof(Elf64_Sym);
    if (symtab_ > file_.size() || !Read(symbol_at, symbol)) {
      Damaged("DT_SYMTAB", symtab_, "two symbols inside the file", Hex(symtab_));
      return false;
    }
    const std::string_view expected = format::kAotFileInfoSymbol;
    std::string_view name;
    if (strtab_ <= file_.size() && strsz_ <= file_.size() - strtab_ && symbol.st_name < strsz_) {
      name =
          std::string_view(reinterpret_cast<const char*>(file_.data() + strtab_ + symbol.st_name),
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

  void CheckGnuHash() {
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

  // --- File info ---

  uint64_t InfoAt(size_t field) const { return view_.info_offset + field; }

  bool CheckVersion() {
    Read(view_.info_offset, view_.info);
    const AotFileInfo& info = view_.info;
    if (info.magic != format::kMagic) {
      Damaged("magic", InfoAt(offsetof(AotFileInfo, magic)), format::ToHex(format::kMagic),
              format::ToHex(info.magic));
      return false;
    }
    if (info.format_version != format::kFormatVersion) {
      // Nothing behind this field may be believed.
      Mismatch("format_version", InfoAt(offsetof(AotFileInfo, format_version)),
               absl::StrCat(format::kFormatVersion), absl::StrCat(info.format_version));
      return false;
    }
    return Expect("struct_size", InfoAt(offsetof(AotFileInfo, struct_size)), sizeof(AotFileInfo),
                  info.struct_size);
  }

  void CheckIdentity() {
    const AotFileInfo& info = view_.info;
    if (options_.program_guid && info.program_guid != *options_.program_guid) {
      Mismatch("program_guid", InfoAt(offsetof(AotFileInfo, program_guid)),
               format::GuidToString(*options_.program_guid),
               format::GuidToString(info.program_guid));
    }
    if (options_.options_guid && info.options_guid != *options_.options_guid) {
      Mismatch("options_guid", InfoAt(offsetof(AotFileInfo, options_guid)),
               format::GuidToString(*options_.options_guid),
               format::GuidToString(info.options_guid));
    }
    if (info.abi_fingerprint != options_.abi_fingerprint) {
      Mismatch("abi_fingerprint", InfoAt(offsetof(AotFileInfo, abi_fingerprint)),
               format::ToHex(options_.abi_fingerprint), format::ToHex(info.abi_fingerprint));
    }
    if ((info.cpu_features & ~options_.cpu_features) != 0) {
      Mismatch("cpu_features", InfoAt(offsetof(AotFileInfo, cpu_features)),
               absl::StrCat("a subset of ", format::CpuFeaturesToString(options_.cpu_features)),
               format::CpuFeaturesToString(info.cpu_features));
    }
    const auto guest_kind = static_cast<format::GuestKind>(info.guest_kind);
    ExpectThat(guest_kind == format::GuestKind::kRiscV32 || guest_kind == format::GuestKind::kWasm,
               "guest_kind", InfoAt(offsetof(AotFileInfo, guest_kind)), "1 (RISC-V) or 2 (Wasm)",
               info.guest_kind);
    ExpectThat((info.flags & ~format::kKnownFlags) == 0, "flags",
               InfoAt(offsetof(AotFileInfo, flags)),
               absl::StrCat("bits of ", Hex(format::kKnownFlags)), info.flags);
    Expect("table_count", InfoAt(offsetof(AotFileInfo, table_count)), format::kTableCount,
           info.table_count);
    Expect("reserved", InfoAt(offsetof(AotFileInfo, reserved)), 0, info.reserved);
  }

  void CheckDigest() {
    const uint64_t at = InfoAt(offsetof(AotFileInfo, content_digest));
    const format::Sha256Digest zeros = {};
    format::Sha256 hash;
    hash.Update(file_.subspan(0, at));
    hash.Update(zeros);
    hash.Update(file_.subspan(at + zeros.size()));
    const format::Sha256Digest digest = hash.Finish();
    if (digest != view_.info.content_digest) {
      Damaged("content_digest", at, format::ToHex(view_.info.content_digest),
              format::ToHex(digest));
    }
  }

  // --- Ranges ---

  enum class Place : uint8_t { kReadOnly, kCode, kRelro, kWritable };

  // A range that is not where it should be is reported and becomes empty.
  void CheckRange(std::string_view name, size_t field, Range& range, Place place,
                  uint32_t alignment) {
    if (range.size == 0) {
      range = {};
      return;
    }
    const LoadSegment* segment = SegmentOf(range);
    const uint64_t relro_end = uint64_t{view_.relro.offset} + view_.relro.size;
    const uint64_t end = uint64_t{range.offset} + range.size;
    bool good = segment != nullptr && range.offset % alignment == 0;
    std::string_view expected;
    switch (place) {
      case Place::kReadOnly:
        expected = "a read-only segment";
        good = good && !segment->writable && !segment->executable;
        break;
      case Place::kCode:
        expected = "an executable segment";
        good = good && segment->executable;
        break;
      case Place::kRelro:
        expected = "the part of the writable segment that is sealed";
        good = good && range.offset >= view_.relro.offset && end <= relro_end;
        break;
      case Place::kWritable:
        expected = "the part of the writable segment that is not sealed";
        good = good && segment->writable &&
               (view_.relro.size == 0 || end <= view_.relro.offset || range.offset >= relro_end);
        break;
    }
    if (good) return;
    Damaged(name, InfoAt(field), absl::StrCat("aligned to ", alignment, ", inside ", expected),
            absl::StrCat(Hex(range.offset), "..", Hex(end)));
    range = {};
  }

  void CheckRanges() {
    AotFileInfo& info = view_.info;
    CheckRange("text", offsetof(AotFileInfo, text), info.text, Place::kCode, 16);
    CheckRange("plt", offsetof(AotFileInfo, plt), info.plt, Place::kCode, format::kPltEntrySize);
    CheckRange("got", offsetof(AotFileInfo, got), info.got, Place::kRelro, 8);
    CheckRange("got_plt", offsetof(AotFileInfo, got_plt), info.got_plt, Place::kWritable, 8);
    CheckRange("guest_data", offsetof(AotFileInfo, guest_data), info.guest_data, Place::kReadOnly,
               kPageSize);
    CheckRange("eh_frame", offsetof(AotFileInfo, eh_frame), info.eh_frame, Place::kReadOnly, 4);
    for (uint32_t t = 0; t < format::kTableCount; ++t) {
      CheckRange(absl::StrCat("table ", format::kTableNames[t]),
                 offsetof(AotFileInfo, tables) + t * sizeof(Range), info.tables[t],
                 Place::kReadOnly, t == static_cast<uint32_t>(Table::kDispatch) ? 4 : 1);
    }
    if (info.plt.size != 0 && info.text.size != 0 &&
        info.plt.offset < uint64_t{info.text.offset} + info.text.size) {
      Damaged("plt", InfoAt(offsetof(AotFileInfo, plt)), "behind text", Hex(info.plt.offset));
      info.plt = {};
    }
    if (info.guest_data.size % format::kGuestPageSize != 0) {
      Damaged("guest_data", InfoAt(offsetof(AotFileInfo, guest_data)), "whole pages",
              Hex(info.guest_data.size));
    }
  }

  // --- Tables ---

  uint64_t TableAt(Table table) const { return view_.table(table).offset; }

  void ParseOffsetTable(Table table, format::OffsetTable& out) {
    absl::StatusOr<format::OffsetTable> parsed =
        format::OffsetTable::Parse(view_.At(view_.table(table)));
    if (parsed.ok()) {
      out = *parsed;
    } else {
      DamagedTable(table, parsed.status());
    }
  }
  void DamagedTable(Table table, const absl::Status& status) {
    Damaged(absl::StrCat("table ", format::kTableNames[static_cast<size_t>(table)]), TableAt(table),
            "well formed", std::string(status.message()));
  }
  void ExpectCount(Table table, uint64_t expected, uint64_t actual) {
    if (expected == actual) return;
    Damaged(absl::StrCat("entries of table ", format::kTableNames[static_cast<size_t>(table)]),
            TableAt(table), absl::StrCat(expected), absl::StrCat(actual));
  }

  void CheckTables() {
    const AotFileInfo& info = view_.info;
    view_.blob = format::BlobReader(view_.At(view_.table(Table::kBlob)));
    ParseOffsetTable(Table::kFunction, view_.functions);
    ParseOffsetTable(Table::kFunctionInfo, view_.function_infos);
    ParseOffsetTable(Table::kExInfo, view_.ex_infos);
    ParseOffsetTable(Table::kGotInfo, view_.got_infos);
    ParseOffsetTable(Table::kPltInfo, view_.plt_infos);
    ExpectCount(Table::kFunctionInfo, view_.functions.count(), view_.function_infos.count());
    ExpectCount(Table::kExInfo, view_.functions.count(), view_.ex_infos.count());
    if (!view_.functions.ascending()) {
      Damaged("table function", TableAt(Table::kFunction), "ascending", "not ascending");
    }

    absl::StatusOr<format::ExportTable> exports =
        format::ExportTable::Parse(view_.At(view_.table(Table::kExports)), view_.blob);
    if (exports.ok()) {
      view_.exports = *std::move(exports);
    } else {
      DamagedTable(Table::kExports, exports.status());
    }
    absl::StatusOr<std::vector<format::ImportedImage>> images =
        format::DecodeImportedImages(view_.At(view_.table(Table::kImages)));
    if (images.ok()) {
      view_.images = *std::move(images);
    } else {
      DamagedTable(Table::kImages, images.status());
    }
    absl::StatusOr<format::Metadata> metadata =
        format::DecodeMetadata(view_.At(view_.table(Table::kMetadata)), info.guest_data.size);
    if (metadata.ok()) {
      view_.metadata = *std::move(metadata);
      const format::Guid options_guid = format::GuidOf(view_.metadata.options);
      if (options_guid != info.options_guid) {
        Damaged("options_guid", InfoAt(offsetof(AotFileInfo, options_guid)),
                absl::StrCat(format::GuidToString(options_guid), " (of the options text)"),
                format::GuidToString(info.options_guid));
      }
    } else {
      DamagedTable(Table::kMetadata, metadata.status());
    }
  }

  void CheckGotAndPlt() {
    const AotFileInfo& info = view_.info;
    Expect("got size", InfoAt(offsetof(AotFileInfo, got) + 4),
           uint64_t{8} * view_.got_infos.count(), info.got.size);
    Expect("got_plt size", InfoAt(offsetof(AotFileInfo, got_plt) + 4),
           uint64_t{8} * view_.plt_infos.count(), info.got_plt.size);
    Expect("plt size", InfoAt(offsetof(AotFileInfo, plt) + 4),
           uint64_t{format::kPltEntrySize} * view_.plt_infos.count(), info.plt.size);
    for (uint32_t slot = 0; slot < view_.got_infos.count(); ++slot) {
      const std::optional<format::GotInfo> got = view_.GotInfoOf(slot);
      if (!got || got->index >= static_cast<uint32_t>(abi::kNumCallbacks)) {
        Damaged(absl::StrCat("got_info ", slot), TableAt(Table::kGotInfo), "a runtime callback",
                got ? absl::StrCat("callback ", got->index) : "damaged");
        break;
      }
    }
    const absl::Span<const uint8_t> plt = view_.At(info.plt);
    for (uint32_t entry = 0; entry < view_.plt_infos.count(); ++entry) {
      if (!CheckPltInfo(entry) || !CheckPltStub(entry, plt)) break;
    }
  }

  bool CheckPltInfo(uint32_t entry) {
    const std::optional<format::PltInfo> plt = view_.PltInfoOf(entry);
    std::string actual = "damaged";
    if (plt) {
      switch (plt->kind) {
        case format::PltInfo::Kind::kFunction:
          if (view_.FunctionAt(plt->index)) return true;
          actual = absl::StrCat("function ", plt->index);
          break;
        case format::PltInfo::Kind::kRuntimeCallback:
          if (plt->index < static_cast<uint32_t>(abi::kNumCallbacks)) return true;
          actual = absl::StrCat("callback ", plt->index);
          break;
        case format::PltInfo::Kind::kImport:
          // Reserved: images that import others are not linked yet, so there is nothing to bind it
          // to.
          actual = absl::StrCat("import from image ", plt->image);
          break;
      }
    }
    Damaged(absl::StrCat("plt_info ", entry), TableAt(Table::kPltInfo),
            "a function of the image or a runtime callback", actual);
    return false;
  }

  // endbr64; mov $entry, %r11d; jmp *slot(%rip)
  bool CheckPltStub(uint32_t entry, absl::Span<const uint8_t> plt) {
    const AotFileInfo& info = view_.info;
    const size_t at = size_t{entry} * format::kPltEntrySize;
    if (plt.size() < at + format::kPltEntrySize) return false;
    std::array<uint8_t, format::kPltEntrySize> expected = {
        0xf3, 0x0f, 0x1e, 0xfa, 0x41, 0xbb, 0, 0, 0, 0, 0xff, 0x25, 0, 0, 0, 0};
    const uint32_t displacement =
        info.got_plt.offset + 8 * entry -
        (info.plt.offset + static_cast<uint32_t>(at) + format::kPltEntrySize);
    for (int i = 0; i < 4; ++i) {
      expected[6 + i] = static_cast<uint8_t>(entry >> (8 * i));
      expected[12 + i] = static_cast<uint8_t>(displacement >> (8 * i));
    }
    const absl::Span<const uint8_t> actual = plt.subspan(at, format::kPltEntrySize);
    if (std::equal(expected.begin(), expected.end(), actual.begin())) return true;
    Damaged(absl::StrCat("plt stub ", entry), info.plt.offset + at, format::ToHex(expected),
            format::ToHex(actual));
    return false;
  }

  void CheckDispatch() {
    const AotFileInfo& info = view_.info;
    const Range range = view_.table(Table::kDispatch);
    ExpectThat(range.size % 4 == 0, "table dispatch size", TableAt(Table::kDispatch),
               "a multiple of 4", range.size);
    const uint64_t count = range.size / 4;
    if (info.dispatch_shift > 31 || (count << std::min(info.dispatch_shift, 31u)) >
                                        (uint64_t{1} << 32) - info.dispatch_base_pc) {
      Damaged(
          "dispatch_base_pc", InfoAt(offsetof(AotFileInfo, dispatch_base_pc)),
          "a range of guest pcs within 4 GiB",
          absl::StrCat(count, " << ", info.dispatch_shift, " from ", Hex(info.dispatch_base_pc)));
      return;
    }
    const uint8_t* entries = view_.At(range).data();
    for (uint64_t i = 0; i < count; ++i) {
      const uint32_t entry = LoadLe32(entries + 4 * i);
      if (entry == 0 || range.offset + entry - info.text.offset < info.text.size) continue;
      Damaged(absl::StrCat("dispatch entry ", i), range.offset + 4 * i, "0 or an address in text",
              Hex(range.offset + entry));
      return;
    }
  }

  // --- .eh_frame (LSB 5.0 core, 10.6.1), only as our writer makes it ---

  void CheckEhFrame() {
    const Range range = view_.info.eh_frame;
    if (range.size == 0) return;
    const absl::Span<const uint8_t> bytes = view_.At(range);
    const auto damaged = [&](uint64_t at, std::string_view expected, uint64_t actual) {
      Damaged(".eh_frame", range.offset + at, std::string(expected), Hex(actual));
    };
    std::vector<uint32_t> cies;
    uint64_t previous_end = 0;
    uint64_t at = 0;
    while (true) {
      if (bytes.size() - at < 4)
        return damaged(at, "an entry or the terminator", bytes.size() - at);
      const uint32_t length = LoadLe32(bytes.data() + at);
      if (length == 0) break;
      const uint64_t body = at + 4;
      if (length < 4 || length > bytes.size() - body)
        return damaged(at, "a length inside .eh_frame", length);
      const uint32_t id = LoadLe32(bytes.data() + body);
      const absl::Span<const uint8_t> rest = bytes.subspan(body + 4, length - 4);
      if (id == 0) {
        if (!IsKnownCie(rest))
          return damaged(body, "a CIE of version 1 with augmentation zR or zRS", rest.size());
        cies.push_back(static_cast<uint32_t>(at));
      } else {
        if (id > body ||
            !std::binary_search(cies.begin(), cies.end(), static_cast<uint32_t>(body - id))) {
          return damaged(body, "an FDE of a CIE before it", id);
        }
        if (rest.size() < 9 || rest[8] != 0)
          return damaged(body, "an FDE without augmentation data", rest.size());
        // Begin of the code, relative to the field, and its size.
        const uint64_t field = uint64_t{range.offset} + body + 4;
        const uint32_t begin = static_cast<uint32_t>(field) + LoadLe32(rest.data());
        const uint32_t size = LoadLe32(rest.data() + 4);
        const LoadSegment* segment = SegmentOf({begin, size});
        if (segment == nullptr || !segment->executable || begin < previous_end) {
          return damaged(body, "an FDE of executable code behind that of the one before", begin);
        }
        previous_end = uint64_t{begin} + size;
      }
      at = body + length;
    }
    if (at + 4 != bytes.size()) damaged(at, "the terminator at the end", at);
  }

  // Version, augmentation, factors, return address column, pointer encoding.
  static bool IsKnownCie(absl::Span<const uint8_t> cie) {
    if (cie.empty() || cie[0] != 1) return false;
    cie.remove_prefix(1);
    for (std::string_view augmentation :
         {std::string_view("zR\0", 3), std::string_view("zRS\0", 4)}) {
      // Code alignment 1, data alignment -8, return address 16, one byte of data: PC-relative,
      // signed 32 bits.
      constexpr uint8_t kTail[] = {0x01, 0x78, 0x10, 0x01, 0x1b};
      if (cie.size() >= augmentation.size() + sizeof(kTail) &&
          std::memcmp(cie.data(), augmentation.data(), augmentation.size()) == 0) {
        return std::memcmp(cie.data() + augmentation.size(), kTail, sizeof(kTail)) == 0;
      }
    }
    return false;
  }

  // --- Deep checks ---

  void CheckFunctions() {
    uint64_t previous_end = 0;
    for (uint32_t i = 0; i < view_.functions.count(); ++i) {
      const std::string name = absl::StrCat("function ", i);
      const std::optional<ImageView::Function> function = view_.FunctionAt(i);
      const std::optional<format::FunctionInfo> info = view_.FunctionInfoOf(i);
      if (!function || !info) {
        Damaged(name, TableAt(Table::kFunctionInfo), "a well-formed record", "damaged");
        return;
      }
      if (!ExpectThat(function->code_offset >= previous_end, name, TableAt(Table::kFunction),
                      absl::StrCat("to begin at or behind ", Hex(previous_end), " in text"),
                      function->code_offset)) {
        return;
      }
      previous_end = uint64_t{function->code_offset} + function->code_size;
      for (uint32_t slot : info->got_slots) {
        if (slot >= view_.got_infos.count()) {
          Damaged(absl::StrCat(name, " GOT slot"), TableAt(Table::kFunctionInfo),
                  absl::StrCat("below ", view_.got_infos.count()), absl::StrCat(slot));
          return;
        }
      }
      if (!CheckExInfo(name, *function)) return;
    }
    for (uint32_t i = 0; i < view_.exports.count(); ++i) {
      const std::optional<format::Export> entry = view_.exports.Get(i);
      if (!entry || !view_.exports.NameOf(*entry) ||
          (entry->kind == format::ExportKind::kFunction &&
           entry->index >= view_.functions.count())) {
        Damaged(absl::StrCat("export ", i), TableAt(Table::kExports),
                "a name and a function of the image",
                entry ? absl::StrCat("index ", entry->index) : "damaged");
        return;
      }
    }
    CheckDispatchTargets();
  }

  bool CheckExInfo(const std::string& name, const ImageView::Function& function) {
    const uint64_t at = TableAt(Table::kExInfo);
    const std::optional<format::ExInfoReader> ex_info = view_.ExInfoOf(function.index);
    if (!ex_info) {
      Damaged(absl::StrCat(name, " ex_info"), at, "a well-formed record", "damaged");
      return false;
    }
    const auto sites = ex_info->DecodeSites();
    const auto lines = ex_info->DecodeLines();
    const auto rules = ex_info->DecodeFrameRules();
    if (!sites || !lines || !rules) {
      Damaged(absl::StrCat(name, " ",
                           !sites   ? "sites"
                           : !lines ? "lines"
                                    : "frame rules"),
              at, "well formed", "damaged");
      return false;
    }
    const auto inside = [&](std::string_view what, uint32_t code_offset, uint64_t end) {
      return ExpectThat(code_offset < end, absl::StrCat(name, " ", what), at,
                        absl::StrCat("a code offset below ", Hex(end)), code_offset);
    };
    // The return address behind the last call is the end of the code.
    if (!sites->empty() &&
        !inside("site", sites->back().code_offset, uint64_t{function.code_size} + 1))
      return false;
    if (!lines->empty() && !inside("line", lines->back().code_offset, function.code_size))
      return false;
    if (!rules->empty() && !inside("frame rule", rules->back().code_offset, function.code_size))
      return false;
    for (const format::Site& site : *sites) {
      if (site.kind == format::SiteKind::kTrap &&
          !ExpectThat(site.trap_code < abi::kNumTrapCodes, absl::StrCat(name, " trap code"), at,
                      absl::StrCat("below ", abi::kNumTrapCodes), site.trap_code)) {
        return false;
      }
      for (const format::StateLocation& location : site.state) {
        if (location.slot > abi::kSlotPc ||
            (location.kind == format::StateLocation::Kind::kRegister &&
             (location.value < 0 || location.value > 15))) {
          Damaged(absl::StrCat(name, " state"), at, "slots 0..32 in registers 0..15",
                  absl::StrCat("slot ", location.slot, " in ", location.value));
          return false;
        }
      }
    }
    return true;
  }

  void CheckDispatchTargets() {
    const AotFileInfo& info = view_.info;
    const Range range = view_.table(Table::kDispatch);
    const uint8_t* entries = view_.At(range).data();
    for (uint32_t i = 0; i < range.size / 4; ++i) {
      const uint32_t entry = LoadLe32(entries + 4 * i);
      if (entry == 0) continue;
      const uint32_t text_offset = range.offset + entry - info.text.offset;
      const std::optional<ImageView::Function> function = view_.FindFunction(text_offset);
      if (function && text_offset - function->code_offset < function->code_size) continue;
      Damaged(absl::StrCat("dispatch entry ", i), range.offset + 4 * i,
              "0 or an address in a function", Hex(range.offset + entry));
      return;
    }
  }

  const absl::Span<const uint8_t> file_;
  const CheckOptions& options_;
  ImageView& view_;
  CheckReport report_;

  uint32_t phnum_ = 0;
  Range dynamic_ = {};
  uint64_t gnu_hash_ = ~uint64_t{0}, strtab_ = ~uint64_t{0}, symtab_ = ~uint64_t{0}, strsz_ = 0;
};

}  // namespace

std::optional<ImageView::Function> ImageView::FunctionAt(uint32_t index) const {
  const std::optional<uint32_t> code_offset = functions.Get(index);
  const std::optional<uint32_t> record = function_infos.Get(index);
  if (!code_offset || !record) return std::nullopt;
  const std::optional<uint32_t> code_size = format::DecodeFunctionCodeSize(blob, *record);
  if (!code_size || *code_offset >= info.text.size || *code_size > info.text.size - *code_offset) {
    return std::nullopt;
  }
  return Function{index, *code_offset, *code_size};
}

std::optional<ImageView::Function> ImageView::FindFunction(uint32_t text_offset) const {
  const std::optional<uint32_t> index = functions.FindLast(text_offset);
  if (!index) return std::nullopt;
  const std::optional<Function> function = FunctionAt(*index);
  if (!function || text_offset - function->code_offset > function->code_size) return std::nullopt;
  return function;
}

std::optional<format::FunctionInfo> ImageView::FunctionInfoOf(uint32_t index) const {
  const std::optional<uint32_t> record = function_infos.Get(index);
  if (!record) return std::nullopt;
  return format::DecodeFunctionInfo(blob, *record);
}

std::optional<format::ExInfoReader> ImageView::ExInfoOf(uint32_t index) const {
  const std::optional<uint32_t> record = ex_infos.Get(index);
  if (!record) return std::nullopt;
  return format::ExInfoReader::At(blob, *record);
}

std::optional<format::GotInfo> ImageView::GotInfoOf(uint32_t slot) const {
  const std::optional<uint32_t> record = got_infos.Get(slot);
  if (!record) return std::nullopt;
  return format::DecodeGotInfo(blob, *record);
}

std::optional<format::PltInfo> ImageView::PltInfoOf(uint32_t entry) const {
  const std::optional<uint32_t> record = plt_infos.Get(entry);
  if (!record) return std::nullopt;
  return format::DecodePltInfo(blob, *record);
}

std::optional<format::Site> ImageView::FindSite(uint32_t text_offset) const {
  const std::optional<Function> function = FindFunction(text_offset);
  if (!function) return std::nullopt;
  const std::optional<format::Site> site = FindSiteIn(*function, text_offset);
  if (site || text_offset != function->code_offset || function->index == 0) return site;
  // Where no filler separates the functions, the return address of the last call of the one before.
  const std::optional<Function> before = FunctionAt(function->index - 1);
  if (!before || text_offset - before->code_offset != before->code_size) return std::nullopt;
  return FindSiteIn(*before, text_offset);
}

std::optional<format::Site> ImageView::FindSiteIn(const Function& function,
                                                  uint32_t text_offset) const {
  const std::optional<format::ExInfoReader> ex_info = ExInfoOf(function.index);
  if (!ex_info) return std::nullopt;
  return ex_info->FindSite(text_offset - function.code_offset);
}

std::optional<uint32_t> ImageView::GuestPcOf(uint32_t text_offset) const {
  const std::optional<Function> function = FindFunction(text_offset);
  if (!function) return std::nullopt;
  const std::optional<format::ExInfoReader> ex_info = ExInfoOf(function->index);
  if (!ex_info) return std::nullopt;
  return ex_info->GuestPcAt(text_offset - function->code_offset);
}

std::optional<uint32_t> ImageView::FindEntry(uint32_t guest_pc) const {
  const Range range = table(Table::kDispatch);
  const uint32_t distance = guest_pc - info.dispatch_base_pc;
  if (guest_pc < info.dispatch_base_pc || info.dispatch_shift > 31) return std::nullopt;
  const uint32_t index = distance >> info.dispatch_shift;
  if (index << info.dispatch_shift != distance || index >= range.size / 4) return std::nullopt;
  const absl::Span<const uint8_t> entries = At(range);
  if (entries.empty()) return std::nullopt;
  const uint32_t entry = LoadLe32(entries.data() + size_t{4} * index);
  const uint32_t text_offset = range.offset + entry - info.text.offset;
  if (entry == 0 || text_offset >= info.text.size) return std::nullopt;
  return text_offset;
}

CheckReport CheckImage(absl::Span<const uint8_t> file, const CheckOptions& options,
                       ImageView* view) {
  ImageView unused;
  ImageView& out = view != nullptr ? *view : unused;
  out = {};
  return Checker(file, options, out).Run();
}

}  // namespace precast::loader
