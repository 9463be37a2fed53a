#include "loader/format/metadata.h"

#include <algorithm>
#include <string_view>

#include "absl/log/check.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "loader/format/varint.h"

namespace precast::format {
namespace {

constexpr uint32_t kPageBits = 12;
static_assert(kGuestPageSize == 1u << kPageBits);
constexpr uint64_t kAddressSpace = uint64_t{1} << 32;

enum SegmentFlag : uint8_t { kReadable = 1, kWritable = 2, kExecutable = 4, kAllFlags = 7 };

// Checks what Metadata promises; used on both sides.
absl::Status CheckRanges(const Metadata& metadata, uint32_t guest_data_size) {
  uint64_t end = 0;
  for (size_t i = 0; i < metadata.code_ranges.size(); ++i) {
    const MetadataCodeRange& range = metadata.code_ranges[i];
    if (range.begin < end || range.begin >= range.end) {
      return absl::InvalidArgumentError(absl::StrCat(
          "code range ", i, ": expected ascending, actual ", range.begin, "..", range.end));
    }
    end = range.end;
  }
  end = 0;
  for (size_t i = 0; i < metadata.segments.size(); ++i) {
    const MetadataSegment& segment = metadata.segments[i];
    if (segment.address < end || segment.size == 0 ||
        segment.size > kAddressSpace - segment.address) {
      return absl::InvalidArgumentError(
          absl::StrCat("guest segment ", i, ": expected ascending within 4 GiB, actual address ",
                       segment.address, " size ", segment.size));
    }
    end = segment.address + segment.size;
    if (segment.data_size > segment.size || segment.data_offset > guest_data_size ||
        segment.data_size > guest_data_size - segment.data_offset) {
      return absl::InvalidArgumentError(
          absl::StrCat("guest segment ", i, " data: expected within ", guest_data_size,
                       " bytes of guest data and ", segment.size, " of memory, actual offset ",
                       segment.data_offset, " size ", segment.data_size));
    }
  }
  return absl::OkStatus();
}

absl::Status Truncated(const char* what, const ByteReader& reader) {
  return absl::InvalidArgumentError(absl::StrCat(
      what, ": expected to end with the table, actual damaged or of other length (offset ",
      reader.offset(), ")"));
}

}  // namespace

std::vector<uint8_t> EncodeMetadata(const Metadata& metadata) {
  uint32_t guest_data_size = 0;
  for (const MetadataSegment& segment : metadata.segments) {
    CHECK_EQ(
        (segment.address | segment.size | segment.data_offset | segment.data_size) % kGuestPageSize,
        0u)
        << "guest segments are whole pages";
    guest_data_size = std::max(guest_data_size, segment.data_offset + segment.data_size);
  }
  CHECK_OK(CheckRanges(metadata, guest_data_size));

  ByteWriter writer;
  writer.Varint(metadata.entry_pc);
  writer.Varint(metadata.initial_brk);
  writer.Varint(metadata.phdr_address);
  writer.Varint(metadata.phdr_count);
  writer.Varint(static_cast<uint32_t>(metadata.code_ranges.size()));
  uint32_t end = 0;
  for (const MetadataCodeRange& range : metadata.code_ranges) {
    writer.Varint(range.begin - end);
    writer.Varint(range.end - range.begin);
    end = range.end;
  }
  writer.Varint(static_cast<uint32_t>(metadata.segments.size()));
  for (const MetadataSegment& segment : metadata.segments) {
    writer.Varint(segment.address >> kPageBits);
    writer.Varint(static_cast<uint32_t>(segment.size >> kPageBits));
    writer.Varint(segment.data_offset >> kPageBits);
    writer.Varint(segment.data_size >> kPageBits);
    writer.Byte(static_cast<uint8_t>((segment.readable ? kReadable : 0) |
                                     (segment.writable ? kWritable : 0) |
                                     (segment.executable ? kExecutable : 0)));
  }
  writer.String(metadata.options);
  writer.String(metadata.compiler);
  writer.String(metadata.machine);
  writer.Varint(static_cast<uint32_t>(metadata.extensions.size()));
  for (const std::string& extension : metadata.extensions) writer.String(extension);
  return writer.Take();
}

absl::StatusOr<Metadata> DecodeMetadata(absl::Span<const uint8_t> bytes, uint32_t guest_data_size) {
  ByteReader reader(bytes);
  Metadata metadata;
  metadata.entry_pc = reader.Varint();
  metadata.initial_brk = reader.Varint();
  metadata.phdr_address = reader.Varint();
  metadata.phdr_count = reader.Varint();
  metadata.code_ranges.resize(reader.Count(2));
  uint32_t end = 0;
  for (MetadataCodeRange& range : metadata.code_ranges) {
    range.begin = end + reader.Varint();
    range.end = range.begin + reader.Varint();
    end = range.end;
  }
  metadata.segments.resize(reader.Count(5));
  for (MetadataSegment& segment : metadata.segments) {
    constexpr uint32_t kPages = 1u << (32 - kPageBits);
    const uint32_t address = reader.Varint();
    const uint32_t size = reader.Varint();
    const uint32_t data_offset = reader.Varint();
    const uint32_t data_size = reader.Varint();
    const uint8_t flags = reader.Byte();
    if (address >= kPages || size > kPages || data_offset >= kPages || data_size >= kPages ||
        flags > kAllFlags) {
      reader.Fail();
    }
    segment.address = address << kPageBits;
    segment.size = uint64_t{size} << kPageBits;
    segment.data_offset = data_offset << kPageBits;
    segment.data_size = data_size << kPageBits;
    segment.readable = (flags & kReadable) != 0;
    segment.writable = (flags & kWritable) != 0;
    segment.executable = (flags & kExecutable) != 0;
  }
  metadata.options = std::string(reader.String());
  metadata.compiler = std::string(reader.String());
  metadata.machine = std::string(reader.String());
  metadata.extensions.resize(reader.Count(1));
  for (std::string& extension : metadata.extensions) extension = std::string(reader.String());
  if (!reader.ok() || reader.remaining() != 0) return Truncated("metadata", reader);
  const absl::Status ranges = CheckRanges(metadata, guest_data_size);
  if (!ranges.ok()) return ranges;
  return metadata;
}

std::vector<uint8_t> EncodeImportedImages(absl::Span<const ImportedImage> images) {
  ByteWriter writer;
  writer.Varint(static_cast<uint32_t>(images.size()));
  for (const ImportedImage& image : images) {
    writer.String(image.name);
    writer.Bytes(image.guid);
  }
  return writer.Take();
}

absl::StatusOr<std::vector<ImportedImage>> DecodeImportedImages(absl::Span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  std::vector<ImportedImage> images(reader.Count(1 + sizeof(Guid)));
  for (ImportedImage& image : images) {
    image.name = std::string(reader.String());
    const absl::Span<const uint8_t> guid = reader.Bytes(image.guid.size());
    std::copy(guid.begin(), guid.end(), image.guid.begin());
  }
  if (!reader.ok() || reader.remaining() != 0) return Truncated("images", reader);
  return images;
}

}  // namespace precast::format
