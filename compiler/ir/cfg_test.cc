// Dominators against their definition, on random functions.
#include "compiler/ir/cfg.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/ir/ir.h"
#include "compiler/ir/printer.h"
#include "compiler/ir/random.h"
#include "gtest/gtest.h"

namespace precast::ir {
namespace {

// Blocks that paths from the entries reach without `without`. With `primary`, edges from blocks
// that the first entry does not reach to ones it reaches do not count.
std::vector<bool> Reach(const Function& f, const Cfg& cfg, std::optional<Block> without,
                        bool primary) {
  std::vector<bool> reached(f.num_blocks(), false);
  std::vector<Block> work;
  const auto reach = [&](Block b) {
    if (b == without || reached[b.index]) return;
    reached[b.index] = true;
    work.push_back(b);
  };
  for (Block e : f.entries()) reach(e);
  while (!work.empty()) {
    const Block b = work.back();
    work.pop_back();
    for (const Edge& edge : Successors(f, b)) {
      if (primary && cfg.primary(edge.target) && !cfg.primary(b)) continue;
      reach(edge.target);
    }
  }
  return reached;
}

TEST(DominatorsTest, AreThoseOfTheDefinition) {
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const Function f = RandomFunction(seed, {.max_blocks = seed % 10 == 0 ? 60u : 15u,
                                             .max_insts = 1,
                                             .max_entries = 1 + static_cast<uint32_t>(seed % 4)});
    const Cfg cfg(f);
    for (bool primary : {false, true}) {
      const Dominators dominators =
          primary ? Dominators(f, cfg, Dominators::From::kPrimaryEntry) : Dominators(f, cfg);
      for (Block a : cfg.order()) {
        const std::vector<bool> reached = Reach(f, cfg, a, primary);
        for (Block b : cfg.order()) {
          ASSERT_EQ(dominators.Dominates(a, b), !reached[b.index])
              << "block" << a.index << " block" << b.index << " " << primary << " seed " << seed
              << "\n"
              << Print(f);
        }
      }
    }
  }
}

}  // namespace
}  // namespace precast::ir
