// Decides where everything in the file and in memory is: the one place that knows about pages and
// segments. See the table in object.h.

#ifndef PRECAST_ELFWRITER_LAYOUT_H_
#define PRECAST_ELFWRITER_LAYOUT_H_

#include <cstdint>

#include "absl/types/span.h"
#include "elfwriter/headers.h"
#include "elfwriter/section.h"

namespace precast::elfwriter {

// Sections that have a program header of their own. Not owned; null if there is none, except that
// there is always a dynamic section.
struct SpecialSections {
  const Section* first_note = nullptr;
  const Section* last_note = nullptr;
  const Section* eh_frame_hdr = nullptr;
  const Section* dynamic = nullptr;
};

struct LayoutResult {
  ProgramHeaderTable program_headers;
  uint64_t end_of_sections = 0;  // In the file.
  uint64_t memory_size = 0;      // End of the last PT_LOAD, rounded up to a page.
};

// Places `sections`, which are in order of their segments and whose sizes are final, and makes the
// program headers. The first section is allocated; the sections of a segment are not all empty.
LayoutResult LayOut(absl::Span<Section* const> sections, const SpecialSections& special);

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_LAYOUT_H_
