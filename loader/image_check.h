// Checks an image without executing or mapping anything: a pure function from bytes to what is
// wrong with them, and to a view of the image's tables. Whatever the bytes, it stays inside them.
//
// What is checked always: the ELF envelope (only what our object writer can produce is accepted),
// the one dynamic symbol, identity (program, options, runtime ABI, machine), the digest, that every
// range lies in a segment of the right kind, the structure of every table, GOT and PLT
// descriptions, PLT code, dispatch entries, and the structure of .eh_frame, because the unwinder of
// the C runtime trusts it. With `deep`, also every record of every function and the order of
// functions.
//
// What is not: the machine code itself. Whoever can compute a new digest can put any code there.
#ifndef PRECAST_LOADER_IMAGE_CHECK_H_
#define PRECAST_LOADER_IMAGE_CHECK_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "loader/check_report.h"
#include "loader/format/aot_file_info.h"
#include "loader/format/blob.h"
#include "loader/format/cpu_features.h"
#include "loader/format/ex_info.h"
#include "loader/format/export_table.h"
#include "loader/format/guid.h"
#include "loader/format/metadata.h"
#include "loader/format/offset_table.h"
#include "loader/format/records.h"
#include "runtime/abi/fingerprint.h"

namespace precast::loader {

struct CheckOptions {
  std::optional<format::Guid> program_guid = {};  // what the image must have been compiled from
  std::optional<format::Guid> options_guid = {};  // and with
  abi::Fingerprint abi_fingerprint = abi::kFingerprint;
  uint64_t cpu_features = format::HostCpuFeatures();
  bool verify_digest = true;
  bool deep = false;
};

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
  format::ExportTable exports;
  std::vector<format::ImportedImage> images;
  format::Metadata metadata;

  absl::Span<const uint8_t> At(format::Range range) const {
    if (range.offset > file.size() || range.size > file.size() - range.offset) return {};
    return file.subspan(range.offset, range.size);
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
  // Offset in text of the native entry for a guest pc.
  std::optional<uint32_t> FindEntry(uint32_t guest_pc) const;

 private:
  std::optional<format::Site> FindSiteIn(const Function& function, uint32_t text_offset) const;
};

// `view` may be null. Allocates in proportion to the file's size at most.
CheckReport CheckImage(absl::Span<const uint8_t> file, const CheckOptions& options,
                       ImageView* view);

}  // namespace precast::loader

#endif  // PRECAST_LOADER_IMAGE_CHECK_H_
