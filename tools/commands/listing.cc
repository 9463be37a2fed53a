#include "tools/commands/listing.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/riscv/decoder.h"
#include "compiler/x64/disassembler.h"
#include "tools/cli/suggest.h"
#include "tools/commands/wasm_text.h"

namespace precast::aotc {
namespace {

const char* TrapText(uint8_t code) {
  static constexpr const char* kTexts[] = {
#define PRECAST_TRAP(Name, text) text,
#include "runtime/abi/traps.def"
#undef PRECAST_TRAP
  };
  return code < std::size(kTexts) ? kTexts[code] : "unknown trap";
}

std::string SlotName(uint8_t slot) {
  return slot < 32 ? riscv::RegisterName(slot) : slot == 32 ? "pc" : absl::StrCat("slot", slot);
}

const char* MachineRegister(int32_t number) {
  static constexpr const char* kNames[16] = {"eax",  "ecx",  "edx",  "ebx", "esp",  "ebp",
                                             "esi",  "edi",  "r8d",  "r9d", "r10d", "r11d",
                                             "r12d", "r13d", "r14d", "r15d"};
  return number >= 0 && number < 16 ? kNames[number] : "?";
}

std::string Describe(const format::Site& site) {
  std::string text;
  switch (site.kind) {
    case format::SiteKind::kMemory:
      text = "may fault";
      break;
    case format::SiteKind::kTrap:
      text = absl::StrCat("trap ", TrapText(site.trap_code));
      break;
    case format::SiteKind::kSuspend:
      text = "suspend";
      break;
    case format::SiteKind::kStack:
      text = "native stack exhausted";
      break;
    case format::SiteKind::kCall:
      text = "call returns";
      break;
  }
  absl::StrAppendFormat(&text, " at %08x", site.guest_pc);
  if (site.refund != 0) absl::StrAppend(&text, ", refund ", static_cast<int32_t>(site.refund));
  const char* separator = "; ";
  for (const format::StateLocation& l : site.state) {
    absl::StrAppend(&text, separator, SlotName(l.slot), "=");
    switch (l.kind) {
      case format::StateLocation::Kind::kContext:
        absl::StrAppend(&text, "context");
        break;
      case format::StateLocation::Kind::kRegister:
        absl::StrAppend(&text, MachineRegister(l.value % 16), l.value >= 16 ? ">>32" : "");
        break;
      case format::StateLocation::Kind::kFrame:
        absl::StrAppendFormat(&text, "[rsp%+d]", l.value);
        break;
      case format::StateLocation::Kind::kConstant:
        absl::StrAppendFormat(&text, "0x%x", static_cast<uint32_t>(l.value));
        break;
    }
    separator = " ";
  }
  for (const format::Charge& c : site.more)
    absl::StrAppendFormat(&text, "; or at %08x, refund %d", c.guest_pc,
                          static_cast<int32_t>(c.refund));
  return text;
}

riscv::Dialect DialectOf(const ImageView& image) {
  if (!image.metadata().machine.empty()) return riscv::Dialect::kOpenVm;
  // Without a machine, the only extension there is: fast helpers.
  return image.metadata().extensions.empty() ? riscv::Dialect::kBase : riscv::Dialect::kFastHelpers;
}

class Lister {
 public:
  Lister(const ImageView& image, const ListingOptions& options)
      : image_(image), options_(options), p_(options.palette) {}

  void Function(const ImageFunction& f) {
    absl::StrAppendFormat(&out_, "%s%s%s:  %s%d bytes at 0x%x, guest %08x-%08x%s\n", p_.bold,
                          f.name, p_.reset, p_.dim, f.code_size, f.address, f.guest_begin,
                          f.guest_end, p_.reset);
    std::vector<format::Site> sites;
    std::vector<format::Line> lines;
    if (std::optional<format::ExInfoReader> ex_info = image_.ExInfo(f)) {
      sites = ex_info->DecodeSites().value_or(sites);
      lines = ex_info->DecodeLines().value_or(lines);
    }
    guest_begin_ = f.guest_begin;
    guest_end_ = f.guest_end;
    if (!options_.native) {
      std::set<uint32_t> starts;
      if (image_.is_wasm()) starts.insert(f.guest_begin);  // all of the body, in order
      for (const format::Line& line : lines) {
        if (!image_.is_wasm()) starts.insert(line.guest_pc);
      }
      for (uint32_t pc : starts) Stretch(pc, starts);
    } else {
      Code({f.address, f.code_size}, sites, lines);
    }
    out_ += '\n';
  }

  void Plt() {
    const format::Range plt = image_.info().plt;
    if (plt.size == 0 || !options_.native) return;
    absl::StrAppendFormat(&out_, "%s.plt%s:  %s%d stubs at 0x%x%s\n", p_.bold, p_.reset, p_.dim,
                          image_.plt_entries(), plt.offset, p_.reset);
    Code(plt, {}, {});
    out_ += '\n';
  }

  std::string Take() { return std::move(out_); }

 private:
  // The line of one guest instruction; where the next one begins, or nothing if the code does not
  // go on there.
  std::optional<uint32_t> Guest(uint32_t pc) {
    const auto print = [&](std::string_view line) {
      absl::StrAppendFormat(&out_, "%s%s%s\n", p_.cyan, line, p_.reset);
    };
    if (image_.is_wasm()) {
      const absl::Span<const uint8_t> module = image_.At(image_.info().guest_module);
      const std::optional<WasmLine> line = pc == guest_begin_ ? WasmLocalsAt(module, pc, guest_end_)
                                                              : WasmLineAt(module, pc, guest_end_);
      print(absl::StrFormat("%08x:  %s", pc, line ? line->text : "(not in the function)"));
      if (!line || line->next >= guest_end_) return std::nullopt;
      return line->next;
    }
    print(GuestLine(image_, pc));
    const std::optional<uint32_t> word = image_.GuestWord(pc);
    if (!word || riscv::EndsBlock(riscv::Decode(*word, DialectOf(image_)).op)) return std::nullopt;
    return pc + 4;
  }

