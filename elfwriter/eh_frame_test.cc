// Exact bytes of CIEs and FDEs, and the order of the search table.

#include "elfwriter/eh_frame.h"

#include <cstring>
#include <string>

#include "elfwriter/data_section.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::elfwriter {
namespace {

using ::testing::ElementsAreArray;

constexpr SectionId kTextId{7};

std::vector<uint8_t> BytesOf(const Section& section) {
  std::vector<uint8_t> out(section.Size());
  section.WriteTo(absl::MakeSpan(out));
  return out;
}

uint32_t Load32(const std::vector<uint8_t>& bytes, size_t offset) {
  uint32_t value = 0;
  EXPECT_LE(offset + 4, bytes.size());
  if (offset + 4 <= bytes.size()) std::memcpy(&value, bytes.data() + offset, 4);
  return value;
}

Cie UsualCie() {
  Cie cie;
  cie.initial.DefCfa(DwarfRegister::kRsp, 8).Offset(DwarfRegister::kReturnAddress, -8);
  return cie;
}

struct Frames {
  DataSection text{{.name = ".text"}};
  EhFrameSection eh_frame;
  EhFrameHeaderSection header{eh_frame};

  Frames() { text.SetOwned(std::vector<uint8_t>(0x10000)); }
  void Place() {
    header.Place(1, 0x300, 0x300);
    eh_frame.Place(2, 0x400, 0x400);
    text.Place(3, 0x1000, 0x1000);
  }
};

TEST(EhFrame, EmptyHasItsTerminator) {
  Frames frames;
  frames.Place();
  EXPECT_THAT(BytesOf(frames.eh_frame), ElementsAreArray(std::vector<uint8_t>{0, 0, 0, 0}));
}

TEST(EhFrame, ExactBytes) {
  Frames frames;
  const CieId cie = frames.eh_frame.AddCie(UsualCie());
  CfiProgram cfi;
  cfi.AdvanceTo(1).DefCfaOffset(16).Offset(DwarfRegister::kRbp, -16);
  frames.eh_frame.AddFde(cie, frames.text, kTextId, 0x20, 0x1234, cfi.bytes());
  frames.Place();
  const std::vector<uint8_t> expected = {
      // CIE: length, id, version, augmentation, factors, return column, data, encoding.
      0x14, 0, 0, 0, 0, 0, 0, 0, 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b,
      // def_cfa rsp+8; ra at cfa-8; padding.
      0x0c, 7, 8, 0x90, 1, 0, 0,
      // FDE: length, distance to the CIE, 0x1020 - 0x420, size, data.
      0x14, 0, 0, 0, 0x1c, 0, 0, 0, 0, 0x0c, 0, 0, 0x34, 0x12, 0, 0, 0,
      // advance_loc 1; def_cfa_offset 16; rbp at cfa-16; padding.
      0x41, 0x0e, 16, 0x86, 2, 0, 0,
      // Terminator.
      0, 0, 0, 0};
  EXPECT_THAT(BytesOf(frames.eh_frame), ElementsAreArray(expected));
}

TEST(EhFrame, SignalFrame) {
  Frames frames;
  Cie cie = UsualCie();
  cie.signal_frame = true;
  frames.eh_frame.AddCie(cie);
  const std::vector<uint8_t> bytes(frames.eh_frame.unresolved().begin(),
                                   frames.eh_frame.unresolved().end());
  EXPECT_EQ(std::string(bytes.begin() + 9, bytes.begin() + 13), std::string("zRS\0", 4));
}

TEST(EhFrame, FdesPointToTheirOwnCie) {
  Frames frames;
  const CieId first = frames.eh_frame.AddCie(UsualCie());
  const CieId second = frames.eh_frame.AddCie(UsualCie());
  frames.eh_frame.AddFde(second, frames.text, kTextId, 0, 1, {});
  frames.eh_frame.AddFde(first, frames.text, kTextId, 1, 1, {});
  frames.Place();
  const std::vector<uint8_t> bytes = BytesOf(frames.eh_frame);
  const uint64_t a = frames.eh_frame.fdes()[0].fde_offset;
  const uint64_t b = frames.eh_frame.fdes()[1].fde_offset;
  EXPECT_EQ(a + 4 - Load32(bytes, a + 4), 24u);
  EXPECT_EQ(b + 4 - Load32(bytes, b + 4), 0u);
}

TEST(EhFrameHeader, IsSortedAndPointsAtTheFdes) {
  Frames frames;
  const CieId cie = frames.eh_frame.AddCie(UsualCie());
  const std::vector<uint64_t> starts = {0x500, 0x20, 0x9000, 0x100, 0};
  for (const uint64_t start : starts) {
    frames.eh_frame.AddFde(cie, frames.text, kTextId, start, 0x10, {});
  }
  frames.Place();
  const std::vector<uint8_t> bytes = BytesOf(frames.header);
  EXPECT_EQ(bytes.size(), 12 + 8 * starts.size());
  EXPECT_THAT(std::vector<uint8_t>(bytes.begin(), bytes.begin() + 4),
              ElementsAreArray(std::vector<uint8_t>{1, 0x1b, 0x03, 0x3b}));
  EXPECT_EQ(Load32(bytes, 4), 0x400u - 0x304u);
  EXPECT_EQ(Load32(bytes, 8), starts.size());
  const std::vector<uint8_t> eh_frame = BytesOf(frames.eh_frame);
  uint64_t previous = 0;
  for (size_t i = 0; i < starts.size(); ++i) {
    const uint64_t code = 0x300 + Load32(bytes, 12 + 8 * i);
    const uint64_t fde = 0x300 + Load32(bytes, 16 + 8 * i);
    EXPECT_GT(code, previous);
    previous = code;
    EXPECT_EQ(fde + 8 + Load32(eh_frame, fde - 0x400 + 8), code);
  }
}

TEST(EhFrameDeathTest, OverlappingFunctions) {
  Frames frames;
  const CieId cie = frames.eh_frame.AddCie(UsualCie());
  frames.eh_frame.AddFde(cie, frames.text, kTextId, 0, 0x11, {});
  frames.eh_frame.AddFde(cie, frames.text, kTextId, 0x10, 0x10, {});
  frames.Place();
  EXPECT_DEATH(BytesOf(frames.header), "overlapping");
}

TEST(EhFrameDeathTest, UnknownCie) {
  Frames frames;
  EXPECT_DEATH(frames.eh_frame.AddFde(CieId{0}, frames.text, kTextId, 0, 1, {}), "cie_offsets_");
}

}  // namespace
}  // namespace precast::elfwriter
