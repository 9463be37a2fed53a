#include "compiler/riscv/control_flow_text.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace precast::riscv {
namespace {

std::string TextOf(uint32_t pc) { return absl::StrCat(absl::Hex(pc)); }

const char* NameOf(BlockEnd kind) {
  switch (kind) {
    case BlockEnd::kFallThrough:
      return "falls through";
    case BlockEnd::kJump:
      return "jump";
    case BlockEnd::kBranch:
      return "branch";
    case BlockEnd::kCall:
      return "call";
    case BlockEnd::kIndirectCall:
      return "indirect call";
    case BlockEnd::kReturn:
      return "return";
    case BlockEnd::kSwitch:
      return "switch";
    case BlockEnd::kIndirectJump:
      return "indirect jump";
    case BlockEnd::kHostCall:
      return "host call";
    case BlockEnd::kTrap:
      return "trap";
  }
  return "?";
}

}  // namespace

std::string ToString(const ControlFlow& flow) {
  std::string text;
  for (const Region& region : flow.regions) {
    absl::StrAppend(&text, absl::CEscape(region.name), ": entries");
    for (uint32_t pc : region.entries) absl::StrAppend(&text, " ", TextOf(pc));
    text += "\n";
    for (const BasicBlock& block : region.blocks) {
      absl::StrAppend(&text, "  ", TextOf(block.begin), "..", TextOf(block.end), " ",
                      NameOf(block.kind));
      if (block.kind == BlockEnd::kJump || block.kind == BlockEnd::kBranch ||
          block.kind == BlockEnd::kCall)
        absl::StrAppend(&text, " ", TextOf(block.target));
      for (uint32_t pc : region.TargetsOf(block)) absl::StrAppend(&text, " ", TextOf(pc));
      text += "\n";
    }
  }
  return text;
}

}  // namespace precast::riscv
