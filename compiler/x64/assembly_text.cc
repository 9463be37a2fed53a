// See assembly_text.h.
#include "compiler/x64/assembly_text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/x64/disassembler.h"
#include "compiler/x64/registers.h"
#include "runtime/abi/vm_context.h"

namespace precast::x64 {
namespace {

using codegen::CodeRelocation;
using codegen::Site;
using codegen::StateLocation;

// Where the disassembler is told the code lies: unresolved fields then point to addresses that are
// nobody's.
constexpr uint64_t kBase = uint64_t{1} << 40;

const char* const kCallbacks[] = {
#define PRECAST_CALLBACK(Name, description) #Name,
#include "runtime/abi/callbacks.def"
#undef PRECAST_CALLBACK
};
const char* const kTraps[] = {
#define PRECAST_TRAP(Name, text) text,
#include "runtime/abi/traps.def"
#undef PRECAST_TRAP
};
const char* const kRegisters[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                  "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

std::string Name(const CodeRelocation& r) {
  const char* callback = r.index < std::size(kCallbacks) ? kCallbacks[r.index] : "?";
  switch (r.target) {
    case CodeRelocation::Target::kFunction:
      return absl::StrCat("@f", r.index);
    case CodeRelocation::Target::kGotRuntime:
      return absl::StrCat("got ", callback);
    case CodeRelocation::Target::kPltRuntime:
      return absl::StrCat("plt ", callback);
    case CodeRelocation::Target::kConstants:
      return absl::StrCat("constants+", r.index);
    case CodeRelocation::Target::kDispatchTable:
      return "dispatch table";
  }
  return "?";
}

std::string Text(const StateLocation& l) {
  const std::string slot = l.slot == abi::kSlotPc ? "pc" : absl::StrCat("x", l.slot);
  switch (l.kind) {
    case StateLocation::Kind::kContext:
      return slot;
    case StateLocation::Kind::kRegister:
      return absl::StrCat(slot, "=", kRegisters[l.value & 15],
                          l.value >= StateLocation::kUpperHalf ? ">>32" : "");
    case StateLocation::Kind::kFrame:
      return absl::StrCat(slot, "=[rsp+", l.value, "]");
    case StateLocation::Kind::kConstant:
      return absl::StrCat(slot, "=", l.value);
  }
  return slot;
}

std::string Text(const codegen::CompiledFunction& f, const Site& site,
                 const std::map<uint8_t, StateLocation>& state) {
  std::string text;
  switch (site.kind) {
    case Site::Kind::kMemory:
      text = "memory";
      break;
    case Site::Kind::kTrap:
      text =
          absl::StrCat("trap ", site.trap_code < std::size(kTraps) ? kTraps[site.trap_code] : "?");
      break;
    case Site::Kind::kSuspend:
      text = "suspend";
      break;
    case Site::Kind::kStack:
      text = "stack";
      break;
    case Site::Kind::kCall:
      text = "call";
      break;
  }
  absl::StrAppend(&text, " @0x", absl::Hex(site.guest_pc));
  const auto refund = [](uint32_t n) { return absl::StrCat(" refund ", static_cast<int32_t>(n)); };
  if (site.refund != 0) text += refund(site.refund);
  if (!state.empty()) {
    const char* separator = " {";
    for (const auto& [slot, location] : state) {
      absl::StrAppend(&text, separator, Text(location));
      separator = " ";
    }
    absl::StrAppend(&text, "}");
  }
  for (const codegen::Charge& c : f.MoreOf(site))
    absl::StrAppend(&text, " or @0x", absl::Hex(c.guest_pc), refund(c.refund));
  return text;
}

}  // namespace

std::string AssemblyText(const codegen::CompiledFunction& f) {
  std::map<uint64_t, std::string> labels;  // by address
  for (const codegen::ConstantRelocation& r : f.constant_relocations) labels[kBase + r.code_offset];
  auto inside = [&](uint64_t address) {
    return address >= kBase && address < kBase + f.code.size();
  };
  auto relocation_in = [&](uint64_t begin, uint64_t end) -> const CodeRelocation* {
    for (const CodeRelocation& r : f.relocations) {
      if (kBase + r.offset >= begin && kBase + r.offset < end) return &r;
    }
    return nullptr;
  };
  // Two passes: the first finds the targets of jumps, the second prints with names.
  const std::vector<DisassembledLine> lines = Disassemble(
      f.code, kBase, [&](uint64_t instruction, uint64_t target) -> std::optional<std::string> {
        // A field yet to be relocated ends its instruction and points behind it.
        const CodeRelocation* r = relocation_in(instruction, instruction + 8);
        const bool unresolved = r != nullptr && kBase + r->offset + 4 == target;
        if (inside(target) && !unresolved) labels[target];
        return std::nullopt;
      });
  // Those inside of an instruction are bytes that trap.
  auto line = lines.begin();
  int number = 0;
  for (auto& [address, name] : labels) {
    while (line != lines.end() && line->address < address) ++line;
    const bool starts = line != lines.end() && line->address == address;
    name = starts ? absl::StrCat("L", number++) : "trap";
  }

  std::string text;
  std::map<uint8_t, StateLocation> state;
  size_t next_site = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    const uint64_t address = lines[i].address, end = address + lines[i].size;
    for (const codegen::Entry& e : f.entries) {
      if (kBase + e.code_offset == address) {
        absl::StrAppend(&text, "entry 0x", absl::Hex(e.guest_pc), ":\n");
      }
    }
    if (auto it = labels.find(address); it != labels.end())
      absl::StrAppend(&text, it->second, ":\n");
    const CodeRelocation* relocation = relocation_in(address, end);
    const auto named =
        Disassemble(absl::MakeConstSpan(f.code).subspan(address - kBase, lines[i].size), address,
                    [&](uint64_t, uint64_t target) -> std::optional<std::string> {
                      if (relocation != nullptr) return Name(*relocation);
                      if (auto it = labels.find(target); it != labels.end()) return it->second;
                      return std::nullopt;
                    });
    std::string line = absl::StrCat("    ", named[0].text);
    // Sites are instructions or inside of them; those of calls are return addresses, shown beside
    // the call.
    std::string note;
    while (next_site < f.sites.size()) {
      const Site& site = f.sites[next_site];
      const uint64_t at = kBase + site.code_offset - (site.kind == Site::Kind::kCall ? 1 : 0);
      if (at < address || at >= end) break;
      if (site.reset) state.clear();
      for (const StateLocation& l : f.StateOf(site)) {
        if (l.kind == StateLocation::Kind::kContext) {
          state.erase(l.slot);
        } else {
          state[l.slot] = l;
        }
      }
      absl::StrAppend(&note, note.empty() ? "; " : ", ", Text(f, site, state));
      ++next_site;
    }
    if (!note.empty()) {
      line.resize(std::max<size_t>(line.size() + 1, 44), ' ');
      absl::StrAppend(&line, note);
    }
    absl::StrAppend(&text, line, "\n");
  }
  // Jump tables.
  for (size_t i = 0; i < f.constant_relocations.size(); ++i) {
    const codegen::ConstantRelocation& r = f.constant_relocations[i];
    absl::StrAppend(&text, "constants+", r.offset, ": ", labels[kBase + r.code_offset],
                    " - constants+", r.base, "\n");
  }
  return text;
}

}  // namespace precast::x64
