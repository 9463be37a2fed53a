#include "compiler/image/image_builder.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/image/build_identity.h"
#include "compiler/image/parts.h"
#include "compiler/image/side_tables.h"
#include "compiler/parallel.h"
#include "loader/format/aot_file_info.h"
#include "loader/format/blob.h"
#include "loader/format/export_table.h"
#include "loader/format/function_references.h"
#include "loader/format/guid.h"
#include "loader/format/metadata.h"
#include "loader/format/offset_table.h"
#include "loader/format/records.h"
#include "loader/format/sha256.h"
#include "openvm/config.h"
#include "runtime/abi/fingerprint.h"
#include "runtime/abi/meter_area.h"
#include "runtime/abi/vm_context.h"

namespace precast::image {
namespace {

using codegen::CodeRelocation;
using codegen::CompiledFunction;
using elfwriter::FixupKind;
using elfwriter::SectionId;
using elfwriter::Segment;
using format::AotFileInfo;

constexpr uint32_t kTextAlignment = 64;  // that of functions is less, or this
constexpr uint8_t kFiller = 0xcc;        // int3 between functions

uint32_t AlignUp(size_t value, uint32_t alignment) {
  return static_cast<uint32_t>((value + alignment - 1) & ~size_t{alignment - 1});
}

void Put32(std::vector<uint8_t>& bytes, size_t at, uint32_t value) {
  std::memcpy(bytes.data() + at, &value, 4);
}

std::string CanonicalOptions(guest::Kind kind, const ImageOptions& options) {
  std::string text = absl::StrFormat("opt=%d;metered=%d", options.opt_level, options.metered);
  if (kind == guest::Kind::kWasm)
    absl::StrAppendFormat(&text, ";canonical_nans=%d", options.canonical_nans);
  if (!options.profile.empty()) absl::StrAppend(&text, ";profile=", options.profile);
  if (options.count_rows) absl::StrAppend(&text, ";count_rows=", abi::kRowLanesVersion);
  return text;
}

class Builder : public std::enable_shared_from_this<Builder> {
 public:
  Builder(const guest::Program& program, absl::Span<const CompiledFunction> functions,
          DispatchRange dispatch, const ImageOptions& options)
      : program_(program),
        is_wasm_(program.kind == guest::Kind::kWasm),
        functions_(functions),
        dispatch_(dispatch),
        options_(options),
        entries_(dispatch) {}

  LaidOutImage Run(int threads) {
    auto object =
        std::make_unique<elfwriter::Object>(elfwriter::ObjectOptions{.build_id = BuildId()});
    object_ = object.get();
    PlaceConstants();
    PlaceDispatchTable();
    PlaceCode();
    CollectSlots();
    AddSections();
    ParallelFor(2, threads, [&](size_t job) {
      if (job == 0) {
        EncodeTables();
      } else {
        PlaceEntries();
        AddUnwindInfo();
        AddSymbols();
      }
    });
    // From here on the contents of every section are known up to addresses.
    FillSections();
    AddFixups();
    object_->Layout();
    at_ = {AddressOf(text_section_), AddressOf(plt_section_), AddressOf(rodata_section_),
           AddressOf(got_section_)};
    FillConstants();
    // The object has references to this one in it.
    return {std::move(object), rodata_section_, &info_.content_digest};
  }

 private:
  // -- contents

  // Identity of the image: everything its bytes depend on.
  std::vector<uint8_t> BuildId() const {
    format::Sha256 hash;
    auto add = [&](std::string_view text) {
      const uint64_t size = text.size();
      hash.Update(absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(&size), sizeof size));
      hash.Update(absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
    };
    add(absl::StrCat("precast image ", format::kFormatVersion));
    add(kCompilerIdentity);
    add(format::ToHex(program_.guid));
    add(CanonicalOptions(program_.kind, options_));
    add(absl::StrCat(options_.cpu_features));
    if (program_.openvm) add(openvm::ToText(program_.openvm_config));
    for (const std::string& extension : program_.openvm_extensions) add(extension);
    for (const format::ImportedImage& image : options_.imports) {
      add(image.name);
      add(format::ToHex(image.guid));
    }
    add(format::ToHex(abi::kFingerprint));
    const format::Sha256Digest digest = hash.Finish();
    return std::vector<uint8_t>(digest.begin(), digest.begin() + 20);
  }

