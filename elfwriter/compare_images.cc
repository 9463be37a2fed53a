// Compares an image our writer made with the one that `as` and `ld` made of its assembly, and says
// what differs beyond what assembly.h allows. Exit status 0 if nothing does.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "elfwriter/elf_reader.h"

namespace precast::elfwriter {
namespace {

std::vector<uint8_t> ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The linker names its input where no `.file` directive does, and itself as "".
bool IsNameOfObjectFile(const ReadSymbol& symbol) {
  return ELF64_ST_TYPE(symbol.entry.st_info) == STT_FILE &&
         (symbol.name.empty() || absl::EndsWith(symbol.name, ".o"));
}

class Comparison {
 public:
  Comparison(const ReadElf& ours, const ReadElf& theirs) : ours_(ours), theirs_(theirs) {}

  int Run() {
    Check(ours_.header.e_type == theirs_.header.e_type, "e_type");
    Check(ours_.header.e_machine == theirs_.header.e_machine, "e_machine");
    CompareSections();
    CompareSymbols(".symtab", ours_.symbols, theirs_.symbols);
    CompareSymbols(".dynsym", ours_.dynsym, theirs_.dynsym);
    CompareDynamic();
    CompareProgramHeaders();
    if (differences_ == 0) {
      std::printf("equivalent: %zu sections, %zu symbols\n", ours_.sections.size(),
                  ours_.symbols.size());
    }
    return differences_ == 0 ? 0 : 1;
  }

 private:
  void Check(bool is_equal, const std::string& what) {
    if (is_equal) return;
    ++differences_;
    std::printf("differs: %s\n", what.c_str());
  }

  void CompareSections() {
    for (const ReadSection& ours : ours_.sections) {
      if (ours.header.sh_type == SHT_NULL) continue;
      const ReadSection* theirs = theirs_.Find(ours.name);
      Check(theirs != nullptr, absl::StrCat(ours.name, " is missing"));
      if (theirs == nullptr) continue;
      Check(ours.header.sh_addr == theirs->header.sh_addr, ours.name + " sh_addr");
      Check(ours.header.sh_type == theirs->header.sh_type, ours.name + " sh_type");
      Check(ours.header.sh_flags == theirs->header.sh_flags, ours.name + " sh_flags");
      Check(ours.header.sh_addralign == theirs->header.sh_addralign, ours.name + " sh_addralign");
      const uint32_t type = ours.header.sh_type;
      // Tables that the linker orders in its own way are compared by what they mean. A hash table
      // is the same if there is but one symbol.
      if (type == SHT_SYMTAB || type == SHT_STRTAB || type == SHT_DYNSYM || type == SHT_DYNAMIC ||
          (type == SHT_GNU_HASH && ours_.dynsym.size() > 1)) {
        continue;
      }
      Check(ours.header.sh_size == theirs->header.sh_size, ours.name + " sh_size");
      Check(ours.bytes == theirs->bytes, ours.name + " bytes");
    }
  }

  // Symbols with their meaning, sorted, without those only the linker has.
  static auto Comparable(const std::vector<ReadSymbol>& symbols) {
    using Row = std::tuple<std::string, std::string, uint64_t, uint64_t, unsigned, unsigned>;
    std::vector<Row> rows;
    for (const ReadSymbol& symbol : symbols) {
      if (symbol.name == "_DYNAMIC" || symbol.name == "__GNU_EH_FRAME_HDR" ||
          symbol.name.rfind("__section_", 0) == 0 || IsNameOfObjectFile(symbol)) {
        continue;
      }
      // gas would take "name@plt" for a versioned symbol, so the assembly says "name_plt".
      std::string name = symbol.name;
      std::replace(name.begin(), name.end(), '@', '_');
      rows.emplace_back(std::move(name), symbol.section, symbol.entry.st_value,
                        symbol.entry.st_size, symbol.entry.st_info, symbol.entry.st_other);
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  void CompareSymbols(const std::string& table, const std::vector<ReadSymbol>& ours,
                      const std::vector<ReadSymbol>& theirs) {
    const auto a = Comparable(ours);
    const auto b = Comparable(theirs);
    Check(a.size() == b.size(), absl::StrCat(table, " size: ", a.size(), ", ", b.size()));
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      Check(a[i] == b[i], absl::StrCat(table, " ", std::get<0>(a[i]), " or ", std::get<0>(b[i])));
    }
  }

  void CompareDynamic() {
    const auto values = [](const ReadElf& elf) {
      std::vector<std::pair<int64_t, uint64_t>> out;
      const ReadSection* dynstr = elf.Find(".dynstr");
      for (const Elf64_Dyn& entry : elf.dynamic) {
        // Offsets in .dynstr and its size depend on the order of strings.
        const bool is_string = entry.d_tag == DT_SONAME || entry.d_tag == DT_STRSZ;
        out.emplace_back(entry.d_tag, is_string ? 0 : entry.d_un.d_val);
        if (entry.d_tag == DT_SONAME && dynstr != nullptr &&
            entry.d_un.d_val < dynstr->bytes.size()) {
          const char* name = reinterpret_cast<const char*>(dynstr->bytes.data()) + entry.d_un.d_val;
          for (; *name != 0; ++name) out.emplace_back(DT_SONAME, *name);
        }
        if (entry.d_tag == DT_NULL) break;
      }
      return out;
    };
    Check(values(ours_) == values(theirs_), ".dynamic");
  }

  void CompareProgramHeaders() {
    const auto rows = [](const ReadElf& elf) {
      std::vector<std::tuple<uint32_t, uint32_t, uint64_t>> out;
      for (const Elf64_Phdr& header : elf.program_headers) {
        if (header.p_type == PT_GNU_RELRO) continue;
        out.emplace_back(header.p_type, header.p_flags, header.p_vaddr);
      }
      return out;
    };
    Check(rows(ours_) == rows(theirs_), "program headers");
  }

  const ReadElf& ours_;
  const ReadElf& theirs_;
  int differences_ = 0;
};

int Main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: compare_images OURS THEIRS\n");
    return 2;
  }
  const auto ours = ParseElf(ReadFile(argv[1]));
  const auto theirs = ParseElf(ReadFile(argv[2]));
  if (!ours.ok() || !theirs.ok()) {
    std::fprintf(stderr, "%s\n", (ours.ok() ? theirs : ours).status().ToString().c_str());
    return 2;
  }
  return Comparison(*ours, *theirs).Run();
}

}  // namespace
}  // namespace precast::elfwriter

int main(int argc, char** argv) { return precast::elfwriter::Main(argc, argv); }
