// Puts the pieces together: order, layout, checks, bytes, fixups, in this sequence.

#include "elfwriter/object.h"

#include <elf.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/log/check.h"
#include "elfwriter/layout.h"
#include "elfwriter/little_endian.h"

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
  WriteTo(absl::MakeSpan(out));
  return out;
}

void Object::WriteTo(absl::Span<uint8_t> out) const {
  CheckLaidOut();
  CHECK_EQ(out.size(), file_size_);
  ElfHeader header;
  header.program_header_count = static_cast<uint16_t>(program_headers_.count());
  header.section_headers_offset = section_headers_offset_;
  header.section_header_count = static_cast<uint16_t>(section_headers_.count());
  header.section_names_index = static_cast<uint16_t>(shstrtab_->index());
  header.WriteTo(out.subspan(0, ElfHeader::kSize));
  program_headers_.WriteTo(out.subspan(ElfHeader::kSize, program_headers_.Size()));
  for (const Section* section : order_) {
    if (section->is_nobits()) continue;
    section->WriteTo(out.subspan(section->file_offset(), section->Size()));
  }
  for (const Fixup& fixup : fixups_) ApplyFixup(fixup, out);
  section_headers_.WriteTo(out.subspan(section_headers_offset_, section_headers_.Size()));
}

void Object::ApplyFixup(const Fixup& fixup, absl::Span<uint8_t> out) const {
  const Section& from = section(fixup.section);
  uint8_t* field = out.data() + from.file_offset() + fixup.offset;
  // Addresses are unsigned and may wrap while they are added up.
  const uint64_t target = section(fixup.target).address() + static_cast<uint64_t>(fixup.addend);
  const uint64_t displacement = target - (from.address() + fixup.offset);
  switch (fixup.kind) {
    case FixupKind::kPcRelative32:
      CHECK(FitsSigned32(static_cast<int64_t>(displacement))) << from.name() << fixup.offset;
      StoreLittleEndian<4>(field, displacement);
      return;
    case FixupKind::kPcRelative64:
      StoreLittleEndian<8>(field, displacement);
      return;
    case FixupKind::kImageRelative32:
      CHECK_LE(target, std::numeric_limits<uint32_t>::max()) << from.name() << fixup.offset;
      StoreLittleEndian<4>(field, target);
      return;
    case FixupKind::kImageRelative64:
      StoreLittleEndian<8>(field, target);
      return;
  }
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

}  // namespace precast::elfwriter
