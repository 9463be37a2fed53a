// Classes of edges: two edges are in one class if they share a source or a target, or if others
// between them do. What is counted in advance on an edge must be one number for all of its class,
// since a block counts the same whichever way it was come to and whichever way it is left (meter.h,
// place_rows.h).
#ifndef PRECAST_COMPILER_OPT_EDGE_CLASSES_H_
#define PRECAST_COMPILER_OPT_EDGE_CLASSES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// Union-find over the two ends of every block. A block without edges there has a class of its own.
class EdgeClasses {
 public:
  EdgeClasses(const ir::Function& f, const ir::Cfg& cfg);

  // The class of the edges to `b`, and of those that leave it.
  uint32_t In(ir::Block b) { return Find(2 * b.index); }
  uint32_t Out(ir::Block b) { return Find(2 * b.index + 1); }
  // Makes the edges to `b` and those that leave it one class.
  void JoinEnds(ir::Block b) { parent_[In(b)] = Out(b); }
  // Classes are numbers below this.
  size_t size() const { return parent_.size(); }

 private:
  uint32_t Find(uint32_t end);

  std::vector<uint32_t> parent_;  // by block end
};

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_EDGE_CLASSES_H_
