// .eh_frame: unwind rules for every function, and .eh_frame_hdr: a sorted table over it. Read by
// _Unwind_Backtrace, gdb and perf; a loader that does not use dlopen hands .eh_frame to
// __register_frame.
//
// Sources: LSB 5.0 core, 10.6 "DWARF Extensions" (.eh_frame 10.6.1, .eh_frame_hdr 10.6.2);
// DWARF 5, section 6.4.1.

#ifndef PRECAST_ELFWRITER_EH_FRAME_H_
#define PRECAST_ELFWRITER_EH_FRAME_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "elfwriter/cfi.h"
#include "elfwriter/section.h"

namespace precast::elfwriter {

// Names a CIE of one EhFrameSection.
enum class CieId : uint32_t {};

// What the functions of a kind have in common. Alignment factors are 1 and -8, the return address
// is column 16, pointers are PC-relative 32-bit (augmentation "zR").
struct Cie {
  // Rules at function entry. For the usual x86-64 frame:
  // DefCfa(kRsp, 8).Offset(kReturnAddress, -8).
  CfiProgram initial;
  // The frame was interrupted rather than called (augmentation "zRS"): unwinders then look the
  // return address up as it is instead of one byte before it.
  bool signal_frame = false;
};

// The call frame section: CIEs and FDEs in the order added, then a zero terminator.
class EhFrameSection : public Section {
 public:
  // Where an FDE is and which code it describes.
  struct FdeRecord {
    uint64_t fde_offset;   // Of its length field, in this section.
    const Section* code;   // Not owned.
    SectionId code_id;     // The same section.
    uint64_t code_offset;  // Start of the function in `code`.
    uint32_t code_size;    // In bytes.
  };
  // Bytes from the length field of an FDE to its initial location.
  static constexpr uint64_t kInitialLocationOffset = 8;
  // A length of zero, after the last entry.
  static constexpr uint64_t kTerminatorSize = 4;

  EhFrameSection();

  CieId AddCie(const Cie& cie);
  // Describes the function at [code_offset, code_offset + code_size) of `code`. `instructions`
  // is encoded CFI, see CfiProgram. Ranges must not overlap.
  void AddFde(CieId cie, const Section& code, SectionId code_id, uint64_t code_offset,
              uint32_t code_size, absl::Span<const uint8_t> instructions);

  absl::Span<const FdeRecord> fdes() const { return fdes_; }
  // The bytes without the initial locations, which are PC-relative fixups.
  absl::Span<const uint8_t> unresolved() const { return bytes_; }

  uint64_t Size() const override;
  // Writes the bytes with the initial locations resolved.
  void WriteTo(absl::Span<uint8_t> out) const override;

 private:
  uint64_t BeginEntry();
  void EndEntry(uint64_t start);

  std::vector<uint8_t> bytes_;
  std::vector<uint64_t> cie_offsets_;
  std::vector<FdeRecord> fdes_;
};

// The binary search table over the FDEs, by initial location.
class EhFrameHeaderSection : public Section {
 public:
  // `eh_frame` is not owned and must outlive this.
  explicit EhFrameHeaderSection(const EhFrameSection& eh_frame);

  uint64_t Size() const override;
  void WriteTo(absl::Span<uint8_t> out) const override;

 private:
  const EhFrameSection& eh_frame_;
};

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_EH_FRAME_H_
