// aotc inspect: what is in an image, without loading it.
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "loader/format/cpu_features.h"
#include "loader/format/guid.h"
#include "nlohmann/json.hpp"
#include "runtime/abi/fingerprint.h"
#include "runtime/wasm/module_data.h"
#include "tools/commands/commands.h"
#include "tools/commands/image_view.h"
#include "tools/commands/io.h"
#include "tools/commands/module_report.h"

namespace precast::aotc {
namespace {

using Json = nlohmann::ordered_json;

// Where the bytes of the file go, in the order they are printed. They add up to the file's size.
std::vector<std::pair<std::string, uint64_t>> SizesByCategory(const ImageView& image) {
  const format::AotFileInfo& info = image.info();
  std::vector<std::pair<std::string, uint64_t>> sizes;
  uint64_t sum = 0;
  auto add = [&](std::string name, uint64_t size) {
    sizes.emplace_back(std::move(name), size);
    sum += size;
  };
  uint64_t code = 0;
  for (const ImageFunction& f : image.functions()) code += f.code_size;
  add("code", code);
  add("code padding", info.text.size > code ? info.text.size - code : 0);
  add("plt", info.plt.size);
  add("got", uint64_t{info.got.size} + info.got_plt.size);

  // Records that several functions share are stored, and counted, once.
  std::set<uint32_t> seen;
  uint64_t sites = 0, lines = 0, ex_info = 0;
  for (const ImageFunction& f : image.functions()) {
    const std::optional<format::ExInfoReader> reader = image.ExInfo(f);
    if (!reader) continue;
    if (!seen.insert(*image.ExInfoOffset(f)).second) continue;
    sites += reader->site_bytes();
    lines += reader->line_bytes();
    ex_info += reader->record_bytes();
  }
  const uint64_t blob = image.Table(format::Table::kBlob).size();
  ex_info = std::min(ex_info, blob);
  add("ex_info: sites", sites);
  add("ex_info: lines", lines);
  add("ex_info: rest", ex_info > sites + lines ? ex_info - sites - lines : 0);
  add("blob: rest", blob - ex_info);
  uint64_t tables = blob;
  for (uint32_t t = 0; t < format::kTableCount; ++t) {
    if (static_cast<format::Table>(t) == format::Table::kBlob) continue;
    const uint64_t size = image.Table(static_cast<format::Table>(t)).size();
    add(absl::StrCat("table: ", format::kTableNames[t]), size);
    tables += size;
  }
  const uint64_t rodata = image.SectionSize(".rodata");
  add("constants and file info", rodata > tables ? rodata - tables : 0);
  add("eh_frame", image.SectionSize(".eh_frame") + image.SectionSize(".eh_frame_hdr"));
  add("guest data", info.guest_data.size);
  add("guest module", info.guest_module.size);
  add("symbols", image.SectionSize(".symtab") + image.SectionSize(".strtab"));
  const uint64_t size = image.file().size();
  add("elf headers, alignment", size > sum ? size - sum : 0);
  return sizes;
}

std::string Permissions(uint32_t flags) {
  std::string text = "---";
  if ((flags & PF_R) != 0) text[0] = 'r';
  if ((flags & PF_W) != 0) text[1] = 'w';
  if ((flags & PF_X) != 0) text[2] = 'x';
  return text;
}

std::string SegmentType(uint32_t type) {
  switch (type) {
    case PT_LOAD:
      return "LOAD";
    case PT_DYNAMIC:
      return "DYNAMIC";
    case PT_NOTE:
      return "NOTE";
    case PT_PHDR:
      return "PHDR";
    case PT_GNU_EH_FRAME:
      return "GNU_EH_FRAME";
    case PT_GNU_STACK:
      return "GNU_STACK";
    case PT_GNU_RELRO:
      return "GNU_RELRO";
  }
  return absl::StrFormat("0x%x", type);
}

std::string Kind(uint32_t kind) {
  switch (static_cast<format::GuestKind>(kind)) {
    case format::GuestKind::kRiscV32:
      return "riscv32";
    case format::GuestKind::kWasm:
      return "wasm";
  }
  return absl::StrCat("unknown (", kind, ")");
}

std::vector<std::string> Flags(uint32_t flags) {
  std::vector<std::string> names;
  if (format::HasFlag(flags, format::ImageFlag::kMetered)) names.push_back("metered");
  if (format::HasFlag(flags, format::ImageFlag::kMetadataOnly)) names.push_back("metadata-only");
  if (format::HasFlag(flags, format::ImageFlag::kCanonicalNans)) names.push_back("canonical-nans");
  if (format::HasFlag(flags, format::ImageFlag::kMemoryInitialized)) {
    names.push_back("memory-initialized");
  }
  if (format::HasFlag(flags, format::ImageFlag::kCountsRows)) names.push_back("counts-rows");
  if ((flags & ~format::kKnownFlags) != 0) {
    names.push_back(absl::StrFormat("0x%x", flags & ~format::kKnownFlags));
  }
  return names;
}

// The `count` largest, by falling size; all if `count` is 0.
std::vector<ImageFunction> Largest(const ImageView& image, uint64_t count) {
  std::vector<ImageFunction> functions = image.functions();
  std::stable_sort(
      functions.begin(), functions.end(),
      [](const ImageFunction& a, const ImageFunction& b) { return a.code_size > b.code_size; });
  if (count != 0 && functions.size() > count) functions.resize(count);
  return functions;
}

uint64_t CodeBytes(const ImageView& image) {
  uint64_t bytes = 0;
  for (const ImageFunction& f : image.functions()) bytes += f.code_size;
  return bytes;
}

double PerGuestUnit(const ImageView& image, uint64_t bytes) {
  return image.guest_units() == 0
             ? 0
             : static_cast<double>(bytes) / static_cast<double>(image.guest_units());
}

// The module inside an image of one; null if it cannot be decoded.
std::unique_ptr<runtime::wasm::ModuleData> ModuleOf(const ImageView& image) {
  absl::StatusOr<std::unique_ptr<runtime::wasm::ModuleData>> module =
      runtime::wasm::ModuleData::Decode(image.At(image.info().guest_module));
  return module.ok() ? *std::move(module) : nullptr;
}

std::string AsJson(const ImageView& image, uint64_t top) {
  const format::AotFileInfo& info = image.info();
  const format::Metadata& metadata = image.metadata();
  auto hex = [](uint64_t value) { return absl::StrFormat("0x%x", value); };
  Json root;
  root["identity"] = {{"format_version", info.format_version},
                      {"program_guid", format::GuidToString(info.program_guid)},
                      {"options_guid", format::GuidToString(info.options_guid)},
                      {"options", metadata.options},
                      {"compiler", metadata.compiler},
                      {"build_id", format::ToHex(image.build_id())},
                      {"abi_fingerprint", format::ToHex(info.abi_fingerprint)},
                      {"abi_is_that_of_this_aotc", info.abi_fingerprint == abi::kFingerprint},
                      {"cpu_features", format::CpuFeaturesToString(info.cpu_features)},
                      {"guest_kind", Kind(info.guest_kind)},
                      {"flags", Flags(info.flags)},
                      {"content_digest", format::ToHex(info.content_digest)},
                      {"content_digest_is_right", image.DigestIsRight()}};
  root["guest"] = Json::object();
  if (!image.is_wasm()) {
    root["guest"] = {{"entry_pc", metadata.entry_pc},
                     {"initial_brk", metadata.initial_brk},
                     {"dispatch_base_pc", info.dispatch_base_pc},
                     {"dispatch_entries", image.Table(format::Table::kDispatch).size() / 4}};
    root["guest"]["machine"] = metadata.machine;
    root["guest"]["extensions"] = metadata.extensions;
  } else if (const auto module = ModuleOf(image)) {
    root["module"] = ModuleAsJson(*module);
  }
  root["imported_images"] = Json::array();
  for (const format::ImportedImage& i : image.imported_images()) {
    root["imported_images"].push_back({{"name", i.name}, {"guid", format::GuidToString(i.guid)}});
  }
  for (const format::MetadataSegment& s : metadata.segments) {
    root["guest"]["segments"].push_back(
        {{"address", s.address},
         {"size", s.size},
         {"data_size", s.data_size},
         {"permissions",
          absl::StrCat(s.readable ? "r" : "-", s.writable ? "w" : "-", s.executable ? "x" : "-")}});
  }
  for (const format::MetadataCodeRange& r : metadata.code_ranges) {
    root["guest"]["code_ranges"].push_back({{"begin", r.begin}, {"end", r.end}});
  }
  root["segments"] = Json::array();
  for (const Elf64_Phdr& s : image.segments()) {
    root["segments"].push_back({{"type", SegmentType(s.p_type)},
                                {"permissions", Permissions(s.p_flags)},
                                {"offset", s.p_offset},
                                {"address", s.p_vaddr},
                                {"file_size", s.p_filesz},
                                {"memory_size", s.p_memsz}});
  }
  for (uint32_t t = 0; t < format::kTableCount; ++t) {
    root["tables"][format::kTableNames[t]] = {{"offset", info.tables[t].offset},
                                              {"size", info.tables[t].size}};
  }
  for (const auto& [name, size] : SizesByCategory(image)) root["sizes"][name] = size;
  const uint64_t code = CodeBytes(image);
  root["totals"] = {
      {"file_bytes", image.file().size()},
      {"functions", image.functions().size()},
      {image.is_wasm() ? "guest_bytes" : "guest_instructions", image.guest_units()},
      {"code_bytes", code},
      {image.is_wasm() ? "code_bytes_per_guest_byte" : "code_bytes_per_guest_instruction",
       PerGuestUnit(image, code)},
      {"got_slots", image.got_entries()},
      {"plt_entries", image.plt_entries()}};
  root["functions"] = Json::array();
  for (const ImageFunction& f : Largest(image, top)) {
    root["functions"].push_back({{"name", f.name},
                                 {"address", hex(f.address)},
                                 {"code_bytes", f.code_size},
                                 {"guest_begin", f.guest_begin},
                                 {"guest_end", f.guest_end}});
  }
  // Names come from the guest's symbol table and may be no UTF-8.
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string AsText(const ImageView& image, uint64_t top, const Palette& p) {
  const format::AotFileInfo& info = image.info();
  const format::Metadata& metadata = image.metadata();
  std::string out;
  auto heading = [&](std::string_view text) {
    absl::StrAppend(&out, out.empty() ? "" : "\n", p.bold, text, p.reset, "\n");
  };
  auto row = [&](std::string_view name, std::string_view value) {
    absl::StrAppendFormat(&out, "  %-18s %s\n", name, value);
  };
  auto judged = [&](bool good, std::string_view yes, std::string_view no) {
    return absl::StrCat(good ? p.green : p.red, good ? yes : no, p.reset);
  };
  heading("Identity");
  row("format", absl::StrCat("version ", info.format_version));
  row("program", format::GuidToString(info.program_guid));
  row("options", absl::StrCat(format::GuidToString(info.options_guid), "  ", metadata.options));
  row("compiler", metadata.compiler);
  row("build-id", format::ToHex(image.build_id()));
  row("runtime ABI", absl::StrCat(format::ToHex(info.abi_fingerprint), "  ",
                                  judged(info.abi_fingerprint == abi::kFingerprint,
                                         "that of this aotc", "NOT that of this aotc")));
  row("CPU features", format::CpuFeaturesToString(info.cpu_features));
  row("guest", absl::StrCat(Kind(info.guest_kind), info.flags == 0 ? "" : ", ",
                            absl::StrJoin(Flags(info.flags), ", ")));
  row("content digest", judged(image.DigestIsRight(), "right", "WRONG: the file was altered"));

  for (const format::ImportedImage& i : image.imported_images()) {
    row("imports", absl::StrCat(format::GuidToString(i.guid), "  as ", i.name));
  }

  if (image.is_wasm()) {
    if (const auto module = ModuleOf(image)) {
      absl::StrAppend(&out, "\n", ModuleAsText(*module, p));
    } else {
      row("module", judged(false, "", "cannot be decoded"));
    }
  }
  if (!image.is_wasm() || !metadata.segments.empty()) {
    heading(image.is_wasm() ? "Initial contents of memory 0" : "Guest");
  }
  if (!image.is_wasm()) row("entry", absl::StrFormat("0x%08x", metadata.entry_pc));
  if (!metadata.machine.empty()) {
    row("extensions", absl::StrJoin(metadata.extensions, " "));
    for (std::string_view line : absl::StrSplit(metadata.machine, '\n', absl::SkipEmpty())) {
      row("machine", line);
    }
  }
  for (const format::MetadataSegment& s : metadata.segments) {
    row("memory",
        absl::StrFormat("0x%08x  %11s bytes  %s%s%s", s.address, Grouped(s.size),
                        s.readable ? "r" : "-", s.writable ? "w" : "-", s.executable ? "x" : "-"));
  }
  for (const format::MetadataCodeRange& r : metadata.code_ranges) {
    row("code", absl::StrFormat("0x%08x  %11s bytes", r.begin, Grouped(r.end - r.begin)));
  }
  if (!image.is_wasm()) {
    row("dispatch", absl::StrFormat("0x%08x  %11s instructions", info.dispatch_base_pc,
                                    Grouped(image.Table(format::Table::kDispatch).size() / 4)));
  }

  heading("Segments");
  absl::StrAppendFormat(&out, "  %-13s %s %10s %12s %12s\n", "type", "rwx", "offset", "in file",
                        "in memory");
  for (const Elf64_Phdr& s : image.segments()) {
    absl::StrAppendFormat(&out, "  %-13s %s %10s %12s %12s\n", SegmentType(s.p_type),
                          Permissions(s.p_flags), absl::StrFormat("0x%x", s.p_offset),
                          Grouped(s.p_filesz), Grouped(s.p_memsz));
  }

  heading("Sizes");
  const double file = static_cast<double>(image.file().size());
  for (const auto& [name, size] : SizesByCategory(image)) {
    if (size == 0) continue;
    absl::StrAppendFormat(&out, "  %-26s %12s  %5.1f %%\n", name, Grouped(size),
                          100 * static_cast<double>(size) / file);
  }
  absl::StrAppendFormat(&out, "  %-26s %12s\n", "file", Grouped(image.file().size()));

  const uint64_t code = CodeBytes(image);
  heading("Code");
  row("functions", Grouped(image.functions().size()));
  const std::string_view unit = image.is_wasm() ? "byte" : "instruction";
  row(absl::StrCat("guest ", unit, "s"), Grouped(image.guest_units()));
  row("code bytes",
      absl::StrFormat("%s, %.2f per guest %s", Grouped(code), PerGuestUnit(image, code), unit));
  row("GOT, PLT",
      absl::StrFormat("%d slots, %d entries", image.got_entries(), image.plt_entries()));
  const std::vector<ImageFunction> largest = Largest(image, top);
  heading(largest.size() == image.functions().size() ? "Functions by size" : "Largest functions");
  absl::StrAppendFormat(&out, "  %10s  %-9s %-19s %s\n", "bytes", "address", "guest", "name");
  for (const ImageFunction& f : largest) {
    absl::StrAppendFormat(&out, "  %10s  %-9s %08x-%08x   %s\n", Grouped(f.code_size),
                          absl::StrFormat("0x%x", f.address), f.guest_begin, f.guest_end, f.name);
  }
  return out;
}

int Print(const std::string& text) {
  if (absl::Status s = WriteFileOrStdout("-", text); !s.ok()) {
    PrintError(s.message());
    return cli::kExitFailure;
  }
  return cli::kExitOk;
}

int InspectModule(const std::string& path, absl::Span<const uint8_t> file, bool json) {
  const auto module = runtime::wasm::ModuleData::Decode(file);
  if (!module.ok()) {
    PrintError(absl::StrCat(path, ": ", module.status().message()));
    return cli::kExitFailure;
  }
  if (!json) return Print(ModuleAsText(**module, Palette(UseColor(STDOUT_FILENO))));
  const Json root = {{"module", ModuleAsJson(**module)}};
  return Print(root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace

int InspectMain(int argc, char** argv) {
  bool json = false;
  uint64_t top = 10;
  cli::Command command{
      .name = "inspect",
      .usage = "IMAGE|MODULE.wasm [--json] [--functions=N]",
      .summary = "Show an image's identity, segments, tables and sizes",
      .description =
          "Reads IMAGE without loading it: also images that this machine could not "
          "run.\nWhether it can be loaded says `aotc check`.\n"
          "Of a WebAssembly module that is not compiled, shows imports, exports and sizes.",
      .examples =
          "  aotc inspect hello.so\n"
          "  aotc inspect hello.so --json | jq .totals\n",
      .flags = {cli::Switch("json", 0, "print JSON", &json),
                cli::Number("functions", 'n', "N",
                            "how many of the largest functions to list (default 10, 0: all)",
                            &top)},
      .positional = {}};
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (command.positional.size() != 1) return UsageError("inspect", "expected one IMAGE");
  const std::string& path = command.positional[0];
  absl::StatusOr<std::vector<uint8_t>> file = ReadFile(path);
  if (!file.ok()) {
    PrintError(file.status().message());
    return cli::kExitFailure;
  }
  if (LooksLikeWasm(*file)) return InspectModule(path, *file, json);
  absl::StatusOr<ImageView> image = ImageView::Parse(*file);
  if (!image.ok()) {
    PrintError(absl::StrCat(path, ": ", image.status().message()));
    return cli::kExitFailure;
  }
  const std::string text =
      json ? AsJson(*image, top) : AsText(*image, top, Palette(UseColor(STDOUT_FILENO)));
  return Print(text);
}

}  // namespace precast::aotc
