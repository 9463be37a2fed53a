#include "tools/commands/image_view.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "loader/format/content_digest.h"
#include "loader/format/export_table.h"
#include "loader/format/records.h"

namespace precast::aotc {
namespace {

const char* CallbackName(uint32_t index) {
  static constexpr const char* kNames[] = {
#define PRECAST_CALLBACK(Name, description) #Name,
#include "runtime/abi/callbacks.def"
#undef PRECAST_CALLBACK
  };
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

// `count` records of type T at `offset`, or nothing if they are not all inside.
template <typename T>
std::optional<std::vector<T>> Records(absl::Span<const uint8_t> file, uint64_t offset,
                                      uint64_t count) {
  if (offset > file.size() || count > (file.size() - offset) / sizeof(T)) return std::nullopt;
  std::vector<T> records(count);
  if (count != 0) std::memcpy(records.data(), file.data() + offset, count * sizeof(T));
  return records;
}

std::string_view StringAt(absl::Span<const uint8_t> table, uint64_t offset) {
  if (offset >= table.size()) return "";
  const void* end = std::memchr(table.data() + offset, 0, table.size() - offset);
  if (end == nullptr) return "";
  const char* begin = reinterpret_cast<const char*>(table.data()) + offset;
  return {begin, static_cast<size_t>(static_cast<const char*>(end) - begin)};
}

absl::Status Damaged(std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("damaged image: ", what, "; `aotc check` lists everything that is wrong"));
}

}  // namespace

bool LooksLikeWasm(absl::Span<const uint8_t> file) {
  constexpr uint8_t kStart[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
  return file.size() >= sizeof(kStart) && std::equal(kStart, std::end(kStart), file.begin());
}

bool LooksLikeImage(absl::Span<const uint8_t> file) {
  Elf64_Ehdr header;
  if (file.size() < sizeof(header)) return false;
  std::memcpy(&header, file.data(), sizeof(header));
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == EM_X86_64;
}

absl::StatusOr<ImageView> ImageView::Parse(absl::Span<const uint8_t> file) {
  if (!LooksLikeImage(file)) {
    return absl::InvalidArgumentError(
        "not an image: expected an ELF64 file for x86-64; make one with `aotc compile`");
  }
  ImageView view;
  view.file_ = file;
  if (absl::Status s = view.ParseElf(); !s.ok()) return s;
  if (absl::Status s = view.ParseInfo(); !s.ok()) return s;
  if (absl::Status s = view.ParseFunctions(); !s.ok()) return s;
  return view;
}

absl::Status ImageView::ParseElf() {
  Elf64_Ehdr header;
  std::memcpy(&header, file_.data(), sizeof(header));
  auto segments = Records<Elf64_Phdr>(file_, header.e_phoff, header.e_phnum);
  if (!segments) return Damaged("its program headers lie outside the file");
  segments_ = *std::move(segments);
  auto sections = Records<Elf64_Shdr>(file_, header.e_shoff, header.e_shnum);
  if (!sections) return Damaged("its section headers lie outside the file");
  auto bytes_of = [&](const Elf64_Shdr& s) -> absl::Span<const uint8_t> {
    if (s.sh_type == SHT_NOBITS || s.sh_offset > file_.size() ||
        s.sh_size > file_.size() - s.sh_offset) {
      return {};
    }
    return file_.subspan(s.sh_offset, s.sh_size);
  };
  absl::Span<const uint8_t> names;
  if (header.e_shstrndx < sections->size()) names = bytes_of((*sections)[header.e_shstrndx]);
  for (const Elf64_Shdr& section : *sections) {
    sections_.push_back({std::string(StringAt(names, section.sh_name)), section});
  }

  bool found = false;
  for (const ImageSection& section : sections_) {
    const absl::Span<const uint8_t> bytes = bytes_of(section.header);
    // Name size 4, descriptor size, type 3 (NT_GNU_BUILD_ID), "GNU", then the descriptor.
    if (section.name == ".note.gnu.build-id" && bytes.size() > 16) build_id_ = bytes.subspan(16);
    const bool is_dynamic = section.header.sh_type == SHT_DYNSYM;
    if ((!is_dynamic && section.header.sh_type != SHT_SYMTAB) ||
        section.header.sh_link >= sections_.size()) {
      continue;
    }
    const absl::Span<const uint8_t> strings = bytes_of(sections_[section.header.sh_link].header);
    const auto symbols = Records<Elf64_Sym>(bytes, 0, bytes.size() / sizeof(Elf64_Sym));
    for (const Elf64_Sym& symbol : *symbols) {
      if (!is_dynamic) {
        if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC)
          symbols_.emplace(symbol.st_value, StringAt(strings, symbol.st_name));
        continue;
      }
      if (StringAt(strings, symbol.st_name) != format::kAotFileInfoSymbol) continue;
      if (symbol.st_value > file_.size() ||
          file_.size() - symbol.st_value < sizeof(format::AotFileInfo)) {
        return Damaged("aot_file_info lies outside the file");
      }
      info_offset_ = static_cast<uint32_t>(symbol.st_value);
      found = true;
    }
  }
  if (!found) {
    return absl::InvalidArgumentError(
        "not an image: an ELF64 file for x86-64, but without the dynamic symbol aot_file_info; "
        "make one with `aotc compile`");
  }
  return absl::OkStatus();
}

absl::Status ImageView::ParseInfo() {
  std::memcpy(&info_, file_.data() + info_offset_, sizeof(info_));
  if (info_.magic != format::kMagic) return Damaged("aot_file_info does not begin with PRECAST");
  if (info_.format_version != format::kFormatVersion) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "the image has format version %d, this aotc reads version %d: compile the program again",
        info_.format_version, format::kFormatVersion));
  }
  if (info_.table_count != format::kTableCount) return Damaged("table_count is wrong");
  blob_ = format::BlobReader(Table(format::Table::kBlob));
  absl::StatusOr<format::Metadata> metadata =
      format::DecodeMetadata(Table(format::Table::kMetadata), info_.guest_data.size);
  if (!metadata.ok()) return Damaged(metadata.status().message());
  metadata_ = *std::move(metadata);
  absl::StatusOr<std::vector<format::ImportedImage>> images =
      format::DecodeImportedImages(Table(format::Table::kImages));
  if (!images.ok()) return Damaged(images.status().message());
  imported_images_ = *std::move(images);
  return absl::OkStatus();
}

