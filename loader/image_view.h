// The parts of an image, found in its bytes: what every reader of images shares, whether it loads
// them or only shows them. Filled by CheckImage (image_check.h), which alone says what can be
// trusted.
#ifndef PRECAST_LOADER_IMAGE_VIEW_H_
#define PRECAST_LOADER_IMAGE_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "loader/format/aot_file_info.h"
#include "loader/format/blob.h"
#include "loader/format/ex_info.h"
#include "loader/format/export_table.h"
#include "loader/format/function_references.h"
#include "loader/format/metadata.h"
#include "loader/format/offset_table.h"
#include "loader/format/records.h"

namespace precast::loader {

// A PT_LOAD. Offsets in the file and in memory are the same.
struct LoadSegment {
  uint32_t begin, end;  // [begin, end) in bytes; begin is page-aligned
  bool writable, executable;
};

// A view of an image's bytes, which must outlive it. If the report has findings, those parts that
// were found in order are set and the others empty; then it is only good for showing what is there.
class ImageView {
 public:
  absl::Span<const uint8_t> file;
  std::vector<LoadSegment> segments;  // ascending
  format::Range relro = {};           // within the writable segment; ends at a page boundary
  uint32_t info_offset = 0;           // of AotFileInfo
  format::AotFileInfo info = {};
  format::BlobReader blob;
  format::OffsetTable functions;  // code offsets, relative to info.text
  format::OffsetTable function_infos;
  format::OffsetTable ex_infos;
  format::OffsetTable got_infos;
  format::OffsetTable plt_infos;
  format::OffsetTable entries;  // Wasm: guest pcs of the functions
  format::ExportTable exports;
  format::DeclaredFunctions declared;  // Wasm
  format::ElementFunctions elements;   // Wasm
  std::vector<format::ImportedImage> images;
  format::Metadata metadata;

  absl::Span<const uint8_t> At(format::Range range) const {
    if (range.offset > file.size() || range.size > file.size() - range.offset) return {};
    return file.subspan(range.offset, range.size);
  }
  bool is_wasm() const {
    return info.guest_kind == static_cast<uint32_t>(format::GuestKind::kWasm);
  }
  const format::Range& table(format::Table t) const { return info.tables[static_cast<size_t>(t)]; }

  struct Function {
    uint32_t index;
    uint32_t code_offset;  // relative to info.text
    uint32_t code_size;
  };
  // Function number `index`; nothing if there is none or its records are damaged.
  std::optional<Function> FunctionAt(uint32_t index) const;
  // The function that `text_offset` is in, or just behind (where the return address of its last
  // call is).
  std::optional<Function> FindFunction(uint32_t text_offset) const;
  std::optional<format::FunctionInfo> FunctionInfoOf(uint32_t index) const;
  std::optional<format::ExInfoReader> ExInfoOf(uint32_t index) const;
  std::optional<format::GotInfo> GotInfoOf(uint32_t slot) const;
  std::optional<format::PltInfo> PltInfoOf(uint32_t entry) const;

  // Lookups by offset in text, through function and ex_info tables.
  std::optional<format::Site> FindSite(uint32_t text_offset) const;
  std::optional<uint32_t> GuestPcOf(uint32_t text_offset) const;
  // Offset in text of the native entry for a guest pc. RISC-V: any pc in the dispatch table; Wasm:
  // that of a function's body.
  std::optional<uint32_t> FindEntry(uint32_t guest_pc) const;
  // Wasm: that of function `index` of those that the module defines.
  std::optional<uint32_t> EntryOf(uint32_t index) const;

 private:
  std::optional<uint32_t> FindWasmEntry(uint32_t guest_pc) const;
  std::optional<format::Site> FindSiteIn(const Function& function, uint32_t text_offset) const;
};

}  // namespace precast::loader

#endif  // PRECAST_LOADER_IMAGE_VIEW_H_