  void PlaceCode() {
    code_at_.reserve(functions_.size());
    for (const CompiledFunction& f : functions_) {
      text_size_ = AlignUp(text_size_, f.alignment);
      code_at_.push_back(static_cast<uint32_t>(text_size_));
      text_size_ += f.code.size();
    }
    CHECK_LT(text_size_, format::kMaxImageSize / 2);
  }

  // Entries that the dispatch table does not cover are in far_entries_.
  void PlaceEntries() {
    for (const CompiledFunction& f : functions_) {
      for (const codegen::Entry& entry : f.entries) {
        if (!entries_.Covers(entry.guest_pc)) continue;
        CHECK(entries_.Mark(entry.guest_pc)) << "two entries at guest pc " << entry.guest_pc;
      }
    }
    entries_.FinishMarks();
    for (size_t i = 0; i < functions_.size(); ++i) {
      for (const codegen::Entry& entry : functions_[i].entries) {
        const uint32_t code = code_at_[i] + entry.code_offset;
        if (entries_.Covers(entry.guest_pc)) {
          entries_.SetCode(entry.guest_pc, code);
        } else {
          CHECK(far_entries_.emplace(entry.guest_pc, code).second)
              << "two entries at guest pc " << entry.guest_pc;
        }
      }
    }
  }
  uint32_t EntryAt(uint32_t pc) const {
    if (entries_.Covers(pc)) {
      const std::optional<uint32_t> code = entries_.CodeAt(pc);
      CHECK(code.has_value()) << "call of pc " << pc << ", which has no entry";
      return *code;
    }
    const auto it = far_entries_.find(pc);
    CHECK(it != far_entries_.end()) << "call of pc " << pc << ", which has no entry";
    return it->second;
  }

  // .rodata begins with the file info, which is written from where it is; then come the functions'
  // constants, the dispatch table, the tables.
  void PlaceConstants() {
    size_t size = sizeof(AotFileInfo) + 16;
    for (const CompiledFunction& f : functions_) {
      if (!f.constants.empty()) size += f.constants.size() + 15;
    }
    constants_.reserve(size);
    constants_.resize(sizeof(AotFileInfo));
    constants_at_.reserve(functions_.size());
    for (const CompiledFunction& f : functions_) {
      if (!f.constants.empty()) constants_.resize(AlignUp(constants_.size(), 16));
      constants_at_.push_back(static_cast<uint32_t>(constants_.size()));
      constants_.insert(constants_.end(), f.constants.begin(), f.constants.end());
    }
    rodata_size_ = constants_.size();
  }

  // The fields of jump tables: code address - table address.
  void FillConstants() {
    const uint32_t distance = TextFromRodata();
    for (size_t i = 0; i < functions_.size(); ++i) {
      for (const codegen::ConstantRelocation& r : functions_[i].constant_relocations) {
        CHECK_LE(uint64_t{r.offset} + 4, functions_[i].constants.size());
        Put32(constants_, constants_at_[i] + r.offset,
              code_at_[i] + r.code_offset + distance - (constants_at_[i] + r.base));
      }
    }
  }

  void PlaceDispatchTable() {
    dispatch_at_ = AlignUp(rodata_size_, 16);
    rodata_size_ = dispatch_at_ + 4 * uint64_t{dispatch_.count};
  }

  // One GOT slot per callback that code refers to directly, one PLT entry per callback that it
  // calls through the PLT, by ascending callback number.
  void CollectSlots() {
    std::vector<bool> got(256), plt(256);
    for (const CompiledFunction& f : functions_) {
      uint64_t end = 0;  // of the field before
      for (const CodeRelocation& r : f.relocations) {
        CHECK(r.offset >= end && uint64_t{r.offset} + 4 <= f.code.size()) << f.name;
        end = uint64_t{r.offset} + 4;
        if (r.target == CodeRelocation::Target::kGotRuntime) got[r.index] = true;
        if (r.target == CodeRelocation::Target::kPltRuntime) plt[r.index] = true;
      }
    }
    for (uint32_t callback = 0; callback < 256; ++callback) {
      if (got[callback]) got_callbacks_.push_back(callback);
      if (plt[callback]) plt_callbacks_.push_back(callback);
    }
  }

