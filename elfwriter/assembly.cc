// Writes assembly section by section, split at symbols and fixups, and the script that pins it.

#include "elfwriter/assembly.h"

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/log/check.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace precast::elfwriter {
namespace {

constexpr size_t kBytesPerLine = 16;
// Runs of zeros from this length on become one directive: initial memory is mostly zeros.
constexpr size_t kZeroRun = 32;

// Whether the linker makes the section by itself.
bool IsMadeByLinker(const Object& object, const Section& section) {
  return !object.IsUserSection(section) && section.name() != ".eh_frame" &&
         (section.type() != SHT_NOTE || section.name() == ".note.gnu.build-id");
}

// The label at the start of a section. Those of linker-made sections are symbols of the script.
std::string SectionLabel(const Object& object, const Section& section) {
  if (IsMadeByLinker(object, section)) return absl::StrCat("__section_", section.index());
  return absl::StrCat(".Lsection_", section.index());
}

// Names as gas takes them.
class NameTable {
 public:
  NameTable() : used_({"_DYNAMIC", "_GLOBAL_OFFSET_TABLE_"}) {}

  // A name like `name` that is not taken yet, quoted if need be.
  std::string Unique(absl::string_view name) {
    std::string plain;
    bool quote = !name.empty() && absl::ascii_isdigit(static_cast<unsigned char>(name[0]));
    for (const char c : name) {
      const auto byte = static_cast<unsigned char>(c);
      const bool is_plain = absl::ascii_isalnum(byte) || c == '_' || c == '.' || c == '$';
      // gas reads "name@version"; the others would need escapes that it does not undo.
      const bool is_expressible = absl::ascii_isprint(byte) && c != '"' && c != '\\' && c != '@';
      plain.push_back(is_expressible ? c : '_');
      if (is_expressible && !is_plain) quote = true;
    }
    // Labels that begin with .L never reach the symbol table; "." is the location counter; and
    // names with a leading $ are immediates.
    if (plain.empty() || plain == "." || plain.substr(0, 2) == ".L" || plain[0] == '$' ||
        plain.substr(0, 10) == "__section_") {
      plain = absl::StrCat("_", plain);
    }
    std::string unique = plain;
    while (!used_.insert(unique).second) unique = absl::StrCat(plain, ".", ++suffix_);
    return quote ? absl::StrCat("\"", unique, "\"") : unique;
  }

 private:
  absl::flat_hash_set<std::string> used_;
  uint64_t suffix_ = 0;
};

// A symbol and the name it goes by.
struct NamedSymbol {
  std::string name;
  const SymbolEntry* entry;
};

// A field and what to write for it.
struct Field {
  uint64_t offset;
  uint32_t size;
  std::string expression;
};

class AssemblyWriter {
 public:
  explicit AssemblyWriter(const Object& object) : object_(object) {}

  std::string Write() {
    CollectSymbols();
    CollectFields();
    std::string text;
    for (const std::string& label : linker_labels_) {
      absl::StrAppend(&text, "\t.hidden ", label, "\n");
    }
    for (const NamedSymbol& symbol : symbols_[nullptr]) WriteAbsolute(symbol, text);
    for (const Section* section : object_.sections()) {
      const bool is_table = section->type() == SHT_SYMTAB || section->type() == SHT_STRTAB;
      if (is_table && !object_.IsUserSection(*section)) continue;
      if (!IsMadeByLinker(object_, *section)) WriteSection(*section, text);
    }
    absl::StrAppend(&text, "\n\t.section .note.GNU-stack, \"\", @progbits\n");
    return text;
  }

  // Sections made by the linker that some field refers to.
  bool NeedsLinkerLabel(const Section& section) const {
    return linker_labels_.contains(SectionLabel(object_, section));
  }

 private:
  void CollectSymbols() {
    const SymbolTable& table = object_.symbol_table();
    // Exported names first, so that they are the last to be changed.
    for (const absl::Span<const SymbolEntry> list : {table.globals(), table.locals()}) {
      for (const SymbolEntry& entry : list) {
        const absl::string_view name = table.strings().Get(entry.name_offset);
        const bool has_header = entry.section != nullptr && entry.section->index() != SHN_UNDEF;
        symbols_[has_header ? entry.section : nullptr].push_back(
            {entry.type == SymbolType::kFile ? std::string(name) : names_.Unique(name), &entry});
      }
    }
    for (auto& [section, list] : symbols_) {
      if (section == nullptr) continue;
      std::stable_sort(list.begin(), list.end(), [](const NamedSymbol& a, const NamedSymbol& b) {
        return a.entry->value < b.entry->value;
      });
    }
  }

  void CollectFields() {
    for (const Fixup& fixup : object_.fixups()) AddField(fixup);
    const EhFrameSection& eh_frame = object_.eh_frame_section();
    for (const EhFrameSection::FdeRecord& fde : eh_frame.fdes()) {
      AddField({object_.eh_frame(), fde.fde_offset + EhFrameSection::kInitialLocationOffset,
                FixupKind::kPcRelative32, fde.code_id, static_cast<int64_t>(fde.code_offset)});
    }
    for (auto& [section, list] : fields_) {
      std::sort(list.begin(), list.end(),
                [](const Field& a, const Field& b) { return a.offset < b.offset; });
      for (size_t i = 1; i < list.size(); ++i) {
        CHECK_LE(list[i - 1].offset + list[i - 1].size, list[i].offset)
            << section->name() << ": fixups overlap";
      }
    }
  }

  void AddField(const Fixup& fixup) {
    const Section& section = object_.section(fixup.section);
    const Section& target = object_.section(fixup.target);
    const std::string label = SectionLabel(object_, target);
    if (IsMadeByLinker(object_, target)) linker_labels_.insert(label);
    std::string expression = absl::StrFormat("%s%+d", label, fixup.addend);
    if (target.index() == SHN_UNDEF) {
      // Left out of the file: there is nothing to put a label on.
      const uint64_t place = IsPcRelative(fixup.kind) ? section.address() + fixup.offset : 0;
      expression =
          absl::StrFormat("%#x", target.address() + static_cast<uint64_t>(fixup.addend) - place);
    } else if (IsPcRelative(fixup.kind)) {
      absl::StrAppend(&expression, " - .");
    } else if (section.is_allocated()) {
      // The base of the image is not a place that a relocation can name, but the field is, and the
      // linker script says how far it is from the base.
      absl::StrAppendFormat(&expression, " - . + %#x", section.address() + fixup.offset);
    }
    fields_[&section].push_back({fixup.offset, FixupSize(fixup.kind), std::move(expression)});
  }

  void WriteAttributes(const NamedSymbol& symbol, std::string& text) const {
    const SymbolEntry& entry = *symbol.entry;
    if (entry.binding == SymbolBinding::kGlobal)
      absl::StrAppend(&text, "\t.globl ", symbol.name, "\n");
    if (entry.binding == SymbolBinding::kWeak)
      absl::StrAppend(&text, "\t.weak ", symbol.name, "\n");
    if (entry.visibility == SymbolVisibility::kHidden) {
      absl::StrAppend(&text, "\t.hidden ", symbol.name, "\n");
    }
    if (entry.visibility == SymbolVisibility::kProtected) {
      absl::StrAppend(&text, "\t.protected ", symbol.name, "\n");
    }
    if (entry.type == SymbolType::kFunction) {
      absl::StrAppend(&text, "\t.type ", symbol.name, ", @function\n");
    }
    if (entry.type == SymbolType::kObject) {
      absl::StrAppend(&text, "\t.type ", symbol.name, ", @object\n");
    }
    if (entry.size != 0) absl::StrAppend(&text, "\t.size ", symbol.name, ", ", entry.size, "\n");
  }

  void WriteAbsolute(const NamedSymbol& symbol, std::string& text) const {
    if (symbol.entry->type == SymbolType::kFile) {
      absl::StrAppend(&text, "\t.file \"", absl::CEscape(symbol.name), "\"\n");
      return;
    }
    WriteAttributes(symbol, text);
    const Section* section = symbol.entry->section;
    absl::StrAppendFormat(&text, "\t.set %s, %#x\n", symbol.name,
                          symbol.entry->value + (section == nullptr ? 0 : section->address()));
  }

  void WriteSection(const Section& section, std::string& text) {
    std::string flags;
    if (section.flags() & SHF_ALLOC) flags += 'a';
    if (section.flags() & SHF_WRITE) flags += 'w';
    if (section.flags() & SHF_EXECINSTR) flags += 'x';
    const absl::string_view type = section.is_nobits()          ? "@nobits"
                                   : section.type() == SHT_NOTE ? "@note"
                                                                : "@progbits";
    const std::string label = SectionLabel(object_, section);
    absl::StrAppend(&text, "\n\t.section ", section.name(), ", \"", flags, "\", ", type, "\n");
    absl::StrAppend(&text, "\t.balign ", section.alignment(), "\n", label, ":\n");

    std::vector<uint8_t> bytes(section.is_nobits() ? 0 : section.Size());
    if (!section.is_nobits()) section.WriteTo(absl::MakeSpan(bytes));
    const bool is_eh_frame = &section == &object_.eh_frame_section();
    const uint64_t size = section.Size() - (is_eh_frame ? EhFrameSection::kTerminatorSize : 0);
    const std::vector<NamedSymbol>& symbols = symbols_[&section];
    const std::vector<Field>& fields = fields_[&section];
    size_t next_symbol = 0;
    size_t next_field = 0;
    uint64_t at = 0;
    while (true) {
      for (; next_symbol < symbols.size() && symbols[next_symbol].entry->value <= at;
           ++next_symbol) {
        const NamedSymbol& symbol = symbols[next_symbol];
        WriteAttributes(symbol, text);
        if (symbol.entry->value == at) {
          absl::StrAppend(&text, symbol.name, ":\n");
        } else {  // In the middle of a field.
          absl::StrAppend(&text, "\t.set ", symbol.name, ", ", label, "+", symbol.entry->value,
                          "\n");
        }
      }
      if (at == size) break;
      if (next_field < fields.size() && fields[next_field].offset == at) {
        const Field& field = fields[next_field++];
        absl::StrAppend(&text, field.size == 4 ? "\t.long " : "\t.quad ", field.expression, "\n");
        at += field.size;
        continue;
      }
      uint64_t end = size;
      if (next_symbol < symbols.size()) end = std::min(end, symbols[next_symbol].entry->value);
      if (next_field < fields.size()) end = std::min(end, fields[next_field].offset);
      if (section.is_nobits()) {
        absl::StrAppend(&text, "\t.zero ", end - at, "\n");
      } else {
        WriteBytes(absl::MakeSpan(bytes).subspan(at, end - at), text);
      }
      at = end;
    }
  }

  static void WriteBytes(absl::Span<const uint8_t> bytes, std::string& text) {
    constexpr absl::string_view kDigits = "0123456789abcdef";
    while (!bytes.empty()) {
      const size_t zeros = static_cast<size_t>(
          std::find_if(bytes.begin(), bytes.end(), [](uint8_t b) { return b != 0; }) -
          bytes.begin());
      if (zeros >= kZeroRun) {
        absl::StrAppend(&text, "\t.zero ", zeros, "\n");
        bytes.remove_prefix(zeros);
        continue;
      }
      const size_t count = std::min(bytes.size(), kBytesPerLine);
      text += "\t.byte ";
      for (size_t i = 0; i < count; ++i) {
        if (i != 0) text += ',';
        text += "0x";
        text += kDigits[bytes[i] >> 4];
        text += kDigits[bytes[i] & 15];
      }
      text += '\n';
      bytes.remove_prefix(count);
    }
  }

  const Object& object_;
  NameTable names_;
  // Symbols without a section under null.
  // Only looked up, never walked where the order of pointers could be seen in the output.
  std::map<const Section*, std::vector<NamedSymbol>> symbols_;
  std::map<const Section*, std::vector<Field>> fields_;
  std::set<std::string> linker_labels_;
};

// The name in the script of the PT_LOAD that a section is in: load_<its place in the table>.
std::string LoadName(const Object& object, const Section& section) {
  const absl::Span<const ProgramHeader> headers = object.program_headers();
  for (size_t i = 0; i < headers.size(); ++i) {
    if (headers[i].type == PT_LOAD && section.address() >= headers[i].address &&
        section.address() + section.Size() <= headers[i].address + headers[i].memory_size) {
      return absl::StrCat("header_", i);
    }
  }
  return "NONE";
}

std::string WriteLinkerScript(const Object& object, const AssemblyWriter& writer) {
  std::string text =
      "/* Puts every section where the object writer put it, so that the two can be compared. */\n"
      "PHDRS {\n";
  const absl::Span<const ProgramHeader> headers = object.program_headers();
  for (size_t i = 0; i < headers.size(); ++i) {
    if (headers[i].type == PT_GNU_RELRO) continue;
    absl::StrAppendFormat(&text, "  header_%u %#x%s FLAGS(%u);\n", i, headers[i].type,
                          i == 0 ? " FILEHDR PHDRS" : "", headers[i].flags);
  }
  absl::StrAppend(&text, "}\nSECTIONS {\n");
  for (const Section* section : object.sections()) {
    const bool is_table = section->type() == SHT_SYMTAB || section->type() == SHT_STRTAB;
    if (!section->is_allocated() && is_table && !object.IsUserSection(*section)) {
      continue;  // The linker places its own tables by itself.
    }
    for (const char c : section->name()) {
      CHECK(absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-')
          << section->name() << ": cannot be written in a linker script";
    }
    absl::StrAppendFormat(&text, "  %s %#x : {", section->name(), section->address());
    if (writer.NeedsLinkerLabel(*section)) {
      absl::StrAppendFormat(&text, " HIDDEN(%s = .);", SectionLabel(object, *section));
    }
    // An empty section is dropped unless something is assigned in it.
    if (section->Size() == 0) absl::StrAppend(&text, " . = .;");
    absl::StrAppendFormat(&text, " *(%s)", section->name());
    // The linker rewrites .eh_frame and loses its terminator.
    if (section == &object.eh_frame_section()) absl::StrAppend(&text, "; LONG(0);");
    absl::StrAppend(&text, " }");
    if (section->is_allocated()) {
      absl::StrAppend(&text, " :", LoadName(object, *section));
      for (size_t i = 0; i < headers.size(); ++i) {
        if (headers[i].type != PT_LOAD && headers[i].type != PT_GNU_RELRO &&
            headers[i].memory_size != 0 && section->address() >= headers[i].address &&
            section->address() < headers[i].address + headers[i].memory_size) {
          absl::StrAppend(&text, " :header_", i);
        }
      }
    } else {
      absl::StrAppend(&text, " :NONE");
    }
    text += '\n';
  }
  absl::StrAppend(&text, "  /DISCARD/ : { *(*) }\n}\n");
  return text;
}

}  // namespace

Assembly WriteAssembly(const Object& object) {
  AssemblyWriter writer(object);
  Assembly assembly;
  const std::string body = writer.Write();
  assembly.linker_script = WriteLinkerScript(object, writer);
  assembly.linker_options = absl::StrCat(
      "-shared -z max-page-size=", kPageSize,
      " -z noexecstack -z norelro --hash-style=gnu --eh-frame-hdr --spare-dynamic-tags=0");
  if (!object.options().build_id.empty()) {
    const absl::Span<const uint8_t> id = object.options().build_id;
    absl::StrAppend(&assembly.linker_options, " --build-id=0x",
                    absl::BytesToHexString(
                        absl::string_view(reinterpret_cast<const char*>(id.data()), id.size())));
  }
  if (!object.options().soname.empty()) {
    absl::StrAppend(&assembly.linker_options, " -soname ", object.options().soname);
  }
  assembly.source = absl::StrCat(
      "# An image as assembly. To make the image of it, with its linker script as image.ld:\n"
      "#   as --64 -o image.o image.s\n"
      "#   ld ",
      assembly.linker_options, " -T image.ld -o image.so image.o\n", body);
  return assembly;
}

}  // namespace precast::elfwriter