absl::Status ImageView::ParseFunctions() {
  auto table = [&](format::Table t, format::OffsetTable* out) {
    absl::StatusOr<format::OffsetTable> parsed = format::OffsetTable::Parse(Table(t));
    if (parsed.ok()) *out = *parsed;
    return parsed.status();
  };
  format::OffsetTable starts, function_info;
  using T = format::Table;
  for (absl::Status s : {table(T::kFunction, &starts), table(T::kFunctionInfo, &function_info),
                         table(T::kExInfo, &ex_info_), table(T::kGotInfo, &got_info_),
                         table(T::kPltInfo, &plt_info_)}) {
    if (!s.ok()) return Damaged(s.message());
  }
  const std::optional<std::vector<uint32_t>> offsets = starts.DecodeAll();
  const std::optional<std::vector<uint32_t>> infos = function_info.DecodeAll();
  if (!offsets || !infos || infos->size() != offsets->size()) {
    return Damaged("its function tables cannot be read");
  }
  for (uint32_t i = 0; i < offsets->size(); ++i) {
    const std::optional<format::FunctionInfo> info = format::DecodeFunctionInfo(blob_, (*infos)[i]);
    if (!info || (*offsets)[i] > info_.text.size ||
        info->code_size > info_.text.size - (*offsets)[i]) {
      return Damaged(absl::StrCat("function ", i, " cannot be read"));
    }
    functions_.push_back({.index = i,
                          .name = absl::StrFormat("function_%d", i),
                          .address = info_.text.offset + (*offsets)[i],
                          .code_size = info->code_size,
                          .guest_begin = info->guest_begin,
                          .guest_end = info->guest_end});
  }
  // Exports of a Wasm image name some of its functions, and perhaps several times.
  for (ImageFunction& f : functions_) {
    if (!is_wasm()) break;
    if (auto symbol = symbols_.find(f.address); symbol != symbols_.end()) f.name = symbol->second;
  }
  absl::StatusOr<format::ExportTable> exports =
      format::ExportTable::Parse(Table(T::kExports), blob_);
  if (!exports.ok()) return Damaged(exports.status().message());
  for (uint32_t i = 0; i < exports->count(); ++i) {
    const std::optional<format::Export> entry = exports->Get(i);
    if (is_wasm() || !entry || entry->kind != format::ExportKind::kFunction ||
        entry->index >= functions_.size()) {
      continue;
    }
    if (auto name = exports->NameOf(*entry)) functions_[entry->index].name = std::string(*name);
  }
  // The union of the functions' ranges; ranges of some functions contain others.
  std::vector<std::pair<uint32_t, uint32_t>> ranges;
  for (const ImageFunction& f : functions_) ranges.emplace_back(f.guest_begin, f.guest_end);
  std::sort(ranges.begin(), ranges.end());
  uint32_t end = 0;
  const uint32_t unit = is_wasm() ? 1 : 4;
  for (const auto& [first, last] : ranges) {
    if (last > std::max(first, end)) guest_units_ += (last - std::max(first, end)) / unit;
    end = std::max(end, last);
  }
  std::stable_sort(
      functions_.begin(), functions_.end(),
      [](const ImageFunction& a, const ImageFunction& b) { return a.address < b.address; });
  return absl::OkStatus();
}

