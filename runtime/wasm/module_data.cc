// The binary format (WebAssembly core specification 2.0, chapter 5, with the flags of threads,
// memory64, multiple memories and table initializers), as far as the runtime needs it. The image
// may be damaged, so every count and index is checked: code that works on a ModuleData relies on
// all indices in it being in range.
#include "runtime/wasm/module_data.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace precast::runtime::wasm {

namespace {

// The FunctionRecord keys leave 20 bits for the type; context displacements are 31 bits wide.
constexpr uint32_t kMaxTypes = 1 << 20;
constexpr uint64_t kMaxLayoutSize = (uint64_t{1} << 31) - 1;
constexpr uint64_t kMaxFileSize = uint64_t{1} << 30;

// A cursor over the file. After the first fault it is at the end and stays there; `status` has the
// fault.
class Cursor {
 public:
  Cursor(absl::Span<const uint8_t> bytes, uint32_t begin, uint32_t end)
      : bytes_(bytes), at_(begin), end_(end) {}

  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }
  uint32_t at() const { return at_; }
  uint32_t left() const { return end_ - at_; }

  void Fail(std::string_view what) {
    if (status_.ok()) {
      status_ = absl::InvalidArgumentError(
          absl::StrFormat("WebAssembly module, offset 0x%x: %s", at_, what));
    }
    at_ = end_;
  }
  void Expect(bool condition, std::string_view what) {
    if (!condition) Fail(what);
  }

  uint8_t Byte() {
    if (at_ >= end_) {
      Fail("unexpected end");
      return 0;
    }
    return bytes_[at_++];
  }
  uint8_t Peek() const { return at_ < end_ ? bytes_[at_] : 0; }
  void Skip(uint64_t n) {
    if (n > left()) {
      Fail("unexpected end");
    } else {
      at_ += static_cast<uint32_t>(n);
    }
  }
  // LEB128 of at most `bits` bits; unused bits of the last byte are not looked at.
  uint64_t Unsigned(int bits) {
    uint64_t value = 0;
    for (int shift = 0; shift < bits; shift += 7) {
      uint8_t b = Byte();
      value |= static_cast<uint64_t>(b & 0x7f) << shift;
      if ((b & 0x80) == 0) return value;
    }
    Fail("integer too long");
    return 0;
  }
  void SkipSigned(int bits) { Unsigned(bits); }
  uint32_t U32() {
    uint64_t v = Unsigned(32);
    if (v > 0xffffffffu) {
      Fail("integer too large");
      return 0;
    }
    return static_cast<uint32_t>(v);
  }
  // Of things of at least `min_size` bytes each.
  uint32_t Count(uint32_t min_size = 1) {
    uint32_t n = U32();
    if (n > left() / min_size) {
      Fail("count beyond the end of the section");
      return 0;
    }
    return n;
  }
  std::string_view Name() {
    uint32_t size = Count();
    std::string_view name(reinterpret_cast<const char*>(bytes_.data()) + at_, size);
    Skip(size);
    return ok() ? name : std::string_view();
  }
  bool IsAtEnd() const { return at_ == end_; }

 private:
  absl::Span<const uint8_t> bytes_;
  uint32_t at_, end_;
  absl::Status status_;
};

ValType ReadValType(Cursor& c) {
  uint8_t b = c.Byte();
  c.Expect((b >= 0x7b && b <= 0x7f) || b == 0x70 || b == 0x6f, "unknown value type");
  return static_cast<ValType>(b);
}

ValType ReadRefType(Cursor& c) {
  ValType type = ReadValType(c);
  c.Expect(type == ValType::kFuncRef || type == ValType::kExternRef, "reference type expected");
  return type;
}

struct ReadLimits {
  Limits limits;
  bool is_64, shared;
};
ReadLimits ReadLimitsOf(Cursor& c) {
  uint8_t flags = c.Byte();
  c.Expect(flags < 8, "unknown flags of limits");
  ReadLimits out;
  out.is_64 = (flags & 4) != 0;
  out.shared = (flags & 2) != 0;
  int bits = out.is_64 ? 64 : 32;
  out.limits.min = c.Unsigned(bits);
  if ((flags & 1) != 0) out.limits.max = c.Unsigned(bits);
  return out;
}

