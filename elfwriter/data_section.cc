// The four ways in which a section can hold the bytes of its owner.

#include "elfwriter/data_section.h"

#include <elf.h>

#include <cstring>
#include <utility>

#include "absl/log/check.h"

namespace precast::elfwriter {

DataSection::DataSection(SectionSpec spec) : Section(std::move(spec)) {}

void DataSection::SetOwned(std::vector<uint8_t> bytes) {
  CheckNotPlaced();
  CHECK(!is_nobits()) << name();
  contents_ = std::move(bytes);
}

void DataSection::SetView(absl::Span<const uint8_t> bytes) {
  CheckNotPlaced();
  CHECK(!is_nobits()) << name();
  contents_ = bytes;
}

void DataSection::SetWriter(uint64_t size, Writer writer) {
  CheckNotPlaced();
  CHECK(!is_nobits()) << name();
  CHECK(writer != nullptr) << name();
  contents_ = Generated{size, std::move(writer)};
}

void DataSection::SetZeroFill(uint64_t size) {
  set_type(SHT_NOBITS);
  contents_ = ZeroFill{size};
}

absl::Span<uint8_t> DataSection::mutable_bytes() {
  auto* owned = std::get_if<std::vector<uint8_t>>(&contents_);
  CHECK(owned != nullptr) << name() << ": contents are not owned by the section";
  return absl::MakeSpan(*owned);
}

uint64_t DataSection::Size() const {
  if (const auto* owned = std::get_if<std::vector<uint8_t>>(&contents_)) return owned->size();
  if (const auto* view = std::get_if<absl::Span<const uint8_t>>(&contents_)) return view->size();
  if (const auto* generated = std::get_if<Generated>(&contents_)) return generated->size;
  return std::get<ZeroFill>(contents_).size;
}

void DataSection::WritePart(uint64_t begin, absl::Span<uint8_t> out) const {
  CHECK(!is_nobits()) << name();
  CHECK_LE(begin, Size()) << name();
  CHECK_LE(out.size(), Size() - begin) << name();
  if (const auto* generated = std::get_if<Generated>(&contents_)) {
    generated->writer(begin, out);
    return;
  }
  absl::Span<const uint8_t> bytes;
  if (const auto* owned = std::get_if<std::vector<uint8_t>>(&contents_)) {
    bytes = *owned;
  } else {
    bytes = std::get<absl::Span<const uint8_t>>(contents_);
  }
  if (!out.empty()) std::memcpy(out.data(), bytes.data() + begin, out.size());
}

}  // namespace precast::elfwriter
