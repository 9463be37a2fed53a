// Hands out file offsets and addresses front to back, a PT_LOAD at a time.

#include "elfwriter/layout.h"

#include <elf.h>

#include <utility>
#include <vector>

#include "absl/log/check.h"

namespace precast::elfwriter {
namespace {

// Sections that one PT_LOAD maps.
struct Load {
  uint32_t flags = 0;  // PF_*
  std::vector<Section*> sections;
};

// The PT_LOADs in order of address; none for a segment without sections.
std::vector<Load> GroupByLoad(absl::Span<Section* const> sections) {
  Load read_only{PF_R, {}};
  Load text{PF_R | PF_X, {}};
  Load writable{PF_R | PF_W, {}};
  Load copy_on_write{PF_R, {}};
  for (Section* section : sections) {
    switch (section->segment()) {
      case Segment::kReadOnly:
        read_only.sections.push_back(section);
        break;
      case Segment::kText:
        text.sections.push_back(section);
        break;
      case Segment::kRelro:
      case Segment::kData:
        writable.sections.push_back(section);
        break;
      case Segment::kCopyOnWrite:
        copy_on_write.sections.push_back(section);
        break;
      case Segment::kUnallocated:
        break;
    }
  }
  std::vector<Load> loads;
  for (Load* load : {&read_only, &text, &writable, &copy_on_write}) {
    if (!load->sections.empty()) loads.push_back(std::move(*load));
  }
  return loads;
}

// Hands out places, front to back.
class Placer {
 public:
  // `headers_size`: of the ELF header and the program headers.
  explicit Placer(uint64_t headers_size) : headers_size_(headers_size) {}

  // Places the sections of one PT_LOAD and returns its header.
  ProgramHeader PlaceLoad(const Load& load) {
    Align(kPageSize);
    const uint64_t start_offset = offset_;
    const uint64_t start_address = address_;
    if (start_offset == 0) Advance(headers_size_);  // The first one maps the headers too.

    bool seen_nobits = false;
    Segment previous = load.sections.front()->segment();
    for (Section* section : load.sections) {
      if (previous == Segment::kRelro && section->segment() != previous) EndRelro(start_address);
      previous = section->segment();
      if (section->is_nobits()) {
        CHECK(section->segment() == Segment::kData) << section->name();
        address_ = AlignUp(address_, section->alignment());
        section->Place(next_index_++, address_, offset_);
        address_ += section->Size();
        seen_nobits = true;
      } else {
        CHECK(!seen_nobits) << section->name() << ": comes after a section that is not in the file";
        Align(section->alignment());
        section->Place(next_index_++, address_, offset_);
        Advance(section->Size());
      }
    }
    if (previous == Segment::kRelro) EndRelro(start_address);

    const ProgramHeader header = {.type = PT_LOAD,
                                  .flags = load.flags,
                                  .offset = start_offset,
                                  .address = start_address,
                                  .file_size = offset_ - start_offset,
                                  .memory_size = address_ - start_address,
                                  .alignment = kPageSize};
    // Who maps these pages elsewhere must see zeros after the data.
    if (previous == Segment::kCopyOnWrite) Align(kPageSize);
    return header;
  }

  void PlaceUnallocated(Section& section) {
    offset_ = AlignUp(offset_, section.alignment());
    section.Place(next_index_++, 0, offset_);
    offset_ += section.Size();
  }

  uint64_t offset() const { return offset_; }
  // Bytes of the writable segment that become read-only.
  uint64_t relro_size() const { return relro_size_; }

 private:
  void Align(uint64_t alignment) {
    offset_ = AlignUp(offset_, alignment);
    address_ = AlignUp(address_, alignment);
  }
  void Advance(uint64_t size) {
    offset_ += size;
    address_ += size;
  }
  // Protection works on whole pages: the rest of the last one is padding, inside the PT_LOAD.
  void EndRelro(uint64_t start_address) {
    Align(kPageSize);
    relro_size_ = address_ - start_address;
  }

  uint64_t headers_size_;
  uint64_t offset_ = 0;
  uint64_t address_ = 0;
  uint64_t relro_size_ = 0;
  uint32_t next_index_ = 1;
};

ProgramHeader Covering(uint32_t type, uint32_t flags, const Section& first, const Section& last) {
  const uint64_t size = last.address() + last.Size() - first.address();
  return {.type = type,
          .flags = flags,
          .offset = first.file_offset(),
          .address = first.address(),
          .file_size = size,
          .memory_size = size,
          .alignment = first.alignment()};
}

}  // namespace

LayoutResult LayOut(absl::Span<Section* const> sections, const SpecialSections& special) {
  CHECK(special.dynamic != nullptr);
  const std::vector<Load> loads = GroupByLoad(sections);

  // How many program headers there are does not depend on where anything is, but they come first.
  // PT_DYNAMIC, PT_GNU_STACK, PT_GNU_RELRO
  auto count = static_cast<uint32_t>(loads.size() + 3);
  if (special.first_note != nullptr) ++count;
  if (special.eh_frame_hdr != nullptr) ++count;

  LayoutResult result;
  ProgramHeaderTable& table = result.program_headers;
  table.SetCount(count);
  Placer placer(ElfHeader::kSize + table.Size());

  ProgramHeader relro;
  for (const Load& load : loads) {
    const ProgramHeader header = placer.PlaceLoad(load);
    table.Add(header);
    result.memory_size = AlignUp(header.address + header.memory_size, kPageSize);
    if (header.flags == (PF_R | PF_W)) relro = header;
  }
  for (Section* section : sections) {
    if (!section->is_allocated()) placer.PlaceUnallocated(*section);
  }
  result.end_of_sections = placer.offset();

  table.Add(Covering(PT_DYNAMIC, PF_R | PF_W, *special.dynamic, *special.dynamic));
  if (special.first_note != nullptr) {
    table.Add(Covering(PT_NOTE, PF_R, *special.first_note, *special.last_note));
  }
  if (special.eh_frame_hdr != nullptr) {
    table.Add(Covering(PT_GNU_EH_FRAME, PF_R, *special.eh_frame_hdr, *special.eh_frame_hdr));
  }
  table.Add({.type = PT_GNU_STACK, .flags = PF_R | PF_W, .alignment = 16});
  relro.type = PT_GNU_RELRO;
  relro.flags = PF_R;
  relro.file_size = relro.memory_size = placer.relro_size();
  relro.alignment = 1;
  table.Add(relro);
  return result;
}

}  // namespace precast::elfwriter
