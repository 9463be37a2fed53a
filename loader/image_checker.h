// The checks of image_check.h and what they share: the file, the view as far as it was found in
// order, and the findings so far. The files that check:
//
//   image_check.cc         order of the checks; identity, digest and ranges of the file info
//   image_check_elf.cc     the ELF envelope, the dynamic section and its one symbol
//   image_check_tables.cc  the structure of the tables and, in depth, every record
//   image_check_wasm.cc    the module inside an image, and tables that only Wasm or RISC-V has
//   image_check_code.cc    what points at code: GOT, PLT, dispatch table, .eh_frame
#ifndef PRECAST_LOADER_IMAGE_CHECKER_H_
#define PRECAST_LOADER_IMAGE_CHECKER_H_

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "loader/check_report.h"
#include "loader/format/aot_file_info.h"
#include "loader/format/offset_table.h"
#include "loader/image_check.h"
#include "loader/image_view.h"

namespace precast::loader::check {

using format::AotFileInfo;
using format::Range;
using format::Table;

inline constexpr uint64_t kPageSize = 0x1000;

inline std::string Hex(uint64_t value) { return absl::StrFormat("%#x", value); }

class ImageChecker {
 public:
  ImageChecker(absl::Span<const uint8_t> file, const CheckOptions& options, ImageView& view)
      : file_(file), options_(options), view_(view) {
    view_.file = file;
  }

  CheckReport Run();

 private:
  // --- Reading and reporting ---

  template <typename T>
  bool Read(uint64_t offset, T& out) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (offset > file_.size() || sizeof(T) > file_.size() - offset) return false;
    std::memcpy(&out, file_.data() + offset, sizeof(T));
    return true;
  }

  void Damaged(std::string_view field, uint64_t offset, std::string expected, std::string actual);
  void Mismatch(std::string_view field, uint64_t offset, std::string expected, std::string actual);
  bool Expect(std::string_view field, uint64_t offset, uint64_t expected, uint64_t actual);
  bool ExpectThat(bool condition, std::string_view field, uint64_t offset,
                  std::string_view expected, uint64_t actual);

  // --- Envelope ---

  bool CheckElfHeader();

  static uint64_t HeaderOffset(uint32_t i) { return sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr); }

  void CheckProgramHeaders();
  void CheckSameAddress(const std::string& name, uint64_t at, const Elf64_Phdr& phdr);
  void CheckLoad(const std::string& name, uint64_t at, const Elf64_Phdr& phdr);
  void CheckRelro();
  const LoadSegment* SegmentOf(Range range) const;

  // --- Dynamic section and symbol ---

  bool CheckDynamic();

  // One symbol, found as a dynamic linker would find it: hash table, chain, name.
  bool CheckSymbol();
  void CheckGnuHash();

  // --- File info ---

  uint64_t InfoAt(size_t field) const { return view_.info_offset + field; }

  bool CheckVersion();
  void CheckIdentity();
  void CheckDigest();

  // --- Ranges ---

  enum class Place : uint8_t { kReadOnly, kCode, kRelro, kWritable };

  // A range that is not where it should be is reported and becomes empty.
  void CheckRange(std::string_view name, size_t field, Range& range, Place place,
                  uint32_t alignment);
  void CheckRanges();

  // --- Tables ---

  uint64_t TableAt(Table table) const { return view_.table(table).offset; }

  template <typename T>
  void ParseTable(Table table, T& out);
  void DamagedTable(Table table, const absl::Status& status);
  void ExpectCount(Table table, uint64_t expected, uint64_t actual);
  void CheckTables();

  // --- What leads to code ---

  void CheckGotAndPlt();
  bool CheckPltInfo(uint32_t entry);

  // endbr64; mov $entry, %r11d; jmp *slot(%rip)
  bool CheckPltStub(uint32_t entry, absl::Span<const uint8_t> plt);
  void CheckDispatch();

  // --- What only images of WebAssembly modules have ---

  void CheckWasm();

  // --- .eh_frame (LSB 5.0 core, 10.6.1), only as our writer makes it ---

  void CheckEhFrame();

  // Version, augmentation, factors, return address column, pointer encoding.
  static bool IsKnownCie(absl::Span<const uint8_t> cie);

  // --- Deep checks ---

  void CheckFunctions();
  bool CheckExInfo(const std::string& name, const ImageView::Function& function);
  void CheckDispatchTargets();
  void CheckModuleGuid();

  const absl::Span<const uint8_t> file_;
  const CheckOptions& options_;
  ImageView& view_;
  CheckReport report_;

  uint32_t phnum_ = 0;
  Range dynamic_ = {};
  uint64_t gnu_hash_ = ~uint64_t{0}, strtab_ = ~uint64_t{0}, symtab_ = ~uint64_t{0}, strsz_ = 0;
};

}  // namespace precast::loader::check

#endif  // PRECAST_LOADER_IMAGE_CHECKER_H_
