// Writes symbols: locals first, values from the addresses of their sections.

#include "elfwriter/symbol_table.h"

#include <elf.h>

#include <utility>

#include "absl/log/check.h"
#include "elfwriter/little_endian.h"

namespace precast::elfwriter {
namespace {

SectionSpec WithEntrySize(SectionSpec spec) {
  spec.entry_size = SymbolTable::kEntrySize;
  spec.alignment = 8;
  return spec;
}

}  // namespace

SymbolTable::SymbolTable(SectionSpec spec, StringTable* strings)
    : Section(WithEntrySize(std::move(spec))), strings_(strings) {
  set_link(strings);
}

void SymbolTable::Add(absl::string_view name, const SymbolEntry& entry) {
  CheckNotPlaced();
  const bool is_local = entry.binding == SymbolBinding::kLocal;
  std::vector<SymbolEntry>& list = is_local ? locals_ : globals_;
  list.push_back(entry);
  list.back().name_offset = strings_->Add(name);
}

void SymbolTable::ReorderGlobals(absl::Span<const uint32_t> order) {
  CheckNotPlaced();
  CHECK_EQ(order.size(), globals_.size());
  std::vector<SymbolEntry> sorted;
  sorted.reserve(order.size());
  for (const uint32_t i : order) sorted.push_back(globals_[i]);
  globals_ = std::move(sorted);
}

uint64_t SymbolTable::Size() const { return (1 + locals_.size() + globals_.size()) * kEntrySize; }

uint32_t SymbolTable::HeaderInfo() const { return static_cast<uint32_t>(1 + locals_.size()); }

void SymbolTable::WriteTo(absl::Span<uint8_t> out) const {
  SpanWriter writer(out);
  writer.Skip(kEntrySize);  // The null symbol is all zero.
  for (const std::vector<SymbolEntry>* list : {&locals_, &globals_}) {
    for (const SymbolEntry& entry : *list) {
      if (entry.section != nullptr) {
        CHECK_LE(entry.value, entry.section->Size()) << strings_->Get(entry.name_offset);
      }
      const uint64_t base = entry.section == nullptr ? 0 : entry.section->address();
      // A section that was left out of the file has no index.
      const bool has_header = entry.section != nullptr && entry.section->index() != SHN_UNDEF;
      const uint32_t index = has_header ? entry.section->index() : SHN_ABS;
      writer.U32(entry.name_offset)
          .U8(static_cast<uint8_t>(static_cast<uint32_t>(entry.binding) << 4 |
                                   static_cast<uint32_t>(entry.type)))
          .U8(static_cast<uint8_t>(entry.visibility))
          .U16(static_cast<uint16_t>(index))
          .U64(base + entry.value)
          .U64(entry.size);
    }
  }
  CHECK_EQ(writer.remaining(), 0u);
}

}  // namespace precast::elfwriter
