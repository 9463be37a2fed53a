// What leads to code: GOT and PLT with their descriptions, the stubs themselves, dispatch entries,
// and .eh_frame, which the unwinder of the C runtime trusts.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "loader/format/records.h"
#include "loader/format/sha256.h"
#include "loader/format/varint.h"
#include "loader/image_checker.h"

namespace precast::loader::check {

using format::LoadLe32;

void ImageChecker::CheckGotAndPlt() {
  const AotFileInfo& info = view_.info;
  Expect("got size", InfoAt(offsetof(AotFileInfo, got) + 4), uint64_t{8} * view_.got_infos.count(),
         info.got.size);
  Expect("got_plt size", InfoAt(offsetof(AotFileInfo, got_plt) + 4),
         uint64_t{8} * view_.plt_infos.count(), info.got_plt.size);
  Expect("plt size", InfoAt(offsetof(AotFileInfo, plt) + 4),
         uint64_t{format::kPltEntrySize} * view_.plt_infos.count(), info.plt.size);
  for (uint32_t slot = 0; slot < view_.got_infos.count(); ++slot) {
    const std::optional<format::GotInfo> got = view_.GotInfoOf(slot);
    if (!got || got->index >= static_cast<uint32_t>(abi::kNumCallbacks)) {
      Damaged(absl::StrCat("got_info ", slot), TableAt(Table::kGotInfo), "a runtime callback",
              got ? absl::StrCat("callback ", got->index) : "damaged");
      break;
    }
  }
  const absl::Span<const uint8_t> plt = view_.At(info.plt);
  for (uint32_t entry = 0; entry < view_.plt_infos.count(); ++entry) {
    if (!CheckPltInfo(entry) || !CheckPltStub(entry, plt)) break;
  }
}

bool ImageChecker::CheckPltInfo(uint32_t entry) {
  const std::optional<format::PltInfo> plt = view_.PltInfoOf(entry);
  std::string actual = "damaged";
  if (plt) {
    switch (plt->kind) {
      case format::PltInfo::Kind::kFunction:
        if (view_.FunctionAt(plt->index)) return true;
        actual = absl::StrCat("function ", plt->index);
        break;
      case format::PltInfo::Kind::kRuntimeCallback:
        if (plt->index < static_cast<uint32_t>(abi::kNumCallbacks)) return true;
        actual = absl::StrCat("callback ", plt->index);
        break;
      case format::PltInfo::Kind::kImport:
        // Reserved: images that import others are not linked yet, so there is nothing to bind it
        // to.
        actual = absl::StrCat("import from image ", plt->image);
        break;
    }
  }
  Damaged(absl::StrCat("plt_info ", entry), TableAt(Table::kPltInfo),
          "a function of the image or a runtime callback", actual);
  return false;
}

bool ImageChecker::CheckPltStub(uint32_t entry, absl::Span<const uint8_t> plt) {
  const AotFileInfo& info = view_.info;
  const size_t at = size_t{entry} * format::kPltEntrySize;
  if (plt.size() < at + format::kPltEntrySize) return false;
  std::array<uint8_t, format::kPltEntrySize> expected = {0xf3, 0x0f, 0x1e, 0xfa, 0x41, 0xbb, 0, 0,
                                                         0,    0,    0xff, 0x25, 0,    0,    0, 0};
  const uint32_t displacement =
      info.got_plt.offset + 8 * entry -
      (info.plt.offset + static_cast<uint32_t>(at) + format::kPltEntrySize);
  for (int i = 0; i < 4; ++i) {
    expected[6 + i] = static_cast<uint8_t>(entry >> (8 * i));
    expected[12 + i] = static_cast<uint8_t>(displacement >> (8 * i));
  }
  const absl::Span<const uint8_t> actual = plt.subspan(at, format::kPltEntrySize);
  if (std::equal(expected.begin(), expected.end(), actual.begin())) return true;
  Damaged(absl::StrCat("plt stub ", entry), info.plt.offset + at, format::ToHex(expected),
          format::ToHex(actual));
  return false;
}

void ImageChecker::CheckDispatch() {
  const AotFileInfo& info = view_.info;
  const Range range = view_.table(Table::kDispatch);
  ExpectThat(range.size % 4 == 0, "table dispatch size", TableAt(Table::kDispatch),
             "a multiple of 4", range.size);
  const uint64_t count = range.size / 4;
  if (info.dispatch_shift > 31 ||
      (count << std::min(info.dispatch_shift, 31u)) > (uint64_t{1} << 32) - info.dispatch_base_pc) {
    Damaged("dispatch_base_pc", InfoAt(offsetof(AotFileInfo, dispatch_base_pc)),
            "a range of guest pcs within 4 GiB",
            absl::StrCat(count, " << ", info.dispatch_shift, " from ", Hex(info.dispatch_base_pc)));
    return;
  }
  if (options_.trusted) return;
  const uint8_t* entries = view_.At(range).data();
  for (uint64_t i = 0; i < count; ++i) {
    const uint32_t entry = LoadLe32(entries + 4 * i);
    if (entry == 0 || range.offset + entry - info.text.offset < info.text.size) continue;
    Damaged(absl::StrCat("dispatch entry ", i), range.offset + 4 * i, "0 or an address in text",
            Hex(range.offset + entry));
    return;
  }
}

void ImageChecker::CheckEhFrame() {
  const Range range = view_.info.eh_frame;
  if (range.size == 0) return;
  const absl::Span<const uint8_t> bytes = view_.At(range);
  const auto damaged = [&](uint64_t at, std::string_view expected, uint64_t actual) {
    Damaged(".eh_frame", range.offset + at, std::string(expected), Hex(actual));
  };
  std::vector<uint32_t> cies;
  uint64_t previous_end = 0;
  uint64_t at = 0;
  while (true) {
    if (bytes.size() - at < 4) return damaged(at, "an entry or the terminator", bytes.size() - at);
    const uint32_t length = LoadLe32(bytes.data() + at);
    if (length == 0) break;
    const uint64_t body = at + 4;
    if (length < 4 || length > bytes.size() - body)
      return damaged(at, "a length inside .eh_frame", length);
    const uint32_t id = LoadLe32(bytes.data() + body);
    const absl::Span<const uint8_t> rest = bytes.subspan(body + 4, length - 4);
    if (id == 0) {
      if (!IsKnownCie(rest))
        return damaged(body, "a CIE of version 1 with augmentation zR or zRS", rest.size());
      cies.push_back(static_cast<uint32_t>(at));
    } else {
      if (id > body ||
          !std::binary_search(cies.begin(), cies.end(), static_cast<uint32_t>(body - id))) {
        return damaged(body, "an FDE of a CIE before it", id);
      }
      if (rest.size() < 9 || rest[8] != 0)
        return damaged(body, "an FDE without augmentation data", rest.size());
      // Begin of the code, relative to the field, and its size.
      const uint64_t field = uint64_t{range.offset} + body + 4;
      const uint32_t begin = static_cast<uint32_t>(field) + LoadLe32(rest.data());
      const uint32_t size = LoadLe32(rest.data() + 4);
      const LoadSegment* segment = SegmentOf({begin, size});
      if (segment == nullptr || !segment->executable || begin < previous_end) {
        return damaged(body, "an FDE of executable code behind that of the one before", begin);
      }
      previous_end = uint64_t{begin} + size;
    }
    at = body + length;
  }
  if (at + 4 != bytes.size()) damaged(at, "the terminator at the end", at);
}

bool ImageChecker::IsKnownCie(absl::Span<const uint8_t> cie) {
  if (cie.empty() || cie[0] != 1) return false;
  cie.remove_prefix(1);
  for (std::string_view augmentation :
       {std::string_view("zR\0", 3), std::string_view("zRS\0", 4)}) {
    // Code alignment 1, data alignment -8, return address 16, one byte of data: PC-relative,
    // signed 32 bits.
    constexpr uint8_t kTail[] = {0x01, 0x78, 0x10, 0x01, 0x1b};
    if (cie.size() >= augmentation.size() + sizeof(kTail) &&
        std::memcmp(cie.data(), augmentation.data(), augmentation.size()) == 0) {
      return std::memcmp(cie.data() + augmentation.size(), kTail, sizeof(kTail)) == 0;
    }
  }
  return false;
}

void ImageChecker::CheckDispatchTargets() {
  const AotFileInfo& info = view_.info;
  const Range range = view_.table(Table::kDispatch);
  const uint8_t* entries = view_.At(range).data();
  for (uint32_t i = 0; i < range.size / 4; ++i) {
    const uint32_t entry = LoadLe32(entries + 4 * i);
    if (entry == 0) continue;
    const uint32_t text_offset = range.offset + entry - info.text.offset;
    const std::optional<ImageView::Function> function = view_.FindFunction(text_offset);
    if (function && text_offset - function->code_offset < function->code_size) continue;
    Damaged(absl::StrCat("dispatch entry ", i), range.offset + 4 * i,
            "0 or an address in a function", Hex(range.offset + entry));
    return;
  }
}

}  // namespace precast::loader::check
