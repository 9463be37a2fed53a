#include "compiler/wasm/reader.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/wasm/byte_reader.h"
#include "compiler/wasm/instruction.h"
#include "compiler/wasm/limits.h"
#include "compiler/wasm/name_section.h"
#include "compiler/wasm/proposals.h"

namespace precast::wasm {
namespace {

constexpr uint8_t kMagic[] = {0x00, 'a', 's', 'm'};
constexpr uint8_t kVersion[] = {0x01, 0x00, 0x00, 0x00};

// The sections by the number that a module has for them.
enum SectionId : uint8_t {
  kCustom = 0,
  kType = 1,
  kImport = 2,
  kFunction = 3,
  kTable = 4,
  kMemory = 5,
  kGlobal = 6,
  kExport = 7,
  kStart = 8,
  kElement = 9,
  kCode = 10,
  kData = 11,
  kDataCount = 12,
  kNumSections = 13,
};

// Where a section has to stand: ascending, each at most once. Data count stands before code.
int OrderOf(uint8_t id) {
  switch (id) {
    case kDataCount:
      return kCode;
    case kCode:
    case kData:
      return id + 1;
    default:
      return id;
  }
}

absl::Status BadByte(uint32_t offset, std::string_view what, uint8_t byte) {
  return FaultAt(offset, absl::StrFormat("malformed %s 0x%02x", what, byte));
}

// The same where a later version of WebAssembly may have given the byte a meaning.
absl::Status BadByte(uint32_t offset, std::string_view what, ByteRole role, uint8_t byte) {
  return FaultAt(offset, MalformedByte(absl::StrCat("malformed ", what), role, byte));
}

class ModuleReader {
 public:
  ModuleReader(absl::Span<const uint8_t> bytes, const Features& features) : features_(features) {
    module_.bytes = bytes;
  }

  absl::StatusOr<Module> Read();

 private:
  absl::Status ReadSection(uint8_t id, ByteReader& in);
  absl::Status ReadCustom(ByteReader& in);
  absl::Status ReadTypes(ByteReader& in);
  absl::Status ReadImports(ByteReader& in);
  absl::Status ReadFunctions(ByteReader& in);
  absl::Status ReadTables(ByteReader& in);
  absl::Status ReadMemories(ByteReader& in);
  absl::Status ReadGlobals(ByteReader& in);
  absl::Status ReadExports(ByteReader& in);
  absl::Status ReadElements(ByteReader& in);
  absl::Status ReadElementItems(ByteReader& in, ElementSegment& segment);
  absl::Status ReadCode(ByteReader& in);
  absl::Status ReadData(ByteReader& in);

  // The number of things that a section begins with; `present` are there already.
  absl::Status ReadCount(ByteReader& in, std::string_view what, size_t present, uint64_t limit,
                         uint32_t& out);
  absl::Status ReadValTypes(ByteReader& in, std::string_view what, uint32_t limit,
                            std::vector<ValType>& out);
  absl::Status ReadValType(ByteReader& in, ValType& out);
  absl::Status ReadRefType(ByteReader& in, ValType& out);
  absl::Status ReadTableType(ByteReader& in, TableType& out);
  absl::Status ReadMemoryType(ByteReader& in, MemoryType& out);
  absl::Status ReadGlobalType(ByteReader& in, GlobalType& out);
  absl::Status ReadLimits(ByteReader& in, bool is_64, bool has_max, Limits& out);
  absl::Status ReadExternKind(ByteReader& in, std::string_view what, ExternKind& out);
  absl::Status ReadConstExpr(ByteReader& in, ConstExpr& out);

  void FindCanonicalTypes();
  absl::Status Finish();

