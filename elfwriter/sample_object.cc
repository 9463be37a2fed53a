// The sample: machine code by hand, with the assembly beside it.

#include "elfwriter/sample_object.h"

#include <cstring>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "elfwriter/little_endian.h"

namespace precast::elfwriter {
namespace {

constexpr uint8_t kInt3 = 0xcc;
constexpr uint32_t kFunctionAlignment = 16;
constexpr uint32_t kCallBackSize = 15;

void Append(std::vector<uint8_t>& out, std::initializer_list<uint8_t> bytes) {
  out.insert(out.end(), bytes);
}

void PadTo(std::vector<uint8_t>& out, size_t size) {
  CHECK_LE(out.size(), size);
  out.resize(size, kInt3);
}

std::vector<uint8_t> MakeText(uint32_t numbered_functions) {
  std::vector<uint8_t> text;
  PadTo(text, kSampleReadMagic);
  Append(text, {0x48, 0x8b, 0x05, 0, 0, 0, 0});  // mov magic(%rip), %rax
  Append(text, {0xc3});                          // ret
  PadTo(text, kSampleReadGot);
  Append(text, {0x48, 0x8b, 0x05, 0, 0, 0, 0});  // mov got+8(%rip), %rax
  Append(text, {0xc3});                          // ret
  PadTo(text, kSampleCallBack);
  Append(text, {0x55});              // 0: push %rbp
  Append(text, {0x48, 0x89, 0xe5});  // 1: mov %rsp, %rbp
  Append(text, {0x48, 0x89, 0xf8});  // 4: mov %rdi, %rax
  Append(text, {0x48, 0x89, 0xf7});  // 7: mov %rsi, %rdi
  Append(text, {0xff, 0xd0});        // 10: call *%rax
  Append(text, {0xc9});              // 12: leave
  Append(text, {0xc3});              // 13: ret
  Append(text, {0x90});              // 14: nop
  CHECK_EQ(text.size(), kSampleCallBack + kCallBackSize);
  PadTo(text, kSampleCallPlt);
  Append(text, {0xe9, 0, 0, 0, 0});  // jmp .plt
  for (uint32_t i = 0; i < numbered_functions; ++i) {
    PadTo(text, kSampleNumbered + i * kFunctionAlignment);
    Append(text, {0xb8});  // mov $i, %eax
    AppendLittleEndian<4>(i, text);
    Append(text, {0xc3});  // ret
  }
  PadTo(text, kSampleNumbered + numbered_functions * kFunctionAlignment);
  return text;
}

}  // namespace

std::unique_ptr<Object> MakeSampleObject(const SampleOptions& options) {
  std::vector<uint8_t> build_id;
  for (uint8_t i = 1; i <= 20; ++i) build_id.push_back(static_cast<uint8_t>(i * 11));
  auto owned = std::make_unique<Object>(ObjectOptions{.soname = "sample.so", .build_id = build_id});
  Object& object = *owned;

  std::vector<uint8_t> code = MakeText(options.numbered_functions);
  const auto code_size = static_cast<uint32_t>(code.size());

  std::vector<uint8_t> info(kSampleInfoSize);
  StoreLittleEndian<8>(info.data() + kSampleMagicOffset, kSampleMagic);
  StoreLittleEndian<4>(info.data() + kSampleTextSizeOffset, code_size);

  std::vector<uint8_t> got_bytes(3 * 8);
  StoreLittleEndian<8>(got_bytes.data() + 8, kSampleGotValue);

  const SectionId rodata = object.AddSection({.name = ".rodata", .alignment = 8}, std::move(info));
  const SectionId text = object.AddSection(
      {.name = ".text", .segment = Segment::kText, .alignment = 16}, std::move(code));
  const SectionId plt =
      object.AddSection({.name = ".plt", .segment = Segment::kText, .alignment = 16},
                        {0xf3, 0x0f, 0x1e, 0xfa,              // endbr64
                         0x41, 0xbb, 0x07, 0x00, 0x00, 0x00,  // mov $7, %r11d
                         0xff, 0x25, 0, 0, 0, 0});            // jmp *slot(%rip)
  const SectionId got = object.AddSection(
      {.name = ".got", .segment = Segment::kRelro, .alignment = 8, .entry_size = 8},
      std::move(got_bytes));
  const SectionId got_plt = object.AddSection(
      {.name = ".got.plt", .segment = Segment::kData, .alignment = 8, .entry_size = 8},
      std::vector<uint8_t>(8));
  if (options.with_zero_fill) {
    const SectionId bss =
        object.AddSection({.name = ".bss", .segment = Segment::kData, .alignment = 32});
    object.SetZeroFill(bss, 3 * kPageSize + 5);
    object.AddSymbol({.name = "zeros", .section = bss, .size = 8, .type = SymbolType::kObject});
  }
  if (options.with_empty_sections) {
    const SectionId empty = object.AddSection({.name = ".rodata.empty", .alignment = 16});
    object.AddSection({.name = ".data.empty", .segment = Segment::kData, .alignment = 64});
    object.AddSection({.name = ".debug_empty", .segment = Segment::kUnallocated});
    object.AddSymbol({.name = "empty", .section = empty});
    object.AddFixup({rodata, kSampleEmptyOffset, FixupKind::kImageRelative32, empty});
  }
  const SectionId guest_data =
      object.AddSection({.name = ".guest.data", .segment = Segment::kCopyOnWrite});
  object.SetContentsWriter(guest_data, sizeof(kSampleGuestData),
                           [](uint64_t begin, absl::Span<uint8_t> out) {
                             std::memcpy(out.data(), kSampleGuestData + begin, out.size());
                           });
  const SectionId comment = object.AddSection(
      {.name = ".debug_sample", .segment = Segment::kUnallocated}, std::vector<uint8_t>(16));
  if (options.with_note) {
    object.AddNote(".note.gnu.gold-version", "GNU", 4, std::vector<uint8_t>{0x31, 0x2e, 0x31, 0});
  }

  object.AddFixup({rodata, kSampleTextOffset, FixupKind::kImageRelative32, text});
  object.AddFixup({rodata, kSampleEhFrameOffset, FixupKind::kImageRelative32, object.eh_frame()});
  object.AddFixup({rodata, kSampleGuestDataOffset, FixupKind::kImageRelative64, guest_data});
  object.AddFixup({rodata, kSampleDynamicOffset, FixupKind::kPcRelative32, object.dynamic()});
  object.AddFixup({rodata, kSampleSelfOffset, FixupKind::kPcRelative64, rodata});
  object.AddFixup({text, kSampleReadMagic + 3, FixupKind::kPcRelative32, rodata,
                   int64_t{kSampleMagicOffset} - 4});
  object.AddFixup({text, kSampleReadGot + 3, FixupKind::kPcRelative32, got, 8 - 4});
  object.AddFixup({text, kSampleCallPlt + 1, FixupKind::kPcRelative32, plt, -4});
  object.AddFixup({plt, 12, FixupKind::kPcRelative32, got_plt, -4});
  object.AddFixup({comment, 0, FixupKind::kImageRelative64, text, kSampleCallBack});

  object.AddSymbol({.name = "sample_info",
                    .section = rodata,
                    .size = kSampleInfoSize,
                    .binding = SymbolBinding::kGlobal,
                    .type = SymbolType::kObject});
  const auto function = [&](absl::string_view name, uint32_t offset, uint32_t size) {
    object.AddSymbol({.name = name,
                      .section = text,
                      .value = offset,
                      .size = size,
                      .type = SymbolType::kFunction});
  };
  object.AddSymbol({.name = "sample.c", .type = SymbolType::kFile});
  function("read_magic", kSampleReadMagic, 8);
  function("read_got", kSampleReadGot, 8);
  function("call_back", kSampleCallBack, kCallBackSize);
  function("call_plt", kSampleCallPlt, 5);
  object.AddSymbol({.name = "plt_0", .section = plt, .size = 16, .type = SymbolType::kFunction});
  object.AddSymbol({.name = "format version", .value = 0x12345});

  Cie cie;
  cie.initial.DefCfa(DwarfRegister::kRsp, 8).Offset(DwarfRegister::kReturnAddress, -8);
  const CieId frame = object.AddCie(cie);
  cie.signal_frame = true;
  const CieId signal_frame = object.AddCie(cie);
  CfiProgram cfi;
  // Out of order, so that the search table has something to sort.
  cfi.AdvanceTo(1).DefCfaOffset(16).Offset(DwarfRegister::kRbp, -16);
  cfi.AdvanceTo(4).DefCfaRegister(DwarfRegister::kRbp);
  cfi.AdvanceTo(13).DefCfa(DwarfRegister::kRsp, 8);
  object.AddFde(frame, text, kSampleCallBack, kCallBackSize, cfi.bytes());
  object.AddFde(frame, text, kSampleReadMagic, 8, {});
  object.AddFde(frame, text, kSampleReadGot, 8, {});
  object.AddFde(frame, text, kSampleCallPlt, 5, {});
  std::vector<uint8_t> expression;
  AppendBaseRegister(DwarfRegister::kRsp, 8, expression);
  cfi.Clear();
  cfi.DefCfaExpression(expression);
  object.AddFde(signal_frame, plt, 0, 16, cfi.bytes());

  for (uint32_t i = 0; i < options.numbered_functions; ++i) {
    const uint32_t offset = kSampleNumbered + i * kFunctionAlignment;
    object.AddSymbol(
        {.name = absl::StrCat("number_", i),
         .section = text,
         .value = offset,
         .size = 6,
         .binding = options.export_numbered ? SymbolBinding::kGlobal : SymbolBinding::kLocal,
         .type = SymbolType::kFunction});
    object.AddFde(frame, text, offset, 6, {});
  }
  object.Layout();
  return owned;
}

std::unique_ptr<Object> MakeMinimalObject() {
  auto object = std::make_unique<Object>(ObjectOptions{.build_id = {1, 2, 3, 4, 5, 6, 7, 8}});
  const SectionId rodata = object->AddSection({.name = ".rodata", .alignment = 8},
                                              std::vector<uint8_t>(kSampleInfoSize));
  const SectionId text =
      object->AddSection({.name = ".text", .segment = Segment::kText, .alignment = 16});
  object->AddSection({.name = ".got", .segment = Segment::kRelro, .alignment = 8});
  object->AddSection({.name = ".got.plt", .segment = Segment::kData, .alignment = 8});
  object->AddSection({.name = ".guest.data", .segment = Segment::kCopyOnWrite});
  object->AddFixup({rodata, kSampleTextOffset, FixupKind::kImageRelative32, text});
  object->AddFixup({rodata, kSampleDynamicOffset, FixupKind::kPcRelative32, text});
  object->AddSymbol({.name = "no_code", .section = text});
  object->AddSymbol({.name = "sample_info",
                     .section = rodata,
                     .size = kSampleInfoSize,
                     .binding = SymbolBinding::kGlobal,
                     .type = SymbolType::kObject});
  object->Layout();
  return object;
}

}  // namespace precast::elfwriter
