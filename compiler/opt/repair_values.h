// After blocks have been copied: which of two definitions of a value is the one, where both may
// come.
#ifndef PRECAST_COMPILER_OPT_REPAIR_VALUES_H_
#define PRECAST_COMPILER_OPT_REPAIR_VALUES_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// Requires: every way from an entry to a use of a value passes one of its definitions. Uses name
// the first one, except in
//   copied blocks, in which they name the definition in their own copy where that is meant.
// Does: gives blocks where two definitions meet a parameter, and uses behind what they mean.
//
// Time: for each value, the blocks that it lives in.
class ValueRepair {
 public:
  // The function outlives this.
  explicit ValueRepair(ir::Function& f) : f_(f) {}

  // `v`, defined in `home`, has a second definition.
  void Add(ir::Block home, ir::Value v, ir::Block other_home, ir::Value other) {
    index_[v.index] = static_cast<uint32_t>(values_.size());
    values_.push_back({home, v, other_home, other});
  }

  void Run();

 private:
  struct Definitions {
    ir::Block home;
    ir::Value value;
    ir::Block other_home;
    ir::Value other;
  };
  // `work`: the blocks that use it.
  void Repair(const ir::Cfg& cfg, const Definitions& d, std::vector<ir::Block> work,
              uint32_t stamp);
  void RemoveNeedless(const ir::Cfg& cfg);

  ir::Function& f_;
  absl::flat_hash_map<uint32_t, uint32_t> index_;  // by value: in values_
  std::vector<Definitions> values_;
  std::vector<std::vector<ir::Block>> uses_;  // by value: blocks elsewhere that use it
  std::vector<uint32_t> lives_;  // by block: the stamp of the last value that is needed there
  absl::flat_hash_map<uint64_t, ir::Value>
      at_;  // by block and value: what it is where the block begins
  std::vector<std::pair<ir::Block, ir::Value>> made_;  // parameters
};

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_REPAIR_VALUES_H_