  const Features features_;
  Module module_;
  uint32_t num_bodies_ = 0;
  std::vector<uint32_t> declared_;  // function indices, not checked yet
  Instruction instruction_;         // reused by ReadConstExpr
  NameSection names_;
};

absl::StatusOr<Module> ModuleReader::Read() {
  const absl::Span<const uint8_t> bytes = module_.bytes;
  if (bytes.size() > kMaxModuleBytes)
    return LimitAt(0, "module size", bytes.size(), kMaxModuleBytes);
  const auto size = static_cast<uint32_t>(bytes.size());
  if (size < 4) return FaultAt(0, absl::StrCat("unexpected end: magic needs 4 bytes, not ", size));
  if (!std::equal(kMagic, kMagic + 4, bytes.begin())) {
    return FaultAt(0, "magic header not detected");
  }
  if (size < 8) {
    return FaultAt(4, absl::StrCat("unexpected end: version needs 4 bytes, not ", size - 4));
  }
  if (!std::equal(kVersion, kVersion + 4, bytes.begin() + 4)) {
    return FaultAt(4, "unknown binary version: only version 1 is known");
  }

  ByteReader file(bytes, {8, size});
  int last_order = 0;
  while (!file.AtEnd()) {
    const uint32_t at = file.offset();
    uint8_t id = 0;
    uint32_t section_size = 0;
    if (!file.Byte(id)) return file.status();
    if (id >= kNumSections) return BadByte(at, "section id", ByteRole::kSection, id);
    if (!file.U32(section_size)) return file.status();
    if (section_size > file.Left()) {
      return FaultAt(at,
                     absl::StrFormat("length out of bounds: section %u has %u bytes, %u are left, "
                                     "unexpected end",
                                     id, section_size, file.Left()));
    }
    if (id != kCustom) {
      if (OrderOf(id) <= last_order) {
        return FaultAt(
            at, absl::StrFormat("unexpected content after last section: section %u is %s", id,
                                OrderOf(id) == last_order ? "there twice" : "out of order"));
      }
      last_order = OrderOf(id);
    }
    ByteReader section(bytes, {file.offset(), file.offset() + section_size});
    if (absl::Status status = ReadSection(id, section); !status.ok()) return status;
    if (!section.AtEnd()) {
      return FaultAt(section.offset(),
                     absl::StrFormat("section size mismatch: section %u has %u bytes "
                                     "after its contents",
                                     id, section.Left()));
    }
    file.SkipTo(section.end());
  }
  if (absl::Status status = Finish(); !status.ok()) return status;
  return std::move(module_);
}

absl::Status ModuleReader::ReadSection(uint8_t id, ByteReader& in) {
  switch (id) {
    case kCustom:
      return ReadCustom(in);
    case kType:
      return ReadTypes(in);
    case kImport:
      return ReadImports(in);
    case kFunction:
      return ReadFunctions(in);
    case kTable:
      return ReadTables(in);
    case kMemory:
      return ReadMemories(in);
    case kGlobal:
      return ReadGlobals(in);
    case kExport:
      return ReadExports(in);
    case kStart: {
      uint32_t function = 0;
      module_.start_offset = in.offset();
      if (!in.U32(function)) return in.status();
      module_.start = function;
      return absl::OkStatus();
    }
    case kElement:
      return ReadElements(in);
    case kCode:
      return ReadCode(in);
    case kData:
      return ReadData(in);
    case kDataCount: {
      uint32_t count = 0;
      if (!in.U32(count)) return in.status();
      module_.data_count = count;
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::Finish() {
  const auto size = static_cast<uint32_t>(module_.bytes.size());
  const size_t defined = module_.functions.size() - module_.num_imported_functions;
  if (num_bodies_ != defined) {
    return FaultAt(size,
                   absl::StrFormat("function and code section have inconsistent lengths: %u and %u",
                                   defined, num_bodies_));
  }
  if (module_.data_count.has_value() && *module_.data_count != module_.data.size()) {
    return FaultAt(
        size, absl::StrFormat("data count and data section have inconsistent lengths: %u and %u",
                              *module_.data_count, module_.data.size()));
  }
  FindCanonicalTypes();
  module_.declared.resize(module_.functions.size());
  for (const uint32_t function : declared_) {
    if (function < module_.declared.size()) module_.declared[function] = true;
  }
  module_.name = names_.module;
  for (const auto& [function, name] : names_.functions) {
    if (function >= module_.functions.size()) break;  // ascending
    module_.function_names.resize(size_t{function} + 1);
    module_.function_names[function] = name;
  }
  return absl::OkStatus();
}

void ModuleReader::FindCanonicalTypes() {
  const std::vector<FuncType>& types = module_.types;
  const auto hash = [&types](uint32_t i) { return absl::HashOf(types[i]); };
  const auto equal = [&types](uint32_t i, uint32_t j) { return types[i] == types[j]; };
  absl::flat_hash_set<uint32_t, decltype(hash), decltype(equal)> first_of(0, hash, equal);
  module_.canonical_types.reserve(types.size());
  for (uint32_t i = 0; i < types.size(); ++i) {
    module_.canonical_types.push_back(*first_of.insert(i).first);
  }
}

absl::Status ModuleReader::ReadCustom(ByteReader& in) {
  std::string_view name;
  if (!in.Name(name)) return in.status();
  if (name == "name") {
    // Of several ones the first that is well-formed counts.
    if (std::optional<NameSection> names = ReadNameSection(in);
        names.has_value() && names_.IsEmpty()) {
      names_ = *std::move(names);
    }
  }
  in.SkipTo(in.end());
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadCount(ByteReader& in, std::string_view what, size_t present,
                                     uint64_t limit, uint32_t& out) {
  const uint32_t at = in.offset();
  if (!in.U32(out)) return in.status();
  if (present + out > limit) return LimitAt(at, what, present + out, limit);
  // Everything has at least one byte: so what we reserve for it is no more than a multiple of the
  // file.
  if (out > in.Left()) {
    return FaultAt(at, absl::StrFormat("unexpected end: %u %s in %u bytes", out, what, in.Left()));
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadValType(ByteReader& in, ValType& out) {
  uint8_t byte = 0;
  if (!in.Byte(byte)) return in.status();
  const std::optional<ValType> type = ValTypeFromByte(byte);
  if (!type.has_value()) return BadByte(in.offset() - 1, "value type", ByteRole::kType, byte);
  out = *type;
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadRefType(ByteReader& in, ValType& out) {
  uint8_t byte = 0;
  if (!in.Byte(byte)) return in.status();
  const std::optional<ValType> type = ValTypeFromByte(byte);
  if (!type.has_value() || !type->IsReference()) {
    return BadByte(in.offset() - 1, "reference type", ByteRole::kType, byte);
  }
  out = *type;
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadValTypes(ByteReader& in, std::string_view what, uint32_t limit,
                                        std::vector<ValType>& out) {
  uint32_t count = 0;
  if (absl::Status status = ReadCount(in, what, 0, limit, count); !status.ok()) return status;
  out.resize(count);
  for (ValType& type : out) {
    if (absl::Status status = ReadValType(in, type); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadTypes(ByteReader& in) {
  constexpr uint8_t kFunctionType = 0x60;
  uint32_t count = 0;
  if (absl::Status status = ReadCount(in, "types", 0, kMaxTypes, count); !status.ok())
    return status;
  module_.types.resize(count);
  for (FuncType& type : module_.types) {
    uint8_t form = 0;
    if (!in.Byte(form)) return in.status();
    if (form != kFunctionType)
      return BadByte(in.offset() - 1, "function type", ByteRole::kType, form);
    if (absl::Status status = ReadValTypes(in, "parameters", kMaxParams, type.params);
        !status.ok()) {
      return status;
    }
    if (absl::Status status = ReadValTypes(in, "results", kMaxResults, type.results);
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadExternKind(ByteReader& in, std::string_view what, ExternKind& out) {
  uint8_t byte = 0;
  if (!in.Byte(byte)) return in.status();
  if (byte > static_cast<uint8_t>(ExternKind::kGlobal)) {
    return BadByte(in.offset() - 1, what, ByteRole::kExternKind, byte);
  }
  out = static_cast<ExternKind>(byte);
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadLimits(ByteReader& in, bool is_64, bool has_max, Limits& out) {
  const auto read = [&](uint64_t& value) {
    if (is_64) return in.U64(value);
    uint32_t narrow = 0;
    if (!in.U32(narrow)) return false;
    value = narrow;
    return true;
  };
  if (!read(out.min)) return in.status();
  if (has_max) {
    uint64_t max = 0;
    if (!read(max)) return in.status();
    out.max = max;
  }
  return absl::OkStatus();
}

// The byte that limits begin with: bit 0 there is a maximum, bit 1 shared (threads), bit 2 64-bit
// (memory64).
constexpr uint8_t kHasMax = 1, kShared = 2, kIs64 = 4;

absl::Status ModuleReader::ReadTableType(ByteReader& in, TableType& out) {
  if (absl::Status status = ReadRefType(in, out.element); !status.ok()) return status;
  uint8_t flags = 0;
  if (!in.Byte(flags)) return in.status();
  if ((flags & ~(kHasMax | (features_.memory64 ? kIs64 : 0))) != 0) {
    return BadByte(in.offset() - 1, "limits flags", flags);
  }
  out.is_64 = (flags & kIs64) != 0;
  return ReadLimits(in, out.is_64, (flags & kHasMax) != 0, out.limits);
}

absl::Status ModuleReader::ReadMemoryType(ByteReader& in, MemoryType& out) {
  uint8_t flags = 0;
  if (!in.Byte(flags)) return in.status();
  const int allowed =
      kHasMax | (features_.threads ? kShared : 0) | (features_.memory64 ? kIs64 : 0);
  if ((flags & ~allowed) != 0) return BadByte(in.offset() - 1, "limits flags", flags);
  out.is_64 = (flags & kIs64) != 0;
  out.shared = (flags & kShared) != 0;
  return ReadLimits(in, out.is_64, (flags & kHasMax) != 0, out.limits);
}

absl::Status ModuleReader::ReadGlobalType(ByteReader& in, GlobalType& out) {
  if (absl::Status status = ReadValType(in, out.type); !status.ok()) return status;
  uint8_t mutability = 0;
  if (!in.Byte(mutability)) return in.status();
  if (mutability > 1) return BadByte(in.offset() - 1, "mutability", mutability);
  out.is_mutable = mutability == 1;
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadImports(ByteReader& in) {
  uint32_t count = 0;
  if (absl::Status status = ReadCount(in, "imports", 0, kMaxImports, count); !status.ok())
    return status;
  module_.imports.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    Import import = {};
    import.offset = in.offset();
    if (!in.Name(import.module) || !in.Name(import.name)) return in.status();
    if (absl::Status status = ReadExternKind(in, "import kind", import.kind); !status.ok())
      return status;
    const uint32_t at = in.offset();
    switch (import.kind) {
      case ExternKind::kFunction: {
        uint32_t type = 0;
        if (!in.U32(type)) return in.status();
        import.index = module_.num_imported_functions++;
        module_.functions.push_back({type, {at, at}, at});
        break;
      }
      case ExternKind::kTable: {
        Table table;
        table.offset = at;
        if (absl::Status status = ReadTableType(in, table.type); !status.ok()) return status;
        import.index = module_.num_imported_tables++;
        if (import.index >= kMaxTables) return LimitAt(at, "tables", import.index + 1, kMaxTables);
        module_.tables.push_back(table);
        break;
      }
      case ExternKind::kMemory: {
        MemoryType memory;
        if (absl::Status status = ReadMemoryType(in, memory); !status.ok()) return status;
        import.index = module_.num_imported_memories++;
        if (import.index >= kMaxMemories)
          return LimitAt(at, "memories", import.index + 1, kMaxMemories);
        module_.memories.push_back(memory);
        module_.memory_offsets.push_back(at);
        break;
      }
      case ExternKind::kGlobal: {
        Global global = {};
        global.offset = at;
        if (absl::Status status = ReadGlobalType(in, global.type); !status.ok()) return status;
        import.index = module_.num_imported_globals++;
        module_.globals.push_back(global);
        break;
      }
    }
    module_.imports.push_back(import);
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadFunctions(ByteReader& in) {
  uint32_t count = 0;
  if (absl::Status status =
          ReadCount(in, "functions", module_.functions.size(), kMaxFunctions, count);
      !status.ok()) {
    return status;
  }
  module_.functions.reserve(module_.functions.size() + count);
  for (uint32_t i = 0; i < count; ++i) {
    Function function = {};
    function.offset = in.offset();
    if (!in.U32(function.type)) return in.status();
    module_.functions.push_back(function);
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadTables(ByteReader& in) {
  uint32_t count = 0;
  if (absl::Status status = ReadCount(in, "tables", module_.tables.size(), kMaxTables, count);
      !status.ok()) {
    return status;
  }
  for (uint32_t i = 0; i < count; ++i) {
    Table table;
    table.offset = in.offset();
    if (absl::Status status = ReadTableType(in, table.type); !status.ok()) return status;
    module_.tables.push_back(table);
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadMemories(ByteReader& in) {
  uint32_t count = 0;
  if (absl::Status status = ReadCount(in, "memories", module_.memories.size(), kMaxMemories, count);
      !status.ok()) {
    return status;
  }
  for (uint32_t i = 0; i < count; ++i) {
    MemoryType memory;
    module_.memory_offsets.push_back(in.offset());
    if (absl::Status status = ReadMemoryType(in, memory); !status.ok()) return status;
    module_.memories.push_back(memory);
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadConstExpr(ByteReader& in, ConstExpr& out) {
  out.begin = in.offset();
  InstructionReader reader(module_.bytes, {in.offset(), in.end()}, features_);
  // Blocks are not constant, but a fault of validity, not of form: so find their end all the same.
  for (uint32_t nesting = 1; nesting > 0;) {
    if (absl::Status status = reader.Next(instruction_); !status.ok()) return status;
    switch (instruction_.op) {
      case Op::kBlock:
      case Op::kLoop:
      case Op::kIf:
        ++nesting;
        break;
      case Op::kEnd:
        --nesting;
        break;
      case Op::kRefFunc:
        declared_.push_back(instruction_.index);
        break;
      default:
        break;
    }
    if (reader.offset() - out.begin > kMaxConstExprBytes) {
      return LimitAt(out.begin, "bytes of a constant expression", reader.offset() - out.begin,
                     kMaxConstExprBytes);
    }
  }
  out.end = reader.offset();
  in.SkipTo(out.end);
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadGlobals(ByteReader& in) {
  uint32_t count = 0;
  if (absl::Status status = ReadCount(in, "globals", module_.globals.size(), kMaxGlobals, count);
      !status.ok()) {
    return status;
  }
  module_.globals.reserve(module_.globals.size() + count);
  for (uint32_t i = 0; i < count; ++i) {
    Global global = {};
    global.offset = in.offset();
    if (absl::Status status = ReadGlobalType(in, global.type); !status.ok()) return status;
    if (absl::Status status = ReadConstExpr(in, global.init); !status.ok()) return status;
    module_.globals.push_back(global);
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadExports(ByteReader& in) {
  uint32_t count = 0;
  if (absl::Status status = ReadCount(in, "exports", 0, kMaxExports, count); !status.ok())
    return status;
  module_.exports.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    Export item = {};
    item.offset = in.offset();
    if (!in.Name(item.name)) return in.status();
    if (absl::Status status = ReadExternKind(in, "export kind", item.kind); !status.ok())
      return status;
    if (!in.U32(item.index)) return in.status();
    if (item.kind == ExternKind::kFunction) declared_.push_back(item.index);
    module_.exports.push_back(item);
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadElements(ByteReader& in) {
  // Bits of the number that a segment begins with.
  constexpr uint32_t kNotActive = 1;
  constexpr uint32_t kHasTableOrDeclarative = 2;  // a table index, or, not active: declarative
  constexpr uint32_t kExpressions = 4;
  uint32_t count = 0;
  if (absl::Status status = ReadCount(in, "element segments", 0, kMaxElementSegments, count);
      !status.ok()) {
    return status;
  }
  module_.elements.resize(count);
  for (ElementSegment& segment : module_.elements) {
    const uint32_t at = in.offset();
    segment.file_offset = at;
    uint32_t flags = 0;
    if (!in.U32(flags)) return in.status();
    if (flags > (kNotActive | kHasTableOrDeclarative | kExpressions)) {
      return FaultAt(at, absl::StrCat("malformed elements segment kind ", flags));
    }
    segment.type = kFuncRef;
    segment.uses_expressions = (flags & kExpressions) != 0;
    if (flags & kNotActive) {
      segment.mode =
          (flags & kHasTableOrDeclarative) ? SegmentMode::kDeclarative : SegmentMode::kPassive;
    } else {
      segment.mode = SegmentMode::kActive;
      if ((flags & kHasTableOrDeclarative) && !in.U32(segment.table)) return in.status();
      if (absl::Status status = ReadConstExpr(in, segment.offset); !status.ok()) return status;
    }
    if (flags & (kNotActive | kHasTableOrDeclarative)) {
      if (segment.uses_expressions) {
        if (absl::Status status = ReadRefType(in, segment.type); !status.ok()) return status;
      } else {
        uint8_t kind = 0;
        if (!in.Byte(kind)) return in.status();
        if (kind != 0) return BadByte(in.offset() - 1, "element kind", kind);
      }
    }
    if (absl::Status status = ReadElementItems(in, segment); !status.ok()) return status;
    segment.file_end = in.offset();
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadElementItems(ByteReader& in, ElementSegment& segment) {
  uint32_t count = 0;
  if (absl::Status status = ReadCount(in, "elements of a segment", 0, kMaxElementsInSegment, count);
      !status.ok()) {
    return status;
  }
  if (segment.uses_expressions) {
    segment.expressions.resize(count);
    for (ConstExpr& expression : segment.expressions) {
      if (absl::Status status = ReadConstExpr(in, expression); !status.ok()) return status;
    }
  } else {
    segment.functions.resize(count);
    for (uint32_t& function : segment.functions) {
      if (!in.U32(function)) return in.status();
    }
    declared_.insert(declared_.end(), segment.functions.begin(), segment.functions.end());
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadCode(ByteReader& in) {
  const uint32_t section = in.offset();
  if (!in.U32(num_bodies_)) return in.status();
  const size_t defined = module_.functions.size() - module_.num_imported_functions;
  if (num_bodies_ != defined) {
    return FaultAt(section,
                   absl::StrFormat("function and code section have inconsistent lengths: %u "
                                   "and %u",
                                   defined, num_bodies_));
  }
  for (uint32_t i = 0; i < num_bodies_; ++i) {
    const uint32_t at = in.offset();
    uint32_t size = 0;
    if (!in.U32(size)) return in.status();
    if (size > kMaxFunctionBytes) return LimitAt(at, "function size", size, kMaxFunctionBytes);
    if (size > in.Left()) {
      return FaultAt(at, absl::StrFormat("unexpected end: function body of %u bytes, %u are left",
                                         size, in.Left()));
    }
    module_.functions[module_.num_imported_functions + i].body = {in.offset(), in.offset() + size};
    in.SkipTo(in.offset() + size);
  }
  return absl::OkStatus();
}

absl::Status ModuleReader::ReadData(ByteReader& in) {
  uint32_t count = 0;
  if (absl::Status status = ReadCount(in, "data segments", 0, kMaxDataSegments, count);
      !status.ok()) {
    return status;
  }
  module_.data.resize(count);
  for (DataSegment& segment : module_.data) {
    const uint32_t at = in.offset();
    segment.file_offset = at;
    uint32_t kind = 0;
    if (!in.U32(kind)) return in.status();
    if (kind > 2) return FaultAt(at, absl::StrCat("malformed data segment kind ", kind));
    segment.mode = kind == 1 ? SegmentMode::kPassive : SegmentMode::kActive;
    if (kind == 2 && !in.U32(segment.memory)) return in.status();
    if (kind != 1) {
      if (absl::Status status = ReadConstExpr(in, segment.offset); !status.ok()) return status;
    }
    uint32_t size = 0;
    absl::Span<const uint8_t> bytes;
    if (!in.U32(size)) return in.status();
    segment.bytes = {in.offset(), in.offset() + size};
    if (!in.Bytes(size, bytes)) return in.status();
  }
  return absl::OkStatus();
}

}  // namespace

bool IsModule(absl::Span<const uint8_t> bytes) {
  return bytes.size() >= 8 && std::equal(kMagic, kMagic + 4, bytes.begin()) &&
         std::equal(kVersion, kVersion + 4, bytes.begin() + 4);
}

absl::StatusOr<Module> ReadModule(absl::Span<const uint8_t> bytes, const Features& features) {
  return ModuleReader(bytes, features).Read();
}

}  // namespace precast::wasm
