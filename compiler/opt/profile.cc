#include "compiler/opt/profile.h"

#include <algorithm>

#include "absl/numeric/int128.h"

namespace precast::opt {

void ApplyProfile(ir::Function& function, const Profile& profile) {
  uint64_t hottest = 0;
  for (uint32_t n = 0; n < function.num_blocks(); ++n) {
    const auto it = profile.counts.find(function.block(ir::Block(n)).guest_pc);
    if (it != profile.counts.end()) hottest = std::max(hottest, it->second);
  }
  // A function that was never executed has nothing to be measured by: it stays as it is.
  if (hottest == 0) return;
  const ir::Block first = function.entries()[0];
  for (uint32_t n = 0; n < function.num_blocks(); ++n) {
    ir::BlockData& block = function.block(ir::Block(n));
    const auto it = profile.counts.find(block.guest_pc);
    if (it == profile.counts.end()) continue;
    if (ir::Block(n) != first && it->second < hottest / kColdRatio + 1 &&
        it->second * kColdRatio < hottest)
      block.cold = true;
    if (it->second == 0 || profile.hottest == 0) continue;
    const absl::uint128 weight = absl::uint128(it->second) * kFullWeight / profile.hottest;
    block.weight = std::max<uint32_t>(1, static_cast<uint32_t>(absl::Uint128Low64(weight)));
  }
}

}  // namespace precast::opt
