// The image's tables: that each is well formed and agrees with the others; in depth, that every
// function's records decode and stay inside the function.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "loader/format/blob.h"
#include "loader/format/ex_info.h"
#include "loader/format/export_table.h"
#include "loader/format/guid.h"
#include "loader/format/metadata.h"
#include "loader/format/offset_table.h"
#include "loader/format/records.h"
#include "loader/image_checker.h"
#include "runtime/abi/round_slots.h"

namespace precast::loader::check {

template <typename T>
void ImageChecker::ParseTable(Table table, T& out) {
  absl::StatusOr<T> parsed = T::Parse(view_.At(view_.table(table)));
  if (parsed.ok()) {
    out = *parsed;
  } else {
    DamagedTable(table, parsed.status());
  }
}

void ImageChecker::DamagedTable(Table table, const absl::Status& status) {
  Damaged(absl::StrCat("table ", format::kTableNames[static_cast<size_t>(table)]), TableAt(table),
          "well formed", std::string(status.message()));
}

void ImageChecker::ExpectCount(Table table, uint64_t expected, uint64_t actual) {
  if (expected == actual) return;
  Damaged(absl::StrCat("entries of table ", format::kTableNames[static_cast<size_t>(table)]),
          TableAt(table), absl::StrCat(expected), absl::StrCat(actual));
}

void ImageChecker::CheckTables() {
  const AotFileInfo& info = view_.info;
  view_.blob = format::BlobReader(view_.At(view_.table(Table::kBlob)));
  ParseTable(Table::kFunction, view_.functions);
  ParseTable(Table::kFunctionInfo, view_.function_infos);
  ParseTable(Table::kExInfo, view_.ex_infos);
  ParseTable(Table::kGotInfo, view_.got_infos);
  ParseTable(Table::kPltInfo, view_.plt_infos);
  if (view_.is_wasm()) {
    ParseTable(Table::kEntries, view_.entries);
    ParseTable(Table::kDeclared, view_.declared);
    ParseTable(Table::kElements, view_.elements);
  }
  ExpectCount(Table::kFunctionInfo, view_.functions.count(), view_.function_infos.count());
  ExpectCount(Table::kExInfo, view_.functions.count(), view_.ex_infos.count());
  if (!view_.functions.ascending()) {
    Damaged("table function", TableAt(Table::kFunction), "ascending", "not ascending");
  }

  absl::StatusOr<format::ExportTable> exports =
      format::ExportTable::Parse(view_.At(view_.table(Table::kExports)), view_.blob);
  if (exports.ok()) {
    view_.exports = *std::move(exports);
  } else {
    DamagedTable(Table::kExports, exports.status());
  }
  absl::StatusOr<std::vector<format::ImportedImage>> images =
      format::DecodeImportedImages(view_.At(view_.table(Table::kImages)));
  if (images.ok()) {
    view_.images = *std::move(images);
  } else {
    DamagedTable(Table::kImages, images.status());
  }
  absl::StatusOr<format::Metadata> metadata =
      format::DecodeMetadata(view_.At(view_.table(Table::kMetadata)), info.guest_data.size);
  if (metadata.ok()) {
    view_.metadata = *std::move(metadata);
    const format::Guid options_guid = format::GuidOf(view_.metadata.options);
    if (options_guid != info.options_guid) {
      Damaged("options_guid", InfoAt(offsetof(AotFileInfo, options_guid)),
              absl::StrCat(format::GuidToString(options_guid), " (of the options text)"),
              format::GuidToString(info.options_guid));
    }
  } else {
    DamagedTable(Table::kMetadata, metadata.status());
  }
}

void ImageChecker::CheckFunctions() {
  uint64_t previous_end = 0;
  for (uint32_t i = 0; i < view_.functions.count(); ++i) {
    const std::string name = absl::StrCat("function ", i);
    const std::optional<ImageView::Function> function = view_.FunctionAt(i);
    const std::optional<format::FunctionInfo> info = view_.FunctionInfoOf(i);
    if (!function || !info) {
      Damaged(name, TableAt(Table::kFunctionInfo), "a well-formed record", "damaged");
      return;
    }
    if (!ExpectThat(function->code_offset >= previous_end, name, TableAt(Table::kFunction),
                    absl::StrCat("to begin at or behind ", Hex(previous_end), " in text"),
                    function->code_offset)) {
      return;
    }
    previous_end = uint64_t{function->code_offset} + function->code_size;
    for (uint32_t slot : info->got_slots) {
      if (slot >= view_.got_infos.count()) {
        Damaged(absl::StrCat(name, " GOT slot"), TableAt(Table::kFunctionInfo),
                absl::StrCat("below ", view_.got_infos.count()), absl::StrCat(slot));
        return;
      }
    }
    if (!CheckExInfo(name, *function)) return;
  }
  for (uint32_t i = 0; i < view_.exports.count(); ++i) {
    const std::optional<format::Export> entry = view_.exports.Get(i);
    if (!entry || !view_.exports.NameOf(*entry) ||
        (entry->kind == format::ExportKind::kFunction && entry->index >= view_.functions.count())) {
      Damaged(absl::StrCat("export ", i), TableAt(Table::kExports),
              "a name and a function of the image",
              entry ? absl::StrCat("index ", entry->index) : "damaged");
      return;
    }
  }
  CheckDispatchTargets();
  if (view_.is_wasm()) CheckModuleGuid();
}

bool ImageChecker::CheckExInfo(const std::string& name, const ImageView::Function& function) {
  const uint64_t at = TableAt(Table::kExInfo);
  const std::optional<format::ExInfoReader> ex_info = view_.ExInfoOf(function.index);
  if (!ex_info) {
    Damaged(absl::StrCat(name, " ex_info"), at, "a well-formed record", "damaged");
    return false;
  }
  const auto sites = ex_info->DecodeSites();
  const auto lines = ex_info->DecodeLines();
  const auto rules = ex_info->DecodeFrameRules();
  if (!sites || !lines || !rules) {
    Damaged(absl::StrCat(name, " ",
                         !sites   ? "sites"
                         : !lines ? "lines"
                                  : "frame rules"),
            at, "well formed", "damaged");
    return false;
  }
  const auto inside = [&](std::string_view what, uint32_t code_offset, uint64_t end) {
    return ExpectThat(code_offset < end, absl::StrCat(name, " ", what), at,
                      absl::StrCat("a code offset below ", Hex(end)), code_offset);
  };
  // The return address behind the last call is the end of the code.
  if (!sites->empty() &&
      !inside("site", sites->back().code_offset, uint64_t{function.code_size} + 1))
    return false;
  if (!lines->empty() && !inside("line", lines->back().code_offset, function.code_size))
    return false;
  if (!rules->empty() && !inside("frame rule", rules->back().code_offset, function.code_size))
    return false;
  for (const format::Site& site : *sites) {
    if (site.kind == format::SiteKind::kTrap &&
        !ExpectThat(site.trap_code < abi::kNumTrapCodes, absl::StrCat(name, " trap code"), at,
                    absl::StrCat("below ", abi::kNumTrapCodes), site.trap_code)) {
      return false;
    }
    // Who runs a RISC-V program takes such an access for one whose charges have been made.
    if (!view_.is_wasm() && site.kind == format::SiteKind::kMemory && !site.more.empty()) {
      Damaged(absl::StrCat(name, " memory access"), at, "no charges behind it in a RISC-V program",
              absl::StrCat(site.more.size()));
      return false;
    }
    for (const format::StateLocation& location : site.state) {
      if ((location.slot > abi::kSlotPc && !abi::IsRoundSlot(location.slot)) ||
          (location.kind == format::StateLocation::Kind::kRegister &&
           (location.value < 0 || location.value > 31))) {
        Damaged(absl::StrCat(name, " state"), at, "slots 0..32, 64..67 in registers 0..31",
                absl::StrCat("slot ", location.slot, " in ", location.value));
        return false;
      }
    }
  }
  return true;
}

}  // namespace precast::loader::check
