#include "compiler/image/image_builder.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/image/build_identity.h"
#include "loader/format/aot_file_info.h"
#include "loader/format/blob.h"
#include "loader/format/content_digest.h"
#include "loader/format/ex_info.h"
#include "loader/format/export_table.h"
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

constexpr uint32_t kMaxDispatchCount = 1 << 22;
constexpr uint32_t kTextAlignment = 64;  // that of functions is less, or this
constexpr uint8_t kFiller = 0xcc;        // int3 between functions
constexpr uint32_t kRiscVPcShift = 2;    // RISC-V instructions are 4 bytes
constexpr uint32_t kInstructionBytes = 1 << kRiscVPcShift;

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

uint32_t PcShift(guest::Kind kind) { return kind == guest::Kind::kWasm ? 0 : kRiscVPcShift; }

std::vector<uint8_t> EncodeExInfo(guest::Kind kind, const CompiledFunction& f) {
  format::ExInfoEncoder encoder(f.guest_begin, PcShift(kind));
  encoder.Reserve(f.sites.size(), f.lines.size());
  for (const codegen::FrameRule& rule : f.frame_rules)
    encoder.AddFrameRule({rule.code_offset, rule.cfa_offset});
  std::vector<format::StateLocation> changes;
  std::vector<format::Charge> more;
  const auto is_plain = [](const codegen::Site& site) {
    return !site.reset && site.state_begin == site.state_end && site.more_begin == site.more_end;
  };
  const absl::Span<const codegen::Site> sites = f.sites;
  for (size_t i = 0; i < sites.size();) {
    size_t end = i;
    while (end < sites.size() && is_plain(sites[end])) ++end;
    encoder.AddPlainSites(sites.subspan(i, end - i));
    i = end;
    if (i == sites.size()) break;
    const codegen::Site& site = sites[i++];
    changes.clear();
    more.clear();
    for (const codegen::StateLocation& l : f.StateOf(site)) {
      changes.push_back({l.slot, static_cast<format::StateLocation::Kind>(l.kind), l.value});
    }
    for (const codegen::Charge& c : f.MoreOf(site)) more.push_back({c.guest_pc, c.refund});
    encoder.AddSite(site.code_offset, static_cast<format::SiteKind>(site.kind), site.trap_code,
                    site.guest_pc, site.refund, site.reset, changes, more);
  }
  encoder.AddLines(absl::MakeConstSpan(f.lines));
  return encoder.Finish();
}

std::vector<uint8_t> EncodeUnwind(const CompiledFunction& f) {
  elfwriter::CfiProgram program;
  for (const codegen::FrameRule& rule : f.frame_rules)
    program.AdvanceTo(rule.code_offset).DefCfaOffset(rule.cfa_offset);
  return std::vector<uint8_t>(program.bytes().begin(), program.bytes().end());
}

class Builder {
 public:
  Builder(const guest::Program& program, absl::Span<const CompiledFunction> functions,
          DispatchRange dispatch, const ImageOptions& options)
      : program_(program),
        is_wasm_(program.kind == guest::Kind::kWasm),
        functions_(functions),
        dispatch_(dispatch),
        options_(options) {}