uint64_t ImageView::SectionSize(std::string_view name) const {
  for (const ImageSection& s : sections_) {
    if (s.name == name && s.header.sh_type != SHT_NOBITS) return s.header.sh_size;
  }
  return 0;
}

bool ImageView::DigestIsRight() const {
  const size_t field = info_offset_ + offsetof(format::AotFileInfo, content_digest);
  return format::ContentDigest(file_, field) == info_.content_digest;
}

absl::Span<const uint8_t> ImageView::At(format::Range range) const {
  if (range.offset > file_.size() || range.size > file_.size() - range.offset) return {};
  return file_.subspan(range.offset, range.size);
}

std::optional<format::ExInfoReader> ImageView::ExInfo(const ImageFunction& function) const {
  const std::optional<uint32_t> offset = ex_info_.Get(function.index);
  if (!offset) return std::nullopt;
  return format::ExInfoReader::At(blob_, *offset);
}

std::string ImageView::GotName(uint32_t slot) const {
  const std::optional<uint32_t> offset = got_info_.Get(slot);
  const auto info = offset ? format::DecodeGotInfo(blob_, *offset) : std::nullopt;
  return absl::StrCat("got.", info ? CallbackName(info->index) : "unknown");
}

std::string ImageView::PltName(uint32_t entry) const {
  const std::optional<uint32_t> offset = plt_info_.Get(entry);
  const auto info = offset ? format::DecodePltInfo(blob_, *offset) : std::nullopt;
  if (!info) return "plt.unknown";
  switch (info->kind) {
    case format::PltInfo::Kind::kFunction:
      for (const ImageFunction& f : functions_) {
        if (f.index == info->index) return absl::StrCat("plt.", f.name);
      }
      return "plt.unknown";
    case format::PltInfo::Kind::kRuntimeCallback:
      return absl::StrCat("plt.", CallbackName(info->index));
    case format::PltInfo::Kind::kImport:
      return absl::StrCat("plt.", blob_.StringAt(info->index).value_or("unknown"));
  }
  return "plt.unknown";
}

std::optional<uint32_t> ImageView::GuestWord(uint32_t pc) const {
  const absl::Span<const uint8_t> data = At(info_.guest_data);
  for (const format::MetadataSegment& segment : metadata_.segments) {
    const uint64_t offset = pc - segment.address;
    if (pc < segment.address || offset + 4 > segment.data_size) continue;
    if (segment.data_offset + offset + 4 > data.size()) return std::nullopt;
    uint32_t word;
    std::memcpy(&word, data.data() + segment.data_offset + offset, sizeof(word));
    return word;
  }
  return std::nullopt;
}

}  // namespace precast::aotc
