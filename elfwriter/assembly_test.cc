// The assembly is itself the product here, so these tests state exact text.

#include "elfwriter/assembly.h"

#include <string>
#include <utility>
#include <vector>

#include "elfwriter/sample_object.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::elfwriter {
namespace {

using ::testing::HasSubstr;

TEST(WriteAssembly, WholeOfASmallObject) {
  Object object({.soname = "a.so", .build_id = {0xab, 0x01}});
  const SectionId text = object.AddSection(
      {.name = ".text", .segment = Segment::kText, .alignment = 16}, {0xe8, 0, 0, 0, 0, 0xc3});
  const SectionId rodata = object.AddSection({.name = ".rodata", .alignment = 4}, {1, 2, 3, 4});
  object.AddFixup({text, 1, FixupKind::kPcRelative32, text, 5 - 4});
  object.AddFixup({rodata, 0, FixupKind::kImageRelative32, text, 5});
  object.AddSymbol({.name = "info",
                    .section = rodata,
                    .size = 4,
                    .binding = SymbolBinding::kGlobal,
                    .type = SymbolType::kObject});
  object.AddSymbol({.name = "f", .section = text, .size = 5, .type = SymbolType::kFunction});
  object.AddSymbol({.name = "f", .section = text, .value = 5, .type = SymbolType::kFunction});
  object.AddSymbol({.name = "in field", .section = text, .value = 2});
  object.Layout();
  const Assembly assembly = WriteAssembly(object);
  EXPECT_EQ(assembly.source,
            R"(# An image as assembly. To make the image of it, with its linker script as image.ld:
#   as --64 -o image.o image.s
#   ld -shared -z max-page-size=4096 -z noexecstack -z norelro --hash-style=gnu --eh-frame-hdr --spare-dynamic-tags=0 --build-id=0xab01 -soname a.so -T image.ld -o image.so image.o

	.section .rodata, "a", @progbits
	.balign 4
.Lsection_5:
	.globl info
	.type info, @object
	.size info, 4
info:
	.long .Lsection_6+5 - . + 0x244

	.section .text, "ax", @progbits
	.balign 16
.Lsection_6:
	.type f, @function
	.size f, 5
f:
	.byte 0xe8
	.long .Lsection_6+1 - .
	.set "in field", .Lsection_6+2
	.type f.1, @function
f.1:
	.byte 0xc3

	.section .note.GNU-stack, "", @progbits
)");
  EXPECT_EQ(
      assembly.linker_script,
      R"(/* Puts every section where the object writer put it, so that the two can be compared. */
PHDRS {
  header_0 0x1 FILEHDR PHDRS FLAGS(4);
  header_1 0x1 FLAGS(5);
  header_2 0x1 FLAGS(6);
  header_3 0x2 FLAGS(6);
  header_4 0x4 FLAGS(4);
  header_5 0x6474e551 FLAGS(6);
}
SECTIONS {
  .note.gnu.build-id 0x1c8 : { *(.note.gnu.build-id) } :header_0 :header_4
  .gnu.hash 0x1e0 : { *(.gnu.hash) } :header_0
  .dynsym 0x208 : { *(.dynsym) } :header_0
  .dynstr 0x238 : { *(.dynstr) } :header_0
  .rodata 0x244 : { *(.rodata) } :header_0
  .text 0x1000 : { *(.text) } :header_1
  .dynamic 0x2000 : { *(.dynamic) } :header_2 :header_3
  /DISCARD/ : { *(*) }
}
)");
}

// The example at the head of object.h, so that it stays true.
TEST(WriteAssembly, UsageExample) {
  const std::vector<uint8_t> id(20, 0x5a);
  const size_t slot_count = 4;
  std::vector<uint8_t> code(37, 0x90);
  std::vector<uint8_t> tables(128);

  Object object({.soname = "hello.so", .build_id = id});
  SectionId text = object.AddSection({.name = ".text", .segment = Segment::kText, .alignment = 16},
                                     std::move(code));
  SectionId rodata = object.AddSection({.name = ".rodata", .alignment = 8}, std::move(tables));
  SectionId got = object.AddSection(
      {.name = ".got", .segment = Segment::kRelro, .alignment = 8, .entry_size = 8});
  object.SetContents(got, std::vector<uint8_t>(slot_count * 8));
  object.AddSymbol({.name = "aot_file_info",
                    .section = rodata,
                    .value = 0,
                    .size = 128,
                    .binding = SymbolBinding::kGlobal,
                    .type = SymbolType::kObject});
  object.AddSymbol(
      {.name = "main", .section = text, .value = 0, .size = 37, .type = SymbolType::kFunction});
  object.AddFixup({text, 7 + 3, FixupKind::kPcRelative32, got, 3 * 8 - 4});
  object.AddFixup({rodata, 32, FixupKind::kImageRelative32, text});
  Cie cie;
  cie.initial.DefCfa(DwarfRegister::kRsp, 8).Offset(DwarfRegister::kReturnAddress, -8);
  CieId frame = object.AddCie(cie);
  CfiProgram cfi;
  cfi.AdvanceTo(1).DefCfaOffset(16).Offset(DwarfRegister::kRbp, -16);
  object.AddFde(frame, text, 0, 37, cfi.bytes());
  object.Layout();
  uint64_t where = object.AddressOf(text);
  EXPECT_EQ(where, 0x1000u);
  std::vector<uint8_t> image = object.Write();
  EXPECT_EQ(image[object.FileOffsetOf(rodata) + 33], 0x10);
  Assembly same_image = WriteAssembly(object);
  EXPECT_THAT(same_image.source, HasSubstr("\naot_file_info:\n"));
}

TEST(WriteAssembly, NamesThatGasCannotExpress) {
  Object object;
  const SectionId text =
      object.AddSection({.name = ".text", .segment = Segment::kText}, std::vector<uint8_t>(64));
  uint64_t value = 0;
  for (const char* name : {".L1", "a@b", "a\"b", "a\\b", "a\nb", "\xc3\xa4", "1f", "", ".", "$x",
                           "_DYNAMIC", "f(int, char*)", "std::x", "$"}) {
    object.AddSymbol({.name = name, .section = text, .value = value++});
  }
  object.Layout();
  const std::string source = WriteAssembly(object).source;
  for (const char* label :
       {"\n_.L1:", "\na_b:", "\na_b.1:", "\na_b.2:", "\na_b.3:", "\n__:", "\n_:", "\n\"1f\":",
        "\n\"f(int, char*)\":", "\n\"std::x\":", "\n_$x:", "\n_DYNAMIC.4:"}) {
    EXPECT_THAT(source, HasSubstr(label));
  }
}

TEST(WriteAssembly, LongRunsOfZerosAreShort) {
  Object object;
  const SectionId data = object.AddSection(
      {.name = ".guest.data", .segment = Segment::kCopyOnWrite}, std::vector<uint8_t>(1 << 20));
  object.MutableContents(data)[0x1000] = 1;
  object.Layout();
  const std::string source = WriteAssembly(object).source;
  EXPECT_THAT(source, HasSubstr("\t.zero 4096\n\t.byte 0x01,0x00"));
  EXPECT_LT(source.size(), 1000u);
}

TEST(WriteAssembly, IsDeterministic) {
  const SampleOptions options = {.with_zero_fill = true, .with_note = true};
  const Assembly a = WriteAssembly(*MakeSampleObject(options));
  const Assembly b = WriteAssembly(*MakeSampleObject(options));
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.linker_script, b.linker_script);
  EXPECT_EQ(a.linker_options, b.linker_options);
  EXPECT_THAT(a.source, HasSubstr("@nobits"));
}

TEST(WriteAssemblyDeathTest, OverlappingFixups) {
  Object object;
  const SectionId id = object.AddSection({.name = ".rodata"}, std::vector<uint8_t>(8));
  object.AddFixup({id, 0, FixupKind::kImageRelative32, id});
  object.AddFixup({id, 3, FixupKind::kImageRelative32, id});
  object.Layout();
  EXPECT_DEATH(WriteAssembly(object), "fixups overlap");
}

}  // namespace
}  // namespace precast::elfwriter