TableType ReadTableType(Cursor& c) {
  TableType type;
  type.element = ReadRefType(c);
  ReadLimits limits = ReadLimitsOf(c);
  c.Expect(!limits.shared, "shared table");
  type.limits = limits.limits;
  type.is_64 = limits.is_64;
  return type;
}

MemoryType ReadMemoryType(Cursor& c) {
  ReadLimits limits = ReadLimitsOf(c);
  MemoryType type{limits.limits, limits.is_64, limits.shared};
  // Any more, and sizes in bytes do not fit in 64 bits.
  c.Expect(type.limits.min <= uint64_t{1} << 48, "memory too large");
  if (!type.is_64) c.Expect(type.limits.min <= 65536, "memory size must be at most 65536 pages");
  return type;
}

GlobalType ReadGlobalType(Cursor& c) {
  GlobalType type;
  type.type = ReadValType(c);
  uint8_t b = c.Byte();
  c.Expect(b < 2, "unknown mutability");
  type.is_mutable = b == 1;
  return type;
}

}  // namespace

class ModuleData::Decoder {
 public:
  // `prepared`: the tables of declared functions and elements are there already.
  Decoder(absl::Span<const uint8_t> bytes, std::unique_ptr<ModuleData> m, bool prepared)
      : m_(std::move(m)), prepared_(prepared) {
    m_->bytes = bytes;
  }

  // One of the data section, at `c`.
  static DataSegment ReadDataSegment(const ModuleData& m, Cursor& c);

  absl::StatusOr<std::unique_ptr<ModuleData>> Run() {
    absl::Span<const uint8_t> bytes = m_->bytes;
    static constexpr uint8_t kHeader[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    if (bytes.size() < sizeof(kHeader) || !std::equal(kHeader, std::end(kHeader), bytes.begin()))
      return absl::InvalidArgumentError("not a WebAssembly module of version 1");
    if (bytes.size() > kMaxFileSize)
      return absl::ResourceExhaustedError("WebAssembly module larger than 1 GiB");
    Cursor file(bytes, sizeof(kHeader), static_cast<uint32_t>(bytes.size()));
    int last_rank = 0;
    while (!file.IsAtEnd()) {
      uint8_t id = file.Byte();
      uint32_t size = file.Count();
      Cursor section(bytes, file.at(), file.at() + size);
      file.Skip(size);
      if (!file.ok()) break;
      if (id == 0) {
        ReadCustom(section);
        continue;
      }
      // The data count section (12) lies before the code section.
      static constexpr int kRank[13] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 10};
      if (id > 12 || kRank[id] <= last_rank) {
        file.Fail("unknown section, or out of order");
        break;
      }
      last_rank = kRank[id];
      ReadSection(id, section);
      if (section.ok() && !section.IsAtEnd()) section.Fail("section longer than its contents");
      if (!section.ok()) return section.status();
      if (id == 10 && prepared_) {
        m_->rest_ = {file.at(), file.at() + file.left()};
        break;
      }
    }
    if (!file.ok()) return file.status();
    if (absl::Status s = Finish(); !s.ok()) return s;
    return std::move(m_);
  }

 private:
  void ReadSection(uint8_t id, Cursor& c) {
    switch (id) {
      case 1:
        return ReadTypes(c);
      case 2:
        return ReadImports(c);
      case 3: {
        const uint32_t n = c.Count();
        m_->num_functions += n;
        m_->function_section_ = {c.at(), c.at() + c.left()};
        if (prepared_) return c.Skip(c.left());
        for (uint32_t i = 0; i < n && c.ok(); ++i) TypeIndex(c);
        return;
      }
      case 4:
        return ReadTables(c);
      case 5: {
        uint32_t n = c.Count();
        for (uint32_t i = 0; i < n && c.ok(); ++i) m_->memories.push_back(ReadMemoryType(c));
        return;
      }
      case 6: {
        uint32_t n = c.Count();
        for (uint32_t i = 0; i < n && c.ok(); ++i) {
          ModuleData::Global global;
          global.type = ReadGlobalType(c);
          global.init = Expression(c, /*declares=*/true);
          m_->globals.push_back(global);
        }
        return;
      }
      case 7:
        return ReadExports(c);
      case 8:
        m_->start = FunctionIndex(c);
        return;
      case 9:
        return ReadElements(c);
      case 10:
        return ReadCode(c);
      case 11:
        return ReadData(c);
      case 12:
        c.U32();
        return;
    }
  }