  void Code(format::Range range, const std::vector<format::Site>& sites,
            const std::vector<format::Line>& lines) {
    auto site = sites.begin();
    auto line = lines.begin();
    std::set<uint32_t> starts, shown;
    for (const format::Line& l : lines) starts.insert(l.guest_pc);
    const std::vector<x64::DisassembledLine> code = x64::Disassemble(
        image_.At(range), range.offset, [this](uint64_t, uint64_t a) { return Symbol(a); });
    for (const x64::DisassembledLine& instruction : code) {
      const uint64_t offset = instruction.address - range.offset;
      for (; line != lines.end() && line->code_offset <= offset; ++line) {
        if (!options_.guest) continue;
        if (shown.insert(line->guest_pc).second) {
          Stretch(line->guest_pc, starts);
        } else {
          Guest(line->guest_pc);
        }
      }
      absl::StrAppendFormat(&out_, "    %6x  %s%s%s", instruction.address, p_.bold,
                            instruction.text, p_.reset);
      const char* separator = "";
      for (; site != sites.end(); ++site) {
        // A site of a call is at its return address, others at the instruction itself, or inside of
        // it.
        const bool is_call = site->kind == format::SiteKind::kCall;
        const uint64_t begin = offset + (is_call ? 1 : 0);
        const uint64_t end = offset + instruction.size - (is_call ? 0 : 1);
        if (site->code_offset > end) break;
        if (site->code_offset < begin) continue;  // at no instruction: a damaged table
        absl::StrAppendFormat(&out_, "%s  %s; %s%s", separator, p_.green, Describe(*site),
                              p_.reset);
        separator = "\n            ";
      }
      out_ += '\n';
    }
  }

  // The instruction at `pc` and those behind it up to the next one with a line of its own: the
  // compiler keeps no line for instructions that cannot stop.
  void Stretch(uint32_t pc, const std::set<uint32_t>& starts) {
    const int most = image_.is_wasm() ? std::numeric_limits<int>::max() : 1000;
    for (int i = 0; i < most; ++i) {
      const std::optional<uint32_t> next = Guest(pc);
      if (!next || starts.contains(*next)) return;
      pc = *next;
    }
  }

  std::optional<std::string> Symbol(uint64_t address) const {
    const format::AotFileInfo& info = image_.info();
    const std::vector<ImageFunction>& functions = image_.functions();
    auto in = [&](format::Range r) { return address - r.offset < r.size; };
    if (in(info.text)) {
      auto it = std::upper_bound(functions.begin(), functions.end(), address,
                                 [](uint64_t a, const ImageFunction& f) { return a < f.address; });
      if (it == functions.begin()) return std::nullopt;
      --it;
      return address == it->address ? it->name
                                    : absl::StrFormat("%s+0x%x", it->name, address - it->address);
    }
    if (in(info.got)) {
      return image_.GotName(static_cast<uint32_t>((address - info.got.offset) / 8));
    }
    if (in(info.got_plt)) {
      return absl::StrCat(
          image_.PltName(static_cast<uint32_t>((address - info.got_plt.offset) / 8)), "@slot");
    }
    if (in(info.plt)) {
      return image_.PltName(
          static_cast<uint32_t>((address - info.plt.offset) / format::kPltEntrySize));
    }
    const format::Range dispatch = info.tables[static_cast<size_t>(format::Table::kDispatch)];
    if (in(dispatch)) {
      return address == dispatch.offset
                 ? std::string("dispatch_table")
                 : absl::StrFormat("dispatch_table+0x%x", address - dispatch.offset);
    }
    return std::nullopt;
  }

  const ImageView& image_;
  const ListingOptions& options_;
  const Palette& p_;
  uint32_t guest_begin_ = 0, guest_end_ = 0;  // of the function being listed
  std::string out_;
};

}  // namespace

std::string GuestLine(const ImageView& image, uint32_t pc) {
  const std::optional<uint32_t> word = image.GuestWord(pc);
  return absl::StrFormat(
      "%08x:  %s", pc,
      word ? riscv::Disassemble(*word, pc, DialectOf(image)) : "(not in the program)");
}

absl::StatusOr<std::string> Listing(const ImageView& image, const ListingOptions& options) {
  Lister lister(image, options);
  if (options.function.empty()) {
    for (const ImageFunction& f : image.functions()) lister.Function(f);
    lister.Plt();
    return lister.Take();
  }
  uint32_t pc = 0;
  const bool is_pc =
      absl::StartsWith(options.function, "0x") && absl::SimpleHexAtoi(options.function, &pc);
  bool found = false;
  std::vector<std::string> names;
  for (const ImageFunction& f : image.functions()) {
    names.push_back(f.name);
    const bool matches =
        is_pc ? f.guest_begin <= pc && pc < f.guest_end : f.name == options.function;
    if (!matches) continue;
    found = true;
    lister.Function(f);
  }
  if (found) return lister.Take();
  const std::optional<std::string> closest = cli::Closest(options.function, names);
  return absl::NotFoundError(absl::StrCat("no function ", options.function, " in this image",
                                          closest
                                              ? absl::StrCat("; did you mean ", *closest, "?")
                                              : "; `aotc inspect --functions=0` lists them all"));
}

}  // namespace precast::aotc
