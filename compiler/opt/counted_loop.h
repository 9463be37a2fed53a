// Loops whose rounds are counted before they begin, and paid for there.
//
// Requires: a loop of one block that ends in a branch to itself or out of it, of which a parameter
// grows by a constant in
//   each round until it equals a number that is known before.
// Does: charges the fuel of all rounds before the loop, if there is that much, so that no round
// asks for any. Keeps: where fuel ends, for where it does not suffice another loop is executed,
// which asks; and what is left of it
//   at every site: the site's state says how many rounds have not begun
//   (runtime/abi/round_slots.h).
#ifndef PRECAST_COMPILER_OPT_COUNTED_LOOP_H_
#define PRECAST_COMPILER_OPT_COUNTED_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

struct CountedLoop {
  size_t param;     // which of the block's parameters counts
  uint32_t step;    // what it grows by in each round, modulo 2^32; not 0
  ir::Value bound;  // what it is after the last round, if that is no constant, less `beyond`
  uint32_t beyond = 0;
  uint32_t constant_bound = 0;
  int64_t cost;  // fuel of a round, more than 0

  // How the loop that is `b` ends, if a counter ends it; without its cost.
  static std::optional<CountedLoop> FindCounter(const ir::Function& f, ir::Block b);

  // The loop that is `b`, entered with these arguments; nullopt if it is not of that kind or asks
  // for no fuel.
  static std::optional<CountedLoop> Find(const ir::Function& f, ir::Block b,
                                         absl::Span<const ir::Value> initial);

  // Fills in `at`, which is empty: leads to `loop`, a copy of the block found, having paid for it;
  // to `otherwise` if fuel does not suffice, or if the counter steps over its bound. Both take
  // `initial`. `loop` no longer asks for fuel.
  void PayBefore(ir::Function& f, ir::Block at, ir::Block loop, ir::Block otherwise,
                 absl::Span<const ir::Value> initial) const;

 private:
  void RemoveMeters(ir::Function& f, ir::Block loop) const;
  // Makes the loop end by what the counter will be: what it is then ends at the last site, and is
  // overwritten.
  void CompareNext(ir::Function& f, ir::Block loop, ir::Value end) const;
};

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_COUNTED_LOOP_H_