  static uint32_t Index(Cursor& c, size_t size, std::string_view what) {
    uint32_t i = c.U32();
    c.Expect(i < size, what);
    return i;
  }
  uint32_t TypeIndex(Cursor& c) { return Index(c, m_->types.size(), "unknown type"); }
  uint32_t FunctionIndex(Cursor& c) { return Index(c, m_->num_functions, "unknown function"); }

  // A constant expression. `declares`: functions it names have records.
  ByteRange Expression(Cursor& c, bool declares) {
    return SkipExpression(*m_, c, declares ? &declared_ : nullptr);
  }
  static ByteRange SkipExpression(const ModuleData& m, Cursor& c, std::vector<uint32_t>* declared) {
    ByteRange range{c.at(), 0};
    for (;;) {
      switch (c.Byte()) {
        case 0x0b:  // end
          range.end = c.at();
          return range;
        case 0x23:  // global.get
          Index(c, m.globals.size(), "unknown global");
          break;
        case 0x41:  // i32.const
          c.SkipSigned(32);
          break;
        case 0x42:  // i64.const
          c.SkipSigned(64);
          break;
        case 0x43:  // f32.const
          c.Skip(4);
          break;
        case 0x44:  // f64.const
          c.Skip(8);
          break;
        case 0x6a:  // i32.add sub mul
        case 0x6b:
        case 0x6c:
        case 0x7c:  // i64.add sub mul
        case 0x7d:
        case 0x7e:
          break;
        case 0xd0:  // ref.null
          ReadRefType(c);
          break;
        case 0xd2: {  // ref.func
          uint32_t function = Index(c, m.num_functions, "unknown function");
          if (declared != nullptr && c.ok()) declared->push_back(function);
          break;
        }
        case 0xfd:
          c.Expect(c.U32() == 12, "unknown instruction in a constant expression");  // v128.const
          c.Skip(16);
          break;
        default:
          c.Fail("unknown instruction in a constant expression");
      }
      if (!c.ok()) return range;
    }
  }

  void ReadTypes(Cursor& c) {
    uint32_t n = c.Count(3);
    c.Expect(n <= kMaxTypes, "too many types");
    for (uint32_t i = 0; i < n && c.ok(); ++i) {
      FuncType type;
      c.Expect(c.Byte() == 0x60, "function type expected");
      for (std::vector<ValType>* list : {&type.params, &type.results}) {
        uint32_t count = c.Count();
        c.Expect(count <= abi::kMaxWasmArgs, "too many parameters or results");
        for (uint32_t k = 0; k < count && c.ok(); ++k) list->push_back(ReadValType(c));
      }
      m_->types.push_back(std::move(type));
    }
  }

  void ReadImports(Cursor& c) {
    uint32_t n = c.Count(4);
    for (uint32_t i = 0; i < n && c.ok(); ++i) {
      ModuleData::Import import;
      import.module = c.Name();
      import.name = c.Name();
      uint8_t kind = c.Byte();
      import.kind = static_cast<ExternKind>(kind);
      switch (kind) {
        case 0:
          import.index = m_->num_functions++;
          m_->imported_types_.push_back(TypeIndex(c));
          break;
        case 1:
          import.index = static_cast<uint32_t>(m_->tables.size());
          m_->tables.push_back({ReadTableType(c), {}});
          break;
        case 2:
          import.index = static_cast<uint32_t>(m_->memories.size());
          m_->memories.push_back(ReadMemoryType(c));
          break;
        case 3:
          import.index = static_cast<uint32_t>(m_->globals.size());
          m_->globals.push_back({ReadGlobalType(c), {}});
          break;
        default:
          c.Fail("unknown kind of import");
          return;
      }
      m_->imports.push_back(import);
    }
    m_->num_imported_functions = m_->num_functions;
    m_->num_imported_tables = static_cast<uint32_t>(m_->tables.size());
    m_->num_imported_memories = static_cast<uint32_t>(m_->memories.size());
    m_->num_imported_globals = static_cast<uint32_t>(m_->globals.size());
  }

  void ReadTables(Cursor& c) {
    uint32_t n = c.Count(3);
    for (uint32_t i = 0; i < n && c.ok(); ++i) {
      ModuleData::Table table;
      const bool has_init = c.Peek() == 0x40;
      if (has_init) {
        c.Skip(1);
        c.Expect(c.Byte() == 0, "unknown kind of table");
      }
      table.type = ReadTableType(c);
      if (has_init) table.init = Expression(c, /*declares=*/true);
      m_->tables.push_back(table);
    }
  }

