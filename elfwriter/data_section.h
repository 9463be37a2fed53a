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
  // Makes the bytes from an offset on: as many as the span has, all of them. Called on any thread,
  // for any part.
  using Writer = std::function<void(uint64_t begin, absl::Span<uint8_t> out)>;

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
  void WriteTo(absl::Span<uint8_t> out) const override { WritePart(0, out); }
  // The bytes from `begin` on, whatever was in `out`.
  void WritePart(uint64_t begin, absl::Span<uint8_t> out) const;

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
