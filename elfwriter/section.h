// What every section of the image has in common: a name, a type, a place. A section knows its size,
// then its bytes: sizes are fixed when the object is laid out, addresses exist only afterwards, and
// bytes are written last. Reading an address too early is a bug of ours and asserts.
//
// Sources: System V gABI (4.1), chapter 4 "Sections"; x86-64 psABI, section 4.2.

#ifndef PRECAST_ELFWRITER_SECTION_H_
#define PRECAST_ELFWRITER_SECTION_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"

namespace precast::elfwriter {

// Names a section of one Object. Ids are dense and stay valid for the life of the Object; they are
// not section header indices, which exist only after layout.
enum class SectionId : uint32_t {};

// Where a section is mapped at run time. Sections are laid out by segment in this order, and within
// a segment in the order they were added.
enum class Segment : uint8_t {
  kReadOnly,     // R, shared by all processes.
  kText,         // R X.
  kRelro,        // RW while loading, then R (PT_GNU_RELRO).
  kData,         // RW.
  kCopyOnWrite,  // R, page-aligned at both ends, meant to be mapped again elsewhere MAP_PRIVATE.
  kUnallocated,  // In the file only: symbols, strings, debug information.
};

// Size of a page: the alignment of every PT_LOAD.
inline constexpr uint64_t kPageSize = 0x1000;

// Rounds `value` up to a multiple of `alignment`, a power of two.
constexpr uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

// The facts about a section that its header states and its owner decides.
struct SectionSpec {
  std::string name = {};
  Segment segment = Segment::kReadOnly;
  // A power of two, at most kPageSize. Sections of Segment::kCopyOnWrite are aligned to kPageSize
  // whatever is said here.
  uint64_t alignment = 1;
  // SHT_*: SHT_PROGBITS = 1 unless the section is something special.
  uint32_t type = 1;
  // SHF_* beyond SHF_ALLOC, SHF_WRITE and SHF_EXECINSTR, which follow from `segment`.
  uint64_t extra_flags = 0;
  // sh_entsize: size of an entry where the section is a table, else 0.
  uint64_t entry_size = 0;
};

// One section: base of all pieces of the file that have a section header.
class Section {
 public:
  explicit Section(SectionSpec spec);
  virtual ~Section() = default;
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  // Bytes it occupies (in memory, if it has no bytes in the file). Fixed once placed.
  virtual uint64_t Size() const = 0;

  // Writes exactly Size() bytes. `out` is zeroed beforehand. Only after Place(), of this and of
  // every section it refers to.
  virtual void WriteTo(absl::Span<uint8_t> out) const = 0;

  // sh_info of the section header; see gABI, figure 4-12.
  virtual uint32_t HeaderInfo() const { return 0; }

  // Section whose header index goes to sh_link, or null. Not owned.
  const Section* link() const { return link_; }
  void set_link(const Section* link) { link_ = link; }

  const std::string& name() const { return spec_.name; }
  Segment segment() const { return spec_.segment; }
  uint64_t alignment() const { return spec_.alignment; }
  uint64_t entry_size() const { return spec_.entry_size; }
  uint32_t type() const { return spec_.type; }
  bool is_allocated() const { return spec_.segment != Segment::kUnallocated; }
  // Whether the section has memory but no bytes in the file (SHT_NOBITS).
  bool is_nobits() const;
  // SHF_* flags of the section header.
  uint64_t flags() const;

  // Fixes where the section is: header index (0 if it has no header after all), virtual address (0
  // if unallocated), offset in the file. Once only.
  void Place(uint32_t index, uint64_t address, uint64_t file_offset);
  bool is_placed() const { return placed_; }
  uint32_t index() const;
  uint64_t address() const;
  uint64_t file_offset() const;

 protected:
  void set_type(uint32_t type);
  // Asserts that the layout has not been fixed yet.
  void CheckNotPlaced() const;

 private:
  SectionSpec spec_;
  const Section* link_ = nullptr;
  bool placed_ = false;
  uint32_t index_ = 0;
  uint64_t address_ = 0;
  uint64_t file_offset_ = 0;
};

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_SECTION_H_