  void ReadExports(Cursor& c) {
    uint32_t n = c.Count(3);
    for (uint32_t i = 0; i < n && c.ok(); ++i) {
      ModuleData::Export out;
      out.name = c.Name();
      uint8_t kind = c.Byte();
      out.kind = static_cast<ExternKind>(kind);
      const size_t sizes[] = {m_->num_functions, m_->tables.size(), m_->memories.size(),
                              m_->globals.size()};
      if (kind > 3) {
        c.Fail("unknown kind of export");
        return;
      }
      out.index = Index(c, sizes[kind], "unknown export");
      if (out.kind == ExternKind::kFunction && c.ok()) declared_.push_back(out.index);
      m_->exports.push_back(out);
    }
  }

  // Flags of an element segment (section 5.5.12): bit 0 passive or declarative, bit 1 an explicit
  // table or declarative, bit 2 expressions.
  void ReadElements(Cursor& c) {
    uint32_t n = c.Count();
    for (uint32_t i = 0; i < n && c.ok(); ++i) {
      ModuleData::ElementSegment segment;
      uint32_t flags = c.U32();
      c.Expect(flags < 8, "unknown flags of an element segment");
      if ((flags & 1) == 0) {
        segment.mode = ModuleData::SegmentMode::kActive;
        segment.table = (flags & 2) != 0 ? c.U32() : 0;
        c.Expect(segment.table < m_->tables.size(), "unknown table");
        segment.offset = Expression(c, /*declares=*/false);
      } else if ((flags & 2) != 0) {
        segment.mode = ModuleData::SegmentMode::kDeclarative;
      }
      const bool expressions = (flags & 4) != 0;
      if ((flags & 3) != 0) {
        if (expressions) {
          segment.type = ReadRefType(c);
        } else {
          c.Expect(c.Byte() == 0, "unknown kind of elements");
        }
      }
      const uint32_t count = c.Count();
      if (expressions) {
        for (uint32_t k = 0; k < count && c.ok(); ++k)
          segment.expressions.push_back(Expression(c, /*declares=*/true));
      } else if (prepared_) {
        SkipElements(c, i, count, segment);
      } else {
        std::vector<uint32_t>& functions = element_functions_.emplace_back().records;
        for (uint32_t k = 0; k < count && c.ok(); ++k) functions.push_back(FunctionIndex(c));
        if (!c.ok()) return;
        declared_.insert(declared_.end(), functions.begin(), functions.end());
      }
      if (!prepared_) {
        element_functions_.resize(i + 1);
        element_functions_.back().end = c.at();
      }
      m_->elements.push_back(std::move(segment));
    }
  }

  // The image knows where a segment ends and what its elements are.
  void SkipElements(Cursor& c, uint32_t i, uint32_t count, ElementSegment& segment) {
    const std::optional<format::ElementFunctions::Segment> known =
        m_->element_functions.SegmentAt(i);
    if (!known || known->count != count || known->end < c.at() || known->end - c.at() > c.left())
      return c.Fail("element segment that the image's table of elements does not fit");
    segment.first = known->first;
    segment.count = known->count;
    c.Skip(known->end - c.at());
  }

  void ReadCode(Cursor& c) {
    num_bodies_ = c.Count();
    m_->code_ = {c.at(), c.at() + c.left()};
    c.Skip(c.left());
  }

  void ReadData(Cursor& c) {
    m_->num_data_segments_ = c.Count();
    m_->data_section_ = {c.at(), c.at() + c.left()};
    c.Skip(c.left());
  }

  // Faults in custom sections are no faults of the module (section 7.4): names are then just
  // missing.
  void ReadCustom(Cursor& c) {
    if (c.Name() == "name" && c.ok()) m_->naming_.push_back({c.at(), c.at() + c.left()});
  }

