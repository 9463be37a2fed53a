// Each rule of the checks on its own: an image altered in one field, with a digest that fits, must
// be refused for that field, by name.
#include "loader/image_check.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "loader/testing/small_image.h"

namespace precast::loader {
namespace {

using format::AotFileInfo;
using testing::Contains;
using testing::HasSubstr;

std::vector<std::string> Findings(const CheckReport& report) {
  std::vector<std::string> result;
  for (const Finding& finding : report.findings) result.push_back(finding.ToString());
  return result;
}

template <typename T>
void Put(std::vector<uint8_t>& bytes, uint64_t offset, T value) {
  ASSERT_LE(offset + sizeof(T), bytes.size());
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

class ImageCheckTest : public testing::Test {
 protected:
  virtual std::vector<uint8_t> MakeImage() const { return MakeSmallImage(); }
  void SetUp() override {
    good_ = MakeImage();
    const CheckReport report = CheckImage(good_, {.deep = true}, &view_);
    ASSERT_TRUE(report.ok()) << report.ToStatus();
  }

  // Offset in the file of the first program header of a type (and, for PT_LOAD, with these flags).
  uint64_t HeaderOf(uint32_t type, uint32_t flags = 0) const {
    Elf64_Ehdr ehdr;
    std::memcpy(&ehdr, good_.data(), sizeof(ehdr));
    for (uint32_t i = 0; i < ehdr.e_phnum; ++i) {
      const uint64_t at = ehdr.e_phoff + i * sizeof(Elf64_Phdr);
      Elf64_Phdr phdr;
      std::memcpy(&phdr, good_.data() + at, sizeof(phdr));
      if (phdr.p_type == type && (flags == 0 || phdr.p_flags == flags)) return at;
    }
    ADD_FAILURE() << "no program header of type " << type;
    return 0;
  }
  uint64_t Info(size_t field) const { return view_.info_offset + field; }
  uint64_t TableField(format::Table table) const {
    return Info(offsetof(AotFileInfo, tables) + 8 * static_cast<size_t>(table));
  }

  // Alters a copy of the image and expects a finding that contains `field`.
  void ExpectFinding(const std::string& field,
                     const std::function<void(std::vector<uint8_t>&)>& alter) {
    std::vector<uint8_t> bytes = good_;
    alter(bytes);
    FixDigest(bytes);
    const CheckReport report = CheckImage(bytes, {.deep = true}, nullptr);
    EXPECT_THAT(Findings(report), Contains(HasSubstr(field)));
  }
  template <typename T>
  void ExpectFindingWith(const std::string& field, uint64_t offset, T value) {
    ExpectFinding(field, [&](std::vector<uint8_t>& bytes) { Put(bytes, offset, value); });
  }

  std::vector<uint8_t> good_;
  ImageView view_;
};

TEST_F(ImageCheckTest, ElfHeader) {
  ExpectFindingWith<uint8_t>("e_ident magic: expected 7f454c46, actual 00454c46 (offset 0)", 0, 0);
  ExpectFindingWith<uint8_t>("e_ident class: expected 0x2, actual 0x1 (offset 0x4)", EI_CLASS,
                             ELFCLASS32);
  ExpectFindingWith<uint8_t>("e_ident data", EI_DATA, ELFDATA2MSB);
  ExpectFindingWith<uint16_t>("e_type", offsetof(Elf64_Ehdr, e_type), ET_EXEC);
  ExpectFindingWith<uint16_t>("e_machine", offsetof(Elf64_Ehdr, e_machine), EM_AARCH64);
  ExpectFindingWith<uint64_t>("e_entry", offsetof(Elf64_Ehdr, e_entry), 1);
  ExpectFindingWith<uint64_t>("e_phoff", offsetof(Elf64_Ehdr, e_phoff), ~uint64_t{0});
  ExpectFindingWith<uint16_t>("e_phnum", offsetof(Elf64_Ehdr, e_phnum), 0);
  ExpectFindingWith<uint16_t>("e_phnum", offsetof(Elf64_Ehdr, e_phnum), 0xffff);
  ExpectFindingWith<uint16_t>("e_phentsize", offsetof(Elf64_Ehdr, e_phentsize), 1);
}

TEST_F(ImageCheckTest, ProgramHeaders) {
  const uint64_t text = HeaderOf(PT_LOAD, PF_R | PF_X);
  ExpectFindingWith<uint32_t>("p_flags: expected not both writable and executable",
                              text + offsetof(Elf64_Phdr, p_flags), PF_R | PF_W | PF_X);
  ExpectFindingWith<uint32_t>("p_flags", text + offsetof(Elf64_Phdr, p_flags), PF_X);
  ExpectFindingWith<uint64_t>("p_vaddr", text + offsetof(Elf64_Phdr, p_vaddr), 0x10000);
  ExpectFindingWith<uint64_t>("p_memsz", text + offsetof(Elf64_Phdr, p_memsz), 0x10000);
  ExpectFindingWith<uint64_t>("p_filesz", text + offsetof(Elf64_Phdr, p_filesz), ~uint64_t{0});
  ExpectFindingWith<uint64_t>("p_align", text + offsetof(Elf64_Phdr, p_align), 1);
  ExpectFindingWith<uint64_t>("p_offset", text + offsetof(Elf64_Phdr, p_offset), 0);  // overlap
  ExpectFindingWith<uint32_t>("p_type", HeaderOf(PT_NOTE), PT_INTERP);
  ExpectFindingWith<uint32_t>("p_type", HeaderOf(PT_NOTE), PT_TLS);
  ExpectFindingWith<uint32_t>("(stack)", HeaderOf(PT_GNU_STACK) + offsetof(Elf64_Phdr, p_flags),
                              PF_R | PF_X);
  ExpectFindingWith<uint32_t>("PT_DYNAMIC", HeaderOf(PT_DYNAMIC), PT_NOTE);
  ExpectFindingWith<uint32_t>("got: expected", HeaderOf(PT_GNU_RELRO), PT_NOTE);
  ExpectFindingWith<uint64_t>("PT_GNU_RELRO",
                              HeaderOf(PT_GNU_RELRO) + offsetof(Elf64_Phdr, p_filesz), 8);
}

TEST_F(ImageCheckTest, DynamicSection) {
  Elf64_Phdr phdr;
  std::memcpy(&phdr, good_.data() + HeaderOf(PT_DYNAMIC), sizeof(phdr));
  for (uint64_t tag :
       {DT_NEEDED, DT_INIT, DT_FINI, DT_INIT_ARRAY, DT_RELA, DT_JMPREL, DT_TEXTREL, DT_RUNPATH}) {
    ExpectFindingWith<uint64_t>("dynamic tag", phdr.p_offset, tag);
  }
  // Without DT_NULL.
  ExpectFindingWith<uint64_t>("PT_DYNAMIC: expected DT_NULL", phdr.p_offset + phdr.p_filesz - 16,
                              DT_SONAME);
}

TEST_F(ImageCheckTest, Symbol) {
  const std::string name = format::kAotFileInfoSymbol;
  const auto at = std::search(good_.begin(), good_.end(), name.begin(), name.end()) - good_.begin();
  ExpectFindingWith<uint8_t>("dynamic symbol 1: expected aot_file_info, actual Aot_file_info",
                             static_cast<uint64_t>(at), 'A');
}

TEST_F(ImageCheckTest, AnotherVersionStopsTheReading) {
  std::vector<uint8_t> bytes = good_;
  Put<uint32_t>(bytes, Info(offsetof(AotFileInfo, format_version)), 77);
  const CheckReport report = CheckImage(bytes, {}, nullptr);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_THAT(
      report.findings[0].ToString(),
      HasSubstr(absl::StrCat("format_version: expected ", format::kFormatVersion, ", actual 77")));
  EXPECT_EQ(report.ToStatus().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ImageCheckTest, FileInfo) {
  ExpectFindingWith<uint8_t>("magic", Info(0), 'p');
  ExpectFindingWith<uint32_t>("struct_size", Info(offsetof(AotFileInfo, struct_size)), 264);
  ExpectFindingWith<uint8_t>("abi_fingerprint", Info(offsetof(AotFileInfo, abi_fingerprint)),
                             view_.info.abi_fingerprint[0] ^ 1);
  ExpectFindingWith<uint64_t>("cpu_features: expected a subset of",
                              Info(offsetof(AotFileInfo, cpu_features)), uint64_t{1} << 63);
  ExpectFindingWith<uint8_t>("options_guid", Info(offsetof(AotFileInfo, options_guid)),
                             view_.info.options_guid[0] ^ 1);
  ExpectFindingWith<uint32_t>("guest_kind", Info(offsetof(AotFileInfo, guest_kind)), 0);
  ExpectFindingWith<uint32_t>("flags", Info(offsetof(AotFileInfo, flags)), 0x80000000);
  ExpectFindingWith<uint32_t>("table_count", Info(offsetof(AotFileInfo, table_count)), 9);
  ExpectFindingWith<uint32_t>("reserved", Info(offsetof(AotFileInfo, reserved)), 1);
  ExpectFindingWith<uint32_t>("text: expected", Info(offsetof(AotFileInfo, text)), 0);
  ExpectFindingWith<uint32_t>("plt: expected", Info(offsetof(AotFileInfo, plt)),
                              view_.info.text.offset);
  ExpectFindingWith<uint32_t>("got: expected", Info(offsetof(AotFileInfo, got)),
                              view_.info.got_plt.offset);
  ExpectFindingWith<uint32_t>("got_plt: expected", Info(offsetof(AotFileInfo, got_plt)),
                              view_.info.got.offset);
  ExpectFindingWith<uint32_t>("guest_data: expected", Info(offsetof(AotFileInfo, guest_data)),
                              view_.info.got.offset);
  ExpectFindingWith<uint32_t>("eh_frame", Info(offsetof(AotFileInfo, eh_frame) + 4),
                              view_.info.eh_frame.size - 4);
  ExpectFindingWith<uint32_t>("got size", Info(offsetof(AotFileInfo, got) + 4), 0);
  ExpectFindingWith<uint32_t>("plt size", Info(offsetof(AotFileInfo, plt) + 4), 0);
  ExpectFindingWith<uint32_t>("dispatch_base_pc", Info(offsetof(AotFileInfo, dispatch_shift)), 32);
  ExpectFindingWith<uint32_t>("dispatch_base_pc", Info(offsetof(AotFileInfo, dispatch_base_pc)),
                              0xfffffffc);
}

TEST_F(ImageCheckTest, Digest) {
  std::vector<uint8_t> bytes = good_;
  bytes.back() ^= 1;
  EXPECT_THAT(Findings(CheckImage(bytes, {}, nullptr)), Contains(HasSubstr("content_digest")));
  EXPECT_TRUE(CheckImage(bytes, {.verify_digest = false}, nullptr).ok());
}

TEST_F(ImageCheckTest, Tables) {
  for (uint32_t t = 0; t < format::kTableCount; ++t) {
    const auto table = static_cast<format::Table>(t);
    if (table == format::Table::kDispatch || table == format::Table::kBlob) continue;
    // One byte shorter, and beyond the end.
    ExpectFindingWith<uint32_t>(std::string("table ") + format::kTableNames[t],
                                TableField(table) + 4, view_.table(table).size - 1);
    ExpectFindingWith<uint32_t>(std::string("table ") + format::kTableNames[t],
                                TableField(table) + 4, 0x7fffffff);
  }
  ExpectFindingWith<uint32_t>("dispatch entry 0: expected 0 or an address in text",
                              view_.table(format::Table::kDispatch).offset, 4);
  ExpectFindingWith<uint32_t>("got_info 0", TableField(format::Table::kBlob) + 4, 1);
}

TEST_F(ImageCheckTest, PltStub) {
  ExpectFindingWith<uint8_t>("plt stub 0", view_.info.plt.offset + 6, 1);   // another index
  ExpectFindingWith<uint8_t>("plt stub 0", view_.info.plt.offset + 12, 0);  // another slot
}

TEST_F(ImageCheckTest, EhFrame) {
  const uint32_t at = view_.info.eh_frame.offset;
  ExpectFindingWith<uint32_t>(".eh_frame: expected a length", at, 0xffffffff);
  ExpectFindingWith<uint32_t>(".eh_frame: expected the terminator at the end", at, 0);
  ExpectFindingWith<uint8_t>(".eh_frame: expected a CIE", at + 8, 4);
  ExpectFindingWith<uint32_t>(".eh_frame", at + 4, 1);
}

TEST_F(ImageCheckTest, ViewOfTheTables) {
  EXPECT_EQ(view_.functions.count(), 5u);
  EXPECT_EQ(view_.got_infos.count(), 1u);
  EXPECT_EQ(view_.plt_infos.count(), 1u);
  const std::optional<format::Export> found =
      view_.exports.Find("constant", format::ExportKind::kFunction);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->index, 4u);
  const std::optional<format::FunctionInfo> info = view_.FunctionInfoOf(2);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->guest_begin, kGotPc);
  EXPECT_THAT(info->got_slots, testing::ElementsAre(0));
}

TEST_F(ImageCheckTest, NothingOfWasmInOthers) {
  ExpectFindingWith<uint32_t>("flags", Info(offsetof(AotFileInfo, flags)), 5);
  ExpectFindingWith<uint32_t>("flags", Info(offsetof(AotFileInfo, flags)), 9);
  const uint64_t text = view_.table(format::Table::kMetadata).offset;
  ExpectFindingWith<uint64_t>("guest_module size", Info(offsetof(AotFileInfo, guest_module)),
                              text | uint64_t{16} << 32);
  ExpectFindingWith<uint64_t>("table entries size", TableField(format::Table::kEntries),
                              text | uint64_t{16} << 32);
}

TEST_F(ImageCheckTest, ChargesBehindAccessesAreOfWasm) {
  const CheckReport report = CheckImage(MakeSmallImage(true), {.deep = true}, nullptr);
  EXPECT_THAT(Findings(report), testing::ElementsAre(HasSubstr("function 4 memory access")));
}

class WasmImageCheckTest : public ImageCheckTest {
 protected:
  std::vector<uint8_t> MakeImage() const override { return MakeSmallWasmImage(); }
};

TEST_F(WasmImageCheckTest, ViewOfTheTables) {
  EXPECT_TRUE(view_.is_wasm());
  EXPECT_EQ(view_.At(view_.info.guest_module), SmallWasmModule());
  EXPECT_EQ(view_.FindEntry(kWasmAnswerPc), 0u);
  EXPECT_EQ(view_.FindEntry(kWasmFortyOnePc), view_.FunctionAt(1)->code_offset);
  for (uint32_t pc : {0u, kWasmAnswerPc - 1, kWasmAnswerPc + 1, kWasmFortyOnePc + 1, 0xffffffffu})
    EXPECT_FALSE(view_.FindEntry(pc)) << pc;
  const auto memory = view_.exports.Find("memory", format::ExportKind::kMemory);
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->index, 0u);
  EXPECT_TRUE(view_.exports.Find("answer", format::ExportKind::kFunction));
  EXPECT_FALSE(view_.exports.Find("forty_one", format::ExportKind::kFunction));
  ASSERT_EQ(view_.images.size(), 1u);
  EXPECT_EQ(view_.images[0].name, "library");
  EXPECT_EQ(view_.images[0].guid, SmallProgramGuid());
}

TEST_F(WasmImageCheckTest, Module) {
  const uint64_t module = Info(offsetof(AotFileInfo, guest_module));
  ExpectFindingWith<uint32_t>("guest_module", module, view_.info.got.offset);
  ExpectFindingWith<uint32_t>("guest_module size", module + 4, 0);
  ExpectFindingWith<uint32_t>("guest_module size", module + 4, 7);
  ExpectFindingWith<uint32_t>("guest_module: expected aligned", module + 4, 0x7fffffff);
  ExpectFindingWith<uint8_t>("guest_module", view_.info.guest_module.offset, 1);
  ExpectFindingWith<uint8_t>("(of guest_module)", view_.info.guest_module.offset + 8, 0);
  ExpectFindingWith<uint32_t>("flags", Info(offsetof(AotFileInfo, flags)), 0x11);
}

TEST_F(WasmImageCheckTest, EntriesAndMemory) {
  const uint64_t table = view_.table(format::Table::kEntries).offset;
  ExpectFindingWith<uint32_t>("entries of table entries", table, 1);
  ExpectFindingWith<uint8_t>("ascending", table + 6, 0);
  ExpectFindingWith<uint64_t>("table dispatch size", TableField(format::Table::kDispatch),
                              table | uint64_t{8} << 32);
  ExpectFindingWith<uint32_t>("without flag memory-initialized", Info(offsetof(AotFileInfo, flags)),
                              1);
  // Flags of the one segment: five numbers and the options before the end of the metadata.
  const format::Range metadata = view_.table(format::Table::kMetadata);
  EXPECT_EQ(good_[metadata.offset + 10], 3);
  ExpectFindingWith<uint8_t>("guest segment 0: expected readable, writable", metadata.offset + 10,
                             5);
  ExpectFindingWith<uint8_t>("guest segment 0: expected readable, writable", metadata.offset + 9,
                             0);
}

}  // namespace
}  // namespace precast::loader
