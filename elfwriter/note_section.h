// A note: a small record that tools find through PT_NOTE without section headers. The build-id is
// one; gdb, perf and debuginfod know a file by it.
//
// Sources: gABI chapter 5 "Note Section"; LSB 5.0 core, 10.2.2.1.1 (notes are 4-byte aligned).

#ifndef PRECAST_ELFWRITER_NOTE_SECTION_H_
#define PRECAST_ELFWRITER_NOTE_SECTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "elfwriter/section.h"

namespace precast::elfwriter {

// A section with one note.
class NoteSection : public Section {
 public:
  // `owner` without its NUL, as "GNU"; `type` as NT_GNU_BUILD_ID.
  NoteSection(absl::string_view section_name, absl::string_view owner, uint32_t type,
              absl::Span<const uint8_t> description);

  // After layout only with a description of the same size.
  void SetDescription(absl::Span<const uint8_t> description);
  absl::Span<const uint8_t> description() const { return description_; }
  const std::string& owner() const { return owner_; }
  uint32_t note_type() const { return note_type_; }

  uint64_t Size() const override;
  void WriteTo(absl::Span<uint8_t> out) const override;

 private:
  std::string owner_;
  uint32_t note_type_;
  std::vector<uint8_t> description_;
};

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_NOTE_SECTION_H_
