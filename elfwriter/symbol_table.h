// .symtab and .dynsym: names for places in the image. .symtab is read by gdb, perf and objdump;
// .dynsym, together with .gnu.hash and .dynstr, by the dynamic linker.
//
// Sources: gABI chapter 4 "Symbol Table" (figures 4-16 to 4-19).

#ifndef PRECAST_ELFWRITER_SYMBOL_TABLE_H_
#define PRECAST_ELFWRITER_SYMBOL_TABLE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "elfwriter/section.h"
#include "elfwriter/string_table.h"

namespace precast::elfwriter {

// Values are those of ELF64_ST_BIND.
enum class SymbolBinding : uint8_t { kLocal = 0, kGlobal = 1, kWeak = 2 };
// Values are those of ELF64_ST_TYPE.
enum class SymbolType : uint8_t { kNoType = 0, kObject = 1, kFunction = 2, kFile = 4 };
// Values are those of ELF64_ST_VISIBILITY.
enum class SymbolVisibility : uint8_t { kDefault = 0, kHidden = 2, kProtected = 3 };

// A symbol as its owner describes it.
struct Symbol {
  // Without NUL bytes. Copied. Need not be unique if the binding is local.
  absl::string_view name = {};
  // The section it lies in; none makes it absolute (SHN_ABS).
  std::optional<SectionId> section = std::nullopt;
  // Offset in the section, at most its size; the value itself if absolute.
  uint64_t value = 0;
  uint64_t size = 0;
  // Symbols that are not local are exported: they are in .dynsym as well as .symtab, and must
  // have default or protected visibility (gABI: hidden symbols of a finished object are local).
  SymbolBinding binding = SymbolBinding::kLocal;
  SymbolType type = SymbolType::kNoType;
  SymbolVisibility visibility = SymbolVisibility::kDefault;
};

// A symbol whose name is in a string table and whose section is known by pointer.
struct SymbolEntry {
  uint32_t name_offset = 0;
  SymbolBinding binding = SymbolBinding::kLocal;
  SymbolType type = SymbolType::kNoType;
  SymbolVisibility visibility = SymbolVisibility::kDefault;
  const Section* section = nullptr;  // Null: absolute. Not owned.
  uint64_t value = 0;
  uint64_t size = 0;
};

// A table of symbols: the null symbol, then locals, then the others (gABI, "sh_info").
class SymbolTable : public Section {
 public:
  static constexpr uint64_t kEntrySize = 24;

  // `strings` holds the names, is not owned, and must outlive the table.
  SymbolTable(SectionSpec spec, StringTable* strings);

  void Add(absl::string_view name, const SymbolEntry& entry);
  // Room for that many local ones and their names.
  void Reserve(size_t count) {
    locals_.reserve(count);
    strings_->Reserve(count);
  }
  // Entries in file order without the null symbol.
  absl::Span<const SymbolEntry> locals() const { return locals_; }
  absl::Span<const SymbolEntry> globals() const { return globals_; }
  const StringTable& strings() const { return *strings_; }
  // Puts the non-local symbols in the given order: order[i] is the present place of what becomes
  // globals()[i]. Only before layout.
  void ReorderGlobals(absl::Span<const uint32_t> order);

  uint64_t Size() const override;
  void WriteTo(absl::Span<uint8_t> out) const override;
  // Index of the first symbol that is not local.
  uint32_t HeaderInfo() const override;

 private:
  StringTable* strings_;
  std::vector<SymbolEntry> locals_;
  std::vector<SymbolEntry> globals_;
};

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_SYMBOL_TABLE_H_