  uint32_t GotSlot(uint32_t callback) const {
    auto it = std::lower_bound(got_callbacks_.begin(), got_callbacks_.end(), callback);
    return static_cast<uint32_t>(it - got_callbacks_.begin());
  }
  uint32_t PltEntry(uint32_t callback) const {
    auto it = std::lower_bound(plt_callbacks_.begin(), plt_callbacks_.end(), callback);
    return static_cast<uint32_t>(it - plt_callbacks_.begin());
  }

  void EncodeTables() {
    std::vector<uint32_t> function_info, ex_info, got_info, plt_info;
    std::vector<format::Export> exports;
    function_info.reserve(functions_.size());
    ex_info.reserve(functions_.size());
    size_t bytes = 32 * functions_.size() + (64 << 10);
    for (const CompiledFunction& f : functions_) bytes += f.ex_info.size() + f.name.size();
    blob_.Reserve(bytes, 2 * functions_.size());
    format::ExInfoEncoder encoder;
    for (size_t i = 0; i < functions_.size(); ++i) {
      const CompiledFunction& f = functions_[i];
      function_info.push_back(blob_.Add(format::EncodeFunctionInfo(FunctionInfoOf(f))));
      ex_info.push_back(f.ex_info.empty() ? blob_.Add(EncodeExInfo(program_.kind, f, encoder))
                                          : blob_.Add(f.ex_info));
      if (is_wasm_) continue;
      exports.push_back(
          {blob_.AddString(f.name), format::ExportKind::kFunction, static_cast<uint32_t>(i)});
    }
    for (const guest::Export& e : program_.exports)
      exports.push_back(
          {blob_.AddString(e.name), static_cast<format::ExportKind>(e.kind), e.index});
    for (uint32_t callback : got_callbacks_) {
      got_info.push_back(
          blob_.Add(format::EncodeGotInfo({format::GotInfo::Kind::kRuntimeCallback, callback})));
    }
    for (uint32_t callback : plt_callbacks_) {
      plt_info.push_back(
          blob_.Add(format::EncodePltInfo({format::PltInfo::Kind::kRuntimeCallback, callback, 0})));
    }
    std::vector<uint8_t> metadata = format::EncodeMetadata(MakeMetadata());
    std::vector<uint8_t> export_table =
        format::EncodeExportTable(exports, format::BlobReader(blob_.bytes()));

    AddTable(format::Table::kBlob, blob_.bytes());
    AddTable(format::Table::kFunction, format::EncodeOffsetTable(code_at_));
    AddTable(format::Table::kFunctionInfo, format::EncodeOffsetTable(function_info));
    AddTable(format::Table::kExInfo, format::EncodeOffsetTable(ex_info));
    AddTable(format::Table::kGotInfo, format::EncodeOffsetTable(got_info));
    AddTable(format::Table::kPltInfo, format::EncodeOffsetTable(plt_info));
    AddTable(format::Table::kExports, std::move(export_table));
    AddTable(format::Table::kImages, format::EncodeImportedImages(options_.imports));
    AddTable(format::Table::kMetadata, std::move(metadata));
    if (is_wasm_) {
      AddTable(format::Table::kEntries, format::EncodeOffsetTable(WasmEntries()));
      AddTable(format::Table::kDeclared, EncodeDeclared());
      AddTable(format::Table::kElements, EncodeElements());
    }
    table(format::Table::kDispatch) = {dispatch_at_, 4 * dispatch_.count};
  }

  format::Range& table(format::Table t) { return info_.tables[static_cast<size_t>(t)]; }

  // Offsets are relative to .rodata until fixups make them image-relative.
  void AddTable(format::Table t, absl::Span<const uint8_t> bytes) {
    const uint32_t at = AlignUp(rodata_size_, 16);
    table(t) = {at, static_cast<uint32_t>(bytes.size())};
    tables_.push_back({at, bytes});
    rodata_size_ = at + bytes.size();
  }
  void AddTable(format::Table t, std::vector<uint8_t> bytes) {
    owned_tables_.push_back(std::move(bytes));
    AddTable(t, absl::MakeConstSpan(owned_tables_.back()));
  }

  std::vector<uint32_t> WasmEntries() const {
    std::vector<uint32_t> entries;
    for (const CompiledFunction& f : functions_) {
      CHECK_EQ(f.entries.size(), 1u) << f.name;
      CHECK_EQ(f.entries[0].code_offset, 0u) << f.name;
      CHECK(entries.empty() || entries.back() < f.entries[0].guest_pc) << f.name;
      entries.push_back(f.entries[0].guest_pc);
    }
    return entries;
  }

