#include "loader/image_view.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "loader/format/varint.h"

namespace precast::loader {

using format::LoadLe32;
using format::Range;
using format::Table;

std::optional<ImageView::Function> ImageView::FunctionAt(uint32_t index) const {
  const std::optional<uint32_t> code_offset = functions.Get(index);
  const std::optional<uint32_t> record = function_infos.Get(index);
  if (!code_offset || !record) return std::nullopt;
  const std::optional<uint32_t> code_size = format::DecodeFunctionCodeSize(blob, *record);
  if (!code_size || *code_offset >= info.text.size || *code_size > info.text.size - *code_offset) {
    return std::nullopt;
  }
  return Function{index, *code_offset, *code_size};
}

std::optional<ImageView::Function> ImageView::FindFunction(uint32_t text_offset) const {
  const std::optional<uint32_t> index = functions.FindLast(text_offset);
  if (!index) return std::nullopt;
  const std::optional<Function> function = FunctionAt(*index);
  if (!function || text_offset - function->code_offset > function->code_size) return std::nullopt;
  return function;
}

std::optional<format::FunctionInfo> ImageView::FunctionInfoOf(uint32_t index) const {
  const std::optional<uint32_t> record = function_infos.Get(index);
  if (!record) return std::nullopt;
  return format::DecodeFunctionInfo(blob, *record);
}

std::optional<format::ExInfoReader> ImageView::ExInfoOf(uint32_t index) const {
  const std::optional<uint32_t> record = ex_infos.Get(index);
  if (!record) return std::nullopt;
  return format::ExInfoReader::At(blob, *record);
}

std::optional<format::GotInfo> ImageView::GotInfoOf(uint32_t slot) const {
  const std::optional<uint32_t> record = got_infos.Get(slot);
  if (!record) return std::nullopt;
  return format::DecodeGotInfo(blob, *record);
}

std::optional<format::PltInfo> ImageView::PltInfoOf(uint32_t entry) const {
  const std::optional<uint32_t> record = plt_infos.Get(entry);
  if (!record) return std::nullopt;
  return format::DecodePltInfo(blob, *record);
}

std::optional<format::Site> ImageView::FindSite(uint32_t text_offset) const {
  const std::optional<Function> function = FindFunction(text_offset);
  if (!function) return std::nullopt;
  const std::optional<format::Site> site = FindSiteIn(*function, text_offset);
  if (site || text_offset != function->code_offset || function->index == 0) return site;
  // Where no filler separates the functions, the return address of the last call of the one before.
  const std::optional<Function> before = FunctionAt(function->index - 1);
  if (!before || text_offset - before->code_offset != before->code_size) return std::nullopt;
  return FindSiteIn(*before, text_offset);
}

std::optional<format::Site> ImageView::FindSiteIn(const Function& function,
                                                  uint32_t text_offset) const {
  const std::optional<format::ExInfoReader> ex_info = ExInfoOf(function.index);
  if (!ex_info) return std::nullopt;
  return ex_info->FindSite(text_offset - function.code_offset);
}

std::optional<uint32_t> ImageView::GuestPcOf(uint32_t text_offset) const {
  const std::optional<Function> function = FindFunction(text_offset);
  if (!function) return std::nullopt;
  const std::optional<format::ExInfoReader> ex_info = ExInfoOf(function->index);
  if (!ex_info) return std::nullopt;
  return ex_info->GuestPcAt(text_offset - function->code_offset);
}

std::optional<uint32_t> ImageView::FindWasmEntry(uint32_t guest_pc) const {
  const std::optional<uint32_t> index = entries.FindLast(guest_pc);
  if (!index || entries.Get(*index) != guest_pc) return std::nullopt;
  return EntryOf(*index);
}

std::optional<uint32_t> ImageView::EntryOf(uint32_t index) const {
  const std::optional<uint32_t> text_offset = functions.Get(index);
  if (!text_offset || *text_offset >= info.text.size) return std::nullopt;
  return text_offset;
}

std::optional<uint32_t> ImageView::FindEntry(uint32_t guest_pc) const {
  if (is_wasm()) return FindWasmEntry(guest_pc);
  const Range range = table(Table::kDispatch);
  const uint32_t distance = guest_pc - info.dispatch_base_pc;
  if (guest_pc < info.dispatch_base_pc || info.dispatch_shift > 31) return std::nullopt;
  const uint32_t index = distance >> info.dispatch_shift;
  if (index << info.dispatch_shift != distance || index >= range.size / 4) return std::nullopt;
  const absl::Span<const uint8_t> entries = At(range);
  if (entries.empty()) return std::nullopt;
  const uint32_t entry = LoadLe32(entries.data() + size_t{4} * index);
  const uint32_t text_offset = range.offset + entry - info.text.offset;
  if (entry == 0 || text_offset >= info.text.size) return std::nullopt;
  return text_offset;
}

}  // namespace precast::loader