  absl::Status Finish() {
    ModuleData& m = *m_;
    if (num_bodies_ != m.num_functions_defined()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("WebAssembly module: function section has %d functions, code section %d",
                          m.num_functions_defined(), num_bodies_));
    }
    const auto hash = [&m](uint32_t i) {
      return absl::HashOf(m.types[i].params, m.types[i].results);
    };
    const auto equal = [&m](uint32_t i, uint32_t j) {
      return m.types[i].params == m.types[j].params && m.types[i].results == m.types[j].results;
    };
    absl::flat_hash_set<uint32_t, decltype(hash), decltype(equal)> first(m.types.size(), hash,
                                                                         equal);
    m.canonical_types.reserve(m.types.size());
    for (uint32_t i = 0; i < m.types.size(); ++i)
      m.canonical_types.push_back(*first.insert(i).first);

    if (!prepared_) Prepare();
    const uint64_t records = uint64_t{m.num_imported_functions} + m.declared.count();
    if (records > kMaxLayoutSize / sizeof(abi::FunctionRecord))
      return absl::ResourceExhaustedError("WebAssembly module: too many functions");
    m.layout.num_records = static_cast<uint32_t>(records);
    m.layout.num_memories = static_cast<uint32_t>(m.memories.size());
    m.layout.num_tables = static_cast<uint32_t>(m.tables.size());
    m.layout.num_globals = static_cast<uint32_t>(m.globals.size());
    if (m.layout.Size() > kMaxLayoutSize)
      return absl::ResourceExhaustedError("WebAssembly module: too many functions or globals");
    return absl::OkStatus();
  }

  // Makes the tables that no image has.
  void Prepare() {
    ModuleData& m = *m_;
    std::sort(declared_.begin(), declared_.end());
    declared_.erase(std::unique(declared_.begin(), declared_.end()), declared_.end());
    std::vector<format::DeclaredFunction> functions;
    for (uint32_t function : declared_) {
      if (function >= m.num_imported_functions)
        functions.push_back({.function = function, .type = m.functions()[function]});
    }
    m.own_declared_ = format::EncodeDeclaredFunctions(functions);
    m.declared = *format::DeclaredFunctions::Parse(m.own_declared_);
    for (format::ElementSegmentRecords& segment : element_functions_) {
      for (uint32_t& function : segment.records) function = m.RecordOf(function);
    }
    m.own_elements_ = format::EncodeElementFunctions(element_functions_);
    m.element_functions = *format::ElementFunctions::Parse(m.own_elements_);
    for (uint32_t i = 0; i < m.elements.size(); ++i) {
      const format::ElementFunctions::Segment segment = *m.element_functions.SegmentAt(i);
      m.elements[i].first = segment.first;
      m.elements[i].count = segment.count;
    }
  }

  std::unique_ptr<ModuleData> m_;
  const bool prepared_;
  std::vector<uint32_t> declared_;
  // Of element segments; function indices, until there are records.
  std::vector<format::ElementSegmentRecords> element_functions_;
  uint32_t num_bodies_ = 0;
};

const std::vector<uint32_t>& ModuleData::functions() const {
  absl::call_once(functions_once_, [this] {
    functions_ = imported_types_;
    functions_.reserve(num_functions);
    Cursor c(bytes, function_section_.begin, function_section_.end);
    while (!c.IsAtEnd() && functions_.size() < num_functions) {
      const uint32_t type = c.U32();
      c.Expect(type < types.size(), "unknown type");
      if (c.ok()) functions_.push_back(type);
    }
    functions_.resize(num_functions, kNone);
  });
  return functions_;
}

uint32_t ModuleData::RecordOf(uint32_t function) const {
  if (function < num_imported_functions) return function;
  const std::optional<uint32_t> found = declared.Find(function);
  return found ? num_imported_functions + *found : kNone;
}

std::optional<format::DeclaredFunction> ModuleData::FunctionOfRecord(uint32_t record) const {
  if (record < num_imported_functions || record >= layout.num_records) return std::nullopt;
  const format::DeclaredFunction found = declared.Get(record - num_imported_functions);
  if (found.function < num_imported_functions || found.function >= num_functions ||
      found.type >= types.size()) {
    return std::nullopt;
  }
  return found;
}

std::optional<uint32_t> ModuleData::TypeOf(uint32_t function) const {
  if (function < num_imported_functions) return imported_types_[function];
  if (const uint32_t record = RecordOf(function); record != kNone) {
    const std::optional<format::DeclaredFunction> known = FunctionOfRecord(record);
    return known ? std::optional(known->type) : std::nullopt;
  }
  const uint32_t type = functions()[function];
  return type != kNone ? std::optional(type) : std::nullopt;
}

