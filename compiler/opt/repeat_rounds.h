// Registers that a loop only shows need not be carried around it, if the round before can be
// repeated.
#ifndef PRECAST_COMPILER_OPT_REPEAT_ROUNDS_H_
#define PRECAST_COMPILER_OPT_REPEAT_ROUNDS_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

// A guest's loop leaves many registers as they are when a round ends: what has been used up on the
// way to something else. The next round overwrites them, but the question for fuel at its head must
// show them, and its loads too. So each is a parameter of the loop, computed, kept and moved for
// nobody (sha256: 14 of 26).
//
// If rounds do nothing but compute and load, whoever stops in one may as well begin with the round
// before: what was at its head, and there the guest's own code for the round that is over, computes
// these registers anew. Neither who has no fuel nor who has a fault stops before that round has
// been repeated. In the first round there is none before it, so it is made apart.
//
// Only for guests whose runtime goes on from a fault's site by interpretation (RISC-V:
// Instance::ConfirmTrap).
//
// Requires: verified IR with its meters where they shall be; BlockData::unread.
// Does: of a loop of one block without stores that shows enough of such registers makes a first
// round and a loop. The
//   loop's sites are at the head of the round before: its guest pc, registers and refund. Registers
//   that this round overwrites unread are not among the state there: they are not those of the
//   guest until it has been repeated. What is wanted behind the loop is computed there, where the
//   loop keeps what it takes.
// Keeps: everything observable, at the end of what is interpreted.
// Breaks: blocks are added. Leaves instructions without a use.
void RepeatRounds(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_REPEAT_ROUNDS_H_
