// Places metering.
//
// Requires: IR without unreachable blocks in which a block has at most one `meter`, before all of
//   the block's other sites, with refund == amount, and no `charge` or `meter_check`: what a front
//   end makes, whose every block asks for its own instructions; at its end a block may charge a
//   condition, or that times a power of two (short_branches.h). On any other function the pass does
//   nothing; nor on a WebAssembly function, which must stop at exactly the segment that fuel does
//   not cover (docs/wasm_lifting.md).
// Does: asks for fuel only where execution cannot otherwise be bounded, for all that may be
//   executed until it is asked for again, and subtracts in as few blocks as it can.
// Keeps: the number of guest instructions retired, exactly, wherever it can be seen: at every site
//   (the site's refund says what has been charged and not retired), at calls, returns and tail
//   calls. Where it suspends for want of fuel, the state is that of the block's `meter` before; it
//   may do so earlier than before, by less than the amount asked for, and whoever continues must
//   then execute instruction by instruction.
// Breaks: refunds change. Run dead code elimination next: fewer sites, fewer live values.
//
// How. A block with a meter *checks* if it follows an entry or a call, heads a loop, follows the
// end of a loop, or if too much would add up. Its headroom is the largest number of instructions on
// a path from it to the next check or out of the function, with what conditions may charge.
//
// Charges: let prepaid(e) be what has been charged on edge e for instructions not yet executed. A
// block of n instructions then charges n + prepaid(out) - prepaid(in), where all out-edges must
// agree and all in-edges must agree. So edges that share a source or a target form a class with one
// number; each class chooses its number so that one of the blocks it enters need not charge. That
// is counter placement on a spanning tree (Knuth 1973; Ball and Larus 1994), turned around. The
// number is 0 at entries, calls, exits, and on the way into loops, so that fuel is exact there. A
// block may get a charge below 0.
#ifndef PRECAST_COMPILER_OPT_METER_H_
#define PRECAST_COMPILER_OPT_METER_H_

#include <cstdint>

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// No check asks for more than this, unless one block has more instructions. Whoever suspends every
// n instructions spends up to this many of them outside of native code.
inline constexpr int64_t kMaxHeadroom = 256;

struct MeterOptions {
  int64_t max_headroom = kMaxHeadroom;
  bool split_edges = true;  // where that saves charges in loops, edges get blocks of their own
  // Where a check in a loop would ask for more than it charges, others take its place. Not where
  // rows are counted, which each check needs exactly.
  bool spread_checks = true;
};

void PlaceMeters(ir::Function& f, const MeterOptions& options = {},
                 const ir::Graphs& graphs = ir::Graphs());

// The function without metering: no fuel is asked for or charged, and no site gives any back.
void RemoveMeters(ir::Function& f);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_METER_H_