  LaidOutImage Run() {
    object_ = std::make_unique<elfwriter::Object>(elfwriter::ObjectOptions{.build_id = BuildId()});
    PlaceConstants();
    PlaceDispatchTable();
    PlaceCode();
    CollectSlots();
    EncodeTables();
    // From here on the contents of every section are known up to addresses.
    AddSections();
    AddFixups();
    AddUnwindInfo();
    AddSymbols();
    object_->Layout();
    return {std::move(object_), rodata_section_};
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
      for (const codegen::Entry& entry : f.entries) {
        AddEntry(entry.guest_pc, code_at_.back() + entry.code_offset);
      }
      text_size_ += f.code.size();
    }
    CHECK_LT(text_size_, format::kMaxImageSize / 2);
  }

  // .rodata begins with the file info; then come the functions' constants, the dispatch table, the
  // tables.
  void PlaceConstants() {
    // All that comes into it, nearly.
    size_t size = 4 * size_t{dispatch_.count} + 32 * functions_.size() + (64 << 10);
    for (const CompiledFunction& f : functions_)
      size += f.constants.size() + 16 + f.ex_info.size() + f.name.size();
    rodata_.reserve(size);
    rodata_.resize(sizeof(AotFileInfo));
    constants_at_.reserve(functions_.size());
    for (const CompiledFunction& f : functions_) {
      if (!f.constants.empty()) rodata_.resize(AlignUp(rodata_.size(), 16));
      constants_at_.push_back(static_cast<uint32_t>(rodata_.size()));
      rodata_.insert(rodata_.end(), f.constants.begin(), f.constants.end());
    }
  }

  void PlaceDispatchTable() {
    rodata_.resize(AlignUp(rodata_.size(), 16));
    dispatch_at_ = static_cast<uint32_t>(rodata_.size());
    rodata_.resize(rodata_.size() + 4 * size_t{dispatch_.count});
  }

  // Until fixups fill it in, the dispatch table says where in .text an entry is, plus one. Entries that it does not
  // cover are in far_entries_.
  bool IsCovered(uint32_t pc) const {
    return pc >= dispatch_.base && (pc - dispatch_.base) / kInstructionBytes < dispatch_.count;
  }
  uint8_t* DispatchTable() {
    // It moves into its section.
    return dispatch_at_ +
           (rodata_.empty() ? object_->MutableContents(rodata_section_).data() : rodata_.data());
  }
  uint8_t* DispatchEntry(uint32_t pc) {
    return DispatchTable() + 4 * ((pc - dispatch_.base) / kInstructionBytes);
  }
  void AddEntry(uint32_t pc, uint32_t code) {
    bool is_new;
    if (IsCovered(pc)) {
      uint8_t* const place = DispatchEntry(pc);
      is_new = format::LoadLe32(place) == 0;
      const uint32_t place_value = code + 1;
      std::memcpy(place, &place_value, 4);
    } else {
      is_new = far_entries_.emplace(pc, code).second;
    }
    CHECK(is_new) << "two entries at guest pc " << pc;
  }
  uint32_t EntryAt(uint32_t pc) {
    if (IsCovered(pc)) {
      const uint32_t code = format::LoadLe32(DispatchEntry(pc));
      CHECK_NE(code, 0u) << "call of pc " << pc << ", which has no entry";
      return code - 1;
    }
    const auto it = far_entries_.find(pc);
    CHECK(it != far_entries_.end()) << "call of pc " << pc << ", which has no entry";
    return it->second;
  }

  // One GOT slot per callback that code refers to directly, one PLT entry per callback that it
  // calls through the PLT, by ascending callback number.
  void CollectSlots() {
    std::vector<bool> got(256), plt(256);
    for (const CompiledFunction& f : functions_) {
      for (const CodeRelocation& r : f.relocations) {
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
    blob_.Reserve(bytes);
    for (size_t i = 0; i < functions_.size(); ++i) {
      const CompiledFunction& f = functions_[i];
      function_info.push_back(blob_.Add(format::EncodeFunctionInfo(FunctionInfoOf(f))));
      ex_info.push_back(f.ex_info.empty() ? blob_.Add(EncodeExInfo(program_.kind, f))
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
    const std::vector<uint8_t> metadata = format::EncodeMetadata(MakeMetadata());
    const std::vector<uint8_t> export_table =
        format::EncodeExportTable(exports, format::BlobReader(blob_.bytes()));

    AddTable(format::Table::kBlob, blob_.bytes());
    AddTable(format::Table::kFunction, format::EncodeOffsetTable(code_at_));
    AddTable(format::Table::kFunctionInfo, format::EncodeOffsetTable(function_info));
    AddTable(format::Table::kExInfo, format::EncodeOffsetTable(ex_info));
    AddTable(format::Table::kGotInfo, format::EncodeOffsetTable(got_info));
    AddTable(format::Table::kPltInfo, format::EncodeOffsetTable(plt_info));
    AddTable(format::Table::kExports, export_table);
    AddTable(format::Table::kImages, format::EncodeImportedImages(options_.imports));
    AddTable(format::Table::kMetadata, metadata);
    if (is_wasm_) AddTable(format::Table::kEntries, format::EncodeOffsetTable(WasmEntries()));
    table(format::Table::kDispatch) = {dispatch_at_, 4 * dispatch_.count};
  }

  format::Range& table(format::Table t) { return info_.tables[static_cast<size_t>(t)]; }

  // Offsets are relative to .rodata until fixups make them image-relative.
  void AddTable(format::Table t, absl::Span<const uint8_t> bytes) {
    rodata_.resize(AlignUp(rodata_.size(), 16));
    table(t) = {static_cast<uint32_t>(rodata_.size()), static_cast<uint32_t>(bytes.size())};
    rodata_.insert(rodata_.end(), bytes.begin(), bytes.end());
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
    FillFileInfo();
    AddRodata();
    if (is_wasm_) {
      guest_module_section_ = object_->AddSection({.name = ".guest.module", .alignment = 16});
      object_->SetContentsView(guest_module_section_, program_.module);
    }
    text_section_ = object_->AddSection(
        {.name = ".text", .segment = Segment::kText, .alignment = kTextAlignment});
    // From where it is to where it is to be: there is no copy in between.
    object_->SetContentsWriter(
        text_section_, text_size_,
        [functions = functions_, code_at = code_at_](absl::Span<uint8_t> text) {
          size_t end = 0;
          for (size_t i = 0; i < functions.size(); ++i) {
            const std::vector<uint8_t>& code = functions[i].code;
            std::fill(text.begin() + static_cast<ptrdiff_t>(end), text.begin() + code_at[i],
                      kFiller);
            std::copy(code.begin(), code.end(), text.begin() + code_at[i]);
            end = code_at[i] + code.size();
          }
        });
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
    object_->SetContentsWriter(guest_data_section_, guest_data_size_,
                               [&segments = program_.segments](absl::Span<uint8_t> out) {
                                 for (const guest::Segment& s : segments) {
                                   std::copy(s.data.begin(), s.data.end(), out.begin());
                                   out.remove_prefix(s.data.size());
                                 }
                               });
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
    info_.plt.size = static_cast<uint32_t>(plt_callbacks_.size() * format::kPltEntrySize);
    info_.got.size = static_cast<uint32_t>(8 * got_callbacks_.size());
    info_.got_plt.size = static_cast<uint32_t>(8 * plt_callbacks_.size());
    info_.guest_data.size = static_cast<uint32_t>(guest_data_size_);
    info_.guest_module.size = static_cast<uint32_t>(program_.module.size());
    info_.dispatch_base_pc = dispatch_.base;
    info_.dispatch_shift = PcShift();
    info_.table_count = format::kTableCount;
  }

  void AddRodata() {
    std::memcpy(rodata_.data(), &info_, sizeof info_);
    rodata_section_ = object_->AddSection({.name = ".rodata", .alignment = 16}, std::move(rodata_));
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
    size_t count = format::kTableCount + 16 + plt_callbacks_.size();
    for (const CompiledFunction& f : functions_)
      count += f.relocations.size() + f.constant_relocations.size() + f.entries.size();
    object_->ReserveFixups(count);
    FixFileInfo();
    for (size_t i = 0; i < functions_.size(); ++i) {
      for (const CodeRelocation& r : functions_[i].relocations) FixCode(i, r);
      for (const codegen::ConstantRelocation& r : functions_[i].constant_relocations) {
        FixTableEntry(constants_at_[i] + r.base, r.offset - r.base, code_at_[i] + r.code_offset);
      }
    }
    const uint8_t* const table = DispatchTable();
    for (uint32_t offset = 0; offset < 4 * dispatch_.count; offset += 4) {
      const uint32_t code = format::LoadLe32(table + offset);
      if (code != 0) FixTableEntry(dispatch_at_, offset, code - 1);
    }
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

  void FixCode(size_t function, const CodeRelocation& r) {
    const uint32_t at = code_at_[function] + r.offset;
    auto fix = [&](SectionId section, int64_t target) {
      object_->AddFixup({text_section_, at, FixupKind::kPcRelative32, section, target + r.addend});
    };
    switch (r.target) {
      case CodeRelocation::Target::kFunction: {
        fix(text_section_, EntryAt(r.index));
        break;
      }
      case CodeRelocation::Target::kGotRuntime:
        fix(got_section_, 8 * int64_t{GotSlot(r.index)});
        break;
      case CodeRelocation::Target::kPltRuntime:
        fix(plt_section_, int64_t{format::kPltEntrySize} * PltEntry(r.index));
        break;
      case CodeRelocation::Target::kConstants:
        fix(rodata_section_, int64_t{constants_at_[function]} + r.index);
        break;
      case CodeRelocation::Target::kDispatchTable:
        fix(rodata_section_, dispatch_at_);
        break;
    }
  }

  // rodata[table + offset] := address of code - address of the table.
  void FixTableEntry(uint32_t table, uint32_t offset, uint32_t code) {
    object_->AddFixup({rodata_section_, table + offset, FixupKind::kPcRelative32, text_section_,
                       int64_t{code} + offset});
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
    if (!plt_callbacks_.empty()) object_->AddFde(id, plt_section_, 0, info_.plt.size, {});
    object_->AddFixup({rodata_section_, offsetof(AotFileInfo, eh_frame),
                       FixupKind::kImageRelative32, object_->eh_frame(), 0});
    const uint32_t size = static_cast<uint32_t>(object_->SizeOf(object_->eh_frame()));
    std::memcpy(
        object_->MutableContents(rodata_section_).data() + offsetof(AotFileInfo, eh_frame) + 4,
        &size, 4);
  }

  void AddSymbols() {
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
  const ImageOptions& options_;
  std::unique_ptr<elfwriter::Object> object_;

  AotFileInfo info_ = {};
  size_t text_size_ = 0;
  std::vector<uint8_t> rodata_;
  size_t guest_data_size_ = 0;
  format::BlobBuilder blob_;
  std::vector<uint32_t> code_at_;                        // by function, in .text
  std::vector<uint32_t> constants_at_;                   // by function, in .rodata
  absl::flat_hash_map<uint32_t, uint32_t> far_entries_;  // guest pc → offset in .text
  uint32_t dispatch_at_ = 0;                             // in .rodata
  std::vector<uint32_t> got_callbacks_, plt_callbacks_;  // callback numbers, ascending
  SectionId text_section_{}, plt_section_{}, rodata_section_{}, got_section_{}, got_plt_section_{},
      guest_data_section_{}, guest_module_section_{};
};

}  // namespace

DispatchRange CoverEntries(absl::Span<const uint32_t> entries) {
  // The window of at most kMaxDispatchCount instructions that holds the most entries.
  DispatchRange best;
  size_t most = 0, first = 0;
  for (size_t last = 0; last < entries.size(); ++last) {
    while ((entries[last] - entries[first]) / kInstructionBytes >= kMaxDispatchCount) ++first;
    if (last - first + 1 <= most) continue;
    most = last - first + 1;
    best = {entries[first], (entries[last] - entries[first]) / kInstructionBytes + 1};
  }
  return best;
}

void EncodeSideTables(guest::Kind kind, CompiledFunction& function) {
  function.ex_info = EncodeExInfo(kind, function);
  function.unwind = EncodeUnwind(function);
  function.sites = {};
  function.states = {};
  function.charges = {};
  function.frame_rules = {};
  function.lines = {};
}

LaidOutImage Build(const guest::Program& program, absl::Span<const CompiledFunction> functions,
                   DispatchRange dispatch, const ImageOptions& options) {
  return Builder(program, functions, dispatch, options).Run();
}

std::vector<uint8_t> Finish(LaidOutImage& laid_out) {
  elfwriter::Object& object = *laid_out.object;
  const elfwriter::SectionId rodata = laid_out.file_info_section;
  std::vector<uint8_t> image = object.Write();
  const size_t field = offsetof(AotFileInfo, content_digest);
  const size_t at = object.FileOffsetOf(rodata) + field;
  const format::Sha256Digest digest = format::ContentDigest(image, at);
  std::copy(digest.begin(), digest.end(), image.begin() + static_cast<ptrdiff_t>(at));
  std::copy(digest.begin(), digest.end(), object.MutableContents(rodata).begin() + field);
  return image;
}

}  // namespace precast::image