  std::vector<uint8_t> EncodeDeclared() const {
    std::vector<format::DeclaredFunction> functions;
    for (const guest::DeclaredFunction& f : program_.declared)
      functions.push_back({.function = f.function, .type = f.type});
    return format::EncodeDeclaredFunctions(functions);
  }

  std::vector<uint8_t> EncodeElements() const {
    std::vector<format::ElementSegmentRecords> segments;
    for (const guest::ElementSegment& s : program_.elements)
      segments.push_back({.end = s.end, .records = s.records});
    return format::EncodeElementFunctions(segments);
  }

  uint32_t PcShift() const { return image::PcShift(program_.kind); }

  format::FunctionInfo FunctionInfoOf(const CompiledFunction& f) const {
    format::FunctionInfo info;
    info.code_size = static_cast<uint32_t>(f.code.size());
    info.guest_begin = f.guest_begin;
    info.guest_end = f.guest_end;
    for (const CodeRelocation& r : f.relocations) {
      if (r.target == CodeRelocation::Target::kGotRuntime)
        info.got_slots.push_back(GotSlot(r.index));
    }
    std::sort(info.got_slots.begin(), info.got_slots.end());
    info.got_slots.erase(std::unique(info.got_slots.begin(), info.got_slots.end()),
                         info.got_slots.end());
    return info;
  }

  format::Metadata MakeMetadata() {
    format::Metadata metadata;
    metadata.entry_pc = program_.entry;
    metadata.initial_brk = program_.initial_brk;
    metadata.phdr_address = program_.phdr_address;
    metadata.phdr_count = program_.phdr_count;
    for (const guest::CodeRange& range : program_.code)
      metadata.code_ranges.push_back({range.begin, range.end});
    for (const guest::Segment& s : program_.segments) {
      metadata.segments.push_back({.address = s.address,
                                   .size = s.size,
                                   .data_offset = static_cast<uint32_t>(guest_data_size_),
                                   .data_size = static_cast<uint32_t>(s.data.size()),
                                   .readable = s.readable,
                                   .writable = s.writable,
                                   .executable = s.executable});
      guest_data_size_ += s.data.size();
    }
    metadata.options = CanonicalOptions(program_.kind, options_);
    metadata.compiler = kCompilerIdentity;
    if (program_.openvm) metadata.machine = openvm::ToText(program_.openvm_config);
    metadata.extensions = program_.openvm_extensions;
    return metadata;
  }

  // -- sections

  void AddSections() {
    rodata_section_ = object_->AddSection({.name = ".rodata", .alignment = 16});
    if (is_wasm_) {
      guest_module_section_ = object_->AddSection({.name = ".guest.module", .alignment = 16});
      object_->SetContentsView(guest_module_section_, program_.module);
    }
    text_section_ = object_->AddSection(
        {.name = ".text", .segment = Segment::kText, .alignment = kTextAlignment});
    plt_section_ = object_->AddSection({.name = ".plt",
                                        .segment = Segment::kText,
                                        .alignment = 16,
                                        .entry_size = format::kPltEntrySize},
                                       EncodePlt());
    got_section_ = object_->AddSection(
        {.name = ".got", .segment = Segment::kRelro, .alignment = 8, .entry_size = 8},
        std::vector<uint8_t>(8 * got_callbacks_.size()));
    got_plt_section_ = object_->AddSection(
        {.name = ".got.plt", .segment = Segment::kData, .alignment = 8, .entry_size = 8},
        std::vector<uint8_t>(8 * plt_callbacks_.size()));
    guest_data_section_ =
        object_->AddSection({.name = ".guest.data", .segment = Segment::kCopyOnWrite});
  }

  // From where it is to where it is to be: there are no copies in between.
  void FillSections() {
    FillFileInfo();
    const auto write = [self = shared_from_this()](auto member) {
      return [self, member](uint64_t begin, absl::Span<uint8_t> out) {
        ((*self).*member)(begin, out);
      };
    };
    object_->SetContentsWriter(rodata_section_, rodata_size_, write(&Builder::WriteRodata));
    object_->SetContentsWriter(text_section_, text_size_, write(&Builder::WriteText));
    object_->SetContentsWriter(guest_data_section_, guest_data_size_,
                               write(&Builder::WriteGuestData));
  }