const std::vector<ByteRange>& ModuleData::bodies() const {
  absl::call_once(bodies_once_, [this] {
    Cursor c(bytes, code_.begin, code_.end);
    while (!c.IsAtEnd() && bodies_.size() < num_functions_defined()) {
      const uint32_t size = c.Count();
      const ByteRange body{c.at(), c.at() + size};
      c.Skip(size);
      if (c.ok()) bodies_.push_back(body);
    }
    bodies_.resize(num_functions_defined());
  });
  return bodies_;
}

ModuleData::DataSegment ModuleData::Decoder::ReadDataSegment(const ModuleData& m, Cursor& c) {
  DataSegment segment;
  const uint32_t flags = c.U32();
  c.Expect(flags < 3, "unknown flags of a data segment");
  if (flags != 1) {
    segment.mode = SegmentMode::kActive;
    segment.memory = flags == 2 ? c.U32() : 0;
    c.Expect(segment.memory < m.memories.size(), "unknown memory");
    segment.offset = SkipExpression(m, c, nullptr);
  }
  const uint32_t size = c.Count();
  segment.bytes = {c.at(), c.at() + size};
  c.Skip(size);
  return segment;
}

void ModuleData::ReadRest() const {
  absl::call_once(rest_once_, [this] {
    Cursor file(bytes, rest_.begin, rest_.end);
    while (!file.IsAtEnd()) {
      const uint8_t id = file.Byte();
      const uint32_t size = file.Count();
      Cursor c(bytes, file.at(), file.at() + size);
      file.Skip(size);
      if (!file.ok()) return;
      if (id == 0 && c.Name() == "name" && c.ok()) naming_.push_back({c.at(), c.at() + c.left()});
      if (id != 11 || data_section_.end != 0) continue;
      num_data_segments_ = c.Count();
      data_section_ = {c.at(), c.at() + c.left()};
    }
  });
}

uint32_t ModuleData::num_data_segments() const {
  ReadRest();
  return num_data_segments_;
}

const std::vector<ModuleData::DataSegment>& ModuleData::data() const {
  absl::call_once(data_once_, [this] {
    const uint32_t count = num_data_segments();
    Cursor c(bytes, data_section_.begin, data_section_.end);
    while (!c.IsAtEnd() && data_.size() < count) {
      DataSegment segment = Decoder::ReadDataSegment(*this, c);
      if (c.ok()) data_.push_back(segment);
    }
    data_.resize(count);
  });
  return data_;
}

const std::vector<std::string_view>& ModuleData::function_names() const {
  absl::call_once(function_names_once_, [this] {
    ReadRest();
    for (const ByteRange& section : naming_) AddNames(section);
  });
  return function_names_;
}

// Of all lists of names the last one that is well-formed counts.
void ModuleData::AddNames(const ByteRange& section) const {
  constexpr uint8_t kFunctions = 1;
  Cursor c(bytes, section.begin, section.end);
  while (!c.IsAtEnd()) {
    const uint8_t id = c.Byte();
    const uint32_t size = c.Count();
    Cursor names(bytes, c.at(), c.at() + size);
    c.Skip(size);
    if (!c.ok()) return;
    if (id != kFunctions) continue;
    std::vector<std::string_view> found;
    uint32_t n = names.Count(2);
    for (uint32_t i = 0; i < n && names.ok(); ++i) {
      const uint32_t index = names.U32();
      const std::string_view name = names.Name();
      if (index >= num_functions) continue;
      if (found.size() <= index) found.resize(index + 1);
      found[index] = name;
    }
    if (names.ok()) function_names_ = std::move(found);
  }
}

absl::StatusOr<std::unique_ptr<ModuleData>> ModuleData::Decode(absl::Span<const uint8_t> bytes) {
  return Decoder(bytes, std::make_unique<ModuleData>(), /*prepared=*/false).Run();
}

absl::StatusOr<std::unique_ptr<ModuleData>> ModuleData::Decode(absl::Span<const uint8_t> bytes,
                                                               format::DeclaredFunctions declared,
                                                               format::ElementFunctions elements) {
  auto module = std::make_unique<ModuleData>();
  module->declared = declared;
  module->element_functions = elements;
  return Decoder(bytes, std::move(module), /*prepared=*/true).Run();
}

}  // namespace precast::runtime::wasm
