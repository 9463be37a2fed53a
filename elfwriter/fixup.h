// Values that depend on where sections end up. Everything address-dependent in an image is one of
// these, so that the direct writer can resolve it after layout, the assembly writer can say it
// symbolically, and no dynamic relocation is ever needed.

#ifndef PRECAST_ELFWRITER_FIXUP_H_
#define PRECAST_ELFWRITER_FIXUP_H_

#include <cstdint>

#include "elfwriter/section.h"

namespace precast::elfwriter {

// What is stored, little-endian. S is the address of the target section, A the addend, P the
// address of the field itself. "Image-relative" means relative to the ELF header, which is at
// virtual address 0. Compare x86-64 psABI, table 4.10.
enum class FixupKind : uint8_t {
  kPcRelative32,     // S + A - P, signed 32 bits (as R_X86_64_PC32).
  kPcRelative64,     // S + A - P, 64 bits (as R_X86_64_PC64).
  kImageRelative32,  // S + A, unsigned 32 bits.
  kImageRelative64,  // S + A, 64 bits.
};

// Size of the field in bytes.
constexpr uint32_t FixupSize(FixupKind kind) {
  return kind == FixupKind::kPcRelative32 || kind == FixupKind::kImageRelative32 ? 4 : 8;
}

constexpr bool IsPcRelative(FixupKind kind) {
  return kind == FixupKind::kPcRelative32 || kind == FixupKind::kPcRelative64;
}

// One field to be filled in. For an instruction whose last four bytes are a RIP-relative
// displacement, `addend` is the offset in the target section minus 4.
struct Fixup {
  SectionId section;   // The section the field is in.
  uint64_t offset;     // Of the field in that section.
  FixupKind kind;      // Not PC-relative in an unallocated section.
  SectionId target;    // Address of this section,
  int64_t addend = 0;  // plus this.
};

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_FIXUP_H_
