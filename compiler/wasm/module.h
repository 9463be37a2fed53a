// A WebAssembly module as the binary reader delivers it. Everything but function bodies is decoded;
// bodies and initializers are ranges of the module's bytes, which must outlive the Module. Offsets
// are in the file; they serve to report faults.
#ifndef PRECAST_COMPILER_WASM_MODULE_H_
#define PRECAST_COMPILER_WASM_MODULE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "compiler/wasm/types.h"

namespace precast::wasm {

// Which parts of the standard beyond WebAssembly 2.0 (with SIMD) a module may use.
struct Features {
  bool tail_calls = true;
  bool extended_const = true;
  bool multi_memory = true;
  bool relaxed_simd = true;
  bool memory64 = true;  // also 64-bit tables
  bool threads = true;
  bool wide_arithmetic = true;

  static constexpr Features Wasm2() { return {false, false, false, false, false, false, false}; }
};

// Half-open range of file offsets.
struct ByteRange {
  uint32_t begin = 0, end = 0;
};

// A constant expression, `end` included.
using ConstExpr = ByteRange;

struct Import {
  std::string_view module, name;  // UTF-8
  ExternKind kind;
  uint32_t index;  // in the index space of its kind: module.functions[index] and so on say its type
  uint32_t offset = 0;
};

struct Export {
  std::string_view name;
  ExternKind kind;
  uint32_t index;
  uint32_t offset = 0;
};

struct Function {
  uint32_t type;  // index in Module::types
  // Of the body, beginning with the local declarations, `end` included; empty for an import.
  ByteRange body;
  uint32_t offset = 0;  // of the type index
};

struct Table {
  TableType type;
  std::optional<ConstExpr> init;  // 3.0: tables with an initializer expression
  uint32_t offset = 0;
};

struct Global {
  GlobalType type;
  ConstExpr init;  // empty for an import
  uint32_t offset = 0;
};

enum class SegmentMode : uint8_t { kActive, kPassive, kDeclarative };

struct ElementSegment {
  SegmentMode mode = SegmentMode::kPassive;
  ValType type;
  uint32_t table = 0;  // active
  ConstExpr offset;    // active
  // One of the two, by `uses_expressions`.
  bool uses_expressions = false;
  std::vector<uint32_t> functions;
  std::vector<ConstExpr> expressions;
  uint32_t file_offset = 0, file_end = 0;
};

struct DataSegment {
  SegmentMode mode = SegmentMode::kPassive;
  uint32_t memory = 0;  // active
  ConstExpr offset;     // active
  ByteRange bytes;
  uint32_t file_offset = 0;
};

struct Module {
  absl::Span<const uint8_t> bytes;  // the file

  std::vector<FuncType> types;
  // canonical_types[i]: the first type equal to type i.
  std::vector<uint32_t> canonical_types;
  std::vector<Import> imports;
  // Index spaces: imported ones first.
  std::vector<Function> functions;
  std::vector<Table> tables;
  std::vector<MemoryType> memories;
  std::vector<uint32_t> memory_offsets;  // in the file, of each memory's type
  std::vector<Global> globals;
  uint32_t num_imported_functions = 0, num_imported_tables = 0, num_imported_memories = 0,
           num_imported_globals = 0;

  std::vector<Export> exports;
  std::optional<uint32_t> start;
  uint32_t start_offset = 0;
  std::vector<ElementSegment> elements;
  std::vector<DataSegment> data;
  std::optional<uint32_t> data_count;

  // From the custom section `name`, if it is well-formed; empty names otherwise.
  std::string_view name;
  std::vector<std::string_view> function_names;  // by function index, may be shorter

  // By function index: named by an export, an element segment, or an initializer. `ref.func` in
  // code may only name these, and they have a FunctionRecord (runtime/abi/wasm_context.h).
  std::vector<bool> declared;

  const FuncType& TypeOf(uint32_t function) const { return types[functions[function].type]; }
  bool IsImported(uint32_t function) const { return function < num_imported_functions; }
};

}  // namespace precast::wasm

#endif  // PRECAST_COMPILER_WASM_MODULE_H_
