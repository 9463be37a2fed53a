// What starting the program needs, already computed by the compiler, so that a process that only
// loads images needs no front end: entry, memory layout, code ranges, and what the image was made
// with. Also the list of other images this one imports.
//
// Metadata is a stream of varints (varint.h):
//
//   entry_pc, initial_brk, phdr_address, phdr_count,
//   number of code ranges,   then per range:   begin - end of the one before, end - begin
//   number of segments,      then per segment: address >> 12, size >> 12, data_offset >> 12,
//                                              data_size >> 12,
//                                              flags byte (1 readable, 2 writable, 4 executable)
//   options text (string), compiler (string),
//   machine (string), number of extensions, then their names (strings)
//
// The table of imported images: number of images, then per image its name (string) and 16 bytes of
// GUID.
#ifndef PRECAST_LOADER_FORMAT_METADATA_H_
#define PRECAST_LOADER_FORMAT_METADATA_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "loader/format/guid.h"

namespace precast::format {

inline constexpr uint32_t kGuestPageSize = 4096;

struct MetadataCodeRange {
  uint32_t begin, end;
  friend bool operator==(const MetadataCodeRange&, const MetadataCodeRange&) = default;
};

struct MetadataSegment {
  uint32_t address = 0;      // whole pages, as all four
  uint64_t size = 0;         // bytes in memory; address + size <= 2^32
  uint32_t data_offset = 0;  // of its initial contents, relative to AotFileInfo::guest_data
  uint32_t data_size = 0;    // bytes there, <= size; the rest is zero
  bool readable = false, writable = false, executable = false;
  friend bool operator==(const MetadataSegment&, const MetadataSegment&) = default;
};

struct Metadata {
  uint32_t entry_pc = 0;
  uint32_t initial_brk = 0;
  uint32_t phdr_address = 0;
  uint32_t phdr_count = 0;
  std::vector<MetadataCodeRange> code_ranges;  // ascending, not overlapping, not empty
  std::vector<MetadataSegment> segments;       // ascending, not overlapping
  std::string options;   // canonical text; its GUID is AotFileInfo::options_guid
  std::string compiler;  // build identity of the compiler
  // OpenVM guests: the machine they run on, as openvm::ToText writes it, and the extensions
  // (openvm::ExtensionId) that they use. `machine` is empty for other guests.
  std::string machine;
  std::vector<std::string> extensions;
  friend bool operator==(const Metadata&, const Metadata&) = default;
};

struct ImportedImage {
  std::string name;
  Guid guid{};
  friend bool operator==(const ImportedImage&, const ImportedImage&) = default;
};

std::vector<uint8_t> EncodeMetadata(const Metadata& metadata);
// `guest_data_size` is AotFileInfo::guest_data.size; every segment's data is checked to lie inside.
absl::StatusOr<Metadata> DecodeMetadata(absl::Span<const uint8_t> bytes, uint32_t guest_data_size);

std::vector<uint8_t> EncodeImportedImages(absl::Span<const ImportedImage> images);
absl::StatusOr<std::vector<ImportedImage>> DecodeImportedImages(absl::Span<const uint8_t> bytes);

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_METADATA_H_
