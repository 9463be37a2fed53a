// Places the counting of rows.
//
// Requires: IR whose meters are placed (meter.h), in which each block has at most one meter_check
// or meter, and counts its
//   own rows with `count_rows`.
// Does: adds in as few blocks as it can, and adds what a block adds to one register at once. Which
// is the placement of
//   charges once more: what has been counted ahead on an edge is one number for all edges that
//   share a source or a target, chosen so that one of the blocks that the edges lead to need not
//   count. A block may count less than nothing.
// Keeps: rows are exact wherever code may be left but by a trap, also in a call or by returning:
// where a block asks for fuel
//   what has been counted ahead is taken back before, and its own rows come behind. Where it traps
//   they are not below what has been executed.
#ifndef PRECAST_COMPILER_OPT_PLACE_ROWS_H_
#define PRECAST_COMPILER_OPT_PLACE_ROWS_H_

#include "compiler/ir/ir.h"

namespace precast::opt {

void PlaceRows(ir::Function& f);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_PLACE_ROWS_H_
