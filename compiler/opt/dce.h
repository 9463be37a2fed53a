// Dead code elimination.
//
// Requires: verified IR.
// Does: removes blocks that no entry reaches; replaces block parameters that get one and the same
//   value on every edge by that value; removes declarations of deferred state that no site sees;
//   removes values without a use, and parameters with their arguments.
// Keeps: everything observable: effects, their order, state and fuel at every site.
// Breaks: block numbers (blocks move up), value numbers of removed values (no longer defined).
//
// A declaration of deferred state (`defer_state`, `Block::state`) counts as a use of its value, if
// a site sees it. It holds to the end of its block only, so that takes one look at the block.
#ifndef PRECAST_COMPILER_OPT_DCE_H_
#define PRECAST_COMPILER_OPT_DCE_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void EliminateDeadCode(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

// The same between the placing of meters, which are the sites that see what a block begins with,
// and the moving of sites to where blocks begin (late_state.h): there, what is declared at the
// start of a block stays.
void EliminateDeadCodeEarly(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

// Its parts, for tests.
void RemoveUnreachableBlocks(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());
void RemoveRedundantParams(ir::Function& f);
void RemoveUnseenState(ir::Function& f);
void RemoveUnusedValues(ir::Function& f);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_DCE_H_
