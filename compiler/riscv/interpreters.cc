#include "compiler/riscv/interpreters.h"

#include <algorithm>
#include <cstddef>

namespace precast::riscv {
namespace {

// Of handlers, at least.
constexpr size_t kMinCases = 32;

}  // namespace

bool IsCallingInterpreter(const Region& region) {
  size_t cases = 0, calls = 0;
  for (const BasicBlock& block : region.blocks) {
    switch (block.kind) {
      case BlockEnd::kSwitch:
        cases = std::max<size_t>(cases, block.switch_end - block.switch_begin);
        break;
      case BlockEnd::kCall:
      case BlockEnd::kIndirectCall:
        ++calls;
        break;
      default:
        break;
    }
  }
  return cases >= kMinCases && 2 * calls >= cases;
}

}  // namespace precast::riscv
