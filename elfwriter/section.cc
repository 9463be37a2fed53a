// What is the same for all sections: flags, and the watch over when they are placed.

#include "elfwriter/section.h"

#include <elf.h>

#include <utility>

#include "absl/log/check.h"

namespace precast::elfwriter {

Section::Section(SectionSpec spec) : spec_(std::move(spec)) {
  if (spec_.segment == Segment::kCopyOnWrite) spec_.alignment = kPageSize;
  CHECK(!spec_.name.empty());
  CHECK(spec_.alignment != 0 && (spec_.alignment & (spec_.alignment - 1)) == 0) << spec_.name;
  CHECK_LE(spec_.alignment, kPageSize) << spec_.name;
}

bool Section::is_nobits() const { return spec_.type == SHT_NOBITS; }

uint64_t Section::flags() const {
  switch (spec_.segment) {
    case Segment::kReadOnly:
    case Segment::kCopyOnWrite:
      return spec_.extra_flags | SHF_ALLOC;
    case Segment::kText:
      return spec_.extra_flags | SHF_ALLOC | SHF_EXECINSTR;
    case Segment::kRelro:
    case Segment::kData:
      return spec_.extra_flags | SHF_ALLOC | SHF_WRITE;
    case Segment::kUnallocated:
      break;
  }
  return spec_.extra_flags;
}

void Section::Place(uint32_t index, uint64_t address, uint64_t file_offset) {
  CheckNotPlaced();
  CHECK_EQ(address & (spec_.alignment - 1), 0u) << spec_.name;
  placed_ = true;
  index_ = index;
  address_ = address;
  file_offset_ = file_offset;
}

uint32_t Section::index() const {
  CHECK(placed_) << spec_.name << ": header index read before layout";
  return index_;
}

uint64_t Section::address() const {
  CHECK(placed_) << spec_.name << ": address read before layout";
  return address_;
}

uint64_t Section::file_offset() const {
  CHECK(placed_) << spec_.name << ": file offset read before layout";
  return file_offset_;
}

void Section::set_type(uint32_t type) {
  CheckNotPlaced();
  spec_.type = type;
}

void Section::CheckNotPlaced() const { CHECK(!placed_) << spec_.name << ": changed after layout"; }

}  // namespace precast::elfwriter
