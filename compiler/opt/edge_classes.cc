#include "compiler/opt/edge_classes.h"

#include <numeric>

namespace precast::opt {

EdgeClasses::EdgeClasses(const ir::Function& f, const ir::Cfg& cfg) : parent_(2 * f.num_blocks()) {
  std::iota(parent_.begin(), parent_.end(), 0);
  for (ir::Block b : cfg.order()) {
    for (const ir::Edge& edge : ir::Successors(f, b)) parent_[Out(b)] = In(edge.target);
  }
}

uint32_t EdgeClasses::Find(uint32_t end) {
  while (parent_[end] != end) {
    parent_[end] = parent_[parent_[end]];
    end = parent_[end];
  }
  return end;
}

}  // namespace precast::opt
