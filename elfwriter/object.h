// The ELF64 object writer: sections, symbols and fixups in, the bytes of an x86-64 shared object
// out, with no assembler, no linker and no dynamic relocations. It knows no guest and no AOT.
//
// Usage:
//
//   Object object({.soname = "hello.so", .build_id = id});
//   SectionId text = object.AddSection({.name = ".text", .segment = Segment::kText,
//                                       .alignment = 16}, std::move(code));
//   SectionId rodata = object.AddSection({.name = ".rodata", .alignment = 8}, std::move(tables));
//   SectionId got = object.AddSection({.name = ".got", .segment = Segment::kRelro,
//                                      .alignment = 8, .entry_size = 8});
//   object.SetContents(got, std::vector<uint8_t>(slot_count * 8));
//   object.AddSymbol({.name = "aot_file_info", .section = rodata, .value = 0, .size = 128,
//                     .binding = SymbolBinding::kGlobal, .type = SymbolType::kObject});
//   object.AddSymbol({.name = "main", .section = text, .value = 0, .size = 37,
//                     .type = SymbolType::kFunction});
//   // mov slot3(%rip), %rax at text+7: the displacement is its last four bytes.
//   object.AddFixup({text, 7 + 3, FixupKind::kPcRelative32, got, 3 * 8 - 4});
//   // A field of the file info: where .text is, relative to the image.
//   object.AddFixup({rodata, 32, FixupKind::kImageRelative32, text});
//   Cie cie;
//   cie.initial.DefCfa(DwarfRegister::kRsp, 8).Offset(DwarfRegister::kReturnAddress, -8);
//   CieId frame = object.AddCie(cie);
//   CfiProgram cfi;  // push %rbp at offset 0
//   cfi.AdvanceTo(1).DefCfaOffset(16).Offset(DwarfRegister::kRbp, -16);
//   object.AddFde(frame, text, 0, 37, cfi.bytes());
//   object.Layout();                           // From here on sizes and addresses are fixed.
//   uint64_t where = object.AddressOf(text);   // e.g. to patch MutableContents(rodata)
//   std::vector<uint8_t> image = object.Write();
//   Assembly same_image = WriteAssembly(object);  // elfwriter/assembly.h
//
// Layout (virtual address == file offset for all that is allocated, unless a section without bytes
// precedes; the image base is address 0):
//
//   R        ELF header, program headers, .note.gnu.build-id, .gnu.hash, .dynsym, .dynstr,
//            the caller's kReadOnly sections, .eh_frame_hdr, .eh_frame
//   R X      kText
//   RW       .dynamic, kRelro, padding to a page (PT_GNU_RELRO ends here), kData
//   R        kCopyOnWrite, each aligned to a page, padded with zeros to a page in the file
//   -        kUnallocated, .symtab, .strtab, .shstrtab, section headers
//
// If all sections of kText, or of kCopyOnWrite, are empty, they are left out of the file: as
// targets they are at the end of the image, and symbols in them become absolute. Each PT_LOAD
// starts on a page of its own in the file, so nothing is mapped executable or writable that was not
// meant to be.
//
// Sources: gABI chapters 4 and 5; x86-64 psABI chapters 4 and 5; LSB 5.0 core, chapter 10.

#ifndef PRECAST_ELFWRITER_OBJECT_H_
#define PRECAST_ELFWRITER_OBJECT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "elfwriter/data_section.h"
#include "elfwriter/dynamic_section.h"
#include "elfwriter/eh_frame.h"
#include "elfwriter/fixup.h"
#include "elfwriter/gnu_hash.h"
#include "elfwriter/headers.h"
#include "elfwriter/note_section.h"
#include "elfwriter/section.h"
#include "elfwriter/string_table.h"
#include "elfwriter/symbol_table.h"

namespace precast::elfwriter {

struct ObjectOptions {
  // DT_SONAME; none if empty.
  std::string soname = {};
  // Description of the NT_GNU_BUILD_ID note; no note if empty. 20 bytes is customary.
  std::vector<uint8_t> build_id = {};
};

// One shared object being made. Misuse asserts: it is a bug of the caller, not of any input.
// Deterministic: the same calls give the same bytes. Not thread-safe.
class Object {
 public:
  explicit Object(ObjectOptions options = {});
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  // --- Before Layout() ---

  // Adds a section; its contents are empty until given. Names must be unique.
  SectionId AddSection(SectionSpec spec, std::vector<uint8_t> contents = {});
  // Replaces the contents of a section made with AddSection: by bytes it owns,
  void SetContents(SectionId id, std::vector<uint8_t> contents);
  // by bytes owned by the caller, which must outlive the Object,
  void SetContentsView(SectionId id, absl::Span<const uint8_t> contents);
  // by `size` bytes that `writer` makes whenever a part of the section is written (fixups are
  // applied after; addresses are fixed by then),
  void SetContentsWriter(SectionId id, uint64_t size, DataSection::Writer writer);
  // or by `size` zero bytes that are not in the file (SHT_NOBITS; only in Segment::kData, where
  // only sections of the same kind may follow).
  void SetZeroFill(SectionId id, uint64_t size);

