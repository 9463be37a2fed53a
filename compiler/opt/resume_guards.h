// Entries for resuming in loops take what is constant there for granted, having looked.
//
// Requires: verified IR of a RISC-V region as the front end made it.
// Does: where an entry leads to the head of a loop, and a parameter of that head is one constant on
// every way that
//   does not begin at such an entry, makes the entry compare what it brings with the constant, trap
//   if it is something else (code 0: the runtime goes on by interpretation), and pass the constant.
// Keeps: everything observable.
// Breaks: nothing. Run simplification next, which is what this is for.
//
// Why: a guest may be suspended in any loop, and whoever resumes it there brings all its registers.
// Without this every constant that the guest has put in a register before a loop is a variable in
// it, and takes a register.
#ifndef PRECAST_COMPILER_OPT_RESUME_GUARDS_H_
#define PRECAST_COMPILER_OPT_RESUME_GUARDS_H_

#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

void GuardResumeEntries(ir::Function& f, const ir::Graphs& graphs = ir::Graphs());

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_RESUME_GUARDS_H_
