#include "compiler/riscv/fast_helpers.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/internal/endian.h"
#include "absl/container/flat_hash_map.h"
#include "absl/log/check.h"
#include "compiler/riscv/control_flow.h"
#include "compiler/riscv/decoder.h"
#include "runtime/abi/helpers.h"

namespace precast::riscv {
namespace {

void StoreCode(guest::Program& program, uint32_t pc, uint32_t word) {
  auto it = std::upper_bound(program.segments.begin(), program.segments.end(), pc,
                             [](uint32_t a, const guest::Segment& s) { return a < s.address; });
  CHECK(it != program.segments.begin());
  --it;
  CHECK_LE(uint64_t{pc} - it->address + 4, it->data.size());
  absl::little_endian::Store32(it->data.data() + (pc - it->address), word);
}

}  // namespace

size_t UseFastHelpers(guest::Program& program) {
  absl::flat_hash_map<std::string_view, uint32_t> numbers;
  for (uint32_t n = 0; n < abi::kNumHelpers; ++n) numbers[abi::kHelpers[n].symbol] = n;
  absl::flat_hash_map<uint32_t, uint32_t> by_address;
  for (const guest::Symbol& symbol : program.symbols) {
    if (!symbol.is_function) continue;
    const auto it = numbers.find(symbol.name);
    // Some have several names (__ltdf2 is __ledf2); these compute the same.
    if (it != numbers.end()) by_address.try_emplace(symbol.address, it->second);
  }
  std::vector<std::pair<uint32_t, uint32_t>> found;  // pc, number
  {
    const Code code(program);
    const ControlFlow flow = RecoverControlFlow(program, code);
    for (const Region& region : flow.regions) {
      for (const BasicBlock& block : region.blocks) {
        if (block.kind != BlockEnd::kCall) continue;
        const Instruction& in = code.At(code.IndexOf(block.last_pc()));
        if (in.op != Op::kJal || in.rd != 1) continue;
        const auto it = by_address.find(block.target);
        if (it != by_address.end()) found.push_back({block.last_pc(), it->second});
      }
    }
  }
  for (const auto& [pc, number] : found) {
    StoreCode(program, pc, abi::EncodeHelper(static_cast<abi::Helper>(number)));
  }
  program.fast_helpers = true;
  program.openvm_extensions = {abi::kFastHelpersExtension};
  // Another program: it counts otherwise.
  program.guid[0] = static_cast<uint8_t>(program.guid[0] ^ 0xff);
  return found.size();
}

}  // namespace precast::riscv
