#include "compiler/opt/value_homes.h"

namespace precast::opt {

using ir::Block;
using ir::Edge;
using ir::Inst;
using ir::Value;

std::vector<uint32_t> FindHomes(const ir::Function& f) {
  std::vector<uint32_t> home(f.num_values(), Block::kNone);
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    for (Value v : f.block(Block(n)).params) home[v.index] = n;
    for (Inst i : f.block(Block(n)).insts) {
      for (uint32_t k = 0; k < f.inst(i).results_count; ++k) home[f.result(i, k).index] = n;
    }
  }
  return home;
}

ValueUses::ValueUses(const ir::Function& f)
    : home(FindHomes(f)), count(f.num_values(), 0), escapes(f.num_values(), false) {
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    const auto use = [&](Value v) {
      ++count[v.index];
      if (home[v.index] != n) escapes[v.index] = true;
    };
    for (const auto& [slot, v] : f.block(Block(n)).state) use(v);
    for (Inst i : f.block(Block(n)).insts) {
      for (Value v : f.args(i)) use(v);
      for (const Edge& edge : f.edges(i)) {
        for (Value v : edge.args) use(v);
      }
    }
  }
}

}  // namespace precast::opt
