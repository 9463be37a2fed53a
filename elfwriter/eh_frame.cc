// Lays CIEs and FDEs out as they are added; only initial locations wait for addresses.

#include "elfwriter/eh_frame.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "absl/log/check.h"
#include "elfwriter/little_endian.h"

namespace precast::elfwriter {
namespace {

// LSB 5.0 core, 10.5.1 "DWARF Exception Header Encoding": format in the low, application in the
// high four bits.
constexpr uint8_t kUdata4 = 0x03;
constexpr uint8_t kSdata4 = 0x0b;
constexpr uint8_t kPcRelative = 0x10;
constexpr uint8_t kDataRelative = 0x30;

constexpr uint8_t kCieVersion = 1;
// Entries are padded so that their length fields are aligned, as the GNU linker leaves them.
constexpr uint64_t kEntryAlignment = 4;

constexpr uint8_t kHeaderVersion = 1;
constexpr uint64_t kHeaderSize = 12;
constexpr uint64_t kHeaderEntrySize = 8;

// `to` - `from` as a 32-bit field.
uint32_t Displacement32(uint64_t to, uint64_t from) {
  const auto difference = static_cast<int64_t>(to - from);
  CHECK_GE(difference, std::numeric_limits<int32_t>::min());
  CHECK_LE(difference, std::numeric_limits<int32_t>::max());
  return static_cast<uint32_t>(difference);
}

}  // namespace

EhFrameSection::EhFrameSection()
    : Section({.name = ".eh_frame", .alignment = 8, .type = SHT_PROGBITS}) {}

uint64_t EhFrameSection::BeginEntry() {
  CheckNotPlaced();
  const uint64_t start = bytes_.size();
  AppendLittleEndian<4>(0, bytes_);  // Length: see EndEntry.
  return start;
}

void EhFrameSection::EndEntry(uint64_t start) {
  // Padding is DW_CFA_nop, which is 0.
  bytes_.resize(start + AlignUp(bytes_.size() - start, kEntryAlignment));
  const uint64_t length = bytes_.size() - start - 4;
  // 0xfffffff0 and above announce other formats.
  CHECK_LT(length, 0xfffffff0u);
  StoreLittleEndian<4>(bytes_.data() + start, length);
}

CieId EhFrameSection::AddCie(const Cie& cie) {
  const uint64_t start = BeginEntry();
  AppendLittleEndian<4>(0, bytes_);  // CIE id
  bytes_.push_back(kCieVersion);
  bytes_.push_back('z');  // Augmentation data has a length,
  bytes_.push_back('R');  // holds the pointer encoding,
  if (cie.signal_frame) bytes_.push_back('S');
  bytes_.push_back(0);
  AppendUleb128(1, bytes_);  // Code alignment factor
  AppendSleb128(CfiProgram::kDataAlignment, bytes_);
  AppendUleb128(static_cast<uint8_t>(DwarfRegister::kReturnAddress), bytes_);
  AppendUleb128(1, bytes_);  // Size of the augmentation data
  bytes_.push_back(kPcRelative | kSdata4);
  const absl::Span<const uint8_t> initial = cie.initial.bytes();
  bytes_.insert(bytes_.end(), initial.begin(), initial.end());
  EndEntry(start);
  cie_offsets_.push_back(start);
  return static_cast<CieId>(cie_offsets_.size() - 1);
}

void EhFrameSection::AddFde(CieId cie, const Section& code, SectionId code_id, uint64_t code_offset,
                            uint32_t code_size, absl::Span<const uint8_t> instructions) {
  CHECK_LT(static_cast<uint32_t>(cie), cie_offsets_.size());
  const uint64_t start = BeginEntry();
  // CIE pointer: distance from this field back to the CIE.
  AppendLittleEndian<4>(start + 4 - cie_offsets_[static_cast<uint32_t>(cie)], bytes_);
  AppendLittleEndian<4>(0, bytes_);  // Initial location, resolved when written.
  AppendLittleEndian<4>(code_size, bytes_);
  AppendUleb128(0, bytes_);  // Size of the augmentation data
  bytes_.insert(bytes_.end(), instructions.begin(), instructions.end());
  EndEntry(start);
  fdes_.push_back({start, &code, code_id, code_offset, code_size});
}

uint64_t EhFrameSection::Size() const { return bytes_.size() + kTerminatorSize; }

void EhFrameSection::WriteTo(absl::Span<uint8_t> out) const {
  CHECK_EQ(out.size(), Size());
  if (!bytes_.empty()) std::memcpy(out.data(), bytes_.data(), bytes_.size());
  for (const FdeRecord& fde : fdes_) {
    const uint64_t field = fde.fde_offset + kInitialLocationOffset;
    StoreLittleEndian<4>(out.data() + field,
                         Displacement32(fde.code->address() + fde.code_offset, address() + field));
  }
}

EhFrameHeaderSection::EhFrameHeaderSection(const EhFrameSection& eh_frame)
    : Section({.name = ".eh_frame_hdr", .alignment = 4, .type = SHT_PROGBITS}),
      eh_frame_(eh_frame) {}

uint64_t EhFrameHeaderSection::Size() const {
  return kHeaderSize + kHeaderEntrySize * eh_frame_.fdes().size();
}

void EhFrameHeaderSection::WriteTo(absl::Span<uint8_t> out) const {
  struct Row {
    uint64_t code;
    uint64_t code_end;
    uint64_t fde;
  };
  std::vector<Row> rows;
  rows.reserve(eh_frame_.fdes().size());
  for (const EhFrameSection::FdeRecord& fde : eh_frame_.fdes()) {
    const uint64_t code = fde.code->address() + fde.code_offset;
    rows.push_back({code, code + fde.code_size, eh_frame_.address() + fde.fde_offset});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.code < b.code; });

  SpanWriter writer(out);
  writer.U8(kHeaderVersion);
  writer.U8(kPcRelative | kSdata4);    // How the pointer to .eh_frame is encoded,
  writer.U8(kUdata4);                  // the number of rows,
  writer.U8(kDataRelative | kSdata4);  // and the table: relative to this section.
  writer.U32(Displacement32(eh_frame_.address(), address() + 4));
  writer.U32(static_cast<uint32_t>(rows.size()));
  for (size_t i = 0; i < rows.size(); ++i) {
    CHECK(i == 0 || rows[i - 1].code_end <= rows[i].code)
        << "unwind information for overlapping functions at " << rows[i].code;
    writer.U32(Displacement32(rows[i].code, address()));
    writer.U32(Displacement32(rows[i].fde, address()));
  }
  CHECK_EQ(writer.remaining(), 0u);
}

}  // namespace precast::elfwriter