  void AddSymbol(const Symbol& symbol);
  // Room for that many symbols that are local, so that they do not move while they are added.
  void ReserveSymbols(size_t count) { symtab_->Reserve(count); }
  // Makes a field of a section depend on an address. The bytes there before do not matter.
  void AddFixup(const Fixup& fixup);
  // Room for that many fixups, so that they do not move while they are added.
  void ReserveFixups(size_t count) { fixups_.reserve(count); }
  // Appends a note section, which PT_NOTE covers too; `section_name` as ".note.gnu.x".
  // (eu-elflint --strict accepts only owners and types it has heard of.)
  void AddNote(absl::string_view section_name, absl::string_view owner, uint32_t type,
               absl::Span<const uint8_t> description);

  // Unwind information; without any FDE there is no .eh_frame. See eh_frame.h.
  CieId AddCie(const Cie& cie);
  void AddFde(CieId cie, SectionId code, uint64_t code_offset, uint32_t code_size,
              absl::Span<const uint8_t> instructions);

  // The sections the writer makes itself, as targets of fixups. .eh_frame and .eh_frame_hdr must
  // not be referred to unless there is an FDE.
  SectionId eh_frame() const { return eh_frame_id_; }
  SectionId eh_frame_hdr() const { return eh_frame_hdr_id_; }
  SectionId dynamic() const { return dynamic_id_; }
  SectionId dynsym() const { return dynsym_id_; }

  // Fixes sizes, offsets and addresses. Once only.
  void Layout();

  // --- After Layout() ---

  // Address relative to the image base; 0 if not allocated.
  uint64_t AddressOf(SectionId id) const;
  // Where its bytes are in Write()'s result.
  uint64_t FileOffsetOf(SectionId id) const;
  // Known before Layout(), but final only after.
  uint64_t SizeOf(SectionId id) const;
  uint64_t FileSize() const;
  // End of the last PT_LOAD, rounded up to a page: address space the image needs.
  uint64_t MemorySize() const;

  // The object's bytes. PieceWriter gives them in pieces.
  std::vector<uint8_t> Write() const;

  // --- At any time ---

  // Bytes of a section that owns its contents, to be changed but not resized. A digest over the
  // image, for example, is written to both the image and these bytes.
  absl::Span<uint8_t> MutableContents(SectionId id);
  // The same size as given at first, if after Layout().
  void SetBuildId(absl::Span<const uint8_t> build_id);

  // --- For the assembly writer and for tests ---

  const ObjectOptions& options() const { return options_; }
  // All sections that are in the file, in the order of their addresses. After Layout().
  absl::Span<Section* const> sections() const { return order_; }
  // Program headers; after Layout().
  absl::Span<const ProgramHeader> program_headers() const { return program_headers_.entries(); }
  absl::Span<const Fixup> fixups() const { return fixups_; }
  const SymbolTable& symbol_table() const { return *symtab_; }
  const EhFrameSection& eh_frame_section() const { return *eh_frame_; }
  const Section& section(SectionId id) const;
  // Whether the section was made with AddSection rather than by the writer itself.
  bool IsUserSection(const Section& section) const;

 private:
  friend class PieceWriter;

  template <typename T, typename... Args>
  T* Make(SectionId* id, Args&&... args);
  DataSection& UserSection(SectionId id);
  void CheckNotLaidOut() const;
  void CheckLaidOut() const;
  void OrderSections();
  void CheckReferences() const;
  // Where its field is in the file, and what is to be there.
  uint64_t FieldOf(const Fixup& fixup) const;
  uint64_t ValueOf(const Fixup& fixup) const;

  ObjectOptions options_;
  bool laid_out_ = false;
  // All sections ever made, indexed by SectionId; owned.
  std::vector<std::unique_ptr<Section>> pool_;
  // Those in the file, in file order.
  std::vector<Section*> order_;
  // Those in segments without bytes.
  std::vector<Section*> left_out_;
  std::vector<DataSection*> user_sections_;
  std::vector<NoteSection*> notes_;
  std::vector<Fixup> fixups_;

  ProgramHeaderTable program_headers_;
  SectionHeaderTable section_headers_;
  uint64_t section_headers_offset_ = 0;
  uint64_t file_size_ = 0;
  uint64_t memory_size_ = 0;

  // Made in the constructor, owned by pool_.
  NoteSection* build_id_ = nullptr;
  GnuHashSection* gnu_hash_ = nullptr;
  SymbolTable* dynsym_ = nullptr;
  StringTable* dynstr_ = nullptr;
  EhFrameHeaderSection* eh_frame_hdr_ = nullptr;
  EhFrameSection* eh_frame_ = nullptr;
  DynamicSection* dynamic_ = nullptr;
  SymbolTable* symtab_ = nullptr;
  StringTable* strtab_ = nullptr;
  StringTable* shstrtab_ = nullptr;
  SectionId eh_frame_id_{};
  SectionId eh_frame_hdr_id_{};
  SectionId dynamic_id_{};
  SectionId dynsym_id_{};
};

// The bytes of an object that is laid out, for those who need not have all of them in memory at
// once.
class PieceWriter {
 public:
  // The object must outlive it and not change.
  explicit PieceWriter(const Object& object);

  // The bytes of the file from `begin` on, whatever was in `out`. Thread-safe.
  void Write(uint64_t begin, absl::Span<uint8_t> out) const;

 private:
  // What lies in the file from `begin` on: a section of the caller, or bytes that the object made.
  struct Part {
    uint64_t begin, end;
    const DataSection* section;
    std::vector<uint8_t> bytes;
  };
  struct Field {
    uint64_t begin;  // in the file
    const Fixup* fixup;
  };
  const Object& object_;
  std::vector<Part> parts_;    // ascending; zeros between them
  std::vector<Field> fields_;  // ascending
};

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_OBJECT_H_
