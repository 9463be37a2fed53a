// Reads an image file without loading it, for inspection: also images for other machines, damaged
// ones, and those of another runtime. Safe on any bytes.
#ifndef PRECAST_TOOLS_COMMANDS_IMAGE_VIEW_H_
#define PRECAST_TOOLS_COMMANDS_IMAGE_VIEW_H_

#include <elf.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "loader/format/aot_file_info.h"
#include "loader/format/blob.h"
#include "loader/format/ex_info.h"
#include "loader/format/metadata.h"
#include "loader/format/offset_table.h"

namespace precast::aotc {

// True if the bytes begin as a WebAssembly module of version 1 does.
bool LooksLikeWasm(absl::Span<const uint8_t> file);

// True if the bytes begin like an ELF64 file for x86-64: what `aotc` takes for an image.
bool LooksLikeImage(absl::Span<const uint8_t> file);

struct ImageSection {
  std::string name;
  Elf64_Shdr header;
};

struct ImageFunction {
  uint32_t index;  // in the function table
  std::string name;
  uint32_t address;    // image-relative
  uint32_t code_size;  // bytes
  uint32_t guest_begin, guest_end;
};

class ImageView {
 public:
  // `file` must outlive the view. The error says which part of the file could not be understood.
  static absl::StatusOr<ImageView> Parse(absl::Span<const uint8_t> file);

  absl::Span<const uint8_t> file() const { return file_; }
  const std::vector<Elf64_Phdr>& segments() const { return segments_; }
  const std::vector<ImageSection>& sections() const { return sections_; }
  // Size in the file of the section of that name, 0 if there is none.
  uint64_t SectionSize(std::string_view name) const;
  // From .note.gnu.build-id; empty if there is none.
  absl::Span<const uint8_t> build_id() const { return build_id_; }

  uint32_t info_offset() const { return info_offset_; }
  const format::AotFileInfo& info() const { return info_; }
  bool is_wasm() const {
    return info_.guest_kind == static_cast<uint32_t>(format::GuestKind::kWasm);
  }
  // Whether the content digest is that of the bytes.
  bool DigestIsRight() const;
  // Bytes of a range of the image; empty if it is not inside.
  absl::Span<const uint8_t> At(format::Range range) const;
  absl::Span<const uint8_t> Table(format::Table table) const {
    return At(info_.tables[static_cast<size_t>(table)]);
  }
  const format::BlobReader& blob() const { return blob_; }
  const format::Metadata& metadata() const { return metadata_; }
  const std::vector<format::ImportedImage>& imported_images() const { return imported_images_; }

  // By ascending address.
  const std::vector<ImageFunction>& functions() const { return functions_; }
  std::optional<format::ExInfoReader> ExInfo(const ImageFunction& function) const;
  // Where that record begins in the blob; equal records of several functions are stored once.
  std::optional<uint32_t> ExInfoOffset(const ImageFunction& function) const {
    return ex_info_.Get(function.index);
  }
  uint32_t got_entries() const { return got_info_.count(); }
  uint32_t plt_entries() const { return plt_info_.count(); }
  // What a GOT slot or PLT stub is bound to, as text.
  std::string GotName(uint32_t slot) const;
  std::string PltName(uint32_t entry) const;

  // The guest's instruction word at a pc, from the image's copy of guest memory.
  std::optional<uint32_t> GuestWord(uint32_t pc) const;
  // Guest code in the ranges of all functions, each counted once: nearly that which native code was
  // made from (ranges may have holes). RISC-V: in instructions; Wasm: in bytes.
  uint64_t guest_units() const { return guest_units_; }

 private:
  ImageView() = default;

  absl::Status ParseElf();
  absl::Status ParseInfo();
  absl::Status ParseFunctions();

  absl::Span<const uint8_t> file_;
  std::vector<Elf64_Phdr> segments_;
  std::vector<ImageSection> sections_;
  absl::Span<const uint8_t> build_id_;
  uint32_t info_offset_ = 0;
  format::AotFileInfo info_ = {};
  format::BlobReader blob_;
  format::Metadata metadata_;
  format::OffsetTable ex_info_, got_info_, plt_info_;
  std::vector<ImageFunction> functions_;
  std::vector<format::ImportedImage> imported_images_;
  std::map<uint64_t, std::string_view> symbols_;  // of functions, by address
  uint64_t guest_units_ = 0;
};

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_IMAGE_VIEW_H_
