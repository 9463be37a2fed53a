// What only images of WebAssembly modules have: the module itself, entries by function instead of a
// dispatch table, memory 0 as precomputed; and that images of RISC-V programs have none of it.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "loader/format/guid.h"
#include "loader/format/metadata.h"
#include "loader/image_checker.h"

namespace precast::loader::check {
namespace {

// Magic number and version 1 (WebAssembly core specification, section 5.5.16).
constexpr std::array<uint8_t, 8> kModuleStart = {0, 'a', 's', 'm', 1, 0, 0, 0};

}  // namespace

void ImageChecker::CheckWasm() {
  const AotFileInfo& info = view_.info;
  const uint64_t module_at = InfoAt(offsetof(AotFileInfo, guest_module));
  if (!view_.is_wasm()) {
    Expect("guest_module size", module_at + 4, 0, info.guest_module.size);
    for (Table t : {Table::kEntries, Table::kDeclared, Table::kElements}) {
      Expect(absl::StrCat("table ", format::kTableNames[static_cast<size_t>(t)], " size"),
             TableAt(t), 0, view_.table(t).size);
    }
    return;
  }
  const absl::Span<const uint8_t> module = view_.At(info.guest_module);
  if (module.size() < kModuleStart.size()) {
    Damaged("guest_module size", module_at + 4, "a WebAssembly module",
            absl::StrCat(module.size(), " bytes"));
  } else if (!std::equal(kModuleStart.begin(), kModuleStart.end(), module.begin())) {
    Damaged("guest_module", info.guest_module.offset, format::ToHex(kModuleStart),
            format::ToHex(module.first(kModuleStart.size())));
  }
  Expect("table dispatch size", TableAt(Table::kDispatch), 0, view_.table(Table::kDispatch).size);
  ExpectCount(Table::kEntries, view_.functions.count(), view_.entries.count());
  if (!view_.entries.ascending()) {
    Damaged("table entries", TableAt(Table::kEntries), "ascending", "not ascending");
  }
  if (!options_.trusted && !view_.declared.IsAscending()) {
    Damaged("table declared", TableAt(Table::kDeclared), "ascending", "not ascending");
  }
  if (!format::HasFlag(info.flags, format::ImageFlag::kMemoryInitialized)) {
    Expect("guest segments without flag memory-initialized", TableAt(Table::kMetadata), 0,
           view_.metadata.segments.size());
  }
  for (size_t i = 0; i < view_.metadata.segments.size(); ++i) {
    const format::MetadataSegment& segment = view_.metadata.segments[i];
    if (segment.size == segment.data_size && segment.readable && segment.writable &&
        !segment.executable) {
      continue;
    }
    Damaged(absl::StrCat("guest segment ", i), TableAt(Table::kMetadata),
            "readable, writable, all of it data",
            absl::StrCat(segment.data_size, " of ", segment.size, " bytes",
                         segment.readable ? ", readable" : "", segment.writable ? ", writable" : "",
                         segment.executable ? ", executable" : ""));
    break;
  }
}

void ImageChecker::CheckModuleGuid() {
  const format::Guid guid = format::GuidOf(view_.At(view_.info.guest_module));
  if (guid == view_.info.program_guid) return;
  Damaged("program_guid", InfoAt(offsetof(AotFileInfo, program_guid)),
          absl::StrCat(format::GuidToString(guid), " (of guest_module)"),
          format::GuidToString(view_.info.program_guid));
}

}  // namespace precast::loader::check