  // -- bytes of the large sections, in parts, when addresses are known

  void WriteText(uint64_t begin, absl::Span<uint8_t> out) const {
    const uint64_t end = begin + out.size();
    const auto next = std::upper_bound(code_at_.begin(), code_at_.end(), begin);
    size_t i = static_cast<size_t>(next - code_at_.begin()) - (next == code_at_.begin() ? 0 : 1);
    uint64_t done = begin;
    const auto fill_to = [&](uint64_t to) {
      std::fill(out.begin() + (done - begin), out.begin() + (to - begin), kFiller);
      done = to;
    };
    for (; i < functions_.size() && code_at_[i] < end; ++i) {
      const std::vector<uint8_t>& code = functions_[i].code;
      const uint64_t at = code_at_[i];
      const uint64_t from = std::max(at, begin), to = std::min(at + code.size(), end);
      if (from >= to) continue;
      fill_to(from);
      std::memcpy(out.data() + (from - begin), code.data() + (from - at), to - from);
      done = to;
      RelocatePart(i, begin, out);
    }
    fill_to(end);
  }

  // The fields of function i that are in the part, or half.
  void RelocatePart(size_t i, uint64_t begin, absl::Span<uint8_t> out) const {
    const std::vector<CodeRelocation>& relocations = functions_[i].relocations;
    const uint64_t at = code_at_[i], end = begin + out.size();
    auto r = relocations.begin();
    if (at < begin) {
      r = std::partition_point(r, relocations.end(),
                               [&](const CodeRelocation& x) { return at + x.offset + 4 <= begin; });
    }
    for (; r != relocations.end() && at + r->offset < end; ++r) {
      const uint64_t field = at + r->offset;
      PutInPart(begin, out, field,
                TargetOf(i, *r) + static_cast<uint32_t>(r->addend) -
                    (at_.text + static_cast<uint32_t>(field)));
    }
  }

  // Address of what the field refers to.
  uint32_t TargetOf(size_t function, const CodeRelocation& r) const {
    switch (r.target) {
      case CodeRelocation::Target::kFunction:
        return at_.text + EntryAt(r.index);
      case CodeRelocation::Target::kGotRuntime:
        return at_.got + 8 * GotSlot(r.index);
      case CodeRelocation::Target::kPltRuntime:
        return at_.plt + static_cast<uint32_t>(format::kPltEntrySize) * PltEntry(r.index);
      case CodeRelocation::Target::kConstants:
        return at_.rodata + constants_at_[function] + r.index;
      case CodeRelocation::Target::kDispatchTable:
        return at_.rodata + dispatch_at_;
    }
    return 0;
  }
  uint32_t AddressOf(SectionId section) const {
    return static_cast<uint32_t>(object_->AddressOf(section));
  }
  uint32_t TextFromRodata() const { return at_.text - at_.rodata; }

  void WriteRodata(uint64_t begin, absl::Span<uint8_t> out) const {
    const uint64_t end = begin + out.size();
    uint64_t done = begin;
    // write(offset in the part, span) for what lies in [at, at + size).
    const auto part = [&](uint64_t at, uint64_t size, auto write) {
      const uint64_t from = std::max(at, begin), to = std::min(at + size, end);
      if (from >= to) return;
      std::fill(out.begin() + (done - begin), out.begin() + (from - begin), 0);
      write(from - at, out.subspan(from - begin, to - from));
      done = to;
    };
    const auto copy = [](const uint8_t* bytes) {
      return [bytes](uint64_t from, absl::Span<uint8_t> to) {
        std::memcpy(to.data(), bytes + from, to.size());
      };
    };
    part(0, sizeof info_, copy(reinterpret_cast<const uint8_t*>(&info_)));
    part(sizeof info_, constants_.size() - sizeof info_, copy(constants_.data() + sizeof info_));
    part(dispatch_at_, 4 * uint64_t{dispatch_.count}, [&](uint64_t from, absl::Span<uint8_t> to) {
      entries_.Write(from, to, TextFromRodata() - dispatch_at_);
    });
    for (const TableBytes& t : tables_) part(t.at, t.bytes.size(), copy(t.bytes.data()));
    std::fill(out.begin() + (done - begin), out.end(), 0);
  }

