// A section whose bytes its owner makes: .text, .rodata, .got, .guest.data, .debug_info and so on.

#ifndef PRECAST_ELFWRITER_DATA_SECTION_H_
#define PRECAST_ELFWRITER_DATA_SECTION_H_

#include <cstdint>
#include <functional>
#include <variant>
#include <vector>

#include "absl/types/span.h"
#include "elfwriter/section.h"

namespace precast::elfwriter {

// Bytes, alignment and flags; nothing more is known about it.
class DataSection : public Section {
 public:
  // Fills a zeroed span of the size promised.
  using Writer = std::function<void(absl::Span<uint8_t>)>;

  explicit DataSection(SectionSpec spec);

  // What the section holds; each replaces what was there. Only before layout.
  void SetOwned(std::vector<uint8_t> bytes);
  // `bytes` must outlive the section.
  void SetView(absl::Span<const uint8_t> bytes);
  void SetWriter(uint64_t size, Writer writer);
  // Makes the section SHT_NOBITS.
  void SetZeroFill(uint64_t size);

  // The bytes, if owned; asserts otherwise.
  absl::Span<uint8_t> mutable_bytes();

  uint64_t Size() const override;
  void WriteTo(absl::Span<uint8_t> out) const override;

 private:
  struct Generated {
    uint64_t size;
    Writer writer;
  };
  struct ZeroFill {
    uint64_t size;
  };
  std::variant<std::vector<uint8_t>, absl::Span<const uint8_t>, Generated, ZeroFill> contents_;
};

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_DATA_SECTION_H_
