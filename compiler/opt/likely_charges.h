// Charges are moved to where functions without loops and calls seldom come.
//
// PlaceMeters knows neither which of two ways is likely, nor what later passes make of branches:
// their charges are left in between. In soft floating point the likely way went through a charge at
// every other block.
//
// Requires: a RISC-V function in which meters have been placed (meter.h), on its final control
// flow, without rows (count_rows). Does: chooses anew in which blocks constants are charged, so
// that those that are likely to be executed need not. An edge may get
//   a block of its own for it. Ways are guessed by how branches ask: that two values are equal is
//   not likely. In other functions, only: a block that asks for more than it charges, and then
//   charges a value, charges what it asks for, and gives back the rest with the value, which costs
//   nothing if that is a carry or the like.
// Keeps: what has been charged at every site, given its refund, and at calls, returns and tail
// calls; how much fuel is asked for,
//   and where.
// Breaks: refunds change, blocks are added.
//
// How. As in meter.h, each class of edges gets a number, here what has been charged there more than
// before. A block that charges c then charges c + more(out) - more(in). On a spanning tree of the
// graph that has classes as its nodes and blocks as its edges, all charges can be 0; of all trees,
// that of the largest sum of frequencies leaves the least to be executed (Ball and Larus 1994). A
// block that asks for fuel charges what it asks for rather than 0, and one that charges a value may
// charge anything. Edges from a fork to where ways meet are blocks too, that may have to be made.
#ifndef PRECAST_COMPILER_OPT_LIKELY_CHARGES_H_
#define PRECAST_COMPILER_OPT_LIKELY_CHARGES_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void MoveCharges(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_LIKELY_CHARGES_H_
