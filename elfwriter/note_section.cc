// Writes a note: three words, then owner and description, each padded to four bytes.

#include "elfwriter/note_section.h"

#include <elf.h>

#include "absl/log/check.h"
#include "elfwriter/little_endian.h"

namespace precast::elfwriter {
namespace {

constexpr uint64_t kHeaderSize = 12;

}  // namespace

NoteSection::NoteSection(absl::string_view section_name, absl::string_view owner, uint32_t type,
                         absl::Span<const uint8_t> description)
    : Section({.name = std::string(section_name), .alignment = 4, .type = SHT_NOTE}),
      owner_(owner),
      note_type_(type),
      description_(description.begin(), description.end()) {}

void NoteSection::SetDescription(absl::Span<const uint8_t> description) {
  CHECK(!is_placed() || description.size() == description_.size()) << name();
  description_.assign(description.begin(), description.end());
}

uint64_t NoteSection::Size() const {
  return kHeaderSize + AlignUp(owner_.size() + 1, 4) + AlignUp(description_.size(), 4);
}

void NoteSection::WriteTo(absl::Span<uint8_t> out) const {
  SpanWriter writer(out);
  const uint64_t owner_size = owner_.size() + 1;
  writer.U32(static_cast<uint32_t>(owner_size))
      .U32(static_cast<uint32_t>(description_.size()))
      .U32(note_type_)
      .Text(owner_)
      .Skip(AlignUp(owner_size, 4) - owner_.size())
      .Bytes(description_)
      .Skip(AlignUp(description_.size(), 4) - description_.size());
  CHECK_EQ(writer.remaining(), 0u);
}

}  // namespace precast::elfwriter
