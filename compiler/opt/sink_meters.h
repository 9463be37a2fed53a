// Brings meters together, so that fewer of them ask for fuel.
//
// Requires: verified IR in which every meter's refund is its amount, with no `charge`,
// `meter_check` or deferred state: what
//   the WebAssembly front end makes.
// Does: moves a meter down past instructions that nobody can observe (that have no side effect and
// cannot
//   stop, but loads, whose sites name the meters then), also along edges, to right before the next
//   meter. Where several ways lead to that next meter, it is moved onto the edges, so that each way
//   has its meters side by side. The back end makes one check of meters that stand side by side,
//   and sorts out which of them failed if it does.
// Keeps: where fuel ends, and how much is left then, exactly. What was executed too much is not
// seen: if such a load faults, what
//   was to be charged for before it is charged for then (ir::Unpaid).
// Breaks: blocks are added on edges.
#ifndef PRECAST_COMPILER_OPT_SINK_METERS_H_
#define PRECAST_COMPILER_OPT_SINK_METERS_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void SinkMeters(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_SINK_METERS_H_