  void WriteGuestData(uint64_t begin, absl::Span<uint8_t> out) const {
    uint64_t at = 0;
    const uint64_t end = begin + out.size();
    for (const guest::Segment& s : program_.segments) {
      const uint64_t from = std::max(at, begin), to = std::min(at + s.data.size(), end);
      if (from < to)
        std::memcpy(out.data() + (from - begin), s.data.data() + (from - at), to - from);
      at += s.data.size();
    }
  }

  uint32_t PltSize() const {
    return static_cast<uint32_t>(plt_callbacks_.size() * format::kPltEntrySize);
  }

  void FillFileInfo() {
    info_.magic = format::kMagic;
    info_.format_version = format::kFormatVersion;
    info_.struct_size = sizeof(AotFileInfo);
    info_.program_guid = program_.guid;
    info_.options_guid = format::GuidOf(CanonicalOptions(program_.kind, options_));
    info_.abi_fingerprint = abi::kFingerprint;
    info_.cpu_features = options_.cpu_features;
    info_.guest_kind = static_cast<uint32_t>(program_.kind);
    auto flag = [&](bool on, format::ImageFlag which) {
      if (on) info_.flags |= static_cast<uint32_t>(which);
    };
    flag(options_.metered, format::ImageFlag::kMetered);
    flag(options_.count_rows, format::ImageFlag::kCountsRows);
    flag(options_.canonical_nans, format::ImageFlag::kCanonicalNans);
    flag(program_.memory_initialized, format::ImageFlag::kMemoryInitialized);
    info_.text.size = static_cast<uint32_t>(text_size_);
    info_.plt.size = PltSize();
    info_.got.size = static_cast<uint32_t>(8 * got_callbacks_.size());
    info_.got_plt.size = static_cast<uint32_t>(8 * plt_callbacks_.size());
    info_.guest_data.size = static_cast<uint32_t>(guest_data_size_);
    info_.guest_module.size = static_cast<uint32_t>(program_.module.size());
    info_.dispatch_base_pc = dispatch_.base;
    info_.dispatch_shift = PcShift();
    info_.table_count = format::kTableCount;
  }

  // endbr64; mov $index, %r11d; jmp *slot(%rip)
  std::vector<uint8_t> EncodePlt() const {
    std::vector<uint8_t> plt;
    for (uint32_t i = 0; i < plt_callbacks_.size(); ++i) {
      const uint8_t stub[format::kPltEntrySize] = {0xf3, 0x0f, 0x1e, 0xfa, 0x41, 0xbb, 0, 0,
                                                   0,    0,    0xff, 0x25, 0,    0,    0, 0};
      plt.insert(plt.end(), std::begin(stub), std::end(stub));
      Put32(plt, plt.size() - 10, i);
    }
    return plt;
  }

  // -- address-dependent fields

  void AddFixups() {
    FixFileInfo();
    for (uint32_t i = 0; i < plt_callbacks_.size(); ++i) {
      object_->AddFixup({plt_section_, i * format::kPltEntrySize + 12, FixupKind::kPcRelative32,
                         got_plt_section_, 8 * int64_t{i} - 4});
    }
  }

  void FixFileInfo() {
    auto fix = [&](size_t field, SectionId section, uint32_t size, int64_t addend) {
      if (size != 0)
        object_->AddFixup({rodata_section_, field, FixupKind::kImageRelative32, section, addend});
    };
    fix(offsetof(AotFileInfo, text), text_section_, info_.text.size, 0);
    fix(offsetof(AotFileInfo, plt), plt_section_, info_.plt.size, 0);
    fix(offsetof(AotFileInfo, got), got_section_, info_.got.size, 0);
    fix(offsetof(AotFileInfo, got_plt), got_plt_section_, info_.got_plt.size, 0);
    fix(offsetof(AotFileInfo, guest_data), guest_data_section_, info_.guest_data.size, 0);
    fix(offsetof(AotFileInfo, guest_module), guest_module_section_, info_.guest_module.size, 0);
    for (size_t t = 0; t < format::kTableCount; ++t) {
      fix(offsetof(AotFileInfo, tables) + t * sizeof(format::Range), rodata_section_,
          info_.tables[t].size, info_.tables[t].offset);
    }
  }

  // -- what debuggers and unwinders read

