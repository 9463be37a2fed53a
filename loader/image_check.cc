// The order of the checks, how findings are reported, and what AotFileInfo itself says: version,
// identity, digest and where the image's parts lie.
#include "loader/image_check.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "loader/format/content_digest.h"
#include "loader/format/cpu_features.h"
#include "loader/format/guid.h"
#include "loader/format/sha256.h"
#include "loader/image_checker.h"

namespace precast::loader::check {

CheckReport ImageChecker::Run() {
  if (CheckElfHeader()) {
    CheckProgramHeaders();
    if (CheckDynamic() && CheckSymbol() && CheckVersion()) {
      CheckIdentity();
      if (options_.verify_digest && !options_.trusted) CheckDigest();
      CheckRanges();
      CheckTables();
      CheckGotAndPlt();
      CheckDispatch();
      CheckWasm();
      if (!options_.trusted) CheckEhFrame();
      if (options_.deep && report_.ok()) CheckFunctions();
    }
  }
  return std::move(report_);
}

void ImageChecker::Damaged(std::string_view field, uint64_t offset, std::string expected,
                           std::string actual) {
  report_.findings.push_back({Finding::Kind::kDamaged, std::string(field), offset,
                              std::move(expected), std::move(actual)});
}

void ImageChecker::Mismatch(std::string_view field, uint64_t offset, std::string expected,
                            std::string actual) {
  report_.findings.push_back({Finding::Kind::kMismatch, std::string(field), offset,
                              std::move(expected), std::move(actual)});
}

bool ImageChecker::Expect(std::string_view field, uint64_t offset, uint64_t expected,
                          uint64_t actual) {
  if (expected == actual) return true;
  Damaged(field, offset, Hex(expected), Hex(actual));
  return false;
}

bool ImageChecker::ExpectThat(bool condition, std::string_view field, uint64_t offset,
                              std::string_view expected, uint64_t actual) {
  if (!condition) Damaged(field, offset, std::string(expected), Hex(actual));
  return condition;
}

bool ImageChecker::CheckVersion() {
  Read(view_.info_offset, view_.info);
  const AotFileInfo& info = view_.info;
  if (info.magic != format::kMagic) {
    Damaged("magic", InfoAt(offsetof(AotFileInfo, magic)), format::ToHex(format::kMagic),
            format::ToHex(info.magic));
    return false;
  }
  if (info.format_version != format::kFormatVersion) {
    // Nothing behind this field may be believed.
    Mismatch("format_version", InfoAt(offsetof(AotFileInfo, format_version)),
             absl::StrCat(format::kFormatVersion), absl::StrCat(info.format_version));
    return false;
  }
  return Expect("struct_size", InfoAt(offsetof(AotFileInfo, struct_size)), sizeof(AotFileInfo),
                info.struct_size);
}

void ImageChecker::CheckIdentity() {
  const AotFileInfo& info = view_.info;
  if (options_.program_guid && info.program_guid != *options_.program_guid) {
    Mismatch("program_guid", InfoAt(offsetof(AotFileInfo, program_guid)),
             format::GuidToString(*options_.program_guid), format::GuidToString(info.program_guid));
  }
  if (options_.options_guid && info.options_guid != *options_.options_guid) {
    Mismatch("options_guid", InfoAt(offsetof(AotFileInfo, options_guid)),
             format::GuidToString(*options_.options_guid), format::GuidToString(info.options_guid));
  }
  if (info.abi_fingerprint != options_.abi_fingerprint) {
    Mismatch("abi_fingerprint", InfoAt(offsetof(AotFileInfo, abi_fingerprint)),
             format::ToHex(options_.abi_fingerprint), format::ToHex(info.abi_fingerprint));
  }
  if ((info.cpu_features & ~options_.cpu_features) != 0) {
    Mismatch(
        "cpu_features", InfoAt(offsetof(AotFileInfo, cpu_features)),
        absl::StrCat("a subset of ", format::CpuFeaturesToString(options_.cpu_features)),
        absl::StrCat(format::CpuFeaturesToString(info.cpu_features), " (the machine lacks ",
                     format::CpuFeaturesToString(info.cpu_features & ~options_.cpu_features), ")"));
  }
  const auto guest_kind = static_cast<format::GuestKind>(info.guest_kind);
  ExpectThat(guest_kind == format::GuestKind::kRiscV32 || guest_kind == format::GuestKind::kWasm,
             "guest_kind", InfoAt(offsetof(AotFileInfo, guest_kind)), "1 (RISC-V) or 2 (Wasm)",
             info.guest_kind);
  const uint32_t flags =
      format::kKnownFlags & ~(view_.is_wasm() ? format::kRiscVFlags : format::kWasmFlags);
  ExpectThat((info.flags & ~flags) == 0, "flags", InfoAt(offsetof(AotFileInfo, flags)),
             absl::StrCat("bits of ", Hex(flags)), info.flags);
  Expect("table_count", InfoAt(offsetof(AotFileInfo, table_count)), format::kTableCount,
         info.table_count);
  Expect("reserved", InfoAt(offsetof(AotFileInfo, reserved)), 0, info.reserved);
}

void ImageChecker::CheckDigest() {
  const uint64_t at = InfoAt(offsetof(AotFileInfo, content_digest));
  const format::Sha256Digest digest = format::ContentDigest(file_, at);
  if (digest != view_.info.content_digest) {
    Damaged("content_digest", at, format::ToHex(view_.info.content_digest), format::ToHex(digest));
  }
}

void ImageChecker::CheckRange(std::string_view name, size_t field, Range& range, Place place,
                              uint32_t alignment) {
  if (range.size == 0) {
    range = {};
    return;
  }
  const LoadSegment* segment = SegmentOf(range);
  const uint64_t relro_end = uint64_t{view_.relro.offset} + view_.relro.size;
  const uint64_t end = uint64_t{range.offset} + range.size;
  bool good = segment != nullptr && range.offset % alignment == 0;
  std::string_view expected;
  switch (place) {
    case Place::kReadOnly:
      expected = "a read-only segment";
      good = good && !segment->writable && !segment->executable;
      break;
    case Place::kCode:
      expected = "an executable segment";
      good = good && segment->executable;
      break;
    case Place::kRelro:
      expected = "the part of the writable segment that is sealed";
      good = good && range.offset >= view_.relro.offset && end <= relro_end;
      break;
    case Place::kWritable:
      expected = "the part of the writable segment that is not sealed";
      good = good && segment->writable &&
             (view_.relro.size == 0 || end <= view_.relro.offset || range.offset >= relro_end);
      break;
  }
  if (good) return;
  Damaged(name, InfoAt(field), absl::StrCat("aligned to ", alignment, ", inside ", expected),
          absl::StrCat(Hex(range.offset), "..", Hex(end)));
  range = {};
}

void ImageChecker::CheckRanges() {
  AotFileInfo& info = view_.info;
  CheckRange("text", offsetof(AotFileInfo, text), info.text, Place::kCode, 16);
  CheckRange("plt", offsetof(AotFileInfo, plt), info.plt, Place::kCode, format::kPltEntrySize);
  CheckRange("got", offsetof(AotFileInfo, got), info.got, Place::kRelro, 8);
  CheckRange("got_plt", offsetof(AotFileInfo, got_plt), info.got_plt, Place::kWritable, 8);
  CheckRange("guest_data", offsetof(AotFileInfo, guest_data), info.guest_data, Place::kReadOnly,
             kPageSize);
  CheckRange("guest_module", offsetof(AotFileInfo, guest_module), info.guest_module,
             Place::kReadOnly, 1);
  CheckRange("eh_frame", offsetof(AotFileInfo, eh_frame), info.eh_frame, Place::kReadOnly, 4);
  for (uint32_t t = 0; t < format::kTableCount; ++t) {
    CheckRange(absl::StrCat("table ", format::kTableNames[t]),
               offsetof(AotFileInfo, tables) + t * sizeof(Range), info.tables[t], Place::kReadOnly,
               t == static_cast<uint32_t>(Table::kDispatch) ? 4 : 1);
  }
  if (info.plt.size != 0 && info.text.size != 0 &&
      info.plt.offset < uint64_t{info.text.offset} + info.text.size) {
    Damaged("plt", InfoAt(offsetof(AotFileInfo, plt)), "behind text", Hex(info.plt.offset));
    info.plt = {};
  }
  if (info.guest_data.size % format::kGuestPageSize != 0) {
    Damaged("guest_data", InfoAt(offsetof(AotFileInfo, guest_data)), "whole pages",
            Hex(info.guest_data.size));
  }
}

}  // namespace precast::loader::check

namespace precast::loader {

CheckReport CheckImage(absl::Span<const uint8_t> file, const CheckOptions& options,
                       ImageView* view) {
  ImageView unused;
  ImageView& out = view != nullptr ? *view : unused;
  out = {};
  return check::ImageChecker(file, options, out).Run();
}

}  // namespace precast::loader
