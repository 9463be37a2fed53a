// Turns machine code into text for tests, dumps and tools. A thin layer over Zydis.
#ifndef PRECAST_COMPILER_X64_DISASSEMBLER_H_
#define PRECAST_COMPILER_X64_DISASSEMBLER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace precast::x64 {

struct DisassembledLine {
  uint64_t address = 0;
  uint32_t size = 0;   // bytes
  bool valid = false;  // false: not an instruction; `text` is "(bad)" and `size` 1
  std::string text;    // Intel syntax
};

// Names an address, e.g. ".L3" or "main+0x10"; nullopt prints the number. `instruction` is the
// address of the instruction that refers to it.
using Symbolizer =
    std::function<std::optional<std::string>(uint64_t instruction, uint64_t address)>;

// Decodes `code`, which lies at `address`, from its first byte to its last. Never fails:
// undecodable bytes give invalid lines.
std::vector<DisassembledLine> Disassemble(absl::Span<const uint8_t> code, uint64_t address,
                                          const Symbolizer& symbolizer = nullptr);

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_DISASSEMBLER_H_
