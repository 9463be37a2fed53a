// Puts the pieces together: order, layout, checks, bytes, fixups, in this sequence.

#include "elfwriter/object.h"

#include <elf.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/log/check.h"
#include "elfwriter/layout.h"

namespace precast::elfwriter {
namespace {

// Whether `value` is what a two's complement 32-bit field can hold.
bool FitsSigned32(int64_t value) {
  return value >= std::numeric_limits<int32_t>::min() &&
         value <= std::numeric_limits<int32_t>::max();
}

}  // namespace

template <typename T, typename... Args>
T* Object::Make(SectionId* id, Args&&... args) {
  CheckNotLaidOut();
  auto owned = std::make_unique<T>(std::forward<Args>(args)...);
  T* section = owned.get();
  if (id != nullptr) *id = static_cast<SectionId>(pool_.size());
  pool_.push_back(std::move(owned));
  user_sections_.push_back(nullptr);
  return section;
}

Object::Object(ObjectOptions options) : options_(std::move(options)) {
  build_id_ =
      Make<NoteSection>(nullptr, ".note.gnu.build-id", "GNU", NT_GNU_BUILD_ID, options_.build_id);
  dynstr_ = Make<StringTable>(nullptr, SectionSpec{.name = ".dynstr", .type = SHT_STRTAB});
  dynsym_ =
      Make<SymbolTable>(&dynsym_id_, SectionSpec{.name = ".dynsym", .type = SHT_DYNSYM}, dynstr_);
  gnu_hash_ = Make<GnuHashSection>(nullptr, dynsym_);
  eh_frame_ = Make<EhFrameSection>(&eh_frame_id_);
  eh_frame_hdr_ = Make<EhFrameHeaderSection>(&eh_frame_hdr_id_, *eh_frame_);
  dynamic_ = Make<DynamicSection>(&dynamic_id_, *gnu_hash_, *dynstr_, *dynsym_);
  strtab_ = Make<StringTable>(
      nullptr,
      SectionSpec{.name = ".strtab", .segment = Segment::kUnallocated, .type = SHT_STRTAB});
  symtab_ = Make<SymbolTable>(
      nullptr, SectionSpec{.name = ".symtab", .segment = Segment::kUnallocated, .type = SHT_SYMTAB},
      strtab_);
  shstrtab_ = Make<StringTable>(
      nullptr,
      SectionSpec{.name = ".shstrtab", .segment = Segment::kUnallocated, .type = SHT_STRTAB});
  if (!options_.soname.empty()) dynamic_->set_soname(dynstr_->Add(options_.soname));
}

SectionId Object::AddSection(SectionSpec spec, std::vector<uint8_t> contents) {
  SectionId id;
  auto* section = Make<DataSection>(&id, std::move(spec));
  user_sections_.back() = section;
  if (!section->is_nobits()) section->SetOwned(std::move(contents));
  return id;
}

void Object::SetContents(SectionId id, std::vector<uint8_t> contents) {
  UserSection(id).SetOwned(std::move(contents));
}

void Object::SetContentsView(SectionId id, absl::Span<const uint8_t> contents) {
  UserSection(id).SetView(contents);
}

void Object::SetContentsWriter(SectionId id, uint64_t size, DataSection::Writer writer) {
  UserSection(id).SetWriter(size, std::move(writer));
}

void Object::SetZeroFill(SectionId id, uint64_t size) {
  DataSection& section = UserSection(id);
  CHECK(section.segment() == Segment::kData) << section.name();
  section.SetZeroFill(size);
}

void Object::AddSymbol(const Symbol& symbol) {
  CheckNotLaidOut();
  const SymbolEntry entry = {
      .name_offset = 0,
      .binding = symbol.binding,
      .type = symbol.type,
      .visibility = symbol.visibility,
      .section = symbol.section.has_value() ? &section(*symbol.section) : nullptr,
      .value = symbol.value,
      .size = symbol.size};
  symtab_->Add(symbol.name, entry);
  if (symbol.binding == SymbolBinding::kLocal) return;
  CHECK(symbol.visibility != SymbolVisibility::kHidden) << symbol.name;
  CHECK(!symbol.name.empty()) << "an exported symbol without a name";
  dynsym_->Add(symbol.name, entry);
}

void Object::AddFixup(const Fixup& fixup) {
  CheckNotLaidOut();
  fixups_.push_back(fixup);
}

void Object::AddNote(absl::string_view section_name, absl::string_view owner, uint32_t type,
                     absl::Span<const uint8_t> description) {
  notes_.push_back(Make<NoteSection>(nullptr, section_name, owner, type, description));
}

CieId Object::AddCie(const Cie& cie) { return eh_frame_->AddCie(cie); }

void Object::AddFde(CieId cie, SectionId code, uint64_t code_offset, uint32_t code_size,
                    absl::Span<const uint8_t> instructions) {
  eh_frame_->AddFde(cie, section(code), code, code_offset, code_size, instructions);
}

void Object::Layout() {
  CheckNotLaidOut();
  // From here on the order of .dynsym and the size of .gnu.hash are fixed.
  gnu_hash_->SortSymbols();
  // From here on it is fixed which sections there are, and so is every name and size.
  OrderSections();
  absl::flat_hash_set<absl::string_view> names;
  for (const Section* section : order_) {
    CHECK(names.insert(section->name()).second) << "two sections named " << section->name();
    section_headers_.Add(section, *shstrtab_);
  }
  CHECK_LT(section_headers_.count(), uint32_t{SHN_LORESERVE});
  laid_out_ = true;
  // From here on every address is fixed.
  SpecialSections special;
  special.dynamic = dynamic_;
  if (order_.front()->type() == SHT_NOTE) {
    special.first_note = order_.front();
    special.last_note = notes_.empty() ? build_id_ : notes_.back();
  }
  if (!eh_frame_->fdes().empty()) special.eh_frame_hdr = eh_frame_hdr_;
  LayoutResult result = LayOut(order_, special);
  program_headers_ = std::move(result.program_headers);
  memory_size_ = result.memory_size;
  for (Section* section : left_out_) section->Place(SHN_UNDEF, memory_size_, 0);
  section_headers_offset_ = AlignUp(result.end_of_sections, 8);
  file_size_ = section_headers_offset_ + section_headers_.Size();
  CheckReferences();
}

void Object::OrderSections() {
  if (!build_id_->description().empty()) order_.push_back(build_id_);
  order_.insert(order_.end(), notes_.begin(), notes_.end());
  order_.insert(order_.end(), {gnu_hash_, dynsym_, dynstr_});
  const auto add_user_sections = [this](Segment segment) {
    uint64_t size = 0;
    for (const DataSection* section : user_sections_) {
      if (section != nullptr && section->segment() == segment) size += section->Size();
    }
    // These two have no other sections; tools complain of a section that is in no PT_LOAD.
    const bool is_left_out =
        size == 0 && (segment == Segment::kText || segment == Segment::kCopyOnWrite);
    for (DataSection* section : user_sections_) {
      if (section == nullptr || section->segment() != segment) continue;
      (is_left_out ? left_out_ : order_).push_back(section);
    }
  };
  add_user_sections(Segment::kReadOnly);
  if (!eh_frame_->fdes().empty()) order_.insert(order_.end(), {eh_frame_hdr_, eh_frame_});
  add_user_sections(Segment::kText);
  order_.push_back(dynamic_);
  add_user_sections(Segment::kRelro);
  add_user_sections(Segment::kData);
  add_user_sections(Segment::kCopyOnWrite);
  add_user_sections(Segment::kUnallocated);
  order_.insert(order_.end(), {symtab_, strtab_, shstrtab_});
}

void Object::CheckReferences() const {
  for (const Fixup& fixup : fixups_) {
    const Section& from = section(fixup.section);
    const Section& to = section(fixup.target);
    CHECK(from.is_placed() && to.is_placed()) << "fixup in or to a section that is left out";
    CHECK(user_sections_[static_cast<uint32_t>(fixup.section)] != nullptr) << from.name();
    CHECK(!from.is_nobits()) << from.name();
    CHECK_LE(fixup.offset, from.Size()) << from.name();
    CHECK_LE(FixupSize(fixup.kind), from.Size() - fixup.offset) << from.name();
    CHECK(to.is_allocated() || !from.is_allocated()) << from.name() << " -> " << to.name();
    CHECK(from.is_allocated() || !IsPcRelative(fixup.kind)) << from.name() << " has no address";
  }
  for (const absl::Span<const SymbolEntry> list : {symtab_->locals(), symtab_->globals()}) {
    for (const SymbolEntry& symbol : list) {
      if (symbol.section == nullptr) continue;
      CHECK(symbol.section->is_placed()) << strtab_->Get(symbol.name_offset);
      CHECK_LE(symbol.value, symbol.section->Size()) << strtab_->Get(symbol.name_offset);
    }
  }
  for (const EhFrameSection::FdeRecord& fde : eh_frame_->fdes()) {
    CHECK(fde.code->segment() == Segment::kText) << fde.code->name();
    CHECK_LE(fde.code_offset, fde.code->Size()) << fde.code->name();
    CHECK_LE(fde.code_size, fde.code->Size() - fde.code_offset) << fde.code->name();
  }
}

uint64_t Object::AddressOf(SectionId id) const { return section(id).address(); }

uint64_t Object::FileOffsetOf(SectionId id) const { return section(id).file_offset(); }

uint64_t Object::SizeOf(SectionId id) const { return section(id).Size(); }

uint64_t Object::FileSize() const {
  CheckLaidOut();
  return file_size_;
}

uint64_t Object::MemorySize() const {
  CheckLaidOut();
  return memory_size_;
}

std::vector<uint8_t> Object::Write() const {
  std::vector<uint8_t> out(FileSize());
  PieceWriter(*this).Write(0, absl::MakeSpan(out));
  return out;
}

uint64_t Object::FieldOf(const Fixup& fixup) const {
  return section(fixup.section).file_offset() + fixup.offset;
}

uint64_t Object::ValueOf(const Fixup& fixup) const {
  const Section& from = section(fixup.section);
  // Addresses are unsigned and may wrap while they are added up.
  const uint64_t target = section(fixup.target).address() + static_cast<uint64_t>(fixup.addend);
  const uint64_t displacement = target - (from.address() + fixup.offset);
  switch (fixup.kind) {
    case FixupKind::kPcRelative32:
      CHECK(FitsSigned32(static_cast<int64_t>(displacement))) << from.name() << fixup.offset;
      return displacement;
    case FixupKind::kPcRelative64:
      return displacement;
    case FixupKind::kImageRelative32:
      CHECK_LE(target, std::numeric_limits<uint32_t>::max()) << from.name() << fixup.offset;
      return target;
    case FixupKind::kImageRelative64:
      return target;
  }
  return 0;
}

absl::Span<uint8_t> Object::MutableContents(SectionId id) {
  return UserSection(id).mutable_bytes();
}

void Object::SetBuildId(absl::Span<const uint8_t> build_id) {
  build_id_->SetDescription(build_id);
  options_.build_id.assign(build_id.begin(), build_id.end());
}

const Section& Object::section(SectionId id) const {
  CHECK_LT(static_cast<uint32_t>(id), pool_.size());
  return *pool_[static_cast<uint32_t>(id)];
}

bool Object::IsUserSection(const Section& section) const {
  return std::find(user_sections_.begin(), user_sections_.end(), &section) != user_sections_.end();
}

DataSection& Object::UserSection(SectionId id) {
  CHECK_LT(static_cast<uint32_t>(id), user_sections_.size());
  DataSection* section = user_sections_[static_cast<uint32_t>(id)];
  CHECK(section != nullptr) << pool_[static_cast<uint32_t>(id)]->name()
                            << ": made by the writer itself";
  return *section;
}

void Object::CheckNotLaidOut() const { CHECK(!laid_out_) << "changed after Layout()"; }

void Object::CheckLaidOut() const { CHECK(laid_out_) << "needs Layout()"; }

PieceWriter::PieceWriter(const Object& object) : object_(object) {
  object.CheckLaidOut();
  // What the object makes itself is small.
  const auto add = [this](uint64_t begin, uint64_t size) {
    parts_.push_back({begin, begin + size, nullptr, std::vector<uint8_t>(size)});
    return absl::MakeSpan(parts_.back().bytes);
  };
  ElfHeader header;
  header.program_header_count = static_cast<uint16_t>(object.program_headers_.count());
  header.section_headers_offset = object.section_headers_offset_;
  header.section_header_count = static_cast<uint16_t>(object.section_headers_.count());
  header.section_names_index = static_cast<uint16_t>(object.shstrtab_->index());
  header.WriteTo(add(0, ElfHeader::kSize));
  object.program_headers_.WriteTo(add(ElfHeader::kSize, object.program_headers_.Size()));
  absl::flat_hash_set<const Section*> user_sections;
  for (const DataSection* section : object.user_sections_) {
    if (section != nullptr) user_sections.insert(section);
  }
  for (const Section* section : object.order_) {
    if (section->is_nobits() || section->Size() == 0) continue;
    const uint64_t begin = section->file_offset();
    if (user_sections.contains(section)) {
      parts_.push_back(
          {begin, begin + section->Size(), static_cast<const DataSection*>(section), {}});
    } else {
      section->WriteTo(add(begin, section->Size()));
    }
  }
  object.section_headers_.WriteTo(
      add(object.section_headers_offset_, object.section_headers_.Size()));
  for (size_t i = 1; i < parts_.size(); ++i) CHECK_LE(parts_[i - 1].end, parts_[i].begin);

  fields_.reserve(object.fixups_.size());
  for (const Fixup& fixup : object.fixups_) fields_.push_back({object.FieldOf(fixup), &fixup});
  // The later of two for the same field counts.
  std::stable_sort(fields_.begin(), fields_.end(),
                   [](const Field& a, const Field& b) { return a.begin < b.begin; });
}

void PieceWriter::Write(uint64_t begin, absl::Span<uint8_t> out) const {
  const uint64_t end = begin + out.size();
  CHECK_LE(end, object_.FileSize());
  uint64_t done = begin;
  auto part = std::partition_point(parts_.begin(), parts_.end(),
                                   [begin](const Part& p) { return p.end <= begin; });
  for (; part != parts_.end() && part->begin < end; ++part) {
    const uint64_t from = std::max(part->begin, begin), to = std::min(part->end, end);
    std::fill(out.begin() + (done - begin), out.begin() + (from - begin), 0);
    const absl::Span<uint8_t> span = out.subspan(from - begin, to - from);
    if (part->section != nullptr) {
      part->section->WritePart(from - part->begin, span);
    } else {
      std::copy_n(part->bytes.begin() + static_cast<ptrdiff_t>(from - part->begin), to - from,
                  span.begin());
    }
    done = to;
  }
  std::fill(out.begin() + (done - begin), out.end(), 0);

  // A field may lie across the piece's begin or end.
  constexpr uint64_t kMaxFieldSize = 8;
  auto field = std::partition_point(fields_.begin(), fields_.end(), [begin](const Field& f) {
    return f.begin + kMaxFieldSize <= begin;
  });
  for (; field != fields_.end() && field->begin < end; ++field) {
    const uint64_t value = object_.ValueOf(*field->fixup);
    for (uint32_t i = 0; i < FixupSize(field->fixup->kind); ++i) {
      const uint64_t at = field->begin + i;
      if (at >= begin && at < end) out[at - begin] = static_cast<uint8_t>(value >> (8 * i));
    }
  }
}

}  // namespace precast::elfwriter