  void AddUnwindInfo() {
    if (functions_.empty() && plt_callbacks_.empty()) return;  // no code, no .eh_frame
    elfwriter::Cie cie;
    cie.initial.DefCfa(elfwriter::DwarfRegister::kRsp, 8)
        .Offset(elfwriter::DwarfRegister::kReturnAddress, -8);
    const elfwriter::CieId id = object_->AddCie(cie);
    for (size_t i = 0; i < functions_.size(); ++i) {
      const CompiledFunction& f = functions_[i];
      const std::vector<uint8_t> fresh =
          f.ex_info.empty() ? EncodeUnwind(f) : std::vector<uint8_t>();
      object_->AddFde(id, text_section_, code_at_[i], static_cast<uint32_t>(f.code.size()),
                      f.ex_info.empty() ? fresh : f.unwind);
    }
    if (!plt_callbacks_.empty()) object_->AddFde(id, plt_section_, 0, PltSize(), {});
    object_->AddFixup({rodata_section_, offsetof(AotFileInfo, eh_frame),
                       FixupKind::kImageRelative32, object_->eh_frame(), 0});
    info_.eh_frame.size = static_cast<uint32_t>(object_->SizeOf(object_->eh_frame()));
  }

  void AddSymbols() {
    object_->ReserveSymbols(1 + functions_.size() + plt_callbacks_.size());
    object_->AddSymbol({.name = format::kAotFileInfoSymbol,
                        .section = rodata_section_,
                        .value = 0,
                        .size = sizeof(AotFileInfo),
                        .binding = elfwriter::SymbolBinding::kGlobal,
                        .type = elfwriter::SymbolType::kObject});
    for (size_t i = 0; i < functions_.size(); ++i) {
      object_->AddSymbol({.name = functions_[i].name,
                          .section = text_section_,
                          .value = code_at_[i],
                          .size = functions_[i].code.size(),
                          .type = elfwriter::SymbolType::kFunction});
    }
    static constexpr const char* kCallbackNames[] = {
#define PRECAST_CALLBACK(Name, description) #Name,
#include "runtime/abi/callbacks.def"
#undef PRECAST_CALLBACK
    };
    for (uint32_t i = 0; i < plt_callbacks_.size(); ++i) {
      object_->AddSymbol(
          {.name = absl::StrCat("precast.", kCallbackNames[plt_callbacks_[i]], "@plt"),
           .section = plt_section_,
           .value = i * format::kPltEntrySize,
           .size = format::kPltEntrySize,
           .type = elfwriter::SymbolType::kFunction});
    }
  }

  const guest::Program& program_;
  const bool is_wasm_;
  const absl::Span<const CompiledFunction> functions_;
  const DispatchRange dispatch_;
  const ImageOptions options_;
  elfwriter::Object* object_ = nullptr;

  struct TableBytes {
    uint32_t at;  // in .rodata
    absl::Span<const uint8_t> bytes;
  };

  AotFileInfo info_ = {};
  struct Addresses {
    uint32_t text, plt, rodata, got;
  };
  Addresses at_{};  // of sections, when they are fixed
  size_t text_size_ = 0;
  uint64_t rodata_size_ = 0;
  std::vector<uint8_t> constants_;  // what .rodata begins with
  std::vector<TableBytes> tables_;  // ascending
  std::list<std::vector<uint8_t>> owned_tables_;
  size_t guest_data_size_ = 0;
  format::BlobBuilder blob_;
  std::vector<uint32_t> code_at_;       // by function, in .text
  std::vector<uint32_t> constants_at_;  // by function, in .rodata
  DispatchMap entries_;
  absl::flat_hash_map<uint32_t, uint32_t> far_entries_;  // guest pc → offset in .text
  uint32_t dispatch_at_ = 0;                             // in .rodata
  std::vector<uint32_t> got_callbacks_, plt_callbacks_;  // callback numbers, ascending
  SectionId text_section_{}, plt_section_{}, rodata_section_{}, got_section_{}, got_plt_section_{},
      guest_data_section_{}, guest_module_section_{};
};

}  // namespace

LaidOutImage Build(const guest::Program& program, absl::Span<const CompiledFunction> functions,
                   DispatchRange dispatch, const ImageOptions& options, int threads) {
  return std::make_shared<Builder>(program, functions, dispatch, options)->Run(threads);
}

}  // namespace precast::image
