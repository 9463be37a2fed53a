// What passes need to replace values and drop block parameters throughout a function.
#ifndef PRECAST_COMPILER_OPT_REWRITE_H_
#define PRECAST_COMPILER_OPT_REWRITE_H_

#include <cstddef>
#include <vector>

#include "absl/functional/function_ref.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// A map from values to what replaces them.
class Replacements {
 public:
  explicit Replacements(size_t num_values) : to_(num_values) {}

  bool Contains(ir::Value v) const { return v.index < to_.size() && to_[v.index].valid(); }
  // `by` must not be replaced, directly or not, by `v`.
  void Set(ir::Value v, ir::Value by);
  // The end of the chain of replacements that begins with `v`.
  ir::Value Get(ir::Value v) { return Contains(v) ? Follow(v) : v; }

  // Replaces in every operand, edge argument and deferred state.
  void Apply(ir::Function& f);
  void ApplyToInst(ir::Function& f, ir::Inst i);

 private:
  ir::Value Follow(ir::Value v);

  std::vector<ir::Value> to_;
};

// Removes the parameters that `keep` does not want, and their arguments, everywhere but in entries.
void RetainParams(ir::Function& f, absl::FunctionRef<bool(ir::Value)> keep);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_REWRITE_H_
