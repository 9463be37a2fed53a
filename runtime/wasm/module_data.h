// What the runtime knows of a module: everything but its function bodies, decoded from the module's
// own bytes (which an image carries), and where the bodies are. The runtime's own decoder: it
// shares no code with the compiler's, and it is safe on any bytes.
#ifndef PRECAST_RUNTIME_WASM_MODULE_DATA_H_
#define PRECAST_RUNTIME_WASM_MODULE_DATA_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/base/call_once.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "loader/format/function_references.h"
#include "loader/image.h"
#include "runtime/abi/wasm_context.h"
#include "runtime/wasm/types.h"

namespace precast::runtime::wasm {

// File offsets; half-open.
struct ByteRange {
  uint32_t begin = 0, end = 0;
};

class ModuleData {
 public:
  static constexpr uint32_t kNone = 0xffffffffu;

  struct Import {
    std::string_view module, name;
    ExternKind kind;
    uint32_t index;  // in its index space
  };
  struct Export {
    std::string_view name;
    ExternKind kind;
    uint32_t index;
  };
  struct Table {
    TableType type;
    ByteRange init;  // empty: null
  };
  struct Global {
    GlobalType type;
    ByteRange init;
  };
  enum class SegmentMode : uint8_t { kActive, kPassive, kDeclarative };
  struct ElementSegment {
    SegmentMode mode = SegmentMode::kPassive;
    ValType type = ValType::kFuncRef;  // of the elements
    uint32_t table = 0;
    ByteRange offset;
    uint32_t first = 0, count = 0;  // of the records of `element_functions`; or, if there are none:
    std::vector<ByteRange> expressions;

    uint64_t size() const { return count + expressions.size(); }
  };
  struct DataSegment {
    SegmentMode mode = SegmentMode::kPassive;
    uint32_t memory = 0;
    ByteRange offset;
    ByteRange bytes;
  };

  // InvalidArgument if the bytes cannot be decoded. Does not validate: that has been done by
  // whoever made the image. Does not read function bodies, data and names either, most of a large
  // module, which native code does not need.
  static absl::StatusOr<std::unique_ptr<ModuleData>> Decode(absl::Span<const uint8_t> bytes);
  // With what an image says of the module's functions, which is then not read: takes no longer for
  // more functions or elements. The tables must live as long as the result.
  static absl::StatusOr<std::unique_ptr<ModuleData>> Decode(absl::Span<const uint8_t> bytes,
                                                            format::DeclaredFunctions declared,
                                                            format::ElementFunctions elements);

  absl::Span<const uint8_t> bytes;  // of the module file; kept alive by `owner` or `storage`
  std::shared_ptr<const void> owner;
  std::vector<uint8_t> storage;
  std::shared_ptr<const loader::Image> image;  // null: no native code
  bool metered = true;                         // native code counts fuel

  std::vector<FuncType> types;
  std::vector<uint32_t> canonical_types;  // the first equal type
  std::vector<Import> imports;
  // Index spaces, imported ones first.
  uint32_t num_functions = 0;
  std::vector<Table> tables;
  std::vector<MemoryType> memories;
  std::vector<Global> globals;
  uint32_t num_imported_functions = 0, num_imported_tables = 0, num_imported_memories = 0,
           num_imported_globals = 0;
  std::vector<Export> exports;
  std::optional<uint32_t> start;
  std::vector<ElementSegment> elements;

  // Functions that have a FunctionRecord; not checked, where they are an image's.
  format::DeclaredFunctions declared;
  format::ElementFunctions element_functions;

  // Number of a function's FunctionRecord (runtime/abi/wasm_context.h), or kNone.
  uint32_t RecordOf(uint32_t function) const;
  // Which defined function has record `record`, and its type; nothing if none, or the image is
  // damaged.
  std::optional<format::DeclaredFunction> FunctionOfRecord(uint32_t record) const;
  // Type index of a function; nothing if the image is damaged.
  std::optional<uint32_t> TypeOf(uint32_t function) const;

  // Looked for at the first call:
  // Type indices by function index; kNone from where the section is damaged.
  const std::vector<uint32_t>& functions() const;
  // By function index - num_imported_functions; with local declarations. Empty ranges from where
  // the section is damaged.
  const std::vector<ByteRange>& bodies() const;
  uint32_t num_data_segments() const;
  // So many; passive and empty from where the section is damaged.
  const std::vector<DataSegment>& data() const;
  // By function index; may be shorter.
  const std::vector<std::string_view>& function_names() const;

  abi::WasmLayout layout;  // runtime/abi/wasm_context.h

 private:
  class Decoder;

  uint32_t num_functions_defined() const { return num_functions - num_imported_functions; }

  // What is behind the code section, if that has not been read.
  void ReadRest() const;
  void AddNames(const ByteRange& section) const;

  std::vector<uint32_t> imported_types_;              // by function index
  std::vector<uint8_t> own_declared_, own_elements_;  // if they are no image's

  ByteRange function_section_;  // type indices of defined functions
  ByteRange code_;              // all bodies, each behind its size
  ByteRange rest_;              // sections that ReadRest has to look at

  mutable ByteRange data_section_;  // all segments
  mutable uint32_t num_data_segments_ = 0;
  mutable std::vector<ByteRange> naming_;  // custom sections "name", what is behind that name

  mutable absl::once_flag rest_once_, functions_once_, bodies_once_, data_once_,
      function_names_once_;
  mutable std::vector<uint32_t> functions_;
  mutable std::vector<ByteRange> bodies_;
  mutable std::vector<DataSegment> data_;
  mutable std::vector<std::string_view> function_names_;
};

}  // namespace precast::runtime::wasm

#endif  // PRECAST_RUNTIME_WASM_MODULE_DATA_H_
