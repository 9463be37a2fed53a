#include "compiler/opt/profile.h"

#include <algorithm>

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
    if (it != profile.counts.end() && ir::Block(n) != first &&
        it->second < hottest / kColdRatio + 1 && it->second * kColdRatio < hottest)
      block.cold = true;
  }
}

}  // namespace precast::opt
