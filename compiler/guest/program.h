// What any guest program is, before anyone asks what it does: identity, memory contents, code,
// names. Front ends fill it; the image builder writes it into the image so that the loader needs no
// front end.
#ifndef PRECAST_COMPILER_GUEST_PROGRAM_H_
#define PRECAST_COMPILER_GUEST_PROGRAM_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "openvm/config.h"

namespace precast::guest {

enum class Kind : uint32_t { kRiscV32 = 1, kWasm = 2 };

// First 16 bytes of the SHA-256 of the program file, shown as a UUID.
using Guid = std::array<uint8_t, 16>;

// A run of initialized guest memory, in whole 4 KiB pages. Segments are ascending and do not
// overlap.
struct Segment {
  uint32_t address;  // page-aligned
  uint64_t size;     // bytes, a multiple of the page size; may end at 2^32
  // First data.size() bytes (a multiple of the page size); the rest is zero.
  std::vector<uint8_t> data;
  bool readable, writable, executable;
};

// Half-open range of guest addresses that hold instructions. Code is what the file holds: stores to
// a writable code page change data, never what is executed.
struct CodeRange {
  uint32_t begin, end;
};

struct Symbol {
  std::string name;
  uint32_t address;
  uint32_t size;
  bool is_function;
};

// What a module offers under a name.
enum class ExportKind : uint32_t {
  kFunction = 1,
  kTable = 2,
  kMemory = 3,
  kGlobal = 4,
  kImportedFunction = 5,
};
struct Export {
  std::string name;
  ExportKind kind;
  // kFunction: among the functions that the module defines; else in the index space of its kind.
  uint32_t index;
};

// A function that can be referred to, and what element segments refer to
// (loader/format/function_references.h).
struct DeclaredFunction {
  uint32_t function, type;  // indices in the module
};
struct ElementSegment {
  uint32_t end;                   // offset in the module
  std::vector<uint32_t> records;  // if it lists functions
};

struct Program {
  Kind kind = Kind::kRiscV32;
  Guid guid{};
  uint32_t entry = 0;
  uint32_t initial_brk = 0;  // first address after the last segment's bytes, not rounded
  // Program headers as a Linux-style guest finds them through its auxiliary vector; 0 if not in
  // memory.
  uint32_t phdr_address = 0;
  uint32_t phdr_count = 0;
  std::vector<Segment> segments;
  std::vector<CodeRange> code;
  // The parts of `code` that are likely to hold instructions and nothing else (executable
  // sections); a hint for control-flow recovery, without meaning for execution.
  std::vector<CodeRange> code_hint;
  bool code_hint_is_exact = false;  // it comes from section headers
  std::vector<Symbol> symbols;      // by ascending address

  // RISC-V: a guest of the OpenVM machine (docs/openvm.md); whoever reads the program decides.
  bool openvm = false;
  openvm::Config openvm_config;
  // Contents of the file's section `.openvm`, which tells such a guest's moduli.
  std::optional<std::vector<uint8_t>> openvm_section;
  // RISC-V: calls of libgcc functions have been replaced (compiler/riscv/fast_helpers.h).
  bool fast_helpers = false;
  // Extensions whose instructions the code has (openvm::ExtensionId), ascending; known once it is
  // compiled.
  std::vector<std::string> openvm_extensions;

  // WebAssembly. `segments` then hold what the active data segments write to memory 0, if
  // `memory_initialized`; of all of the above only `kind` and `guid` are used besides.
  absl::Span<const uint8_t> module;  // the file, which outlives the program
  bool memory_initialized = false;
  std::vector<Export> exports;
  std::vector<DeclaredFunction> declared;  // defined ones, ascending
  std::vector<ElementSegment> elements;
};

}  // namespace precast::guest

#endif  // PRECAST_COMPILER_GUEST_PROGRAM_H_
